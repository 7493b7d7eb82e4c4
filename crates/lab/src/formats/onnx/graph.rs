//! A graph that grows node by node; every value has a name.

use super::proto::{ATTRIBUTE_FLOAT, ATTRIBUTE_INT, ATTRIBUTE_INTS, Attribute, FLOAT, INT64, Node, Tensor};
use std::collections::{HashMap, HashSet};

#[derive(Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    pub(super) initializers: Vec<Tensor>,
    /// Pictures that were transposed back from `[batch, channels, height, width]`, and what they were before.
    channels_first: HashMap<String, String>,
}

/// An option of a node.
pub(super) fn float(name: &str, value: f64) -> Attribute {
    Attribute { f: Some(value as f32), r#type: ATTRIBUTE_FLOAT, ..attribute(name) }
}

pub(super) fn int(name: &str, value: i64) -> Attribute {
    Attribute { i: Some(value), r#type: ATTRIBUTE_INT, ..attribute(name) }
}

pub(super) fn ints(name: &str, values: &[usize]) -> Attribute {
    Attribute {
        ints: values.iter().map(|&value| value as i64).collect(),
        r#type: ATTRIBUTE_INTS,
        ..attribute(name)
    }
}

fn attribute(name: &str) -> Attribute {
    Attribute { name: name.to_owned(), ..Attribute::default() }
}

impl Graph {
    /// Adds a node and names what it gives.
    pub(super) fn node(&mut self, op: &str, inputs: &[&str], attributes: Vec<Attribute>) -> String {
        let name = format!("{}_{}", op.to_lowercase(), self.nodes.len());
        self.nodes.push(Node {
            inputs: inputs.iter().map(|&input| input.to_owned()).collect(),
            outputs: vec![name.clone()],
            name: name.clone(),
            op_type: op.to_owned(),
            attributes,
        });
        name
    }

    /// Adds a node without options.
    pub(super) fn op(&mut self, op: &str, inputs: &[&str]) -> String {
        self.node(op, inputs, Vec::new())
    }

    /// A node's second output.
    pub(super) fn second_output(&mut self, first: &str) -> String {
        let name = format!("{first}_second");
        if let Some(node) = self.nodes.iter_mut().find(|node| node.outputs[0] == first) {
            node.outputs.push(name.clone());
        }
        name
    }

    /// A tensor of known values.
    pub(super) fn tensor(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        self.initializers.push(Tensor {
            dims: shape.iter().map(|&axis| axis as i64).collect(),
            data_type: FLOAT,
            name: name.to_owned(),
            raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        });
        name.to_owned()
    }

    /// A number.
    pub(super) fn number(&mut self, value: f64) -> String {
        let name = format!("number_{}", self.initializers.len());
        self.tensor(&name, &[], &[value as f32])
    }

    /// A list of whole numbers: axes, or a shape, in which 0 is the batch's.
    pub(super) fn list(&mut self, values: &[i64]) -> String {
        let name = format!("list_{}", self.initializers.len());
        self.initializers.push(Tensor {
            dims: vec![values.len() as i64],
            data_type: INT64,
            name: name.clone(),
            raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        });
        name
    }

    /// `op(x, number)`
    pub(super) fn with_number(&mut self, op: &str, x: &str, number: f64) -> String {
        let number = self.number(number);
        self.op(op, &[x, &number])
    }

    /// `x` between two numbers; either may be left out.
    pub(super) fn clip(&mut self, x: &str, low: Option<f64>, high: Option<f64>) -> String {
        let low = low.map(|low| self.number(low)).unwrap_or_default();
        match high.map(|high| self.number(high)) {
            Some(high) => self.op("Clip", &[x, &low, &high]),
            None => self.op("Clip", &[x, &low]),
        }
    }

    /// A reduction over axes.
    pub(super) fn reduce(&mut self, op: &str, x: &str, axes: &[i64], keepdims: bool) -> String {
        let axes = self.list(axes);
        self.node(op, &[x, &axes], vec![int("keepdims", keepdims.into())])
    }

    /// The samples in another shape.
    pub(super) fn reshape(&mut self, x: &str, sample: &[usize]) -> String {
        let shape: Vec<i64> = std::iter::once(0).chain(sample.iter().map(|&axis| axis as i64)).collect();
        let shape = self.list(&shape);
        self.op("Reshape", &[x, &shape])
    }

    /// The samples' axes in another order, which says where each of them comes from.
    pub(super) fn permute(&mut self, x: &str, order: &[usize]) -> String {
        if order.is_sorted() {
            return x.to_owned();
        }
        let order: Vec<usize> = std::iter::once(0).chain(order.iter().map(|place| place + 1)).collect();
        self.node("Transpose", &[x], vec![ints("perm", &order)])
    }

    /// Pictures with their channels before their pixels.
    pub(super) fn channels_first(&mut self, x: &str) -> String {
        match self.channels_first.get(x) {
            Some(before) => before.clone(),
            None => self.node("Transpose", &[x], vec![ints("perm", &[0, 3, 1, 2])]),
        }
    }

    /// Pictures with their channels behind their pixels, as Keras has them.
    pub(super) fn channels_last(&mut self, x: String) -> String {
        let last = self.node("Transpose", &[&x], vec![ints("perm", &[0, 2, 3, 1])]);
        self.channels_first.insert(last.clone(), x);
        last
    }

    /// Names the result, and drops the nodes that nothing reads.
    pub(super) fn finish(&mut self, x: &str, name: &str) {
        let last = self.op("Identity", &[x]);
        let mut wanted = HashSet::from([last.clone()]);
        for node in self.nodes.iter().rev() {
            if node.outputs.iter().any(|output| wanted.contains(output)) {
                wanted.extend(node.inputs.iter().cloned());
            }
        }
        self.nodes.retain(|node| node.outputs.iter().any(|output| wanted.contains(output)));
        self.initializers.retain(|tensor| wanted.contains(&tensor.name));
        if let Some(node) = self.nodes.iter_mut().find(|node| node.outputs[0] == last) {
            node.outputs = vec![name.to_owned()];
        }
    }
}

//! ONNX, to write: a model for inference that onnxruntime and others run; of a file that is read, the tensors are listed.
//!
//! Input and output are laid out as in Keras, pictures `[batch, height, width, channels]`; convolutions are wrapped in
//! transpositions, because ONNX has channels before pixels. Operators are those of opset 18. Layers that act in training
//! only are left out.
//!
//! Source: <https://onnx.ai/onnx/operators/>, `onnx/onnx.proto`.

use super::keras_json::complete_config;
use graph::Graph;
use layers::Place;
use prost::Message;
use proto::{Dimension, GraphProto, ModelProto, OperatorSet, TensorShape, TensorType, TypeProto, ValueInfo};
use seedbed_nn::model::Model;

mod activations;
mod graph;
mod layers;
mod list;
mod proto;

pub(super) use list::list;

/// The version of the file's structure, and that of its operators.
const IR_VERSION: i64 = 8;
const OPSET: i64 = 18;

/// The model and its weights.
///
/// # Errors
/// What ONNX cannot say.
pub(super) fn write(model: &Model) -> Result<Vec<u8>, String> {
    let sequential = model.sequential();
    let rows = sequential.summary().map_err(|error| error.to_string())?.rows;
    let mut graph = Graph::default();
    let (mut x, mut input) = ("input".to_owned(), sequential.input_shape.axes().to_vec());
    for (layer, row) in sequential.layers.iter().zip(rows) {
        let config = complete_config(layer)?;
        let output = row.output_shape.axes().to_vec();
        let place = Place { model, name: &row.name, config: &config, input: &input, output: &output };
        x = layers::write(&mut graph, row.class_name, &place, x)
            .map_err(|problem| format!("layer {:?}: {problem}", row.name))?;
        input = output;
    }
    graph.finish(&x, "output");
    let file = ModelProto {
        ir_version: IR_VERSION,
        producer_name: "seedbed".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(GraphProto {
            nodes: graph.nodes,
            name: "sequential".to_owned(),
            initializers: graph.initializers,
            inputs: vec![value_info("input", sequential.input_shape.axes())],
            outputs: vec![value_info("output", &input)],
        }),
        opset_import: vec![OperatorSet { domain: String::new(), version: OPSET }],
    };
    Ok(file.encode_to_vec())
}

/// A batch of samples of a shape; how many is told when the model is run.
fn value_info(name: &str, sample: &[usize]) -> ValueInfo {
    let batch = Dimension { value: None, name: Some("batch".to_owned()) };
    let axes = sample.iter().map(|&axis| Dimension { value: Some(axis as i64), name: None });
    let dims = std::iter::once(batch).chain(axes).collect();
    let tensor = TensorType { element: proto::FLOAT, shape: Some(TensorShape { dims }) };
    ValueInfo { name: name.to_owned(), r#type: Some(TypeProto { tensor: Some(tensor) }) }
}

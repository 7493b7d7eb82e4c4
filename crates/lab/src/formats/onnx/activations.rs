//! Keras's activations in ONNX's operators. Source of the formulas: Keras `keras/src/activations/activations.py`.

use super::graph::{Graph, float, int};
use serde_json::Value;

/// Writes an activation, which is a name, or a table of a name and parameters. `width` is the length of the last axis.
pub(super) fn write(graph: &mut Graph, activation: &Value, width: usize, x: &str) -> Result<String, String> {
    let Some(name) = activation.as_str().or(activation["name"].as_str()) else {
        return Err(format!("expected an activation, received {activation}"));
    };
    let parameter = |key: &str, default: f64| activation[key].as_f64().unwrap_or(default);
    Ok(match name {
        "linear" => x.to_owned(),
        "relu" => {
            let max_value = activation["max_value"].as_f64();
            rectified(graph, x, parameter("negative_slope", 0.0), max_value, parameter("threshold", 0.0))
        }
        "relu6" => graph.clip(x, Some(0.0), Some(6.0)),
        "leaky_relu" => graph.node("LeakyRelu", &[x], vec![float("alpha", parameter("negative_slope", 0.2))]),
        "elu" => graph.node("Elu", &[x], vec![float("alpha", parameter("alpha", 1.0))]),
        "celu" => graph.node("Celu", &[x], vec![float("alpha", parameter("alpha", 1.0))]),
        "selu" => {
            let (alpha, gamma) =
                (float("alpha", 1.673_263_242_354_377_2), float("gamma", 1.050_700_987_355_480_5));
            graph.node("Selu", &[x], vec![alpha, gamma])
        }
        "sigmoid" => graph.op("Sigmoid", &[x]),
        "tanh" => graph.op("Tanh", &[x]),
        "exponential" => graph.op("Exp", &[x]),
        "softplus" => graph.op("Softplus", &[x]),
        "softsign" => graph.op("Softsign", &[x]),
        "softmax" => graph.node("Softmax", &[x], vec![int("axis", -1)]),
        "log_softmax" => graph.node("LogSoftmax", &[x], vec![int("axis", -1)]),
        "hard_sigmoid" => hard_sigmoid(graph, x),
        "hard_silu" => {
            let gate = hard_sigmoid(graph, x);
            graph.op("Mul", &[x, &gate])
        }
        "hard_tanh" => graph.clip(x, Some(-1.0), Some(1.0)),
        "hard_shrink" => {
            graph.node("Shrink", &[x], vec![float("lambd", parameter("threshold", 0.5)), float("bias", 0.0)])
        }
        "soft_shrink" => {
            let threshold = parameter("threshold", 0.5);
            graph.node("Shrink", &[x], vec![float("lambd", threshold), float("bias", threshold)])
        }
        "silu" => {
            let gate = graph.op("Sigmoid", &[x]);
            graph.op("Mul", &[x, &gate])
        }
        "mish" => {
            let plus = graph.op("Softplus", &[x]);
            let gate = graph.op("Tanh", &[&plus]);
            graph.op("Mul", &[x, &gate])
        }
        "gelu" if activation["approximate"] == true => gelu_by_tanh(graph, x),
        "gelu" => gelu(graph, x),
        "log_sigmoid" => {
            let minus = graph.op("Neg", &[x]);
            let plus = graph.op("Softplus", &[&minus]);
            graph.op("Neg", &[&plus])
        }
        "tanh_shrink" => {
            let tanh = graph.op("Tanh", &[x]);
            graph.op("Sub", &[x, &tanh])
        }
        "squareplus" => {
            let square = graph.op("Mul", &[x, x]);
            let sum = graph.with_number("Add", &square, parameter("b", 4.0));
            let root = graph.op("Sqrt", &[&sum]);
            let sum = graph.op("Add", &[x, &root]);
            graph.with_number("Mul", &sum, 0.5)
        }
        "sparse_sigmoid" => {
            let half = graph.with_number("Mul", x, 0.5);
            let moved = graph.with_number("Add", &half, 0.5);
            graph.clip(&moved, Some(0.0), Some(1.0))
        }
        "sparse_plus" => sparse_plus(graph, x),
        "sparsemax" => sparsemax(graph, x, width),
        "glu" => glu(graph, x),
        "threshold" => {
            let above = graph.number(parameter("threshold", 0.0));
            let default = graph.number(parameter("default_value", 0.0));
            let is_above = graph.op("Greater", &[x, &above]);
            graph.op("Where", &[&is_above, x, &default])
        }
        _ => return Err(format!("the activation {name} has no ONNX form here")),
    })
}

/// `max_value` above it, `x` from `threshold` on, `negative_slope·(x − threshold)` below.
pub(super) fn rectified(
    graph: &mut Graph,
    x: &str,
    negative_slope: f64,
    max_value: Option<f64>,
    threshold: f64,
) -> String {
    if negative_slope == 0.0 && threshold == 0.0 && max_value.is_none() {
        return graph.op("Relu", &[x]);
    }
    let limit = graph.number(threshold);
    let below = graph.op("Less", &[x, &limit]);
    let moved = graph.with_number("Sub", x, threshold);
    let slope = graph.with_number("Mul", &moved, negative_slope);
    let capped = match max_value {
        Some(max) => graph.clip(x, None, Some(max)),
        None => x.to_owned(),
    };
    graph.op("Where", &[&below, &slope, &capped])
}

/// `min(max(x/6 + 1/2, 0), 1)`
fn hard_sigmoid(graph: &mut Graph, x: &str) -> String {
    graph.node("HardSigmoid", &[x], vec![float("alpha", 1.0 / 6.0), float("beta", 0.5)])
}

/// `x/2 · (1 + erf(x/√2))`
fn gelu(graph: &mut Graph, x: &str) -> String {
    let scaled = graph.with_number("Mul", x, std::f64::consts::FRAC_1_SQRT_2);
    let erf = graph.op("Erf", &[&scaled]);
    let sum = graph.with_number("Add", &erf, 1.0);
    let half = graph.with_number("Mul", x, 0.5);
    graph.op("Mul", &[&half, &sum])
}

/// `x/2 · (1 + tanh(√(2/π)·(x + 0.044715·x³)))`
fn gelu_by_tanh(graph: &mut Graph, x: &str) -> String {
    let square = graph.op("Mul", &[x, x]);
    let scaled = graph.with_number("Mul", &square, 0.044_715);
    let factor = graph.with_number("Add", &scaled, 1.0);
    let inner = graph.op("Mul", &[x, &factor]);
    let inner = graph.with_number("Mul", &inner, (2.0 / std::f64::consts::PI).sqrt());
    let tanh = graph.op("Tanh", &[&inner]);
    let sum = graph.with_number("Add", &tanh, 1.0);
    let half = graph.with_number("Mul", x, 0.5);
    graph.op("Mul", &[&half, &sum])
}

/// 0 up to −1, `(x + 1)²/4` up to 1, then `x`.
fn sparse_plus(graph: &mut Graph, x: &str) -> String {
    let inside = graph.clip(x, Some(-1.0), Some(1.0));
    let sum = graph.with_number("Add", &inside, 1.0);
    let square = graph.op("Mul", &[&sum, &sum]);
    let quarter = graph.with_number("Mul", &square, 0.25);
    let beyond = graph.with_number("Sub", x, 1.0);
    let rest = graph.op("Relu", &[&beyond]);
    graph.op("Add", &[&quarter, &rest])
}

/// `max(x − τ, 0)`, with the τ for which the row sums to 1 (Martins and Astudillo 2016).
fn sparsemax(graph: &mut Graph, x: &str, width: usize) -> String {
    let count = graph.list(&[width as i64]);
    let sorted = graph.node("TopK", &[x, &count], vec![int("axis", -1), int("largest", 1), int("sorted", 1)]);
    graph.second_output(&sorted);
    let last = graph.list(&[-1]);
    let sums = graph.op("CumSum", &[&sorted, &last]);
    let ranks: Vec<f32> = (1..=width).map(|rank| rank as f32).collect();
    let ranks = graph.tensor(&format!("ranks_{}", graph.initializers.len()), &[width], &ranks);
    let product = graph.op("Mul", &[&sorted, &ranks]);
    let bound = graph.with_number("Add", &product, 1.0);
    let supported = graph.op("Greater", &[&bound, &sums]);
    let support = graph.node("Cast", &[&supported], vec![int("to", 1)]);
    let size = graph.reduce("ReduceSum", &support, &[-1], true);
    let kept = graph.op("Mul", &[&sorted, &support]);
    let total = graph.reduce("ReduceSum", &kept, &[-1], true);
    let excess = graph.with_number("Sub", &total, 1.0);
    let threshold = graph.op("Div", &[&excess, &size]);
    let moved = graph.op("Sub", &[x, &threshold]);
    graph.op("Relu", &[&moved])
}

/// The first half of the last axis, times the sigmoid of the second.
fn glu(graph: &mut Graph, x: &str) -> String {
    let first = graph.node("Split", &[x], vec![int("axis", -1), int("num_outputs", 2)]);
    let second = graph.second_output(&first);
    let gate = graph.op("Sigmoid", &[&second]);
    graph.op("Mul", &[&first, &gate])
}

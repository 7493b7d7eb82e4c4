//! Keras's layers in ONNX's operators, at inference.

use super::activations::{self, rectified};
use super::graph::{Graph, float, int, ints};
use seedbed_nn::model::Model;
use serde_json::{Map, Value};

/// A layer in its place.
pub(super) struct Place<'a> {
    pub(super) model: &'a Model,
    /// The layer's name.
    pub(super) name: &'a str,
    /// Every key of its class.
    pub(super) config: &'a Map<String, Value>,
    /// The shape of a sample before and after it.
    pub(super) input: &'a [usize],
    pub(super) output: &'a [usize],
}

impl Place<'_> {
    fn get(&self, key: &str) -> &Value {
        self.config.get(key).unwrap_or(&Value::Null)
    }

    fn number(&self, key: &str) -> Result<f64, String> {
        self.get(key).as_f64().ok_or_else(|| format!("{key}: expected a number, received {}", self.get(key)))
    }

    fn is(&self, key: &str) -> bool {
        self.get(key) == true
    }

    /// One number for both axes of a picture, or one for each.
    fn pair(&self, key: &str) -> Result<[usize; 2], String> {
        let number = |value: &Value| value.as_u64().and_then(|number| usize::try_from(number).ok());
        let pair = match self.get(key) {
            Value::Array(axes) => match axes.as_slice() {
                [height, width] => number(height).zip(number(width)),
                _ => None,
            },
            both => number(both).map(|both| (both, both)),
        };
        match pair {
            Some((height, width)) => Ok([height, width]),
            None => Err(format!("{key}: expected two whole numbers, received {}", self.get(key))),
        }
    }

    /// The axes that a layer works along, as places in a sample's shape, ascending.
    fn axes(&self) -> Result<Vec<usize>, String> {
        let axes = match self.get("axis") {
            Value::Array(axes) => axes.as_slice(),
            axis => std::slice::from_ref(axis),
        };
        let rank = self.input.len();
        let place = |axis: &Value| {
            let axis = axis.as_i64()?;
            let place = if axis < 0 { axis + rank as i64 } else { axis - 1 };
            usize::try_from(place).ok().filter(|place| *place < rank)
        };
        let mut places = axes.iter().map(place).collect::<Option<Vec<usize>>>().unwrap_or_default();
        places.sort_unstable();
        if places.is_empty() {
            return Err(format!("axis: expected axes of a sample, received {}", self.get("axis")));
        }
        Ok(places)
    }

    /// The shape of a variable along axes, beside a sample: 1 elsewhere.
    fn beside(&self, axes: &[usize]) -> Vec<usize> {
        let length = |(place, &length): (usize, &usize)| if axes.contains(&place) { length } else { 1 };
        self.input.iter().enumerate().map(length).collect()
    }

    /// A variable's shape and values.
    fn variable(&self, role: &str) -> Option<(Vec<usize>, Vec<f32>)> {
        let name = format!("{}/{role}", self.name);
        let param = self.model.params().iter().find(|param| param.name == name)?;
        Some((param.spec.shape.clone(), self.model.weight(&name)?))
    }

    fn needed(&self, role: &str) -> Result<(Vec<usize>, Vec<f32>), String> {
        self.variable(role).ok_or_else(|| format!("the variable {role} is missing"))
    }

    /// A variable along axes as a tensor of the graph.
    fn tensor_along(&self, graph: &mut Graph, role: &str, axes: &[usize]) -> Option<String> {
        let (_, values) = self.variable(role)?;
        Some(graph.tensor(&format!("{}/{role}", self.name), &self.beside(axes), &values))
    }

    /// A variable as a tensor of the graph.
    fn tensor(&self, graph: &mut Graph, role: &str) -> Option<String> {
        let (shape, values) = self.variable(role)?;
        Some(graph.tensor(&format!("{}/{role}", self.name), &shape, &values))
    }

    fn activate(&self, graph: &mut Graph, x: String) -> Result<String, String> {
        let width = self.output.last().copied().unwrap_or(1);
        activations::write(graph, self.get("activation"), width, &x)
    }
}

/// Writes a layer; gives the name of its output.
pub(super) fn write(
    graph: &mut Graph,
    class_name: &str,
    at: &Place<'_>,
    x: String,
) -> Result<String, String> {
    match class_name {
        "Flatten" | "Reshape" => Ok(graph.reshape(&x, at.output)),
        "Dense" => dense(graph, at, &x),
        "Activation" => at.activate(graph, x),
        "ReLU" => {
            let max_value = at.get("max_value").as_f64();
            Ok(rectified(graph, &x, at.number("negative_slope")?, max_value, at.number("threshold")?))
        }
        "LeakyReLU" => Ok(graph.node("LeakyRelu", &[&x], vec![float("alpha", at.number("negative_slope")?)])),
        "ELU" => Ok(graph.node("Elu", &[&x], vec![float("alpha", at.number("alpha")?)])),
        "Softmax" => match at.axes()?.as_slice() {
            [axis] => Ok(graph.node("Softmax", &[&x], vec![int("axis", *axis as i64 + 1)])),
            axes => Ok(softmax_over(graph, &x, &of_batch(axes))),
        },
        "PReLU" => {
            let slopes = at.tensor(graph, "alpha").ok_or("the variable alpha is missing")?;
            Ok(graph.op("PRelu", &[&x, &slopes]))
        }
        "Rescaling" => {
            let scaled = graph.with_number("Mul", &x, at.number("scale")?);
            Ok(graph.with_number("Add", &scaled, at.number("offset")?))
        }
        "Conv2D" => convolution(graph, at, &x),
        "DepthwiseConv2D" => depthwise_convolution(graph, at, &x),
        "MaxPooling2D" => pooling(graph, at, &x, "MaxPool"),
        "AveragePooling2D" => pooling(graph, at, &x, "AveragePool"),
        "GlobalMaxPooling2D" => Ok(graph.reduce("ReduceMax", &x, &[1, 2], at.is("keepdims"))),
        "GlobalAveragePooling2D" => Ok(graph.reduce("ReduceMean", &x, &[1, 2], at.is("keepdims"))),
        "BatchNormalization" => batch_normalization(graph, at, &x),
        "Normalization" => normalization(graph, at, &x),
        "LayerNormalization" => layer_normalization(graph, at, &x),
        "GroupNormalization" => group_normalization(graph, at, &x),
        "RMSNormalization" => rms_normalization(graph, at, &x),
        "UnitNormalization" => {
            let axes = of_batch(&at.axes()?);
            let norm = graph.reduce("ReduceL2", &x, &axes, true);
            let norm = graph.clip(&norm, Some(1e-12), None);
            Ok(graph.op("Div", &[&x, &norm]))
        }
        "Dropout"
        | "SpatialDropout2D"
        | "AlphaDropout"
        | "GaussianDropout"
        | "GaussianNoise"
        | "ActivityRegularization"
        | "RandomTranslation"
        | "RandomRotation"
        | "RandomZoom"
        | "RandomFlip"
        | "RandomContrast"
        | "RandomErasing"
        | "MixUp" => Ok(x),
        _ => Err(format!("{class_name} has no ONNX form here")),
    }
}

/// `exp(x − max)` as shares of its sum over the given axes.
fn softmax_over(graph: &mut Graph, x: &str, axes: &[i64]) -> String {
    let largest = graph.reduce("ReduceMax", x, axes, true);
    let moved = graph.op("Sub", &[x, &largest]);
    let powers = graph.op("Exp", &[&moved]);
    let sum = graph.reduce("ReduceSum", &powers, axes, true);
    graph.op("Div", &[&powers, &sum])
}

fn dense(graph: &mut Graph, at: &Place<'_>, x: &str) -> Result<String, String> {
    let kernel = at.tensor(graph, "kernel").ok_or("the variable kernel is missing")?;
    let bias = at.tensor(graph, "bias");
    let y = match (at.input, bias) {
        ([_], Some(bias)) => graph.op("Gemm", &[x, &kernel, &bias]),
        (_, Some(bias)) => {
            let product = graph.op("MatMul", &[x, &kernel]);
            graph.op("Add", &[&product, &bias])
        }
        (_, None) => graph.op("MatMul", &[x, &kernel]),
    };
    at.activate(graph, y)
}

/// A kernel `[h, w, in, out]` as ONNX has it, `[out, in, h, w]`.
fn turned([h, w, inputs, outputs]: [usize; 4], kernel: &[f32]) -> Vec<f32> {
    let mut turned = Vec::with_capacity(kernel.len());
    for output in 0..outputs {
        for input in 0..inputs {
            turned.extend((0..h * w).map(|pixel| kernel[(pixel * inputs + input) * outputs + output]));
        }
    }
    turned
}

fn kernel(at: &Place<'_>, role: &str) -> Result<([usize; 4], Vec<f32>), String> {
    let (shape, values) = at.needed(role)?;
    let shape = <[usize; 4]>::try_from(shape).map_err(|shape| format!("a kernel of shape {shape:?}"))?;
    Ok((shape, values))
}

fn convolution(graph: &mut Graph, at: &Place<'_>, x: &str) -> Result<String, String> {
    let (shape, values) = kernel(at, "kernel")?;
    let [h, w, inputs, outputs] = shape;
    let name = format!("{}/kernel", at.name);
    let kernel = graph.tensor(&name, &[outputs, inputs, h, w], &turned(shape, &values));
    let groups = at.number("groups")? as i64;
    convolve(graph, at, x, &kernel, [h, w], groups)
}

fn depthwise_convolution(graph: &mut Graph, at: &Place<'_>, x: &str) -> Result<String, String> {
    let role = if at.variable("kernel").is_some() { "kernel" } else { "depthwise_kernel" };
    let ([h, w, inputs, multiplier], values) = kernel(at, role)?;
    let (outputs, name) = (inputs * multiplier, format!("{}/{role}", at.name));
    // Output `input·multiplier + m` sees one input only.
    let kernel = graph.tensor(&name, &[outputs, 1, h, w], &turned([h, w, 1, outputs], &values));
    convolve(graph, at, x, &kernel, [h, w], inputs as i64)
}

fn convolve(
    graph: &mut Graph,
    at: &Place<'_>,
    x: &str,
    kernel: &str,
    size: [usize; 2],
    groups: i64,
) -> Result<String, String> {
    let (strides, dilations) = (at.pair("strides")?, at.pair("dilation_rate")?);
    let attributes = vec![
        ints("strides", &strides),
        ints("dilations", &dilations),
        ints("pads", &padding(at, size, strides, dilations)),
        int("group", groups),
    ];
    let bias = at.tensor(graph, "bias");
    let before = graph.channels_first(x);
    let inputs: Vec<&str> = [before.as_str(), kernel].into_iter().chain(bias.as_deref()).collect();
    let y = graph.node("Conv", &inputs, attributes);
    let y = graph.channels_last(y);
    at.activate(graph, y)
}

/// Zeros before and behind both axes: `same` puts what is odd behind.
fn padding(at: &Place<'_>, size: [usize; 2], strides: [usize; 2], dilations: [usize; 2]) -> [usize; 4] {
    let mut pads = [0; 4];
    if at.get("padding") == "same" {
        for axis in 0..2 {
            let (input, reach) = (at.input[axis], (size[axis] - 1) * dilations[axis] + 1);
            let total = ((input.div_ceil(strides[axis]) - 1) * strides[axis] + reach).saturating_sub(input);
            (pads[axis], pads[axis + 2]) = (total / 2, total - total / 2);
        }
    }
    pads
}

fn pooling(graph: &mut Graph, at: &Place<'_>, x: &str, op: &str) -> Result<String, String> {
    let size = at.pair("pool_size")?;
    let strides = if at.get("strides").is_null() { size } else { at.pair("strides")? };
    let attributes = vec![
        ints("kernel_shape", &size),
        ints("strides", &strides),
        ints("pads", &padding(at, size, strides, [1, 1])),
    ];
    let before = graph.channels_first(x);
    let y = graph.node(op, &[&before], attributes);
    Ok(graph.channels_last(y))
}

/// `(x − mean)/√(variance + ε)·gamma + beta` as one factor and one summand per channel.
fn batch_normalization(graph: &mut Graph, at: &Place<'_>, x: &str) -> Result<String, String> {
    let (epsilon, shape) = (at.number("epsilon")?, at.beside(&at.axes()?));
    let ((_, mean), (_, variance)) = (at.needed("moving_mean")?, at.needed("moving_variance")?);
    let (gamma, beta) = (at.variable("gamma"), at.variable("beta"));
    let of = |variable: &Option<(Vec<usize>, Vec<f32>)>, channel: usize, otherwise: f64| {
        variable.as_ref().map_or(otherwise, |(_, values)| f64::from(values[channel]))
    };
    let (mut factors, mut summands) = (Vec::new(), Vec::new());
    for channel in 0..mean.len() {
        let factor = of(&gamma, channel, 1.0) / (f64::from(variance[channel]) + epsilon).sqrt();
        factors.push(factor as f32);
        summands.push((of(&beta, channel, 0.0) - f64::from(mean[channel]) * factor) as f32);
    }
    let factors = graph.tensor(&format!("{}/factor", at.name), &shape, &factors);
    let summands = graph.tensor(&format!("{}/summand", at.name), &shape, &summands);
    let scaled = graph.op("Mul", &[x, &factors]);
    Ok(graph.op("Add", &[&scaled, &summands]))
}

/// `(x − mean)/max(√variance, 1e-7)`, or with `invert` the way back.
fn normalization(graph: &mut Graph, at: &Place<'_>, x: &str) -> Result<String, String> {
    let (shape, mean) = numbers(at, "mean")?;
    let (_, variance) = numbers(at, "variance")?;
    let deviation: Vec<f32> = variance.iter().map(|variance| variance.sqrt().max(1e-7)).collect();
    let mean = graph.tensor(&format!("{}/mean", at.name), &shape, &mean);
    let deviation = graph.tensor(&format!("{}/deviation", at.name), &shape, &deviation);
    Ok(if at.is("invert") {
        let spread = graph.op("Mul", &[x, &deviation]);
        graph.op("Add", &[&spread, &mean])
    } else {
        let centred = graph.op("Sub", &[x, &mean]);
        graph.op("Div", &[&centred, &deviation])
    })
}

/// What was adapted is a variable; what was given stands in the configuration. One number stands for all.
fn numbers(at: &Place<'_>, key: &str) -> Result<(Vec<usize>, Vec<f32>), String> {
    let given = || match at.get(key) {
        Value::Array(values) => values.iter().map(|value| value.as_f64().map(|value| value as f32)).collect(),
        value => value.as_f64().map(|value| vec![value as f32]),
    };
    let values = at.variable(key).map(|(_, values)| values).or_else(given);
    let values = values.ok_or_else(|| format!("{key}: the layer was not adapted"))?;
    let shape = if values.len() == 1 { vec![1] } else { at.beside(&at.axes()?) };
    Ok((shape, values))
}

fn scaled_and_moved(graph: &mut Graph, at: &Place<'_>, axes: &[usize], mut x: String) -> String {
    for (op, role) in [("Mul", "gamma"), ("Mul", "scale"), ("Add", "beta")] {
        if let Some(variable) = at.tensor_along(graph, role, axes) {
            x = graph.op(op, &[&x, &variable]);
        }
    }
    x
}

/// Axes of a sample as axes of a batch.
fn of_batch(axes: &[usize]) -> Vec<i64> {
    axes.iter().map(|&axis| axis as i64 + 1).collect()
}

/// `x/√(mean square + ε)`, the mean over the given axes.
fn by_root_mean_square(graph: &mut Graph, x: &str, square_of: &str, axes: &[i64], epsilon: f64) -> String {
    let square = graph.op("Mul", &[square_of, square_of]);
    let mean = graph.reduce("ReduceMean", &square, axes, true);
    let sum = graph.with_number("Add", &mean, epsilon);
    let root = graph.op("Sqrt", &[&sum]);
    graph.op("Div", &[x, &root])
}

fn centred(graph: &mut Graph, x: &str, axes: &[i64]) -> String {
    let mean = graph.reduce("ReduceMean", x, axes, true);
    graph.op("Sub", &[x, &mean])
}

fn layer_normalization(graph: &mut Graph, at: &Place<'_>, x: &str) -> Result<String, String> {
    let axes = at.axes()?;
    let centred = centred(graph, x, &of_batch(&axes));
    let numerator = if at.is("rms_scaling") { x } else { &centred };
    let y = by_root_mean_square(graph, numerator, &centred, &of_batch(&axes), at.number("epsilon")?);
    Ok(scaled_and_moved(graph, at, &axes, y))
}

fn rms_normalization(graph: &mut Graph, at: &Place<'_>, x: &str) -> Result<String, String> {
    let axes = at.axes()?;
    let y = by_root_mean_square(graph, x, x, &of_batch(&axes), at.number("epsilon")?);
    Ok(scaled_and_moved(graph, at, &axes, y))
}

/// Every sample's channels in groups; each group with its pixels is normalized as one.
fn group_normalization(graph: &mut Graph, at: &Place<'_>, x: &str) -> Result<String, String> {
    let axes = at.axes()?;
    let &[axis] = axes.as_slice() else {
        return Err(format!("axis: expected one, received {}", at.get("axis")));
    };
    let order: Vec<usize> = (0..at.input.len()).filter(|place| *place != axis).chain([axis]).collect();
    let shape: Vec<usize> = order.iter().map(|&place| at.input[place]).collect();
    let channels = at.input[axis];
    let groups = match at.get("groups").as_i64() {
        Some(groups) if groups > 0 => groups.unsigned_abs() as usize,
        _ => channels,
    };
    let pixels = at.input.iter().product::<usize>() / channels;
    let last = graph.permute(x, &order);
    let grouped = graph.reshape(&last, &[pixels, groups, channels / groups]);
    let centred = centred(graph, &grouped, &[1, 3]);
    let y = by_root_mean_square(graph, &centred, &centred, &[1, 3], at.number("epsilon")?);
    let y = graph.reshape(&y, &shape);
    let back: Vec<usize> =
        (0..order.len()).map(|place| order.iter().position(|from| *from == place).unwrap_or(place)).collect();
    let y = graph.permute(&y, &back);
    Ok(scaled_and_moved(graph, at, &axes, y))
}

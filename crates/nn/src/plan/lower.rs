//! Description → ops: every layer writes its forward ops, then the loss, then the gradients.

use super::differentiate::differentiate;
use super::differentiate::pool::activate_before_unpooling;
use crate::activations::Activation;
use crate::error::ModelError;
use crate::losses::{Loss, Rule};
use crate::ops::{Augment, Forward, Op, ParamId, Program, Value, ValueId};
use crate::sequential::{Placed, Sequential};

/// What a program is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Purpose {
    /// Outputs only.
    Predict,
    /// Outputs, loss and accuracy, in inference mode.
    Evaluate(Loss),
    /// One step of training.
    Train(Loss),
}

/// Writes a model as ops.
///
/// A crossentropy that follows a softmax or a sigmoid is taken of its logits, whichever of the two it is,
/// as Keras does on TensorFlow (`keras/src/backend/tensorflow/nn.py`, `_get_logits`).
///
/// # Errors
/// Where a layer, its place or the loss cannot work.
pub fn lower(sequential: &Sequential, purpose: Purpose) -> Result<Program, ModelError> {
    let placed = sequential.placed()?;
    let mut to = Forward::new(sequential.input_shape.size(), matches!(purpose, Purpose::Train(_)));
    let mut output = ValueId(0);
    for (index, layer) in placed.iter().enumerate() {
        to.layer = index;
        to.layer_name = layer.name.clone();
        to.trainable = layer.layer.rule().trainable();
        output = layer.layer.rule().lower(&mut to, &layer.input, output);
        to.penalize(layer.layer.rule().activity_regularizer(), output);
    }
    set_width_of_targets(&mut to, output);
    match purpose {
        Purpose::Predict => to.ops.retain(|op| !matches!(op, Op::ActivityPenalty { .. })),
        Purpose::Evaluate(loss) => {
            check_loss(&loss, &placed, &to, output)?;
            let prediction = of_logits(&mut to, &loss, output);
            score(&mut to, loss, prediction, output, false);
        }
        Purpose::Train(loss) => {
            check_loss(&loss, &placed, &to, output)?;
            let prediction = of_logits(&mut to, &loss, output);
            let forward = to.ops.len();
            let (value, gradient) = score(&mut to, loss, prediction, output, true);
            if let Some(gradient) = gradient {
                backward(&mut to, forward, value, gradient);
            }
        }
    }
    Ok(Program { values: to.values, params: to.params, ops: to.ops, output, targets: to.targets })
}

/// Mixed targets are as wide as the model's outputs.
fn set_width_of_targets(to: &mut Forward, output: ValueId) {
    let width = to.width(output);
    for op in &to.ops {
        if let Op::Augment(Augment::MixTargets { out, .. }) = op {
            to.values[out.0].width = width;
        }
    }
}

/// The activation that gave the output, and what it was of.
fn last_activation(to: &Forward, output: ValueId) -> Option<(Activation, ValueId)> {
    match *to.ops.last()? {
        Op::Softmax { x, out } if out == output => Some((Activation::Softmax, x)),
        Op::Activate { f, x, out } if out == output => Some((f, x)),
        _ => None,
    }
}

fn check_loss(loss: &Loss, placed: &[Placed<'_>], to: &Forward, output: ValueId) -> Result<(), ModelError> {
    let wrong = |problem: String| Err(ModelError::Loss { name: loss.name(), problem });
    loss.validate().or_else(|error| wrong(error.to_string()))?;
    let Some(last) = placed.last() else { return Ok(()) };
    if to.targets.is_some() && !loss.needs_rows() {
        return wrong(
            "expected a loss that takes rows of targets, which MixUp can mix, received class numbers; \
                      categorical_crossentropy takes one-hot rows"
                .into(),
        );
    }
    let (name, shape) = (&last.name, &last.output);
    if shape.axes().len() != 1 {
        return wrong(format!("expected one axis per sample, received the shape {shape} from {name:?}"));
    }
    if loss.needs_classes() && to.width(output) < 2 {
        return wrong(format!(
            "expected at least 2 outputs (one per class), received 1 from {name:?}; add units"
        ));
    }
    match last_activation(to, output) {
        Some((f @ (Activation::Softmax | Activation::Sigmoid), _)) if loss.takes_logits() => wrong(format!(
            "from_logits expects logits, received a {f}'s probabilities from {name:?}; remove the {f} or \
             from_logits",
        )),
        Some((Activation::Softmax, _)) if matches!(loss.rule, Rule::BinaryFocalCrossentropy(_)) => {
            wrong(format!(
                "expected each output's own probability, as a sigmoid gives it, received a softmax's \
                 probabilities from {name:?}; use sigmoid, or categorical_focal_crossentropy",
            ))
        }
        _ => Ok(()),
    }
}

/// What the loss is taken of: the output, or its softmax where the loss of probabilities has logits.
fn of_logits(to: &mut Forward, loss: &Loss, output: ValueId) -> ValueId {
    if !matches!(loss.rule, Rule::CategoricalFocalCrossentropy(_)) || !loss.takes_logits() {
        return output;
    }
    let out = add_value(to, "loss/softmax", to.width(output));
    to.push(Op::Softmax { x: output, out });
    out
}

/// Writes loss, accuracy and penalties; gives the value that the gradient is of, and the gradient.
fn score(
    to: &mut Forward,
    loss: Loss,
    prediction: ValueId,
    output: ValueId,
    training: bool,
) -> (ValueId, Option<ValueId>) {
    let undone = last_activation(to, output)
        .filter(|(f, _)| loss.undoes_activation() && matches!(f, Activation::Softmax | Activation::Sigmoid));
    let scored = match undone {
        Some((Activation::Softmax, logits)) if loss.is_categorical_crossentropy() => {
            to.ops.pop();
            categorical(to, loss, logits, output, training)
        }
        Some((_, logits)) if loss.is_categorical_crossentropy() => {
            let probabilities = add_value(to, "loss/probabilities", to.width(output));
            categorical(to, loss, logits, probabilities, training)
        }
        None if loss.is_categorical_crossentropy() && loss.takes_logits() => {
            let probabilities = add_value(to, "loss/probabilities", to.width(output));
            categorical(to, loss, output, probabilities, training)
        }
        Some((_, logits)) => elementwise(to, loss.of_logits(), logits, training),
        None => elementwise(to, loss, prediction, training),
    };
    to.push(Op::Accuracy { prediction: output });
    for index in 0..to.params.len() {
        if let Some(regularizer) = to.params[index].penalty() {
            to.push(Op::Penalty { param: ParamId(index), regularizer });
        }
    }
    scored
}

fn categorical(
    to: &mut Forward,
    loss: Loss,
    logits: ValueId,
    probabilities: ValueId,
    training: bool,
) -> (ValueId, Option<ValueId>) {
    let dlogits = training.then(|| add_value(to, "loss/gradient", to.width(logits)));
    to.push(Op::SoftmaxCrossentropy { loss, logits, probabilities, dlogits });
    (logits, dlogits)
}

fn elementwise(
    to: &mut Forward,
    loss: Loss,
    prediction: ValueId,
    training: bool,
) -> (ValueId, Option<ValueId>) {
    let sums = loss.is_of_batch().then(|| {
        let sums = add_value(to, "loss/sums", 3);
        to.push(Op::LossSums { prediction, sums });
        sums
    });
    let dprediction = training.then(|| add_value(to, "loss/gradient", to.width(prediction)));
    to.push(Op::Loss { loss, prediction, sums, dprediction });
    (prediction, dprediction)
}

fn add_value(to: &mut Forward, name: &str, width: usize) -> ValueId {
    to.values.push(Value { name: name.into(), width, layer: None, per_batch: false });
    ValueId(to.values.len() - 1)
}

/// Writes gradients and updates, last layer first: all gradients of values, then every variable's gradient
/// and its update. So an input gradient reads the kernel before it moves, and what follows the input
/// gradient can join it in one step.
fn backward(to: &mut Forward, forward: usize, value: ValueId, gradient: ValueId) {
    // The scoring ops may have taken the place of a softmax.
    let ops: Vec<Op> = to.ops[..forward.min(to.ops.len())].to_vec();
    let scored = to.ops.len();
    differentiate_all(to, &ops, value, gradient);
    let (moves, values): (Vec<Op>, Vec<Op>) = to.ops.drain(scored..).partition(|op| op.writes().is_empty());
    to.ops.extend(values.into_iter().chain(moves));
    activate_before_unpooling(to, &ops, scored);
}

fn differentiate_all(to: &mut Forward, ops: &[Op], value: ValueId, gradient: ValueId) {
    let is_trained = |op: &Op| op.params().into_iter().any(|param| to.trains(param));
    let Some(first) = ops.iter().position(is_trained) else { return };
    let (mut of, mut dy) = (value, gradient);
    for (index, op) in ops.iter().enumerate().skip(first).rev() {
        let watches = matches!(op, Op::ActivityPenalty { x, .. } if *x == of);
        if !watches && !op.writes().contains(&of) {
            continue;
        }
        let Some((x, dx)) = differentiate(to, op, dy, index > first) else { return };
        (of, dy) = (x, dx);
    }
}

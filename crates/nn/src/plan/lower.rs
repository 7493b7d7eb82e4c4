//! Description → ops: every layer writes its forward ops, then the loss, then the gradients.

use super::differentiate::differentiate;
use crate::error::ModelError;
use crate::losses::Loss;
use crate::ops::{Forward, Op, ParamId, Program, Value, ValueId};
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
/// A crossentropy that follows a softmax is taken of the softmax's logits, as Keras does on
/// TensorFlow (`keras/src/backend/tensorflow/nn.py`, `_get_logits`).
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
    }
    match purpose {
        Purpose::Predict => {}
        Purpose::Evaluate(loss) => {
            check_loss(loss, &placed, &to, output)?;
            score(&mut to, loss, output, false);
        }
        Purpose::Train(loss) => {
            check_loss(loss, &placed, &to, output)?;
            let forward = to.ops.len();
            let (value, gradient) = score(&mut to, loss, output, true);
            if let Some(gradient) = gradient {
                backward(&mut to, forward, value, gradient);
            }
        }
    }
    Ok(Program { values: to.values, params: to.params, ops: to.ops, output })
}

fn follows_softmax(to: &Forward, output: ValueId) -> bool {
    matches!(to.ops.last(), Some(Op::Softmax { out, .. }) if *out == output)
}

fn check_loss(loss: Loss, placed: &[Placed<'_>], to: &Forward, output: ValueId) -> Result<(), ModelError> {
    let wrong = |problem: String| Err(ModelError::Loss { name: loss.name(), problem });
    loss.validate().or_else(|error| wrong(error.to_string()))?;
    let Some(last) = placed.last() else { return Ok(()) };
    if last.output.axes().len() != 1 {
        let shape = &last.output;
        return wrong(format!(
            "expected one axis per sample, received the shape {shape} from {:?}",
            last.name
        ));
    }
    if loss.is_crossentropy() && to.width(output) < 2 {
        return wrong(format!(
            "expected at least 2 outputs (one per class), received 1 from {:?}; add units",
            last.name
        ));
    }
    if loss.takes_logits() && follows_softmax(to, output) {
        return wrong(format!(
            "from_logits expects logits, received a softmax's probabilities from {:?}; \
             remove the softmax or from_logits",
            last.name
        ));
    }
    Ok(())
}

/// Writes loss, accuracy and penalties; gives the value that the gradient is of, and the gradient.
fn score(to: &mut Forward, loss: Loss, output: ValueId, training: bool) -> (ValueId, Option<ValueId>) {
    let softmax = match to.ops.last() {
        Some(&Op::Softmax { x, out }) if out == output && loss.is_crossentropy() => {
            to.ops.pop();
            Some((x, out))
        }
        _ if loss.takes_logits() => {
            let probabilities = add_value(to, "loss/probabilities", output);
            Some((output, probabilities))
        }
        _ => None,
    };
    let (value, gradient) = match softmax {
        Some((logits, probabilities)) => {
            let dlogits = training.then(|| add_value(to, "loss/gradient", logits));
            let smoothing = loss.label_smoothing();
            to.push(Op::SoftmaxCrossentropy { smoothing, logits, probabilities, dlogits });
            (logits, dlogits)
        }
        None => {
            let dprediction = training.then(|| add_value(to, "loss/gradient", output));
            to.push(Op::Loss { loss, prediction: output, dprediction });
            (output, dprediction)
        }
    };
    to.push(Op::Accuracy { prediction: output });
    for index in 0..to.params.len() {
        if let Some(regularizer) = to.params[index].penalty() {
            to.push(Op::Penalty { param: ParamId(index), regularizer });
        }
    }
    (value, gradient)
}

fn add_value(to: &mut Forward, name: &str, like: ValueId) -> ValueId {
    to.values.push(Value { name: name.into(), width: to.width(like), layer: None, per_batch: false });
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
}

fn differentiate_all(to: &mut Forward, ops: &[Op], value: ValueId, gradient: ValueId) {
    let is_trained = |op: &Op| op.params().into_iter().any(|param| to.trains(param));
    let Some(first) = ops.iter().position(is_trained) else { return };
    let (mut of, mut dy) = (value, gradient);
    for (index, op) in ops.iter().enumerate().skip(first).rev() {
        if !op.writes().contains(&of) {
            continue;
        }
        let Some((x, dx)) = differentiate(to, op, dy, index > first) else { return };
        (of, dy) = (x, dx);
    }
}

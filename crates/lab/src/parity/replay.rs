//! A model and its oracle with the same first weights, and the weights of both afterwards.

use super::formula::kernel;
use seedbed_nn::error::ModelError;
use seedbed_nn::model::{Compile, Model};
use seedbed_nn::random::{Seed, Streams};
use seedbed_nn::sequential::Sequential;
use std::collections::BTreeMap;

/// The oracle in the precision of Keras's float64 runs.
pub type Oracle = seedbed_nn::plan::reference::Reference<f64>;

/// The values of every variable by name.
pub type Weights = BTreeMap<String, Vec<f64>>;

/// A model that starts with the formula's kernels, in both precisions.
///
/// # Errors
/// For a model that cannot be compiled.
pub fn start(model: &Sequential, compile: Compile) -> Result<(Model, Oracle), ModelError> {
    let mut model = model.compile(compile)?;
    let shapes: Vec<(String, Vec<usize>)> =
        model.params().iter().map(|param| (param.name.clone(), param.spec.shape.clone())).collect();
    let mut oracle = oracle(&model);
    let mut layer = 0;
    for (index, (name, shape)) in shapes.iter().enumerate() {
        if let [inputs, outputs] = shape[..] {
            let values = kernel(layer, inputs, outputs);
            model.set_weight(name, &values)?;
            oracle.weights[index] = widened(&values);
            layer += 1;
        }
    }
    Ok((model, oracle))
}

/// The oracle of a model.
pub(super) fn oracle(model: &Model) -> Oracle {
    Oracle::new(model.plan(), &Streams::new(Seed(0)))
}

/// The same numbers in 64 bits.
pub fn widened(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().map(|&x| f64::from(x)).collect()
}

/// The variables of a model by name, widened.
pub fn weights(model: &Model) -> Weights {
    let values = |name: &str| widened(&model.weight(name).unwrap_or_default());
    model.params().iter().map(|param| (param.name.clone(), values(&param.name))).collect()
}

/// The variables of an oracle by name.
pub fn oracle_weights(model: &Model, oracle: &Oracle) -> Weights {
    model.params().iter().map(|param| param.name.clone()).zip(oracle.weights.iter().cloned()).collect()
}

/// Refuses sizes that no record has: the memory they ask for is theirs to say.
pub(super) fn sensible(sizes: &[usize]) -> Result<(), String> {
    let product = sizes.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
    match product {
        Some(1..=10_000_000) => Ok(()),
        _ => Err(format!("sizes: expected a product of 1 to 10000000, received {sizes:?}")),
    }
}

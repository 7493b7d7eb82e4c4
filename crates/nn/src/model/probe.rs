//! Looks at a model from inside: what its layers give, and how each weight would have to move.

use super::Model;
use crate::error::ModelError;
use crate::examples::Examples;
use crate::ops::{Param, ParamId};
use crate::optimizers::{Optimizer, Sgd};
use crate::plan::Plan;
use crate::plan::run::{Epoch, look};
use crate::plan::workspace::Workspace;
use std::ops::ControlFlow;

/// What one layer gives.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerOutput {
    /// The layer's place in the model, from 0.
    pub layer: usize,
    /// How many numbers it gives per sample.
    pub width: usize,
    /// The numbers, `[samples, width]` row-major.
    pub values: Vec<f32>,
}

impl Model {
    /// What every layer gives in inference mode for the first 128 samples at most, in the model's order. Layers that compute nothing
    /// of their own then (Flatten, Dropout, or what the next step does along with its own work) are left out.
    ///
    /// # Errors
    /// Where the samples do not fit the model.
    pub fn layer_outputs(&self, examples: &Examples<'_>) -> Result<Vec<LayerOutput>, ModelError> {
        self.check(examples)?;
        let stage = &self.plan.predict;
        let mut outputs: Vec<LayerOutput> = Vec::new();
        look((&self.plan, stage), &self.state, examples, &mut |id, numbers, stride| {
            let value = &stage.program.values[id.0];
            let Some(layer) = value.layer.filter(|_| !value.per_batch) else { return };
            // A layer's values are in the order they are made: the last one is what it gives.
            outputs.retain(|output| output.layer != layer);
            let rows = numbers.chunks(stride).flat_map(|row| &row[..value.width]);
            outputs.push(LayerOutput { layer, width: value.width, values: rows.copied().collect() });
        });
        outputs.sort_by_key(|output| output.layer);
        Ok(outputs)
    }

    /// The gradient of the mean loss over these samples, weighed as they are, penalties included and dropout on, for every
    /// variable in the order of [`Model::params`], row-major; empty for one that is not trained. It is the loss's own: before
    /// any clipping, whatever the optimizer makes of it, and whatever a constraint allows. Nothing is changed.
    ///
    /// # Errors
    /// Where the samples do not fit the model.
    pub fn gradients(&self, examples: &Examples<'_>) -> Result<Vec<Vec<f32>>, ModelError> {
        self.check(examples)?;
        // A norm of all gradients must know them before a weight moves, so each is kept whole.
        let keeping = Optimizer::new(Sgd::default()).global_clipnorm(1.0);
        let threads = self.threads.get();
        let plan = Plan::new(&self.sequential, keeping, self.plan.loss, self.plan.simd, threads)?;
        let mut state = self.state.clone();
        let order: Vec<u32> = (0..examples.len() as u32).collect();
        let mut workspace = Workspace::new((&plan, &plan.train), examples.len(), examples, threads);
        let (streams, weights) = (&self.streams, examples.weights);
        let epoch = Epoch { plan: &plan, examples, weights, order: &order, streams, threads };
        epoch.train(&mut state, &mut workspace, &mut |_, _, _| ControlFlow::Continue(()));
        let gradient = |(index, param): (usize, &Param)| {
            if param.spec.trainable { workspace.gradient(&plan, ParamId(index)) } else { Vec::new() }
        };
        Ok(self.params().iter().enumerate().map(gradient).collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::constraints::{MaxNorm, NonNeg, UnitNorm};
    use crate::prelude::*;
    use std::num::NonZeroUsize;

    fn model(activation: Activation) -> Sequential {
        Sequential::new([6])
            .add(Dense::new(20).activation(activation).kernel_regularizer(Regularizer::l2(1e-3)))
            .add(Dropout::new(0.0))
            .add(Dense::new(3).activation(Activation::Softmax))
    }

    fn samples() -> Vec<f32> {
        (0..40 * 6).map(|i| ((i * 37 % 101) as f32 / 50.0) - 1.0).collect()
    }

    const LABELS: [u16; 40] = {
        let mut labels = [0; 40];
        let mut i = 0;
        while i < 40 {
            labels[i] = (i * i % 3) as u16;
            i += 1;
        }
        labels
    };

    fn compiled(activation: Activation, threads: usize) -> Model {
        let loss = "sparse_categorical_crossentropy".parse::<Loss>().unwrap();
        let threads = NonZeroUsize::new(threads).unwrap();
        model(activation).compile(Compile::new(Adam::default(), loss).seed(3).threads(threads)).unwrap()
    }

    /// Against products of the weights in double precision.
    #[test]
    fn layers_give_what_their_equations_say() {
        let inputs = samples();
        let examples = Examples::classes([6], &inputs, &LABELS).unwrap();
        let model = compiled(Activation::Relu, 1);
        let outputs = model.layer_outputs(&examples).unwrap();
        assert_eq!(
            outputs.iter().map(|output| (output.layer, output.width)).collect::<Vec<_>>(),
            [(0, 20), (2, 3)]
        );
        let (kernel, bias) = (model.weight("dense/kernel").unwrap(), model.weight("dense/bias").unwrap());
        for (sample, row) in inputs.chunks(6).zip(outputs[0].values.chunks(20)) {
            for (unit, &got) in row.iter().enumerate() {
                let products =
                    sample.iter().enumerate().map(|(i, &x)| f64::from(x) * f64::from(kernel[i * 20 + unit]));
                let expected = (products.sum::<f64>() + f64::from(bias[unit])).max(0.0);
                assert!((f64::from(got) - expected).abs() < 1e-6, "{got} is not {expected}");
            }
        }
        assert_eq!(outputs[1].values, model.predict(&examples).unwrap());
    }

    /// Against central differences of the loss, which must have no kinks for them.
    #[test]
    fn gradients_are_slopes_of_the_loss_and_change_nothing() {
        let inputs = samples();
        let examples = Examples::classes([6], &inputs, &LABELS).unwrap();
        let weights: Vec<f32> = (0..40).map(|i| (i % 4) as f32).collect();
        for (threads, examples) in
            [(1, examples.clone()), (2, examples.clone()), (1, examples.sample_weights(&weights).unwrap())]
        {
            let mut model = compiled(Activation::Tanh, threads);
            let before = model.weight("dense/kernel").unwrap();
            let gradients = model.gradients(&examples).unwrap();
            assert_eq!(model.weight("dense/kernel").unwrap(), before);
            for (name, gradient) in [("dense/kernel", &gradients[0]), ("dense_1/kernel", &gradients[2])] {
                let values = model.weight(name).unwrap();
                for at in [0, 7, 31] {
                    let mut loss = |shift: f32| {
                        let mut moved = values.clone();
                        moved[at] += shift;
                        model.set_weight(name, &moved).unwrap();
                        model.evaluate(&examples).unwrap().loss()
                    };
                    let slope = (loss(4e-3) - loss(-4e-3)) / 8e-3;
                    model.set_weight(name, &values).unwrap();
                    let got = f64::from(gradient[at]);
                    assert!(
                        (got - slope).abs() < 2e-4 + 0.01 * slope.abs(),
                        "{name}[{at}]: {got} is not {slope}"
                    );
                }
            }
        }
    }

    /// A constraint, and what the optimizer does with a gradient, do not change it.
    #[test]
    fn gradients_are_the_losss_whatever_becomes_of_them() {
        let inputs = samples();
        let examples = Examples::classes([6], &inputs, &LABELS).unwrap();
        let plain = compiled(Activation::Tanh, 1);
        let expected = plain.gradients(&examples).unwrap();
        let hidden = Dense::new(20)
            .activation(Activation::Tanh)
            .kernel_regularizer(Regularizer::l2(1e-3))
            .kernel_constraint(MaxNorm::new(0.01))
            .bias_constraint(NonNeg {});
        let constrained = Sequential::new([6])
            .add(hidden)
            .add(Dropout::new(0.0))
            .add(Dense::new(3).activation(Activation::Softmax).kernel_constraint(UnitNorm::default()));
        let adam = || Optimizer::new(Adam::default()).ema(0.9, None);
        for optimizer in [adam().clipvalue(1e-6), adam().clipnorm(1e-6).gradient_accumulation_steps(2)] {
            let compile = Compile::new(optimizer, SparseCategoricalCrossentropy::default().into()).seed(3);
            let model = constrained.compile(compile).unwrap();
            assert_eq!(model.gradients(&examples).unwrap(), expected);
        }
    }
}

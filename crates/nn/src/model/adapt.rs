//! Statistics that layers take from data before training.

use super::{Compile, Model};
use crate::error::ModelError;
use crate::examples::Examples;
use crate::layers::{Flatten, Layer};
use crate::losses::MeanSquaredError;
use crate::optimizers::Sgd;
use crate::sequential::Sequential;

/// How many samples go through the layers before at a time.
const CHUNK: usize = 1024;

impl Model {
    /// Sets mean and variance of every Normalization layer without given ones to those of what reaches it
    /// in inference mode, first layer first.
    ///
    /// The first fit does this with its samples where it was not done before and the statistics were not set.
    ///
    /// # Errors
    /// Where the samples do not fit the model.
    pub fn adapt(&mut self, examples: &Examples<'_>) -> Result<(), ModelError> {
        self.check(examples)?;
        let labels = vec![0; examples.len()];
        let inputs = examples.with_labels(&labels);
        for index in self.adapted_layers() {
            self.adapt_layer(index, &inputs)?;
        }
        self.is_adapted = true;
        Ok(())
    }

    /// The places of the layers that take statistics from data.
    pub(super) fn adapted_layers(&self) -> Vec<usize> {
        let layers = self.sequential.layers.iter().enumerate();
        let adapted = |layer: &Layer| matches!(layer, Layer::Normalization(layer) if layer.is_adapted());
        layers.filter(|(_, layer)| adapted(layer)).map(|(index, _)| index).collect()
    }

    fn adapt_layer(&mut self, index: usize, inputs: &Examples<'_>) -> Result<(), ModelError> {
        let before = self.before(index)?;
        let placed = self.sequential.placed()?;
        let (name, input) = (placed[index].name.clone(), placed[index].input.clone());
        let Layer::Normalization(layer) = &self.sequential.layers[index] else { return Ok(()) };
        let (places, channels) =
            layer.channels(&input).map_err(|problem| ModelError::Layer { layer: name.clone(), problem })?;
        let channel = channel_of(input.axes(), &places);
        let n = (inputs.len() * input.size() / channels) as f64;
        let total = |f: &dyn Fn(usize, f64) -> f64| -> Result<Vec<f64>, ModelError> {
            let mut sums = vec![0.0; channels];
            for from in (0..inputs.len()).step_by(CHUNK) {
                let numbers = before.predict(&inputs.slice(from, from + CHUNK))?;
                for (i, &x) in numbers.iter().enumerate() {
                    let c = channel[i % channel.len()];
                    sums[c] += f(c, f64::from(x));
                }
            }
            Ok(sums.into_iter().map(|sum| sum / n).collect())
        };
        let mean = total(&|_, x| x)?;
        let variance = total(&|c, x| (x - mean[c]).powi(2))?;
        for (role, statistic) in [("mean", mean), ("variance", variance)] {
            let numbers: Vec<f32> = statistic.into_iter().map(|x| x as f32).collect();
            self.set_weight(&format!("{name}/{role}"), &numbers)?;
        }
        Ok(())
    }

    /// The layers before one of them, with their weights, as a model.
    fn before(&self, index: usize) -> Result<Model, ModelError> {
        let mut layers = self.sequential.layers[..index].to_vec();
        layers.push(Flatten::new().name("adapted layer's input").into());
        let sequential = Sequential { input_shape: self.sequential.input_shape.clone(), layers };
        let compile = Compile::new(Sgd::default(), MeanSquaredError::default().into()).threads(self.threads);
        let mut model = sequential.compile(compile)?;
        let names: Vec<String> = model.params().iter().map(|param| param.name.clone()).collect();
        for (name, values) in names.iter().filter_map(|name| Some((name, self.weight(name)?))) {
            model.set_weight(name, &values)?;
        }
        Ok(model)
    }
}

/// The channel of every number of a sample: axes at `places` have their own, in order.
fn channel_of(shape: &[usize], places: &[usize]) -> Vec<usize> {
    let step = |axis: usize| -> usize {
        places.iter().filter(|&&place| place > axis).map(|&place| shape[place]).product()
    };
    shape.iter().enumerate().fold(vec![0], |channels, (axis, &length)| {
        let step = if places.contains(&axis) { step(axis) } else { 0 };
        channels.iter().flat_map(|&c| (0..length).map(move |i| c + i * step)).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    /// Statistics by hand: of each channel, of each column, and of all numbers.
    #[test]
    fn statistics_are_those_of_the_samples() {
        let inputs: Vec<f32> =
            (0..5000 * 6).map(|i| (i as f32 * 0.37).sin() * 3.0 + (i % 6) as f32).collect();
        let labels = vec![1; 5000];
        let examples = Examples::classes([3, 2], &inputs, &labels).unwrap();
        for (axis, count) in [(Axes::One(-1), 2), (Axes::One(1), 3), (Axes::Many(vec![]), 1)] {
            let layer = NormalizationLayer::new().axis(axis.clone());
            let model = Sequential::new([3, 2]).add(Rescaling::new(2.0, 0.0)).add(layer).add(Flatten::new());
            let mut model =
                model.compile(Compile::new(Sgd::default(), MeanSquaredError::default().into())).unwrap();
            model.adapt(&examples).unwrap();
            let channel = |i: usize| match count {
                2 => i % 2,
                3 => i % 6 / 2,
                _ => 0,
            };
            for c in 0..count {
                let own = inputs.iter().enumerate().filter(|(i, _)| channel(*i) == c);
                let own: Vec<f64> = own.map(|(_, &x)| 2.0 * f64::from(x)).collect();
                let mean = own.iter().sum::<f64>() / own.len() as f64;
                let variance = own.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / own.len() as f64;
                let found = |role| f64::from(model.weight(&format!("normalization/{role}")).unwrap()[c]);
                assert!((found("mean") - mean).abs() < 1e-5, "{axis:?}");
                assert!((found("variance") / variance - 1.0).abs() < 1e-5, "{axis:?}");
            }
            let outputs: Vec<f64> = model.predict(&examples).unwrap().into_iter().map(f64::from).collect();
            let square = outputs.iter().map(|x| x * x).sum::<f64>() / outputs.len() as f64;
            assert!((square - 1.0).abs() < 1e-4, "{axis:?}: {square}");
        }
    }

    #[test]
    fn the_first_fit_adapts_unless_that_was_done() {
        let inputs: Vec<f32> = (0..40).map(|i| i as f32).collect();
        let labels: Vec<u16> = (0..20).map(|i| i % 2).collect();
        let examples = Examples::classes([2], &inputs, &labels).unwrap();

        let model = || {
            let layers = Sequential::new([2]).add(NormalizationLayer::new()).add(Dense::new(2));
            layers
                .compile(Compile::new(
                    Sgd::default(),
                    Loss::from(SparseCategoricalCrossentropy { from_logits: true, ..Default::default() }),
                ))
                .unwrap()
        };
        let mean = |model: &Model| model.weight("normalization/mean").unwrap();
        let (mut fitted, mut set) = (model(), model());
        fitted.fit(&examples, Fit::new()).unwrap();
        assert_eq!(mean(&fitted), [19.0, 20.0]);
        fitted.fit(&examples.slice(0, 2), Fit::new()).unwrap();
        assert_eq!(mean(&fitted), [19.0, 20.0]);
        set.set_weight("normalization/mean", &[1.0, 2.0]).unwrap();
        set.fit(&examples, Fit::new()).unwrap();
        assert_eq!(mean(&set), [1.0, 2.0]);
    }
}

//! Why a trial learns or does not: what its layers give, how their weights move, layer by layer.
//!
//! A clone of the model looks at the same few training pictures before training and after each epoch: one forward pass and one
//! step of plain descent, which is cheap beside an epoch.

use crate::error::LabError;
use crate::record::{LayerDiagnostics, LayerState};
use seedbed_nn::callbacks::Training;
use seedbed_nn::examples::Examples;
use seedbed_nn::model::{LayerOutput, Model};

/// The fewest and the most pictures that are looked at.
const PICTURES: [usize; 2] = [16, 128];

/// One picture is looked at for this many that are trained on.
const ONE_OF: usize = 64;

/// Follows one trial.
pub(super) struct Diagnosis<'a> {
    model: Model,
    pictures: Examples<'a>,
    layers: Vec<Layer>,
}

/// A layer with trained variables.
struct Layer {
    /// Its place in the model.
    index: usize,
    /// How many units its outputs belong to: its last axis.
    units: usize,
    /// Its variables' places in the model.
    params: Vec<usize>,
    /// Its variables after the epoch before.
    weights: Vec<f32>,
    record: LayerDiagnostics,
}

impl<'a> Diagnosis<'a> {
    /// Begins with a model that is about to be trained on `train`, and looks at it for the first time.
    pub(super) fn begin(model: &Model, train: &Examples<'a>) -> Result<Self, LabError> {
        let summary = model.sequential().summary()?;
        let mut layers: Vec<Layer> = Vec::new();
        for (place, param) in model.params().iter().enumerate().filter(|(_, param)| param.spec.trainable) {
            match layers.iter_mut().find(|layer| layer.index == param.layer) {
                Some(layer) => layer.params.push(place),
                None => layers.push(Layer {
                    index: param.layer,
                    units: summary
                        .rows
                        .get(param.layer)
                        .and_then(|row| row.output_shape.axes().last().copied())
                        .unwrap_or(1),
                    params: vec![place],
                    weights: Vec::new(),
                    record: LayerDiagnostics {
                        layer: param
                            .name
                            .rsplit_once('/')
                            .map_or(param.name.as_str(), |(layer, _)| layer)
                            .to_owned(),
                        states: Vec::new(),
                    },
                }),
            }
        }
        let count = (train.len() / ONE_OF).clamp(PICTURES[0], PICTURES[1]);
        let mut diagnosis = Self { model: model.clone(), pictures: train.slice(0, count), layers };
        diagnosis.look()?;
        Ok(diagnosis)
    }

    /// Looks at the weights of a copy that a callback was given at the end of an epoch. What cannot be looked at is left out:
    /// a trial does not fail for it.
    pub(super) fn epoch(&mut self, copy: &[f32]) {
        self.model.restore(copy);
        let _ = self.look();
    }

    /// Goes on after an interruption: what was seen until then, and the weights as they were.
    pub(super) fn go_on(&mut self, seen: Vec<LayerDiagnostics>, copy: &[f32]) {
        self.model.restore(copy);
        for (layer, record) in self.layers.iter_mut().zip(seen) {
            let names = layer.params.iter().map(|&place| self.model.params()[place].name.as_str());
            layer.weights = names.filter_map(|name| self.model.weight(name)).flatten().collect();
            layer.record = record;
        }
    }

    /// What was seen so far.
    pub(super) fn so_far(&self) -> Vec<LayerDiagnostics> {
        self.layers.iter().map(|layer| layer.record.clone()).collect()
    }

    /// What was seen.
    pub(super) fn finish(self) -> Vec<LayerDiagnostics> {
        self.layers.into_iter().map(|layer| layer.record).collect()
    }

    fn look(&mut self) -> Result<(), LabError> {
        let outputs = self.model.layer_outputs(&self.pictures)?;
        let gradients = self.model.gradients(&self.pictures)?;
        for layer in &mut self.layers {
            let names = layer.params.iter().map(|&place| self.model.params()[place].name.as_str());
            let weights: Vec<f32> = names.filter_map(|name| self.model.weight(name)).flatten().collect();
            let gradient = layer.params.iter().flat_map(|&place| &gradients[place]).copied();
            let moved = layer.weights.iter().zip(&weights).map(|(before, after)| after - before);
            let given = outputs.iter().rfind(|output| output.layer == layer.index);
            let [mean, deviation, zeros, dead] =
                given.map_or([f64::NAN; 4], |given| activity(given, layer.units));
            layer.record.states.push(LayerState {
                mean: rounded(mean),
                deviation: rounded(deviation),
                zeros: rounded(zeros),
                dead: rounded(dead),
                weights: rounded(norm(weights.iter().copied())),
                gradient: rounded(norm(gradient)),
                update: rounded(norm(moved)),
            });
            layer.weights = weights;
        }
        Ok(())
    }
}

/// Mean, standard deviation, share of zeros, and share of units that give nothing but zeros.
fn activity(output: &LayerOutput, units: usize) -> [f64; 4] {
    let count = output.values.len().max(1) as f64;
    let mean = output.values.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
    let squares: f64 = output.values.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum();
    let zeros = output.values.iter().filter(|&&value| value == 0.0).count() as f64 / count;
    let mut silent = vec![true; units.max(1)];
    // The last axis runs fastest.
    for row in output.values.chunks(units.max(1)) {
        silent.iter_mut().zip(row).for_each(|(silent, &value)| *silent &= value == 0.0);
    }
    let dead = silent.iter().filter(|&&silent| silent).count() as f64 / silent.len() as f64;
    [mean, (squares / count).sqrt(), zeros, dead]
}

fn norm(values: impl Iterator<Item = f32>) -> f64 {
    values.map(|value| f64::from(value).powi(2)).sum::<f64>().sqrt()
}

/// Four digits, so that records stay small.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let power = 10f64.powf(3.0 - value.abs().log10().floor());
    if power.is_finite() && power > 0.0 { (value * power).round() / power } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prepared::Prepared;
    use crate::recipe::{DataRecipe, Recipe};
    use crate::record::TrialRecord;
    use crate::testing::rows;
    use crate::trial::run;
    use std::num::NonZeroUsize;

    fn trial(initializer: &str) -> TrialRecord {
        let text = format!(
            "input_shape = [4, 4]\nfit = {{ epochs = 3, batch_size = 8 }}\nlayers = [{{ class_name = 'Flatten' }}, \
             {{ class_name = 'Dense', units = 50, activation = 'relu', kernel_initializer = {initializer} }}, \
             {{ class_name = 'Dropout', rate = 0.2 }}, \
             {{ class_name = 'Dense', units = 3, activation = 'softmax', kernel_initializer = {initializer} }}]"
        );
        let recipe = Recipe::parse("m.toml", &text).unwrap();
        let dataset = rows();
        let data = Prepared::new(&dataset, &DataRecipe::default()).unwrap();
        run("m", &recipe, 1, &data, NonZeroUsize::MIN, &mut ()).unwrap().record
    }

    #[test]
    fn zeros_are_seen_to_be_dead() {
        let trial = trial("'zeros'");
        let hidden = &trial.diagnostics[0];
        assert_eq!((hidden.layer.as_str(), hidden.states.len()), ("dense", 4));
        for state in &hidden.states {
            assert_eq!(
                (state.dead, state.zeros, state.weights, state.gradient),
                (1.0, 1.0, 0.0, 0.0),
                "{state:?}"
            );
        }
        // The last layer's bias still learns how frequent the classes are.
        let last = trial.diagnostics[1].initial().unwrap();
        assert!(last.gradient > 0.0 && last.deviation < 1e-6, "{last:?}");
    }

    #[test]
    fn too_small_too_large_and_just_right_can_be_told_apart() {
        let state = |initializer: &str| trial(initializer).diagnostics[0].states[0];
        let right = state("'he_normal'");
        let small = state("{ name = 'random_normal', stddev = 1e-4 }");
        let large = state("{ name = 'random_normal', stddev = 10.0 }");
        assert!(small.deviation < 1e-2 * right.deviation && large.deviation > 10.0 * right.deviation);
        assert!((0.2..0.8).contains(&right.zeros) && right.dead < 0.5, "{right:?}");
        assert!(small.gradient < 1e-2 * right.gradient, "{small:?} {right:?}");
    }

    #[test]
    fn updates_are_what_the_weights_moved() {
        let trial = trial("'glorot_uniform'");
        for layer in &trial.diagnostics {
            assert_eq!(layer.states[0].update, 0.0);
            for pair in layer.states.windows(2) {
                let moved = (pair[1].weights - pair[0].weights).abs();
                assert!(
                    pair[1].update > 0.0 && pair[1].update >= 0.99 * moved,
                    "the triangle inequality: {pair:?}"
                );
            }
        }
    }

    #[test]
    fn digits_are_rounded() {
        assert_eq!([rounded(0.123_456), rounded(-98_765.4), rounded(0.0)], [0.1235, -98_770.0, 0.0]);
        assert!(rounded(f64::NAN).is_nan() && rounded(1e-320) > 0.0);
    }
}

//! A closer look at a trial's model: which test pictures it mistakes, and what became of its weights.

use super::Outcome;
use crate::error::LabError;
use crate::prepared::Prepared;
use crate::record::{Inspection, KernelPictures, LayerWeights, Mistake};
use seedbed_nn::losses::Loss;
use seedbed_nn::model::Model;

/// How many mistakes are kept.
const MISTAKES: usize = 40;

/// How many units' pictures are kept.
const PICTURES: usize = 64;

/// Looks at a trial's model: confusion matrix and mistakes on the test set, weights before and after.
///
/// # Errors
/// If the data do not fit the model.
pub fn inspect(outcome: &Outcome, data: &Prepared<'_>) -> Result<Inspection, LabError> {
    let mut outputs = outcome.model.predict(data.test())?;
    let classes = data.dataset().class_names.len();
    if from_logits(outcome.model.plan().loss) {
        outputs.chunks_exact_mut(classes).for_each(softmax);
    }
    let labels = &data.dataset().test.labels;
    let mut confusion = vec![vec![0; classes]; classes];
    let mut mistakes = Vec::new();
    for (index, (row, &label)) in outputs.chunks_exact(classes).zip(labels).enumerate() {
        let (label, predicted) = (usize::from(label), largest(row));
        confusion[label][predicted] += 1;
        if label != predicted {
            let probability = f64::from(row[predicted]).clamp(0.0, 1.0);
            mistakes.push(Mistake { index, label, predicted, probability, pixels: Vec::new() });
        }
    }
    let mistake_count = mistakes.len();
    mistakes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    mistakes.truncate(MISTAKES);
    for mistake in &mut mistakes {
        mistake.pixels = data.dataset().test.picture(mistake.index).to_vec();
    }
    let kernels = kernels(outcome);
    Ok(Inspection {
        seed: outcome.record.seed,
        confusion,
        mistake_count,
        mistakes,
        layers: kernels.iter().map(Kernel::spread).collect(),
        first_kernel: kernels.first().and_then(|kernel| kernel.pictures(data.dataset().test.picture_size())),
    })
}

fn from_logits(loss: Loss) -> bool {
    match loss {
        Loss::SparseCategoricalCrossentropy { from_logits } => from_logits,
        Loss::CategoricalCrossentropy { from_logits, .. } => from_logits,
        Loss::MeanSquaredError => false,
    }
}

/// Logits to probabilities.
fn softmax(row: &mut [f32]) {
    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    row.iter_mut().for_each(|value| *value = (*value - most).exp());
    let sum: f32 = row.iter().sum();
    row.iter_mut().for_each(|value| *value /= sum);
}

/// The first of the largest, as accuracy counts.
fn largest(row: &[f32]) -> usize {
    let mut best = 0;
    for (class, value) in row.iter().enumerate() {
        if *value > row[best] {
            best = class;
        }
    }
    best
}

/// A layer's kernel `[inputs, units]` before and after training.
struct Kernel<'a> {
    layer: &'a str,
    units: usize,
    before: &'a [f32],
    after: Vec<f32>,
}

fn kernels(outcome: &Outcome) -> Vec<Kernel<'_>> {
    let model: &Model = &outcome.model;
    let kernels = outcome.initial.iter().zip(model.params()).filter_map(|((name, before), param)| {
        let layer = name.strip_suffix("/kernel")?;
        Some(Kernel { layer, units: param.cols(), before, after: model.weight(name)? })
    });
    kernels.collect()
}

impl Kernel<'_> {
    fn spread(&self) -> LayerWeights {
        LayerWeights::of(self.layer, self.units, self.before, &self.after)
    }

    /// The first units' weights, where the layer sees the picture itself.
    fn pictures(&self, picture_size: usize) -> Option<KernelPictures> {
        if self.before.len() != picture_size * self.units {
            return None;
        }
        let units = self.units.min(PICTURES);
        let first = |weights: &[f32]| -> Vec<f32> {
            weights.chunks_exact(self.units).flat_map(|row| &row[..units]).copied().collect()
        };
        Some(KernelPictures {
            layer: self.layer.to_owned(),
            units,
            before: first(self.before),
            after: first(&self.after),
        })
    }
}

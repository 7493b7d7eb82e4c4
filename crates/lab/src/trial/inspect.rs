//! A closer look at a trial's model: which test pictures it mistakes, and what became of its weights.

use super::Outcome;
use crate::error::LabError;
use crate::prepared::Prepared;
use crate::record::{Inspection, KernelPictures, LayerWeights, Mistake};
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
    if outcome.model.plan().loss.takes_logits() {
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

/// Logits to probabilities.
fn softmax(row: &mut [f32]) {
    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    row.iter_mut().for_each(|value| *value = (*value - most).exp());
    let sum: f32 = row.iter().sum();
    row.iter_mut().for_each(|value| *value /= sum);
}

/// The first of the largest, as accuracy counts.
pub(crate) fn largest(row: &[f32]) -> usize {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{DataRecipe, Recipe};
    use crate::testing::rows;
    use crate::trial::run;
    use std::num::NonZeroUsize;

    fn inspection(last_layer: &str, loss: &str, units: usize) -> (Inspection, f64) {
        let text = format!(
            "input_shape = [4, 4]\nfit.epochs = 2\ncompile.loss = {loss}\nlayers = [{{ class_name = 'Flatten' }}, \
             {{ class_name = 'Dense', units = {units}, activation = 'relu' }}, \
             {{ class_name = 'Dense', units = 3, activation = '{last_layer}' }}]"
        );
        let recipe = Recipe::parse("m.toml", &text).unwrap();
        let dataset = rows();
        let data = Prepared::new(&dataset, &DataRecipe::default()).unwrap();
        let outcome = run("m", &recipe, 1, &data, NonZeroUsize::MIN, &mut ()).unwrap();
        (inspect(&outcome, &data).unwrap(), outcome.record.test_accuracy().unwrap())
    }

    #[test]
    fn confusion_and_mistakes_agree_with_the_accuracy() {
        for (last, loss) in [
            ("softmax", "'sparse_categorical_crossentropy'"),
            ("linear", "{ name = 'sparse_categorical_crossentropy', from_logits = true }"),
            ("linear", "'mean_squared_error'"),
        ] {
            let (look, accuracy) = inspection(last, loss, 4);
            let right: u64 = (0..3).map(|class| look.confusion[class][class]).sum();
            assert_eq!(right as f64 / 30.0, accuracy, "{loss}");
            assert_eq!(look.confusion.iter().flatten().sum::<u64>(), 30);
            assert_eq!((right as usize + look.mistake_count, look.mistakes.len()), (30, look.mistake_count));
            assert!(look.mistake_count > 0, "nothing to look at");
            for pair in look.mistakes.windows(2) {
                assert!(pair[0].probability >= pair[1].probability);
            }
            for mistake in &look.mistakes {
                let test = rows().test;
                assert_eq!(mistake.label, usize::from(test.labels[mistake.index]));
                assert_eq!(mistake.pixels, test.picture(mistake.index));
                assert_ne!(mistake.label, mistake.predicted);
                // The largest of three probabilities.
                let least = if loss.contains("mean") { 0.0 } else { 1.0 / 3.0 };
                assert!((least..=1.0).contains(&mistake.probability), "{}", mistake.probability);
            }
        }
    }

    #[test]
    fn weights_are_looked_at_before_and_after() {
        let (look, _) = inspection("softmax", "'sparse_categorical_crossentropy'", 70);
        let shapes: Vec<_> = look.layers.iter().map(|layer| (layer.layer.as_str(), layer.shape)).collect();
        assert_eq!(shapes, [("dense", [16, 70]), ("dense_1", [70, 3])]);
        assert_ne!(look.layers[0].before, look.layers[0].after);
        let first = look.first_kernel.unwrap();
        assert_eq!((first.units, first.before.len(), first.after.len()), (64, 16 * 64, 16 * 64));
        assert_ne!(first.before, first.after);
    }

    #[test]
    fn a_kernel_that_does_not_see_the_picture_has_no_pictures() {
        let kernel = Kernel { layer: "dense", units: 2, before: &[1.0, 2.0, 3.0, 4.0], after: vec![5.0; 4] };
        assert!(kernel.pictures(3).is_none());
        let pictures = kernel.pictures(2).unwrap();
        assert_eq!((pictures.units, pictures.before), (2, vec![1.0, 2.0, 3.0, 4.0]));
    }

    #[test]
    fn softmax_by_hand() {
        let mut row = [1000.0, 1000.0 + 2.0_f32.ln(), f32::NEG_INFINITY];
        softmax(&mut row);
        assert!((row[0] - 1.0 / 3.0).abs() < 1e-4 && (row[1] - 2.0 / 3.0).abs() < 1e-4 && row[2] == 0.0);
        assert_eq!(largest(&[0.5, 0.7, 0.7]), 1);
    }
}

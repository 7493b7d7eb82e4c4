//! evaluate and predict.

use super::{Model, outputs};
use crate::error::ModelError;
use crate::examples::Examples;
use crate::history::Logs;
use crate::kernels::score::arg_max;
use crate::losses::Target;
use crate::metrics::Metrics;
use crate::plan::Stage;
use crate::plan::run::{BatchScore, INFERENCE_BATCH, Score, infer};
use std::sync::Mutex;

impl Model {
    /// Loss, accuracy and every metric by name, in inference mode: Keras's `evaluate` with `return_dict`.
    ///
    /// # Errors
    /// Where the samples do not fit the model.
    pub fn measured(&self, examples: &Examples<'_>) -> Result<Logs, ModelError> {
        let mut logs = Logs::default();
        let (score, all) = self.scored(examples, !self.metrics.is_empty())?;
        logs.push("", score.loss(), score.accuracy());
        let mut metrics = Metrics::new(&self.metrics, outputs(&self.plan));
        let width = outputs(&self.plan).width;
        for (sample, row) in all.chunks(width).enumerate() {
            metrics.add(examples.target(sample, width), row);
        }
        metrics.results().for_each(|(name, value)| logs.add(name.to_owned(), value));
        Ok(logs)
    }

    /// Loss (with penalties) and accuracy in inference mode.
    ///
    /// # Errors
    /// Where the samples do not fit the model.
    pub fn evaluate(&self, examples: &Examples<'_>) -> Result<Score, ModelError> {
        self.scored(examples, false).map(|(score, _)| score)
    }

    /// The score, and where wanted all outputs.
    fn scored(&self, examples: &Examples<'_>, outputs: bool) -> Result<(Score, Vec<f32>), ModelError> {
        self.check(examples)?;
        let batches = Mutex::new(vec![None; examples.len().div_ceil(INFERENCE_BATCH)]);
        let all = AllOutputs::new(if outputs { examples.len() } else { 0 }, self.plan.predict.outputs());
        self.infer(&self.plan.evaluate, examples, &|first, score, rows| {
            let mut batches = batches.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            batches[first / INFERENCE_BATCH] = Some(score);
            if outputs {
                all.put(first, score.samples, rows);
            }
        });
        let batches = batches.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut total = Score::default();
        batches.into_iter().flatten().for_each(|batch| total.add(batch));
        Ok((total, all.into_rows()))
    }

    /// How often each class (row) was taken for each class (column), in inference mode.
    ///
    /// # Errors
    /// Where the samples do not fit the model.
    pub fn confusion_matrix(&self, examples: &Examples<'_>) -> Result<Vec<Vec<usize>>, ModelError> {
        let width = self.plan.predict.outputs();
        let classes = width.max(2);
        let mut counts = vec![vec![0; classes]; classes];
        for (sample, row) in self.predict(examples)?.chunks(width).enumerate() {
            let class_of = |row: &[f32]| match row {
                [p] => usize::from(*p > 0.5),
                row => arg_max(row),
            };
            let right = match examples.target(sample, width) {
                Target::Class(class) => class,
                Target::Row(row) => class_of(row),
            };
            // A class that the loss ignores may have no row.
            if let Some(row_of) = counts.get_mut(right) {
                row_of[class_of(row)] += 1;
            }
        }
        Ok(counts)
    }

    /// What the last layer gives, `[samples, outputs]` row-major.
    ///
    /// # Errors
    /// Where the samples do not fit the model.
    pub fn predict(&self, examples: &Examples<'_>) -> Result<Vec<f32>, ModelError> {
        self.check(examples)?;
        let all = AllOutputs::new(examples.len(), self.plan.predict.outputs());
        self.infer(&self.plan.predict, examples, &|first, score, rows| all.put(first, score.samples, rows));
        Ok(all.into_rows())
    }

    fn infer(
        &self,
        stage: &Stage,
        examples: &Examples<'_>,
        each: &(dyn Fn(usize, BatchScore, &[f32]) + Sync),
    ) {
        infer((&self.plan, stage), &self.state, examples, self.threads.get(), each);
    }
}

/// The outputs of all samples, as threads find them.
struct AllOutputs {
    width: usize,
    rows: Mutex<Vec<f32>>,
}

impl AllOutputs {
    fn new(samples: usize, width: usize) -> Self {
        Self { width, rows: Mutex::new(vec![0.0; samples * width]) }
    }

    /// Keeps the outputs of samples from `first` on, whose rows are padded.
    fn put(&self, first: usize, samples: usize, padded: &[f32]) {
        let stride = padded.len() / samples;
        let mut rows = self.rows.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let to = &mut rows[first * self.width..(first + samples) * self.width];
        for (to, row) in to.chunks_exact_mut(self.width).zip(padded.chunks(stride)) {
            to.copy_from_slice(&row[..self.width]);
        }
    }

    fn into_rows(self) -> Vec<f32> {
        self.rows.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    /// Inputs that are mostly 0 stand in lists, outputs never do.
    #[test]
    fn a_model_that_changes_nothing_gives_its_inputs() {
        let inputs: Vec<f32> = (0..40 * 64).map(|i| if i % 13 == 0 { i as f32 } else { 0.0 }).collect();
        let examples = Examples::rows([8, 8], &inputs, 64, &inputs).unwrap();
        assert!(examples.lists().is_some());
        let model = Sequential::new([8, 8]).add(Flatten::new()).add(Dropout::new(0.5));
        let model = model.compile(Compile::new(Sgd::default(), MeanSquaredError::default().into())).unwrap();
        assert_eq!(model.predict(&examples).unwrap(), inputs);
        assert_eq!(model.evaluate(&examples).unwrap().loss(), 0.0);
    }
}

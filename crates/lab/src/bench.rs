//! The work that is timed against other programs: the lesson's model and a few like it, with starting weights that
//! every program can make by the same formula.
//!
//! The formula (SplitMix64, Steele et al. 2014) and the rules of the comparison are in `benches/peers/README.md`.

use crate::error::LabError;
use crate::prepared::Prepared;
use crate::recipe::DataRecipe;
use seedbed_data::Dataset;
use seedbed_nn::activations::Activation;
use seedbed_nn::examples::Normalization;
use seedbed_nn::initializers::fans;
use seedbed_nn::layers::{Conv2D, Dense, Dropout, Flatten, MaxPooling2D};
use seedbed_nn::losses::SparseCategoricalCrossentropy;
use seedbed_nn::model::{Compile, Fit, Model};
use seedbed_nn::optimizers::{Adam, Optimizer};
use seedbed_nn::regularizers::Regularizer;
use seedbed_nn::sequential::Sequential;
use serde::Serialize;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// The lesson's model 1: 784-128-10, batch 32.
    Lesson,
    /// Several seeds of it, one model per core.
    Study,
    /// 784-1024-1024-1024-10 with dropout 0.5, batch 128.
    Wide,
    /// The lesson's model on standardised pictures, of which no number is zero.
    Dense,
    /// Scoring all training pictures.
    Evaluate,
    /// Two convolutions with pooling, dropout 0.5 and a dense layer, batch 128.
    Conv,
}

impl Work {
    /// The units of the dense layers before the last.
    fn hidden(self) -> &'static [usize] {
        match self {
            Self::Wide => &[1024, 1024, 1024],
            _ => &[128],
        }
    }

    fn batch_size(self) -> usize {
        if matches!(self, Self::Wide | Self::Conv) { 128 } else { 32 }
    }
}

/// How the work is done.
#[derive(Clone, Debug)]
pub struct Bench {
    /// What is timed.
    pub work: Work,
    /// How often all pictures are seen.
    pub epochs: usize,
    /// How many threads: of one run, or for a study of as many runs at a time.
    pub threads: NonZeroUsize,
    /// How many models a study trains.
    pub seeds: u64,
    /// Pictures in their order and no dropout, so that programs can be compared batch by batch.
    pub check: bool,
    /// How the weights move; Adam in the comparisons.
    pub optimizer: Optimizer,
    /// The penalty on every kernel; 0 for none.
    pub l2: f64,
    /// Dropout before the last layer, instead of the work's own.
    pub dropout: Option<f64>,
    /// How many training pictures.
    pub samples: usize,
    /// The units of the dense layers before the last, instead of the work's own.
    pub hidden: Option<Vec<usize>>,
    /// How many pictures an update sees, instead of the work's own.
    pub batch_size: Option<usize>,
}

/// One epoch of the work.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Lap {
    /// From 1.
    pub epoch: usize,
    /// Shuffling, gathering, training and metrics; for a study an even share of the whole.
    pub seconds: f64,
    /// Mean loss while the weights moved; of the first seed's model.
    pub loss: f64,
    /// The same of the accuracy.
    pub accuracy: f64,
}

impl Default for Bench {
    fn default() -> Self {
        Self {
            work: Work::Lesson,
            epochs: 1,
            threads: NonZeroUsize::MIN,
            seeds: 1,
            check: false,
            optimizer: Optimizer::new(Adam::default()),
            l2: 0.0,
            dropout: None,
            samples: usize::MAX,
            hidden: None,
            batch_size: None,
        }
    }
}

impl Bench {
    /// Does the work; `lap` hears of every epoch.
    ///
    /// # Errors
    /// Where the dataset's pictures are not 28×28 in ten classes, or an option is impossible.
    pub fn run(&self, dataset: &Dataset, lap: &mut dyn FnMut(Lap)) -> Result<(), LabError> {
        let normalization =
            if self.work == Work::Dense { Normalization::Standard } else { Normalization::Unit };
        let train_size = Some(self.samples.min(dataset.train.count));
        let data =
            Prepared::new(dataset, &DataRecipe { normalization, train_size, ..DataRecipe::default() })?;
        let model = self.model(0, self.threads)?;
        data.check(&model)?;
        match self.work {
            Work::Study => self.study(&data, lap),
            Work::Evaluate => Self::evaluate(&model, self.epochs, &data, lap),
            _ => self.fit(model, &data, lap),
        }
    }

    fn model(&self, seed: u64, threads: NonZeroUsize) -> Result<Model, LabError> {
        let description = if self.work == Work::Conv { self.convolutions() } else { self.dense_layers() };
        let loss = SparseCategoricalCrossentropy::default().into();
        let mut model =
            description.compile(Compile::new(self.optimizer.clone(), loss).seed(seed).threads(threads))?;
        let kernels = model.params().iter().filter(|param| param.name.ends_with("/kernel"));
        let starts: Vec<(String, Vec<f32>)> = (0..)
            .zip(kernels)
            .map(|(layer, param)| (param.name.clone(), kernel(layer, &param.spec.shape)))
            .collect();
        for (name, values) in starts {
            model.set_weight(&name, &values)?;
        }
        Ok(model)
    }

    /// The rate asked for, or where none is, the work's own; none where programs are compared batch by batch.
    fn dropout_rate(&self) -> f64 {
        let own = if matches!(self.work, Work::Wide | Work::Conv) && !self.check { 0.5 } else { 0.0 };
        self.dropout.unwrap_or(own)
    }

    fn dense_layers(&self) -> Sequential {
        let dropout = self.dropout_rate();
        let dense = |units, activation| {
            let dense = Dense::new(units).activation(activation);
            if self.l2 > 0.0 { dense.kernel_regularizer(Regularizer::l2(self.l2)) } else { dense }
        };
        let mut description = Sequential::new([28, 28]).add(Flatten::new());
        for &units in self.hidden.as_deref().unwrap_or(self.work.hidden()) {
            description = description.add(dense(units, Activation::Relu));
            if dropout > 0.0 {
                description = description.add(Dropout::new(dropout));
            }
        }
        description.add(dense(10, Activation::Softmax))
    }

    fn convolutions(&self) -> Sequential {
        let conv = |filters| Conv2D::new(filters, 3).activation(Activation::Relu);
        Sequential::new([28, 28, 1])
            .add(conv(32))
            .add(MaxPooling2D::new(2))
            .add(conv(64))
            .add(MaxPooling2D::new(2))
            .add(Flatten::new())
            .add(Dropout::new(self.dropout_rate()))
            .add(Dense::new(10).activation(Activation::Softmax))
    }

    fn fit(&self, mut model: Model, data: &Prepared<'_>, lap: &mut dyn FnMut(Lap)) -> Result<(), LabError> {
        for epoch in 1..=self.epochs {
            let start = Instant::now();
            let (loss, accuracy) = self.epoch(&mut model, data)?;
            lap(Lap { epoch, seconds: start.elapsed().as_secs_f64(), loss, accuracy });
        }
        Ok(())
    }

    fn epoch(&self, model: &mut Model, data: &Prepared<'_>) -> Result<(f64, f64), LabError> {
        let history = model.fit(
            data.train(),
            Fit::new().batch_size(self.batch_size.unwrap_or(self.work.batch_size())).shuffle(!self.check),
        )?;
        let first = |name| history.get(name).and_then(|values| values.first()).copied().unwrap_or(f64::NAN);
        Ok((first("loss"), first("accuracy")))
    }

    /// Every thread takes the next model until none is left.
    fn study(&self, data: &Prepared<'_>, lap: &mut dyn FnMut(Lap)) -> Result<(), LabError> {
        let start = Instant::now();
        let next = AtomicUsize::new(0);
        let first = Mutex::new(Ok(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..self.threads.get() {
                scope.spawn(|| {
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed) as u64;
                        if seed >= self.seeds {
                            break;
                        }
                        let scores = self.trial(seed, data);
                        if seed == 0 || scores.is_err() {
                            *first.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = scores;
                        }
                    }
                });
            }
        });
        let seconds = start.elapsed().as_secs_f64() / self.epochs as f64;
        let scores = first.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())?;
        for (epoch, (loss, accuracy)) in (1..).zip(scores) {
            lap(Lap { epoch, seconds, loss, accuracy });
        }
        Ok(())
    }

    fn trial(&self, seed: u64, data: &Prepared<'_>) -> Result<Vec<(f64, f64)>, LabError> {
        let mut model = self.model(seed, NonZeroUsize::MIN)?;
        (0..self.epochs).map(|_| self.epoch(&mut model, data)).collect()
    }

    fn evaluate(
        model: &Model,
        epochs: usize,
        data: &Prepared<'_>,
        lap: &mut dyn FnMut(Lap),
    ) -> Result<(), LabError> {
        for epoch in 1..=epochs {
            let start = Instant::now();
            let score = model.evaluate(data.train())?;
            let (loss, accuracy) = (score.loss(), score.accuracy());
            lap(Lap { epoch, seconds: start.elapsed().as_secs_f64(), loss, accuracy });
        }
        Ok(())
    }
}

/// The starting kernel of layer `layer`: uniform in ±√(6 / (fan_in + fan_out)).
fn kernel(layer: u64, shape: &[usize]) -> Vec<f32> {
    let (fan_in, fan_out) = fans(shape);
    let limit = (6.0 / (fan_in + fan_out)).sqrt();
    let unit = |i: usize| (split_mix(((100 + layer) << 32) + i as u64) >> 40) as f64 / 16_777_216.0;
    (0..shape.iter().product()).map(|i| ((2.0 * unit(i) - 1.0) * limit) as f32).collect()
}

fn split_mix(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of SplitMix64 seeded with 0, as published with the generator.
    #[test]
    fn split_mix_is_split_mix() {
        assert_eq!(split_mix(0), 0xE220_A839_7B1D_CDAF);
        assert_eq!(split_mix(0x9E37_79B9_7F4A_7C15), 0x6E78_9E6A_A1B9_65F4);
    }

    #[test]
    fn kernels_stay_in_their_limits() {
        let kernel = kernel(0, &[784, 128]);
        let limit = (6.0_f32 / 912.0).sqrt();
        assert!(kernel.iter().all(|w| w.abs() <= limit));
        assert!(kernel.iter().any(|w| w.abs() > 0.99 * limit));
    }
}

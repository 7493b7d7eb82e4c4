//! F1 and F-beta score: per class `(1 + beta²)·p·r / (beta²·p + r)` of precision p and recall r, then averaged.
//!
//! Without a threshold the largest outputs of a sample are its finds (unless they are 0). `micro` counts all
//! classes together, `macro` takes the mean over classes, `weighted` the mean weighted by how often each class
//! is right. Divisors have 1e-7 added, as in Keras. Source: Keras `keras/src/metrics/f_score_metrics.py`; its default
//! gives one number per class, which a history of numbers cannot hold: here the default is `macro`.

use super::{Accumulator, MetricRule, Outputs};
use crate::config::{InvalidParameter, Value, require};
use crate::losses::{EPSILON, Target};
use serde::Deserialize;

/// How the classes' scores become one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Average {
    /// All classes are counted together.
    Micro,
    /// The mean over classes.
    #[default]
    Macro,
    /// The mean weighted by how often each class is right.
    Weighted,
}

impl Average {
    fn name(self) -> &'static str {
        match self {
            Self::Micro => "micro",
            Self::Macro => "macro",
            Self::Weighted => "weighted",
        }
    }
}

/// Harmonic mean of precision and recall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct F1Score {
    /// How the classes' scores become one number; `macro`.
    pub average: Average,
    /// Above which an output is a find, from 0 to 1; none: the largest is.
    pub threshold: Option<f64>,
}

impl F1Score {
    fn as_fbeta(self) -> FbetaScore {
        FbetaScore { beta: 1.0, average: self.average, threshold: self.threshold }
    }
}

impl MetricRule for F1Score {
    const NAME: &'static str = "f1_score";

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![("average", self.average.name().into()), ("threshold", self.threshold.into())]
    }

    fn validate(&self) -> Result<(), InvalidParameter> {
        check_threshold(Self::NAME, self.threshold)
    }

    fn check(&self, outputs: Outputs) -> Result<(), String> {
        self.as_fbeta().check(outputs)
    }

    fn start(&self, outputs: Outputs) -> Box<dyn Accumulator + Send> {
        self.as_fbeta().start(outputs)
    }
}

/// The same with recall `beta` times as important as precision.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FbetaScore {
    /// How important recall is: finite, > 0; 1.
    pub beta: f64,
    /// How the classes' scores become one number; `macro`.
    pub average: Average,
    /// Above which an output is a find, from 0 to 1; none: the largest is.
    pub threshold: Option<f64>,
}

impl Default for FbetaScore {
    fn default() -> Self {
        F1Score::default().as_fbeta()
    }
}

fn check_threshold(name: &'static str, threshold: Option<f64>) -> Result<(), InvalidParameter> {
    let threshold = threshold.unwrap_or(0.5);
    require((0.0..=1.0).contains(&threshold), name, "threshold", "from 0 to 1", threshold)
}

impl MetricRule for FbetaScore {
    const NAME: &'static str = "fbeta_score";

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        let [average, threshold] =
            [("average", self.average.name().into()), ("threshold", self.threshold.into())];
        vec![("beta", self.beta.into()), average, threshold]
    }

    fn validate(&self) -> Result<(), InvalidParameter> {
        let ok = self.beta.is_finite() && self.beta > 0.0;
        require(ok, Self::NAME, "beta", "a finite number > 0", self.beta)?;
        check_threshold(Self::NAME, self.threshold)
    }

    fn check(&self, outputs: Outputs) -> Result<(), String> {
        // The largest of one output is always that output.
        if self.threshold.is_none() { outputs.need_classes() } else { Ok(()) }
    }

    fn start(&self, outputs: Outputs) -> Box<dyn Accumulator + Send> {
        Box::new(Scores { metric: *self, counts: vec![[0.0; 3]; outputs.width] })
    }
}

struct Scores {
    metric: FbetaScore,
    /// True positives, false positives and false negatives of every class.
    counts: Vec<[f64; 3]>,
}

impl Scores {
    fn score(&self, [right, wrong, missed]: [f64; 3]) -> f64 {
        let square = self.metric.beta * self.metric.beta;
        let precision = right / (right + wrong + EPSILON);
        let recall = right / (right + missed + EPSILON);
        precision * recall / (square * precision + recall + EPSILON) * (1.0 + square)
    }
}

impl Accumulator for Scores {
    fn add(&mut self, target: Target<'_, f32>, prediction: &[f32]) {
        let most = prediction.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        for (i, (&p, counts)) in prediction.iter().zip(&mut self.counts).enumerate() {
            let found = match self.metric.threshold {
                Some(threshold) => p > threshold as f32,
                None => p >= most && p.abs() > 1e-9,
            };
            let (found, right) = (f64::from(u8::from(found)), f64::from(target.at(i)));
            let found = [found * right, found * (1.0 - right), (1.0 - found) * right];
            *counts = std::array::from_fn(|kind| counts[kind] + found[kind]);
        }
    }

    fn result(&self) -> f64 {
        let total =
            self.counts.iter().fold([0.0; 3], |sum, counts| std::array::from_fn(|i| sum[i] + counts[i]));
        let scores = self.counts.iter().map(|&counts| (self.score(counts), counts[0] + counts[2]));
        match self.metric.average {
            Average::Micro => self.score(total),
            Average::Macro => scores.map(|(score, _)| score).sum::<f64>() / self.counts.len() as f64,
            Average::Weighted => {
                let all = total[0] + total[2] + EPSILON;
                scores.map(|(score, weight)| score * (weight / all)).sum()
            }
        }
    }

    fn reset(&mut self) {
        self.counts.fill([0.0; 3]);
    }
}

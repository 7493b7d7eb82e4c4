//! Precision and recall, over all outputs together: an output above the threshold is a find.
//!
//! With true positives TP, false positives FP and false negatives FN, precision is `TP/(TP + FP)` and recall
//! `TP/(TP + FN)`, 0 where nothing was found or nothing was to be found. With `top_k` the k largest outputs are
//! the finds, whatever their size, unless a threshold is given too. Source: Keras
//! `keras/src/metrics/confusion_metrics.py`, `keras/src/metrics/metrics_utils.py`.

use super::top_k::check_k;
use super::{Accumulator, MetricRule, Outputs, share};
use crate::config::{InvalidParameter, Value, require};
use crate::losses::Target;
use serde::Deserialize;

macro_rules! positives {
    ($(#[$doc:meta])* $metric:ident, $name:literal, $result:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $metric {
            /// Above which an output is a find, from 0 to 1; 0.5, or any with `top_k`.
            pub threshold: Option<f64>,
            /// How many outputs per sample are finds at most, from 1 to their number; all.
            pub top_k: Option<i64>,
            /// The only output that counts; all.
            pub class_id: Option<i64>,
        }

        impl MetricRule for $metric {
            const NAME: &'static str = $name;

            fn parameters(&self) -> Vec<(&'static str, Value)> {
                vec![
                    ("threshold", self.threshold.into()),
                    ("top_k", self.top_k.into()),
                    ("class_id", self.class_id.into()),
                ]
            }

            fn validate(&self) -> Result<(), InvalidParameter> {
                let threshold = self.threshold.unwrap_or(0.5);
                require((0.0..=1.0).contains(&threshold), Self::NAME, "threshold", "from 0 to 1", threshold)?;
                for (parameter, value, least) in [("top_k", self.top_k, 1), ("class_id", self.class_id, 0)] {
                    let value = value.unwrap_or(least);
                    require(value >= least, Self::NAME, parameter, "a whole number, and top_k > 0", value)?;
                }
                Ok(())
            }

            fn check(&self, outputs: Outputs) -> Result<(), String> {
                self.top_k.map_or(Ok(()), |k| check_k(k, outputs))?;
                check_class(self.class_id, outputs)
            }

            fn start(&self, outputs: Outputs) -> Box<dyn Accumulator + Send> {
                let default = if self.top_k.is_some() { f64::NEG_INFINITY } else { 0.5 };
                Box::new(Positives {
                    threshold: self.threshold.unwrap_or(default) as f32,
                    top_k: self.top_k.and_then(|k| usize::try_from(k).ok()),
                    class: self.class_id.and_then(|class| usize::try_from(class).ok()),
                    ranks: Vec::with_capacity(outputs.width),
                    counts: Counts::default(),
                    of: $result,
                })
            }
        }
    };
}

positives!(
    /// Share of what was found that is right.
    Precision,
    "precision",
    |counts| share(counts.right, counts.right + counts.wrong)
);
positives!(
    /// Share of what is right that was found.
    Recall,
    "recall",
    |counts| share(counts.right, counts.right + counts.missed)
);

fn check_class(class: Option<i64>, outputs: Outputs) -> Result<(), String> {
    match class {
        Some(class) if !usize::try_from(class).is_ok_and(|class| class < outputs.width) => Err(format!(
            "class_id: expected 0 to {} (the model has {} outputs), received {class}",
            outputs.width - 1,
            outputs.width
        )),
        _ => Ok(()),
    }
}

/// True positives, false positives, false negatives.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    right: f64,
    wrong: f64,
    missed: f64,
}

struct Positives {
    threshold: f32,
    top_k: Option<usize>,
    class: Option<usize>,
    /// Room for the outputs' places by size.
    ranks: Vec<usize>,
    counts: Counts,
    of: fn(Counts) -> f64,
}

impl Positives {
    /// Puts the places of the k largest outputs in front; of equal ones the first.
    fn rank(&mut self, prediction: &[f32]) {
        self.ranks.clear();
        self.ranks.extend(0..prediction.len());
        self.ranks.sort_unstable_by(|&a, &b| prediction[b].total_cmp(&prediction[a]).then(a.cmp(&b)));
    }
}

impl Accumulator for Positives {
    fn add(&mut self, target: Target<'_, f32>, prediction: &[f32]) {
        if self.top_k.is_some() {
            self.rank(prediction);
        }
        for (i, &p) in prediction.iter().enumerate() {
            if self.class.is_some_and(|class| class != i) {
                continue;
            }
            let in_top = self.top_k.is_none_or(|k| self.ranks[..k].contains(&i));
            // Keras sinks the others to −10¹⁰, below every threshold but the open one.
            let found = p > self.threshold && in_top;
            match (found, target.at(i) != 0.0) {
                (true, true) => self.counts.right += 1.0,
                (true, false) => self.counts.wrong += 1.0,
                (false, true) => self.counts.missed += 1.0,
                (false, false) => {}
            }
        }
    }

    fn result(&self) -> f64 {
        (self.of)(self.counts)
    }

    fn reset(&mut self) {
        self.counts = Counts::default();
    }
}

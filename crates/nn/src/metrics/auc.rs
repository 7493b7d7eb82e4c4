//! Area under a curve: ROC (recall over false positive rate) or PR (precision over recall), of all outputs
//! together.
//!
//! The curve is drawn through `num_thresholds` thresholds, evenly from 0 to 1; the ROC area by trapezoids, the PR
//! area by interpolation between true positives (Davis and Goadrich 2006). Source: Keras
//! `keras/src/metrics/confusion_metrics.py`, `keras/src/metrics/metrics_utils.py`.

use super::{Accumulator, MetricRule, Outputs, share};
use crate::config::{InvalidParameter, Value, require};
use crate::losses::Target;
use serde::Deserialize;

/// Which curve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Curve {
    /// Recall over false positive rate.
    #[default]
    #[serde(rename = "ROC", alias = "roc")]
    Roc,
    /// Precision over recall.
    #[serde(rename = "PR", alias = "pr")]
    Pr,
}

/// Area under a curve.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auc {
    /// How many thresholds, from 2 to 65536; 200.
    pub num_thresholds: i64,
    /// `ROC` or `PR`; `ROC`.
    pub curve: Curve,
}

impl Default for Auc {
    fn default() -> Self {
        Self { num_thresholds: 200, curve: Curve::Roc }
    }
}

impl MetricRule for Auc {
    const NAME: &'static str = "auc";

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        let curve = if self.curve == Curve::Roc { "ROC" } else { "PR" };
        vec![("num_thresholds", self.num_thresholds.into()), ("curve", curve.into())]
    }

    fn validate(&self) -> Result<(), InvalidParameter> {
        let ok = (2..=65536).contains(&self.num_thresholds);
        require(ok, Self::NAME, "num_thresholds", "from 2 to 65536", self.num_thresholds)
    }

    fn check(&self, outputs: Outputs) -> Result<(), String> {
        outputs.need_probabilities()
    }

    fn start(&self, _outputs: Outputs) -> Box<dyn Accumulator + Send> {
        let count = usize::try_from(self.num_thresholds).unwrap_or(2);
        Box::new(Area { curve: self.curve, buckets: vec![[0.0; 2]; count] })
    }
}

struct Area {
    curve: Curve,
    /// Targets 0 and targets other than 0 by the highest threshold that the output exceeds.
    buckets: Vec<[f64; 2]>,
}

impl Accumulator for Area {
    fn add(&mut self, target: Target<'_, f32>, prediction: &[f32]) {
        let last = self.buckets.len() - 1;
        for (i, &p) in prediction.iter().enumerate() {
            // Anything above 0 exceeds the first threshold, which is a little below 0.
            let bucket = ((p * last as f32).ceil() - 1.0).max(0.0) as usize;
            self.buckets[bucket.min(last)][usize::from(target.at(i) != 0.0)] += 1.0;
        }
    }

    fn result(&self) -> f64 {
        let [negatives, positives] =
            self.buckets.iter().fold([0.0; 2], |sum, bucket| [sum[0] + bucket[0], sum[1] + bucket[1]]);
        // False and true positives at the threshold above and at this one, from the highest down.
        let (mut above, mut area) = ([0.0; 2], 0.0);
        for bucket in self.buckets.iter().rev() {
            let here = [above[0] + bucket[0], above[1] + bucket[1]];
            area += match self.curve {
                Curve::Roc => {
                    let [x0, x1] = [above, here].map(|found| share(found[0], negatives));
                    let [y0, y1] = [above, here].map(|found| share(found[1], positives));
                    (x1 - x0) * (y0 + y1) / 2.0
                }
                Curve::Pr => share(between(above, here), positives),
            };
            above = here;
        }
        area
    }

    fn reset(&mut self) {
        self.buckets.fill([0.0; 2]);
    }
}

/// The area, in true positives, under the interpolated precision between two thresholds.
fn between(above: [f64; 2], here: [f64; 2]) -> f64 {
    let (found_above, found) = (above[0] + above[1], here[0] + here[1]);
    let more = here[1] - above[1];
    let slope = share(more, found - found_above);
    let intercept = above[1] - slope * found_above;
    let ratio = if found > 0.0 && found_above > 0.0 { found / found_above } else { 1.0 };
    slope * (more + intercept * ratio.ln())
}

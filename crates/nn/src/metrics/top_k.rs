//! Top-k accuracy: the share of samples whose right class is among the k largest outputs.
//!
//! An output counts as larger only where it is: of equal ones all are in or out. Source: Keras
//! `keras/src/metrics/accuracy_metrics.py`, TensorFlow `in_top_k`.

use super::accuracy::MeanBy;
use super::{Accumulator, Mean, MetricRule, Outputs, right_class};
use crate::config::{InvalidParameter, Value, require};
use crate::losses::Target;
use serde::Deserialize;

macro_rules! top_k {
    ($(#[$doc:meta])* $metric:ident, $name:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $metric {
            /// From 1 to the number of outputs; 5.
            pub k: i64,
        }

        impl Default for $metric {
            fn default() -> Self {
                Self { k: 5 }
            }
        }

        impl MetricRule for $metric {
            const NAME: &'static str = $name;

            fn parameters(&self) -> Vec<(&'static str, Value)> {
                vec![("k", self.k.into())]
            }

            fn validate(&self) -> Result<(), InvalidParameter> {
                require(self.k > 0, Self::NAME, "k", "a whole number > 0", self.k)
            }

            fn check(&self, outputs: Outputs) -> Result<(), String> {
                outputs.need_classes()?;
                check_k(self.k, outputs)
            }

            fn start(&self, _outputs: Outputs) -> Box<dyn Accumulator + Send> {
                start(self.k)
            }
        }
    };
}

top_k!(
    /// Share of samples whose right class is among the k largest outputs.
    TopKCategoricalAccuracy,
    "top_k_categorical_accuracy"
);
top_k!(
    /// The same, of class numbers.
    SparseTopKCategoricalAccuracy,
    "sparse_top_k_categorical_accuracy"
);

/// Refuses more than there are outputs.
pub(super) fn check_k(k: i64, outputs: Outputs) -> Result<(), String> {
    if usize::try_from(k).is_ok_and(|k| k <= outputs.width) {
        return Ok(());
    }
    Err(format!("k: expected 1 to {} (the number of outputs), received {k}", outputs.width))
}

fn start(k: i64) -> Box<dyn Accumulator + Send> {
    let right = move |target: Target<'_, f32>, prediction: &[f32]| {
        // A class without an output is never found.
        let Some(&of_right) = prediction.get(right_class(target)) else { return 0.0 };
        let larger = prediction.iter().filter(|&&p| p > of_right).count();
        f64::from(u8::from(of_right.is_finite() && (larger as i64) < k))
    };
    Box::new(MeanBy { value: right, mean: Mean::default() })
}

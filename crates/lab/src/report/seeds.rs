//! Measurements over seeds: the line and the band of a learning curve.

use super::svg::Ink;
use super::svg::line::Series;
use crate::record::{EpochRecord, TrialRecord};
use crate::statistics::summary::{mean, standard_deviation};

/// One measurement of an epoch, as it is drawn.
pub type Measurement = fn(&EpochRecord) -> f64;

/// The mean over trials, epoch by epoch, over as many trials as came that far, with one standard deviation either way where
/// there are several; what is only there to compare with has no band.
pub fn over_seeds(trials: &[&TrialRecord], ink: Ink, measurement: Measurement) -> Series {
    let longest = trials.iter().map(|trial| trial.epochs.len()).max().unwrap_or(0);
    let at = |epoch: usize| -> Vec<f64> {
        let reached = trials.iter().filter_map(|trial| trial.epochs.get(epoch));
        reached.map(measurement).filter(|value| value.is_finite()).collect()
    };
    let values = (0..longest).map(|epoch| mean(&at(epoch)).unwrap_or(f64::NAN)).collect();
    let spread = if trials.len() > 1 && ink != Ink::Quiet {
        (0..longest).map(|epoch| standard_deviation(&at(epoch)).unwrap_or(0.0)).collect()
    } else {
        Vec::new()
    };
    Series { ink, values, spread }
}

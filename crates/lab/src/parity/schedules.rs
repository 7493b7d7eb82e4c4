//! Learning rates per step: in float64 to 1e-12, relative. Keras's float32 is its own rounding of the same, and only has to be near.

use super::choice::{Choice, read};
use super::compare::{Measure, absolute, relative};
use super::{Precision, Row};
use seedbed_nn::schedules::Schedule;
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    steps: Vec<u64>,
    schedules: Vec<Table>,
}

#[derive(Deserialize)]
struct Table {
    name: String,
    #[serde(flatten)]
    choice: Choice,
    float32: Vec<f64>,
    float64: Vec<f64>,
}

pub(super) fn rows(group: &'static str, text: &str) -> serde_json::Result<Vec<Row>> {
    let file: File = serde_json::from_str(text)?;
    let both = file.schedules.iter().flat_map(|table| {
        let rates = read::<Schedule>(table.choice.table(&[]))
            .map(|schedule| file.steps.iter().map(|&step| schedule.at(step)).collect::<Vec<f64>>());
        let measured = |measure: &dyn Fn(&[f64]) -> Measure| {
            rates.as_ref().map(|rates| vec![measure(rates)]).map_err(Clone::clone)
        };
        let single = measured(&|rates| Measure::new("rates", absolute(rates, &table.float32), 1e-6));
        let double = measured(&|rates| Measure::new("rates", relative(rates, &table.float64, 1e-3), 1e-12));
        [
            Row::new(group, &table.name, Precision::Float32, single),
            Row::new(group, &table.name, Precision::Float64, double),
        ]
    });
    Ok(both.collect())
}

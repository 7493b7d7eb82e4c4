//! The record of a study for other programs: CSV, JSON, Vega-Lite.

use crate::error::LabError;
use crate::record::{Arm, BudgetStream, StudyRecord, StudyTrial, TrialStatus};
use serde_json::{Value, json};
use std::fmt::Write;

/// The forms a study can leave in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One row per trial.
    Csv,
    /// The whole record.
    Json,
    /// A plot of every trial's training accuracy, test accuracy and gap by variant, its data inside.
    VegaLite,
}

/// Writes the record in a form.
///
/// # Errors
/// [`LabError::Study`] for a number that JSON cannot hold.
pub fn export(record: &StudyRecord, format: Format) -> Result<String, LabError> {
    match format {
        Format::Csv => Ok(csv(record)),
        Format::Json => pretty(record),
        Format::VegaLite => pretty(&vega_lite(record)),
    }
}

fn pretty(value: &impl serde::Serialize) -> Result<String, LabError> {
    let mut text = serde_json::to_string_pretty(value).map_err(|error| LabError::Study(error.to_string()))?;
    text.push('\n');
    Ok(text)
}

/// The measurements of a trial, in the order of the columns; those of its last epoch are empty where it did not finish.
const MEASURED: [&str; 8] = [
    "running_accuracy",
    "train_accuracy",
    "test_accuracy",
    "gap",
    "running_loss",
    "train_loss",
    "test_loss",
    "seconds",
];

fn measured(trial: &StudyTrial) -> [Option<f64>; MEASURED.len()] {
    let last = trial.trial.outcome();
    [
        last.map(|epoch| epoch.running_accuracy),
        last.map(|epoch| epoch.train_accuracy),
        last.map(|epoch| epoch.test_accuracy),
        last.map(|epoch| epoch.gap()),
        last.map(|epoch| epoch.running_loss),
        last.map(|epoch| epoch.train_loss),
        last.map(|epoch| epoch.test_loss),
        Some(trial.trial.seconds),
    ]
}

fn csv(record: &StudyRecord) -> String {
    let factors = record.factors.iter().map(|factor| factor.name.as_str());
    let head = ["study", "variant"].into_iter().chain(factors).chain(["arm", "seed", "status", "epochs"]);
    let head: Vec<String> = head.chain(MEASURED).chain(["trial"]).map(cell).collect();
    let mut text = head.join(",") + "\n";
    for trial in &record.trials {
        let variant = record.variants.get(trial.variant);
        let level = |(factor, of): (usize, &crate::record::FactorRecord)| {
            let level = variant.and_then(|variant| of.levels.get(*variant.levels.get(factor)?));
            level.map_or(String::new(), |level| cell(&level.label))
        };
        let mut row = vec![cell(&record.name), cell(variant.map_or("", |variant| &variant.name))];
        row.extend(record.factors.iter().enumerate().map(level));
        row.extend([cell(&arm(trial.arm)), trial.seed.to_string(), status(trial).into()]);
        row.push(trial.trial.epochs.len().to_string());
        row.extend(measured(trial).map(|number| number.map_or(String::new(), |number| number.to_string())));
        row.push(trial.id.clone());
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", row.join(","));
    }
    text
}

/// A text as a cell: quoted where it must be, and with a `'` before what a spreadsheet would take for a formula.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

fn arm(arm: Arm) -> String {
    match arm {
        Arm::Main => "main".into(),
        Arm::Control => "control".into(),
        Arm::Budget(BudgetStream::Init) => "budget init".into(),
        Arm::Budget(BudgetStream::Order) => "budget order".into(),
        Arm::Budget(BudgetStream::Dropout) => "budget dropout".into(),
        Arm::Tuning { learning_rate } => format!("tuning {learning_rate}"),
    }
}

fn status(trial: &StudyTrial) -> &'static str {
    match trial.trial.status {
        TrialStatus::Finished => "finished",
        TrialStatus::Diverged { .. } => "diverged",
        TrialStatus::Interrupted { .. } => "interrupted",
    }
}

fn vega_lite(record: &StudyRecord) -> Value {
    let row = |trial: &StudyTrial| {
        let variant = record.variants.get(trial.variant).map_or("", |variant| &variant.name);
        let mut row = json!({ "variant": variant, "seed": trial.seed, "status": status(trial) });
        for (name, number) in MEASURED.iter().zip(measured(trial)) {
            row[name] = number.into();
        }
        row
    };
    let main = record.trials.iter().filter(|trial| trial.arm == Arm::Main);
    let names: Vec<&str> = record.variants.iter().map(|variant| variant.name.as_str()).collect();
    let panel = |field: &str, title: &str| {
        let y = json!({ "field": "variant", "type": "nominal", "sort": names, "title": null });
        let x = json!({ "field": field, "type": "quantitative", "title": title, "axis": { "format": ".2%" }, "scale": { "zero": false } });
        json!({ "layer": [
            { "mark": { "type": "point", "opacity": 0.4 },
              "encoding": { "x": x, "y": y, "tooltip": [{ "field": "seed" }, { "field": field, "format": ".3%" }] } },
            { "mark": { "type": "errorbar", "extent": "ci", "ticks": true }, "encoding": { "x": x, "y": y } },
        ] })
    };
    json!({
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": { "text": record.name, "subtitle": record.question },
        "description": "Every trial, and the mean with its 95% interval",
        "data": { "values": main.map(row).collect::<Vec<_>>() },
        "vconcat": [
            panel("train_accuracy", "training accuracy"),
            panel("test_accuracy", "test accuracy"),
            panel("gap", "gap: training minus test accuracy"),
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::example::study;

    #[test]
    fn every_trial_is_a_row_and_no_cell_a_formula() {
        let mut study = study(3);
        study.factors[0].levels[1].label = "=cmd|' /C calc'!A0".into();
        study.variants[1].name = "@sum(1,2) \"x\"".into();
        let csv = export(&study, Format::Csv).unwrap();
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines.len(), 1 + study.trials.len());
        assert!(
            lines[0]
                .starts_with("study,variant,dropout,initializer,arm,seed,status,epochs,running_accuracy,")
        );
        assert!(
            lines[1].starts_with("example,baseline,0.0,glorot_uniform,main,1,finished,4,0."),
            "{}",
            lines[1]
        );
        assert!(
            lines[4].starts_with("example,\"'@sum(1,2) \"\"x\"\"\",'=cmd|' /C calc'!A0,"),
            "{}",
            lines[4]
        );
        assert!(csv.contains(",diverged,1,,,,,,,,1.5,"), "what a diverged trial did not measure is empty");
        assert!(!csv.contains(",=") && !csv.contains(",@") && !csv.contains("\n="));
    }

    #[test]
    fn json_is_the_record_and_vega_lite_holds_its_data() {
        let study = study(3);
        let json = export(&study, Format::Json).unwrap();
        assert_eq!(serde_json::from_str::<StudyRecord>(&json).unwrap(), study);
        let plot: Value = serde_json::from_str(&export(&study, Format::VegaLite).unwrap()).unwrap();
        assert_eq!(plot["data"]["values"].as_array().unwrap().len(), 15, "the question's trials alone");
        assert_eq!(plot["vconcat"][1]["layer"][0]["encoding"]["x"]["field"], "test_accuracy");
        assert_eq!(plot["data"]["values"][14]["test_accuracy"], Value::Null);
    }
}

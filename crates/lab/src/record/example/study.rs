//! A small made-up study for tests: dropout and initializer one at a time, with a control and a variance budget.

use super::{lesson, trial};
use crate::record::{
    Arm, BudgetStream, Design, FactorRecord, LevelRecord, StudyRecord, StudyTrial, TrialStatus, VariantRecord,
};
use serde_json::Value;

/// Five variants on ten test pictures, each with seeds 1 to `seeds`: the baseline, dropout 0.2 (half a point better on
/// test pictures), dropout 0.5 (training five points worse, test the same), glorot_normal (no difference but scatter)
/// and zeros (chance; its last seed diverges if there are at least two).
pub(crate) fn study(seeds: u64) -> StudyRecord {
    let lesson = lesson(1, 4);
    let variants = [
        ("baseline", [0, 0]),
        ("dropout 0.2", [1, 0]),
        ("dropout 0.5", [2, 0]),
        ("initializer glorot_normal", [0, 1]),
        ("initializer zeros", [0, 2]),
    ];
    let mut study = StudyRecord {
        name: "example".into(),
        question: "What do dropout and first weights do?".into(),
        design: Design::OneAtATime,
        dataset: lesson.dataset,
        test_labels: (0..10).map(|picture| picture % 2).collect(),
        seeds: (1..=seeds).collect(),
        control_seeds: (1..=seeds).map(|seed| 1_000 + seed).collect(),
        budget_seeds: seeds as usize,
        tuning: None,
        factors: factors(),
        variants: variants.map(|(name, levels)| variant(name, &levels)).to_vec(),
        trials: Vec::new(),
        planned: 0,
        test_looks: variants.len(),
        environments: vec![lesson.environment],
        command: "seedbed study run example.toml".into(),
        file: "name = \"example\"\n".into(),
    };
    for (index, (name, _)) in variants.iter().enumerate() {
        study.trials.extend((1..=seeds).map(|seed| study_trial(index, name, Arm::Main, seed)));
    }
    if let Some(last) = study.trials.last_mut().filter(|_| seeds > 1) {
        last.trial.status = TrialStatus::Diverged { epoch: 2, reason: "loss is NaN".into() };
        last.trial.epochs.truncate(1);
        last.predicted.clear();
    }
    let control = study.control_seeds.iter().map(|&seed| study_trial(0, "baseline", Arm::Control, seed));
    study.trials.extend(control);
    for stream in [BudgetStream::Init, BudgetStream::Order] {
        study.trials.extend((1..=seeds).map(|seed| study_trial(0, "baseline", Arm::Budget(stream), seed)));
    }
    study.planned = study.trials.len();
    study
}

fn factors() -> Vec<FactorRecord> {
    let initializers = ["glorot_uniform", "glorot_normal", "zeros"];
    vec![
        factor("dropout", "layers.dropout.rate", &[0.0, 0.2, 0.5].map(Value::from)),
        factor("initializer", "layers.dense*.kernel_initializer", &initializers.map(Value::from)),
    ]
}

fn factor(name: &str, path: &str, levels: &[Value]) -> FactorRecord {
    let level = |value: &Value| LevelRecord {
        label: value.as_str().map_or_else(|| value.to_string(), str::to_owned),
        value: value.clone(),
    };
    FactorRecord {
        name: name.into(),
        path: path.into(),
        levels: levels.iter().map(level).collect(),
        baseline: 0,
        range: None,
    }
}

fn variant(name: &str, levels: &[usize]) -> VariantRecord {
    VariantRecord {
        id: format!("{:016x}", levels.iter().fold(0, |id, level| id * 10 + level)),
        name: name.into(),
        levels: levels.to_vec(),
        recipe: "input_shape = [2, 2]\n".into(),
        parameters: 10,
        tuned: None,
    }
}

/// Scatter comes from the seed and differs a little between variants, so that pairing helps.
fn study_trial(variant: usize, name: &str, arm: Arm, seed: u64) -> StudyTrial {
    let scatter = |key: u64| ((seed * 7 + key * 3) % 11) as f64 / 11.0 - 0.5;
    let (train, test) = [(0.99, 0.97), (0.985, 0.975), (0.94, 0.97), (0.99, 0.97), (0.5, 0.5)][variant];
    let spread = match arm {
        Arm::Budget(BudgetStream::Order) => 0.002,
        _ => 0.004,
    };
    let shift = spread * scatter(0) + 0.25 * spread * scatter(variant as u64 + 1);
    let wrong = ((seed + variant as u64) % 10) as u8;
    let arm_number = match arm {
        Arm::Main => 0,
        Arm::Control => 1,
        Arm::Budget(stream) => 2 + stream as u64,
        Arm::Tuning { .. } => 5,
    };
    StudyTrial {
        id: format!("{:032x}", seed * 1_000 + variant as u64 * 10 + arm_number),
        variant,
        seed,
        arm,
        trial: trial(name, seed, train + shift, test + shift),
        predicted: (0..10).map(|picture| u8::from((picture % 2 == 1) != (picture == wrong))).collect(),
    }
}

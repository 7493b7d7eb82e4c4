//! Made-up studies that look like real ones: one choice at a time, a grid, random draws.

use super::{SIDE, dataset, noise, strokes};
use seedbed_data::Pictures;
use seedbed_lab::record::{
    Arm, BudgetStream, Design, Environment, EpochRecord, FactorRecord, LayerDiagnostics, LayerState,
    LevelRecord, RangeRecord, StudyRecord, StudyTrial, TrialRecord, TrialStatus, VariantRecord,
};
use serde_json::Value;

const EPOCHS: usize = 8;
const PICTURES: usize = 400;

/// How a variant's choices come out: training and test accuracy it ends at.
type Outcome = fn(&[FactorRecord], &[usize]) -> (f64, f64);

/// Initializer, dropout, optimizer and l2, one at a time, with zeros and a level that diverges.
pub(crate) fn one_at_a_time(seeds: u64) -> StudyRecord {
    let factors = vec![
        list("initializer", &["glorot_uniform", "glorot_normal", "he_normal", "random_normal", "zeros"]),
        list("dropout", &["0", "0.2", "0.5"]),
        list("optimizer", &["adam", "nadam", "rmsprop", "sgd", "adagrad"]),
        list("learning_rate", &["0.001", "0.003", "10"]),
        list("l2", &["0", "0.0001", "0.01"]),
    ];
    let mut levels = vec![vec![0; factors.len()]];
    for (factor, record) in factors.iter().enumerate() {
        for level in 1..record.levels.len() {
            let mut one = vec![0; factors.len()];
            one[factor] = level;
            levels.push(one);
        }
    }
    study("everything", Design::OneAtATime, factors, levels, seeds, outcome)
}

/// Dropout by width by optimizer, all combinations.
pub(crate) fn grid(seeds: u64) -> StudyRecord {
    let factors = vec![
        list("dropout", &["0", "0.2", "0.5"]),
        list("hidden", &["32", "128", "512"]),
        list("optimizer", &["adam", "sgd"]),
    ];
    let levels = (0..18).map(|i| vec![i / 6, i / 2 % 3, i % 2]).collect();
    study("dropout by width", Design::Grid, factors, levels, seeds, |factors, levels| {
        let dropout = number(&factors[0], levels[0]);
        let width = number(&factors[1], levels[1]).log2() - 7.0;
        let slow = if levels[2] == 1 { 0.012 } else { 0.0 };
        let train = 0.995 + 0.0025 * width - dropout * (0.012 - 0.005 * width) - slow;
        (train.min(0.9999), 0.976 + 0.0035 * width + 0.004 * dropout * (1.0 + width) - 0.6 * slow)
    })
}

/// Four factors drawn at random, two of them from ranges.
pub(crate) fn random(variants: usize, seeds: u64) -> StudyRecord {
    let draws = |key: f64, low: f64, high: f64| -> Vec<f64> {
        let mut values: Vec<f64> = (0..variants)
            .map(|i| (low.ln() + (high / low).ln() * (noise(key + i as f64) + 1.0) / 2.0).exp())
            .collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let range = |name: &str, key: f64, low: f64, high: f64| FactorRecord {
        range: Some(RangeRecord { low, high, log: true }),
        levels: draws(key, low, high)
            .into_iter()
            .map(|value| LevelRecord { label: format!("{value:.2e}"), value: value.into() })
            .collect(),
        ..list(name, &[])
    };
    let factors = vec![
        range("learning_rate", 0.5, 1e-4, 3e-1),
        list("dropout", &["0", "0.2", "0.5"]),
        range("batch_size", 700.5, 8.0, 512.0),
        list("optimizer", &["adam", "nadam", "sgd"]),
    ];
    let pick = |key: f64, i: usize, count: usize| {
        ((noise(key + i as f64) + 1.0) / 2.0 * count as f64).min(count as f64 - 1.0) as usize
    };
    let levels = (0..variants)
        .map(|i| vec![pick(3.3, i, variants), pick(5.3, i, 3), pick(7.3, i, variants), pick(9.3, i, 3)])
        .collect();
    study("what matters", Design::Random, factors, levels, seeds, |factors, levels| {
        let rate = number(&factors[0], levels[0]).log10();
        let batch = number(&factors[2], levels[2]).log2();
        let best = if levels[3] == 2 { -1.2 } else { -2.7 };
        let lost = 0.02 * (rate - best).powi(2) + 0.0008 * (batch - 5.0).powi(2);
        (0.998 - lost - 0.004 * levels[1] as f64, 0.979 - 0.9 * lost - 0.001 * levels[1] as f64)
    })
}

fn number(factor: &FactorRecord, level: usize) -> f64 {
    let record = &factor.levels[level];
    record.number().or_else(|| record.label.parse().ok()).unwrap_or(0.0)
}

fn list(name: &str, levels: &[&str]) -> FactorRecord {
    let level = |label: &&str| LevelRecord {
        label: (*label).to_owned(),
        value: label.parse::<f64>().map_or_else(|_| Value::from(*label), Value::from),
    };
    FactorRecord {
        name: name.into(),
        path: format!("layers.*.{name}"),
        levels: levels.iter().map(level).collect(),
        baseline: 0,
        range: None,
    }
}

fn outcome(factors: &[FactorRecord], levels: &[usize]) -> (f64, f64) {
    let label = |factor: usize| factors[factor].levels[levels[factor]].label.as_str();
    match (label(0), label(1), label(2), label(3), label(4)) {
        ("zeros", ..) => (0.1124, 0.1135),
        ("random_normal", ..) => (0.9962, 0.9765),
        (_, "0.2", ..) => (0.9948, 0.9792),
        (_, "0.5", ..) => (0.9868, 0.9771),
        (_, _, "sgd", ..) => (0.9402, 0.9386),
        (_, _, "adagrad", ..) => (0.9085, 0.9105),
        (_, _, "rmsprop", ..) => (0.9971, 0.9779),
        (.., "0.003", _) => (0.9957, 0.9750),
        (.., "0.0001") => (0.9941, 0.9781),
        (.., "0.01") => (0.9402, 0.9421),
        _ => (0.9965, 0.9773),
    }
}

fn study(
    name: &str,
    design: Design,
    factors: Vec<FactorRecord>,
    levels: Vec<Vec<usize>>,
    seeds: u64,
    outcome: Outcome,
) -> StudyRecord {
    let labels: Vec<u8> = (0..PICTURES).map(|picture| (picture * 7 % 10) as u8).collect();
    let variants: Vec<VariantRecord> = levels.iter().map(|levels| variant(&factors, levels)).collect();
    let mut study = StudyRecord {
        name: name.into(),
        question: "What do first weights, dropout and the optimizer do to accuracy on new pictures?".into(),
        design,
        dataset: dataset(),
        test_labels: labels.clone(),
        seeds: (1..=seeds).collect(),
        control_seeds: (1001..=1000 + seeds).collect(),
        budget_seeds: seeds as usize,
        tuning: None,
        planned: 0,
        test_looks: variants.len(),
        environments: vec![environment()],
        command: format!("seedbed study run studies/{}.toml --data mnist", name.replace(' ', "-")),
        file: "name = \"everything\"\n\n[factors.dropout]\npath = \"layers.dropout.rate\"\nlevels = [0, 0.2, 0.5]\n".into(),
        factors,
        variants,
        trials: Vec::new(),
    };
    for (index, levels) in levels.iter().enumerate() {
        let ends = outcome(&study.factors, levels);
        let name = study.variants[index].name.clone();
        let broken = name.contains("learning_rate 10");
        study.trials.extend((1..=seeds).map(|seed| {
            let mut trial = trial(index, &name, Arm::Main, seed, ends, &labels);
            if broken && seed % 2 == 0 {
                trial.trial.status = TrialStatus::Diverged {
                    epoch: 2,
                    reason: "the loss of batch 3 is not a finite number".into(),
                };
                trial.trial.epochs.truncate(1);
                trial.predicted.clear();
            }
            trial
        }));
    }
    let ends = outcome(&study.factors, &levels[0]);
    let control = (1001..=1000 + seeds).map(|seed| trial(0, "baseline", Arm::Control, seed, ends, &labels));
    study.trials.extend(control);
    for stream in [BudgetStream::Init, BudgetStream::Order] {
        study
            .trials
            .extend((1..=seeds).map(|seed| trial(0, "baseline", Arm::Budget(stream), seed, ends, &labels)));
    }
    study.planned = study.trials.len();
    study
}

fn environment() -> Environment {
    Environment {
        seedbed_version: "0.1.0".into(),
        threads: 2,
        simd: "AVX-512".into(),
        os: "Linux 6.1 x86-64".into(),
        cpu: "AMD EPYC 9R14".into(),
        started: "2025-11-23 20:14 UTC".into(),
    }
}

fn variant(factors: &[FactorRecord], levels: &[usize]) -> VariantRecord {
    let mut record = VariantRecord {
        id: format!("{:016x}", levels.iter().fold(1, |id, level| id * 97 + level)),
        name: String::new(),
        levels: levels.to_vec(),
        recipe: "input_shape = [28, 28]\n".into(),
        parameters: 101_770,
        tuned: None,
    };
    let changed: Vec<String> = record
        .changed(factors)
        .map(|(factor, level)| format!("{} {}", factors[factor].name, factors[factor].levels[level].label))
        .collect();
    record.name = if changed.is_empty() { "baseline".into() } else { changed.join(", ") };
    record
}

fn trial(variant: usize, name: &str, arm: Arm, seed: u64, ends: (f64, f64), labels: &[u8]) -> StudyTrial {
    let spread = match arm {
        Arm::Budget(BudgetStream::Init) => 0.7,
        Arm::Budget(_) => 0.5,
        _ => 1.0,
    };
    let flat = ends.0 < 0.2;
    let key = seed as f64 * 17.7 + if matches!(arm, Arm::Budget(_)) { 400.0 } else { 0.0 };
    let own = key + variant as f64 * 3.1;
    let scatter = |what: f64| {
        if flat { 0.0 } else { spread * (0.7 * noise(key + what) + 0.7 * noise(own + what + 0.3)) }
    };
    let epoch = |epoch: usize| {
        let part = if flat { 0.0 } else { (-0.55 * (epoch as f64 - 1.0)).exp() };
        let train = ends.0 - 0.04 * part + 0.0004 * scatter(epoch as f64);
        let test = ends.1 - 0.025 * part + 0.0011 * scatter(epoch as f64 + 0.5);
        let lag = if name.contains("dropout 0.5") {
            0.035
        } else if name.contains("dropout") {
            0.012
        } else {
            0.001
        };
        EpochRecord {
            epoch,
            running_loss: 3.4 * (1.0 - train),
            running_accuracy: train - if flat { 0.0 } else { lag + 0.02 * part },
            train_loss: 3.2 * (1.0 - train),
            train_accuracy: train,
            test_loss: 3.4 * (1.0 - test),
            test_accuracy: test,
            seconds: 0.3,
            metrics: Default::default(),
        }
    };
    let epochs: Vec<EpochRecord> = (1..=EPOCHS).map(epoch).collect();
    let wrong = 1.0 - epochs[EPOCHS - 1].test_accuracy;
    let predicted = labels
        .iter()
        .enumerate()
        .map(|(picture, &label)| {
            // Hard pictures are hard for all, with something of the variant and something of the run.
            let hard = 0.6 * noise(picture as f64)
                + 0.25 * noise(picture as f64 + 77.7 * variant as f64)
                + 0.15 * noise(picture as f64 + own);
            if hard > 0.8 - 8.0 * wrong { (label + 1 + (picture % 3) as u8) % 10 } else { label }
        })
        .collect();
    StudyTrial {
        id: format!("{:032x}", seed * 100_000 + variant as u64 * 10 + u64::from(matches!(arm, Arm::Control))),
        variant,
        seed,
        arm,
        trial: TrialRecord {
            model: name.into(),
            seed,
            status: TrialStatus::Finished,
            epochs,
            ended: None,
            seconds: 2.6,
            diagnostics: diagnostics(name, key),
        },
        predicted,
    }
}

fn diagnostics(name: &str, key: f64) -> Vec<LayerDiagnostics> {
    let zeros = name.contains("zeros");
    let layer = |depth: usize| {
        let state = |moment: usize| {
            let size = if zeros { 0.0 } else { 1.0 + 0.05 * noise(key + moment as f64) };
            LayerState {
                mean: 0.2 * size,
                deviation: [0.42, 0.13][depth] * size,
                zeros: if zeros { 1.0 } else { [0.48, 0.0][depth] },
                dead: if zeros && depth == 0 { 1.0 } else { [0.01 * moment as f64, 0.0][depth] },
                weights: [10.5, 5.2][depth] * size + 0.4 * moment as f64 * size,
                gradient: if zeros { 0.0 } else { [0.9, 0.5][depth] * (-0.4 * moment as f64).exp() * size },
                update: if moment == 0 { 0.0 } else { [2.5, 1.4][depth] / moment as f64 * size },
            }
        };
        LayerDiagnostics {
            layer: ["dense", "dense_1"][depth].into(),
            states: (0..=EPOCHS).map(state).collect(),
        }
    };
    (0..2).map(layer).collect()
}

/// The test pictures the made-up trials were scored on.
pub(crate) fn pictures() -> Pictures {
    Pictures {
        count: PICTURES,
        height: SIDE,
        width: SIDE,
        channels: 1,
        pixels: (0..PICTURES).flat_map(|picture| strokes(picture * 7 % 10, picture as f64)).collect(),
        numbers: None,
        weights: None,
        labels: (0..PICTURES).map(|picture| (picture * 7 % 10) as u16).collect(),
    }
}

//! A made-up lesson that looks like the real one: curves, scatter, strokes instead of digits, weights.

#![allow(dead_code, reason = "each test program uses a part of it")]

pub(crate) mod study;

use seedbed_lab::record::{
    DatasetRecord, Environment, EpochRecord, Inspection, KernelPictures, LayerRow, LayerWeights,
    LessonRecord, Mistake, ModelRecord, Picture, TrialRecord, TrialStatus,
};

const SIDE: usize = 28;
const EPOCHS: usize = 10;
const UNITS: usize = 128;

/// A repeatable number from −1 to 1 (the fractional part of a sine, good enough to look random).
fn noise(key: f64) -> f64 {
    2.0 * ((key * 12.9898 + 4.1414).sin() * 43_758.545).rem_euclid(1.0) - 1.0
}

/// What one model's curves look like.
struct Shape {
    train: [f64; 2],
    test: [f64; 2],
    rate: f64,
    lag: f64,
}

const SHAPES: [Shape; 3] = [
    Shape { train: [0.958, 0.9962], test: [0.9525, 0.9773], rate: 0.40, lag: 0.002 },
    Shape { train: [0.959, 0.9960], test: [0.9530, 0.9770], rate: 0.42, lag: 0.002 },
    Shape { train: [0.845, 0.9085], test: [0.852, 0.9095], rate: 0.35, lag: 0.035 },
];

/// The three models of the lesson, each with seeds 1 to `seeds`.
pub(crate) fn lesson(seeds: u64) -> LessonRecord {
    LessonRecord {
        environment: Environment {
            seedbed_version: "0.1.0".into(),
            threads: 2,
            simd: "AVX-512".into(),
            os: "Linux 6.1 x86-64".into(),
            cpu: "AMD EPYC 9R14".into(),
            started: "2025-11-23 20:14 UTC".into(),
        },
        dataset: dataset(),
        models: (0..3).map(|index| model(index, seeds)).collect(),
        seeds: (1..=seeds).collect(),
        epochs: EPOCHS,
        batch_size: 32,
        command: format!("seedbed lesson --data mnist --epochs 10 --batch-size 32 --seed 1 --seeds {seeds}"),
        interrupted: false,
        seconds: 11.4,
    }
}

/// The same with model 2 started from zeros: stuck at chance, all hidden units alike.
pub(crate) fn zeros(mut lesson: LessonRecord) -> LessonRecord {
    let model = &mut lesson.models[1];
    model.initializer = "zeros".into();
    model.changed[0] = "initializer glorot_uniform → zeros".into();
    for epoch in model.trials.iter_mut().flat_map(|trial| &mut trial.epochs) {
        (epoch.running_accuracy, epoch.train_accuracy, epoch.test_accuracy) = (0.1118, 0.112_37, 0.1135);
        (epoch.running_loss, epoch.train_loss, epoch.test_loss) = (2.3013, 2.3012, 2.3010);
    }
    let kernel = vec![0.0; SIDE * SIDE * UNITS];
    let inspection = model.inspection.as_mut().unwrap();
    inspection.layers = vec![
        LayerWeights::of("dense", UNITS, &kernel, &kernel),
        LayerWeights::of("dense_1", 10, &kernel[..1280], &kernel[..1280]),
    ];
    let first = inspection.first_kernel.as_mut().unwrap();
    (first.before, first.after) = (kernel.clone(), kernel);
    inspection.confusion = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
        .map(|count| (0..10).map(|column| if column == 1 { count } else { 0 }).collect())
        .to_vec();
    inspection.mistake_count = 8865;
    lesson
}

fn dataset() -> DatasetRecord {
    let labels = [5, 0, 4, 1, 9, 2, 1, 3, 1, 4, 3, 5, 3, 6, 1, 7, 2, 8, 6, 9, 4, 0, 9, 1, 1];
    DatasetRecord {
        name: "mnist".into(),
        title: "MNIST".into(),
        source: "read from /data/mnist, all four files verified against their SHA-256".into(),
        notice: None,
        class_names: (0..10).map(|digit| digit.to_string()).collect(),
        height: SIDE,
        width: SIDE,
        channels: 1,
        train_count: 60_000,
        test_count: 10_000,
        first_labels: vec![5, 0, 4],
        last_labels: vec![5, 6, 8],
        normalization: "divided by 255".into(),
        pictures: labels
            .iter()
            .enumerate()
            .map(|(i, &label)| Picture { label, pixels: strokes(label, i as f64) })
            .collect(),
    }
}

/// A closed curve whose wobble depends on the label: not a digit, but as dark and as round as one.
fn strokes(label: usize, key: f64) -> Vec<u8> {
    let mut pixels = vec![0u8; SIDE * SIDE];
    for step in 0..600 {
        let t = f64::from(step) / 600.0 * std::f64::consts::TAU;
        let radius = 6.0 + 2.5 * ((label as f64 / 2.0 + 1.0) * t + noise(key)).sin();
        let (x, y) = (14.0 + radius * t.cos() * (0.6 + 0.04 * label as f64), 14.0 + radius * t.sin());
        for (dx, dy, level) in [(0.0, 0.0, 255), (1.0, 0.0, 180), (0.0, 1.0, 180), (1.0, 1.0, 90)] {
            let (column, row) = ((x + dx) as usize, (y + dy) as usize);
            if let Some(pixel) = pixels.get_mut(row * SIDE + column) {
                *pixel = (*pixel).max(level);
            }
        }
    }
    pixels
}

fn model(index: usize, seeds: u64) -> ModelRecord {
    let name = format!("model {}", index + 1);
    let texts = [
        ("The plain network: one hidden layer of 128 units.", vec![], "adam, learning rate 0.001"),
        (
            "The same layers with another initializer.",
            vec!["initializer glorot_uniform → glorot_normal", "optimizer adam → nadam"],
            "nadam, learning rate 0.001",
        ),
        (
            "Model 2 with dropout between its two dense layers.",
            vec![
                "initializer glorot_uniform → glorot_normal",
                "dropout none → 0.5",
                "optimizer adam → adagrad",
            ],
            "adagrad, learning rate 0.001",
        ),
    ];
    let (title, changed, optimizer) = texts[index].clone();
    ModelRecord {
        name: name.clone(),
        title: title.into(),
        changed: changed.into_iter().map(str::to_owned).collect(),
        initializer: if index == 0 { "glorot_uniform" } else { "glorot_normal" }.into(),
        dropout: (index == 2).then_some(0.5),
        regularizer: None,
        optimizer: optimizer.into(),
        loss: "sparse_categorical_crossentropy".into(),
        layers: layers(index == 2),
        recipe: RECIPE.into(),
        trials: (1..=seeds).map(|seed| trial(&name, seed, index)).collect(),
        inspection: Some(inspection(index)),
    }
}

const RECIPE: &str = "[data]\nname = \"mnist\"\nnormalization = \"unit\"\n\n[[layers]]\ntype = \"Flatten\"\n\n[[layers]]\n\
    type = \"Dense\"\nunits = 128\nactivation = \"relu\"\nkernel_initializer = \"glorot_uniform\"\n";

fn layers(dropout: bool) -> Vec<LayerRow> {
    let row = |name: &str, kind: &str, output: usize, parameters| LayerRow {
        name: name.into(),
        kind: kind.into(),
        output_shape: format!("(None, {output})"),
        parameters,
    };
    let mut layers = vec![row("flatten", "Flatten", 784, 0), row("dense", "Dense", 128, 100_480)];
    if dropout {
        layers.push(row("dropout", "Dropout", 128, 0));
    }
    layers.push(row("dense_1", "Dense", 10, 1_290));
    layers
}

fn trial(name: &str, seed: u64, index: usize) -> TrialRecord {
    let shape = &SHAPES[index];
    let scatter =
        |epoch: usize, what: usize| noise((seed * 1009 + (epoch * 31 + what * 7 + index * 3) as u64) as f64);
    let along = |[first, last]: [f64; 2], epoch: usize| {
        let part = (-shape.rate * (epoch - 1) as f64).exp();
        let end = (-shape.rate * (EPOCHS - 1) as f64).exp();
        last + (first - last) * (part - end) / (1.0 - end)
    };
    let epoch = |epoch: usize| {
        let train_accuracy = along(shape.train, epoch) + 0.0007 * scatter(epoch, 1);
        let test_accuracy = along(shape.test, epoch) + 0.0014 * scatter(epoch, 2);
        EpochRecord {
            epoch,
            running_loss: 3.4 * (1.0 - train_accuracy + shape.lag) + 0.02,
            running_accuracy: train_accuracy - shape.lag - if epoch == 1 { 0.03 } else { 0.0 },
            train_loss: 3.4 * (1.0 - train_accuracy),
            train_accuracy,
            test_loss: 3.4 * (1.0 - test_accuracy),
            test_accuracy,
            seconds: 0.31,
            metrics: Default::default(),
        }
    };
    TrialRecord {
        model: name.to_owned(),
        seed,
        status: TrialStatus::Finished,
        epochs: (1..=EPOCHS).map(epoch).collect(),
        ended: None,
        seconds: 3.6,
        diagnostics: Vec::new(),
    }
}

fn inspection(index: usize) -> Inspection {
    let before: Vec<f32> = (0..SIDE * SIDE * UNITS).map(|i| 0.081 * noise(i as f64) as f32).collect();
    let after: Vec<f32> = before.iter().enumerate().map(|(i, weight)| weight + learned(i, index)).collect();
    let output: Vec<f32> = (0..UNITS * 10).map(|i| 0.2 * noise(i as f64) as f32).collect();
    let output_after: Vec<f32> = output.iter().map(|weight| 2.2 * weight - 0.1).collect();
    let most = if index == 2 { 95 } else { 20 };
    Inspection {
        seed: 1,
        confusion: (0..10).map(|row| (0..10).map(|column| confused(row, column, most)).collect()).collect(),
        mistake_count: if index == 2 { 905 } else { 227 },
        mistakes: (0..30).map(mistake).collect(),
        layers: vec![
            LayerWeights::of("dense", UNITS, &before, &after),
            LayerWeights::of("dense_1", 10, &output, &output_after),
        ],
        first_kernel: Some(KernelPictures { layer: "dense".into(), units: UNITS, before, after }),
    }
}

fn learned(i: usize, index: usize) -> f32 {
    let (pixel, unit) = (i / UNITS, i % UNITS);
    let (y, x) = ((pixel / SIDE) as f64 - 14.0, (pixel % SIDE) as f64 - 14.0);
    let wave = (x * noise(unit as f64) * 0.7 + y * noise(unit as f64 + 0.5) * 0.7).sin();
    let strength = if index == 2 { 0.05 } else { 0.25 };
    (strength * wave * (-(x * x + y * y) / 90.0).exp()) as f32
}

fn confused(row: usize, column: usize, most: usize) -> u64 {
    if row == column {
        return 950 + (10.0 * noise(row as f64)) as u64;
    }
    let share = noise((row * 10 + column) as f64).max(0.0).powi(3);
    (share * most as f64) as u64
}

fn mistake(rank: usize) -> Mistake {
    let label = rank * 7 % 10;
    Mistake {
        index: 259 + rank * 131,
        label,
        predicted: (label + 3 + rank % 4) % 10,
        probability: 1.0 - 0.004 * (rank as f64 + 0.2).powi(2).min(120.0) / 2.0,
        pixels: strokes(label, 100.0 + rank as f64),
    }
}

//! A small made-up lesson for tests: three models whose curves rise, with a little scatter over seeds.

mod study;

pub(crate) use study::study;

use super::{
    DatasetRecord, Environment, EpochRecord, Inspection, KernelPictures, LayerRow, LayerWeights,
    LessonRecord, Mistake, ModelRecord, Picture, TrialRecord, TrialStatus,
};

/// A finished trial of four epochs that ends at these accuracies.
pub(crate) fn trial(model: &str, seed: u64, train: f64, test: f64) -> TrialRecord {
    let epoch = |epoch: usize| {
        let distance = 0.02 * (4.0 - epoch as f64);
        EpochRecord {
            epoch,
            running_loss: 0.2 + distance,
            running_accuracy: train - 0.03 - distance,
            train_loss: 0.1 + distance,
            train_accuracy: train - distance,
            test_loss: 0.15 + distance,
            test_accuracy: test - distance,
            seconds: 0.25,
            metrics: Default::default(),
        }
    };
    TrialRecord {
        model: model.to_owned(),
        seed,
        status: TrialStatus::Finished,
        epochs: (1..=4).map(epoch).collect(),
        ended: None,
        seconds: 1.5,
        diagnostics: Vec::new(),
    }
}

/// Three models on 2 × 2 pictures of two classes, each run with seeds 1 to `seeds`.
pub(crate) fn lesson(seeds: u64, epochs: usize) -> LessonRecord {
    let picture = |label| Picture { label, pixels: vec![0, 64, 128, 255] };
    LessonRecord {
        environment: Environment {
            seedbed_version: "0.1.0".into(),
            threads: 2,
            simd: "AVX2".into(),
            os: "Linux".into(),
            cpu: "a processor".into(),
            started: "2025-01-01 12:00 UTC".into(),
        },
        dataset: DatasetRecord {
            name: "dots".into(),
            title: "Dots".into(),
            source: "Made up for a test.".into(),
            notice: None,
            class_names: vec!["left".into(), "right".into()],
            height: 2,
            width: 2,
            channels: 1,
            train_count: 60,
            test_count: 10,
            first_labels: vec![1, 0, 1],
            last_labels: vec![0, 1, 1],
            normalization: "divided by 255".into(),
            pictures: vec![picture(1), picture(0)],
        },
        models: vec![
            model("model 1", &[], seeds, 0.99, 0.97),
            model("model 2", &["initializer a → b", "optimizer c → d"], seeds, 0.99, 0.975),
            model("model 3", &["initializer a → b", "dropout none → 0.5"], seeds, 0.91, 0.90),
        ],
        seeds: (1..=seeds).collect(),
        epochs,
        batch_size: 32,
        command: format!("seedbed lesson --seeds {seeds}"),
        interrupted: false,
        seconds: 12.0,
    }
}

fn model(name: &str, changed: &[&str], seeds: u64, train: f64, test: f64) -> ModelRecord {
    let scatter = |seed: u64, factor: u64| 0.0005 * (seed * factor % 5) as f64;
    let kernel = [0.5f32, -0.25, 0.125, 0.75, -0.5, 0.25, 0.0, 1.0];
    ModelRecord {
        name: name.to_owned(),
        title: "A network.".into(),
        changed: changed.iter().map(|&change| change.to_owned()).collect(),
        initializer: "glorot_uniform".into(),
        dropout: None,
        regularizer: None,
        optimizer: "adam".into(),
        loss: "sparse_categorical_crossentropy".into(),
        layers: vec![LayerRow {
            name: "dense".into(),
            kind: "Dense".into(),
            output_shape: "(None, 2)".into(),
            parameters: 10,
        }],
        recipe: "[model]\n".into(),
        trials: (1..=seeds)
            .map(|seed| trial(name, seed, train + scatter(seed, 3), test + scatter(seed, 7)))
            .collect(),
        inspection: Some(Inspection {
            seed: 1,
            confusion: vec![vec![4, 1], vec![0, 5]],
            mistake_count: 1,
            mistakes: vec![Mistake {
                index: 7,
                label: 0,
                predicted: 1,
                probability: 0.93,
                pixels: vec![255, 0, 0, 255],
            }],
            layers: vec![LayerWeights::of("dense", 2, &kernel, &kernel)],
            first_kernel: Some(KernelPictures {
                layer: "dense".into(),
                units: 2,
                before: kernel.to_vec(),
                after: kernel.to_vec(),
            }),
        }),
    }
}

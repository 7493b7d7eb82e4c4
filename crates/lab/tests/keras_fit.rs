//! Class weights, held-out samples and callbacks give Keras's numbers: `benches/peers/fixtures/parity/fits.json`.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod keras;

use keras::fixture;
use seedbed_lab::parity::compare::{absolute, relative};
use seedbed_lab::parity::formula::{labels, unit};
use seedbed_lab::parity::replay::{start, weights};
use seedbed_nn::callbacks::Training;
use seedbed_nn::prelude::*;
use seedbed_nn::schedules::CosineDecay;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct FitTable {
    fits: Vec<Fitted>,
}

#[derive(Deserialize)]
struct Fitted {
    name: String,
    learning_rate: f64,
    history: BTreeMap<String, Vec<f64>>,
    learning_rates: Vec<f64>,
    weights: BTreeMap<String, Vec<f64>>,
}

const INPUTS: usize = 20;
const CLASSES: usize = 5;
const COUNT: usize = 160;

/// Fits as Keras did.
fn fitted(name: &str, callbacks: Vec<&mut dyn Callback>, epochs: usize, class_weight: &[(usize, f64)]) {
    let table: FitTable = fixture("parity/fits.json");
    let record = table.fits.into_iter().find(|fit| fit.name == name).unwrap();
    let description = Sequential::new([INPUTS])
        .add(Dense::new(16).activation(Activation::Tanh))
        .add(Dense::new(CLASSES).activation(Activation::Softmax));
    let top_2 = r#"{"name": "sparse_top_k_categorical_accuracy", "k": 2}"#;
    let mut sgd = Optimizer::new(Sgd::default()).learning_rate(record.learning_rate);
    if name.contains("ema") {
        sgd = sgd.ema(0.9, None);
    }
    let compile = Compile::new(sgd, SparseCategoricalCrossentropy::default().into())
        .metrics([serde_json::from_str(top_2).unwrap()]);
    let (mut model, _) = start(&description, compile).unwrap();
    let inputs: Vec<f32> = (0..COUNT * INPUTS).map(|i| (2.0 * unit(200, i) - 1.0) as f32).collect();
    let classes = labels(COUNT, CLASSES as u64);
    let examples = Examples::classes([INPUTS], &inputs, &classes).unwrap();
    let mut fit = Fit::new()
        .epochs(epochs)
        .batch_size(8)
        .shuffle(false)
        .validation_split(0.2)
        .class_weight(class_weight.iter().copied());
    fit = callbacks.into_iter().fold(fit, Fit::callback);
    let history = model.fit(&examples, fit).unwrap();
    assert_eq!(history.epochs(), record.learning_rates.len(), "{name}: epochs");
    for (of, expected) in &record.history {
        let error = relative(history.get(of).unwrap(), expected, 1e-2);
        assert!(error <= 1e-5, "{name}: {of} differs by {error:e}");
    }
    if let Some(rates) = history.get("learning_rate") {
        assert!(relative(rates, &record.learning_rates, 1e-9) <= 1e-6, "{name}: {rates:?}");
    }
    for (of, expected) in &record.weights {
        let error = absolute(&weights(&model)[of], expected);
        assert!(error <= 1e-5, "{name}: {of} differs by {error:e}");
    }
}

/// The last fifth is held out, and both sides are measured.
#[test]
fn held_out_samples_and_metrics() {
    fitted("plain", vec![], 4, &[]);
}

#[test]
fn class_weight() {
    fitted("class_weight", vec![], 4, &[(0, 0.5), (2, 3.0), (4, 0.0)]);
}

/// Thread 0 reads a batch's outputs while the others go on: they must be that batch's.
#[test]
fn metrics_do_not_depend_on_threads() {
    let description = Sequential::new([INPUTS])
        .add(Dense::new(70).activation(Activation::Relu))
        .add(Dense::new(CLASSES).activation(Activation::Softmax));
    let inputs: Vec<f32> = (0..COUNT * INPUTS).map(|i| (2.0 * unit(200, i) - 1.0) as f32).collect();
    let classes = labels(COUNT, CLASSES as u64);
    let examples = Examples::classes([INPUTS], &inputs, &classes).unwrap();
    let history = |threads| {
        let names = ["auc", "precision", "f1_score", "expected_calibration_error", "mean_margin"];
        let compile = Compile::new(Adam::default(), SparseCategoricalCrossentropy::default().into())
            .metrics(names.map(|name| name.parse().unwrap()))
            .threads(std::num::NonZeroUsize::new(threads).unwrap());
        let mut model = description.compile(compile).unwrap();
        model.fit(&examples, Fit::new().epochs(3).batch_size(9).validation(&examples)).unwrap()
    };
    let expected = history(1);
    assert!(expected.get("mean_margin").unwrap().iter().all(|&margin| margin != 0.0));
    for threads in [2, 3] {
        assert_eq!(history(threads), expected, "{threads} threads");
    }
}

/// Each row is a class, each column what it was taken for.
#[test]
fn confusion_matrix() {
    let inputs = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.5, 0.25, 0.25];
    let examples = Examples::classes([3], &inputs, &[0, 1, 1, 2]).unwrap();
    let compile = Compile::new(Sgd::default(), MeanSquaredError::default().into());
    let model = Sequential::new([3]).add(Rescaling::new(1.0, 0.0)).compile(compile).unwrap();
    let found = model.confusion_matrix(&examples).unwrap();
    assert_eq!(found, [[1, 0, 0], [0, 1, 1], [1, 0, 0]]);
}

#[test]
fn early_stopping() {
    fitted("early_stopping", vec![&mut EarlyStopping::new("val_loss").patience(3)], 30, &[]);
    let mut restores =
        EarlyStopping::new("val_accuracy").min_delta(0.01).patience(4).restore_best_weights(true);
    fitted("early_stopping_restores", vec![&mut restores], 30, &[]);
    let mut late = EarlyStopping::new("val_loss").patience(2).start_from_epoch(6);
    fitted("early_stopping_starts_late", vec![&mut late], 30, &[]);
    let mut baseline = EarlyStopping::new("val_loss").patience(2).baseline(1.0).restore_best_weights(true);
    fitted("early_stopping_baseline", vec![&mut baseline], 30, &[]);
}

#[test]
fn reduce_lr_on_plateau() {
    let mut plain = ReduceLrOnPlateau::new("val_loss").factor(0.5).patience(2).min_lr(0.02);
    fitted("reduce_lr_on_plateau", vec![&mut plain], 20, &[]);
    let mut cooling = ReduceLrOnPlateau::new("loss").factor(0.3).patience(1).min_delta(0.05).cooldown(2);
    fitted("reduce_lr_on_plateau_cooldown", vec![&mut cooling], 20, &[]);
}

#[test]
fn learning_rate_scheduler() {
    let mut scheduler = LearningRateScheduler::new(|epoch, rate| if epoch < 2 { rate } else { 0.5 * rate });
    fitted("learning_rate_scheduler", vec![&mut scheduler], 6, &[]);
}

#[test]
fn swap_ema_weights() {
    fitted("ema", vec![], 4, &[]);
    fitted("swap_ema_weights", vec![&mut SwapEmaWeights::new()], 4, &[]);
    fitted("swap_ema_weights_on_epoch", vec![&mut SwapEmaWeights::new().swap_on_epoch(true)], 4, &[]);
}

/// Callbacks that come later see the averages that a fit of as many epochs ends with; the fit itself is not touched, and
/// ends with its averages when it is stopped, too.
#[test]
fn averages_are_swapped_in_between_epochs() {
    let inputs: Vec<f32> = (0..COUNT * INPUTS).map(|i| (2.0 * unit(200, i) - 1.0) as f32).collect();
    let classes = labels(COUNT, CLASSES as u64);
    let examples = Examples::classes([INPUTS], &inputs, &classes).unwrap();
    let compiled = |optimizer: Optimizer| {
        let compile = Compile::new(optimizer, SparseCategoricalCrossentropy::default().into()).seed(7);
        let last = Dense::new(CLASSES).activation(Activation::Softmax);
        Sequential::new([INPUTS]).add(last).compile(compile).unwrap()
    };
    let average = || Optimizer::new(Adam::default()).ema(0.9, None);
    let ends = |epochs| {
        let mut model = compiled(average());
        model.fit(&examples, Fit::new().epochs(epochs)).unwrap();
        Training::weights(&model)
    };
    let mut seen = Vec::new();
    let mut checkpoint = ModelCheckpoint::new(|_, _, training| {
        seen.push(training.snapshot().tensors[0].1.clone());
        if seen.len() == 2 { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
    });
    let (mut model, mut swap) = (compiled(average()), SwapEmaWeights::new().swap_on_epoch(true));
    let fit = Fit::new().epochs(3).validation(&examples).callback(&mut swap).callback(&mut checkpoint);
    assert_eq!(model.fit(&examples, fit).unwrap().epochs(), 2);
    assert!(Training::weights(&model) == ends(2));
    for (epoch, weights) in seen.iter().enumerate() {
        let mut expected = compiled(average());
        Training::restore(&mut expected, &ends(epoch + 1));
        assert!(*weights == expected.snapshot().tensors[0].1, "epoch {epoch}");
    }
    let mut plain = compiled(Adam::default().into());
    let refused = plain.fit(&examples, Fit::new().callback(&mut SwapEmaWeights::new())).unwrap_err();
    assert!(refused.to_string().contains("use_ema"), "{refused}");
}

/// Optimizers that keep something of their own: memory, moments in panels or row by row, sums of gradients that no
/// step has used up when an epoch of 14 batches ends, averages, a learning rate by step.
fn optimizers_that_keep() -> Vec<Optimizer> {
    vec![
        Nadam::default().into(),
        Lamb::default().into(),
        Adafactor::default().into(),
        Muon::default().into(),
        Optimizer::new(Adam::default()).gradient_accumulation_steps(3),
        Optimizer::new(Adam::default()).ema(0.9, Some(5)),
        Optimizer::new(Sgd::default()).ema(0.9, None),
        Optimizer::new(Sgd::default()).learning_rate(CosineDecay::new(0.1, 50)),
    ]
}

/// Interrupted after two of four epochs, with dropout and an order of its own for each epoch, and gone on with on
/// another number of threads: the bits of a fit that was never interrupted.
#[test]
fn a_resumed_fit_gives_the_same_bits() {
    let description = Sequential::new([INPUTS])
        .add(Dense::new(70).activation(Activation::Relu))
        .add(Dropout::new(0.3))
        .add(Dense::new(CLASSES).activation(Activation::Softmax));
    let inputs: Vec<f32> = (0..COUNT * INPUTS).map(|i| (2.0 * unit(200, i) - 1.0) as f32).collect();
    let classes = labels(COUNT, CLASSES as u64);
    let examples = Examples::classes([INPUTS], &inputs, &classes).unwrap();
    for optimizer in optimizers_that_keep() {
        let compiled = |threads| {
            let compile = Compile::new(optimizer.clone(), SparseCategoricalCrossentropy::default().into())
                .seed(7)
                .threads(std::num::NonZeroUsize::new(threads).unwrap());
            description.compile(compile).unwrap()
        };
        let mut whole = compiled(1);
        whole.fit(&examples, Fit::new().epochs(4).batch_size(12)).unwrap();

        let mut saved = Vec::new();
        let mut checkpoint = ModelCheckpoint::new(|_, _, training| {
            saved.push(training.snapshot());
            std::ops::ControlFlow::Continue(())
        });
        compiled(1).fit(&examples, Fit::new().epochs(2).batch_size(12).callback(&mut checkpoint)).unwrap();
        let (mut resumed, snapshot) = (compiled(2), &saved[1]);
        assert_eq!((saved.len(), snapshot.epochs_done, snapshot.steps), (2, 2, 28));
        resumed.resume(snapshot).unwrap();
        assert_eq!(resumed.snapshot(), *snapshot, "{}", optimizer.name());
        let history = resumed.fit(&examples, Fit::new().initial_epoch(2).epochs(4).batch_size(12)).unwrap();
        assert_eq!(history.epochs(), 2);
        assert!(resumed.snapshot() == whole.snapshot(), "{optimizer:?}");
    }
}

#[test]
fn a_snapshot_of_another_optimizer_is_refused() {
    let model = |optimizer: Optimizer| {
        let compile = Compile::new(optimizer, MeanSquaredError::default().into());
        Sequential::new([INPUTS]).add(Dense::new(70)).compile(compile).unwrap()
    };
    let snapshot = model(Nadam::default().into()).snapshot();
    let error = model(Sgd::default().into()).resume(&snapshot).unwrap_err().to_string();
    assert_eq!(error, "weights: expected nothing, received slot_0/dense/kernel of 1400 numbers");
}

/// Keras refuses to set the learning rate of an optimizer that has a schedule.
#[test]
fn a_callback_does_not_change_a_schedule() {
    let sgd = Optimizer::new(Sgd::default()).learning_rate(CosineDecay::new(0.1, 50));
    let compile = Compile::new(sgd, MeanSquaredError::default().into());
    let mut model = Sequential::new([2]).add(Dense::new(2)).compile(compile).unwrap();
    let examples = Examples::classes([2], &[1.0, 0.0, 0.0, 1.0], &[0, 1]).unwrap();
    let mut plateau = ReduceLrOnPlateau::new("loss");
    let error = model.fit(&examples, Fit::new().callback(&mut plateau)).unwrap_err().to_string();
    assert_eq!(error, "learning_rate: expected one number, as a callback changes it, received cosine_decay");
}

/// Names in order, then a line per epoch, as Keras writes them.
#[test]
fn csv_logger() {
    let inputs = [1.0, 0.0, 0.0, 1.0];
    let examples = Examples::classes([2], &inputs, &[0, 1]).unwrap();
    let compile = Compile::new(Sgd::default(), MeanSquaredError::default().into());
    let mut model = Sequential::new([2]).add(Rescaling::new(1.0, 0.0)).compile(compile).unwrap();
    let mut text = String::new();
    let mut logger = CsvLogger::new(|line: &str| {
        text.push_str(line);
        std::ops::ControlFlow::Continue(())
    });
    model.fit(&examples, Fit::new().epochs(2).validation(&examples).callback(&mut logger)).unwrap();
    assert_eq!(text, "epoch,accuracy,loss,val_accuracy,val_loss\n0,1,0,1,0\n1,1,0,1,0\n");
}

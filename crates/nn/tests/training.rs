//! What a fit promises: the same seed gives the same bits, a fit goes on where the last ended, every
//! random stream changes what it is for and nothing else, and a fit that ends early says why.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use seedbed_nn::callbacks::{Progress, Training};
use seedbed_nn::history::Logs;
use seedbed_nn::plan::reference::{Reference, ReferenceBatch, ReferenceTargets};
use seedbed_nn::prelude::*;
use seedbed_nn::random::{Purpose, Seed, Streams};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;

const COUNT: usize = 43;
const INPUTS: usize = 9;
const CLASSES: usize = 4;

/// Samples that can be learned: a class is where its inputs are largest.
struct Samples {
    inputs: Vec<f32>,
    labels: Vec<u16>,
}

impl Samples {
    fn new() -> Self {
        let mut stream = Streams::new(Seed(5)).open(Purpose::Split, "samples", 0);
        let labels: Vec<u16> = (0..COUNT).map(|_| stream.below(CLASSES as u32) as u16).collect();
        let input = |i: usize| f32::from(u8::from(i % INPUTS % CLASSES == usize::from(labels[i / INPUTS])));
        let inputs = (0..COUNT * INPUTS).map(|i| input(i) + 0.7 * stream.normal()).collect();
        Self { inputs, labels }
    }

    /// The same samples in another order.
    fn ordered(&self, order: &[usize]) -> Self {
        let rows = order.iter().flat_map(|&n| &self.inputs[n * INPUTS..(n + 1) * INPUTS]);
        Self { inputs: rows.copied().collect(), labels: order.iter().map(|&n| self.labels[n]).collect() }
    }

    fn examples(&self) -> Examples<'_> {
        Examples::classes([INPUTS], &self.inputs, &self.labels).unwrap()
    }
}

fn loss() -> Loss {
    SparseCategoricalCrossentropy::default().into()
}

fn model(dropout: Option<f64>) -> Sequential {
    let model = Sequential::new([INPUTS]).add(Dense::new(20).activation(Activation::Relu));
    let model = match dropout {
        Some(rate) => model.add(Dropout::new(rate)),
        None => model,
    };
    model.add(Dense::new(CLASSES).activation(Activation::Softmax))
}

fn fit<'a>(epochs: usize) -> Fit<'a> {
    Fit::new().epochs(epochs).batch_size(8)
}

/// All weights, as bits.
fn bits(model: &Model) -> Vec<Vec<u32>> {
    let weight = |name: &str| model.weight(name).unwrap().iter().map(|w| w.to_bits()).collect();
    model.params().iter().map(|param| weight(&param.name)).collect()
}

/// The weights before and after three epochs.
fn before_and_after(model: &Sequential, streams: Streams, shuffle: bool) -> [Vec<Vec<u32>>; 2] {
    let samples = Samples::new();
    let mut model = model.compile(Compile::new(Nadam::default(), loss()).streams(streams)).unwrap();
    let before = bits(&model);
    model.fit(&samples.examples(), fit(3).shuffle(shuffle)).unwrap();
    [before, bits(&model)]
}

fn streams() -> Streams {
    Streams::new(Seed(7))
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_does_not() {
    let trained = |seed| before_and_after(&model(Some(0.3)), Streams::new(Seed(seed)), true);
    assert_eq!(trained(7), trained(7));
    let [[before, after], [other_before, other_after]] = [trained(7), trained(8)];
    assert_ne!(before, other_before);
    assert_ne!(after, other_after);
}

/// The order of an epoch is the shuffle stream's: training by hand on samples laid out in that
/// order, without shuffling, gives the same bits.
#[test]
fn every_epoch_has_its_own_order_drawn_from_the_shuffle_stream() {
    let samples = Samples::new();
    let compile = || Compile::new(Adam::default(), loss()).streams(streams());
    let mut by_hand = model(Some(0.3)).compile(compile()).unwrap();
    let mut orders = Vec::new();
    for epoch in 0..3 {
        let mut order: Vec<usize> = (0..COUNT).collect();
        streams().open(Purpose::Shuffle, "epoch", epoch).shuffle(&mut order);
        by_hand.fit(&samples.ordered(&order).examples(), fit(1).shuffle(false)).unwrap();
        orders.push(order);
    }
    assert!(orders[0] != orders[1] && orders[1] != orders[2]);
    let mut shuffled = model(Some(0.3)).compile(compile()).unwrap();
    shuffled.fit(&samples.examples(), fit(3)).unwrap();
    assert_eq!(bits(&shuffled), bits(&by_hand));
    let mut unshuffled = model(Some(0.3)).compile(compile()).unwrap();
    unshuffled.fit(&samples.examples(), fit(3).shuffle(false)).unwrap();
    assert_ne!(bits(&unshuffled), bits(&by_hand));
}

/// Epochs, steps, moments, masks and orders all go on: two fits are one longer one.
#[test]
fn a_fit_goes_on_where_the_last_ended() {
    let samples = Samples::new();
    for name in Optimizer::NAMES {
        let optimizer: Optimizer = name.parse().unwrap();
        let compile = || model(Some(0.3)).compile(Compile::new(optimizer.clone(), loss()).seed(3)).unwrap();
        let (mut once, mut twice) = (compile(), compile());
        let whole = once.fit(&samples.examples(), fit(4)).unwrap();
        let first = twice.fit(&samples.examples(), fit(1)).unwrap();
        let rest = twice.fit(&samples.examples(), fit(3)).unwrap();
        assert_eq!(bits(&once), bits(&twice), "{name}");
        let joined = [first.get("loss").unwrap(), rest.get("loss").unwrap()].concat();
        assert_eq!(whole.get("loss").unwrap(), joined, "{name}");
        let mut from_scratch = compile();
        from_scratch.fit(&samples.examples(), fit(3)).unwrap();
        assert_ne!(bits(&once), bits(&from_scratch), "{name}");
    }
}

#[test]
fn the_init_stream_decides_the_first_weights_and_nothing_else() {
    let [before, after] = before_and_after(&model(Some(0.3)), streams(), true);
    let [varied, _] = before_and_after(&model(Some(0.3)), streams().with(Purpose::Init, Seed(8)), true);
    assert_ne!(before, varied);
    for purpose in Purpose::ALL.into_iter().filter(|&purpose| purpose != Purpose::Init) {
        let varied = streams().with(purpose, Seed(8));
        assert_eq!(before_and_after(&model(Some(0.3)), varied, true)[0], before, "{purpose:?}");
    }
    // Where nothing is drawn for the weights, the batches and masks of another init stream show.
    let given = Initializer::Identity { gain: 0.5 };
    let drawless = Sequential::new([INPUTS])
        .add(Dense::new(20).activation(Activation::Relu).kernel_initializer(given))
        .add(Dropout::new(0.3))
        .add(Dense::new(CLASSES).activation(Activation::Softmax).kernel_initializer(given));
    let varied = streams().with(Purpose::Init, Seed(8));
    let held = before_and_after(&drawless, streams(), true);
    assert_eq!(held, before_and_after(&drawless, varied, true));
    assert_ne!(held[0], held[1]);
    assert_ne!(before, after);
}

#[test]
fn the_shuffle_stream_decides_the_order_and_nothing_else() {
    let varied = streams().with(Purpose::Shuffle, Seed(8));
    let trained = |streams, shuffle| before_and_after(&model(Some(0.3)), streams, shuffle);
    assert_ne!(trained(streams(), true)[1], trained(varied, true)[1]);
    assert_eq!(trained(streams(), false), trained(varied, false));
}

#[test]
fn the_dropout_stream_decides_the_masks_and_nothing_else() {
    let varied = streams().with(Purpose::Dropout, Seed(8));
    let [with, without] = [model(Some(0.3)), model(None)];
    assert_ne!(before_and_after(&with, streams(), true)[1], before_and_after(&with, varied, true)[1]);
    assert_eq!(before_and_after(&without, streams(), true), before_and_after(&without, varied, true));
}

#[test]
fn streams_that_a_model_does_not_use_change_nothing() {
    for purpose in [Purpose::Noise, Purpose::Split, Purpose::Augmentation, Purpose::Labels] {
        let varied = streams().with(purpose, Seed(8));
        let trained = |streams| before_and_after(&model(Some(0.3)), streams, true);
        assert_eq!(trained(streams()), trained(varied), "{purpose:?}");
    }
}

/// Keeps the loss of every batch, told from the running means.
#[derive(Default)]
struct BatchLosses {
    losses: Vec<f64>,
    sum: f64,
}

impl Callback for BatchLosses {
    fn on_batch_end(&mut self, at: Progress, so_far: &seedbed_nn::Score) -> ControlFlow<()> {
        let before = if at.batch == 1 { 0.0 } else { self.sum };
        self.sum = so_far.loss() * so_far.samples() as f64;
        self.losses.push(self.sum - before);
        ControlFlow::Continue(())
    }
}

/// With and without Dropout, a model starts from the same weights and sees the same batches. What is
/// seen shows in the loss where it depends on the label alone: a kernel of zeros, and steps too
/// small to move a weight.
#[test]
fn variants_of_a_model_share_their_draws() {
    let samples = Samples::new();
    let [with, without] = [
        before_and_after(&model(Some(0.3)), streams(), true),
        before_and_after(&model(None), streams(), true),
    ];
    assert_eq!(with[0], without[0]);
    assert_ne!(with[1], without[1]);

    let seen = |dropout: bool| {
        let bias = Initializer::RandomUniform { minval: -1.0, maxval: 1.0, seed: None };
        let blind = Dense::new(CLASSES).kernel_initializer(Initializer::Zeros).bias_initializer(bias);
        let model = Sequential::new([INPUTS]);
        let model = if dropout { model.add(Dropout::new(0.5)) } else { model };
        let model = model.add(blind.activation(Activation::Softmax));
        let compile = Compile::new(Optimizer::new(Sgd::default()).learning_rate(1e-30), loss());
        let mut model = model.compile(compile.streams(streams())).unwrap();
        let mut losses = BatchLosses::default();
        model.fit(&samples.examples(), Fit::new().epochs(2).batch_size(1).callback(&mut losses)).unwrap();
        losses.losses
    };
    let (with, without) = (seen(true), seen(false));
    assert_eq!(with, without);
    assert_eq!(with.len(), 2 * COUNT);
    assert!(with[..COUNT].iter().zip(&with[COUNT..]).any(|(a, b)| (a - b).abs() > 1e-3), "one order");
}

/// Of what a callback hears.
#[derive(Default)]
struct Heard {
    epochs: Vec<Progress>,
    logs: Vec<Logs>,
    batches: Vec<Progress>,
    ended: usize,
    stop_at: Option<(usize, usize)>,
}

impl Callback for Heard {
    fn on_epoch_begin(&mut self, at: Progress, _training: &mut dyn Training) {
        self.epochs.push(at);
    }

    fn on_batch_end(&mut self, at: Progress, so_far: &seedbed_nn::Score) -> ControlFlow<()> {
        assert_eq!(so_far.samples(), COUNT.min(at.batch * 8));
        self.batches.push(at);
        if self.stop_at == Some((at.epoch, at.batch)) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn on_epoch_end(&mut self, at: Progress, logs: &Logs, _: &mut dyn Training) -> ControlFlow<()> {
        assert_eq!((at.batch, at.batches), (6, 6));
        self.logs.push(logs.clone());
        ControlFlow::Continue(())
    }

    fn on_train_end(&mut self, _: &mut dyn Training) {
        self.ended += 1;
    }
}

#[test]
fn callbacks_hear_of_every_batch_and_epoch_and_the_history_keeps_what_they_hear() {
    let samples = Samples::new();
    let (all, few) = (samples.examples(), samples.examples().slice(0, 7));
    let mut model = model(None).compile(Compile::new(Adam::default(), loss())).unwrap();
    let mut heard = Heard::default();
    let history = model.fit(&all, fit(2).validation(&few).watch("all", &all).callback(&mut heard)).unwrap();
    let at = |epoch, batch| Progress { epoch, epochs: 2, batch, batches: 6 };
    assert_eq!(heard.epochs, [at(0, 0), at(1, 0)]);
    let batches: Vec<Progress> =
        (0..2).flat_map(|epoch| (1..=6).map(move |batch| at(epoch, batch))).collect();
    assert_eq!((heard.batches, heard.ended), (batches, 1));

    assert_eq!((history.epochs(), &history.ending), (2, &Ending::Finished));
    let names = ["loss", "accuracy", "val_loss", "val_accuracy", "all_loss", "all_accuracy"];
    assert_eq!(history.names().collect::<Vec<_>>(), names);
    for name in names {
        let logged: Vec<f64> = heard.logs.iter().map(|logs| logs.get(name).unwrap()).collect();
        assert_eq!(history.get(name).unwrap(), logged, "{name}");
    }
    // The last epoch's scores are those of the final weights; the running ones are not.
    let (few, all) = (model.evaluate(&few).unwrap(), model.evaluate(&all).unwrap());
    assert_eq!(history.get("val_loss").unwrap()[1], few.loss());
    assert_eq!(history.get("val_accuracy").unwrap()[1], few.accuracy());
    assert_eq!((few.samples(), all.samples()), (7, COUNT));
    assert_eq!(history.get("all_loss").unwrap()[1], all.loss());
    assert_ne!(history.get("loss").unwrap()[1], all.loss());
}

#[test]
fn a_callback_ends_a_fit_within_an_epoch() {
    let samples = Samples::new();
    for threads in [1, 2] {
        let compile = Compile::new(Adam::default(), loss()).threads(NonZeroUsize::new(threads).unwrap());
        let mut model = model(None).compile(compile).unwrap();
        let mut heard = Heard { stop_at: Some((1, 2)), ..Heard::default() };
        let history = model.fit(&samples.examples(), fit(5).callback(&mut heard)).unwrap();
        assert_eq!((heard.logs.len(), history.epochs()), (1, 1));
        assert_eq!((history.ending, heard.batches.len(), heard.ended), (Ending::Stopped, 8, 1));
    }
}

/// The oracle says which batch is the first whose loss is not finite.
#[test]
fn a_fit_that_diverges_ends_at_the_batch_and_says_so() {
    let samples = Samples::new();
    let sgd = Optimizer::new(Sgd::default()).learning_rate(1e30);
    let compile = || model(None).compile(Compile::new(sgd.clone(), loss()).seed(1)).unwrap();
    let mut oracle = Reference::<f32>::new(compile().plan(), &Streams::new(Seed(1)));
    let diverged = |batch: usize| {
        let range = batch * 8..COUNT.min(batch * 8 + 8);
        let classes = samples.labels[range.clone()].iter().map(|&label| label.into()).collect();
        let inputs = samples.inputs[range.start * INPUTS..range.end * INPUTS].to_vec();
        let batch =
            ReferenceBatch { inputs, targets: ReferenceTargets::Classes(classes), samples: range.len() };
        !oracle.train(&batch).loss.is_finite()
    };
    let batch = (0..6).position(diverged).unwrap();
    for threads in [1, 2] {
        let compile = Compile::new(sgd.clone(), loss()).seed(1).threads(NonZeroUsize::new(threads).unwrap());
        let mut model = model(None).compile(compile).unwrap();
        let mut heard = Heard::default();
        let history = model.fit(&samples.examples(), fit(3).shuffle(false).callback(&mut heard)).unwrap();
        assert_eq!(history.ending, Ending::Diverged { epoch: 0, batch }, "{threads} threads");
        assert_eq!((heard.batches.len(), heard.logs.len(), heard.ended), (batch, 0, 1));
        assert_eq!((history.epochs(), history.get("loss")), (0, None));
        // Whoever goes on with these weights all the same is told again.
        assert!(!model.evaluate(&samples.examples()).unwrap().loss().is_finite());
        let again = model.fit(&samples.examples(), fit(1)).unwrap();
        assert_eq!(again.ending, Ending::Diverged { epoch: 0, batch: 0 });
    }
}

#[test]
fn early_stopping_ends_a_fit_and_brings_back_the_best_weights() {
    let samples = Samples::new();
    let examples = samples.examples();
    let (training, held_out) = (examples.slice(0, 30), examples.slice(30, COUNT));
    let mut model = model(None).compile(Compile::new(Adam::default(), loss())).unwrap();
    let mut stopping = EarlyStopping::new("val_loss").patience(3).restore_best_weights(true);
    let options = fit(2_000).validation(&held_out).callback(&mut stopping);
    let history = model.fit(&training, options).unwrap();
    assert_eq!(history.ending, Ending::Stopped);
    let losses = history.get("val_loss").unwrap();
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(losses.iter().position(|&loss| loss == best), Some(losses.len() - 4));
    assert_eq!(model.evaluate(&held_out).unwrap().loss(), best);
}

/// A model without weights has nothing to move: the score is all that its threads wait for. If they
/// ever wait for each other in vain, this test fails instead of waiting too.
#[test]
fn a_model_without_weights_can_be_fitted_and_stopped() {
    let (done, all_done) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for _ in 0..50 {
            stop_a_model_without_weights();
        }
        done.send(())
    });
    assert_eq!(all_done.recv_timeout(std::time::Duration::from_secs(30)), Ok(()));
}

fn stop_a_model_without_weights() {
    let samples = Samples::new();
    let inputs: Vec<f32> = samples.inputs.chunks(INPUTS).flat_map(|row| row[..CLASSES].to_vec()).collect();
    let examples = Examples::classes([CLASSES], &inputs, &samples.labels).unwrap();
    let compile = Compile::new(Adam::default(), loss()).threads(NonZeroUsize::new(2).unwrap());
    let softmax = ActivationLayer::new(Activation::Softmax);
    let mut model = Sequential::new([CLASSES]).add(softmax).compile(compile).unwrap();
    let mut heard = Heard { stop_at: Some((0, 2)), ..Heard::default() };
    let history = model.fit(&examples, fit(1).callback(&mut heard)).unwrap();
    assert_eq!((history.ending, heard.batches.len()), (Ending::Stopped, 2));
}

/// The weights as the engine has them, padding and all.
#[derive(Default)]
struct Copy(Vec<f32>);

impl Callback for Copy {
    fn on_train_end(&mut self, weights: &mut dyn Training) {
        self.0 = weights.weights();
    }
}

#[test]
fn what_pads_the_weights_stays_zero() {
    let samples = Samples::new();
    for (name, threads) in Optimizer::NAMES.iter().flat_map(|name| [(name, 1), (name, 2)]) {
        let optimizer: Optimizer = name.parse().unwrap();
        let compile = Compile::new(optimizer.clone(), loss()).threads(NonZeroUsize::new(threads).unwrap());
        let mut model = model(Some(0.2)).compile(compile).unwrap();
        let mut copy = Copy::default();
        model.fit(&samples.examples(), fit(2).callback(&mut copy)).unwrap();
        let (mut padding, mut count) = (copy.0, 0);
        for (index, param) in model.params().iter().enumerate() {
            let place = model.plan().layout.place(seedbed_nn::ops::ParamId(index));
            for (i, value) in model.weight(&param.name).unwrap().into_iter().enumerate() {
                let at = place.at(i / param.cols(), i % param.cols());
                assert_eq!(padding[at], value, "{name}: {}[{i}]", param.name);
                padding[at] = 0.0;
                count += 1;
            }
        }
        assert!(count < padding.len(), "nothing is padded");
        assert!(padding.iter().all(|w| w.to_bits() == 0), "{name}: {padding:?}");
    }
}

/// Its weights stay, those around it move, and its penalty is not in the loss: as in Keras, where
/// only trainable weights are penalised (`keras/src/layers/layer.py`).
#[test]
fn a_layer_that_is_not_trained_keeps_its_weights() {
    let inputs: Vec<f32> = (0..60).map(|i| (i as f32 * 0.7).sin()).collect();
    let labels: Vec<u16> = (0..20).map(|i| i % 2).collect();
    let examples = Examples::classes([3], &inputs, &labels).unwrap();
    let model = |trainable, penalty| {
        let frozen = Dense::new(5).trainable(trainable).kernel_regularizer(Regularizer::l2(penalty));
        Sequential::new([3])
            .add(Dense::new(4).activation(Activation::Relu))
            .add(frozen)
            .add(Dense::new(2).activation(Activation::Softmax))
            .compile(Compile::new(Adam::default(), SparseCategoricalCrossentropy::default().into()))
            .unwrap()
    };
    let mut frozen = model(false, 100.0);
    let before: Vec<Vec<f32>> = frozen.params().iter().map(|p| frozen.weight(&p.name).unwrap()).collect();
    let unpenalised = model(true, 0.0).evaluate(&examples).unwrap().loss();
    assert_eq!(frozen.evaluate(&examples).unwrap().loss(), unpenalised);
    assert!(model(true, 100.0).evaluate(&examples).unwrap().loss() > unpenalised + 1.0);
    frozen.fit(&examples, Fit::new().epochs(2)).unwrap();
    for (param, before) in frozen.params().iter().zip(&before) {
        let is_frozen = param.name.starts_with("dense_1/");
        assert_eq!(param.spec.trainable, !is_frozen, "{}", param.name);
        assert_eq!(&frozen.weight(&param.name).unwrap() == before, is_frozen, "{}", param.name);
    }
}

/// Layers that are active in training only: there they change what is learned, at inference nothing.
#[test]
fn random_layers_are_silent_at_inference() {
    let inputs: Vec<f32> = (0..30 * 32).map(|i| ((i * i) as f32 * 0.37).sin()).collect();
    let labels: Vec<u16> = (0..30).map(|i| i % 3).collect();
    let examples = Examples::classes([4, 4, 2], &inputs, &labels).unwrap();
    let loss: Loss = MeanSquaredError::default().into();
    let model = |layer: Option<Layer>| {
        let model = layer.into_iter().fold(Sequential::new([4, 4, 2]), Sequential::add);
        let model = model.add(Flatten::new()).add(Dense::new(3));
        model.compile(Compile::new(Sgd::default(), loss).seed(3)).unwrap()
    };
    let mut plain = model(None);
    let (outputs, score) = (plain.predict(&examples).unwrap(), plain.evaluate(&examples).unwrap());
    plain.fit(&examples, Fit::new()).unwrap();
    let layers: [Layer; 12] = [
        Dropout::new(0.5).into(),
        SpatialDropout2D::new(0.5).into(),
        AlphaDropout::new(0.5).into(),
        GaussianDropout::new(0.5).into(),
        GaussianNoise::new(0.5).into(),
        RandomTranslation::new(0.5, 0.5).into(),
        RandomRotation::new(0.5).into(),
        RandomZoom::new(0.5).into(),
        RandomFlip::new().into(),
        RandomContrast::new(0.5).value_range([-1.0, 1.0]).into(),
        RandomErasing::new().value_range([0.0, 1.0]).into(),
        MixUp::new().into(),
    ];
    for layer in layers {
        let name = format!("{layer:?}");
        let mut model = model(Some(layer));
        assert_eq!(model.predict(&examples).unwrap(), outputs, "{name}");
        assert_eq!(model.evaluate(&examples).unwrap().loss(), score.loss(), "{name}");
        model.fit(&examples, Fit::new()).unwrap();
        assert_ne!(model.weight("dense/kernel"), plain.weight("dense/kernel"), "{name}");
    }
}

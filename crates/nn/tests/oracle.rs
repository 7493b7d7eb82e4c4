//! The engine gives the oracle's bits: every op and every optimizer, odd shapes, a short last batch,
//! sparse and dense inputs, every vector level of this machine, one to three threads.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use seedbed_nn::callbacks::Progress;
use seedbed_nn::constraints::{Axes, Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm};
use seedbed_nn::plan::reference::{Reference, ReferenceBatch, ReferenceTargets};
use seedbed_nn::prelude::*;
use seedbed_nn::random::{Purpose, Seed, Streams};
use seedbed_nn::regularizers::{OrthogonalRegularizer, Vectors};
use seedbed_nn::schedules::CosineDecay;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;

const SEED: u64 = 11;

/// Samples for a model: odd in number, so that the last batch is short.
struct Samples {
    shape: Vec<usize>,
    inputs: Vec<f32>,
    labels: Vec<u16>,
}

fn samples(shape: &[usize], count: usize, classes: u32, density: f32) -> Samples {
    let mut stream = Streams::new(Seed(3)).open(Purpose::Split, "samples", 0);
    let width: usize = shape.iter().product();
    let inputs =
        (0..count * width).map(|_| if stream.uniform() < density { stream.normal() } else { 0.0 }).collect();
    let labels = (0..count).map(|_| stream.below(classes) as u16).collect();
    Samples { shape: shape.to_vec(), inputs, labels }
}

/// Keeps the running loss after every batch.
#[derive(Default)]
struct Losses(Vec<f64>);

impl Callback for Losses {
    fn on_batch_end(&mut self, _: Progress, so_far: &seedbed_nn::Score) -> ControlFlow<()> {
        self.0.push(so_far.loss());
        ControlFlow::Continue(())
    }
}

struct Case {
    name: String,
    model: Sequential,
    optimizer: Optimizer,
    loss: Loss,
    batch: usize,
    samples: Samples,
}

const EPOCHS: usize = 3;

/// What the oracle gives: running losses, weights and outputs.
fn oracle(case: &Case) -> (Vec<f64>, Vec<Vec<f32>>, Vec<f32>) {
    let streams = Streams::new(Seed(SEED));
    let model = case.model.compile(Compile::new(case.optimizer.clone(), case.loss).streams(streams)).unwrap();
    let mut oracle = Reference::<f32>::new(model.plan(), &streams);
    let width: usize = case.samples.shape.iter().product();
    let batch = |range: std::ops::Range<usize>| ReferenceBatch {
        inputs: case.samples.inputs[range.start * width..range.end * width].to_vec(),
        targets: targets(case, range.clone()),
        samples: range.len(),
    };
    let count = case.samples.labels.len();
    let mut running = Vec::new();
    for _ in 0..EPOCHS {
        let (mut sum, mut seen) = (0.0, 0);
        for start in (0..count).step_by(case.batch) {
            let batch = batch(start..count.min(start + case.batch));
            sum += f64::from(oracle.train(&batch).loss) * batch.samples as f64;
            seen += batch.samples;
            running.push(sum / seen as f64);
        }
    }
    oracle.finalize_variable_values();
    let outputs = oracle.evaluate(&batch(0..count)).outputs;
    (running, oracle.weights, outputs)
}

fn targets(case: &Case, range: std::ops::Range<usize>) -> ReferenceTargets<f32> {
    let labels = &case.samples.labels[range];
    if matches!(case.loss.name(), "sparse_categorical_crossentropy" | "categorical_generalized_cross_entropy")
    {
        return ReferenceTargets::Classes(labels.iter().map(|&label| usize::from(label)).collect());
    }
    let outputs = case.model.summary().unwrap().rows.last().unwrap().output_shape.size();
    let one_hot = |&label: &u16| (0..outputs).map(move |i| if i == usize::from(label) { 1.0 } else { 0.0 });
    ReferenceTargets::Rows(labels.iter().flat_map(one_hot).collect())
}

fn check(case: &Case) {
    let (losses, weights, outputs) = oracle(case);
    let examples =
        Examples::classes(case.samples.shape.clone(), &case.samples.inputs, &case.samples.labels).unwrap();
    for simd in SimdLevel::available() {
        for threads in 1..=3 {
            let place = format!("{}, {simd}, {threads} threads", case.name);
            let options = Compile::new(case.optimizer.clone(), case.loss).seed(SEED).simd(simd);
            let mut model = case.model.compile(options.threads(NonZeroUsize::new(threads).unwrap())).unwrap();
            let mut seen = Losses::default();
            let fit = Fit::new().epochs(EPOCHS).batch_size(case.batch).shuffle(false).callback(&mut seen);
            let history = model.fit(&examples, fit).unwrap();
            assert_eq!(history.ending, Ending::Finished, "{place}");
            assert_eq!(seen.0, losses, "running losses: {place}");
            let names: Vec<String> = model.params().iter().map(|param| param.name.clone()).collect();
            for (name, expected) in names.iter().zip(&weights) {
                let bits = |values: &[f32]| values.iter().map(|w| w.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&model.weight(name).unwrap()), bits(expected), "{name}: {place}");
            }
            assert_eq!(model.predict(&examples).unwrap(), outputs, "outputs: {place}");
        }
    }
}

fn sparse_crossentropy() -> Loss {
    "sparse_categorical_crossentropy".parse().unwrap()
}

fn case(name: &str, model: Sequential, optimizer: &str, loss: Loss, batch: usize, samples: Samples) -> Case {
    Case { name: name.into(), model, optimizer: optimizer.parse().unwrap(), loss, batch, samples }
}

/// The lesson's model in small.
fn small(hidden: usize, activation: Activation, classes: usize) -> Sequential {
    Sequential::new([7, 5])
        .add(Flatten::new())
        .add(Dense::new(hidden).activation(activation))
        .add(Dense::new(classes).activation(Activation::Softmax))
}

#[test]
fn every_optimizer() {
    let with = |optimizer: Optimizer| {
        let samples = samples(&[7, 5], 37, 5, 0.2);
        let model = small(33, Activation::Relu, 5);
        let name = format!("{optimizer:?}");
        check(&Case { name, model, optimizer, loss: sparse_crossentropy(), batch: 8, samples });
    };
    Optimizer::NAMES.iter().for_each(|name| with(name.parse().unwrap()));
    with(Sgd { momentum: 0.9, nesterov: false }.into());
    with(Sgd { momentum: 0.9, nesterov: true }.into());
    with(RmsProp { momentum: 0.5, centered: true, ..RmsProp::default() }.into());
    with(RmsProp { momentum: 0.5, ..RmsProp::default() }.into());
    with(Adam { amsgrad: true, ..Adam::default() }.into());
}

/// What all optimizers can do, with a rule for single weights and one for whole variables; 5 batches per epoch, so that
/// sums of gradients are left over.
#[test]
fn every_option_of_optimizers() {
    for rule in [Optimizer::new(Adam::default()), Optimizer::new(Lamb::default())] {
        let rule = || rule.clone().learning_rate(0.05);
        let schedule = CosineDecay { warmup_target: Some(0.1), warmup_steps: 3, ..CosineDecay::new(0.0, 10) };
        for optimizer in [
            rule().weight_decay(0.1).exclude_from_weight_decay(&["bias", "dense_1"]),
            rule().clipvalue(0.01),
            rule().clipnorm(0.05),
            rule().global_clipnorm(0.05),
            rule().ema(0.9, None),
            rule().ema(0.9, Some(3)),
            rule().gradient_accumulation_steps(2),
            rule().gradient_accumulation_steps(3).clipnorm(0.05).weight_decay(0.1).ema(0.8, Some(2)),
            rule().learning_rate(schedule),
        ] {
            let model = small(33, Activation::Relu, 5);
            let (name, loss) = (format!("{optimizer:?}"), sparse_crossentropy());
            check(&Case { name, model, optimizer, loss, batch: 8, samples: samples(&[7, 5], 37, 5, 0.2) });
        }
    }
    let muon =
        Muon { nesterov: false, rms_rate: 0.0, exclude_layers: vec!["dense_1".into()], ..Muon::default() };
    let ftrl =
        Ftrl { learning_rate_power: -0.7, l1_regularization_strength: 1e-3, beta: 0.1, ..Ftrl::default() };
    for optimizer in [Optimizer::new(muon), ftrl.into()] {
        let (name, samples) = (format!("{optimizer:?}"), samples(&[7, 5], 37, 5, 1.0));
        let (model, loss) = (small(130, Activation::Relu, 5), sparse_crossentropy());
        check(&Case { name, model, optimizer, loss, batch: 8, samples });
    }
}

#[test]
fn constraints() {
    let axis = |axis: i64| Axes::from(axis);
    for (name, kernel, bias) in [
        ("columns", Constraint::from(MaxNorm::new(0.5)), Constraint::from(NonNeg {})),
        ("rows", MaxNorm { max_value: 0.5, axis: axis(1) }.into(), UnitNorm { axis: axis(-1) }.into()),
        ("all", UnitNorm { axis: Axes::from([0, 1]) }.into(), MaxNorm::new(0.1).into()),
        (
            "between",
            MinMaxNorm { min_value: 0.4, max_value: 0.8, rate: 0.5, axis: axis(0) }.into(),
            MinMaxNorm::default().into(),
        ),
    ] {
        let hidden = Dense::new(70).activation(Activation::Tanh);
        let hidden = hidden.kernel_constraint(kernel.clone()).bias_constraint(bias);
        let last = Dense::new(3).activation(Activation::Softmax).kernel_constraint(kernel);
        let model = Sequential::new([12]).add(hidden).add(last);
        check(&case(name, model, "adam", sparse_crossentropy(), 5, samples(&[12], 23, 3, 1.0)));
    }
}

/// Kernels of convolutions have four axes, what normalises one row; penalties on outputs stand between a convolution and
/// its pooling, on moved axes, and on an input in lists.
#[test]
fn options_of_layers_with_variables() {
    let norms = |axis: Axes| MaxNorm { max_value: 0.4, axis };
    let penalty = Regularizer::l1_l2(0.01, 0.02);
    let layers: [Vec<Layer>; 6] = [
        vec![
            Conv2D::new(20, 3)
                .activation(Activation::Relu)
                .kernel_constraint(MaxNorm::new(0.2))
                .bias_constraint(NonNeg {})
                .activity_regularizer(penalty)
                .into(),
            MaxPooling2D::new(2).into(),
        ],
        vec![Conv2D::new(6, 2).groups(2).kernel_constraint(norms([0, 1, 2].into())).into()],
        vec![
            DepthwiseConv2D::new(2)
                .depth_multiplier(2)
                .depthwise_constraint(norms([0, 1].into()))
                .bias_constraint(UnitNorm::default())
                .activity_regularizer(penalty)
                .into(),
        ],
        vec![
            BatchNormalization::new()
                .axis(1)
                .gamma_constraint(MaxNorm::new(1.0))
                .beta_constraint(NonNeg {})
                .activity_regularizer(penalty)
                .into(),
        ],
        vec![
            GroupNormalization::new().groups(2).axis(2).gamma_constraint(UnitNorm::default()).into(),
            LayerNormalization::new().beta_constraint(NonNeg {}).activity_regularizer(penalty).into(),
            RMSNormalization::new().activity_regularizer(penalty).into(),
            PReLU::new().alpha_constraint(NonNeg {}).into(),
        ],
        vec![
            ActivityRegularization::new(0.01, 0.0).into(),
            Dropout::new(0.2).into(),
            ActivityRegularization::new(0.0, 0.02).name("second").into(),
            UnitNormalization::new().axis([1, 2]).activity_regularizer(penalty).into(),
        ],
    ];
    for (i, layers) in layers.into_iter().enumerate() {
        let model = layers.into_iter().fold(Sequential::new([6, 8, 4]), Sequential::add);
        let model = model.add(Flatten::new()).add(Dense::new(3).activation(Activation::Softmax));
        for density in [0.1, 1.0] {
            let name = format!("options {i}, density {density}");
            let samples = samples(&[6, 8, 4], 13, 3, density);
            check(&case(&name, model.clone(), "adam", sparse_crossentropy(), 5, samples));
        }
    }
}

#[test]
fn every_activation() {
    for name in Activation::NAMES {
        let activation: Activation = name.parse().unwrap();
        let samples = samples(&[7, 5], 21, 4, 1.0);
        // GLU halves its outputs.
        let hidden = if activation == Activation::Glu { 38 } else { 19 };
        check(&case(name, small(hidden, activation, 4), "adam", sparse_crossentropy(), 6, samples));
    }
}

#[test]
fn odd_shapes() {
    for (hidden, classes, batch, count, density) in [
        (1, 2, 1, 5, 1.0),
        (130, 17, 33, 70, 0.1),
        (64, 10, 32, 64, 0.1),
        (200, 40, 50, 101, 1.0),
        (16, 3, 64, 40, 0.5),
    ] {
        let samples = samples(&[7, 5], count, classes as u32, density);
        let name = format!("{hidden} hidden, {classes} classes, batch {batch}, density {density}");
        check(&case(
            &name,
            small(hidden, Activation::Relu, classes),
            "adam",
            sparse_crossentropy(),
            batch,
            samples,
        ));
    }
}

#[test]
fn every_layer_and_dropout() {
    let model = Sequential::new([7, 5])
        .add(Rescaling::new(0.5, -0.25))
        .add(Flatten::new())
        .add(Dense::new(40).activation(Activation::Gelu { approximate: false }))
        .add(Dropout::new(0.3))
        .add(Dense::new(24).use_bias(false))
        .add(ActivationLayer::new(Activation::Selu))
        .add(Dropout::new(0.5))
        .add(Dense::new(18).activation(Activation::Softmax))
        .add(Dense::new(6))
        .add(ActivationLayer::new(Activation::Softmax));
    check(&case("deep", model.clone(), "nadam", sparse_crossentropy(), 8, samples(&[7, 5], 37, 6, 1.0)));
    check(&case("deep, sparse", model, "nadam", sparse_crossentropy(), 8, samples(&[7, 5], 37, 6, 0.1)));
}

/// Kernels large enough for lists of hidden values. Half of relu's outputs are not zero, dropout leaves a quarter; more than
/// 64 samples take two masks, 300 inputs end in a part of a panel and of a block.
#[test]
fn hidden_values_that_are_mostly_zero() {
    for (rate, trained, batch) in [(0.7, [true; 3], 70), (0.5, [true, false, true], 33), (0.0, [true; 3], 70)]
    {
        let dense = |units| Dense::new(units).activation(Activation::Relu);
        let model = Sequential::new([20])
            .add(dense(300))
            .add(Dropout::new(rate))
            .add(dense(150).trainable(trained[1]).kernel_regularizer(Regularizer::l2(0.01)))
            .add(Dropout::new(rate))
            .add(dense(130).use_bias(false))
            .add(Dropout::new(rate))
            .add(Dense::new(4).activation(Activation::Softmax));
        let name = format!("wide, dropout {rate}, batch {batch}");
        check(&case(&name, model, "adam", sparse_crossentropy(), batch, samples(&[20], 151, 4, 1.0)));
    }
}

/// First, in the middle, and with a penalty that then does not count.
#[test]
fn layers_that_are_not_trained() {
    let layers = |trained: [bool; 3]| {
        Sequential::new([7, 5])
            .add(Flatten::new())
            .add(Dense::new(20).activation(Activation::Tanh).trainable(trained[0]))
            .add(Dense::new(17).trainable(trained[1]).kernel_regularizer(Regularizer::l2(0.1)))
            .add(Dense::new(4).activation(Activation::Softmax).trainable(trained[2]))
    };
    for trained in [[false, true, true], [true, false, true], [false, false, true], [true, true, false]] {
        let name = format!("trained: {trained:?}");
        let samples = samples(&[7, 5], 21, 4, 0.3);
        check(&case(&name, layers(trained), "adam", sparse_crossentropy(), 6, samples));
    }
}

/// Rows whose channels, runs and groups fill no lane, one lane, or several.
#[test]
fn normalization() {
    let pictures = |shape: [usize; 3], layer: Layer| {
        Sequential::new(shape)
            .add(layer)
            .add(Flatten::new())
            .add(Dense::new(9).activation(Activation::Relu))
            .add(BatchNormalization::new().momentum(0.8))
            .add(Dense::new(4).activation(Activation::Softmax))
    };
    for channels in [3, 16, 36] {
        let shape = [3, 2, channels];
        let layers: [Layer; 9] = [
            BatchNormalization::new().into(),
            BatchNormalization::new().axis(1).center(false).into(),
            BatchNormalization::new().trainable(false).into(),
            LayerNormalization::new().beta_regularizer(Regularizer::l2(0.01)).into(),
            LayerNormalization::new().axis([1, 3]).into(),
            GroupNormalization::new().groups(if channels == 36 { 4 } else { -1 }).into(),
            RMSNormalization::new().axis([1, 2, 3]).into(),
            UnitNormalization::new().axis(2).into(),
            PReLU::new().shared_axes([1, 2]).alpha_initializer(Initializer::Constant { value: 0.3 }).into(),
        ];
        for layer in layers {
            let name = format!("{layer:?}, {channels} channels");
            let samples = samples(&shape, 13, 4, 1.0);
            check(&case(&name, pictures(shape, layer), "adam", sparse_crossentropy(), 5, samples));
        }
    }
    let model = pictures([3, 2, 5], PReLU::new().into());
    let samples = samples(&[3, 2, 5], 13, 4, 1.0);
    check(&case("PReLU of every number", model, "sgd", sparse_crossentropy(), 5, samples));
}

#[test]
fn noise() {
    let on = |layer: Layer| {
        Sequential::new([3, 2, 5])
            .add(layer)
            .add(Flatten::new())
            .add(Dense::new(20).activation(Activation::Selu))
            .add(AlphaDropout::new(0.2))
            .add(Dense::new(4).activation(Activation::Softmax))
    };
    let layers: [Layer; 6] = [
        Dropout::new(0.3).seed(5).into(),
        SpatialDropout2D::new(0.4).into(),
        AlphaDropout::new(0.3).into(),
        GaussianDropout::new(0.3).into(),
        GaussianNoise::new(0.2).into(),
        NormalizationLayer::new().axis([1, 3]).statistics(0.5, 2.0).into(),
    ];
    for layer in layers {
        let name = format!("{layer:?}");
        check(&case(&name, on(layer), "sgd", sparse_crossentropy(), 5, samples(&[3, 2, 5], 21, 4, 0.3)));
    }
}

#[test]
fn pictures() {
    let on = |layers: Vec<Layer>| {
        let model = layers.into_iter().fold(Sequential::new([5, 4, 3]), Sequential::add);
        model
            .add(Flatten::new())
            .add(Dense::new(12).activation(Activation::Relu))
            .add(Reshape::new([2, 2, 3]))
            .add(RandomRotation::new(0.2).name("inside"))
            .add(RandomContrast::new([0.3, 0.6]).value_range([0.0, 0.5]).name("contrast inside"))
            .add(MixUp::new().alpha(0.7).name("mixed inside"))
            .add(Flatten::new())
            .add(Dense::new(4).activation(Activation::Softmax))
    };
    let layers: [Vec<Layer>; 7] = [
        vec![RandomTranslation::new(0.3, [-0.5, 0.1]).into(), Softmax::new().axis(2).into()],
        vec![RandomRotation::new(0.4).fill_mode(FillMode::Constant).fill_value(0.5).into()],
        vec![
            RandomZoom::new(0.3).width_factor([-0.2, 0.5]).fill_mode(FillMode::Wrap).into(),
            ActivationLayer::new(Activation::Softmax).into(),
        ],
        vec![RandomFlip::new().mode(FlipMode::Horizontal).into()],
        vec![RandomErasing::new().value_range([0.0, 1.0]).into()],
        vec![RandomErasing::new().factor([1.0, 1.0]).fill_value([0.1, 0.2, 0.3]).into()],
        vec![MixUp::new().alpha(0.4).seed(3).into()],
    ];
    let loss: Loss = CategoricalCrossentropy::default().into();
    for layers in layers {
        let name = format!("{layers:?}");
        check(&case(&name, on(layers), "adam", loss, 5, samples(&[5, 4, 3], 21, 4, 1.0)));
    }
}

#[test]
fn regularizers() {
    let model = Sequential::new([12])
        .add(
            Dense::new(21)
                .activation(Activation::Tanh)
                .kernel_regularizer(Regularizer::l1_l2(1e-3, 1e-2))
                .bias_regularizer(Regularizer::l2(1e-2)),
        )
        .add(Dense::new(3).activation(Activation::Softmax).kernel_regularizer(Regularizer::l1(1e-3)));
    check(&case("l1_l2", model, "adamw", sparse_crossentropy(), 5, samples(&[12], 23, 3, 1.0)));

    // A layer of its own: on the inputs, behind a layer with the same penalty, and at the end.
    let layer = || ActivityRegularization::new(1e-2, 2e-2);
    let hidden = Dense::new(21).activation(Activation::Tanh).activity_regularizer(Regularizer::l2(1e-2));
    let model = Sequential::new([12]).add(layer()).add(hidden).add(layer()).add(Dropout::new(0.2));
    let model = model.add(Dense::new(3).activation(Activation::Softmax)).add(layer());
    same_evaluation(&model);
    for density in [1.0, 0.1] {
        let samples = samples(&[12], 23, 3, density);
        check(&case("ActivityRegularization", model.clone(), "adam", sparse_crossentropy(), 5, samples));
    }

    // On outputs whose padding is not 0, and on whole variables.
    for mode in [Vectors::Rows, Vectors::Columns] {
        let orthogonal = OrthogonalRegularizer { factor: 0.1, mode };
        let hidden = Dense::new(21).activation(Activation::Sigmoid).kernel_regularizer(orthogonal);
        let hidden = hidden.activity_regularizer(Regularizer::l1_l2(1e-2, 1e-2));
        let last = Dense::new(3).activation(Activation::Softmax).kernel_regularizer(orthogonal);
        let last = last.activity_regularizer(Regularizer::l2(1e-2));
        let model = Sequential::new([12]).add(hidden).add(Dropout::new(0.2)).add(last);
        same_evaluation(&model);
        let name = format!("activity and {mode:?}");
        check(&case(&name, model, "adam", sparse_crossentropy(), 5, samples(&[12], 23, 3, 1.0)));
    }
}

/// Every loss after a softmax or sigmoid, and of logits where it takes them; every reduction.
/// Loss with penalties in inference mode: one batch, so that both have the same.
fn same_evaluation(model: &Sequential) {
    let samples = samples(&[12], 23, 3, 1.0);
    let streams = Streams::new(Seed(SEED));
    let model = model.compile(Compile::new(Adam::default(), sparse_crossentropy()).streams(streams)).unwrap();
    let labels = samples.labels.iter().map(|&label| usize::from(label)).collect();
    let targets = ReferenceTargets::Classes(labels);
    let batch = ReferenceBatch { inputs: samples.inputs.clone(), targets, samples: samples.labels.len() };
    let expected = Reference::<f32>::new(model.plan(), &streams).evaluate(&batch).loss;
    let examples = Examples::classes([12], &samples.inputs, &samples.labels).unwrap();
    assert_eq!(model.evaluate(&examples).unwrap().loss() as f32, expected);
}

#[test]
fn every_loss() {
    let named = Loss::NAMES.map(|name| name.parse::<Loss>().unwrap());
    let mut cases: Vec<(Loss, Activation)> = named
        .iter()
        .flat_map(|&loss| [Activation::Softmax, Activation::Sigmoid].map(|last| (loss, last)))
        .filter(|(loss, last)| loss.name() != "binary_focal_crossentropy" || *last == Activation::Sigmoid)
        .collect();
    let more: [(Loss, Activation); 10] = [
        (CategoricalCrossentropy { from_logits: false, label_smoothing: 0.1 }.into(), Activation::Softmax),
        (CategoricalCrossentropy { from_logits: true, label_smoothing: 0.0 }.into(), Activation::Linear),
        (
            SparseCategoricalCrossentropy { from_logits: true, ignore_class: Some(1), label_smoothing: 0.1 }
                .into(),
            Activation::Linear,
        ),
        (
            SparseCategoricalCrossentropy { ignore_class: Some(1), ..Default::default() }.into(),
            Activation::Softplus,
        ),
        (BinaryCrossentropy { from_logits: true, label_smoothing: 0.1 }.into(), Activation::Linear),
        (
            CategoricalFocalCrossentropy { from_logits: true, gamma: 1.5, ..Default::default() }.into(),
            Activation::Linear,
        ),
        (
            BinaryFocalCrossentropy { from_logits: true, apply_class_balancing: true, ..Default::default() }
                .into(),
            Activation::Linear,
        ),
        (MeanSquaredError::default().into(), Activation::Linear),
        (Dice { axis: Some(-1) }.into(), Activation::Sigmoid),
        (
            Loss::from(SparseCategoricalCrossentropy { ignore_class: Some(1), ..Default::default() })
                .reduction(Reduction::MeanWithSampleWeight),
            Activation::Softmax,
        ),
    ];
    cases.extend(more);
    cases.push((Loss::from(MeanSquaredError::default()).reduction(Reduction::Sum), Activation::Sigmoid));
    for (loss, last) in cases {
        let model = Sequential::new([12])
            .add(Dense::new(20).activation(Activation::Relu))
            .add(Dense::new(5).activation(last));
        check(&case(&format!("{loss:?}, {last:?}"), model, "sgd", loss, 6, samples(&[12], 23, 5, 1.0)));
    }
}

/// Two of the layers, so that gradients pass through the second; then what a classifier ends with.
fn classifier(shape: [usize; 3], layers: impl IntoIterator<Item = Layer>) -> Sequential {
    let model = layers.into_iter().fold(Sequential::new(shape), Sequential::add);
    model.add(Flatten::new()).add(Dense::new(4).activation(Activation::Softmax))
}

fn check_pictures(name: &str, shape: [usize; 3], layers: impl IntoIterator<Item = Layer>) {
    let samples = samples(&shape, 37, 4, 0.7);
    check(&case(name, classifier(shape, layers), "adam", sparse_crossentropy(), 17, samples));
}

#[test]
fn convolutions() {
    let (relu, tanh) = (Activation::Relu, Activation::Tanh);
    for (shape, first, second) in [
        ([7, 6, 1], Conv2D::new(5, 3).activation(relu), Conv2D::new(7, 2)),
        ([6, 7, 3], Conv2D::new(16, [2, 3]).use_bias(false), Conv2D::new(33, 1).activation(tanh)),
        ([8, 7, 2], Conv2D::new(12, 3).strides(2).activation(relu), Conv2D::new(3, 2).padding(Padding::Same)),
        (
            [7, 8, 2],
            Conv2D::new(17, 3).padding(Padding::Same).activation(relu),
            Conv2D::new(20, 3).strides([2, 3]),
        ),
        (
            [9, 9, 1],
            Conv2D::new(24, 2).dilation_rate(2),
            Conv2D::new(8, 3).dilation_rate([1, 2]).padding(Padding::Same),
        ),
        ([6, 6, 4], Conv2D::new(6, 3).groups(2).activation(relu), Conv2D::new(9, 2).groups(3)),
        (
            [5, 6, 1],
            Conv2D::new(34, 2).activation(relu),
            Conv2D::new(34, 2).groups(17).padding(Padding::Same).activation(tanh),
        ),
        (
            [5, 5, 2],
            Conv2D::new(48, 2).activation(relu),
            Conv2D::new(40, 2).padding(Padding::Same).strides(2),
        ),
        ([6, 5, 3], Conv2D::new(80, 2).strides(3), Conv2D::new(2, 1).activation(Activation::Silu)),
    ] {
        check_pictures(&format!("{first:?}, {second:?}"), shape, [first.into(), second.into()]);
    }
}

#[test]
fn depthwise_convolutions() {
    for (shape, first, second) in [
        (
            [6, 7, 3],
            DepthwiseConv2D::new(3),
            DepthwiseConv2D::new(2).depth_multiplier(2).activation(Activation::Relu),
        ),
        (
            [7, 6, 5],
            DepthwiseConv2D::new(2).depth_multiplier(3).padding(Padding::Same),
            DepthwiseConv2D::new(3).strides(2),
        ),
        (
            [8, 7, 1],
            DepthwiseConv2D::new(2).depth_multiplier(18),
            DepthwiseConv2D::new([3, 2]).dilation_rate(2).use_bias(false),
        ),
        (
            [5, 5, 20],
            DepthwiseConv2D::new(3).padding(Padding::Same),
            DepthwiseConv2D::new(2).depth_multiplier(17),
        ),
    ] {
        check_pictures(&format!("{first:?}, {second:?}"), shape, [first.into(), second.into()]);
    }
}

#[test]
fn pooling() {
    for pool in [
        Layer::from(MaxPooling2D::new(2)),
        MaxPooling2D::new(3).strides(2).into(),
        MaxPooling2D::new([3, 2]).padding(Padding::Same).into(),
        MaxPooling2D::new(2).strides([3, 2]).into(),
        MaxPooling2D::new(3).strides(1).padding(Padding::Same).into(),
        AveragePooling2D::new(2).into(),
        AveragePooling2D::new(3).strides(2).padding(Padding::Same).into(),
        AveragePooling2D::new([1, 4]).strides(1).into(),
        GlobalMaxPooling2D::new().into(),
        GlobalAveragePooling2D::new().keepdims(true).into(),
    ] {
        for activation in [Activation::Relu, Activation::Tanh, Activation::Silu, Activation::Linear] {
            let filters = if activation == Activation::Relu { 35 } else { 6 };
            let first = Conv2D::new(filters, 2).activation(activation);
            check_pictures(
                &format!("{pool:?} behind {activation:?}"),
                [8, 7, 2],
                [first.into(), pool.clone()],
            );
        }
        check_pictures(&format!("{pool:?} alone"), [8, 7, 3], [pool]);
    }
}

/// What is fused most: convolution, pooling and dropout, twice; with penalties, and an average that shares values.
#[test]
fn convolutional_networks() {
    let conv = |filters| {
        Conv2D::new(filters, 3)
            .activation(Activation::Relu)
            .kernel_regularizer(Regularizer::l1_l2(1e-3, 1e-2))
    };
    let layers = [
        conv(32).padding(Padding::Same).into(),
        MaxPooling2D::new(2).into(),
        Dropout::new(0.2).into(),
        conv(18).bias_regularizer(Regularizer::l2(0.1)).into(),
        MaxPooling2D::new([2, 1]).into(),
        Conv2D::new(20, 2).activation(Activation::Gelu { approximate: true }).into(),
        AveragePooling2D::new(2).padding(Padding::Same).into(),
        Dropout::new(0.5).name("last").into(),
    ];
    let model = classifier([12, 11, 1], layers);
    check(&case("network", model, "nadam", sparse_crossentropy(), 16, samples(&[12, 11, 1], 37, 4, 0.5)));
    let model = Sequential::new([6, 6, 2])
        .add(conv(5))
        .add(GlobalAveragePooling2D::new())
        .add(Dense::new(3).activation(Activation::Softmax));
    check(&case("small", model, "sgd", sparse_crossentropy(), 1, samples(&[6, 6, 2], 5, 3, 1.0)));
}

//! The gradients are the slopes of the loss: the oracle's gradients in float64 against central
//! differences of its loss, for every layer, activation, loss and penalty.
//!
//! Each gradient op has its own code, so each is met by some model here. Differences are taken of
//! the training loss itself, dropout included: two oracles at the same step draw the same masks.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use seedbed_nn::activations::BoundedRelu;
use seedbed_nn::plan::reference::{Reference, ReferenceBatch, ReferenceTargets};
use seedbed_nn::prelude::*;
use seedbed_nn::random::{Purpose, Seed, Streams};
use seedbed_nn::regularizers::{OrthogonalRegularizer, Vectors};

const SAMPLES: usize = 5;
const INPUTS: usize = 6;
const CLASSES: usize = 4;
const STEP: f64 = 1e-5;

fn batch(rows: bool) -> ReferenceBatch<f64> {
    let mut stream = Streams::new(Seed(9)).open(Purpose::Split, "batch", 0);
    let inputs = (0..SAMPLES * INPUTS).map(|_| f64::from(stream.normal())).collect();
    let targets = if rows {
        ReferenceTargets::Rows((0..SAMPLES * CLASSES).map(|_| f64::from(stream.uniform())).collect())
    } else {
        ReferenceTargets::Classes((0..SAMPLES).map(|_| stream.below(CLASSES as u32) as usize).collect())
    };
    ReferenceBatch { inputs, targets, samples: SAMPLES }
}

/// The gradient of every variable against central differences, relative to the largest gradient
/// of the model.
fn check(name: &str, model: &Sequential, loss: Loss, rows: bool) {
    check_on(name, model, loss, &batch(rows));
}

fn check_on(name: &str, model: &Sequential, loss: Loss, batch: &ReferenceBatch<f64>) {
    let streams = Streams::new(Seed(4));
    let model = model.compile(Compile::new(Sgd::default(), loss).streams(streams)).unwrap();
    let mut oracle = Reference::<f64>::new(model.plan(), &streams);
    // Later masks than the first, and biases that are not zero.
    (0..3).for_each(|_| drop(oracle.train(batch)));
    let mut after = oracle.clone();
    after.train(batch);
    let largest = after.gradients.iter().flatten().fold(0.0_f64, |largest, g| largest.max(g.abs()));
    assert!(largest > 1e-4, "{name}: the gradients are all but zero");
    for (index, param) in model.params().iter().enumerate() {
        let mut moved = 0;
        let trained = if param.spec.trainable { param.count() } else { 0 };
        for i in 0..trained {
            let loss_at = |shift: f64| {
                let mut shifted = oracle.clone();
                shifted.weights[index][i] += shift;
                shifted.train(batch).loss
            };
            let slope = (loss_at(STEP) - loss_at(-STEP)) / (2.0 * STEP);
            let gradient = after.gradients[index][i];
            assert!(
                (slope - gradient).abs() <= 1e-7 * largest.max(gradient.abs()),
                "{name}: the slope of {}[{i}] is {slope:e}, the gradient {gradient:e}",
                param.name
            );
            moved += usize::from(gradient != 0.0);
        }
        assert_eq!(moved > 0, param.spec.trainable, "{name}: {} of {} move", moved, param.name);
    }
}

fn sparse() -> Loss {
    SparseCategoricalCrossentropy::default().into()
}

/// A layer before and one behind, so that gradients must pass through what is between.
fn between(layers: impl IntoIterator<Item = Layer>) -> Sequential {
    let first = Dense::new(7).activation(Activation::Tanh).bias_initializer(Initializer::RandomUniform {
        minval: -0.5,
        maxval: 0.5,
        seed: None,
    });
    let model = layers.into_iter().fold(Sequential::new([INPUTS]).add(first), Sequential::add);
    model.add(Dense::new(CLASSES).activation(Activation::Softmax))
}

/// Of Dense, where the op is fused, and as a layer of its own.
#[test]
fn activations() {
    let relu = BoundedRelu { negative_slope: 0.1, max_value: Some(0.5), threshold: 0.2 };
    let with_options = [
        Activation::BoundedRelu(relu),
        Activation::Celu { alpha: 0.6 },
        Activation::Squareplus { b: 0.3 },
        Activation::SoftShrink { threshold: 0.1 },
        Activation::Threshold { threshold: -0.2, default_value: 0.3 },
        Activation::LeakyRelu { negative_slope: 0.05 },
        Activation::Elu { alpha: 0.4 },
        Activation::Gelu { approximate: true },
    ];
    let named = Activation::NAMES.map(|name| name.parse::<Activation>().unwrap());
    for activation in named.into_iter().chain(with_options) {
        let dense = Dense::new(8).activation(activation);
        check(&format!("Dense {activation:?}"), &between([dense.into()]), sparse(), false);
        let layer = ActivationLayer::new(activation);
        let wide = Dense::new(8).into();
        check(&format!("Activation {activation:?}"), &between([wide, layer.into()]), sparse(), false);
    }
}

#[test]
fn layers() {
    check("Dense alone", &between([]), sparse(), false);
    check("no bias", &between([Dense::new(5).use_bias(false).into()]), sparse(), false);
    check("Rescaling", &between([Rescaling::new(-1.5, 0.3).into()]), sparse(), false);
    check("Flatten", &between([Flatten::new().into()]), sparse(), false);
    let first = Sequential::new([INPUTS]).add(Rescaling::new(0.5, 0.1)).add(Dropout::new(0.3));
    check(
        "before the first variable",
        &first.add(Dense::new(CLASSES)),
        MeanSquaredError::default().into(),
        true,
    );
}

/// A model on small pictures of 3 channels, the layers between two Dense ones.
fn on_pictures(layers: impl IntoIterator<Item = Layer>) -> Sequential {
    let first = Dense::new(12).activation(Activation::Tanh).bias_initializer(Initializer::RandomUniform {
        minval: -0.5,
        maxval: 0.5,
        seed: None,
    });
    let model = Sequential::new([INPUTS]).add(first).add(Reshape::new([2, 2, 3]));
    let model = layers.into_iter().fold(model, Sequential::add).add(Flatten::new());
    model.add(Dense::new(CLASSES).activation(Activation::Softmax))
}

/// Variables start where no gradient is 0 by symmetry.
fn uneven() -> Initializer {
    Initializer::RandomUniform { minval: 0.5, maxval: 1.5, seed: None }
}

#[test]
fn normalization() {
    for axis in [-1, 1, 2] {
        let batch = BatchNormalization::new().axis(axis).gamma_initializer(uneven());
        check(&format!("BatchNormalization {axis}"), &on_pictures([batch.clone().into()]), sparse(), false);
        let group = GroupNormalization::new().groups(if axis == -1 { 3 } else { 2 }).axis(axis);
        let group = group.gamma_initializer(uneven()).beta_regularizer(Regularizer::l2(0.1));
        check(&format!("GroupNormalization {axis}"), &on_pictures([group.into()]), sparse(), false);
        let layer = LayerNormalization::new().axis(axis).gamma_initializer(uneven());
        check(&format!("LayerNormalization {axis}"), &on_pictures([layer.into()]), sparse(), false);
        let unit = UnitNormalization::new().axis(axis);
        check(&format!("UnitNormalization {axis}"), &on_pictures([unit.into()]), sparse(), false);
    }
    let both = RMSNormalization::new().axis([1, 3]);
    check("RMSNormalization", &on_pictures([both.into()]), sparse(), false);
    let plain = BatchNormalization::new().center(false).scale(false).epsilon(0.1);
    check("BatchNormalization of a row", &between([plain.into()]), sparse(), false);
    check("LayerNormalization of a row", &between([LayerNormalization::new().into()]), sparse(), false);
}

#[test]
fn prelu() {
    let prelu = PReLU::new().alpha_initializer(uneven());
    check("PReLU", &on_pictures([prelu.clone().into()]), sparse(), false);
    for axes in [[1, 2], [2, 3]] {
        let shared = prelu.clone().shared_axes(axes);
        check(&format!("PReLU {axes:?}"), &on_pictures([shared.into()]), sparse(), false);
    }
}

/// Gradients go through what is not trained; BatchNormalization then uses its moving statistics.
#[test]
fn layers_that_are_not_trained() {
    check("Dense", &between([Dense::new(6).trainable(false).into()]), sparse(), false);
    let batch = BatchNormalization::new().trainable(false).moving_variance_initializer(uneven());
    check("BatchNormalization", &on_pictures([batch.into()]), sparse(), false);
}

#[test]
fn dropout() {
    check("Dropout", &between([Dropout::new(0.5).into()]), sparse(), false);
    let relu = Dense::new(9).activation(Activation::Silu);
    check("Dense, Dropout", &between([relu.into(), Dropout::new(0.25).into()]), sparse(), false);
    let two: [Layer; 3] =
        [Dropout::new(0.2).into(), Dropout::new(0.4).name("second").into(), Rescaling::new(2.0, 0.0).into()];
    check("two", &between(two), sparse(), false);
}

/// Every loss at its defaults, and those whose formula turns on a parameter or on the last layer.
#[test]
fn noise() {
    let layers: [Layer; 6] = [
        SpatialDropout2D::new(0.4).into(),
        AlphaDropout::new(0.3).into(),
        GaussianDropout::new(0.3).into(),
        GaussianNoise::new(0.2).into(),
        NormalizationLayer::new().statistics([0.1, 0.2, 0.3], 2.0).into(),
        NormalizationLayer::new().axis([1, 2]).statistics(0.1, 2.0).invert(true).into(),
    ];
    for layer in layers {
        check(&format!("{layer:?}"), &on_pictures([layer]), sparse(), false);
    }
}

/// Most layers like these stand before all variables; here gradients go through them.
#[test]
fn pictures() {
    let layers: [Layer; 12] = [
        RandomTranslation::new(0.3, [-0.5, 0.1]).into(),
        RandomTranslation::new(0.5, 0.5).interpolation(Interpolation::Nearest).into(),
        RandomRotation::new(0.4).fill_mode(FillMode::Constant).fill_value(0.5).into(),
        RandomRotation::new(0.4).fill_mode(FillMode::Nearest).into(),
        RandomZoom::new(0.3).width_factor([-0.2, 0.5]).fill_mode(FillMode::Wrap).into(),
        RandomFlip::new().into(),
        RandomContrast::new([0.3, 0.6]).value_range([-0.3, 0.5]).into(),
        RandomErasing::new().factor([1.0, 1.0]).scale([0.3, 0.3]).value_range([0.0, 1.0]).into(),
        RandomErasing::new().fill_value(0.5).into(),
        MixUp::new().alpha(0.7).into(),
        Softmax::new().axis(1).into(),
        Softmax::new().axis([1, 3]).into(),
    ];
    let mean_squares: Loss = MeanSquaredError::default().into();
    for layer in layers {
        check(&format!("{layer:?}"), &on_pictures([layer]), mean_squares, true);
    }
    let twice: [Layer; 2] = [MixUp::new().alpha(2.0).into(), MixUp::new().name("second").into()];
    check("MixUp twice", &on_pictures(twice), mean_squares, false);
}

#[test]
fn losses() {
    let named = Loss::NAMES.map(|name| name.parse::<Loss>().unwrap());
    let outputs = [Activation::Softmax, Activation::Sigmoid, Activation::Softplus];
    let mut cases: Vec<(Loss, Activation)> =
        named.iter().flat_map(|&loss| outputs.map(|last| (loss, last))).collect();
    cases.retain(|(loss, last)| loss.name() != "binary_focal_crossentropy" || *last == Activation::Sigmoid);
    let of_logits: [Loss; 5] = [
        SparseCategoricalCrossentropy { from_logits: true, ..Default::default() }.into(),
        CategoricalCrossentropy { from_logits: true, label_smoothing: 0.1 }.into(),
        BinaryCrossentropy { from_logits: true, label_smoothing: 0.1 }.into(),
        CategoricalFocalCrossentropy { from_logits: true, gamma: 1.5, ..Default::default() }.into(),
        BinaryFocalCrossentropy { from_logits: true, apply_class_balancing: true, ..Default::default() }
            .into(),
    ];
    cases.extend(of_logits.map(|loss| (loss, Activation::Linear)));
    let of_probabilities: [Loss; 8] = [
        SparseCategoricalCrossentropy { label_smoothing: 0.2, ..Default::default() }.into(),
        SparseCategoricalCrossentropy { ignore_class: Some(1), ..Default::default() }.into(),
        CategoricalCrossentropy { label_smoothing: 0.2, ..Default::default() }.into(),
        CategoricalFocalCrossentropy { gamma: 0.0, label_smoothing: 0.2, ..Default::default() }.into(),
        BinaryFocalCrossentropy { gamma: 2.5, label_smoothing: 0.2, ..Default::default() }.into(),
        Dice { axis: Some(-1) }.into(),
        Tversky { alpha: 0.3, beta: 0.9, axis: Some(1) }.into(),
        Tversky { alpha: 0.3, beta: 0.9, axis: None }.into(),
    ];
    cases.extend(of_probabilities.map(|loss| (loss, Activation::Sigmoid)));
    for (loss, last) in cases {
        let model = Sequential::new([INPUTS])
            .add(Dense::new(7).activation(Activation::Tanh))
            .add(Dense::new(CLASSES).activation(last));
        for reduction in [Reduction::SumOverBatchSize, Reduction::Sum] {
            let (loss, rows) = (loss.reduction(reduction), needs_rows(loss));
            check(&format!("{loss:?} of {last:?}"), &model, loss, rows);
        }
    }
}

/// The crossentropies of one class in many have the slope softmax − t only where the targets sum to 1,
/// as classes do.
fn needs_rows(loss: Loss) -> bool {
    !matches!(
        loss.name(),
        "sparse_categorical_crossentropy"
            | "categorical_crossentropy"
            | "categorical_generalized_cross_entropy"
    )
}

/// The bias starts away from 0, where l1 has a kink.
#[test]
fn regularizers() {
    for regularizer in [Regularizer::l1(0.1), Regularizer::l2(0.2), Regularizer::l1_l2(0.05, 0.1)] {
        let dense = Dense::new(6)
            .activation(Activation::Tanh)
            .kernel_regularizer(regularizer)
            .bias_regularizer(regularizer)
            .bias_initializer(Initializer::Constant { value: 0.3 });
        check(&format!("{regularizer:?}"), &between([dense.into()]), sparse(), false);
    }
}

/// A model on pictures of 6×5 pixels: the batch's inputs are as many numbers as five of these have.
fn check_pictures(name: &str, channels: usize, layers: impl IntoIterator<Item = Layer>) {
    let model = layers.into_iter().fold(Sequential::new([6, 5, channels]), Sequential::add);
    let model = model.add(Flatten::new()).add(Dense::new(CLASSES).activation(Activation::Softmax));
    let mut stream = Streams::new(Seed(9)).open(Purpose::Split, "pictures", 0);
    let inputs = (0..SAMPLES * 30 * channels).map(|_| f64::from(stream.normal())).collect();
    check_on(name, &model, sparse(), &ReferenceBatch { inputs, ..batch(false) });
}

fn random_bias() -> Initializer {
    Initializer::RandomUniform { minval: -0.5, maxval: 0.5, seed: None }
}

#[test]
fn convolutions() {
    let first = || Conv2D::new(4, 2).activation(Activation::Tanh).bias_initializer(random_bias());
    for second in [
        Conv2D::new(3, [2, 3]),
        Conv2D::new(3, 3).padding(Padding::Same).use_bias(false),
        Conv2D::new(2, 2).strides([2, 3]),
        Conv2D::new(2, 2).strides(2).padding(Padding::Same),
        Conv2D::new(3, 2).dilation_rate([2, 1]),
        Conv2D::new(6, 2).groups(2).activation(Activation::Silu),
    ] {
        check_pictures(&format!("{second:?}"), 2, [first().into(), second.into()]);
    }
    for second in [
        DepthwiseConv2D::new(2),
        DepthwiseConv2D::new(3).depth_multiplier(2).padding(Padding::Same),
        DepthwiseConv2D::new(2).strides(2).activation(Activation::Tanh),
    ] {
        check_pictures(&format!("{second:?}"), 1, [first().into(), second.into()]);
    }
}

#[test]
fn pooling() {
    for pool in [
        Layer::from(MaxPooling2D::new(2)),
        MaxPooling2D::new(2).strides(1).into(),
        MaxPooling2D::new([3, 2]).padding(Padding::Same).into(),
        AveragePooling2D::new(2).into(),
        AveragePooling2D::new([3, 2]).strides(1).padding(Padding::Same).into(),
        GlobalMaxPooling2D::new().keepdims(true).into(),
        GlobalAveragePooling2D::new().into(),
    ] {
        for activation in [Activation::Tanh, Activation::Silu] {
            let first = Conv2D::new(3, 2).activation(activation).bias_initializer(random_bias());
            check_pictures(&format!("{pool:?} behind {activation:?}"), 1, [first.into(), pool.clone()]);
        }
    }
}

#[test]
fn regularizers_of_outputs_and_of_whole_variables() {
    let hidden = || Dense::new(6).activation(Activation::Tanh);
    for mode in [Vectors::Rows, Vectors::Columns] {
        let orthogonal = OrthogonalRegularizer { factor: 0.3, mode };
        let model = between([hidden().kernel_regularizer(orthogonal).into()]);
        check(&format!("{orthogonal:?}"), &model, sparse(), false);
    }
    for regularizer in [Regularizer::l1(0.1), Regularizer::l2(0.2), Regularizer::l1_l2(0.05, 0.1)] {
        let model = between([hidden().activity_regularizer(regularizer).into(), Dropout::new(0.3).into()]);
        check(&format!("activity {regularizer:?}"), &model, sparse(), false);
        let last = Dense::new(CLASSES).activation(Activation::Softmax).activity_regularizer(regularizer);
        check(&format!("last activity {regularizer:?}"), &between([]).add(last), sparse(), false);
    }
    let layer = || ActivityRegularization::new(0.05, 0.1);
    let twice = between([hidden().activity_regularizer(Regularizer::l2(0.1)).into(), layer().into()]);
    check("ActivityRegularization", &twice, sparse(), false);
}

/// On what each layer that has one gives; behind a convolution its activation, bias and pooling too.
#[test]
fn regularizers_of_layers_outputs() {
    let penalty = Regularizer::l1_l2(0.05, 0.1);
    let layers: [Layer; 7] = [
        Conv2D::new(2, 2).activation(Activation::Silu).activity_regularizer(penalty).into(),
        DepthwiseConv2D::new(2).activation(Activation::Tanh).activity_regularizer(penalty).into(),
        BatchNormalization::new().axis(1).activity_regularizer(penalty).into(),
        GroupNormalization::new().groups(3).activity_regularizer(penalty).into(),
        RMSNormalization::new().activity_regularizer(penalty).into(),
        UnitNormalization::new().axis(2).activity_regularizer(penalty).into(),
        ActivityRegularization::new(0.05, 0.1).into(),
    ];
    for layer in layers {
        check(&format!("{layer:?}"), &on_pictures([layer]), sparse(), false);
    }
    let layer = LayerNormalization::new().activity_regularizer(penalty);
    check("LayerNormalization", &between([layer.into()]), sparse(), false);
    let first = Conv2D::new(3, 2).activation(Activation::Tanh).activity_regularizer(penalty);
    for pool in [Layer::from(MaxPooling2D::new(2)), AveragePooling2D::new(2).into()] {
        check_pictures(&format!("{pool:?}"), 1, [first.clone().into(), pool]);
    }
}

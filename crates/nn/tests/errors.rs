//! Everything impossible is refused before any work, saying what was expected and what was received.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use seedbed_nn::choices::Kind;
use seedbed_nn::constraints::{self, Constraint, MaxNorm, UnitNorm};
use seedbed_nn::error::ModelError;
use seedbed_nn::prelude::*;
use seedbed_nn::regularizers::OrthogonalRegularizer;
use seedbed_nn::schedules::{CosineDecay, Schedule};
use seedbed_nn::shape::Shape;

fn sparse() -> Loss {
    SparseCategoricalCrossentropy::default().into()
}

fn compile(model: &Sequential, optimizer: impl Into<Optimizer>, loss: Loss) -> String {
    model.compile(Compile::new(optimizer, loss)).map(drop).unwrap_err().to_string()
}

/// Refused by compile, and by summary with the same words.
fn refused(model: &Sequential) -> String {
    let error = compile(model, Sgd::default(), sparse());
    assert_eq!(model.summary().unwrap_err().to_string(), error);
    error
}

fn of(layer: impl Into<Layer>) -> Sequential {
    Sequential::new([6]).add(layer).add(Dense::new(3).name("last").activation(Activation::Softmax))
}

#[test]
fn inputs_and_number_of_layers() {
    let dense = Dense::new(3).activation(Activation::Softmax);
    for (shape, shown) in [
        (vec![0], "(None, 0)"),
        (vec![5_000, 5_000], "(None, 5000, 5000)"),
        (vec![usize::MAX, 3], "(None, 18446744073709551615, 3)"),
    ] {
        let model = Sequential::new(shape).add(dense.clone());
        let expected = format!("input_shape: expected axes whose product is 1 to 16777216, received {shown}");
        assert_eq!(refused(&model), expected);
    }
    let model = Sequential::new([6]);
    assert_eq!(refused(&model), "layers: expected 1 to 1000 layers, received 0");
    let model = (0..1001).fold(model, |model, _| model.add(Flatten::new()));
    assert_eq!(refused(&model), "layers: expected 1 to 1000 layers, received 1001");
}

/// What the layer says of a sample of the shape (4, 6, 5).
fn of_pictures(layer: impl Into<Layer>) -> String {
    refused(&Sequential::new([4, 6, 5]).add(layer).add(Flatten::new()).add(Dense::new(3)))
}

#[test]
fn normalizing_layers() {
    let axes = "axis: expected an axis from 1 to 3 or from -3 to -1 of the shape (None, 4, 6, 5), received";
    for (error, expected) in [
        (of_pictures(BatchNormalization::new().axis(4)), format!("layer \"batch_normalization\": {axes} 4")),
        (of_pictures(LayerNormalization::new().axis([1, 0])), format!("layer \"layer_normalization\": {axes} 0")),
        (
            of_pictures(LayerNormalization::new().axis([])),
            "layer \"layer_normalization\": axis: expected at least one axis, received []".into(),
        ),
        (of_pictures(UnitNormalization::new().axis(-4)), format!("layer \"unit_normalization\": {axes} -4")),
        (
            of_pictures(BatchNormalization::new().momentum(1.5)),
            "layer \"batch_normalization\": momentum: expected a number from 0 to 1, received 1.5".into(),
        ),
        (
            of_pictures(BatchNormalization::new().gamma_regularizer(Regularizer::l1(-1.0))),
            "layer \"batch_normalization\": gamma_regularizer: l1: l1 must be a finite number ≥ 0, but is -1".into(),
        ),
        (
            of_pictures(BatchNormalization::new().gamma_constraint(MaxNorm::new(-1.0))),
            "layer \"batch_normalization\": gamma_constraint: max_norm: max_value must be a finite number ≥ 0, but is -1"
                .into(),
        ),
        (
            of_pictures(LayerNormalization::new().axis([1, 2]).beta_constraint(MaxNorm::new(1.0))),
            "layer \"layer_normalization\": beta_constraint: expected one without norms, received max_norm".into(),
        ),
        (
            of_pictures(DepthwiseConv2D::new(2).depthwise_constraint(MaxNorm::new(-1.0))),
            "layer \"depthwise_conv2d\": depthwise_constraint: max_norm: max_value must be a finite number ≥ 0, but is -1"
                .into(),
        ),
        (
            of_pictures(Conv2D::new(2, 2).activity_regularizer(Regularizer::l2(-1.0))),
            "layer \"conv2d\": activity_regularizer: l2: l2 must be a finite number ≥ 0, but is -1".into(),
        ),
        (
            of_pictures(GroupNormalization::new().groups(5).activity_regularizer(Regularizer::l2(f64::NAN))),
            "layer \"group_normalization\": activity_regularizer: l2: l2 must be a finite number ≥ 0, but is NaN".into(),
        ),
        (
            of_pictures(RMSNormalization::new().epsilon(0.0)),
            "layer \"rms_normalization\": epsilon: expected a finite number above 0, received 0".into(),
        ),
        (
            of_pictures(GroupNormalization::new()),
            "layer \"group_normalization\": groups: expected a divisor of the 5 channels (axis 3 of the shape \
             (None, 4, 6, 5)), received 32"
                .into(),
        ),
        (
            of_pictures(GroupNormalization::new().groups(0)),
            "layer \"group_normalization\": groups: expected at least 1, or -1 for one per channel, received 0".into(),
        ),
        (
            of_pictures(NormalizationLayer::new().statistics([0.0, 1.0], 1.0)),
            "layer \"normalization\": mean: expected one number, or 5 for the axes, received 2".into(),
        ),
        (
            of_pictures(NormalizationLayer::new().statistics(0.0, -1.0)),
            "layer \"normalization\": variance: expected finite numbers from 0, received -1".into(),
        ),
        (
            of_pictures(PReLU::new().shared_axes([1, 4])),
            "layer \"p_re_lu\": shared_axes: expected an axis from 1 to 3 or from -3 to -1 of the shape \
             (None, 4, 6, 5), received 4"
                .into(),
        ),
        (
            of_pictures(Reshape::new([4, 7, -1])),
            "layer \"reshape\": target_shape: expected a shape of 120 numbers, as many as (None, 4, 6, 5) has, \
             received [4, 7, -1]"
                .into(),
        ),
        (
            of_pictures(Reshape::new([-1, -1])),
            "layer \"reshape\": target_shape: expected lengths of at least 1 and at most one -1, received [-1, -1]"
                .into(),
        ),
    ] {
        assert_eq!(error, expected);
    }
}

#[test]
fn random_layers() {
    for (error, expected) in [
        (
            of_pictures(AlphaDropout::new(1.0)),
            "layer \"alpha_dropout\": rate: expected a number from 0 to below 1, received 1",
        ),
        (
            of_pictures(GaussianNoise::new(-0.5)),
            "layer \"gaussian_noise\": stddev: expected a number from 0 to 1, received -0.5",
        ),
        (
            refused(&of(SpatialDropout2D::new(0.5))),
            "layer \"spatial_dropout2d\": expected samples of height, width and channels, received the shape (None, 6)",
        ),
        (
            refused(&of(RandomFlip::new())),
            "layer \"random_flip\": expected samples of height, width and channels, received the shape (None, 6); \
             a Reshape layer before it can add the channels",
        ),
        (
            of_pictures(RandomTranslation::new(0.1, [0.0, 1.5])),
            "layer \"random_translation\": width_factor: expected numbers from -1 to 1, received 1.5",
        ),
        (
            of_pictures(RandomRotation::new(f64::NAN)),
            "layer \"random_rotation\": factor: expected numbers from -1 to 1, received NaN",
        ),
        (
            of_pictures(RandomZoom::new([-1.0, 0.0])),
            "layer \"random_zoom\": height_factor: expected numbers above -1 and up to 1, received -1",
        ),
        (
            of_pictures(RandomContrast::new([1.5, 2.0])),
            "layer \"random_contrast\": factor: expected a range that meets 0 to 1, received 1.5 to 2",
        ),
        (
            of_pictures(RandomContrast::new(0.5).value_range([1.0, 0.0])),
            "layer \"random_contrast\": value_range: expected a lower and an upper number, received [1, 0]",
        ),
        (
            of_pictures(RandomErasing::new().fill_value([0.0, 1.0])),
            "layer \"random_erasing\": fill_value: expected one number, or one for each of 5 channels, received 2",
        ),
        (
            of_pictures(MixUp::new().alpha(0.0)),
            "layer \"mix_up\": alpha: expected a finite number above 0, received 0",
        ),
        (
            compile(&of(MixUp::new()), Sgd::default(), sparse()),
            "loss sparse_categorical_crossentropy: expected a loss that takes rows of targets, which MixUp can mix, \
             received class numbers; categorical_crossentropy takes one-hot rows",
        ),
    ] {
        assert_eq!(error, expected);
    }
}

#[test]
fn layers() {
    let nowhere = Activation::Elu { alpha: f64::NAN };
    let identity = Initializer::Identity { gain: 1.0 };
    let narrow = Initializer::RandomNormal { mean: 0.0, stddev: -1.0, seed: None };
    for (model, expected) in [
        (of(Dense::new(0)), "layer \"dense\": units: expected 1 to 16777216, received 0"),
        (of(Dense::new(16_777_217)), "layer \"dense\": units: expected 1 to 16777216, received 16777217"),
        (
            of(Dense::new(2).activation(nowhere).name("first")),
            "layer \"first\": activation: elu: alpha must be a finite number from 0, but is NaN",
        ),
        (
            of(Dense::new(2).kernel_regularizer(Regularizer::l1(-1.0))),
            "layer \"dense\": kernel_regularizer: l1: l1 must be a finite number ≥ 0, but is -1",
        ),
        (
            of(Dense::new(2).bias_regularizer(Regularizer::l2(f64::INFINITY))),
            "layer \"dense\": bias_regularizer: l2: l2 must be a finite number ≥ 0, but is inf",
        ),
        (
            of(Dense::new(2).kernel_initializer(narrow)),
            "layer \"dense\": kernel_initializer: random_normal: stddev must be a finite number from 0, but is -1",
        ),
        (
            of(Dense::new(2).bias_initializer(identity)),
            "layer \"dense\": bias_initializer: identity: shape must be two-dimensional, but is [2]",
        ),
        (
            Sequential::new([1 << 20]).add(Dense::new(1 << 11)),
            "layer \"dense\": expected at most 1073741824 weights per variable, received the shape [1048576, 2048]",
        ),
        (
            Sequential::new([28, 28]).add(Dense::new(2)),
            "layer \"dense\": expected one axis per sample, received the shape (None, 28, 28); \
             put a Flatten layer before it",
        ),
        (of(Dropout::new(1.0)), "layer \"dropout\": rate: expected a number from 0 to below 1, received 1"),
        (
            of(Dropout::new(-0.5)),
            "layer \"dropout\": rate: expected a number from 0 to below 1, received -0.5",
        ),
        (
            of(Dropout::new(f64::NAN)),
            "layer \"dropout\": rate: expected a number from 0 to below 1, received NaN",
        ),
        (
            of(Rescaling::new(f64::INFINITY, 0.0)),
            "layer \"rescaling\": scale: expected a finite number, received inf",
        ),
        (
            of(Rescaling::new(1.0, f64::NAN)),
            "layer \"rescaling\": offset: expected a finite number, received NaN",
        ),
        (
            of(ActivationLayer::new(Activation::LeakyRelu { negative_slope: -0.1 })),
            "layer \"activation\": leaky_relu: negative_slope must be a finite number from 0, but is -0.1",
        ),
        (
            of(Dense::new(2).kernel_constraint(MaxNorm::new(-1.0))),
            "layer \"dense\": kernel_constraint: max_norm: max_value must be a finite number ≥ 0, but is -1",
        ),
        (
            of(Dense::new(2).bias_constraint(UnitNorm { axis: constraints::Axes::from(1) })),
            "layer \"dense\": bias_constraint: unit_norm: axis must be different axes that the variable has, but is 1 \
             of [2]",
        ),
        (
            of(Dense::new(2).activity_regularizer(OrthogonalRegularizer::default())),
            "layer \"dense\": activity_regularizer: expected l1, l2 or l1_l2, received orthogonal_regularizer",
        ),
        (
            of(ActivityRegularization::new(-1.0, 0.0)),
            "layer \"activity_regularization\": l1: expected a finite number ≥ 0, received -1",
        ),
        (
            of(Dense::new(2).name("last")),
            "layer \"last\": the name is taken by another layer; names must differ",
        ),
    ] {
        assert_eq!(refused(&model), expected);
    }
}

#[test]
fn optimizers() {
    let sgd = || Optimizer::new(Sgd::default());
    for (optimizer, expected) in [
        (sgd().learning_rate(0.0), "optimizer sgd: sgd: learning_rate must be a finite number > 0, but is 0"),
        (sgd().weight_decay(-1.0), "optimizer sgd: sgd: weight_decay must be a finite number ≥ 0, but is -1"),
        (
            Adam { beta_1: 1.0, ..Adam::default() }.into(),
            "optimizer adam: adam: beta_1 must be from 0 to below 1, but is 1",
        ),
        (
            sgd().learning_rate(CosineDecay::new(0.1, 0)),
            "optimizer sgd: cosine_decay: decay_steps must be at least 1 step, but is 0",
        ),
        (
            sgd().clipnorm(1.0).global_clipnorm(1.0),
            "optimizer sgd: sgd: clipping must be the only clipping, of clipnorm, clipvalue and global_clipnorm, but is \
             clipnorm and global_clipnorm",
        ),
        (sgd().clipvalue(0.0), "optimizer sgd: sgd: clipvalue must be a finite number > 0, but is 0"),
        (sgd().ema(1.5, None), "optimizer sgd: sgd: ema_momentum must be from 0 to 1, but is 1.5"),
        (
            sgd().ema(0.9, Some(0)),
            "optimizer sgd: sgd: ema_overwrite_frequency must be a whole number from 1, but is 0",
        ),
        (
            sgd().gradient_accumulation_steps(1),
            "optimizer sgd: sgd: gradient_accumulation_steps must be a whole number from 2, but is 1",
        ),
        (
            Lion { beta_1: 0.0, ..Lion::default() }.into(),
            "optimizer lion: lion: beta_1 must be above 0 and at most 1, but is 0",
        ),
        (
            Ftrl { learning_rate_power: 0.5, ..Ftrl::default() }.into(),
            "optimizer ftrl: ftrl: learning_rate_power must be a finite number ≤ 0, but is 0.5",
        ),
        (
            Muon { ns_steps: 0, ..Muon::default() }.into(),
            "optimizer muon: muon: ns_steps must be a whole number from 1 to 100, but is 0",
        ),
        (
            Adafactor { clip_threshold: 0.0, ..Adafactor::default() }.into(),
            "optimizer adafactor: adafactor: clip_threshold must be a finite number > 0, but is 0",
        ),
    ] {
        assert_eq!(compile(&of(Dropout::new(0.1)), optimizer, sparse()), expected);
    }
}

#[test]
fn losses() {
    let two_axes = Sequential::new([2, 3]).add(Rescaling::new(1.0, 0.0));
    let one = Sequential::new([6]).add(Dense::new(1).activation(Activation::Sigmoid));
    let categorical =
        |label_smoothing| -> Loss { CategoricalCrossentropy { from_logits: false, label_smoothing }.into() };
    for (model, loss, expected) in [
        (
            two_axes,
            MeanSquaredError::default().into(),
            "loss mean_squared_error: expected one axis per sample, received the shape (None, 2, 3) from \"rescaling\"",
        ),
        (
            one,
            sparse(),
            "loss sparse_categorical_crossentropy: expected at least 2 outputs (one per class), received 1 from \
             \"dense\"; add units",
        ),
        (
            of(Flatten::new()),
            SparseCategoricalCrossentropy { from_logits: true, ..Default::default() }.into(),
            "loss sparse_categorical_crossentropy: from_logits expects logits, received a softmax's probabilities \
             from \"last\"; remove the softmax or from_logits",
        ),
        (
            of(Flatten::new()),
            categorical(1.5),
            "loss categorical_crossentropy: categorical_crossentropy: label_smoothing must be from 0 to 1, but is 1.5",
        ),
    ] {
        assert_eq!(compile(&model, Sgd::default(), loss), expected);
    }
}

#[test]
fn metrics() {
    let k = |k: i64| serde_json::json!({"name": "sparse_top_k_categorical_accuracy", "k": k});
    let metric = serde_json::from_value::<Metric>(k(4)).unwrap();
    let compile = Compile::new(Sgd::default(), sparse()).metrics([metric]);
    assert_eq!(
        of(Flatten::new()).compile(compile).map(drop).unwrap_err().to_string(),
        "metric sparse_top_k_categorical_accuracy: k: expected 1 to 3 (the number of outputs), received 4"
    );
}

#[test]
fn losses_that_do_not_fit_a_sigmoid_or_softmax() {
    let last = |f| Sequential::new([6]).add(Dense::new(3).name("last").activation(f));
    let logits = BinaryCrossentropy { from_logits: true, ..Default::default() };
    assert_eq!(
        compile(&last(Activation::Sigmoid), Sgd::default(), logits.into()),
        "loss binary_crossentropy: from_logits expects logits, received a sigmoid's probabilities from \"last\"; \
         remove the sigmoid or from_logits"
    );
    assert_eq!(
        compile(&last(Activation::Softmax), Sgd::default(), BinaryFocalCrossentropy::default().into()),
        "loss binary_focal_crossentropy: expected each output's own probability, as a sigmoid gives it, received a \
         softmax's probabilities from \"last\"; use sigmoid, or categorical_focal_crossentropy"
    );
}

#[test]
fn options() {
    let (inputs, labels) = ([0.0; 12], [0, 1]);
    let examples = Examples::classes([6], &inputs, &labels).unwrap();
    let mut model = of(Flatten::new()).compile(Compile::new(Sgd::default(), sparse())).unwrap();
    let before = model.weight("last/kernel");
    for (fit, expected) in [
        (Fit::new().epochs(0), "epochs: expected at least 1, received 0"),
        (Fit::new().batch_size(0), "batch_size: expected at least 1, received 0"),
        (
            Fit::new().class_weight([(1, 0.5), (3, 2.0)]),
            "class_weight: expected classes 0 to 2, received class 3",
        ),
        (
            Fit::new().class_weight([(1, -0.5)]),
            "class_weight: expected finite weights ≥ 0, received -0.5 for class 1",
        ),
        (
            Fit::new().validation_split(1.0),
            "validation_split: expected a number from 0 to below 1, received 1",
        ),
        (
            Fit::new().validation_split(0.9),
            "validation_split: expected a share that leaves samples on both sides of 2, received 0.9",
        ),
        (
            Fit::new().validation_split(0.5).validation(&examples),
            "validation_split: expected no validation samples beside it, received both",
        ),
    ] {
        assert_eq!(model.fit(&examples, fit).unwrap_err().to_string(), expected);
    }
    let weighed = examples.clone().sample_weights(&[1.0, 2.0]).unwrap();
    assert_eq!(
        model.fit(&weighed, Fit::new().class_weight([(0, 2.0)])).unwrap_err().to_string(),
        "class_weight: expected samples without weights of their own, received sample_weights too"
    );
    let refused = |weights| examples.clone().sample_weights(weights).map(drop).unwrap_err().to_string();
    assert_eq!(refused(&[1.0]), "sample_weights: expected 2 (one per sample), received 1");
    assert_eq!(refused(&[1.0, f32::NAN]), "sample_weights: expected finite numbers, received NaN");
    assert_eq!(model.weight("last/kernel"), before);
    for simd in [SimdLevel::Scalar, SimdLevel::Avx2, SimdLevel::Avx512] {
        let result = of(Flatten::new()).compile(Compile::new(Sgd::default(), sparse()).simd(simd));
        if SimdLevel::available().contains(&simd) {
            assert!(result.is_ok());
        } else {
            let error = result.map(drop).unwrap_err().to_string();
            assert!(error.starts_with("simd: expected one of [Scalar"), "{error}");
        }
    }
}

/// Of fit, evaluate, predict, and of what is watched; a fit that is refused changes nothing.
#[test]
fn data_that_do_not_fit_the_model() {
    let mut model = of(Flatten::new()).compile(Compile::new(Sgd::default(), sparse())).unwrap();
    let before = model.weight("last/kernel");
    let inputs = [0.5; 24];
    let good = Examples::classes([6], &inputs, &[0, 1, 2, 1]).unwrap();
    for (examples, expected) in [
        (good.slice(2, 2), "samples: expected at least 1, received 0"),
        (
            Examples::classes([2, 3], &inputs, &[0, 1, 2, 1]).unwrap(),
            "inputs: expected the shape (None, 6), received (None, 2, 3)",
        ),
        (
            Examples::classes([6], &inputs, &[0, 3, 2, 1]).unwrap(),
            "labels: expected classes 0 to 2 (the last layer has 3 outputs), received class 3; give the last layer \
             one unit per class",
        ),
        (
            Examples::rows([6], &inputs, 2, &[0.0; 8]).unwrap(),
            "targets: expected 3 numbers per sample, received 2",
        ),
    ] {
        assert_eq!(model.fit(&examples, Fit::new()).unwrap_err().to_string(), expected);
        assert_eq!(model.fit(&good, Fit::new().watch("x", &examples)).unwrap_err().to_string(), expected);
        assert_eq!(model.evaluate(&examples).unwrap_err().to_string(), expected);
        assert_eq!(model.predict(&examples).unwrap_err().to_string(), expected);
        assert_eq!(model.weight("last/kernel"), before);
    }
}

#[test]
fn weights() {
    let mut model = of(Dense::new(2)).compile(Compile::new(Sgd::default(), sparse())).unwrap();
    let mut set =
        |name: &str, count| model.set_weight(name, &vec![1.0; count]).map_err(|error| error.to_string());
    assert_eq!(
        set("dense/kernl", 12),
        Err("weights: expected one of dense/kernel, dense/bias, last/kernel, last/bias, received \"dense/kernl\""
            .into())
    );
    assert_eq!(
        set("dense/kernel", 13),
        Err("weights: expected dense/kernel of shape [6, 2], received 13 values".into())
    );
    assert_eq!(set("dense/kernel", 12), Ok(()));
    assert_eq!(model.weight("dense/kernel"), Some(vec![1.0; 12]));
    assert_eq!(model.weight("dense/kernl"), None);
}

/// The variants themselves, for programs that match on them.
#[test]
fn errors_are_told_apart_by_their_kind() {
    let kind =
        |model: Sequential| model.compile(Compile::new(Sgd::default(), sparse())).map(drop).unwrap_err();
    assert_eq!(kind(Sequential::new([0])), ModelError::InputShape(Shape::from([0]), 1 << 24));
    assert_eq!(kind(Sequential::new([1])), ModelError::LayerCount { received: 0, most: 1000 });
    assert!(matches!(kind(of(Dropout::new(2.0))), ModelError::Layer { layer, .. } if layer == "dropout"));
}

/// A file that sets one parameter to what is no number.
fn read<T: serde::de::DeserializeOwned>(
    name: &str,
    given: &toml::Table,
    parameter: &str,
) -> Result<(), String> {
    let mut table = given.clone();
    table.insert("name".into(), name.into());
    table.insert(parameter.into(), f64::NAN.into());
    toml::Value::from(table).try_into::<T>().map(drop).map_err(|error| error.to_string())
}

/// Of everything that a model file names but layers; the error names the parameter and what was received.
#[test]
fn no_parameter_may_be_nan() {
    let schedules: toml::Table = toml::from_str(
        "initial_learning_rate = 0.1\ndecay_steps = 10\nfirst_decay_steps = 10\ndecay_rate = 0.5\nboundaries = [5]\n\
         values = [0.1, 0.2]\nmax_learning_rate = 0.1\ntotal_steps = 10",
    )
    .unwrap();
    let mut checked = 0;
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Layers) {
        for choice in kind.choices() {
            let names: Vec<_> = choice.parameters.iter().map(|parameter| parameter.name).collect();
            let given = schedules.clone().into_iter().filter(|(key, _)| names.contains(&key.as_str()));
            let given: toml::Table =
                if kind == Kind::Schedules { given.collect() } else { toml::Table::new() };
            for parameter in &choice.parameters {
                let default = serde_json::to_value(&parameter.default).unwrap();
                if !default.is_f64() {
                    continue;
                }
                let (name, of) = (choice.name, parameter.name);
                let read = match kind {
                    Kind::Activations => read::<Activation>(name, &given, of),
                    Kind::Constraints => read::<Constraint>(name, &given, of),
                    Kind::Initializers => read::<Initializer>(name, &given, of),
                    Kind::Losses => read::<Loss>(name, &given, of),
                    Kind::Metrics => read::<Metric>(name, &given, of),
                    Kind::Optimizers => read::<Optimizer>(name, &given, of),
                    Kind::Regularizers => read::<Regularizer>(name, &given, of),
                    Kind::Schedules => read::<Schedule>(name, &given, of),
                    Kind::Layers => continue,
                };
                let error = read.expect_err(&format!("{name}: {of} may be NaN"));
                assert!(error.contains(of) && error.contains("NaN"), "{name}: {error}");
                checked += 1;
            }
        }
    }
    assert!(checked > 130, "{checked}");
}

/// Compile names layer and parameter.
#[test]
fn no_number_of_a_layer_may_be_nan() {
    let mut checked = 0;
    for layer in Layer::examples() {
        let toml::Value::Table(table) = toml::Value::try_from(&layer).unwrap() else { panic!("{layer:?}") };
        for (key, _) in table.iter().filter(|(_, value)| value.is_float()) {
            let mut table = table.clone();
            table.insert(key.clone(), f64::NAN.into());
            let layer: Layer = toml::Value::from(table).try_into().unwrap();
            let error = Sequential::new([6, 6, 32]).add(layer.clone()).summary().unwrap_err().to_string();
            let names = [format!("{key}: expected"), format!("{key} must be")];
            let named =
                error.starts_with("layer \"") && names.iter().any(|name| error.contains(name.as_str()));
            assert!(named && error.contains("NaN"), "{}: {error}", layer.class_name());
            checked += 1;
        }
    }
    assert!(checked > 25, "{checked}");
}

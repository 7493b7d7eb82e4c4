//! The model file: read, written, and refused.

use super::callbacks::{BackupAndRestore, CSVLogger, EarlyStopping, LearningRateScheduler, ModelCheckpoint};
use super::*;
use seedbed_data::OwnData;
use seedbed_nn::callbacks::Mode;
use seedbed_nn::metrics::{Auc, Curve};
use seedbed_nn::prelude::{
    Activation, ActivationLayer, CategoricalCrossentropy, Dense, Dropout, Flatten, Initializer, Regularizer,
    Rescaling,
};

const FILE: &str = r#"
        input_shape = [28, 28]

        [[layers]]
        class_name = "Flatten"

        [[layers]]
        class_name = "Dense"
        units = 128
        activation = "relu"
        kernel_initializer = "he_normal"
        kernel_regularizer = { l2 = 1e-4 }

        [[layers]]
        class_name = "Dense"
        units = 10
        activation = "softmax"
    "#;

fn parse(text: &str) -> Result<Recipe, String> {
    Recipe::parse("m.toml", text).map_err(|error| error.to_string())
}

#[test]
fn what_a_file_leaves_out_has_kerass_defaults() {
    let recipe = parse(FILE).unwrap();
    let model = Sequential::new([28, 28])
        .add(Flatten::new())
        .add(
            Dense::new(128)
                .activation(Activation::Relu)
                .kernel_initializer(Initializer::HeNormal { seed: None })
                .kernel_regularizer(Regularizer::l2(1e-4)),
        )
        .add(Dense::new(10).activation(Activation::Softmax));
    assert_eq!(recipe.model, model);
    assert_eq!(recipe.compile.optimizer, "adam".parse().unwrap());
    assert_eq!(recipe.compile.loss, "sparse_categorical_crossentropy".parse().unwrap());
    assert_eq!((recipe.fit.epochs, recipe.fit.batch_size, recipe.fit.shuffle), (10, 32, true));
    assert_eq!(recipe.fit, FitRecipe::default());
    assert_eq!(recipe.data.dataset, DataName::Auto);
    assert_eq!((recipe.data.normalization, recipe.data.train_size), (Normalization::Unit, None));
}

#[test]
fn a_written_recipe_reads_as_the_same_and_leaves_nothing_out() {
    let mut recipe = parse(FILE).unwrap();
    recipe.model = recipe
        .model
        .add(Dropout::new(0.1 + 0.2).name("drop"))
        .add(Rescaling::new(1.0 / 255.0, -0.5))
        .add(ActivationLayer::new(Activation::LeakyRelu { negative_slope: 0.3 }));
    recipe.compile.optimizer = Optimizer::adamw().learning_rate(1e-30);
    recipe.compile.loss = CategoricalCrossentropy { from_logits: true, label_smoothing: 0.1 }.into();
    recipe.fit = FitRecipe { epochs: 1, batch_size: 7, shuffle: false, ..FitRecipe::default() };
    recipe.data = DataRecipe {
        dataset: DataName::FashionMnist,
        normalization: Normalization::Standard,
        train_size: Some(100),
        label_noise: 0.25,
    };
    let text = recipe.to_toml();
    assert_eq!(parse(&text).as_ref(), Ok(&recipe), "{text}");

    let own = OwnData {
        label: Some("species".into()),
        weight: Some("sampling".into()),
        sample_shape: Some(vec![2, 2]),
        test_fraction: Some(0.25),
        split_seed: 3,
        ..OwnData::at("plants/iris.csv")
    };
    recipe.data.dataset = DataName::Own(own);
    let text = recipe.to_toml();
    assert_eq!(parse(&text).as_ref(), Ok(&recipe), "{text}");
    let short = parse(&format!("{FILE}\n[data]\ndataset = 'plants/iris.csv'\n")).unwrap();
    assert_eq!(short.data.dataset, DataName::Own(OwnData::at("plants/iris.csv")));

    let text = parse(FILE).unwrap().to_toml();
    for line in ["learning_rate = 0.001", "beta_2 = 0.999", "bias_initializer = \"zeros\"", "shuffle = true"]
    {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[test]
fn mistakes_are_named_with_line_and_remedy() {
    for (from, to, expected) in [
        ("= \"Dense\"", "= \"Dens\"", "m.toml: layer at line 7: unknown layer `Dens`, did you mean `Dense`?"),
        ("he_normal", "he_norml", "line 7: Dense: unknown initializer `he_norml`, did you mean `he_normal`?"),
        ("\"softmax\"", "\"sofmax\"", "line 14: Dense: unknown activation `sofmax`, did you mean `softmax`?"),
        (
            "units = 128",
            "unit = 128",
            "line 7: Dense: unknown field `unit`, expected one of `name`, `trainable`, `units`",
        ),
        ("units = 128", "units = 0", "layer \"dense\": units: expected 1 to 16777216, received 0"),
        ("l2 = 1e-4", "l2 = -1", "l2: l2 must be a finite number ≥ 0, but is -1"),
        ("input_shape", "input_shap", "line 2, column 9"),
        ("[28, 28]", "[28, 0]", "input_shape: expected axes whose product is 1 to"),
        ("[[layers]]", "[[layers]", "TOML parse error at line 4"),
    ] {
        let error = parse(&FILE.replacen(from, to, 1)).unwrap_err();
        assert!(error.starts_with("model file m.toml: ") && error.contains(expected), "{to}: {error}");
    }
    for (added, expected) in [
        ("[compile]\noptimizer = 'adm'", "unknown optimizer `adm`, did you mean `adam`?"),
        (
            "[compile]\noptimizer = {name = 'adam', learning_rate = -1}",
            "learning_rate must be a finite number > 0",
        ),
        ("[compile]\nloss = 'mean_square_error'", "did you mean `mean_squared_error`?"),
        ("[fit]\nepochs = 0", "epochs: expected 1 to 4294967295, received 0"),
        ("[fit]\nepoch = 3", "unknown field `epoch`, expected one of `epochs`"),
        ("[fit]\nbatch_size = 2.5", "line 20, column 14"),
        ("[data]\ndataset = 'mnits'", "Did you mean \"mnist\"?"),
        ("[data]\ndataset = 3", "expected a dataset's name, a path, or a table with a path"),
        (
            "[data]\ndataset = { path = 'x.csv', labels = 'y' }",
            "unknown field `labels`, expected one of `path`, `label`",
        ),
        (
            "[data]\ndataset = { path = 'x.csv', test_fraction = 1.0 }",
            "test_fraction: expected a number above 0 and below 1, received 1",
        ),
        (
            "[data]\ndataset = { path = 'x.csv', sample_shape = [0, 2] }",
            "sample_shape: expected 1 to 3 lengths whose product is 1 to 16777216, received [0, 2]",
        ),
        ("[data]\nnormalization = 'z'", "expected one of `none`, `unit`, `standard`, `bytes`"),
        ("[data]\ntrain_size = 0", "train_size: expected 1 to"),
        ("[extra]", "unknown field `extra`"),
    ] {
        let error = parse(&format!("{FILE}\n{added}\n")).unwrap_err();
        assert!(error.contains(expected), "{added}: {error}");
    }
}

#[test]
fn what_is_no_model_file_is_refused_and_nothing_panics() {
    for end in 0..FILE.len() {
        let _ = parse(&FILE[..end]);
    }
    assert!(parse(&format!("input_shape = {}", "[".repeat(100_000))).is_err());
    assert!(parse("input_shape = [2]\nlayers = [1]").is_err());
    assert!(
        parse("input_shape = [2]\nlayers = []")
            .unwrap_err()
            .contains("expected 1 to 1000 layers, received 0")
    );

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.toml");
    let error = Recipe::read(&path).unwrap_err().to_string();
    assert!(error.starts_with("cannot read the model file ") && error.contains("m.toml"), "{error}");
    std::fs::write(&path, vec![b' '; 1 + MAX_FILE as usize]).unwrap();
    assert!(Recipe::read(&path).unwrap_err().to_string().contains("at most 1 MiB"));
    std::fs::write(&path, [0xff]).unwrap();
    assert!(Recipe::read(&path).unwrap_err().to_string().contains("UTF-8"));
    std::fs::write(&path, FILE).unwrap();
    assert_eq!(Recipe::read(&path).unwrap(), parse(FILE).unwrap());
}

#[test]
fn a_loss_that_does_not_fit_the_output_is_refused_by_compiling() {
    let mut recipe = parse(FILE).unwrap();
    recipe.compile.loss = SparseCategoricalCrossentropy { from_logits: true, ..Default::default() }.into();
    let error = recipe.compile(0, NonZeroUsize::MIN).map(drop).unwrap_err().to_string();
    assert!(error.contains("from_logits expects logits, received a softmax's probabilities"), "{error}");
}

/// A file's keys, then what they mean.
#[test]
fn metrics_validation_weights_and_callbacks_are_read_and_written() {
    let more = r#"
        [compile]
        metrics = ["accuracy", "recall", { name = "auc", curve = "PR" }, "recall"]

        [fit]
        validation_split = 0.25
        class_weight = { "0" = 2.0, "9" = 0.5 }

        [[fit.callbacks]]
        class_name = "EarlyStopping"
        monitor = "val_recall_1"
        mode = "max"
        baseline = 0.5

        [[fit.callbacks]]
        class_name = "LearningRateScheduler"
        schedule = { "0" = 0.1, "10" = 0.01 }

        [[fit.callbacks]]
        class_name = "model_checkpoint"
        filepath = "best-{epoch:02d}-{val_auc:.2f}.keras"
        monitor = "val_auc"
        save_best_only = true
        save_freq = "epoch"

        [[fit.callbacks]]
        class_name = "CSVLogger"
        filename = "log.csv"
        append = true

        [[fit.callbacks]]
        class_name = "TerminateOnNaN"

        [[fit.callbacks]]
        class_name = "BackupAndRestore"
        backup_dir = "backup"
    "#;
    let recipe = parse(&format!("{FILE}{more}")).unwrap();
    let auc = Metric::Auc(Auc { curve: Curve::Pr, ..Auc::default() });
    assert_eq!(recipe.compile.metrics, ["recall".parse().unwrap(), auc, "recall".parse().unwrap()]);
    assert_eq!((recipe.fit.validation_split, recipe.fit.validation_data), (0.25, None));
    assert_eq!(recipe.fit.class_weight, [(0, 2.0), (9, 0.5)].into());
    let schedule = &[(0, 0.1), (10, 0.01)].into();
    let [early, scheduler, checkpoint, csv, _, backup] = recipe.fit.callbacks.as_slice() else { panic!() };
    let monitor = "val_recall_1".to_owned();
    let expected =
        EarlyStopping { monitor, mode: Mode::Max, baseline: Some(0.5), ..EarlyStopping::default() };
    assert_eq!(*early, expected.into());
    assert_eq!(*scheduler, LearningRateScheduler { schedule: Clone::clone(schedule) }.into());
    assert_eq!([0, 9, 10, 99].map(|epoch| schedule.up_to(epoch)), [0.1, 0.1, 0.01, 0.01].map(Some));
    let expected = ModelCheckpoint {
        filepath: "best-{epoch:02d}-{val_auc:.2f}.keras".into(),
        monitor: "val_auc".into(),
        save_best_only: true,
        ..ModelCheckpoint::default()
    };
    assert_eq!(*checkpoint, expected.into());
    assert_eq!(*csv, CSVLogger { filename: "log.csv".into(), separator: ",".into(), append: true }.into());
    let expected = BackupAndRestore { backup_dir: "backup".into(), ..BackupAndRestore::default() };
    assert_eq!(*backup, expected.into());

    let text = recipe.to_toml();
    assert_eq!(parse(&text).as_ref(), Ok(&recipe), "{text}");
    assert_eq!(Recipe::from_value(serde_json::to_value(&recipe).unwrap()).unwrap(), recipe);
}

/// The text of a recipe decides which trials are the same: nothing may be added to that of an older one.
#[test]
fn what_has_its_default_leaves_a_recipe_as_it_was() {
    let plain = parse(FILE).unwrap().to_toml();
    for key in ["metrics", "validation", "class_weight", "callbacks"] {
        assert!(!plain.contains(key), "{key} is in\n{plain}");
    }
    let more =
        "[compile]\nmetrics = ['accuracy']\n[fit]\nvalidation_split = 0\nclass_weight = {}\ncallbacks = []\n";
    assert_eq!(parse(&format!("{FILE}\n{more}")).unwrap().to_toml(), plain);
}

#[test]
fn mistakes_in_metrics_and_callbacks_are_named_with_path_and_remedy() {
    for (added, expected) in [
        (
            "[compile]\nmetrics = ['precison']",
            "metrics: unknown metric `precison`, did you mean `precision`?",
        ),
        (
            "[compile]\nmetrics = [{ name = 'auc', curv = 'PR' }]",
            "auc: unknown parameter `curv`, did you mean `curve`?",
        ),
        ("[compile]\nweighted_metrics = ['auc']", "unknown field `weighted_metrics`, expected one of"),
        ("[fit]\nvalidation_split = 1.0", "fit: validation_split: expected 0 to below 1, received 1"),
        ("[fit]\nvalidation_data = 'tests'", "unknown variant `tests`, expected `test`"),
        (
            "[fit]\nvalidation_split = 0.1\nvalidation_data = 'test'",
            "fit: expected validation_split or validation_data, received both",
        ),
        (
            "[fit]\nclass_weight = { '10' = 1.0 }",
            "fit: class_weight: expected classes 0 to 9 with finite weights ≥ 0, received \"10\" = 1",
        ),
        ("[fit]\nclass_weight = { one = 1.0 }", "expected whole numbers as keys, received `one`"),
        ("[fit]\nclass_weight = { '1' = nan }", "received \"1\" = NaN"),
        ("[[fit.callbacks]]\npatience = 3", "callbacks: each needs a `class_name`"),
        (
            "[[fit.callbacks]]\nclass_name = 'EarlyStoping'",
            "unknown callback `EarlyStoping`, did you mean `EarlyStopping`?; known are EarlyStopping, ReduceLROnPlateau",
        ),
        (
            "[[fit.callbacks]]\nclass_name = 'EarlyStopping'\npatence = 3",
            "EarlyStopping: unknown parameter `patence`, did you mean `patience`?; known are monitor, min_delta",
        ),
        (
            "[[fit.callbacks]]\nclass_name = 'EarlyStopping'\npatience = -1",
            "EarlyStopping: patience: invalid value",
        ),
        (
            "[[fit.callbacks]]\nclass_name = 'EarlyStopping'",
            "fit: callbacks[0]: EarlyStopping: monitor: expected one of loss, accuracy, received val_loss; give the fit a \
             validation_split or validation_data, and there is a val_loss",
        ),
        (
            "[[fit.callbacks]]\nclass_name = 'EarlyStopping'\nmonitor = 'test_accuracy'",
            "monitor: expected one of loss, accuracy, received test_accuracy; did you mean `accuracy`?",
        ),
        (
            "[[fit.callbacks]]\nclass_name = 'ReduceLROnPlateau'\nmonitor = 'loss'\nfactor = 1.0",
            "ReduceLROnPlateau: factor: expected a number above 0 and below 1, received 1",
        ),
        (
            "[[fit.callbacks]]\nclass_name = 'LearningRateScheduler'",
            "LearningRateScheduler: expected `schedule`, which has no default",
        ),
        (
            "[[fit.callbacks]]\nclass_name = 'LearningRateScheduler'\nschedule = { '0' = -1.0 }",
            "schedule: expected finite rates > 0, received -1",
        ),
        (
            "[compile.optimizer]\nname = 'sgd'\nlearning_rate = { name = 'cosine_decay', initial_learning_rate = 0.1, \
             decay_steps = 9 }\n[[fit.callbacks]]\nclass_name = 'ReduceLROnPlateau'\nmonitor = 'loss'",
            "expected a learning_rate that is one number, as this changes it, received cosine_decay",
        ),
        (
            "[[fit.callbacks]]\nclass_name = 'ModelCheckpoint'\nfilepath = 'a.h5'",
            "ModelCheckpoint: filepath: expected a name that ends with .keras; with save_weights_only = true",
        ),
        (
            "[[fit.callbacks]]\nclass_name = 'ModelCheckpoint'\nfilepath = 'a.keras'\nsave_weights_only = true",
            "expected a name that ends with .weights.h5, .safetensors or .npz, as save_weights_only is on",
        ),
        (
            "[[fit.callbacks]]\nclass_name = 'ModelCheckpoint'\nfilepath = '{val_los:.2f}.keras'",
            "filepath: expected names between braces that are measured: epoch, loss, accuracy; received val_los",
        ),
        (
            "[[fit.callbacks]]\nclass_name = 'ModelCheckpoint'\nfilepath = '{epoch.keras'",
            "a brace stands alone",
        ),
        (
            "[[fit.callbacks]]\nclass_name = 'ModelCheckpoint'\nfilepath = 'a.keras'\nsave_freq = 100",
            "save_freq: expected \"epoch\", received 100; files are written after whole epochs only",
        ),
        (
            "[[fit.callbacks]]\nclass_name = 'CSVLogger'\nfilename = ''",
            "filename: expected a file's name, received none",
        ),
        (
            "[[fit.callbacks]]\nclass_name = 'TerminateOnNaN'\nverbose = 1",
            "TerminateOnNaN: it has no parameters, but `verbose` was given",
        ),
        (
            "[[fit.callbacks]]\nclass_name = 'SwapEMAWeights'",
            "callbacks[0]: SwapEMAWeights: expected an optimizer with use_ema = true, received one without averages",
        ),
        (
            "[[fit.callbacks]]\nclass_name = 'BackupAndRestore'\nbackup_dir = 'a'\n\
             [[fit.callbacks]]\nclass_name = 'BackupAndRestore'\nbackup_dir = 'b'",
            "callbacks[1]: BackupAndRestore: expected one of it, received two",
        ),
    ] {
        let error = parse(&format!("{FILE}\n{added}\n")).unwrap_err();
        assert!(error.contains(expected), "{added}:\n{error}");
    }
}

/// Every parameter of every callback is listed, and a file that writes them all is read.
#[test]
fn what_is_listed_can_be_written() {
    let choices = callbacks::choices();
    let line = |name: &str| {
        let choice = choices.iter().find(|choice| choice.name == name).unwrap();
        choice.parameters.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(
        line("EarlyStopping"),
        "monitor=\"val_loss\", min_delta=0.0, patience=0, mode=\"auto\", baseline=none, \
         restore_best_weights=false, start_from_epoch=0"
    );
    assert_eq!(line("CSVLogger"), "filename, separator=\",\", append=false");
    assert_eq!((line("LearningRateScheduler"), line("TerminateOnNaN")), ("schedule".into(), String::new()));
}

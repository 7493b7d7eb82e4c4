//! One small model for every layer, and for every value of every parameter in the table below: what the engine can be
//! told, other programs are told. A parameter that is missing in the table fails the test.

use super::{compiled, loaded, weights};
use seedbed_lab::formats::{read_recipe, write};
use seedbed_lab::recipe::{CompileRecipe, DataRecipe, FitRecipe, Recipe};
use seedbed_nn::choices::{Choice, Kind};
use seedbed_nn::layers::Flatten;
use seedbed_nn::model::Model;
use seedbed_nn::sequential::Sequential;
use serde_json::{Map, Value, json};
use std::num::NonZeroUsize;
use std::path::Path;

/// Values unlike the default for a parameter, as JSON; `null` leaves it out. Model `k` takes value `k` of every
/// parameter, and starts again where there are fewer.
fn values(owner: &str, parameter: &str) -> &'static [&'static str] {
    match (owner, parameter) {
        ("ELU" | "elu" | "celu", "alpha") => &["0.4"],
        ("MixUp", "alpha") => &["0.6"],
        // Keras reads one number and writes the range that it stands for.
        ("RandomContrast" | "RandomErasing", "factor") => &["[0.1, 0.6]"],
        ("RandomRotation", "factor") => &["[-0.1, 0.2]"],
        ("orthogonal_regularizer", "factor") => &["0.3"],
        ("orthogonal_regularizer", "mode") => &[r#""columns""#],
        ("Rescaling", "scale") => &["0.5"],
        ("RandomErasing", "scale") => &["[0.1, 0.2]"],
        ("variance_scaling", "scale") => &["0.5"],
        ("variance_scaling", "mode") => &[r#""fan_out""#, r#""fan_avg""#],
        ("Softmax" | "UnitNormalization", "axis") => &["1", "-2", "[1, 3]", "[1, 2]"],
        // Keras writes a list.
        ("LayerNormalization", "axis") => &["[1]", "[-2]", "[1, 3]", "[1, 2]"],
        ("Normalization", "axis") => &["[3]", "[2]", "[1]"],
        // Keras 3.15 fails at any other.
        ("RMSNormalization", "axis") => &["[-1]"],
        ("GroupNormalization", "axis") => &["-1", "2"],
        ("BatchNormalization", "axis") => &["-1", "2", "1"],
        ("max_norm" | "min_max_norm" | "unit_norm", "axis") => &["1", "[0, 1]"],
        ("dice" | "tversky", "axis") => &["-1"],
        ("Normalization", "mean") => &["[0.5, -0.25, 0.125, 0.75]", "null", "0.25"],
        ("Normalization", "variance") => &["[0.5, 0.25, 2.0, 1.5]", "null", "2.5"],
        ("GroupNormalization", "groups") => &["2", "1"],
        ("Conv2D", "groups") => &["2", "1"],
        ("Conv2D", "strides") => &["[2, 1]", "[1, 1]"],
        ("DepthwiseConv2D", "strides") => &["[2, 2]", "[1, 1]"],
        ("Conv2D" | "DepthwiseConv2D", "kernel_size") => &["[2, 3]", "3"],
        ("RandomZoom" | "RandomTranslation", "height_factor") => &["[-0.2, 0.1]", "0.3"],
        ("RandomZoom" | "RandomTranslation", "width_factor") => &["0.2", "[0.1, 0.2]"],
        ("RandomFlip", "mode") => &[r#""horizontal""#, r#""vertical""#],
        ("Dense", "activation") => &[r#""tanh""#, r#"{"name": "leaky_relu", "negative_slope": 0.3}"#],
        ("Activation", "activation") => &[r#""gelu""#, r#"{"name": "elu", "alpha": 0.5}"#],
        (_, "activation") => &[r#""relu""#, r#"{"name": "relu", "negative_slope": 0.1, "max_value": 0.5}"#],
        (_, "scale" | "center" | "use_bias" | "trainable") => &["false", "true"],
        (_, "units" | "filters") => &["4", "2"],
        (_, "rate" | "stddev") => &["0.25"],
        (_, "seed") => &["7"],
        (_, "offset") => &["-0.25"],
        (_, "epsilon") => &["1e-4"],
        (_, "momentum") => &["0.5"],
        (_, "invert" | "keepdims") => &["true", "false"],
        (_, "fill_mode") => &[r#""constant""#, r#""nearest""#, r#""wrap""#],
        (_, "interpolation") => &[r#""nearest""#],
        (_, "fill_value") => &["0.5"],
        (_, "value_range") => &["[0.0, 1.0]"],
        (_, "target_shape") => &["[2, 3]", "[3, 10, 4]"],
        (_, "negative_slope") => &["0.15"],
        (_, "max_value") => &["0.75"],
        (_, "threshold") => &["0.25"],
        (_, "shared_axes") => &["null", "[1]", "[1, 2]"],
        (_, "padding") => &[r#""same""#, r#""valid""#],
        (_, "dilation_rate") => &["[1, 1]", "[2, 1]"],
        (_, "depth_multiplier") => &["2"],
        (_, "pool_size") => &["[2, 3]", "3"],
        (_, "strides") => &["[2, 1]", "1"],
        (_, name) if name.ends_with("_initializer") => {
            &[r#"{"name": "random_uniform", "minval": -0.3, "maxval": 0.2}"#, r#""he_normal""#]
        }
        (_, name) if name.ends_with("_regularizer") => {
            &[r#"{"l1": 0.125, "l2": 0.25}"#, r#"{"l2": 0.3}"#, r#"{"l1": 0.2}"#]
        }
        // Norms are refused where a variable has several axes.
        ("PReLU", "alpha_constraint") => &[r#""non_neg""#],
        ("LayerNormalization", "gamma_constraint" | "beta_constraint") => &[
            r#"{"name": "max_norm", "max_value": 1.5, "axis": [0]}"#,
            r#""non_neg""#,
            r#""non_neg""#,
            r#""non_neg""#,
        ],
        (_, name) if name.ends_with("_constraint") => {
            &[r#"{"name": "max_norm", "max_value": 1.5, "axis": [0]}"#, r#""non_neg""#]
        }
        _ => choice_values(owner, parameter),
    }
}

/// The same for what a layer or a training is given by name.
fn choice_values(owner: &str, parameter: &str) -> &'static [&'static str] {
    match (owner, parameter) {
        ("one_cycle", _) => &[],
        // Keras has a method for it, and its files have no place.
        (_, "exclude_from_weight_decay") => &["[]"],
        ("muon", "exclude_layers") => &[r#"["last"]"#],
        // Keras reads them and forgets them when it writes.
        ("huber", "delta") | ("identity", "gain") => &["1.0"],
        // Nothing that Keras has.
        ("sparse_categorical_crossentropy", "label_smoothing") => &["0.0"],
        (_, "k" | "top_k") => &["2"],
        (_, "class_id") => &["1"],
        (_, "average") => &[r#""micro""#, r#""weighted""#],
        (_, "num_thresholds" | "bins") => &["50"],
        (_, "curve") => &[r#""PR""#],
        // At most one of the three may be said.
        (_, "clipnorm") => &["0.5", "null", "null"],
        (_, "clipvalue") => &["null", "0.25", "null"],
        (_, "global_clipnorm") => &["null", "null", "0.75"],
        (_, "learning_rate") => {
            &["0.125", r#"{"name": "cosine_decay", "initial_learning_rate": 0.1, "decay_steps": 8}"#]
        }
        (_, "use_ema" | "nesterov" | "centered" | "amsgrad" | "relative_step" | "exclude_embeddings") => {
            &["true", "false"]
        }
        // Nothing without use_ema.
        (_, "ema_overwrite_frequency") => &["3", "null"],
        (_, "ema_momentum") => &["0.375", "0.99"],
        (_, "gradient_accumulation_steps" | "ns_steps") => &["3"],
        (_, "beta_2_decay" | "learning_rate_power") => &["-0.6"],
        (_, "reduction") => &[r#""sum""#, r#""mean_with_sample_weight""#],
        (_, "from_logits" | "apply_class_balancing" | "staircase" | "cycle") => &["true", "false"],
        (_, "ignore_class") => &["1"],
        (_, "gamma" | "t_mul" | "m_mul" | "power") => &["1.5"],
        (_, "decay_steps" | "first_decay_steps" | "warmup_steps") => &["6"],
        (_, "boundaries") => &["[2, 5]"],
        (_, "values") => &["[0.5, 0.25, 0.125]"],
        (_, "distribution") => &[r#""untruncated_normal""#, r#""uniform""#],
        (_, "approximate") => &["true"],
        _ => &["0.375"],
    }
}

/// What is said of a thing in its `k`th form, without what is left out.
fn said(choice: &Choice, k: usize) -> Map<String, Value> {
    let mut table = Map::new();
    for parameter in &choice.parameters {
        let values = values(choice.name, parameter.name);
        assert!(!values.is_empty(), "{}: no value of {} is in the table", choice.name, parameter.name);
        let value: Value = serde_json::from_str(values[k % values.len()]).unwrap();
        if !value.is_null() {
            table.insert(parameter.name.to_owned(), value);
        }
    }
    table
}

/// How many forms it takes to say every value.
fn forms(choice: &Choice) -> usize {
    choice.parameters.iter().map(|parameter| values(choice.name, parameter.name).len()).max().unwrap_or(1)
}

/// A thing by its name, in its `k`th form.
fn named(choice: &Choice, k: usize) -> Value {
    let mut table = said(choice, k);
    table.insert("name".to_owned(), choice.name.into());
    Value::Object(table)
}

fn recipe(shape: &[usize], layer: Value, compile: Value) -> Result<Recipe, String> {
    let layer = serde_json::from_value(layer).map_err(|error| error.to_string())?;
    let model = Sequential { input_shape: shape.to_vec().into(), layers: vec![layer] }.add(Flatten::new());
    let compile: CompileRecipe = serde_json::from_value(compile).map_err(|error| error.to_string())?;
    let recipe = Recipe { model, compile, fit: FitRecipe::default(), data: DataRecipe::default() };
    recipe.validate().map_err(|error| error.to_string())?;
    Ok(recipe)
}

/// Every layer in every form, on pictures and on vectors where it takes them.
fn layers() -> Vec<(String, Recipe)> {
    let mut models = Vec::new();
    for choice in Kind::Layers.choices() {
        for k in 0..forms(&choice) {
            let mut layer = said(&choice, k);
            layer.insert("class_name".to_owned(), choice.name.into());
            let shapes: [&[usize]; 3] = [&[6, 5, 4], &[6, 4], &[6]];
            let found = shapes.map(|shape| {
                let loss = json!({ "loss": "mean_squared_error" });
                recipe(shape, layer.clone().into(), loss).map(|recipe| (shape, recipe))
            });
            assert!(found.iter().any(Result::is_ok), "{} {k}: {found:?}", choice.name);
            // Keras mixes pictures alone.
            let found =
                found.into_iter().flatten().filter(|(shape, _)| choice.name != "MixUp" || shape.len() == 3);
            models.extend(found.map(|(shape, recipe)| {
                (format!("layer-{}-{k}-of-{}-axes", choice.name, shape.len()), recipe)
            }));
        }
    }
    models
}

/// Every thing that a layer is given by name.
fn parts_of_layers() -> Vec<(String, Recipe)> {
    let key = |kind| match kind {
        Kind::Initializers => Some("kernel_initializer"),
        Kind::Regularizers => Some("kernel_regularizer"),
        Kind::Constraints => Some("kernel_constraint"),
        Kind::Activations => Some("activation"),
        _ => None,
    };
    let mut models = Vec::new();
    for kind in Kind::ALL {
        let Some(key) = key(kind) else { continue };
        for choice in kind.choices() {
            for (k, thing) in
                (0..forms(&choice)).map(|k| named(&choice, k)).chain([choice.name.into()]).enumerate()
            {
                let layer = json!({ "class_name": "Dense", "units": 6, key: thing });
                let loss = json!({ "loss": "mean_squared_error" });
                let recipe =
                    recipe(&[6], layer, loss).unwrap_or_else(|error| panic!("{}: {error}", choice.name));
                models.push((format!("{}-{}-{k}", kind.name(), choice.name), recipe));
            }
        }
    }
    models
}

/// Every optimizer, schedule, loss and metric; losses are metrics, too.
fn trainings() -> Vec<(String, Recipe)> {
    let mut models = Vec::new();
    let mut add = |name: String, compile: Value| {
        // Losses differ in what they want of the outputs.
        let with = |activation| {
            let layer = json!({ "class_name": "Dense", "units": 6, "activation": activation });
            recipe(&[6], layer, compile.clone()).unwrap_or_else(|error| panic!("{name}: {error}"))
        };
        let recipes = ["softmax", "sigmoid", "linear"].map(with);
        let compiles = |recipe: &Recipe| recipe.compile(0, NonZeroUsize::MIN).is_ok();
        let recipe = recipes.into_iter().find(compiles).unwrap_or_else(|| panic!("{name}"));
        models.push((name, recipe));
    };
    for choice in Kind::Optimizers.choices() {
        for k in 0..forms(&choice) {
            add(format!("optimizer-{}-{k}", choice.name), json!({ "optimizer": named(&choice, k) }));
        }
    }
    for choice in Kind::Losses.choices() {
        for k in 0..forms(&choice) {
            add(format!("loss-{}-{k}", choice.name), json!({ "loss": named(&choice, k) }));
        }
    }
    for choice in Kind::Losses.choices().into_iter().chain(Kind::Metrics.choices()) {
        for k in 0..forms(&choice) {
            let mut metric = said(&choice, k);
            metric.remove("reduction");
            metric.insert("name".to_owned(), choice.name.into());
            add(format!("metric-{}-{k}", choice.name), json!({ "metrics": [metric, choice.name] }));
        }
    }
    for choice in Kind::Schedules.choices().into_iter().filter(|choice| choice.name != "one_cycle") {
        let optimizer = json!({ "name": "sgd", "learning_rate": named(&choice, 0) });
        add(format!("schedule-{}", choice.name), json!({ "optimizer": optimizer }));
    }
    models
}

/// Every one of these models.
pub(super) fn models() -> Vec<(String, Recipe)> {
    [layers(), parts_of_layers(), trainings()].concat()
}

/// A model whose weights no default explains; variances are positive.
pub(super) fn with_weights(recipe: &Recipe) -> Model {
    let mut model = compiled(recipe);
    let mut state = 1_u32;
    for (name, count) in
        model.params().iter().map(|param| (param.name.clone(), param.count())).collect::<Vec<_>>()
    {
        let low = if name.ends_with("variance") { 0.5 } else { -0.7 };
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            low + (state >> 8) as f32 / (1 << 24) as f32 * (1.1 - low)
        };
        model.set_weight(&name, &(0..count).map(|_| next()).collect::<Vec<_>>()).unwrap();
    }
    model
}

/// What Keras's files cannot hold, and what the refusal says.
pub(super) fn only_here(name: &str) -> Option<&'static str> {
    match name {
        "activations-sparsemax-0" | "activations-sparsemax-1" => Some("Keras 3.15 computes another function"),
        "activations-threshold-0" | "activations-threshold-1" => Some("which no file of Keras can hold"),
        "activations-celu-0" | "activations-gelu-0" | "activations-squareplus-0" => {
            Some("default parameters only")
        }
        "metric-expected_calibration_error-0" | "metric-mean_margin-0" => Some("Keras does not have it"),
        "activations-soft_shrink-0" | "activations-hard_shrink-0" => Some("default parameters only"),
        _ => None,
    }
}

#[test]
fn every_choice_comes_back() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("model.keras");
    let mut failures = Vec::new();
    for (name, recipe) in models() {
        let model = with_weights(&recipe);
        match (write(&path, &recipe, &model), only_here(&name)) {
            (Ok(()), None) => failures.extend(differs(&path, &name, &recipe, Some(&model))),
            (Err(error), Some(why)) if error.to_string().contains(why) => {}
            (Err(error), why) => failures.push(format!("{name}: {error}, but expected {why:?}")),
            (Ok(()), Some(why)) => failures.push(format!("{name}: written, but expected {why}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What is different in a file, if anything is: the recipe, and with a model the weights.
fn differs(path: &Path, name: &str, recipe: &Recipe, model: Option<&Model>) -> Option<String> {
    let found = match read_recipe(path) {
        Ok(found) => found,
        Err(error) => return Some(format!("{name}: {error}")),
    };
    if (&found.model, &found.compile) != (&recipe.model, &recipe.compile) {
        return Some(format!("{name}: is\n{}\ninstead of\n{}", found.to_toml(), recipe.to_toml()));
    }
    let model = model?;
    (weights(&loaded(path, path).1) != weights(model)).then(|| format!("{name}: other weights"))
}

/// Says where what Keras read and wrote again is not the same.
pub(super) fn changed_by_keras(place: &Path, name: &str, recipe: &Recipe, model: &Model) -> Option<String> {
    differs(&place.join(format!("{name}.back.keras")), &format!("{name}.back.keras"), recipe, Some(model))
        .or_else(|| {
            differs(&place.join(format!("{name}.back.json")), &format!("{name}.back.json"), recipe, None)
        })
}

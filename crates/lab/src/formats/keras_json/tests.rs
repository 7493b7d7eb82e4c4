use super::*;
use seedbed_nn::prelude::*;
use serde_json::json;

fn refused(change: impl FnOnce(&mut Value)) -> String {
    let model = Sequential::new([4])
        .add(Dense::new(3).activation(Activation::Relu))
        .add(Dropout::new(0.5))
        .add(Dense::new(2).activation(Activation::Softmax));
    let mut file = write(&model, &CompileRecipe::default()).unwrap();
    change(&mut file);
    read(file.to_string().as_bytes()).unwrap_err()
}

fn layer(file: &mut Value, index: usize) -> &mut Value {
    &mut file["config"]["layers"][index]
}

#[test]
fn every_layer_comes_back() {
    for layer in Layer::examples() {
        for shape in [vec![4], vec![6, 6, 4]] {
            let model = Sequential { input_shape: shape.into(), layers: vec![layer.clone()] };
            if model.summary().is_err() {
                continue;
            }
            let file = write(&model, &CompileRecipe::default()).unwrap();
            assert_eq!(read(file.to_string().as_bytes()).unwrap().0, model, "{file:#}");
        }
    }
}

#[test]
fn choices_come_back() {
    for initializer in Initializer::NAMES {
        let layer = Dense::new(4).kernel_initializer(initializer.parse().unwrap()).name("first");
        let model = Sequential::new([4]).add(layer).add(Dense::new(2).trainable(false));
        let file = write(&model, &CompileRecipe::default()).unwrap();
        assert_eq!(read(file.to_string().as_bytes()).unwrap().0, model, "{file:#}");
    }
    for regularizer in [Regularizer::l1(0.5), Regularizer::l2(0.01), Regularizer::l1_l2(0.1, 0.0)] {
        let model = Sequential::new([4]).add(Dense::new(2).kernel_regularizer(regularizer));
        let file = write(&model, &CompileRecipe::default()).unwrap();
        assert_eq!(read(file.to_string().as_bytes()).unwrap().0, model, "{file:#}");
    }
    for activation in Activation::NAMES {
        let model = Sequential::new([4]).add(Dense::new(2).activation(activation.parse().unwrap()));
        let written = write(&model, &CompileRecipe::default());
        if NOT_IN_COMMON.iter().any(|(name, _)| *name == activation) {
            assert!(written.unwrap_err().contains("cannot be exchanged with Keras"));
            continue;
        }
        let file = written.unwrap();
        assert_eq!(file["config"]["layers"][1]["config"]["activation"], activation);
        assert_eq!(read(file.to_string().as_bytes()).unwrap().0, model, "{file:#}");
    }
    for activation in [Activation::LeakyRelu { negative_slope: 0.3 }, Activation::Elu { alpha: 0.5 }] {
        let model = Sequential::new([4]).add(Dense::new(2).activation(activation));
        let file = write(&model, &CompileRecipe::default()).unwrap();
        assert_eq!(read(file.to_string().as_bytes()).unwrap().0, model, "{file:#}");
    }
}

/// What layers with variables are told of them, under the keys that Keras writes.
#[test]
fn constraints_and_penalties_of_outputs_come_back() {
    let norm = |axes: &[i64]| json!({ "name": "max_norm", "max_value": 0.5, "axis": axes });
    let unit = json!({ "name": "unit_norm", "axis": -1 });
    let penalty = json!({ "l1": 0.0, "l2": 0.25 });
    let layers = json!([
        {
            "class_name": "Conv2D", "filters": 4, "kernel_size": 2, "kernel_constraint": norm(&[0, 1, 2]),
            "bias_constraint": "non_neg", "activity_regularizer": penalty,
        },
        {
            "class_name": "DepthwiseConv2D", "kernel_size": 2, "depthwise_constraint": norm(&[0, 1]),
            "bias_constraint": unit, "activity_regularizer": penalty,
        },
        { "class_name": "BatchNormalization", "gamma_constraint": unit, "beta_constraint": "non_neg", "activity_regularizer": penalty },
        { "class_name": "LayerNormalization", "gamma_constraint": "non_neg", "beta_constraint": unit, "activity_regularizer": penalty },
        { "class_name": "GroupNormalization", "groups": 2, "gamma_constraint": unit, "activity_regularizer": penalty },
        { "class_name": "RMSNormalization", "activity_regularizer": penalty },
        { "class_name": "UnitNormalization", "activity_regularizer": penalty },
        { "class_name": "PReLU", "alpha_constraint": "non_neg" },
        { "class_name": "ActivityRegularization", "l1": 0.5 },
    ]);
    let model = json!({ "input_shape": [6, 6, 3], "layers": layers });
    let model: Sequential = serde_json::from_value(model).unwrap();
    let file = write(&model, &CompileRecipe::default()).unwrap();
    let config = |index: usize| &file["config"]["layers"][index]["config"];
    assert_eq!(config(1)["kernel_constraint"]["class_name"], "MaxNorm");
    assert_eq!(config(1)["kernel_constraint"]["config"], json!({ "max_value": 0.5, "axis": [0, 1, 2] }));
    assert_eq!(config(1)["bias_constraint"]["class_name"], "NonNeg");
    assert_eq!(config(2)["depthwise_constraint"]["config"]["axis"], json!([0, 1]));
    assert_eq!(config(3)["gamma_constraint"]["config"], json!({ "axis": -1 }));
    assert_eq!(config(3)["activity_regularizer"]["config"], json!({ "l2": 0.25 }));
    assert_eq!(read(file.to_string().as_bytes()).unwrap().0, model, "{file:#}");
}

#[test]
fn optimizers_and_losses_come_back() {
    let model = Sequential::new([4]).add(Dense::new(2));
    for optimizer in Optimizer::NAMES {
        for loss in Loss::NAMES {
            let compile = CompileRecipe {
                optimizer: optimizer.parse::<Optimizer>().unwrap().learning_rate(0.02),
                loss: loss.parse().unwrap(),
                ..CompileRecipe::default()
            };
            let file = write(&model, &compile).unwrap();
            assert_eq!(read(file.to_string().as_bytes()).unwrap().1, compile, "{file:#}");
        }
    }
    let loss = json!({ "name": "categorical_crossentropy", "from_logits": true, "label_smoothing": 0.1 });
    let compile = CompileRecipe { loss: serde_json::from_value(loss).unwrap(), ..CompileRecipe::default() };
    let mut file = write(&model, &compile).unwrap();
    // Keras keeps the rate in 32 bits.
    file["compile_config"]["optimizer"]["config"]["learning_rate"] = json!(f64::from(0.001_f32));
    assert_eq!(read(file.to_string().as_bytes()).unwrap().1, compile);
}

fn with_metrics(metrics: Value) -> Result<Value, String> {
    let metrics = serde_json::from_value(metrics).unwrap();
    write(&Sequential::new([4]).add(Dense::new(3)), &CompileRecipe { metrics, ..CompileRecipe::default() })
}

#[test]
fn metrics_come_back() {
    for name in Metric::NAMES.into_iter().chain(Loss::NAMES) {
        if ["expected_calibration_error", "mean_margin"].contains(&name) {
            let error = with_metrics(json!([name])).unwrap_err();
            assert!(
                error.starts_with(&format!("metrics: Keras does not have it: unknown metrics `{name}`")),
                "{error}"
            );
            continue;
        }
        let file = with_metrics(json!([name])).unwrap();
        let back = read(file.to_string().as_bytes()).unwrap().1.metrics;
        assert_eq!(back, [name.parse::<Metric>().unwrap()], "{file:#}");
    }
    let metrics = json!([
        { "name": "precision", "threshold": 0.25 },
        { "name": "precision", "top_k": 2, "class_id": 1 },
        { "name": "fbeta_score", "beta": 2.0, "average": "weighted" },
        { "name": "huber", "delta": 1.0 },
    ]);
    let file = with_metrics(metrics.clone()).unwrap();
    let written = &file["compile_config"]["metrics"];
    assert_eq!(written[0], "accuracy");
    assert_eq!(written[1]["config"]["thresholds"], 0.25);
    assert_eq!(
        (&written[1]["config"]["name"], &written[2]["config"]["name"]),
        (&json!("precision"), &json!("precision_1"))
    );
    assert_eq!((&written[4]["module"], &written[4]["class_name"]), (&json!("keras.losses"), &json!("Huber")));
    assert_eq!(
        read(file.to_string().as_bytes()).unwrap().1.metrics,
        serde_json::from_value::<Vec<Metric>>(metrics).unwrap()
    );
}

/// The forms in which Keras itself writes them: names, short names, functions, one threshold in a list.
#[test]
fn metrics_and_losses_are_read_in_every_form_that_keras_writes() {
    let function = |name: &str| json!({"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"});
    let of = |class_name: &str, config: Value| json!({"module": "keras.metrics", "class_name": class_name, "config": config, "registered_name": null});
    let mut file = with_metrics(json!([])).unwrap();
    file["compile_config"]["weighted_metrics"] = json!([]);
    file["compile_config"]["loss"] = function("categorical_crossentropy");
    file["compile_config"]["metrics"] = json!([
        "acc",
        "mse",
        function("mean_absolute_error"),
        of("LogCoshError", json!({"name": "mine", "dtype": "float32"})),
        of(
            "Recall",
            json!({"name": "recall", "dtype": "float32", "thresholds": [0.5], "top_k": null, "class_id": null})
        ),
    ]);
    let compile = read(file.to_string().as_bytes()).unwrap().1;
    assert_eq!(compile.loss.name(), "categorical_crossentropy");
    let expected = json!(["mean_squared_error", "mean_absolute_error", "log_cosh", { "name": "recall", "threshold": 0.5 }]);
    assert_eq!(compile.metrics, serde_json::from_value::<Vec<Metric>>(expected).unwrap());
}

#[test]
fn what_keras_has_no_words_for_is_not_written() {
    let gelu = Activation::Gelu { approximate: true };
    let model = Sequential::new([4]).add(Dense::new(2).activation(gelu));
    let error = write(&model, &CompileRecipe::default()).unwrap_err();
    assert_eq!(
        error,
        "layer \"dense\": activation: Keras has gelu with its default parameters only, received {\"approximate\":true}"
    );
    let model = Sequential::new([4]).add(Dense::new(2));
    let written = |from_logits: bool, label_smoothing: f64| {
        let loss = json!({ "name": "sparse_categorical_crossentropy", "from_logits": from_logits, "label_smoothing": label_smoothing });
        let compile =
            CompileRecipe { loss: serde_json::from_value(loss).unwrap(), ..CompileRecipe::default() };
        write(&model, &compile)
    };
    let error = "loss: Keras's SparseCategoricalCrossentropy has no `label_smoothing`";
    assert_eq!(written(true, 0.1).unwrap_err(), error);
    assert_eq!(written(true, 0.0).unwrap()["compile_config"]["loss"]["config"].get("label_smoothing"), None);
}

#[test]
fn code_is_refused_with_its_place() {
    let error = refused(|file| layer(file, 2)["class_name"] = "Lambda".into());
    assert!(error.starts_with("config.layers[2]: Lambda holds code"), "{error}");
    let error = refused(|file| {
        let layer = layer(file, 1);
        layer["module"] = "my.package".into();
        layer["class_name"] = "Mine".into();
        layer["registered_name"] = "my>Mine".into();
    });
    assert!(
        error.starts_with(
            "config.layers[1]: the custom object `my>Mine` of module `my.package` is not supported"
        ) && error.contains("supported layers are Flatten, Dense"),
        "{error}"
    );
    let error = refused(|file| {
        layer(file, 1)["config"]["activation"] = json!({"module": "builtins", "class_name": "function", "config": "swish2", "registered_name": "swish2"});
    });
    assert!(error.starts_with("config.layers[1].config.activation: the custom object `swish2`"), "{error}");
}

#[test]
fn what_is_not_supported_is_named_with_what_is() {
    for (change, expected) in [
        (
            (|file: &mut Value| layer(file, 1)["class_name"] = "LSTM".into()) as fn(&mut Value),
            "config.layers[1]: unknown layer `LSTM`; known are Flatten, Dense",
        ),
        (
            |file| layer(file, 1)["config"]["lora_rank"] = 4.into(),
            "config.layers[1]: Dense: unknown field `lora_rank`, expected one of `name`, `trainable`, `units`",
        ),
        (
            |file| layer(file, 1)["config"]["dtype"]["config"]["name"] = "mixed_float16".into(),
            "config.layers[1].config.dtype: only float32 is supported",
        ),
        (
            |file| layer(file, 1)["config"]["kernel_initializer"]["config"]["seed"] = "x".into(),
            "config.layers[1]: Dense: ",
        ),
        (
            |file| layer(file, 1)["config"]["units"] = (-3).into(),
            "config.layers[1]: Dense: invalid value: integer `-3`",
        ),
        (
            |file| layer(file, 0)["config"]["batch_shape"] = json!([null, null]),
            "config.layers[0].config.batch_shape: expected [null, …] with a whole number for every axis",
        ),
        (
            |file| file["class_name"] = "Model".into(),
            "class_name: expected `Sequential` or `Functional`, received `Model`",
        ),
        (
            |file| layer(file, 1)["config"]["activation"] = "sparsemax".into(),
            "config.layers[1].config.activation: sparsemax cannot be exchanged with Keras: Keras 3.15 computes another",
        ),
        (|file| file["config"]["layers"] = 3.into(), "config.layers: expected a list of layers"),
        (
            |file| file["compile_config"]["loss"] = json!({"class_name": "CTC", "config": {}}),
            "compile_config.loss: unknown loss `CTC`",
        ),
        (
            |file| file["compile_config"]["metrics"] = json!({"dense": ["accuracy"]}),
            "compile_config.metrics: expected a list of metrics, received {",
        ),
        (
            |file| {
                file["compile_config"]["metrics"] = json!(["acc", {"class_name": "MeanIoU", "config": {}}])
            },
            "compile_config.metrics[1]: unknown metric `MeanIoU`; known are binary_accuracy, ",
        ),
        (
            |file| {
                let config = json!({"thresholds": [0.2, 0.4]});
                file["compile_config"]["metrics"] = json!([{"class_name": "Recall", "config": config}]);
            },
            "compile_config.metrics[0].config.thresholds: expected one threshold, received [0.2,0.4]",
        ),
        (
            |file| {
                let config = json!({"average": null});
                file["compile_config"]["metrics"] = json!([{"class_name": "F1Score", "config": config}]);
            },
            "compile_config.metrics[0].config.average: expected micro, macro or weighted, received null, which is",
        ),
        (
            |file| {
                let metric = json!({"module": "mine", "class_name": "function", "config": "f"});
                file["compile_config"]["metrics"] = json!([metric]);
            },
            "compile_config.metrics[0]: the custom object `function` of module `mine`",
        ),
        (
            |file| file["compile_config"]["weighted_metrics"] = json!(["accuracy"]),
            "compile_config.weighted_metrics: only null or an empty list is supported, received [\"accuracy\"]",
        ),
        (
            |file| file["compile_config"]["optimizer"]["config"]["rho"] = 3.into(),
            "compile_config.optimizer: adam: unknown parameter `rho`",
        ),
    ] {
        let error = refused(change);
        assert!(error.starts_with(expected), "{error}\n{expected}");
    }
    assert!(read(b"\x89HDF").unwrap_err().starts_with("expected the JSON of Keras's model.to_json()"));
}

/// A Functional model of Keras's, changed.
fn functional(change: impl FnOnce(&mut Value)) -> Result<Sequential, String> {
    let text = include_str!("../../../../../tests/interop/goldens/functional.json");
    let mut file: Value = serde_json::from_str(text).unwrap();
    change(&mut file);
    read(file.to_string().as_bytes()).map(|(model, _)| model)
}

/// Where a layer of a Functional model is called.
fn call(file: &mut Value, index: usize) -> &mut Value {
    &mut layer(file, index)["inbound_nodes"]
}

#[test]
fn a_functional_model_is_read_where_it_is_a_chain() {
    assert_eq!(functional(|_| ()).unwrap().layers.len(), 6);
    let inputs = json!([["input_layer", 0, 0]]);
    assert!(functional(|file| file["config"]["input_layers"] = inputs).is_ok());
    let history = |file: &mut Value, name: &str| {
        call(file, 3)[0]["args"][0]["config"]["keras_history"] = json!([name, 0, 0]);
    };
    let again = |file: &mut Value| {
        let node = call(file, 3)[0].clone();
        call(file, 3).as_array_mut().unwrap().push(node);
    };
    let more = |file: &mut Value| {
        let argument = call(file, 3)[0]["args"][0].clone();
        call(file, 3)[0]["args"].as_array_mut().unwrap().push(argument);
    };
    let node = "config.layers[3].inbound_nodes";
    for (error, expected) in [
        (
            functional(|file| history(file, "flatten")),
            format!("{node}: expected the output of \"second\", received [\"flatten\",0,0]; a model must"),
        ),
        (functional(again), format!("{node}: expected a layer that is called once, received 2 calls")),
        (functional(more), format!("{node}: expected one input, received 2; a model must be a chain")),
        (
            functional(|file| call(file, 4)[0]["kwargs"]["training"] = true.into()),
            "config.layers[4].inbound_nodes: expected no arguments, received training = true".to_owned(),
        ),
        (
            functional(|file| file["config"]["output_layers"] = json!(["first", 0, 0])),
            "config.output_layers: expected [\"dense_2\",0,0], the end of a chain of layers, received [\"first\"".to_owned(),
        ),
        (
            functional(|file| drop(file["config"]["layers"].as_array_mut().unwrap().remove(0))),
            "config.layers[0].inbound_nodes: expected an InputLayer first".to_owned(),
        ),
    ] {
        let error = error.unwrap_err();
        assert!(error.starts_with(&expected), "{error}\n{expected}");
    }
}

#[test]
fn deep_nesting_is_refused_before_it_is_parsed() {
    let deep = [vec![b'['; 40], vec![b']'; 40]].concat();
    assert_eq!(read(&deep).unwrap_err(), "expected at most 32 levels of nesting, received more at byte 32");
    let inside_a_string = format!("\"{}\\\"{{\"", "[".repeat(100));
    assert!(read(inside_a_string.as_bytes()).unwrap_err().contains("expected a table"));
}

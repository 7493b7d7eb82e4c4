//! What a Keras model's samples become, of which its file says nothing. Its program divided bytes by 255, as all lessons
//! do, or left them to a layer of the model: `Rescaling` by 1/255 or 1/127.5, or a `Normalization` that was adapted to
//! them. Numbers that are no bytes stay as they are.

use super::keras_json::complete_config;
use seedbed_nn::examples::Normalization;
use seedbed_nn::layers::Layer;
use seedbed_nn::model::Model;
use seedbed_nn::sequential::Sequential;
use serde_json::Value;

/// By what the description says.
pub(super) fn of(model: &Sequential) -> Normalization {
    if model.layers.iter().any(takes_bytes) { Normalization::None } else { Normalization::Bytes }
}

fn takes_bytes(layer: &Layer) -> bool {
    let Ok(config) = complete_config(layer) else { return false };
    match layer {
        Layer::Rescaling(_) => config["scale"].as_f64().is_some_and(|scale| scale.abs() < 0.1),
        Layer::Normalization(_) if config["invert"] == false => match &config["mean"] {
            Value::Array(means) => means.iter().filter_map(Value::as_f64).any(of_bytes),
            mean => mean.as_f64().is_some_and(of_bytes),
        },
        _ => false,
    }
}

/// Bytes that are divided by 255 have no such mean.
fn of_bytes(mean: f64) -> bool {
    mean.abs() > 1.0
}

/// Whether a Normalization layer was adapted to bytes, by what stands in its weights.
pub(super) fn is_adapted_to_bytes(model: &Model) -> bool {
    let adapted = model.params().iter().filter(|param| {
        matches!(model.sequential().layers[param.layer], Layer::Normalization(_))
            && param.name.ends_with("/mean")
    });
    adapted.filter_map(|param| model.weight(&param.name)).flatten().any(|mean| of_bytes(mean.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::{read_trained, write};
    use crate::recipe::Recipe;
    use std::num::NonZeroUsize;

    fn model(layer: &str) -> Recipe {
        let text = format!(
            "input_shape = [4]\nlayers = [{{ class_name = {layer} }}, {{ class_name = 'Dense', units = 2 }}]\n\
             data = {{ normalization = 'bytes' }}"
        );
        Recipe::parse("m.toml", &text).unwrap()
    }

    #[test]
    fn bytes_are_scaled_once() {
        for (layer, expected) in [
            ("'Rescaling', scale = 0.00392156862745098", Normalization::None),
            ("'Rescaling', scale = 0.00784313725490196, offset = -1.0", Normalization::None),
            ("'Rescaling', scale = 0.5", Normalization::Bytes),
            ("'Normalization', mean = 33.3, variance = 6000.0", Normalization::None),
            ("'Normalization', mean = [0.1, 9.0, 0.0, 0.0], variance = 1.0", Normalization::None),
            ("'Normalization', mean = 0.13, variance = 0.1", Normalization::Bytes),
            ("'Normalization', mean = 33.3, variance = 6000.0, invert = true", Normalization::Bytes),
            ("'Normalization'", Normalization::Bytes),
            ("'Dropout', rate = 0.5", Normalization::Bytes),
        ] {
            assert_eq!(of(&model(layer).model), expected, "{layer}");
        }
    }

    #[test]
    fn what_a_layer_was_adapted_to_is_seen_in_its_weights() {
        let folder = tempfile::tempdir().unwrap();
        for (mean, name, expected) in [
            (0.4, "m.json", Normalization::Bytes),
            (33.3, "m.json", Normalization::None),
            (33.3, "m.keras", Normalization::None),
            (33.3, "m.toml", Normalization::Bytes),
        ] {
            let recipe = model("'Normalization'");
            let mut trained = recipe.compile(0, NonZeroUsize::MIN).unwrap();
            trained.set_weight("normalization/mean", &[0.0, mean, 0.0, 0.0]).unwrap();
            let [file, weights] = [name, "w.npz"].map(|name| folder.path().join(name));
            [&file, &weights].into_iter().for_each(|path| write(path, &recipe, &trained).unwrap());
            let (read, _) = read_trained(&file, &weights, NonZeroUsize::MIN).unwrap();
            assert_eq!(read.data.normalization, expected, "{mean} {name}");
        }
    }
}

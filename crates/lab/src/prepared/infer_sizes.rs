//! A model that was written for other data, in the sizes of these: what goes in is a sample, what comes out is one number
//! per class.

use super::Prepared;
use crate::recipe::Recipe;
use seedbed_data::Dataset;
use seedbed_nn::layers::Layer;
use seedbed_nn::shape::Shape;

/// Gives a recipe the dataset's sizes: `input_shape`, and the units of the last Dense layer where their number is the
/// number of outputs. What was changed, in words; `None` where all fits already.
pub fn infer_sizes(recipe: &mut Recipe, dataset: &Dataset) -> Option<String> {
    let changes: Vec<String> =
        [infer_input(recipe, dataset), infer_output(recipe, dataset)].into_iter().flatten().collect();
    (!changes.is_empty()).then(|| format!("for {}, {}", dataset.title, changes.join(" and ")))
}

fn infer_input(recipe: &mut Recipe, dataset: &Dataset) -> Option<String> {
    let (input, shape) = (&mut recipe.model.input_shape, Prepared::input_shape(dataset));
    if input.fits(&shape) {
        return None;
    }
    // Grey pictures have a channel where the model wants one.
    let channel = usize::from(input.axes().len() == 3 && shape.axes().len() == 2);
    let shape = Shape::from([shape.axes(), &[1][..channel]].concat());
    let said = format!("input_shape is {shape} instead of {input}");
    *input = shape;
    Some(said)
}

fn infer_output(recipe: &mut Recipe, dataset: &Dataset) -> Option<String> {
    let rows = recipe.model.summary().ok()?.rows;
    let (outputs, classes) = (rows.last()?.output_shape.size(), dataset.class_names.len());
    let last = recipe.model.layers.iter().rposition(|layer| matches!(layer, Layer::Dense(_)))?;
    let Layer::Dense(dense) = &mut recipe.model.layers[last] else { return None };
    if outputs == classes || rows[last].output_shape.size() != outputs {
        return None;
    }
    *dense = dense.clone().units(classes);
    Some(format!("{} has {classes} units instead of {outputs}", rows[last].name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rows;

    fn inferred(text: &str) -> (Option<String>, Recipe) {
        let mut recipe = Recipe::parse("m.toml", text).unwrap();
        let said = infer_sizes(&mut recipe, &rows());
        (said, recipe)
    }

    #[test]
    fn a_model_takes_the_samples_and_names_the_classes() {
        let text = |input: &str, units: usize| {
            format!(
                "input_shape = {input}\nlayers = [{{ class_name = 'Flatten' }}, {{ class_name = 'Dense', units = 5 }}, \
                 {{ class_name = 'Dense', units = {units} }}, {{ class_name = 'Softmax' }}]"
            )
        };
        let fitting = Recipe::parse("m.toml", &text("[4, 4]", 3)).unwrap();
        for (input, units, expected) in [
            ("[4, 4]", 3, None),
            ("[28, 28]", 3, Some("for Bright rows, input_shape is (None, 4, 4) instead of (None, 28, 28)")),
            ("[4, 4]", 10, Some("for Bright rows, dense_1 has 3 units instead of 10")),
            (
                "[7]",
                10,
                Some(
                    "for Bright rows, input_shape is (None, 4, 4) instead of (None, 7) and dense_1 has 3 units instead of 10",
                ),
            ),
        ] {
            let (said, recipe) = inferred(&text(input, units));
            assert_eq!(said.as_deref(), expected);
            assert_eq!(recipe.model, fitting.model);
        }
    }

    #[test]
    fn convolutions_keep_their_channel_and_what_is_no_output_stays() {
        let conv = "input_shape = [28, 28, 1]\nlayers = [{ class_name = 'Conv2D', filters = 3, kernel_size = [3, 3] }, \
                    { class_name = 'GlobalAveragePooling2D' }]";
        let (said, recipe) = inferred(conv);
        assert_eq!(
            said.as_deref(),
            Some("for Bright rows, input_shape is (None, 4, 4, 1) instead of (None, 28, 28, 1)")
        );
        assert_eq!(recipe.model.input_shape.axes(), [4, 4, 1]);
        let scores = "input_shape = [4, 4]\nlayers = [{ class_name = 'Flatten' }, { class_name = 'Dense', units = 8 }, \
                      { class_name = 'Reshape', target_shape = [2, 2, 2] }, { class_name = 'GlobalAveragePooling2D' }]";
        assert_eq!(inferred(scores).0, None, "the units are not the outputs");
    }
}

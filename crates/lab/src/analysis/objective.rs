//! What a variant minimises. Losses are numbers of one kind only where that is the same.

use crate::record::VariantRecord;
use toml::{Table, Value};

/// A loss and the penalties beside it, as the recipe writes them; layers without penalties say nothing here.
#[derive(Debug, PartialEq)]
pub(super) struct Objective {
    loss: Option<Value>,
    penalties: Vec<Value>,
}

impl Objective {
    pub(super) fn of(variant: &VariantRecord) -> Self {
        let recipe: Table = variant.recipe.parse().unwrap_or_default();
        let loss = recipe.get("compile").and_then(|compile| compile.get("loss")).cloned();
        let layers = recipe.get("layers").and_then(Value::as_array).into_iter().flatten();
        Self { loss, penalties: layers.filter_map(Value::as_table).flat_map(penalties).collect() }
    }
}

fn penalties(layer: &Table) -> Vec<Value> {
    let penalizes = layer.get("class_name").and_then(Value::as_str) == Some("ActivityRegularization");
    if penalizes {
        return vec![Value::Table(layer.clone())];
    }
    let of = layer.iter().filter(|(key, _)| key.ends_with("_regularizer"));
    of.map(|(key, value)| Value::Table(Table::from_iter([(key.clone(), value.clone())]))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::example::study;

    fn objective(recipe: &str) -> Objective {
        let mut variant = study(1).variants.swap_remove(0);
        variant.recipe = recipe.into();
        Objective::of(&variant)
    }

    #[test]
    fn loss_and_penalties_count_and_nothing_else() {
        let recipe = |units: usize, penalty: &str, loss: &str| {
            objective(&format!(
                "[[layers]]\nclass_name = 'Dense'\nunits = {units}\n{penalty}\n[compile]\noptimizer = 'adam'\nloss = {loss}"
            ))
        };
        let (l2, plain) = ("kernel_regularizer = { l2 = 0.01 }", recipe(8, "", "'mse'"));
        assert_eq!(plain, recipe(16, "use_bias = false", "'mse'"));
        assert_ne!(plain, recipe(8, l2, "'mse'"));
        assert_eq!(recipe(8, l2, "'mse'"), recipe(16, l2, "'mse'"));
        assert_ne!(plain, recipe(8, "", "'mae'"));
        assert_ne!(plain, recipe(8, "", "{ name = 'mse', label_smoothing = 0.1 }"));
        assert_ne!(plain, recipe(8, "[[layers]]\nclass_name = 'ActivityRegularization'\nl1 = 0.1", "'mse'"));
    }
}

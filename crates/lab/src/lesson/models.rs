//! The lesson's three models, made from its options.
//!
//! Model 1 is the baseline: Flatten → Dense relu → Dense softmax with Keras's defaults. Model 2 is the same with the
//! chosen initializer and penalties, model 3 is model 2 with dropout between its two Dense layers.

use super::LessonOptions;
use crate::error::LabError;
use crate::prepared::Prepared;
use crate::recipe::{CompileRecipe, DataRecipe, FitRecipe, Recipe};
use seedbed_data::Dataset;
use seedbed_nn::activations::Activation;
use seedbed_nn::initializers::Initializer;
use seedbed_nn::layers::{Dense, Dropout, Flatten};
use seedbed_nn::losses::Loss;
use seedbed_nn::optimizers::{Adagrad, Adam, Nadam, Optimizer};
use seedbed_nn::regularizers::{L1L2, Regularizer};
use seedbed_nn::sequential::Sequential;
use seedbed_nn::shape::Shape;
use std::num::NonZeroUsize;

/// One of the lesson's models.
#[derive(Clone, Debug, PartialEq)]
pub struct LessonModel {
    /// Its short name: "model 1".
    pub name: String,
    /// One sentence on what it is.
    pub title: String,
    /// What differs from model 1, one entry per choice: "optimizer adam → nadam".
    pub changed: Vec<String>,
    /// The choices it was made from.
    pub choices: Choices,
    /// Everything that decides its runs.
    pub recipe: Recipe,
}

/// What the lesson's models differ in.
#[derive(Clone, Debug, PartialEq)]
pub struct Choices {
    /// How the kernels of both Dense layers start.
    pub initializer: Initializer,
    /// The dropout rate; `None` without a Dropout layer.
    pub dropout: Option<f64>,
    /// The penalty on the kernels of both Dense layers.
    pub regularizer: Option<Regularizer>,
    /// How weights move.
    pub optimizer: Optimizer,
    /// What is minimised.
    pub loss: Loss,
}

impl LessonOptions {
    /// The three models for a dataset. Everything is checked here, by compiling all three, so that nothing is
    /// refused once training has begun.
    ///
    /// # Errors
    /// The first choice that cannot work: what was expected and what was received.
    pub fn models(&self, dataset: &Dataset) -> Result<[LessonModel; 3], LabError> {
        self.all_seeds()?;
        let [first, second, third] = self.choices();
        let titles = [
            format!("One hidden layer of {} relu units, with Keras's defaults.", self.hidden),
            format!("The layers of model 1, their weights drawn by {}.", second.initializer),
            format!("Model 2 with dropout {} between its two Dense layers.", self.dropout),
        ];
        let [one, two, three] = titles;
        let models = [
            self.model("model 1", one, &first, &first, dataset)?,
            self.model("model 2", two, &second, &first, dataset)?,
            self.model("model 3", three, &third, &first, dataset)?,
        ];
        let data = Prepared::new(dataset, &models[0].recipe.data)?;
        for model in &models {
            data.check(&model.recipe.compile(self.seed, NonZeroUsize::MIN)?)?;
        }
        Ok(models)
    }

    fn choices(&self) -> [Choices; 3] {
        let regularizer = Regularizer::l1_l2(self.l1, self.l2);
        let optimizer = |usual: Optimizer| self.optimizer.clone().unwrap_or(usual);
        let first = Choices {
            initializer: Initializer::GlorotUniform { seed: None },
            dropout: None,
            regularizer: None,
            optimizer: optimizer(Adam::default().into()),
            loss: self.loss.unwrap_or(CompileRecipe::default().loss),
        };
        let second = Choices {
            initializer: self.initializer,
            regularizer: (!regularizer.is_none()).then_some(regularizer),
            optimizer: optimizer(Nadam::default().into()),
            ..first.clone()
        };
        let third = Choices {
            dropout: Some(self.dropout),
            optimizer: optimizer(Adagrad::default().into()),
            ..second.clone()
        };
        [first, second, third]
    }

    fn model(
        &self,
        name: &str,
        title: String,
        choices: &Choices,
        baseline: &Choices,
        dataset: &Dataset,
    ) -> Result<LessonModel, LabError> {
        let recipe = Recipe {
            model: choices.sequential(Prepared::input_shape(dataset), self.hidden, dataset.class_names.len()),
            compile: CompileRecipe {
                optimizer: choices.optimizer.clone(),
                loss: choices.loss,
                ..CompileRecipe::default()
            },
            fit: FitRecipe { epochs: self.epochs, batch_size: self.batch_size, ..FitRecipe::default() },
            data: DataRecipe {
                dataset: dataset.name.clone(),
                train_size: self.train_size,
                ..DataRecipe::default()
            },
        };
        let changed = choices.changed_from(baseline);
        Ok(LessonModel { name: name.to_owned(), title, changed, choices: choices.clone(), recipe })
    }
}

impl Choices {
    fn sequential(&self, pictures: Shape, hidden: usize, classes: usize) -> Sequential {
        let dense = |units, activation| {
            let layer = Dense::new(units).activation(activation).kernel_initializer(self.initializer);
            match self.regularizer {
                Some(regularizer) => layer.kernel_regularizer(regularizer),
                None => layer,
            }
        };
        let body = Sequential::new(pictures).add(Flatten::new()).add(dense(hidden, Activation::Relu));
        let body = match self.dropout {
            Some(rate) => body.add(Dropout::new(rate)),
            None => body,
        };
        body.add(dense(classes, Activation::Softmax))
    }

    fn changed_from(&self, baseline: &Self) -> Vec<String> {
        let words = |choices: &Self| {
            [
                ("initializer", choices.initializer.to_string()),
                ("dropout", choices.dropout.map_or_else(|| "none".to_owned(), |rate| rate.to_string())),
                ("regularizer", choices.regularizer_words().unwrap_or_else(|| "none".to_owned())),
                ("optimizer", choices.optimizer.name().to_owned()),
            ]
        };
        let pairs = words(baseline).into_iter().zip(words(self));
        let changed = pairs.filter(|((_, before), (_, after))| before != after);
        changed.map(|((what, before), (_, after))| format!("{what} {before} → {after}")).collect()
    }

    /// The penalty in words: "l2 0.0001"; `None` without one.
    pub fn regularizer_words(&self) -> Option<String> {
        let regularizer = self.regularizer?;
        let Regularizer::L1L2(L1L2 { l1, l2 }) = regularizer else {
            return Some(regularizer.name().to_owned());
        };
        let factors = [("l1", l1), ("l2", l2)].into_iter().filter(|(_, factor)| *factor != 0.0);
        Some(factors.map(|(name, factor)| format!("{name} {factor}")).collect::<Vec<_>>().join(", "))
    }

    /// The optimizer with what matters about it: "adam, learning rate 0.001".
    pub fn optimizer_words(&self) -> String {
        let Optimizer { learning_rate, weight_decay, .. } = &self.optimizer;
        let decay =
            if *weight_decay == 0.0 { String::new() } else { format!(", weight decay {weight_decay}") };
        format!("{}, learning rate {learning_rate}{decay}", self.optimizer.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rows;
    use seedbed_nn::losses::SparseCategoricalCrossentropy;

    fn models(options: &LessonOptions) -> [LessonModel; 3] {
        options.models(&rows()).unwrap()
    }

    fn refused(options: LessonOptions) -> String {
        options.models(&rows()).unwrap_err().to_string()
    }

    fn usual() -> LessonOptions {
        LessonOptions::default()
    }

    #[test]
    fn the_three_models_are_the_lessons() {
        let [one, two, three] = models(&usual());
        assert_eq!(one.changed, Vec::<String>::new());
        assert_eq!(two.changed, ["initializer glorot_uniform → glorot_normal", "optimizer adam → nadam"]);
        assert_eq!(
            three.changed,
            ["initializer glorot_uniform → glorot_normal", "dropout none → 0.5", "optimizer adam → adagrad"]
        );
        let layers = |model: &LessonModel| -> Vec<_> {
            model.recipe.model.layers.iter().map(|layer| layer.class_name()).collect()
        };
        assert_eq!(layers(&one), ["Flatten", "Dense", "Dense"]);
        assert_eq!(layers(&three), ["Flatten", "Dense", "Dropout", "Dense"]);
        assert_eq!(one.recipe.model.summary().unwrap().trainable_params(), 16 * 128 + 128 + 128 * 3 + 3);
        assert_eq!(two.recipe.to_toml().matches("\"glorot_normal\"").count(), 2, "both Dense layers");
        assert_eq!(three.choices.optimizer_words(), "adagrad, learning rate 0.001");
    }

    #[test]
    fn recipes_are_model_files() {
        for model in models(&LessonOptions { l1: 1e-5, train_size: Some(9), ..usual() }) {
            let text = model.recipe.to_toml();
            assert_eq!(Recipe::parse("m.toml", &text).unwrap(), model.recipe, "{text}");
        }
    }

    #[test]
    fn choices_reach_the_models_they_are_for() {
        let optimizer = Some(Optimizer::adamw());
        let [one, two, three] =
            models(&LessonOptions { l1: 0.1, l2: 0.25, optimizer: optimizer.clone(), ..usual() });
        assert_eq!(one.choices.regularizer_words(), None);
        assert_eq!(two.choices.regularizer_words().as_deref(), Some("l1 0.1, l2 0.25"));
        assert_eq!(two.changed[1..], ["regularizer none → l1 0.1, l2 0.25"], "all have the same optimizer");
        assert_eq!(one.choices.optimizer_words(), "adamw, learning rate 0.001, weight decay 0.004");
        assert_eq!(
            (two.recipe.compile.optimizer, three.recipe.compile.optimizer),
            (Optimizer::adamw(), Optimizer::adamw())
        );
        let same =
            LessonOptions { initializer: Initializer::GlorotUniform { seed: None }, optimizer, ..usual() };
        assert_eq!(models(&same)[1].changed, Vec::<String>::new());
    }

    #[test]
    fn the_impossible_is_refused_before_any_work() {
        let logits: Option<Loss> =
            Some(SparseCategoricalCrossentropy { from_logits: true, ..Default::default() }.into());
        for (options, expected) in [
            (
                LessonOptions { dropout: 1.5, ..usual() },
                "rate: expected a number from 0 to below 1, received 1.5",
            ),
            (LessonOptions { dropout: f64::NAN, ..usual() }, "received NaN"),
            (LessonOptions { epochs: 0, ..usual() }, "epochs: expected 1 to 4294967295, received 0"),
            (LessonOptions { batch_size: 0, ..usual() }, "batch_size: expected 1 to 4294967295, received 0"),
            (LessonOptions { hidden: 0, ..usual() }, "units: expected 1 to 16777216, received 0"),
            (LessonOptions { hidden: usize::MAX, ..usual() }, "units: expected 1 to 16777216, received"),
            (LessonOptions { seeds: 0, ..usual() }, "seeds: expected 1 to 10000, received 0"),
            (
                LessonOptions { seeds: 3, seed: u64::MAX - 1, ..usual() },
                "seed: expected at most 18446744073709551613",
            ),
            (LessonOptions { train_size: Some(61), ..usual() }, "train_size: expected 1 to 60, received 61"),
            (LessonOptions { l2: -1.0, ..usual() }, "l2 must be a finite number ≥ 0, but is -1"),
            (LessonOptions { l1: f64::NAN, ..usual() }, "l1 must be a finite number ≥ 0, but is NaN"),
            (LessonOptions { loss: logits, ..usual() }, "from_logits expects logits"),
            (
                LessonOptions { optimizer: Some(Optimizer::adamw().learning_rate(0.0)), ..usual() },
                "learning_rate must be",
            ),
        ] {
            let error = refused(options);
            assert!(error.contains(expected), "{expected}: {error}");
        }
        let last = LessonOptions { seeds: 3, seed: u64::MAX - 2, ..usual() };
        assert_eq!(last.all_seeds().unwrap(), [u64::MAX - 2, u64::MAX - 1, u64::MAX]);
    }
}

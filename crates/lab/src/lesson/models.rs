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
use seedbed_nn::regularizers::Regularizer;
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
        let optimizer = |usual: Optimizer| self.optimizer.unwrap_or(usual);
        let first = Choices {
            initializer: Initializer::GlorotUniform,
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
            compile: CompileRecipe { optimizer: choices.optimizer, loss: choices.loss },
            fit: FitRecipe { epochs: self.epochs, batch_size: self.batch_size, ..FitRecipe::default() },
            data: DataRecipe {
                dataset: dataset.name.parse()?,
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
        let Regularizer { l1, l2 } = self.regularizer?;
        let factors = [("l1", l1), ("l2", l2)].into_iter().filter(|(_, factor)| *factor != 0.0);
        Some(factors.map(|(name, factor)| format!("{name} {factor}")).collect::<Vec<_>>().join(", "))
    }

    /// The optimizer with what matters about it: "adam, learning rate 0.001".
    pub fn optimizer_words(&self) -> String {
        let Optimizer { learning_rate, weight_decay, .. } = self.optimizer;
        let decay =
            if weight_decay == 0.0 { String::new() } else { format!(", weight decay {weight_decay}") };
        format!("{}, learning rate {learning_rate}{decay}", self.optimizer.name())
    }
}

//! A dataset as a recipe wants it: shared by all trials, copied by none.

use crate::error::{LabError, within};
use crate::recipe::DataRecipe;
use seedbed_data::{Dataset, Pictures};
use seedbed_nn::examples::{ByteTable, Examples};
use seedbed_nn::model::Model;
use seedbed_nn::shape::Shape;

/// Training and test samples of a dataset, normalized as they are gathered.
#[derive(Clone, Debug)]
pub struct Prepared<'a> {
    dataset: &'a Dataset,
    train: Examples<'a>,
    test: Examples<'a>,
}

impl<'a> Prepared<'a> {
    /// Takes the first `train_size` training pictures and all test pictures. `standard` normalization takes mean and
    /// standard deviation from the training pictures that are used, and from nothing else.
    ///
    /// # Errors
    /// [`LabError::Choice`] if there are fewer training pictures than asked for.
    pub fn new(dataset: &'a Dataset, data: &DataRecipe) -> Result<Self, LabError> {
        let train_size = data.train_size.unwrap_or(dataset.train.count);
        within("train_size", train_size, 1, dataset.train.count)?;
        let used = &dataset.train.pixels[..train_size * dataset.train.picture_size()];
        let table = data.normalization.table(used);
        let train = examples(&dataset.train, table.clone())?.slice(0, train_size);
        Ok(Self { dataset, train, test: examples(&dataset.test, table)? })
    }

    /// The shape of one picture: `(28, 28)`, or `(32, 32, 3)` with colours.
    pub fn input_shape(dataset: &Dataset) -> Shape {
        shape(&dataset.train)
    }

    /// The dataset itself.
    pub fn dataset(&self) -> &'a Dataset {
        self.dataset
    }

    /// What is learned from.
    pub fn train(&self) -> &Examples<'a> {
        &self.train
    }

    /// What is learned on is judged by.
    pub fn test(&self) -> &Examples<'a> {
        &self.test
    }

    /// Checks that a model takes these pictures and has one output per class.
    ///
    /// # Errors
    /// [`LabError::Choice`]: what the data need and what the model has.
    pub fn check(&self, model: &Model) -> Result<(), LabError> {
        let (input, classes) = (shape(&self.dataset.train), self.dataset.class_names.len());
        let wrong = |what, expected, received| Err(LabError::Choice { what, expected, received });
        if model.sequential().input_shape != input {
            let received = model.sequential().input_shape.to_string();
            return wrong(
                "input_shape",
                format!("{input}, the shape of {}'s pictures", self.dataset.title),
                received,
            );
        }
        let outputs = model.sequential().summary()?.rows.last().map_or(0, |row| row.output_shape.size());
        if outputs != classes {
            let expected = format!("{classes} outputs, one for each class of {}", self.dataset.title);
            return wrong("last layer", expected, format!("{outputs}"));
        }
        Ok(())
    }
}

fn shape(pictures: &Pictures) -> Shape {
    match pictures.channels {
        1 => Shape::from([pictures.height, pictures.width]),
        channels => Shape::from([pictures.height, pictures.width, channels]),
    }
}

fn examples(pictures: &Pictures, table: ByteTable) -> Result<Examples<'_>, LabError> {
    Ok(Examples::pictures(shape(pictures), &pictures.pixels, table, &pictures.labels)?)
}

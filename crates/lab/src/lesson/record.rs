//! Data and models as a lesson's record holds them.

use super::LessonModel;
use crate::error::LabError;
use crate::record::{DatasetRecord, Inspection, LayerRow, ModelRecord, Picture, TrialRecord};
use seedbed_data::Loaded;
use seedbed_nn::examples::Normalization;

/// How many pictures are shown.
const PICTURES: usize = 25;

/// How many labels are shown from the beginning and from the end.
const LABELS: usize = 3;

/// The data, `train_count` training pictures of which are used.
pub(crate) fn dataset(loaded: &Loaded, train_count: usize, normalization: Normalization) -> DatasetRecord {
    let dataset = &loaded.dataset;
    let labels: Vec<usize> = dataset.train.labels[..train_count].iter().map(|&label| label.into()).collect();
    let picture =
        |index: usize| Picture { label: labels[index], pixels: dataset.train.picture(index).to_vec() };
    DatasetRecord {
        name: dataset.name.to_string(),
        title: dataset.title.clone(),
        source: format!("the pictures come from {}.", dataset.source),
        notice: loaded.notice.clone(),
        class_names: dataset.class_names.clone(),
        height: dataset.train.height,
        width: dataset.train.width,
        channels: dataset.train.channels,
        train_count,
        test_count: dataset.test.count,
        first_labels: labels[..LABELS.min(train_count)].to_vec(),
        last_labels: labels[train_count.saturating_sub(LABELS)..].to_vec(),
        normalization: words(normalization, dataset.train.numbers.is_some()).to_owned(),
        pictures: (0..PICTURES.min(train_count)).map(picture).collect(),
    }
}

/// What ends the sentence "before a network sees a sample, its numbers are …".
fn words(normalization: Normalization, numbers: bool) -> &'static str {
    match normalization {
        Normalization::None => "left as they are",
        Normalization::Bytes if numbers => "left as they are",
        Normalization::Unit if numbers => "scaled so that the training numbers lie between 0 and 1",
        Normalization::Unit | Normalization::Bytes => "divided by 255",
        Normalization::Standard => {
            "reduced by the training numbers' mean and divided by their standard deviation"
        }
    }
}

/// A model with what its trials gave.
pub(super) fn model(
    model: &LessonModel,
    trials: Vec<TrialRecord>,
    inspection: Option<Inspection>,
) -> Result<ModelRecord, LabError> {
    let rows = model.recipe.model.summary()?.rows.into_iter().map(|row| LayerRow {
        name: row.name,
        kind: row.class_name.to_owned(),
        output_shape: row.output_shape.to_string(),
        parameters: row.params,
    });
    Ok(ModelRecord {
        name: model.name.clone(),
        title: model.title.clone(),
        changed: model.changed.clone(),
        initializer: model.choices.initializer.to_string(),
        dropout: model.choices.dropout,
        regularizer: model.choices.regularizer_words(),
        optimizer: model.choices.optimizer_words(),
        loss: model.choices.loss.name().to_owned(),
        layers: rows.collect(),
        recipe: model.recipe.to_toml(),
        trials,
        inspection,
    })
}

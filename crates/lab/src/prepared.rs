//! A dataset as a recipe wants it: shared by all trials, copied by none.

use crate::error::{LabError, within};
use crate::recipe::DataRecipe;
use seedbed_data::{Dataset, Pictures};
use seedbed_nn::examples::Examples;
use seedbed_nn::model::Model;
use seedbed_nn::random::{Purpose, Streams};
use seedbed_nn::shape::Shape;

mod infer_sizes;
mod scale;

pub use infer_sizes::infer_sizes;
use scale::Scale;

/// Training and test samples of a dataset, normalized as they are gathered.
#[derive(Clone, Debug)]
pub struct Prepared<'a> {
    dataset: &'a Dataset,
    train: Examples<'a>,
    test: Examples<'a>,
}

impl<'a> Prepared<'a> {
    /// Takes the first `train_size` training samples and all test samples. What normalization measures, it measures on
    /// the training samples that are used, and on nothing else.
    ///
    /// # Errors
    /// [`LabError::Choice`] if there are fewer training pictures than asked for.
    pub fn new(dataset: &'a Dataset, data: &DataRecipe) -> Result<Self, LabError> {
        let train_size = data.train_size.unwrap_or(dataset.train.count);
        within("train_size", train_size, 1, dataset.train.count)?;
        let used = train_size * dataset.train.picture_size();
        let [train, test] = match &dataset.train.numbers {
            None => {
                let table = data.normalization.table(&dataset.train.pixels[..used]);
                let examples =
                    |part: &'a Pictures| Examples::pictures(part.axes(), &part.pixels, table, &part.labels);
                [examples(&dataset.train)?, examples(&dataset.test)?]
            }
            Some(numbers) => {
                // Columns of a table measure different things; pixels all measure the same.
                let columns = if dataset.train.axes().len() == 1 { dataset.train.width } else { 1 };
                let scale = Scale::of(data.normalization, &numbers[..used], columns);
                let examples = |part: &'a Pictures| {
                    let numbers = scale.apply(part.numbers.as_deref().unwrap_or_default());
                    Examples::shared(part.axes(), numbers, &part.labels)
                };
                [examples(&dataset.train)?, examples(&dataset.test)?]
            }
        };
        let train = match &dataset.train.weights {
            Some(weights) => train.sample_weights(weights)?,
            None => train,
        };
        Ok(Self { dataset, train: train.slice(0, train_size), test })
    }

    /// The shape of one sample: `(28, 28)`, `(32, 32, 3)` with colours, `(4)` for four numbers.
    pub fn input_shape(dataset: &Dataset) -> Shape {
        dataset.train.axes().into()
    }

    /// The dataset itself.
    pub fn dataset(&self) -> &'a Dataset {
        self.dataset
    }

    /// What is learned from.
    pub fn train(&self) -> &Examples<'a> {
        &self.train
    }

    /// What the result is judged by.
    pub fn test(&self) -> &Examples<'a> {
        &self.test
    }

    /// The same without the test pictures: the last `share` of the training pictures is held out to judge by, as Keras's
    /// `validation_split` does it.
    ///
    /// # Errors
    /// [`LabError::Choice`] if that leaves nothing to learn from or nothing to judge by.
    pub fn validation_split(&self, share: f64) -> Result<Self, LabError> {
        let count = self.train.len();
        let kept = (count as f64 * (1.0 - share)).floor() as usize;
        if kept == 0 || kept >= count {
            return Err(LabError::Choice {
                what: "validation_split",
                expected: format!("a share that leaves some of {count} pictures on either side"),
                received: share.to_string(),
            });
        }
        Ok(Self { train: self.train.slice(0, kept), test: self.train.slice(kept, count), ..self.clone() })
    }

    /// The training labels with a `share` of them (0 to 1) replaced by another class, each of the others equally likely;
    /// `None` where nothing is replaced. A larger share replaces the same labels in the same way, and more.
    pub fn noisy_labels(&self, share: f64, streams: &Streams) -> Option<Vec<u16>> {
        let count = self.train.len();
        let classes = self.dataset.class_names.len() as u32;
        let replaced = (share * count as f64).round() as usize;
        if replaced == 0 || classes < 2 {
            return None;
        }
        let mut labels = self.dataset.train.labels[..count].to_vec();
        let mut order: Vec<u32> = (0..count as u32).collect();
        streams.open(Purpose::Labels, "which", 0).shuffle(&mut order);
        let mut draws = streams.open(Purpose::Labels, "class", 0);
        for &picture in order.iter().take(replaced) {
            let label = &mut labels[picture as usize];
            *label = ((u32::from(*label) + 1 + draws.below(classes - 1)) % classes) as u16;
        }
        Some(labels)
    }

    /// The same pictures with other training labels.
    ///
    /// # Errors
    /// [`LabError::Model`] if there are not as many as training pictures.
    pub fn with_labels<'b>(&'b self, labels: &'b [u16]) -> Result<Prepared<'b>, LabError> {
        let train = self.train.relabelled(labels)?;
        Ok(Prepared { train, ..self.clone() })
    }

    /// Checks that a model takes these pictures and has one output per class.
    ///
    /// # Errors
    /// [`LabError::Choice`]: what the data need and what the model has.
    pub fn check(&self, model: &Model) -> Result<(), LabError> {
        let (input, classes) = (Self::input_shape(self.dataset), self.dataset.class_names.len());
        let wrong = |what, expected, received| Err(LabError::Choice { what, expected, received });
        if !model.sequential().input_shape.fits(&input) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;
    use crate::testing::rows;
    use seedbed_nn::examples::Normalization;
    use seedbed_nn::random::Seed;
    use std::num::NonZeroUsize;

    fn checked(input: &str, units: usize) -> Result<(), String> {
        let text = format!(
            "input_shape = {input}\n[[layers]]\nclass_name = 'Flatten'\n\
             [[layers]]\nclass_name = 'Dense'\nunits = {units}\nactivation = 'softmax'\n"
        );
        let model = Recipe::parse("m.toml", &text).unwrap().compile(0, NonZeroUsize::MIN).unwrap();
        let dataset = rows();
        let data = Prepared::new(&dataset, &DataRecipe::default()).unwrap();
        data.check(&model).map_err(|error| error.to_string())
    }

    #[test]
    fn a_model_must_take_the_pictures_and_name_the_classes() {
        assert_eq!(checked("[4, 4]", 3), Ok(()));
        assert_eq!(checked("[4, 4, 1]", 3), Ok(()));
        let error = checked("[16]", 3).unwrap_err();
        assert_eq!(
            error,
            "input_shape: expected (None, 4, 4), the shape of Bright rows's pictures, received (None, 16)"
        );
        for units in [2, 4] {
            let error = checked("[4, 4]", units).unwrap_err();
            let expected = "last layer: expected 3 outputs, one for each class of Bright rows, received";
            assert_eq!(error, format!("{expected} {units}"));
        }
    }

    #[test]
    fn numbers_are_normalized_by_column_in_tables_and_all_alike_in_pictures() {
        let table = |shape: [usize; 3]| {
            let numbers = vec![0.0, 10.0, 4.0, 30.0, 2.0, 20.0, 8.0, -10.0];
            let part = Pictures::of_numbers(shape, numbers, [0.0, 30.0], vec![0, 1, 0, 1], 2);
            let part = part.unwrap_or_else(|_| panic!("{shape:?} does not fit"));
            Dataset { train: part.clone(), test: part, class_names: vec!["a".into(), "b".into()], ..rows() }
        };
        let seen = |shape: [usize; 3], normalization| {
            let dataset = table(shape);
            let data = DataRecipe { train_size: Some(3), normalization, ..DataRecipe::default() };
            let prepared = Prepared::new(&dataset, &data).unwrap();
            format!("{:?}", prepared.test())
        };
        // Columns 0, 4, 2 and 10, 30, 20 are used; the fourth sample is not.
        let unit = seen([1, 2, 1], Normalization::Unit);
        assert!(unit.contains("[0.0, 0.0, 1.0, 1.0, 0.5, 0.5, 2.0, -1.0]"), "{unit}");
        let none = seen([1, 2, 1], Normalization::None);
        assert!(none.contains("[0.0, 10.0, 4.0, 30.0, 2.0, 20.0, 8.0, -10.0]"), "{none}");
        assert_eq!(seen([1, 2, 1], Normalization::Bytes), none);
        let pictures = seen([2, 1, 1], Normalization::Unit);
        assert!(pictures.contains("[0.0, 0.33333334, 0.13333334, 1.0,"), "{pictures}");
    }

    #[test]
    fn as_many_labels_are_wrong_as_asked_for_and_a_larger_share_adds_to_a_smaller() {
        let dataset = rows();
        let data = Prepared::new(&dataset, &DataRecipe::default()).unwrap();
        let noisy = |share, seed| data.noisy_labels(share, &Streams::new(Seed(seed))).unwrap();
        let wrong = |labels: &[u16]| {
            let pairs = labels.iter().zip(&dataset.train.labels).enumerate();
            pairs.filter(|(_, (noisy, right))| noisy != right).map(|(at, _)| at).collect::<Vec<_>>()
        };
        let [few, many] = [noisy(0.2, 1), noisy(0.5, 1)];
        assert_eq!((wrong(&few).len(), wrong(&many).len(), wrong(&noisy(1.0, 1)).len()), (12, 30, 60));
        assert!(wrong(&few).iter().all(|&at| few[at] == many[at]), "the same in the same way");
        assert_ne!(few, noisy(0.2, 2));
        assert_eq!(data.noisy_labels(0.0, &Streams::new(Seed(1))), None);
        // Both other classes come up among 60 replaced labels.
        let shift = |at: &usize| (noisy(1.0, 1)[*at] + 3 - dataset.train.labels[*at]) % 3;
        let ones = (0..60).filter(|at| shift(at) == 1).count();
        assert!((15..=45).contains(&ones), "{ones}");
        let changed = data.with_labels(&few).unwrap();
        assert_eq!(changed.train().len(), 60);
        assert_ne!(format!("{:?}", changed.train()), format!("{:?}", data.train()));
        assert!(data.with_labels(&few[1..]).is_err());
    }

    #[test]
    fn samples_weigh_what_the_data_say() {
        let mut dataset = rows();
        let weights: Vec<f32> = (0..60).map(|sample| sample as f32 / 30.0).collect();
        dataset.train.weights = Some(weights.clone());
        let data = DataRecipe { train_size: Some(40), ..DataRecipe::default() };
        let prepared = Prepared::new(&dataset, &data).unwrap().validation_split(0.25).unwrap();
        let seen = |examples: &Examples<'_>| format!("{examples:?}");
        let weighs = |from: usize, to: usize| format!("weights: Some({:?})", &weights[from..to]);
        assert!(seen(prepared.train()).contains(&weighs(0, 30)));
        assert!(seen(prepared.test()).contains(&weighs(30, 40)), "as in Keras");
        assert!(seen(Prepared::new(&dataset, &data).unwrap().test()).contains("weights: None"));
    }

    #[test]
    fn a_validation_split_takes_the_last_training_pictures_and_no_test_picture() {
        let dataset = rows();
        let data = Prepared::new(&dataset, &DataRecipe::default()).unwrap();
        let split = data.validation_split(0.25).unwrap();
        assert_eq!(format!("{:?}", split.train()), format!("{:?}", data.train().slice(0, 45)));
        assert_eq!(format!("{:?}", split.test()), format!("{:?}", data.train().slice(45, 60)));
        for share in [0.0, 1.0, f64::NAN] {
            assert!(data.validation_split(share).is_err(), "{share}");
        }
    }

    #[test]
    fn the_first_pictures_are_used_and_normalized_by_themselves() {
        let mut dataset = rows();
        let data = DataRecipe {
            train_size: Some(20),
            normalization: Normalization::Standard,
            ..DataRecipe::default()
        };
        let seen = |dataset: &Dataset| {
            let Prepared { train, test, .. } = Prepared::new(dataset, &data).unwrap();
            format!("{train:?} {test:?}")
        };
        let before = seen(&dataset);
        assert_eq!(Prepared::new(&dataset, &data).unwrap().train().len(), 20);
        // Neither other training pictures nor test pictures may tell the network anything.
        dataset.train.pixels[20 * 16..].fill(255);
        assert!(seen(&dataset) == before);
        dataset.train.pixels[0] ^= 1;
        assert!(seen(&dataset) != before);
        for train_size in [0, 61] {
            let data = DataRecipe { train_size: Some(train_size), ..data.clone() };
            let error = Prepared::new(&dataset, &data).unwrap_err().to_string();
            assert_eq!(error, format!("train_size: expected 1 to 60, received {train_size}"));
        }
    }
}

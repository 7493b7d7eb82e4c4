//! What a model is trained on and scored against: inputs and targets, borrowed.

use crate::error::ModelError;
use crate::lane::F32Lane;
use crate::losses::{Loss, Target};
use crate::names::{UnknownName, resolve};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};
use std::ops::{Deref, Range};
use std::sync::{Arc, OnceLock};

pub(crate) mod lists;

use lists::Lists;

/// How bytes become numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Normalization {
    /// 0 to 255 as they are.
    None,
    /// Divided by 255: 0 to 1.
    #[default]
    Unit,
    /// Less the mean, divided by the standard deviation, of all training bytes.
    Standard,
    /// As `Unit` for bytes, while numbers that are not bytes stay as they are: what a Keras program usually does.
    Bytes,
}

impl Normalization {
    /// Every name.
    pub const NAMES: [&'static str; 4] = ["none", "unit", "standard", "bytes"];

    /// The number of each byte. `Standard` takes mean and standard deviation from `training`.
    pub fn table(self, training: &[u8]) -> ByteTable {
        let (mean, deviation) = match self {
            Self::None => (0.0, 1.0),
            Self::Unit | Self::Bytes => (0.0, 255.0),
            Self::Standard => mean_and_deviation(training),
        };
        ByteTable::new(mean, deviation)
    }
}

impl std::str::FromStr for Normalization {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let all = [Self::None, Self::Unit, Self::Standard, Self::Bytes];
        let table: Vec<(&str, Self)> = Self::NAMES.into_iter().zip(all).collect();
        resolve("normalization", name, &table)
    }
}

/// In integers, so that the order of the bytes cannot matter; a constant picture divides by 1.
fn mean_and_deviation(bytes: &[u8]) -> (f64, f64) {
    let mut counts = [0_u64; 256];
    bytes.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
    let moment = |power: u32| -> f64 {
        let sum: u128 = counts.iter().zip(0_u128..).map(|(&n, byte)| u128::from(n) * byte.pow(power)).sum();
        sum as f64 / bytes.len().max(1) as f64
    };
    let mean = moment(1);
    let variance = moment(2) - mean * mean;
    (mean, if variance > 0.0 { variance.sqrt() } else { 1.0 })
}

/// The number that each byte stands for: `(byte − mean) / deviation`, in `f32`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ByteTable {
    mean: f32,
    deviation: f32,
    reciprocal: f32,
}

impl ByteTable {
    fn new(mean: f64, deviation: f64) -> Self {
        Self { mean: mean as f32, deviation: deviation as f32, reciprocal: (1.0 / deviation) as f32 }
    }

    /// The number of one byte, or of several in a lane.
    ///
    /// The quotient is the product with the reciprocal and one correction, which for bytes divided by
    /// 255 is the correctly rounded quotient.
    #[inline(always)]
    pub(crate) fn number<L: F32Lane>(self, byte: L) -> L {
        let (deviation, reciprocal) = (L::splat(self.deviation), L::splat(self.reciprocal));
        let dividend = byte - L::splat(self.mean);
        let quotient = dividend * reciprocal;
        let rest = (-quotient).mul_add(deviation, dividend);
        rest.mul_add(reciprocal, quotient)
    }
}

/// The inputs, sample after sample.
#[derive(Clone, Debug)]
pub(crate) enum Inputs<'a> {
    /// Pictures that stay bytes; normalised as a batch is gathered.
    Bytes(&'a [u8], ByteTable),
    /// Any numbers.
    Floats(Floats<'a>),
}

/// Numbers that belong to somebody else, or to all who hold a part of them.
#[derive(Clone, Debug)]
pub(crate) enum Floats<'a> {
    Borrowed(&'a [f32]),
    Shared(Arc<[f32]>, Range<usize>),
}

impl Deref for Floats<'_> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match self {
            Self::Borrowed(floats) => floats,
            Self::Shared(floats, range) => &floats[range.clone()],
        }
    }
}

impl Floats<'_> {
    fn slice(&self, from: usize, to: usize) -> Self {
        match self {
            Self::Borrowed(floats) => Self::Borrowed(&floats[from..to]),
            Self::Shared(floats, range) => Self::Shared(floats.clone(), range.start + from..range.start + to),
        }
    }
}

/// What every sample should give.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Targets<'a> {
    /// Class numbers.
    Classes(&'a [u16]),
    /// `width` numbers per sample.
    Rows { width: usize, values: &'a [f32] },
}

/// Samples with their targets.
///
/// ```
/// use seedbed_nn::prelude::*;
/// let (pixels, labels) = (vec![0_u8; 3 * 784], vec![7_u16, 2, 1]);
/// let table = Normalization::Unit.table(&pixels);
/// let examples = Examples::pictures([28, 28], &pixels, table, &labels).unwrap();
/// assert_eq!(examples.len(), 3);
/// assert!(Examples::pictures([28, 28], &pixels[1..], Normalization::Unit.table(&pixels), &labels).is_err());
/// ```
#[derive(Clone, Debug)]
pub struct Examples<'a> {
    pub(crate) shape: Shape,
    pub(crate) inputs: Inputs<'a>,
    pub(crate) targets: Targets<'a>,
    /// How much each sample weighs, where they differ.
    pub(crate) weights: Option<&'a [f32]>,
    count: usize,
    lists: OnceLock<Option<Arc<Lists>>>,
}

impl<'a> Examples<'a> {
    fn new(shape: Shape, inputs: Inputs<'a>, targets: Targets<'a>, count: usize) -> Self {
        Self { shape, inputs, targets, weights: None, count, lists: OnceLock::new() }
    }

    /// The inputs that are not zero, where it pays to skip the others. Made when they are first asked for.
    pub(crate) fn lists(&self) -> Option<&Lists> {
        self.lists.get_or_init(|| Lists::of(self).map(Arc::new)).as_deref()
    }

    /// Pictures as bytes, row-major, with class numbers.
    ///
    /// # Errors
    /// Where the number of bytes is not a multiple of the shape, or labels and pictures differ in
    /// number.
    pub fn pictures(
        shape: impl Into<Shape>,
        pixels: &'a [u8],
        table: ByteTable,
        labels: &'a [u16],
    ) -> Result<Self, ModelError> {
        let shape = shape.into();
        let count = count("pictures", pixels.len(), &shape)?;
        same_count(count, labels.len())?;
        Ok(Self::new(shape, Inputs::Bytes(pixels, table), Targets::Classes(labels), count))
    }

    /// Numbers, sample after sample, with class numbers.
    ///
    /// # Errors
    /// As [`Examples::pictures`].
    pub fn classes(
        shape: impl Into<Shape>,
        inputs: &'a [f32],
        labels: &'a [u16],
    ) -> Result<Self, ModelError> {
        let shape = shape.into();
        let count = count("inputs", inputs.len(), &shape)?;
        same_count(count, labels.len())?;
        let inputs = Inputs::Floats(Floats::Borrowed(inputs));
        Ok(Self::new(shape, inputs, Targets::Classes(labels), count))
    }

    /// As [`Examples::classes`], of numbers that all who hold a part of them own together.
    ///
    /// # Errors
    /// As [`Examples::pictures`].
    pub fn shared(
        shape: impl Into<Shape>,
        inputs: Arc<[f32]>,
        labels: &'a [u16],
    ) -> Result<Self, ModelError> {
        let shape = shape.into();
        let count = count("inputs", inputs.len(), &shape)?;
        same_count(count, labels.len())?;
        let all = 0..inputs.len();
        let inputs = Inputs::Floats(Floats::Shared(inputs, all));
        Ok(Self::new(shape, inputs, Targets::Classes(labels), count))
    }

    /// Numbers, sample after sample, with `width` target numbers per sample.
    ///
    /// # Errors
    /// As [`Examples::pictures`].
    pub fn rows(
        shape: impl Into<Shape>,
        inputs: &'a [f32],
        width: usize,
        targets: &'a [f32],
    ) -> Result<Self, ModelError> {
        let shape = shape.into();
        let count = count("inputs", inputs.len(), &shape)?;
        same_count(count, self::count("targets", targets.len(), &Shape::from([width]))?)?;
        let targets = Targets::Rows { width, values: targets };
        Ok(Self::new(shape, Inputs::Floats(Floats::Borrowed(inputs)), targets, count))
    }

    /// Weighs the samples, as Keras's `sample_weight`: each loss is multiplied by its weight.
    ///
    /// # Errors
    /// Where there is not one weight per sample, or a weight is not finite.
    pub fn sample_weights(mut self, weights: &'a [f32]) -> Result<Self, ModelError> {
        let wrong = |expected: &str, received: String| {
            let expected = expected.to_owned();
            Err(ModelError::Data { what: "sample_weights", expected, received })
        };
        if weights.len() != self.count {
            return wrong(&format!("{} (one per sample)", self.count), weights.len().to_string());
        }
        if let Some(weight) = weights.iter().find(|weight| !weight.is_finite()) {
            return wrong("finite numbers", weight.to_string());
        }
        self.weights = Some(weights);
        Ok(self)
    }

    /// How many samples.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The same inputs with other class numbers.
    ///
    /// # Errors
    /// Where there are not as many as samples.
    pub fn relabelled<'b>(&self, labels: &'b [u16]) -> Result<Examples<'b>, ModelError>
    where
        'a: 'b,
    {
        same_count(self.count, labels.len())?;
        Ok(Examples { targets: Targets::Classes(labels), ..self.clone() })
    }

    /// The samples from `from` to before `to`, both capped at the number of samples.
    pub fn slice(&self, from: usize, to: usize) -> Self {
        let (from, to) = (from.min(self.count), to.min(self.count).max(from.min(self.count)));
        let size = self.shape.size();
        let inputs = match &self.inputs {
            Inputs::Bytes(bytes, table) => Inputs::Bytes(&bytes[from * size..to * size], *table),
            Inputs::Floats(floats) => Inputs::Floats(floats.slice(from * size, to * size)),
        };
        let targets = match self.targets {
            Targets::Classes(labels) => Targets::Classes(&labels[from..to]),
            Targets::Rows { width, values } => {
                Targets::Rows { width, values: &values[from * width..to * width] }
            }
        };
        let weights = self.weights.map(|weights| &weights[from..to]);
        Self { weights, ..Self::new(self.shape.clone(), inputs, targets, to - from) }
    }

    /// What a sample should give of so many outputs; with one output a class is the number itself.
    pub(crate) fn target(&self, sample: usize, outputs: usize) -> Target<'_, f32> {
        const ALONE: [[f32; 1]; 2] = [[0.0], [1.0]];
        match self.targets {
            Targets::Classes(labels) if outputs == 1 => {
                Target::Row(&ALONE[usize::from(labels[sample].min(1))])
            }
            Targets::Classes(labels) => Target::Class(usize::from(labels[sample])),
            Targets::Rows { width, values } => Target::Row(&values[sample * width..(sample + 1) * width]),
        }
    }

    /// Whether a sample's label is this class.
    pub(crate) fn is_of_class(&self, sample: usize, class: usize) -> bool {
        matches!(self.targets, Targets::Classes(labels) if usize::from(labels[sample]) == class)
    }

    /// Whether every target of these samples is 0 or 1; one-hot labels are.
    pub(crate) fn are_binary(&self, order: &[u32]) -> bool {
        let Targets::Rows { width, values } = self.targets else { return true };
        let row = |sample: &u32| &values[*sample as usize * width..][..width];
        order.iter().flat_map(row).all(|&t| t == 0.0 || t == 1.0)
    }

    /// The same inputs with other labels.
    pub(crate) fn with_labels<'b>(&'b self, labels: &'b [u16]) -> Examples<'b> {
        let inputs = match &self.inputs {
            Inputs::Bytes(bytes, table) => Inputs::Bytes(bytes, *table),
            Inputs::Floats(floats) => Inputs::Floats(Floats::Borrowed(floats)),
        };
        Examples::new(self.shape.clone(), inputs, Targets::Classes(labels), self.count)
    }

    /// Checks that the samples fit a model's input, its number of outputs and its loss.
    pub(crate) fn check(&self, input: &Shape, outputs: usize, loss: &Loss) -> Result<(), ModelError> {
        let wrong =
            |what, expected: String, received: String| Err(ModelError::Data { what, expected, received });
        if self.is_empty() {
            return wrong("samples", "at least 1".into(), "0".into());
        }
        if !self.shape.fits(input) {
            return wrong("inputs", format!("the shape {input}"), self.shape.to_string());
        }
        match self.targets {
            Targets::Classes(labels) => match largest_class(labels, loss) {
                Some(largest) if outputs == 1 && loss.needs_rows() && largest > 1 => wrong(
                    "labels",
                    "classes 0 and 1 (the last layer has 1 output)".into(),
                    format!("class {largest}; give the last layer one unit per class"),
                ),
                Some(largest) if outputs > 1 && largest >= outputs => wrong(
                    "labels",
                    format!("classes 0 to {} (the last layer has {outputs} outputs)", outputs - 1),
                    format!("class {largest}; give the last layer one unit per class"),
                ),
                _ => Ok(()),
            },
            Targets::Rows { width, .. } if width != outputs => {
                wrong("targets", format!("{outputs} numbers per sample"), width.to_string())
            }
            Targets::Rows { .. } => Ok(()),
        }
    }

    /// The share of inputs that are not zero, from up to 256 samples spread over all.
    fn density(&self) -> f64 {
        let size = self.shape.size();
        let stride = (self.count / 256).max(1);
        let (mut nonzero, mut seen) = (0, 0);
        for start in (0..self.count).step_by(stride).map(|sample| sample * size) {
            nonzero += match &self.inputs {
                Inputs::Bytes(bytes, table) => {
                    bytes[start..start + size].iter().filter(|&&b| table.number(f32::from(b)) != 0.0).count()
                }
                Inputs::Floats(floats) => floats[start..start + size].iter().filter(|&&x| x != 0.0).count(),
            };
            seen += size;
        }
        nonzero as f64 / seen.max(1) as f64
    }
}

/// The largest class number, but for the one that the loss ignores.
fn largest_class(labels: &[u16], loss: &Loss) -> Option<usize> {
    let ignored = loss.ignore_class();
    labels.iter().map(|&label| usize::from(label)).filter(|&label| Some(label) != ignored).max()
}

fn count(what: &'static str, numbers: usize, shape: &Shape) -> Result<usize, ModelError> {
    match shape.checked_size() {
        Some(size) if numbers.is_multiple_of(size) => Ok(numbers / size),
        Some(size) => Err(ModelError::Data {
            what,
            expected: format!("a multiple of {size} numbers, for samples of the shape {shape}"),
            received: numbers.to_string(),
        }),
        None => Err(ModelError::InputShape(shape.clone(), crate::shape::MAX_SAMPLE)),
    }
}

fn same_count(inputs: usize, targets: usize) -> Result<(), ModelError> {
    if inputs == targets {
        return Ok(());
    }
    let (expected, received) = (format!("{inputs}, one per sample"), targets.to_string());
    Err(ModelError::Data { what: "labels", expected, received })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_divides_by_255_exactly() {
        let table = Normalization::Unit.table(&[]);
        for byte in 0..=255_u8 {
            let number = f32::from(byte);
            assert_eq!(table.number(number).to_bits(), (number / 255.0).to_bits(), "{byte}");
        }
    }

    #[test]
    fn standard_has_mean_0_and_deviation_1() {
        let bytes: Vec<u8> = (0..1000_u32).map(|i| (i * i % 251) as u8).collect();
        let table = Normalization::Standard.table(&bytes);
        let numbers: Vec<f64> = bytes.iter().map(|&b| f64::from(table.number(f32::from(b)))).collect();
        let mean = numbers.iter().sum::<f64>() / 1000.0;
        let square = numbers.iter().map(|x| x * x).sum::<f64>() / 1000.0;
        assert!(mean.abs() < 1e-6 && (square - 1.0).abs() < 1e-6, "{mean} {square}");
    }

    #[test]
    fn constant_pictures_do_not_divide_by_zero() {
        let table = Normalization::Standard.table(&[7; 100]);
        assert_eq!(table.number(7.0), 0.0);
        assert_eq!(table.number(8.0), 1.0);
    }

    #[test]
    fn none_keeps_the_bytes_and_no_bytes_at_all_are_no_harm() {
        for byte in 0..=255_u8 {
            let number = f32::from(byte);
            assert_eq!(Normalization::None.table(&[]).number(number), number);
        }
        let nothing = Normalization::Standard.table(&[]);
        assert_eq!(nothing.number(3.0), 3.0);
    }

    fn error(result: Result<Examples<'_>, ModelError>) -> String {
        result.map(drop).unwrap_err().to_string()
    }

    #[test]
    fn numbers_that_do_not_make_whole_samples_are_refused() {
        let table = || Normalization::Unit.table(&[]);
        let (bytes, floats, labels) = ([0; 12], [0.0; 12], [0; 3]);
        assert_eq!(
            error(Examples::pictures([2, 2], &bytes[1..], table(), &labels)),
            "pictures: expected a multiple of 4 numbers, for samples of the shape (None, 2, 2), received 11"
        );
        assert_eq!(
            error(Examples::classes([5], &floats, &labels)),
            "inputs: expected a multiple of 5 numbers, for samples of the shape (None, 5), received 12"
        );
        assert_eq!(
            error(Examples::rows([4], &floats, 2, &floats[..5])),
            "targets: expected a multiple of 2 numbers, for samples of the shape (None, 2), received 5"
        );
        assert_eq!(
            error(Examples::classes([4], &floats, &labels[1..])),
            "labels: expected 3, one per sample, received 2"
        );
        assert_eq!(
            error(Examples::pictures([2, 0], &bytes, table(), &labels)),
            "input_shape: expected axes whose product is 1 to 16777216, received (None, 2, 0)"
        );
        assert!(Examples::rows([4], &floats, 0, &[]).is_err());
        assert!(Examples::rows([4], &floats, 2, &floats[..4]).is_err());
    }

    #[test]
    fn a_slice_has_its_own_samples_and_ends_with_the_last() {
        let floats: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let bytes: Vec<u8> = (0..12).collect();
        let rows: Vec<f32> = (0..6).map(|i| i as f32).collect();
        let classes = Examples::pictures([3], &bytes, Normalization::None.table(&[]), &[4, 5, 6, 7]).unwrap();
        let slice = classes.slice(1, 3);
        assert!(matches!(slice.inputs, Inputs::Bytes([3, 4, 5, 6, 7, 8], _)), "{slice:?}");
        assert!(matches!(slice.targets, Targets::Classes([5, 6])), "{slice:?}");
        let numbers = Examples::rows([4], &floats, 2, &rows).unwrap().slice(2, 9);
        let held = |examples: &Examples<'_>| match &examples.inputs {
            Inputs::Floats(floats) => floats.to_vec(),
            Inputs::Bytes(..) => Vec::new(),
        };
        assert_eq!(held(&numbers), [8.0, 9.0, 10.0, 11.0]);
        let shared =
            Examples::shared([3], floats.as_slice().into(), &[4, 5, 6, 7]).unwrap().slice(1, 9).slice(1, 2);
        assert_eq!((held(&shared), shared.len()), (vec![6.0, 7.0, 8.0], 1));
        assert!(matches!(shared.targets, Targets::Classes([6])), "{shared:?}");
        assert!(matches!(numbers.targets, Targets::Rows { width: 2, values: &[4.0, 5.0] }), "{numbers:?}");
        assert_eq!((classes.len(), slice.len(), numbers.len()), (4, 2, 1));
        for (from, to) in [(2, 2), (3, 1), (4, 9), (9, 9)] {
            let none = classes.slice(from, to);
            assert!(none.is_empty(), "{from}..{to}");
        }
    }

    #[test]
    fn density_is_the_share_of_inputs_that_are_not_zero() {
        let labels = [0; 1000];
        let floats: Vec<f32> = (0..4000).map(|i| if i % 4 == 0 { -1.0 } else { 0.0 }).collect();
        assert_eq!(Examples::classes([4], &floats, &labels).unwrap().density(), 0.25);
        let bytes: Vec<u8> = (0..4000).map(|i| if i % 4 == 0 { 0 } else { 9 }).collect();
        let density = |normalization: Normalization| {
            Examples::pictures([4], &bytes, normalization.table(&bytes), &labels).unwrap().density()
        };
        assert_eq!((density(Normalization::Unit), density(Normalization::Standard)), (0.75, 1.0));
    }
}

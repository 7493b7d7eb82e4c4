//! Labelled pictures in memory: bytes as they were read, never normalized (that belongs to the recipe).

use crate::error::DataError;

/// Samples of one shape and their labels: pictures, or rows of numbers, which are pictures one pixel high.
#[derive(Debug, Clone, PartialEq)]
pub struct Pictures {
    /// How many pictures.
    pub count: usize,
    /// Rows of a picture, in pixels.
    pub height: usize,
    /// Columns of a picture, in pixels.
    pub width: usize,
    /// Values per pixel: 1 is grey, 3 is red, green, blue.
    pub channels: usize,
    /// `count × height × width × channels` values in 0..=255, last dimension fastest. In MNIST 0 is paper, 255 ink.
    /// Where there are `numbers`, this is how they are shown: the smallest training number as 0, the largest as 255.
    pub pixels: Vec<u8>,
    /// What a network sees where bytes would not say it all: as many as there are pixels.
    pub numbers: Option<Vec<f32>>,
    /// The class of each picture, from 0.
    pub labels: Vec<u16>,
    /// How much each picture's loss weighs in training, where the data say so.
    pub weights: Option<Vec<f32>>,
}

/// Plain facts about some pictures, over all their bytes or numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    /// Mean of the bytes, in 0..=255, or of the numbers.
    pub mean: f64,
    /// Standard deviation (divisor: how many there are).
    pub std: f64,
    /// Share of zeros, in 0..=1.
    pub zeros: f64,
    /// How many pictures each class has.
    pub class_counts: Vec<usize>,
}

impl Pictures {
    /// Pictures from their parts; `shape` is height, width, channels.
    ///
    /// # Errors
    /// [`DataError::Disagree`] if the number of bytes is not `labels.len()` times the size of a picture, or a label
    /// is not below `classes`.
    ///
    /// ```
    /// use seedbed_data::Pictures;
    /// let two = Pictures::new([1, 2, 1], vec![0, 255, 9, 9], vec![1, 0], 2)?;
    /// assert_eq!(two.count, 2);
    /// assert_eq!(two.picture(1), [9, 9]);
    /// assert!(Pictures::new([1, 2, 1], vec![0, 255], vec![7], 2).is_err());
    /// # Ok::<(), seedbed_data::DataError>(())
    /// ```
    pub fn new(
        shape: [usize; 3],
        pixels: Vec<u8>,
        labels: Vec<u16>,
        classes: usize,
    ) -> Result<Pictures, DataError> {
        let [height, width, channels] = shape;
        let count = labels.len();
        let expected =
            [count, height, width, channels].iter().try_fold(1usize, |size, &next| size.checked_mul(next));
        if expected != Some(pixels.len()) {
            return Err(DataError::Disagree {
                what: "number of bytes",
                expected: format!("{count} labels × {height}×{width}×{channels}"),
                received: pixels.len().to_string(),
            });
        }
        if let Some(index) = labels.iter().position(|&label| usize::from(label) >= classes) {
            return Err(DataError::Disagree {
                what: "label",
                expected: format!("0 to {}", classes.saturating_sub(1)),
                received: format!("{} at picture {index}", labels[index]),
            });
        }
        Ok(Pictures { count, height, width, channels, pixels, numbers: None, labels, weights: None })
    }

    /// Samples from numbers that are not bytes; `range` is what is shown as 0 and as 255.
    ///
    /// # Errors
    /// As [`Pictures::new`].
    pub fn of_numbers(
        shape: [usize; 3],
        numbers: Vec<f32>,
        range: [f32; 2],
        labels: Vec<u16>,
        classes: usize,
    ) -> Result<Pictures, DataError> {
        let [low, high] = range;
        let scale = if high > low { 255.0 / (high - low) } else { 0.0 };
        let shown = numbers.iter().map(|number| ((number - low) * scale).round().clamp(0.0, 255.0) as u8);
        let pictures = Pictures::new(shape, shown.collect(), labels, classes)?;
        Ok(Pictures { numbers: Some(numbers), ..pictures })
    }

    /// Lengths of a sample's axes as Keras has them: `[height, width]`, with `channels` behind where there are
    /// several; a picture one pixel high is a row of numbers, `[width]`.
    pub fn axes(&self) -> Vec<usize> {
        match [self.height, self.width, self.channels] {
            [1, width, 1] => vec![width],
            [height, width, 1] => vec![height, width],
            all => all.to_vec(),
        }
    }

    /// Bytes of one picture: height × width × channels.
    pub fn picture_size(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// The bytes of one picture, rows from the top.
    ///
    /// # Panics
    /// If `index` is not below [`Pictures::count`].
    pub fn picture(&self, index: usize) -> &[u8] {
        let size = self.picture_size();
        &self.pixels[index * size..][..size]
    }

    /// Keeps the first `count` pictures; costs nothing.
    ///
    /// # Errors
    /// [`DataError::Disagree`] if `count` is 0 or more than there are.
    pub fn take(mut self, count: usize) -> Result<Pictures, DataError> {
        if !(1..=self.count).contains(&count) {
            return Err(DataError::Disagree {
                what: "number of pictures",
                expected: format!("1 to {}", self.count),
                received: count.to_string(),
            });
        }
        let values = count * self.picture_size();
        self.pixels.truncate(values);
        if let Some(numbers) = &mut self.numbers {
            numbers.truncate(values);
        }
        self.labels.truncate(count);
        if let Some(weights) = &mut self.weights {
            weights.truncate(count);
        }
        self.count = count;
        Ok(self)
    }

    /// Mean, standard deviation, share of zeros and number of pictures per class; exact for bytes.
    pub fn statistics(&self) -> Statistics {
        let [mean, std, zeros] = self.numbers.as_ref().map_or_else(|| self.byte_moments(), |of| moments(of));
        let classes = self.labels.iter().max().map_or(0, |&label| usize::from(label) + 1);
        let mut class_counts = vec![0; classes];
        for &label in &self.labels {
            class_counts[usize::from(label)] += 1;
        }
        Statistics { mean, std, zeros, class_counts }
    }

    /// Mean, standard deviation and share of zeros of the bytes.
    fn byte_moments(&self) -> [f64; 3] {
        let mut histogram = [0u64; 256];
        for &byte in &self.pixels {
            histogram[usize::from(byte)] += 1;
        }
        let total = self.pixels.len().max(1) as f64;
        let moment = |power: i32| {
            let sum =
                (0..256).zip(histogram).map(|(value, times)| f64::from(value).powi(power) * times as f64);
            sum.sum::<f64>() / total
        };
        let mean = moment(1);
        [mean, (moment(2) - mean * mean).max(0.0).sqrt(), histogram[0] as f64 / total]
    }
}

/// Mean, standard deviation and share of zeros of numbers.
fn moments(numbers: &[f32]) -> [f64; 3] {
    let total = numbers.len().max(1) as f64;
    let mean = numbers.iter().map(|&number| f64::from(number)).sum::<f64>() / total;
    let square = |&number: &f32| (f64::from(number) - mean).powi(2);
    let zeros = numbers.iter().filter(|&&number| number == 0.0).count();
    [mean, (numbers.iter().map(square).sum::<f64>() / total).sqrt(), zeros as f64 / total]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Pictures {
        Pictures::new([1, 2, 1], vec![0, 10, 0, 20, 30, 0], vec![2, 0, 2], 3).unwrap()
    }

    #[test]
    fn statistics_by_hand() {
        let statistics = three().statistics();
        assert_eq!(statistics.mean, 10.0);
        assert!((statistics.std - (800.0f64 / 6.0).sqrt()).abs() < 1e-12);
        assert_eq!(statistics.zeros, 0.5);
        assert_eq!(statistics.class_counts, [1, 0, 2]);
    }

    #[test]
    fn numbers_are_kept_and_shown_between_black_and_white() {
        let numbers = vec![-1.0, 0.0, 1.0, 3.0];
        let rows = Pictures::of_numbers([1, 2, 1], numbers.clone(), [-1.0, 1.0], vec![0, 1], 2).unwrap();
        assert_eq!(
            (rows.pixels.as_slice(), rows.numbers.as_ref()),
            ([0, 128, 255, 255].as_slice(), Some(&numbers))
        );
        let statistics = rows.statistics();
        assert_eq!((statistics.mean, statistics.zeros), (0.75, 0.25));
        assert!((statistics.std - 2.1875f64.sqrt()).abs() < 1e-12);
        assert_eq!(rows.take(1).unwrap().numbers, Some(vec![-1.0, 0.0]));
        let constant = Pictures::of_numbers([1, 1, 1], vec![5.0], [5.0, 5.0], vec![0], 1).unwrap();
        assert_eq!(constant.pixels, [0]);
    }

    #[test]
    fn axes_are_kerass() {
        let axes = |shape: [usize; 3]| Pictures::new(shape, Vec::new(), Vec::new(), 1).unwrap().axes();
        assert_eq!(axes([1, 4, 1]), [4]);
        assert_eq!(axes([28, 28, 1]), [28, 28]);
        assert_eq!((axes([8, 9, 3]), axes([1, 9, 3])), (vec![8, 9, 3], vec![1, 9, 3]));
    }

    #[test]
    fn take_keeps_the_first() {
        let two = three().take(2).unwrap();
        assert_eq!((two.count, two.pixels, two.labels), (2, vec![0, 10, 0, 20], vec![2, 0]));
        let messages = [0, 4].map(|count| three().take(count).unwrap_err().to_string());
        assert_eq!(messages[0], "number of pictures: expected 1 to 3, received 0");
        assert_eq!(messages[1], "number of pictures: expected 1 to 3, received 4");
    }

    #[test]
    fn parts_that_disagree_are_refused() {
        assert!(Pictures::new([1, 2, 1], vec![0; 5], vec![0; 3], 3).is_err());
        assert!(Pictures::new([usize::MAX, 2, 1], vec![0; 6], vec![0; 3], 3).is_err());
        let error = Pictures::new([1, 1, 1], vec![0; 2], vec![0, 3], 3).unwrap_err().to_string();
        assert_eq!(error, "label: expected 0 to 2, received 3 at picture 1");
    }
}

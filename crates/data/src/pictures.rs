//! Labelled pictures in memory: bytes as they were read, never normalized (that belongs to the recipe).

use crate::error::DataError;

/// Pictures of one size and their labels.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    pub pixels: Vec<u8>,
    /// The class of each picture, from 0.
    pub labels: Vec<u16>,
}

/// Plain facts about some pictures, over all their bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    /// Mean of the bytes, in 0..=255.
    pub mean: f64,
    /// Standard deviation of the bytes (divisor: their number).
    pub std: f64,
    /// Share of bytes that are zero, in 0..=1.
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
        Ok(Pictures { count, height, width, channels, pixels, labels })
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
        self.pixels.truncate(count * self.picture_size());
        self.labels.truncate(count);
        self.count = count;
        Ok(self)
    }

    /// Mean, standard deviation, share of zeros and number of pictures per class; exact, in one pass.
    pub fn statistics(&self) -> Statistics {
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
        let classes = self.labels.iter().max().map_or(0, |&label| usize::from(label) + 1);
        let mut class_counts = vec![0; classes];
        for &label in &self.labels {
            class_counts[usize::from(label)] += 1;
        }
        Statistics {
            mean,
            std: (moment(2) - mean * mean).max(0.0).sqrt(),
            zeros: histogram[0] as f64 / total,
            class_counts,
        }
    }
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

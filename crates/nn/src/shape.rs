//! Shapes of one sample, without the batch.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The lengths of one sample's axes: `(28, 28)` for a grey picture, `(128)` for a vector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shape(Vec<usize>);

/// The most numbers that one sample may have: a model file cannot ask for more memory than this.
pub const MAX_SAMPLE: usize = 1 << 24;

impl Shape {
    /// The lengths of the axes.
    pub fn axes(&self) -> &[usize] {
        &self.0
    }

    /// How many numbers one sample has; `None` where that is 0 or more than [`MAX_SAMPLE`].
    pub fn checked_size(&self) -> Option<usize> {
        let size = self.0.iter().try_fold(1_usize, |size, &axis| size.checked_mul(axis))?;
        (1..=MAX_SAMPLE).contains(&size).then_some(size)
    }

    /// Whether both are the same but for axes of length 1 at the end: a grey picture may have a channel axis or not.
    pub fn fits(&self, other: &Self) -> bool {
        let axes = |shape: &Self| shape.0.iter().rposition(|&axis| axis != 1).map_or(0, |last| last + 1);
        self.0[..axes(self)] == other.0[..axes(other)]
    }

    /// How many numbers one sample has; saturates where that does not fit.
    pub fn size(&self) -> usize {
        self.0.iter().fold(1, |size, &axis| size.saturating_mul(axis))
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(axes: [usize; N]) -> Self {
        Self(axes.to_vec())
    }
}

impl From<Vec<usize>> for Shape {
    fn from(axes: Vec<usize>) -> Self {
        Self(axes)
    }
}

/// As Keras prints a batch of it: `(None, 28, 28)`.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(None")?;
        self.0.iter().try_for_each(|axis| write!(f, ", {axis}"))?;
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_like_keras() {
        assert_eq!(Shape::from([28, 28]).to_string(), "(None, 28, 28)");
        assert_eq!(Shape::from([10]).to_string(), "(None, 10)");
    }

    #[test]
    fn axes_of_one_at_the_end_do_not_matter() {
        let fits = |a: &[usize], b: &[usize]| Shape::from(a.to_vec()).fits(&b.to_vec().into());
        assert!(fits(&[28, 28], &[28, 28, 1]) && fits(&[28, 28, 1, 1], &[28, 28, 1]) && fits(&[1], &[1, 1]));
        assert!(!fits(&[28, 28], &[784]) && !fits(&[28, 28], &[28, 28, 3]) && !fits(&[1, 28], &[28]));
    }

    #[test]
    fn absurd_sizes_are_seen() {
        assert_eq!(Shape::from([28, 28]).checked_size(), Some(784));
        assert_eq!(Shape::from([usize::MAX, 2]).checked_size(), None);
        assert_eq!(Shape::from([28, 0]).checked_size(), None);
    }
}

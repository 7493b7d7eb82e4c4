//! Pictures mirrored with probability ½, in every given direction at once.
//!
//! Source: Keras `random_flip.py` in `keras/src/layers/preprocessing/image_preprocessing/`.

use super::Picture;
use crate::lane::Lane;
use crate::random::Stream;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flip {
    /// Left and right change places.
    pub horizontal: bool,
    /// Top and bottom change places.
    pub vertical: bool,
}

impl Flip {
    /// Its own inverse and transpose, so also what gradients go through.
    #[inline(always)]
    pub(crate) fn apply<R: Lane>(&self, stream: &mut Stream, at: Picture, x: &[R], out: &mut [R]) {
        let flips = stream.uniform() <= 0.5;
        for (position, out) in out.chunks_exact_mut(at.channels).enumerate() {
            let (mut column, mut row) = (position % at.width, position / at.width);
            if flips && self.horizontal {
                column = at.width - 1 - column;
            }
            if flips && self.vertical {
                row = at.height - 1 - row;
            }
            let from = (row * at.width + column) * at.channels;
            out.copy_from_slice(&x[from..from + at.channels]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Seed, Streams};

    #[test]
    fn half_of_the_pictures_are_mirrored() {
        let at = Picture { height: 2, width: 2, channels: 2 };
        let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0_f32];
        let mut stream = Streams::new(Seed(1)).open(Purpose::Augmentation, "x", 0);
        for (flip, mirrored) in [
            (Flip { horizontal: true, vertical: false }, [3.0, 4.0, 1.0, 2.0, 7.0, 8.0, 5.0, 6.0]),
            (Flip { horizontal: false, vertical: true }, [5.0, 6.0, 7.0, 8.0, 1.0, 2.0, 3.0, 4.0]),
            (Flip { horizontal: true, vertical: true }, [7.0, 8.0, 5.0, 6.0, 3.0, 4.0, 1.0, 2.0]),
        ] {
            let mut flipped = 0_i32;
            for _ in 0..2000 {
                let mut out = [0.0; 8];
                flip.apply(&mut stream, at, &x, &mut out);
                assert!(out == x || out == mirrored, "{flip:?}: {out:?}");
                flipped += i32::from(out == mirrored);
            }
            assert!((flipped - 1000).abs() < 101, "{flip:?}: {flipped} of 2000");
        }
    }
}

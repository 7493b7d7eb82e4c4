//! Pictures moved, turned or scaled: every position of the result looks up where it came from.
//!
//! ```text
//! x′ = a₀·x + a₁·y + a₂        translation by d:  x′ = x − d
//! y′ = b₀·x + b₁·y + b₂        rotation by θ:     about the centre, anticlockwise
//!                              zoom by z:         x′ = z·x + (1 − z)·centre; z > 1 shows more
//! ```
//!
//! Places beyond the border are mapped by the fill mode, places between positions taken from the nearest, or
//! from the four around it.
//!
//! Sources: Keras `random_translation.py`, `random_rotation.py`, `random_zoom.py` in
//! `keras/src/layers/preprocessing/image_preprocessing/`; TensorFlow's `ImageProjectiveTransformV3`. Places are worked out
//! in 64 bits here, in 32 there.

use super::{Bounds, Picture, uniform};
use crate::lane::Lane;
use crate::random::Stream;
use serde::{Deserialize, Serialize};

/// What stands beyond the border of `a b c d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FillMode {
    /// `k k k k | a b c d | k k k k`
    Constant,
    /// `a a a a | a b c d | d d d d`
    Nearest,
    /// `d c b a | a b c d | d c b a`
    #[default]
    Reflect,
    /// `a b c d | a b c d | a b c d`
    Wrap,
}

/// What stands between positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// The number of the nearest position.
    Nearest,
    /// The mean of the four around, weighted by nearness.
    #[default]
    Bilinear,
}

/// How the matrix is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Motion {
    /// By shares of height and width, downwards and to the right.
    Translation {
        /// Shares of the height.
        height: Bounds,
        /// Shares of the width.
        width: Bounds,
    },
    /// By shares of a whole turn, anticlockwise.
    Rotation {
        /// Shares of 2π.
        turns: Bounds,
    },
    /// By shares beyond 1 that more is shown.
    Zoom {
        /// Of the height.
        height: Bounds,
        /// Of the width; as the height where there is none.
        width: Option<Bounds>,
    },
}

/// A motion, and what fills the holes.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "Keras's words")]
pub struct Affine {
    pub motion: Motion,
    pub fill_mode: FillMode,
    pub interpolation: Interpolation,
    pub fill_value: f64,
}

/// `[a₀, a₁, a₂, b₀, b₁, b₂]`
pub(crate) type Matrix = [f64; 6];

impl Motion {
    /// Draws a matrix.
    pub(crate) fn draw(&self, stream: &mut Stream, at: Picture) -> Matrix {
        let (height, width) = (at.height as f64, at.width as f64);
        let (cx, cy) = ((width - 1.0) / 2.0, (height - 1.0) / 2.0);
        match *self {
            Self::Translation { height: down, width: right } => {
                let (down, right) = (uniform(stream, down) * height, uniform(stream, right) * width);
                [1.0, 0.0, -right, 0.0, 1.0, -down]
            }
            Self::Rotation { turns } => {
                let (sin, cos) = libm::sincos(uniform(stream, turns) * std::f64::consts::TAU);
                [cos, -sin, cx - cx * cos + cy * sin, sin, cos, cy - cx * sin - cy * cos]
            }
            Self::Zoom { height, width } => {
                let vertical = 1.0 + uniform(stream, height);
                let horizontal = width.map_or(vertical, |width| 1.0 + uniform(stream, width));
                [horizontal, 0.0, cx * (1.0 - horizontal), 0.0, vertical, cy * (1.0 - vertical)]
            }
        }
    }
}

/// Where a number is looked up: a position, or none for the fill value; and its weight.
type Tap = (Option<usize>, f64);

impl Affine {
    /// The result of a drawn motion.
    #[inline(always)]
    pub(crate) fn apply<R: Lane>(&self, stream: &mut Stream, at: Picture, x: &[R], out: &mut [R]) {
        let matrix = self.motion.draw(stream, at);
        let fill = R::lit(self.fill_value);
        for (position, out) in out.chunks_exact_mut(at.channels).enumerate() {
            out.fill(R::lit(0.0));
            for (from, weight) in self.taps(&matrix, at, position) {
                let weight = R::lit(weight);
                for (c, out) in out.iter_mut().enumerate() {
                    let number = from.map_or(fill, |from| x[from * at.channels + c]);
                    *out = number.mul_add(weight, *out);
                }
            }
        }
    }

    /// Every position gives its gradient back to where its numbers came from.
    #[inline(always)]
    pub(crate) fn gradient<R: Lane>(&self, stream: &mut Stream, at: Picture, dy: &[R], dx: &mut [R]) {
        let matrix = self.motion.draw(stream, at);
        dx.fill(R::lit(0.0));
        for (position, dy) in dy.chunks_exact(at.channels).enumerate() {
            for (from, weight) in self.taps(&matrix, at, position) {
                let (Some(from), weight) = (from, R::lit(weight)) else { continue };
                for (c, &dy) in dy.iter().enumerate() {
                    let dx = &mut dx[from * at.channels + c];
                    *dx = dy.mul_add(weight, *dx);
                }
            }
        }
    }

    fn taps(&self, [a0, a1, a2, b0, b1, b2]: &Matrix, at: Picture, position: usize) -> [Tap; 4] {
        let (column, row) = ((position % at.width) as f64, (position / at.width) as f64);
        let x = self.fill_mode.map(a0 * column + a1 * row + a2, at.width);
        let y = self.fill_mode.map(b0 * column + b1 * row + b2, at.height);
        let inside = |n: f64, length: usize| (n >= 0.0 && n < length as f64).then_some(n as usize);
        let look_up = |x: f64, y: f64| Some(inside(y, at.height)? * at.width + inside(x, at.width)?);
        match self.interpolation {
            Interpolation::Nearest => {
                let none = (None, 0.0);
                [(look_up(x.round(), y.round()), 1.0), none, none, none]
            }
            Interpolation::Bilinear => {
                let (left, above) = (x.floor(), y.floor());
                let (right, below) = (x - left, y - above);
                [
                    (look_up(left, above), (1.0 - right) * (1.0 - below)),
                    (look_up(left + 1.0, above), right * (1.0 - below)),
                    (look_up(left, above + 1.0), (1.0 - right) * below),
                    (look_up(left + 1.0, above + 1.0), right * below),
                ]
            }
        }
    }
}

impl FillMode {
    /// A place on an axis of this length, brought inside where the mode does that.
    fn map(self, place: f64, length: usize) -> f64 {
        let (n, last) = (length as f64, length as f64 - 1.0);
        if self == Self::Constant || (0.0..=last).contains(&place) {
            return place;
        }
        let mapped = match self {
            _ if length == 1 => 0.0,
            Self::Reflect => {
                let within = place - 2.0 * n * (place / (2.0 * n)).floor();
                if within < n { within } else { 2.0 * n - within - 1.0 }
            }
            Self::Wrap if place < 0.0 => place + n * ((-place / last).trunc() + 1.0),
            Self::Wrap => place - n * (place / last).trunc(),
            Self::Constant | Self::Nearest => place,
        };
        mapped.clamp(0.0, last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Seed, Streams};

    fn stream() -> Stream {
        Streams::new(Seed(1)).open(Purpose::Augmentation, "x", 0)
    }

    /// One row of five positions, looked up `d` to the right.
    fn row(fill_mode: FillMode, interpolation: Interpolation, d: f64) -> Vec<f64> {
        let at = Picture { height: 1, width: 5, channels: 1 };
        let motion = Motion::Translation { height: (0.0, 0.0), width: (-d / 5.0, -d / 5.0) };
        let mut out = vec![0.0; 5];
        let affine = Affine { motion, fill_mode, interpolation, fill_value: 9.0 };
        affine.apply(&mut stream(), at, &[1.0, 2.0, 3.0, 4.0, 5.0], &mut out);
        out
    }

    /// What TensorFlow 2's `ImageProjectiveTransformV3` gives for `[1, 0, d, 0, 1, 0, 0, 0]`.
    #[test]
    fn borders_are_tensorflows() {
        use FillMode::{Constant, Nearest, Reflect, Wrap};
        use Interpolation::{Bilinear, Nearest as Near};
        for (mode, interpolation, d, expected) in [
            (Constant, Bilinear, 0.25, [1.25, 2.25, 3.25, 4.25, 6.0]),
            (Constant, Bilinear, -0.25, [3.0, 1.75, 2.75, 3.75, 4.75]),
            (Constant, Bilinear, 4.6, [7.4, 9.0, 9.0, 9.0, 9.0]),
            (Constant, Near, 2.5, [4.0, 5.0, 9.0, 9.0, 9.0]),
            (Constant, Bilinear, 7.3, [9.0; 5]),
            (Nearest, Bilinear, -0.25, [1.0, 1.75, 2.75, 3.75, 4.75]),
            (Nearest, Near, 7.3, [5.0; 5]),
            (Reflect, Bilinear, 2.5, [3.5, 4.5, 5.0, 4.5, 3.5]),
            (Reflect, Bilinear, 7.3, [2.7, 1.7, 1.0, 1.3, 2.3]),
            (Reflect, Bilinear, -7.3, [3.7, 4.7, 5.0, 4.3, 3.3]),
            (Reflect, Near, 2.5, [4.0, 5.0, 5.0, 5.0, 4.0]),
            (Wrap, Bilinear, 0.25, [1.25, 2.25, 3.25, 4.25, 1.0]),
            (Wrap, Bilinear, -7.3, [3.7, 4.7, 5.0, 5.0, 2.7]),
            (Wrap, Bilinear, 7.3, [3.3, 1.0, 1.0, 1.3, 2.3]),
            (Wrap, Near, 4.6, [1.0, 2.0, 3.0, 4.0, 1.0]),
        ] {
            let found = row(mode, interpolation, d);
            let near = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6);
            assert!(near, "{mode:?}, {interpolation:?}, {d}: {found:?}, expected {expected:?}");
        }
    }

    /// What is drawn has the mean and variance of its range, and fills it.
    #[test]
    fn matrices_are_drawn_from_their_ranges() {
        let at = Picture { height: 10, width: 20, channels: 1 };
        let mut stream = stream();
        let mut check = |motion: Motion, read: fn(Matrix) -> f64, (lower, upper): Bounds| {
            let drawn: Vec<f64> = (0..20_000).map(|_| read(motion.draw(&mut stream, at))).collect();
            let (mean, width) = ((lower + upper) / 2.0, upper - lower);
            let found = drawn.iter().sum::<f64>() / 20_000.0;
            let variance = drawn.iter().map(|x| (x - found).powi(2)).sum::<f64>() / 20_000.0;
            assert!(drawn.iter().all(|x| (lower - 1e-9..=upper + 1e-9).contains(x)), "{motion:?}");
            assert!((found - mean).abs() < 4.5 * width / (12.0 * 20_000.0_f64).sqrt(), "{motion:?}: {found}");
            assert!((variance / (width * width / 12.0) - 1.0).abs() < 0.03, "{motion:?}: {variance}");
        };
        let translation = Motion::Translation { height: (-0.1, 0.3), width: (-0.2, 0.2) };
        check(translation, |m| -m[5], (-1.0, 3.0));
        check(translation, |m| -m[2], (-4.0, 4.0));
        let rotation = Motion::Rotation { turns: (-0.1, 0.2) };
        check(rotation, |m| m[3].atan2(m[0]) / std::f64::consts::TAU, (-0.1, 0.2));
        let zoom = Motion::Zoom { height: (-0.3, 0.1), width: Some((0.0, 0.5)) };
        check(zoom, |m| m[4], (0.7, 1.1));
        check(zoom, |m| m[0], (1.0, 1.5));
        let one = Motion::Zoom { height: (-0.3, 0.1), width: None }.draw(&mut stream, at);
        assert_eq!(one[0], one[4]);
    }
}

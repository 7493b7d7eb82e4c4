//! Pooling's plain meaning.

use super::{Values, table};
use crate::lane::Lane;
use crate::ops::{PoolOp, ValueId};
use crate::window::Window;

impl<R: Lane + PartialOrd> Values<'_, R> {
    /// The values that a pooling op writes.
    pub(super) fn pool(&self, op: PoolOp, samples: usize) -> Vec<(ValueId, Vec<R>)> {
        match op {
            PoolOp::Max { x, window, out, position } => {
                let found = self.under_windows(x, window, samples, largest);
                let positions = position.map(|id| (id, found.iter().map(|f| R::lit(f.0 as f64)).collect()));
                positions.into_iter().chain([(out, found.iter().map(|found| found.1).collect())]).collect()
            }
            PoolOp::GlobalMax { x, window, out } => {
                let found = self.under_windows(x, window, samples, largest);
                vec![(out, found.iter().map(|found| found.1).collect())]
            }
            PoolOp::Average { x, window, out } => vec![(out, self.under_windows(x, window, samples, mean))],
            PoolOp::MaxGradient { dy, position, window, dx } => {
                let at = self.get(position);
                vec![(
                    dx,
                    self.back(dy, window, samples, |o, k, _, dy| (at[o] == R::lit(k as f64)).then_some(dy)),
                )]
            }
            PoolOp::AverageGradient { dy, window, dx } => {
                let share = |_, _, count: usize, dy| Some(dy / R::lit(count as f64));
                vec![(dx, self.back(dy, window, samples, share))]
            }
            PoolOp::GlobalMaxGradient { x, out, window, dy, dx } => {
                let (x, channels, pixels) = (self.get(x), window.channels, window.positions());
                let (out, dy) = (self.get(out), self.get(dy));
                let one = |b: usize, j: usize| {
                    let (at, c) = (b * channels + j % channels, j % channels);
                    let is_largest = |pixel: usize| x[(b * pixels + pixel) * channels + c] == out[at];
                    let count = (0..pixels).filter(|&pixel| is_largest(pixel)).count();
                    if is_largest(j / channels) { dy[at] / R::lit(count as f64) } else { R::lit(0.0) }
                };
                vec![(dx, table(samples, pixels * channels, one))]
            }
        }
    }

    /// `f` of every channel's numbers under the window at every place: position and number, ascending.
    fn under_windows<T>(
        &self,
        x: ValueId,
        window: Window,
        samples: usize,
        f: impl Fn(Vec<(usize, R)>) -> T,
    ) -> Vec<T> {
        let (x, width) = (self.get(x), self.width(x));
        table(samples, window.places() * window.channels, |b, j| {
            let (place, c) = (j / window.channels, j % window.channels);
            f(window.taps(place).map(|(k, pixel)| (k, x[b * width + pixel * window.channels + c])).collect())
        })
    }

    /// Adds what every place gives back to each pixel under it: `share` of its number's index, the position, how many
    /// pixels are under the window, and the gradient.
    fn back(
        &self,
        dy: ValueId,
        window: Window,
        samples: usize,
        share: impl Fn(usize, usize, usize, R) -> Option<R>,
    ) -> Vec<R> {
        let (dy, channels) = (self.get(dy), window.channels);
        let pixels = window.input[0] * window.input[1];
        let mut dx = vec![R::lit(0.0); samples * pixels * channels];
        for (b, place) in (0..samples).flat_map(|b| (0..window.places()).map(move |place| (b, place))) {
            let count = window.taps(place).count();
            for ((k, pixel), c) in window.taps(place).flat_map(|tap| (0..channels).map(move |c| (tap, c))) {
                let o = (b * window.places() + place) * channels + c;
                if let Some(share) = share(o, k, count, dy[o]) {
                    let to = &mut dx[(b * pixels + pixel) * channels + c];
                    *to = *to + share;
                }
            }
        }
        dx
    }
}

/// The first of the largest numbers, and its position.
fn largest<R: Lane + PartialOrd>(numbers: Vec<(usize, R)>) -> (usize, R) {
    let first = numbers.first().copied().unwrap_or((0, R::lit(0.0)));
    numbers.into_iter().fold(first, |best, found| if found.1 > best.1 { found } else { best })
}

fn mean<R: Lane>(numbers: Vec<(usize, R)>) -> R {
    let count = R::lit(numbers.len() as f64);
    numbers.into_iter().fold(R::lit(0.0), |sum, (_, x)| sum + x) / count
}

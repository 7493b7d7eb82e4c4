//! Convolution's plain meaning.

use super::{Values, chain, table};
use crate::lane::Lane;
use crate::ops::{ConvOp, Convolution, ValueId};

impl Convolution {
    /// Where the picture's pixel, the group's channel for filter `f`, is in a sample.
    fn input_at(&self, pixel: usize, c: usize, f: usize) -> usize {
        pixel * self.window.channels + f / self.group_filters() * self.group_channels() + c
    }

    fn kernel_at(&self, k: usize, c: usize, f: usize) -> usize {
        (k * self.group_channels() + c) * self.filters + f
    }
}

impl<R: Lane + PartialOrd> Values<'_, R> {
    /// The value that a convolution op writes.
    pub(super) fn convolution(
        &self,
        op: ConvOp,
        weights: &[Vec<R>],
        samples: usize,
    ) -> Option<(ValueId, Vec<R>)> {
        match op {
            ConvOp::Product { x, kernel, of, out } => {
                let (x, width, w) = (self.get(x), self.width(x), &weights[kernel.0]);
                let at = |b: usize, place: usize, f: usize| {
                    chain(of.window.taps(place).flat_map(|(k, pixel)| {
                        (0..of.group_channels())
                            .map(move |c| (x[b * width + of.input_at(pixel, c, f)], w[of.kernel_at(k, c, f)]))
                    }))
                };
                let one = |b, j| at(b, j / of.filters, j % of.filters);
                Some((out, table(samples, of.output_width(), one)))
            }
            ConvOp::AddBias { x, bias, out } => {
                let bias = &weights[bias.0];
                let sum = |(j, &x): (usize, &R)| x + bias[j % bias.len()];
                Some((out, self.get(x).iter().enumerate().map(sum).collect()))
            }
            ConvOp::InputGradient { dy, kernel, of, dx } => {
                let (dy, w) = (self.get(dy), &weights[kernel.0]);
                let one = |b: usize, i: usize| {
                    let (pixel, channel) = (i / of.window.channels, i % of.window.channels);
                    let (group, c) = (channel / of.group_channels(), channel % of.group_channels());
                    let filters = group * of.group_filters()..(group + 1) * of.group_filters();
                    chain(places_over(of, pixel).flat_map(|(k, place)| {
                        let row = (b * of.window.places() + place) * of.filters;
                        filters.clone().map(move |f| (w[of.kernel_at(k, c, f)], dy[row + f]))
                    }))
                };
                Some((dx, table(samples, self.width(dx), one)))
            }
            ConvOp::KernelGradient { .. } | ConvOp::BiasGradient { .. } => None,
        }
    }

    /// The gradient of a variable.
    pub(super) fn convolution_gradient(&self, op: ConvOp, samples: usize) -> Vec<R> {
        match op {
            ConvOp::KernelGradient { x, dy, of, .. } => {
                let (x, width, dy) = (self.get(x), self.width(x), self.get(dy));
                let places = of.window.places();
                table(of.depth(), of.filters, |row, f| {
                    let (k, c) = (row / of.group_channels(), row % of.group_channels());
                    let under = |place| of.window.taps(place).find(|tap| tap.0 == k).map(|tap| tap.1);
                    chain((0..samples).flat_map(|b| {
                        (0..places).filter_map(move |place| {
                            let x = x[b * width + of.input_at(under(place)?, c, f)];
                            Some((x, dy[(b * places + place) * of.filters + f]))
                        })
                    }))
                })
            }
            ConvOp::BiasGradient { dy, bias } => {
                let (dy, filters) = (self.get(dy), self.program.params[bias.0].count());
                table(1, filters, |_, f| {
                    chain(dy.iter().skip(f).step_by(filters).map(|&dy| (R::lit(1.0), dy)))
                })
            }
            _ => vec![],
        }
    }
}

/// The window's positions that lie on a pixel at some place, in ascending order, and the place.
fn places_over(of: Convolution, pixel: usize) -> impl Iterator<Item = (usize, usize)> {
    let window = of.window;
    let [iy, ix] = [pixel / window.input[1], pixel % window.input[1]];
    (0..window.positions()).filter_map(move |k| {
        let oy = window.place(0, iy, k / window.size[1])?;
        let ox = window.place(1, ix, k % window.size[1])?;
        Some((k, oy * window.output[1] + ox))
    })
}

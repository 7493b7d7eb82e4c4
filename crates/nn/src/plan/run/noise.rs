//! Noise steps.

use super::Batch;
use crate::kernels::elementwise::Formula;
use crate::kernels::noise::{fill_alpha_mask, fill_mask, fill_normal};
use crate::ops::{Draws, Noise};
use crate::random::Stream;

impl Batch<'_> {
    /// A layer's stream of this step; inference has none.
    pub(super) fn draws(&self, draws: &Draws) -> Option<Stream> {
        self.shared.streams.map(|streams| draws.open(streams, self.step))
    }

    pub(super) fn noise(&self, op: &Noise) {
        let (s, rows) = (self.shared, self.samples());
        match *op {
            Noise::Mask { rate, channels, ref draws, out } => {
                let Some(mut stream) = self.draws(draws) else { return };
                // SAFETY: the workspace has these rows of these widths.
                unsafe { fill_mask(&mut stream, (rate, channels), s.value(out), s.width(out), rows) }
            }
            Noise::AlphaMask { rate, ref draws, factor, offset } => {
                let Some(mut stream) = self.draws(draws) else { return };
                let both = (s.value(factor), s.value(offset));
                // SAFETY: as above.
                unsafe { fill_alpha_mask(&mut stream, rate, both, s.width(factor), rows) }
            }
            Noise::Normal { mean, stddev, ref draws, out } => {
                let Some(mut stream) = self.draws(draws) else { return };
                // SAFETY: as above.
                unsafe { fill_normal(&mut stream, (mean, stddev), s.value(out), s.width(out), rows) }
            }
            Noise::Add { x, noise, out } => self.map(Formula::Add(s.value(noise)), x, out),
        }
    }
}

//! The plain meaning of noise ops.

use super::Values;
use crate::kernels::noise::threshold;
use crate::lane::Lane;
use crate::ops::Noise;
use crate::ops::noise::{WORDS_PER_SAMPLE, alpha_dropout};
use crate::random::{Stream, Streams};

impl<R: Lane + PartialOrd> Values<'_, R> {
    pub(super) fn noise(&mut self, op: &Noise, streams: &Streams, step: u64, samples: usize) {
        match op {
            Noise::Mask { rate, channels, draws, out } => {
                let kept = R::lit(1.0 / (1.0 - rate));
                let dropped = dropped(&mut draws.open(streams, step), *rate, samples * channels);
                let factors: Vec<R> =
                    dropped.into_iter().map(|dropped| if dropped { R::lit(0.0) } else { kept }).collect();
                let positions = self.width(*out) / channels;
                let rows = factors.chunks(*channels).flat_map(|row| row.repeat(positions));
                self.all.insert(*out, rows.collect());
            }
            Noise::AlphaMask { rate, draws, factor, offset } => {
                let (a, b, replacement) = alpha_dropout(*rate);
                let dropped = dropped(&mut draws.open(streams, step), *rate, samples * self.width(*factor));
                let choose = |yes: f64, no: f64| {
                    dropped.iter().map(|&dropped| R::lit(if dropped { yes } else { no })).collect()
                };
                self.all.extend([(*factor, choose(0.0, a)), (*offset, choose(replacement, b))]);
            }
            Noise::Normal { mean, stddev, draws, out } => {
                let mut stream = draws.open(streams, step);
                let mut numbers = Vec::with_capacity(samples * self.width(*out));
                for sample in 0..samples as u64 {
                    stream.seek(sample * WORDS_PER_SAMPLE);
                    let draw = |_| R::lit(f64::from(stream.normal())).mul_add(R::lit(*stddev), R::lit(*mean));
                    numbers.extend((0..self.width(*out)).map(draw));
                }
                self.all.insert(*out, numbers);
            }
            Noise::Add { x, noise, out } => {
                let sums = self.zip(*x, *noise, |x, noise| x + noise);
                self.all.insert(*out, sums);
            }
        }
    }
}

/// Whether each of the first `count` draws is dropped.
fn dropped(stream: &mut Stream, rate: f64, count: usize) -> Vec<bool> {
    let mut words = vec![0; count];
    stream.fill_u32(&mut words);
    words.iter().map(|&word| word < threshold(rate)).collect()
}

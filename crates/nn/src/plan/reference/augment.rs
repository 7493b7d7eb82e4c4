//! The plain meaning of changes of pictures. The formulas of `ops/augment/` are what Keras is compared with.

use super::{ReferenceBatch, Values};
use crate::lane::Lane;
use crate::ops::Augment;
use crate::ops::augment::{mix_up, seek};
use crate::random::Streams;

impl<R: Lane + PartialOrd> Values<'_, R> {
    pub(super) fn augment(&mut self, op: &Augment, streams: &Streams, step: u64, batch: &ReferenceBatch<R>) {
        let (id, numbers) = match op {
            Augment::Change { change, picture, draws, x, out } => {
                let mut stream = draws.open(streams, step);
                let mut all = Vec::new();
                for (sample, x) in self.rows(*x).enumerate() {
                    let mut row = vec![R::lit(0.0); x.len()];
                    seek(&mut stream, sample);
                    change.apply(&mut stream, *picture, x, &mut row);
                    all.extend(row);
                }
                (*out, all)
            }
            Augment::ChangeGradient { change, picture, draws, x, dy, dx } => {
                let mut stream = draws.open(streams, step);
                let mut all = Vec::new();
                for (sample, (x, dy)) in self.rows(*x).zip(self.rows(*dy)).enumerate() {
                    let mut row = vec![R::lit(0.0); x.len()];
                    seek(&mut stream, sample);
                    change.gradient(&mut stream, *picture, x, dy, &mut row);
                    all.extend(row);
                }
                (*dx, all)
            }
            Augment::MixDraws { alpha, draws, mix } => {
                let mut stream = draws.open(streams, step);
                let mut partners: Vec<usize> = (0..batch.samples).collect();
                stream.shuffle(&mut partners);
                let draw = |(sample, partner)| {
                    // The partners' draws come before those of the first sample.
                    seek(&mut stream, sample + 1);
                    [R::lit(mix_up::beta(&mut stream, *alpha)), R::lit(partner as f64)]
                };
                (*mix, partners.into_iter().enumerate().flat_map(draw).collect())
            }
            Augment::Mix { x, mix, out } => (*out, mixed(self.get(*x), &self.mixes(*mix), self.width(*x))),
            Augment::MixGradient { mix, dy, dx } => {
                let (width, dy) = (self.width(*dy), self.get(*dy));
                let mixes = self.mixes(*mix);
                let mut sums: Vec<R> =
                    dy.iter().enumerate().map(|(i, &dy)| dy * mixes[i / width].0).collect();
                for (from, &(share, partner)) in mixes.iter().enumerate() {
                    for i in 0..width {
                        let sum = &mut sums[partner * width + i];
                        *sum = dy[from * width + i].mul_add(R::lit(1.0) - share, *sum);
                    }
                }
                (*dx, sums)
            }
            Augment::MixTargets { from, mix, out } => {
                let width = self.width(*out);
                let given: Vec<R> = (0..batch.samples)
                    .flat_map(|sample| (0..width).map(move |i| batch.target(sample, width).at(i)))
                    .collect();
                let targets = from.map_or(given, |from| self.get(from).to_vec());
                (*out, mixed(&targets, &self.mixes(*mix), width))
            }
        };
        self.all.insert(id, numbers);
    }

    /// λ and partner of every sample.
    fn mixes(&self, mix: crate::ops::ValueId) -> Vec<(R, usize)> {
        let count = self.get(mix).len() / 2;
        // A partner's number is a whole one: found by counting up to it.
        let whole = |x: R| (0..count).find(|&i| x < R::lit(i as f64 + 0.5)).unwrap_or(0);
        self.rows(mix).map(|row| (row[0], whole(row[1]))).collect()
    }
}

/// `λ·x[b] + (1 − λ)·x[partner]`
fn mixed<R: Lane>(x: &[R], mixes: &[(R, usize)], width: usize) -> Vec<R> {
    let at = |i: usize| {
        let (share, partner) = mixes[i / width];
        x[partner * width + i % width].mul_add(R::lit(1.0) - share, x[i] * share)
    };
    (0..x.len()).map(at).collect()
}

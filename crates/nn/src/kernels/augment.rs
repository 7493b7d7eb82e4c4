//! Changes of pictures, each thread those of its own samples.

use super::Kernel;
use super::matrix::Matrix;
use super::score::TargetsView;
use crate::lane::F32Lane;
use crate::ops::augment::{mix_up, seek};
use crate::ops::{Change, Picture};
use crate::random::Stream;
use std::ops::Range;

/// `out = change(x)`, or with `dy` the gradient of that.
pub(crate) struct ChangePictures<'a> {
    pub(crate) change: &'a Change,
    pub(crate) picture: Picture,
    pub(crate) stream: Stream,
    pub(crate) x: Matrix,
    pub(crate) dy: Option<Matrix>,
    pub(crate) out: Matrix,
    pub(crate) width: usize,
    pub(crate) rows: Range<usize>,
}

impl Kernel for ChangePictures<'_> {
    type Output = ();

    /// One number at a time whatever the lane: places are looked up, not streamed.
    #[inline(always)]
    fn run<L: F32Lane>(mut self) {
        for row in self.rows {
            seek(&mut self.stream, row);
            // SAFETY: the run loop gives matrices with these rows.
            unsafe {
                let (x, out) = (self.x.row(row, self.width), self.out.row_mut(row, self.width));
                match self.dy {
                    None => self.change.apply(&mut self.stream, self.picture, x, out),
                    Some(dy) => {
                        let dy = dy.row(row, self.width);
                        self.change.gradient(&mut self.stream, self.picture, x, dy, out);
                    }
                }
            }
        }
    }
}

/// Draws λ and partner of every sample of the batch; one thread does it.
///
/// # Safety
/// `mix` must have `batch` rows of 2 numbers.
pub(crate) unsafe fn draw_mixes(stream: &mut Stream, alpha: f64, mix: Matrix, batch: usize) {
    // SAFETY: as the caller promises.
    unsafe {
        (0..batch).for_each(|row| *mix.at(row, 1) = row as f32);
        for last in (1..batch as u32).rev() {
            let other = stream.below(last + 1) as usize;
            std::ptr::swap(mix.at(last as usize, 1), mix.at(other, 1));
        }
        for row in 0..batch {
            // The partners' draws come before those of the first sample.
            seek(stream, row + 1);
            *mix.at(row, 0) = mix_up::beta(stream, alpha) as f32;
        }
    }
}

/// `out[b] = λ·x[b] + (1 − λ)·x[partner]`
pub(crate) struct Mix {
    pub(crate) x: Matrix,
    pub(crate) mix: Matrix,
    pub(crate) out: Matrix,
    pub(crate) width: usize,
    pub(crate) rows: Range<usize>,
}

impl Kernel for Mix {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        for row in self.rows {
            // SAFETY: the run loop gives matrices with the batch's rows, padded to whole lanes.
            unsafe {
                let (share, partner) = (*self.mix.at(row, 0), *self.mix.at(row, 1) as usize);
                let (share, rest) = (L::splat(share), L::splat(1.0 - share));
                for col in (0..self.width).step_by(L::WIDTH) {
                    let own = L::load(self.x.at(row, col)) * share;
                    L::load(self.x.at(partner, col)).mul_add(rest, own).store(self.out.at(row, col));
                }
            }
        }
    }
}

/// `dx[b] = λ·dy[b] + (1 − λ′)·dy[b′]`, where b is the partner of b′.
pub(crate) struct MixGradient {
    pub(crate) mix: Matrix,
    pub(crate) dy: Matrix,
    pub(crate) dx: Matrix,
    pub(crate) width: usize,
    pub(crate) batch: usize,
    pub(crate) rows: Range<usize>,
}

impl Kernel for MixGradient {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        for row in self.rows {
            // SAFETY: as for `Mix`.
            unsafe {
                let is_partner = |&other: &usize| *self.mix.at(other, 1) as usize == row;
                let other = (0..self.batch).find(is_partner).unwrap_or(row);
                let (share, rest) = (*self.mix.at(row, 0), 1.0 - *self.mix.at(other, 0));
                for col in (0..self.width).step_by(L::WIDTH) {
                    let own = L::load(self.dy.at(row, col)) * L::splat(share);
                    let others = L::load(self.dy.at(other, col));
                    others.mul_add(L::splat(rest), own).store(self.dx.at(row, col));
                }
            }
        }
    }
}

/// Mixes targets one number at a time, whether class numbers or rows.
///
/// # Safety
/// Targets, mixes and result must have the batch's rows, targets and result of this width.
pub(crate) unsafe fn mix_targets(
    targets: TargetsView,
    mix: Matrix,
    out: Matrix,
    width: usize,
    rows: Range<usize>,
) {
    for row in rows {
        // SAFETY: as the caller promises.
        unsafe {
            let (share, partner) = (*mix.at(row, 0), *mix.at(row, 1) as usize);
            let (own, other) = (targets.of(row, width), targets.of(partner, width));
            for (i, out) in out.row_mut(row, width).iter_mut().enumerate() {
                *out = other.at(i).mul_add(1.0 - share, own.at(i) * share);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::buffer::Buffer;
    use crate::random::{Purpose, Seed, Streams};

    fn rows(numbers: &[&[f32]]) -> (Buffer, usize) {
        let mut buffer = Buffer::new(16 * numbers.len());
        for (to, from) in buffer.as_mut_slice().chunks_mut(16).zip(numbers) {
            to[..from.len()].copy_from_slice(from);
        }
        (buffer, 16)
    }

    /// What Keras's `transform_images` and `transform_labels` give for these weights and this order.
    #[test]
    fn samples_and_targets_are_mixed_as_keras_does() {
        let (mut x, stride) = rows(&[&[1.0, 2.0], &[3.0, 4.0], &[5.0, 6.0]]);
        let (mut mix, _) = rows(&[&[0.25, 2.0], &[0.75, 0.0], &[0.5, 1.0]]);
        let (mut out, mut targets) = (Buffer::new(48), Buffer::new(48));
        let labels = [0_u32, 1, 2];
        // SAFETY: the buffers have three rows.
        unsafe {
            let [x, mix, out, targets] =
                [&mut x, &mut mix, &mut out, &mut targets].map(|b| Matrix::new(b.start(), stride));
            Mix { x, mix, out, width: 2, rows: 0..3 }.run::<f32>();
            mix_targets(TargetsView::Classes(labels.as_ptr()), mix, targets, 3, 0..3);
        }
        let first = |b: &Buffer, width: usize| -> Vec<f32> {
            b.as_slice().chunks(16).flat_map(|row| row[..width].to_vec()).collect()
        };
        assert_eq!(first(&out, 2), [4.0, 5.0, 2.5, 3.5, 4.0, 5.0]);
        assert_eq!(first(&targets, 3), [0.25, 0.0, 0.75, 0.25, 0.75, 0.0, 0.0, 0.5, 0.5]);
    }

    /// Everybody is somebody's partner once, and every pair is equally likely.
    #[test]
    fn partners_are_a_random_order() {
        const BATCH: usize = 6;
        let mut counts = [[0_i32; BATCH]; BATCH];
        for step in 0..6000 {
            let mut stream = Streams::new(Seed(1)).open(Purpose::Augmentation, "mix_up", step);
            let mut buffer = Buffer::new(16 * BATCH);
            // SAFETY: the buffer has these rows.
            unsafe { draw_mixes(&mut stream, 0.2, Matrix::new(buffer.start(), 16), BATCH) };
            let mut partners: Vec<usize> = buffer.as_slice().chunks(16).map(|row| row[1] as usize).collect();
            partners.iter().enumerate().for_each(|(sample, &partner)| counts[sample][partner] += 1);
            partners.sort_unstable();
            assert_eq!(partners, [0, 1, 2, 3, 4, 5]);
        }
        assert!(counts.iter().flatten().all(|count| (count - 1000).abs() < 130), "{counts:?}");
    }
}

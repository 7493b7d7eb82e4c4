//! Digits drawn on the spot: handwriting that needs no download.
//!
//! Strokes per digit ([`skeletons`]) are moved by a writer's habits ([`writer`]) and by chance, bent, slanted and
//! turned ([`draw`]), and inked ([`pen`]) into MNIST's frame: the digit fits a box of 20×20 pixels, its centre of mass
//! lies in the middle of 28×28. 60,000 training and 10,000 test pictures, as in MNIST, which these are not.
//!
//! The bits are the same on every machine: each picture has its own random stream ([`random`]), and the arithmetic
//! is `+ - * /` and square roots only, which IEEE 754 defines exactly, unlike sines and logarithms.

mod draw;
mod pen;
mod random;
mod skeletons;
mod writer;

use std::thread;

use self::random::Stream;
use self::writer::Writer;
use crate::pictures::Pictures;

/// The set's name in a sentence.
pub(crate) const TITLE: &str = "built-in digits";

/// Pictures and writers of a part, and where its random streams begin.
struct Part {
    count: usize,
    writers: usize,
    base: u64,
}

/// Writers have streams of their own, away from those of the pictures.
const WRITERS: u64 = 1 << 39;

/// The training pictures. Fewer writers are easier to learn by heart: 120 give the gap that MNIST's 250 give.
const TRAIN: Part = Part { count: 60_000, writers: 120, base: 0 };
/// The test pictures, by other people.
const TEST: Part = Part { count: 10_000, writers: 120, base: 1 << 40 };

/// Values of a picture.
const SIZE: usize = pen::SIDE * pen::SIDE;

/// Draws the 60,000 training pictures.
pub(crate) fn train() -> Pictures {
    TRAIN.draw(TRAIN.count)
}

/// Draws the 10,000 test pictures.
pub(crate) fn test() -> Pictures {
    TEST.draw(TEST.count)
}

impl Part {
    /// Draws the first `count` pictures, on as many threads as there are cores.
    fn draw(&self, count: usize) -> Pictures {
        let writers: Vec<Writer> =
            (0..self.writers as u64).map(|number| Writer::new(self.base + WRITERS + number)).collect();
        let mut pixels = vec![0; count * SIZE];
        let mut labels = vec![0; count];
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let share = count.div_ceil(threads).max(1);
        thread::scope(|scope| {
            let shares = pixels.chunks_mut(share * SIZE).zip(labels.chunks_mut(share));
            for ((pixels, labels), first) in shares.zip((self.base..).step_by(share)) {
                let writers = &writers;
                scope.spawn(move || {
                    let pictures = pixels.chunks_exact_mut(SIZE).zip(labels);
                    for ((picture, label), number) in pictures.zip(first..) {
                        *label = draw_one(number, writers, picture);
                    }
                });
            }
        });
        Pictures {
            count,
            height: pen::SIDE,
            width: pen::SIDE,
            channels: 1,
            pixels,
            numbers: None,
            labels,
            weights: None,
        }
    }
}

/// Draws the picture whose random stream has this number; returns its label.
fn draw_one(number: u64, writers: &[Writer], picture: &mut [u8]) -> u16 {
    let mut stream = Stream::new(number);
    let digit = stream.below(10);
    let writer = &writers[stream.below(writers.len())];
    draw::draw(digit, writer, &mut stream, picture);
    digit as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::sha256;

    /// These hashes are the identity of the set: they never change, on any machine.
    #[test]
    fn golden_hashes() {
        let [train, test] = [train(), test()];
        assert_eq!(sha256(&train.pixels), "c12a075f5473997cc19b7e811a50d4abad3459f6d6a6e4e500b81a03ccfb584e");
        assert_eq!(sha256(&test.pixels), "919cde9b562c2db5f1c866ba38095761e34ff038d6788817decb3ce2bfab9909");
        assert_eq!(train.labels[..10], [5, 3, 8, 3, 9, 6, 6, 7, 7, 6]);
    }

    #[test]
    fn the_number_of_pictures_asked_for_does_not_change_them() {
        let [few, more] = [TRAIN.draw(7), TRAIN.draw(100)];
        assert_eq!(few, more.take(7).unwrap());
        assert_eq!(TEST.draw(0).count, 0);
    }

    #[test]
    fn ink_and_classes_are_like_mnist() {
        let statistics = TRAIN.draw(20_000).statistics();
        // MNIST's training pictures: mean 33.3, standard deviation 78.6, 80.9% zeros.
        assert!((statistics.mean - 33.3).abs() < 1.0, "{statistics:?}");
        assert!((statistics.std - 78.6).abs() < 3.0, "{statistics:?}");
        assert!((statistics.zeros - 0.809).abs() < 0.01, "{statistics:?}");
        // Five standard deviations of a count of 20,000 × 1/10 are 212.
        assert!(statistics.class_counts.iter().all(|&count| count.abs_diff(2000) < 212), "{statistics:?}");
    }

    #[test]
    fn pictures_fill_a_box_of_20_around_their_centre_of_mass() {
        let pictures = TRAIN.draw(500);
        for index in 0..pictures.count {
            let ink = |row: usize, column: usize| f64::from(pictures.picture(index)[row * 28 + column]);
            let inked = |line: &dyn Fn(usize) -> f64| (0..28).filter(|&at| line(at) > 0.0).count();
            let height = inked(&|row| (0..28).map(|column| ink(row, column)).sum());
            let width = inked(&|column| (0..28).map(|row| ink(row, column)).sum());
            // The grey rim reaches a pixel further on either side.
            assert!((19..=22).contains(&height.max(width)), "picture {index}: {height}×{width}");
            let all = || (0..28).flat_map(|row| (0..28).map(move |column| (row, column)));
            let mass: f64 = all().map(|(row, column)| ink(row, column)).sum();
            let row = all().map(|(row, column)| ink(row, column) * (row as f64 + 0.5)).sum::<f64>() / mass;
            let column =
                all().map(|(row, column)| ink(row, column) * (column as f64 + 0.5)).sum::<f64>() / mass;
            assert!(
                (row - 14.0).abs() <= 0.5001 && (column - 14.0).abs() <= 0.5001,
                "{index}: {row}, {column}"
            );
        }
    }
}

//! Writers: each has a hand of their own.
//!
//! What one writer's pictures share is drawn once: slant, turn, width, pen, bend, a preferred style per digit and a
//! way of their own to place every control point. What differs from picture to picture comes on top. The test
//! pictures are by people who wrote none of the training pictures, as in MNIST: a network that learns its writers
//! by heart does worse on others, and that is the overfitting the lesson looks for.

use super::random::Stream;
use super::skeletons::{STYLES, Style};

/// How much handwriting varies, as standard deviations. Together with the number of writers this is the difficulty
/// of the set: chosen so that the lesson's first model does on it what it does on MNIST.
pub(super) struct Spread {
    /// Each control point, each axis; parts of a digit's height.
    pub(super) point: f32,
    /// Move of the top against the bottom; parts of a digit's height.
    pub(super) slant: f32,
    /// Turn of the whole digit; radians.
    pub(super) turn: f32,
    /// Width; parts of a digit's height.
    pub(super) width: f32,
    /// Half the pen's width; pixels.
    pub(super) pen: f32,
    /// Each knot of the bending field, each axis; parts of a digit's height.
    pub(super) bend: f32,
}

/// Between writers.
const HAND: Spread = Spread { point: 0.041, slant: 0.2, turn: 0.08, width: 0.1, pen: 0.28, bend: 0.105 };

/// Slant, width and half the pen's width of the average writer, in the units of [`Spread`].
const AVERAGE_SLANT: f32 = 0.18;
const AVERAGE_WIDTH: f32 = 0.66;
const AVERAGE_PEN: f32 = 1.39;

/// Knots of the bending field along each side.
pub(super) const GRID: usize = 4;

/// A field of displacements, given at its knots: rows from the top, `[x, y]`.
pub(super) type Bend = [[[f32; 2]; GRID]; GRID];

/// A writer's hand, in the units of [`Spread`].
pub(super) struct Writer {
    pub(super) slant: f32,
    pub(super) turn: f32,
    pub(super) width: f32,
    pub(super) pen: f32,
    pub(super) bend: Bend,
    /// The preferred style of each digit.
    pub(super) style: [usize; 10],
    /// For each digit and style, how far this writer's control points lie from the skeleton's.
    pub(super) habits: Vec<Vec<Vec<[f32; 2]>>>,
}

impl Writer {
    /// The writer whose random stream has this number.
    pub(super) fn new(number: u64) -> Writer {
        let mut stream = Stream::new(number);
        Writer {
            slant: AVERAGE_SLANT + stream.bell(HAND.slant),
            turn: stream.bell(HAND.turn),
            width: AVERAGE_WIDTH + stream.bell(HAND.width),
            pen: AVERAGE_PEN + stream.bell(HAND.pen),
            bend: bend(HAND.bend, &mut stream),
            style: std::array::from_fn(|digit| pick_style(digit, &mut stream)),
            habits: STYLES.iter().map(|styles| habits(styles, &mut stream)).collect(),
        }
    }
}

/// Displacements of every control point of a digit's styles.
fn habits(styles: &[Style], stream: &mut Stream) -> Vec<Vec<[f32; 2]>> {
    let points = |style: &Style| style.strokes.iter().map(|stroke| stroke.len()).sum::<usize>();
    styles
        .iter()
        .map(|style| (0..points(style)).map(|_| [stream.bell(HAND.point), stream.bell(HAND.point)]).collect())
        .collect()
}

/// A random bending field.
pub(super) fn bend(deviation: f32, stream: &mut Stream) -> Bend {
    [(); GRID].map(|()| [(); GRID].map(|()| [stream.bell(deviation), stream.bell(deviation)]))
}

/// A style of `digit`, by weight.
pub(super) fn pick_style(digit: usize, stream: &mut Stream) -> usize {
    let weights = STYLES[digit].iter().map(|style| style.weight);
    let ticket = stream.below(weights.clone().sum());
    let mut passed = 0;
    weights
        .take_while(|weight| {
            passed += weight;
            passed <= ticket
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_are_picked_by_weight() {
        let mut stream = Stream::new(0);
        for (digit, styles) in STYLES.iter().enumerate() {
            let mut counts = vec![0.0f64; styles.len()];
            for _ in 0..20_000 {
                counts[pick_style(digit, &mut stream)] += 1.0 / 20_000.0;
            }
            let total: usize = styles.iter().map(|style| style.weight).sum();
            for (style, count) in styles.iter().zip(counts) {
                let expected = style.weight as f64 / total as f64;
                // Four standard errors of a share of 20,000 are at most 0.0142.
                assert!((count - expected).abs() < 0.0142, "digit {digit}: {count} for {expected}");
            }
        }
    }

    #[test]
    fn writers_differ_and_repeat() {
        let [one, again, other] = [1, 1, 2].map(Writer::new);
        assert_eq!((one.slant, &one.habits), (again.slant, &again.habits));
        assert_ne!((one.slant, &one.habits), (other.slant, &other.habits));
        let points: usize = STYLES[4][0].strokes.iter().map(|stroke| stroke.len()).sum();
        assert_eq!(one.habits[4][0].len(), points);
    }
}

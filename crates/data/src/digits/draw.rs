//! One picture: a skeleton, a writer's hand, and chance.

use super::pen::{Dot, Paper, SIDE, trace};
use super::random::Stream;
use super::skeletons::STYLES;
use super::writer::{Bend, GRID, Spread, Writer, bend, pick_style};

/// Between the pictures of one writer.
const MOOD: Spread = Spread { point: 0.018, slant: 0.1, turn: 0.06, width: 0.06, pen: 0.18, bend: 0.07 };

/// How often a picture is in another than the writer's preferred style.
const OTHER_STYLE: f32 = 0.1;

/// How much the pen's width at either end of a stroke differs from its average.
const PRESSURE: f32 = 0.12;

/// Side of the square into which the ink is fitted, in pixels, as in MNIST.
const BOX: f32 = 20.0;

/// Draws `digit` as `writer` does, into 28×28 bytes.
pub(super) fn draw(digit: usize, writer: &Writer, stream: &mut Stream, picture: &mut [u8]) {
    let style = if stream.chance(OTHER_STYLE) { pick_style(digit, stream) } else { writer.style[digit] };
    let haste = haste(stream);
    let shape = Shape::new(writer, haste, stream);
    let mut habits = writer.habits[digit][style].as_slice();
    let mut lines: Vec<Vec<Dot>> = Vec::with_capacity(2);
    for stroke in STYLES[digit][style].strokes {
        let (own, rest) = habits.split_at(stroke.len());
        habits = rest;
        lines.push(shape.line(&placed(stroke, own, haste, stream), stream));
    }
    fit(&mut lines);
    let mut paper = Paper::new();
    for line in &lines {
        paper.line(line);
    }
    paper.centred(picture);
}

/// Most pictures are written with care, a few in a hurry: 0.6 to 2, on average a little above 1.
fn haste(stream: &mut Stream) -> f32 {
    let unit = stream.uniform(0.0, 1.0);
    0.6 + 1.4 * unit * unit
}

/// The control points of a stroke, where this writer puts them this time. The two points of a corner stay together.
fn placed(stroke: &[[f32; 2]], habits: &[[f32; 2]], haste: f32, stream: &mut Stream) -> Vec<[f32; 2]> {
    let mut points: Vec<[f32; 2]> = Vec::with_capacity(stroke.len());
    for (index, (point, habit)) in stroke.iter().zip(habits).enumerate() {
        let corner = index > 0 && stroke[index - 1] == *point;
        let mut moved = |axis: usize| point[axis] + habit[axis] + stream.bell(haste * MOOD.point);
        let next = if corner { points[index - 1] } else { [moved(0), moved(1)] };
        points.push(next);
    }
    points
}

/// Scales and moves the lines so that their ink just fits the box in the middle of the paper. The pen keeps its width.
fn fit(lines: &mut [Vec<Dot>]) {
    let [mut low, mut high] = [[f32::MAX; 2], [f32::MIN; 2]];
    let mut widest = 0.0f32;
    for dot in lines.iter().flatten() {
        for (axis, value) in [dot.x, dot.y].into_iter().enumerate() {
            low[axis] = low[axis].min(value);
            high[axis] = high[axis].max(value);
        }
        widest = widest.max(dot.radius);
    }
    let size = (high[0] - low[0]).max(high[1] - low[1]).max(0.01);
    let scale = (BOX - 2.0 * widest) / size;
    let middle = [0, 1].map(|axis| 0.5 * (low[axis] + high[axis]));
    for dot in lines.iter_mut().flatten() {
        dot.x = (dot.x - middle[0]) * scale + 0.5 * SIDE as f32;
        dot.y = (dot.y - middle[1]) * scale + 0.5 * SIDE as f32;
    }
}

/// What happens to a whole digit: elastic bending, then width and slant, then a turn.
struct Shape {
    bend: Bend,
    matrix: [[f32; 2]; 2],
    radius: f32,
}

impl Shape {
    fn new(writer: &Writer, haste: f32, stream: &mut Stream) -> Shape {
        let width = (writer.width + stream.bell(MOOD.width)).max(0.2);
        let slant = writer.slant + stream.bell(MOOD.slant);
        let [sine, cosine] = sine_and_cosine(writer.turn + stream.bell(MOOD.turn));
        let radius = (writer.pen + stream.bell(MOOD.pen)).clamp(0.6, 2.6);
        let mut bend = bend(haste * MOOD.bend, stream);
        for (knot, own) in bend.as_flattened_mut().iter_mut().zip(writer.bend.as_flattened()) {
            *knot = [knot[0] + own[0], knot[1] + own[1]];
        }
        // Rows of: turn × [[width, −slant], [0, 1]]. As y points down, a positive slant moves the top to the right.
        let matrix = [[cosine * width, -cosine * slant - sine], [sine * width, cosine - sine * slant]];
        Shape { bend, matrix, radius }
    }

    /// The curve through `points`, shaped, with a pen pressed harder at one end than at the other.
    fn line(&self, points: &[[f32; 2]], stream: &mut Stream) -> Vec<Dot> {
        let [start, end] = [stream.bell(PRESSURE), stream.bell(PRESSURE)];
        let dot = |(point, along): ([f32; 2], f32)| {
            let [x, y] = self.apply(point);
            Dot { x, y, radius: self.radius * (1.0 + start + along * (end - start)) }
        };
        trace(points).into_iter().map(dot).collect()
    }

    fn apply(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let [dx, dy] = self.displacement(x, y);
        let [x, y] = [x + dx - 0.5, y + dy - 0.5];
        self.matrix.map(|[along, across]| along * x + across * y)
    }

    /// The bending field between its knots: a uniform cubic B-spline, smooth to the second derivative.
    fn displacement(&self, x: f32, y: f32) -> [f32; 2] {
        let [wx, wy] = [b_spline(x), b_spline(y)];
        let mut sum = [0.0; 2];
        for (row, wy) in self.bend.iter().zip(wy) {
            for (knot, wx) in row.iter().zip(wx) {
                sum[0] += knot[0] * wx * wy;
                sum[1] += knot[1] * wx * wy;
            }
        }
        sum
    }
}

/// Sine and cosine of a small angle by their series, right to 10⁻⁵ up to half a radian. The bits of libm's would
/// differ between machines.
fn sine_and_cosine(angle: f32) -> [f32; 2] {
    let square = angle * angle;
    let sine = angle * (1.0 - square * (1.0 / 6.0) * (1.0 - square * (1.0 / 20.0)));
    let cosine = 1.0 - square * 0.5 * (1.0 - square * (1.0 / 12.0) * (1.0 - square * (1.0 / 30.0)));
    [sine, cosine]
}

/// The weights of the four knots around `t` in 0..=1; they sum to 1.
fn b_spline(t: f32) -> [f32; GRID] {
    let t = t.clamp(0.0, 1.0);
    let s = 1.0 - t;
    let inner = |t: f32, s: f32| 4.0 - 3.0 * t * t * (1.0 + s);
    [s * s * s, inner(t, s), inner(s, t), t * t * t].map(|weight| weight * (1.0 / 6.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_right_for_small_angles() {
        for step in -50..=50 {
            let angle = step as f32 * 0.01;
            let [sine, cosine] = sine_and_cosine(angle);
            assert!((sine - angle.sin()).abs() < 1e-5 && (cosine - angle.cos()).abs() < 1e-5, "{angle}");
        }
    }

    #[test]
    fn b_spline_weights_sum_to_one_and_reproduce_a_line() {
        for step in 0..=10 {
            let t = step as f32 * 0.1;
            let weights = b_spline(t);
            assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-6);
            // Knots at −1, 0, 1, 2 carrying their own position give back t.
            let position: f32 =
                weights.iter().zip([-1.0, 0.0, 1.0, 2.0]).map(|(weight, knot)| weight * knot).sum();
            assert!((position - t).abs() < 1e-6, "{t}: {position}");
        }
    }

    #[test]
    fn ink_fits_the_box() {
        let dot = |x, y, radius| Dot { x, y, radius };
        let mut lines = vec![vec![dot(0.0, 0.0, 1.0), dot(1.0, 4.0, 2.0)], vec![dot(0.5, 2.0, 1.0)]];
        fit(&mut lines);
        let [top, bottom] = [lines[0][0], lines[0][1]];
        // 20 pixels less a pen of 2 × 2, around the centre at 14; the shape is kept.
        assert_eq!([top.y, bottom.y], [6.0, 22.0]);
        assert_eq!([top.x, bottom.x, lines[1][0].x], [12.0, 16.0, 14.0]);
    }
}

//! The pen: a smooth line through control points, and ink on paper.
//!
//! The curve is a uniform Catmull–Rom spline (E. Catmull, R. Rom, 1974). A pixel's ink is its distance to the nearest
//! piece of line, compared with half the pen's width and softened at the rim.

/// A point of a line and half the pen's width there, in the same unit.
#[derive(Clone, Copy)]
pub(super) struct Dot {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) radius: f32,
}

/// Pieces into which the curve between two control points is cut.
const PIECES: usize = 5;

/// Points on the spline through `points`, each with its place along the stroke in 0..=1, both ends included.
pub(super) fn trace(points: &[[f32; 2]]) -> Vec<([f32; 2], f32)> {
    let Some((&first, &last)) = points.first().zip(points.last()) else { return Vec::new() };
    let spans = points.len() - 1;
    let mut curve = Vec::with_capacity(spans * PIECES + 1);
    curve.push((first, 0.0));
    for (span, ends) in points.windows(2).enumerate() {
        let [b, c] = [ends[0], ends[1]];
        if b == c {
            continue;
        }
        let a = if span == 0 { b } else { points[span - 1] };
        let d = points.get(span + 2).copied().unwrap_or(last);
        for piece in 1..=PIECES {
            let t = piece as f32 / PIECES as f32;
            let point = [0, 1].map(|axis| catmull_rom([a[axis], b[axis], c[axis], d[axis]], t));
            curve.push((point, (span as f32 + t) / spans as f32));
        }
    }
    curve
}

/// The spline between `b` (t = 0) and `c` (t = 1).
fn catmull_rom([a, b, c, d]: [f32; 4], t: f32) -> f32 {
    let linear = c - a;
    let square = 2.0 * a - 5.0 * b + 4.0 * c - d;
    let cube = 3.0 * (b - c) + d - a;
    b + 0.5 * t * (linear + t * (square + t * cube))
}

/// Side of the paper, in pixels.
pub(super) const SIDE: usize = 28;

/// Width of the grey rim around the ink, in pixels.
const SOFT: f32 = 1.3;

/// Ink on a square of paper.
pub(super) struct Paper {
    /// Distance of each pixel's centre from the ink's edge, negative inside.
    distance: [f32; SIDE * SIDE],
}

impl Paper {
    pub(super) fn new() -> Paper {
        Paper { distance: [f32::MAX; SIDE * SIDE] }
    }

    /// Draws a line from dot to dot.
    pub(super) fn line(&mut self, dots: &[Dot]) {
        for ends in dots.windows(2) {
            self.piece(ends[0], ends[1]);
        }
    }

    /// Draws a straight piece of line whose width changes evenly from one end to the other.
    fn piece(&mut self, from: Dot, to: Dot) {
        let reach = from.radius.max(to.radius) + 0.5 * SOFT;
        let rows = covered(from.y.min(to.y) - reach, from.y.max(to.y) + reach);
        let columns = covered(from.x.min(to.x) - reach, from.x.max(to.x) + reach);
        let [dx, dy] = [to.x - from.x, to.y - from.y];
        let length = dx * dx + dy * dy;
        let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
        for row in rows {
            let py = row as f32 + 0.5 - from.y;
            for column in columns.clone() {
                let px = column as f32 + 0.5 - from.x;
                let t = ((px * dx + py * dy) * scale).clamp(0.0, 1.0);
                let [ex, ey] = [px - t * dx, py - t * dy];
                let radius = from.radius + t * (to.radius - from.radius);
                let edge = (ex * ex + ey * ey).sqrt() - radius;
                let pixel = &mut self.distance[row * SIDE + column];
                *pixel = pixel.min(edge);
            }
        }
    }

    /// The picture as bytes, moved by whole pixels so that its centre of mass is as near the paper's centre as
    /// whole pixels allow. Ink moved over the edge is lost.
    pub(super) fn centred(&self, picture: &mut [u8]) {
        let ink = self.distance.map(|edge| ((0.5 - edge / SOFT).clamp(0.0, 1.0) * 255.0 + 0.5) as u8);
        let [mut mass, mut moment_x, mut moment_y] = [0u32; 3];
        for (row, values) in ink.chunks_exact(SIDE).enumerate() {
            for (column, &value) in values.iter().enumerate() {
                mass += u32::from(value);
                moment_x += u32::from(value) * (2 * column as u32 + 1);
                moment_y += u32::from(value) * (2 * row as u32 + 1);
            }
        }
        // Moments count half pixels: the centre of the paper is at SIDE of them.
        let shift = |moment: u32| {
            let off = (SIDE as f32 - moment as f32 / mass.max(1) as f32) * 0.5;
            (off + SIDE as f32 + 0.5) as usize as isize - SIDE as isize
        };
        let [right, down] = [shift(moment_x), shift(moment_y)];
        for (row, values) in picture.chunks_exact_mut(SIDE).enumerate() {
            for (column, value) in values.iter_mut().enumerate() {
                let [from_row, from_column] = [row as isize - down, column as isize - right];
                let inside = |position: isize| (0..SIDE as isize).contains(&position);
                *value = match inside(from_row) && inside(from_column) {
                    true => ink[from_row as usize * SIDE + from_column as usize],
                    false => 0,
                };
            }
        }
    }
}

/// The pixels whose centres may lie in `low..=high`.
fn covered(low: f32, high: f32) -> std::ops::Range<usize> {
    // Conversion from f32 saturates, so that ink beyond the paper simply leaves none.
    (low.max(0.0) as usize).min(SIDE)..((high.max(0.0) + 1.0) as usize).min(SIDE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dot(x: f32, y: f32, radius: f32) -> Dot {
        Dot { x, y, radius }
    }

    #[test]
    fn the_curve_passes_through_its_points_and_corners_are_sharp() {
        let points = [[0.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 1.0]];
        let curve = trace(&points);
        assert_eq!(curve.len(), 1 + 2 * PIECES);
        assert_eq!(
            (curve[0], curve[PIECES].0, curve[2 * PIECES]),
            (([0.0, 0.0], 0.0), points[1], (points[3], 1.0))
        );
        // Nothing is rounded off: every point lies on one of the two straight legs.
        assert!(curve.iter().all(|([x, y], _)| *y == 0.0 || *x == 1.0));
        assert!(trace(&[]).is_empty());
    }

    #[test]
    fn ink_is_as_much_as_the_line_covers() {
        let mut paper = Paper::new();
        paper.line(&[dot(8.0, 14.0, 1.5), dot(20.0, 14.0, 1.5)]);
        let mut picture = [0; SIDE * SIDE];
        paper.centred(&mut picture);
        let ink = picture.iter().map(|&byte| f32::from(byte)).sum::<f32>() / 255.0;
        // A bar of 12×3 and two half discs.
        let area = 12.0 * 3.0 + std::f32::consts::PI * 1.5 * 1.5;
        assert!((ink / area - 1.0).abs() < 0.03, "{ink} for {area}");
        assert_eq!(picture[14 * SIDE + 14], 255);
    }

    #[test]
    fn the_centre_of_mass_moves_to_the_middle() {
        let mut paper = Paper::new();
        paper.line(&[dot(4.5, 6.5, 1.0), dot(4.5, 10.5, 1.0)]);
        let mut picture = [0; SIDE * SIDE];
        paper.centred(&mut picture);
        let rows: Vec<usize> =
            (0..SIDE).filter(|row| picture[row * SIDE..][..SIDE].iter().any(|&ink| ink > 0)).collect();
        let columns: Vec<usize> =
            (0..SIDE).filter(|x| (0..SIDE).any(|row| picture[row * SIDE + x] > 0)).collect();
        // The ink was around (4.5, 8.5); whole pixels bring it within half a pixel of 14.
        assert_eq!((rows[0] + rows[rows.len() - 1], columns[0] + columns[columns.len() - 1]), (28, 28));
    }

    #[test]
    fn ink_beyond_the_paper_does_no_harm() {
        let mut paper = Paper::new();
        paper.line(&[
            dot(-100.0, -3.0, 2.0),
            dot(200.0, 40.0, 2.0),
            dot(f32::NAN, 1e30, 2.0),
            dot(5.0, 5.0, 0.0),
        ]);
        paper.centred(&mut [0; SIDE * SIDE]);
        Paper::new().centred(&mut [0; SIDE * SIDE]);
    }
}

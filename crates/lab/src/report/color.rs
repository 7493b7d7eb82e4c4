//! Colour scales of pictures: one for amounts, one for weights of either sign, one for ink on paper.
//!
//! All are readable with any common colour blindness: the sequential scale grows darker all the way, the diverging
//! scale runs from blue over white to orange.

/// Red, green and blue, 0 to 255.
pub type Rgb = [u8; 3];

const SEQUENTIAL: [Rgb; 5] = [[247, 250, 252], [171, 206, 228], [82, 152, 196], [22, 92, 146], [6, 33, 66]];
const DIVERGING: [Rgb; 5] = [[8, 69, 125], [101, 163, 204], [250, 250, 248], [236, 152, 92], [164, 56, 0]];

/// From almost white at 0 to deep blue at 1: amounts.
pub fn sequential(share: f64) -> Rgb {
    between(&SEQUENTIAL, share)
}

/// From blue at −1 over white at 0 to orange at 1: amounts with a sign.
pub fn diverging(value: f64) -> Rgb {
    between(&DIVERGING, (value + 1.0) / 2.0)
}

/// From white paper at 0 to black ink at 1.
pub fn ink(share: f64) -> Rgb {
    between(&[[255; 3], [17; 3]], share)
}

/// A colour as CSS and SVG write it.
pub fn hex([red, green, blue]: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// The colour at `share` (clamped to 0 to 1; NaN counts as 0) of the way along `stops`, linear in between.
fn between(stops: &[Rgb], share: f64) -> Rgb {
    let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
    let position = share * (stops.len() - 1) as f64;
    let below = (position as usize).min(stops.len() - 2);
    let part = position - below as f64;
    std::array::from_fn(|channel| {
        let (low, high) = (f64::from(stops[below][channel]), f64::from(stops[below + 1][channel]));
        (low + part * (high - low)).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_middle() {
        assert_eq!((sequential(0.0), sequential(1.0)), (SEQUENTIAL[0], SEQUENTIAL[4]));
        assert_eq!(
            (diverging(-2.0), diverging(0.0), diverging(9.0)),
            (DIVERGING[0], DIVERGING[2], DIVERGING[4])
        );
        assert_eq!((ink(f64::NAN), hex(ink(1.0)).as_str()), ([255; 3], "#111111"));
    }

    #[test]
    fn the_sequential_scale_only_darkens() {
        let light = |share: f64| sequential(share).iter().map(|&channel| u32::from(channel)).sum::<u32>();
        assert!((0..100).all(|i| light(f64::from(i) / 100.0) >= light(f64::from(i + 1) / 100.0)));
    }
}

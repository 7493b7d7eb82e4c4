//! Colours in a terminal, as far as it has them.
//!
//! Escape codes: ECMA-48 "select graphic rendition"; `38;2;r;g;b` is 24-bit colour, `38;5;n` the palette of xterm, whose
//! colours 16 to 231 are a 6×6×6 cube and 232 to 255 a ramp of greys. <https://no-color.org> asks for none.

use seedbed::lab::report::color::Rgb;

/// Which colours may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Color {
    /// None, nor any other escape code.
    None,
    /// Xterm's 256.
    Palette,
    /// All.
    Full,
}

/// The levels of the palette's cube.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

impl Color {
    /// What `TERM`, `COLORTERM` and `NO_COLOR` say of a terminal.
    pub(crate) fn of_environment() -> Self {
        if anstyle_query::no_color() || !anstyle_query::term_supports_ansi_color() {
            Self::None
        } else if anstyle_query::truecolor() {
            Self::Full
        } else {
            Self::Palette
        }
    }

    /// The text in bold, if escape codes are allowed.
    pub(crate) fn bold(self, text: &str) -> String {
        if self == Self::None { text.to_owned() } else { format!("\x1b[1m{text}\x1b[0m") }
    }

    /// `▀` with `top` above `bottom`; without `bottom` the lower half stays as the terminal is.
    pub(crate) fn half_block(self, top: Rgb, bottom: Option<Rgb>) -> String {
        let bottom = bottom.map(|bottom| format!(";4{}", self.code(bottom))).unwrap_or_default();
        format!("\x1b[3{}{bottom}m▀\x1b[0m", self.code(top))
    }

    /// What follows the 3 of the foreground or the 4 of the background.
    fn code(self, rgb: Rgb) -> String {
        match self {
            Self::Full => format!("8;2;{};{};{}", rgb[0], rgb[1], rgb[2]),
            Self::Palette | Self::None => format!("8;5;{}", palette(rgb)),
        }
    }
}

/// The colour of the palette that is nearest.
fn palette(rgb: Rgb) -> u8 {
    let distance = |other: Rgb| -> i32 {
        rgb.iter().zip(other).map(|(&a, b)| (i32::from(a) - i32::from(b)).pow(2)).sum()
    };
    let colors =
        (0..216_u8).map(|i| (16 + i, [i / 36, i / 6 % 6, i % 6].map(|level| CUBE[usize::from(level)])));
    let greys = (0..24_u8).map(|i| (232 + i, [8 + 10 * i; 3]));
    colors.chain(greys).min_by_key(|&(_, color)| distance(color)).map_or(16, |(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_palettes_nearest_colours() {
        let named = [([0, 0, 0], 16), ([255; 3], 231), ([255, 0, 0], 196), ([127; 3], 244)];
        for (rgb, number) in named {
            assert_eq!(palette(rgb), number, "{rgb:?}");
        }
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        assert_eq!(Color::Full.half_block([1, 2, 3], Some([4, 5, 6])), "\x1b[38;2;1;2;3;48;2;4;5;6m▀\x1b[0m");
        assert_eq!(Color::Palette.half_block([255; 3], None), "\x1b[38;5;231m▀\x1b[0m");
        assert_eq!(Color::None.bold("x"), "x");
    }
}

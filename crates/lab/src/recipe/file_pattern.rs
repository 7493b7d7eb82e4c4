//! A file's name with what changes from epoch to epoch: `best-{epoch:02d}-{val_loss:.2f}.keras`.
//!
//! Source: Keras `keras/src/callbacks/model_checkpoint.py`, `_get_file_path`, which formats as Python's `str.format`. Of its
//! format specifications these are understood: `d`, with a width and zeros before it, for `epoch`, which counts from 1;
//! `f` and `e` with a precision for what was measured; and nothing. `{{` and `}}` are braces.

/// A name with places for numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FilePattern(Vec<Piece>);

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Number { name: String, format: Format },
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Format {
    zeros: bool,
    width: usize,
    precision: Option<usize>,
    kind: Option<char>,
}

/// The largest width and precision.
const MOST: usize = 20;

impl FilePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What was expected and what was received.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if rest.starts_with(brace) {
                (plain, rest) = (plain + brace, &rest[1..]);
                continue;
            }
            let inside = rest.split_once('}').filter(|_| brace == "{");
            let Some((inside, behind)) = inside else {
                return Err(format!(
                    "expected {{name}} or {{name:format}}, received {text}: a brace stands alone"
                ));
            };
            pieces.extend([Piece::Text(std::mem::take(&mut plain)), number(inside)?]);
            rest = behind;
        }
        pieces.push(Piece::Text(plain + rest));
        Ok(Self(pieces))
    }

    /// The names between braces.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Number { name, .. } => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// The name after an epoch, counted from 1, of what it measured; what was not measured is NaN.
    pub(crate) fn fill(&self, epoch: usize, measured: impl Fn(&str) -> Option<f64>) -> String {
        let filled = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Number { name, format } if name == "epoch" => format.padded(epoch.to_string()),
            Piece::Number { name, format } => format.number(measured(name).unwrap_or(f64::NAN)),
        });
        filled.collect()
    }
}

fn number(inside: &str) -> Result<Piece, String> {
    let (name, written) = inside.split_once(':').unwrap_or((inside, ""));
    let wrong = || {
        let expected = if name == "epoch" { "{epoch}, {epoch:02d}" } else { "{val_loss}, {val_loss:.4f}" };
        format!("expected a format as in {expected}, received {{{inside}}}")
    };
    let format = Format::parse(written).ok_or_else(wrong)?;
    let whole = name == "epoch";
    let fits = match format.kind {
        Some('d') => whole && format.precision.is_none(),
        Some(_) => !whole,
        None => format.precision.is_none(),
    };
    if fits { Ok(Piece::Number { name: name.to_owned(), format }) } else { Err(wrong()) }
}

impl Format {
    /// `[0][width][.precision][d|f|e]`.
    fn parse(text: &str) -> Option<Self> {
        let kind = text.chars().last().filter(|last| "dfe".contains(*last));
        let text = kind.map_or(text, |kind| text.trim_end_matches(kind));
        let (width, precision) = match text.split_once('.') {
            Some((width, precision)) => (width, Some(count(precision)?)),
            None => (text, None),
        };
        let zeros = width.starts_with('0');
        let width = if width.is_empty() { 0 } else { count(width)? };
        Some(Self { zeros, width, precision, kind })
    }

    fn number(self, value: f64) -> String {
        let precision = self.precision.unwrap_or(6);
        self.padded(match self.kind {
            None => value.to_string(),
            Some('e') => exponent(&format!("{value:.precision$e}")),
            Some(_) => format!("{value:.precision$}"),
        })
    }

    fn padded(self, text: String) -> String {
        let width = self.width;
        let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
        match self.zeros {
            true => format!("{sign}{digits:0>width$}", width = width.saturating_sub(sign.len())),
            false => format!("{text:>width$}"),
        }
    }
}

/// Python writes at least two digits and a sign: `1e-3` is `1e-03`.
fn exponent(text: &str) -> String {
    match text.split_once('e') {
        Some((number, exponent)) => {
            let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
            format!("{number}e{sign}{digits:0>2}")
        }
        None => text.to_owned(),
    }
}

fn count(digits: &str) -> Option<usize> {
    digits.parse().ok().filter(|&count| count <= MOST && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The right side is what Python 3 gives for `pattern.format(epoch=7, loss=0.125, accuracy=-12.0)`.
    #[test]
    fn names_are_formatted_as_python_formats_them() {
        for (pattern, expected) in [
            ("best.keras", "best.keras"),
            ("{epoch}.keras", "7.keras"),
            ("a/{epoch:02d}-{loss:.2f}.keras", "a/07-0.12.keras"),
            ("{epoch:4d}{{x}}", "   7{x}"),
            ("{loss:f}", "0.125000"),
            ("{loss:.3e}", "1.250e-01"),
            ("{loss}", "0.125"),
            ("{accuracy:08.1f}", "-00012.0"),
            ("{accuracy:8.1f}|", "   -12.0|"),
            ("{epoch:03}", "007"),
        ] {
            let filled = FilePattern::parse(pattern).unwrap().fill(7, |name| match name {
                "loss" => Some(0.125),
                _ => Some(-12.0),
            });
            assert_eq!(filled, expected, "{pattern}");
        }
        let names = FilePattern::parse("{epoch:02d}-{loss:.2f}").unwrap();
        assert_eq!(names.names().collect::<Vec<_>>(), ["epoch", "loss"]);
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for (pattern, expected) in [
            ("a{", "a brace stands alone"),
            ("a}b", "a brace stands alone"),
            ("{epoch", "a brace stands alone"),
            ("{epoch:.2f}", "expected a format as in {epoch}, {epoch:02d}, received {epoch:.2f}"),
            ("{loss:02d}", "expected a format as in {val_loss}, {val_loss:.4f}, received {loss:02d}"),
            ("{loss:999999999f}", "received {loss:999999999f}"),
            ("{loss:+.2f}", "received {loss:+.2f}"),
            ("{loss!r}", "received"),
        ] {
            let error = FilePattern::parse(pattern).map(|pattern| format!("{pattern:?} received"));
            let error = error.unwrap_or_else(|error| error);
            assert!(error.contains(expected), "{pattern}: {error}");
        }
    }
}

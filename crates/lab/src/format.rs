//! How a number is written: the same in the terminal, in a sentence and on the page.
//!
//! Accuracies are fractions inside the program and percent in print; their differences are percentage points, called
//! points. Negative numbers carry a true minus sign; a number that is not finite is written as a dash.

/// What stands where there is no number.
pub const NOTHING: &str = "–";

/// `value` with `decimals` digits after the point: `fixed(-0.05, 1)` is "−0.1", and nothing is ever "−0.0".
pub fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return NOTHING.to_owned();
    }
    let digits = format!("{:.decimals$}", value.abs());
    let negative = value < 0.0 && digits.bytes().any(|digit| (b'1'..=b'9').contains(&digit));
    if negative { format!("−{digits}") } else { digits }
}

/// [`fixed`] with a sign in front unless it rounds to zero: "+0.12", "−6.93", "0.00".
pub fn signed(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    if value > 0.0 && text.bytes().any(|digit| (b'1'..=b'9').contains(&digit)) {
        format!("+{text}")
    } else {
        text
    }
}

/// A number with two digits that count: "0.00013", "4.2", "1,300"; what would need more than four zeros with its power of ten, "7.4×10⁻⁸".
pub fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return fixed(value, 0);
    }
    if value.abs() < 1e-4 {
        let written = format!("{:.1e}", value.abs());
        let (digits, power) = written.split_once("e-").unwrap_or((&written, "0"));
        return format!("{}{digits}×10⁻{}", if value < 0.0 { "−" } else { "" }, raised(power));
    }
    let digits = 1 - value.abs().log10().floor() as i32;
    if digits > 0 {
        return fixed(value, digits.min(12) as usize);
    }
    let power = 10f64.powi(-digits);
    let whole = (value / power).round() * power;
    let sign = if whole < 0.0 { "−" } else { "" };
    if whole.abs() < 1e15 { format!("{sign}{}", count(whole.abs() as usize)) } else { format!("{value:.1e}") }
}

/// Digits as they stand in an exponent.
fn raised(digits: &str) -> String {
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    digits.chars().filter_map(|digit| RAISED.get(digit.to_digit(10)? as usize)).collect()
}

/// A fraction in percent with two digits: 0.9771 is "97.71%".
///
/// ```
/// assert_eq!(seedbed_lab::format::percent(0.9771), "97.71%");
/// ```
pub fn percent(fraction: f64) -> String {
    if fraction.is_finite() { format!("{}%", fixed(100.0 * fraction, 2)) } else { NOTHING.to_owned() }
}

/// The size of a difference of fractions in points, without sign or unit: −0.0693 is "6.93".
pub fn points(difference: f64) -> String {
    fixed(100.0 * difference.abs(), 2)
}

/// A difference of fractions in points with its sign: "+0.03", "−6.93".
///
/// ```
/// assert_eq!(seedbed_lab::format::signed_points(-0.0693), "−6.93");
/// ```
pub fn signed_points(difference: f64) -> String {
    signed(100.0 * difference, 2)
}

/// An interval of differences in points: "−0.04 to +0.10".
pub fn points_interval([low, high]: [f64; 2]) -> String {
    format!("{} to {}", signed_points(low), signed_points(high))
}

/// A p-value: "0.034", or "< 0.001".
pub fn p_value(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { fixed(p, 3) }
}

/// A count with commas: "101,770".
///
/// ```
/// assert_eq!(seedbed_lab::format::count(101_770), "101,770");
/// ```
pub fn count(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// Seconds in the unit a person would say: "90 µs", "0.25 s", "12.3 s", "4 min 05 s".
pub fn seconds(seconds: f64) -> String {
    match seconds {
        s if !s.is_finite() => NOTHING.to_owned(),
        s if s < 1e-3 => format!("{} µs", fixed(1e6 * s, 0)),
        s if s < 0.1 => format!("{} ms", fixed(1e3 * s, 0)),
        s if s < 9.95 => format!("{} s", fixed(s, 2)),
        s if s < 59.95 => format!("{} s", fixed(s, 1)),
        s => format!("{} min {:02} s", s.round() as u64 / 60, s.round() as u64 % 60),
    }
}

/// "1 seed", "10 seeds": a number with its noun, which takes an s.
pub fn plural(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// "a", "a and b", "a, b and c"; items that have commas of their own are parted by semicolons.
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] if items.iter().any(|item| item.contains(", ")) => {
            format!("{}; and {last}", rest.join("; "))
        }
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// The text with its first letter in upper case.
pub fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_and_zeros() {
        assert_eq!((fixed(-0.04, 1).as_str(), fixed(-0.05001, 1).as_str()), ("0.0", "−0.1"));
        assert_eq!((signed(0.001, 2).as_str(), signed(0.125, 1).as_str()), ("0.00", "+0.1"));
        assert_eq!((fixed(f64::NAN, 2).as_str(), percent(f64::INFINITY).as_str()), ("–", "–"));
    }

    #[test]
    fn short_numbers_keep_two_digits() {
        assert_eq!(
            [0.000_132, 7.4e-8, -2e-12, 4.24, -0.05, 1_313.0, 0.0, 64.2].map(short),
            ["0.00013", "7.4×10⁻⁸", "−2.0×10⁻¹²", "4.2", "−0.050", "1,300", "0", "64"]
        );
        assert_eq!((short(f64::NAN).as_str(), short(1e300).as_str()), ("–", "1.0e300"));
    }

    #[test]
    fn differences_are_points() {
        assert_eq!((points(-0.0693).as_str(), signed_points(0.0004).as_str()), ("6.93", "+0.04"));
        assert_eq!((points(f64::NAN).as_str(), signed_points(0.00001).as_str()), ("–", "0.00"));
        assert_eq!(points_interval([-0.0004, 0.0010]), "−0.04 to +0.10");
    }

    #[test]
    fn counts_times_and_words() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [90e-6, 0.0123, 0.25, 12.34, 245.2].map(seconds),
            ["90 µs", "12 ms", "0.25 s", "12.3 s", "4 min 05 s"]
        );
        assert_eq!((plural(1, "seed"), plural(10, "seed")), ("1 seed".into(), "10 seeds".into()));
        assert_eq!(list(&["a".into(), "b".into(), "c".into()]), "a, b and c");
        assert_eq!((p_value(0.0004).as_str(), p_value(0.0342).as_str()), ("< 0.001", "0.034"));
        assert_eq!((capitalized("model 1").as_str(), capitalized("").as_str()), ("Model 1", ""));
    }
}

//! Looking up a name in a closed list.
//!
//! Case, `-` and `_` make no difference, so Keras's function names (`leaky_relu`) and class names
//! (`LeakyReLU`) are both found.

use thiserror::Error;

/// A name that is in no list.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown {kind} `{received}`{}; known are {}", did_you_mean(.nearest), .known.join(", "))]
pub struct UnknownName {
    /// What was looked for: "activation", "optimizer", …
    pub kind: &'static str,
    /// The name as it was received.
    pub received: String,
    /// The known name most like it, if any is.
    pub nearest: Option<String>,
    /// Every known name.
    pub known: Vec<String>,
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |name| format!(", did you mean `{name}`?"))
}

/// What the table holds under a name.
///
/// # Errors
/// [`UnknownName`] if the table has no such name.
pub fn resolve<T: Clone>(kind: &'static str, received: &str, table: &[(&str, T)]) -> Result<T, UnknownName> {
    let key = comparable(received);
    match table.iter().find(|(name, _)| comparable(name) == key) {
        Some((_, value)) => Ok(value.clone()),
        None => Err(unknown(kind, received, table.iter().map(|(name, _)| *name))),
    }
}

/// The error for a name that is not among the known ones.
pub(crate) fn unknown<'a>(
    kind: &'static str,
    received: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> UnknownName {
    let key = comparable(received);
    let nearest = known
        .clone()
        .map(|name| (strsim::normalized_damerau_levenshtein(&comparable(name), &key), name))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(likeness, _)| *likeness >= 0.5)
        .map(|(_, name)| name.to_owned());
    UnknownName { kind, received: received.to_owned(), nearest, known: known.map(str::to_owned).collect() }
}

fn comparable(name: &str) -> String {
    name.trim().chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[(&str, u8)] = &[("relu", 1), ("leaky_relu", 2), ("sigmoid", 3)];

    #[test]
    fn spelling_variants_are_one_name() {
        for name in ["leaky_relu", "LeakyReLU", "leaky-relu", " LEAKY_RELU "] {
            assert_eq!(resolve("activation", name, TABLE), Ok(2), "{name}");
        }
    }

    #[test]
    fn an_unknown_name_gets_the_list_and_the_nearest() {
        let error = resolve("activation", "sigmiod", TABLE).unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown activation `sigmiod`, did you mean `sigmoid`?; known are relu, leaky_relu, sigmoid"
        );
        let error = resolve("activation", "xyz", TABLE).unwrap_err();
        assert_eq!(error.nearest, None);
        assert_eq!(error.to_string(), "unknown activation `xyz`; known are relu, leaky_relu, sigmoid");
    }
}

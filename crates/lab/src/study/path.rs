//! Paths into a recipe: where a factor's levels are put.
//!
//! | path | what it means |
//! |---|---|
//! | `compile.optimizer`, `fit.epochs`, `data.train_size` | a key of the model file |
//! | `layers.dense_1.units` | a key of the layer that Keras would call so |
//! | `layers.dense*.kernel_initializer` | of every layer whose name matches and that has such a key |
//! | `layers.hidden.units` | of every layer that has such a key but the last |
//! | `compile.loss.label_smoothing` | a parameter of something with a name |
//! | `optimizer`, `hidden`, `l2`, … | a short name for one of these: see [`SHORT_NAMES`] |
//!
//! A level is put into the recipe's serialized form, and the result is read and checked as a model file is: whatever a
//! model file may say, a factor may vary, and nothing else.

use crate::error::LabError;
use crate::recipe::Recipe;
use seedbed_nn::layers::Layer;
use seedbed_nn::names;
use serde_json::{Map, Value, json};

/// The short names and the paths they stand for.
pub const SHORT_NAMES: [(&str, &str); 19] = [
    ("optimizer", "compile.optimizer"),
    ("learning_rate", "compile.optimizer.learning_rate"),
    ("weight_decay", "compile.optimizer.weight_decay"),
    ("momentum", "compile.optimizer.momentum"),
    ("loss", "compile.loss"),
    ("label_smoothing", "compile.loss.label_smoothing"),
    ("epochs", "fit.epochs"),
    ("batch_size", "fit.batch_size"),
    ("shuffle", "fit.shuffle"),
    ("train_size", "data.train_size"),
    ("label_noise", "data.label_noise"),
    ("normalization", "data.normalization"),
    ("initializer", "layers.*.kernel_initializer"),
    ("bias_initializer", "layers.*.bias_initializer"),
    ("dropout", "layers.*dropout*.rate"),
    ("hidden", "layers.hidden.units"),
    ("activation", "layers.hidden.activation"),
    ("l1", "layers.*.kernel_regularizer.l1"),
    ("l2", "layers.*.kernel_regularizer.l2"),
];

/// The parts of a recipe that a path may begin with.
const PARTS: [&str; 4] = ["layers", "compile", "fit", "data"];

/// A path, its short name resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    segments: Vec<String>,
}

/// One step from a value to a value inside it.
#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Index(usize),
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.segments.join("."))
    }
}

impl Path {
    /// Reads a path or a short name.
    ///
    /// # Errors
    /// What was expected, where it is neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        let long = SHORT_NAMES.iter().find(|(short, _)| *short == text).map_or(text, |(_, long)| long);
        let segments: Vec<String> = long.split('.').map(str::to_owned).collect();
        let enough = if segments[0] == "layers" { 3 } else { 2 };
        if segments.len() == 1 && !PARTS.contains(&text) {
            let table = SHORT_NAMES.map(|(short, _)| (short, ()));
            let problem =
                names::resolve("path", text, &table).map_or_else(|e| e.to_string(), |()| String::new());
            return Err(format!("{problem}; or a path that begins with {}", PARTS.join(", ")));
        }
        if !PARTS.contains(&segments[0].as_str()) {
            return Err(format!("expected a path that begins with {}, received `{text}`", PARTS.join(", ")));
        }
        if segments.len() < enough || segments.iter().any(String::is_empty) {
            let example = if enough == 3 { "layers.dense*.units" } else { "compile.optimizer" };
            return Err(format!("expected a path to one value, as in `{example}`, received `{text}`"));
        }
        if text == "data.dataset" {
            return Err("the dataset is the same for a whole study; run one study per dataset".into());
        }
        Ok(Self { segments })
    }

    /// How deep it reaches: where two factors meet, the deeper one is put in last.
    pub(super) fn depth(&self) -> usize {
        self.segments.len()
    }

    /// The recipe with `value` at every place the path matches.
    ///
    /// # Errors
    /// What is wrong with the path or with the value there.
    pub fn set(&self, recipe: &Recipe, value: &Value) -> Result<Recipe, String> {
        let mut whole = serialized(recipe)?;
        for place in self.places(recipe, &whole)? {
            put(&mut whole, &place, value)?;
            drop_empty_penalty(&mut whole, &place);
        }
        Recipe::from_value(whole).map_err(|error| error.to_string())
    }

    /// The value there; `None` if the recipe leaves it out or has different ones at different places.
    ///
    /// # Errors
    /// What is wrong with the path.
    pub fn get(&self, recipe: &Recipe) -> Result<Option<Value>, String> {
        let whole = serialized(recipe)?;
        let places = self.places(recipe, &whole)?;
        let mut values = places.iter().map(|place| value_at(&whole, place));
        let first = values.next().flatten();
        Ok(first.filter(|first| values.all(|value| value == Some(*first))).cloned())
    }

    /// Every place the path matches; at least one.
    fn places(&self, recipe: &Recipe, whole: &Value) -> Result<Vec<Vec<Step>>, String> {
        let keys = |segments: &[String]| segments.iter().cloned().map(Step::Key).collect::<Vec<_>>();
        if self.segments[0] != "layers" {
            return Ok(vec![keys(&self.segments)]);
        }
        let place = |index| {
            [vec![Step::Key("layers".into()), Step::Index(index)], keys(&self.segments[2..])].concat()
        };
        Ok(self.layers(recipe, whole)?.into_iter().map(place).collect())
    }

    /// The layers that are meant.
    fn layers(&self, recipe: &Recipe, whole: &Value) -> Result<Vec<usize>, String> {
        let (pattern, key) = (self.segments[1].as_str(), self.segments[2].as_str());
        let rows = recipe.model.summary().map_err(|error| error.to_string())?.rows;
        let layer = |index: usize| whole.get("layers").and_then(|layers| layers.get(index));
        let has_key = |index: usize| layer(index).is_some_and(|layer| takes(layer, key));
        let names = || rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>().join(", ");
        if let Some(index) = rows.iter().position(|row| row.name == pattern) {
            let has = layer(index).and_then(Value::as_object).map(keys_of).unwrap_or_default();
            let no_key = || format!("layer {pattern} has no `{key}`; it has {has}");
            return if has_key(index) { Ok(vec![index]) } else { Err(no_key()) };
        }
        let mut found: Vec<usize> = (0..rows.len())
            .filter(|&index| has_key(index) && (pattern == "hidden" || matches(pattern, &rows[index].name)))
            .collect();
        if pattern == "hidden" {
            found.pop();
        }
        if found.is_empty() {
            let remedy = match key {
                "rate" => {
                    "; give the baseline a Dropout layer with rate 0, so that there is something to vary"
                }
                _ => "",
            };
            return Err(format!("`{self}` matches nothing: the baseline's layers are {}{remedy}", names()));
        }
        Ok(found)
    }
}

fn serialized(recipe: &Recipe) -> Result<Value, String> {
    serde_json::to_value(recipe).map_err(|error| error.to_string())
}

fn keys_of(layer: &Map<String, Value>) -> String {
    layer.keys().filter(|key| *key != "class_name").map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// Whether a layer knows a key: it is written, or may be left out.
fn takes(layer: &Value, key: &str) -> bool {
    let mut asked = layer.clone();
    match asked.as_object_mut() {
        Some(keys) if !keys.contains_key(key) => keys.insert(key.to_owned(), Value::Null),
        _ => return layer.get(key).is_some(),
    };
    serde_json::from_value::<Layer>(asked).is_ok()
}

/// Whether a name has the form of a pattern, in which `*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            (0..=name.len()).any(|at| name.is_char_boundary(at) && matches(rest, &name[at..]))
        }),
    }
}

fn value_at<'a>(whole: &'a Value, place: &[Step]) -> Option<&'a Value> {
    place.iter().try_fold(whole, |at, step| match step {
        Step::Key(key) => at.get(key),
        Step::Index(index) => at.get(index),
    })
}

/// Puts a value in its place. Tables on the way are made where they are left out, and of a bare name where a
/// parameter of the named thing is meant.
fn put(whole: &mut Value, place: &[Step], value: &Value) -> Result<(), String> {
    let mut at = whole;
    for step in place {
        at = match step {
            Step::Index(index) => at.get_mut(index).ok_or("no such layer")?,
            Step::Key(key) => {
                match at {
                    Value::Null => *at = json!({}),
                    Value::String(name) => *at = json!({ "name": name }),
                    _ => {}
                }
                let table =
                    at.as_object_mut().ok_or_else(|| format!("there is no `{key}` in a plain value"))?;
                table.entry(key.clone()).or_insert(Value::Null)
            }
        };
    }
    *at = value.clone();
    Ok(())
}

/// No penalty is written as no regularizer, however it was made nothing: the recipe is the same.
fn drop_empty_penalty(whole: &mut Value, place: &[Step]) {
    let Some(at) =
        place.iter().position(|step| matches!(step, Step::Key(key) if key.ends_with("_regularizer")))
    else {
        return;
    };
    let empty = value_at(whole, &place[..=at]).and_then(Value::as_object).is_some_and(|penalty| {
        penalty.iter().all(|(key, factor)| key == "name" || factor.as_f64() == Some(0.0))
    });
    let parent = place[..at].iter().try_fold(whole, |at, step| match step {
        Step::Key(key) => at.get_mut(key),
        Step::Index(index) => at.get_mut(index),
    });
    if let (true, Some(Value::Object(parent)), Step::Key(key)) = (empty, parent, &place[at]) {
        parent.remove(key);
    }
}

impl Path {
    /// As [`set`](Self::set), for the message of a study file.
    pub(super) fn set_named(&self, recipe: &Recipe, value: &Value, what: &str) -> Result<Recipe, LabError> {
        self.set(recipe, value).map_err(|problem| LabError::Study(format!("{what}: {problem}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASELINE: &str = "input_shape = [4, 4]
        layers = [{ class_name = 'Flatten' }, { class_name = 'Dense', units = 8, activation = 'relu' },
                  { class_name = 'Dropout', rate = 0 },
                  { class_name = 'Dense', units = 6, activation = 'relu', name = 'middle' },
                  { class_name = 'Dense', units = 3, activation = 'softmax' }]
        compile.loss = 'categorical_crossentropy'";

    fn baseline() -> Recipe {
        Recipe::parse("b.toml", BASELINE).unwrap()
    }

    fn set(path: &str, value: Value) -> Result<String, String> {
        let path = Path::parse(path)?;
        path.set(&baseline(), &value).map(|recipe| recipe.to_toml())
    }

    #[test]
    fn a_value_goes_where_the_path_points_and_nowhere_else() {
        let before = baseline().to_toml();
        for (path, value, added, times) in [
            ("layers.dense.units", json!(5), "units = 5", 1),
            ("layers.*.kernel_initializer", json!("he_normal"), "kernel_initializer = \"he_normal\"", 3),
            ("layers.dense*.kernel_initializer", json!("he_normal"), "kernel_initializer = \"he_normal\"", 2),
            ("initializer", json!("zeros"), "kernel_initializer = \"zeros\"", 3),
            ("dropout", json!(0.5), "rate = 0.5", 1),
            ("hidden", json!(16), "units = 16", 2),
            ("activation", json!("tanh"), "activation = \"tanh\"", 2),
            ("l2", json!(0.001), "l2 = 0.001", 3),
            ("optimizer", json!("sgd"), "name = \"sgd\"", 1),
            ("learning_rate", json!(0.5), "learning_rate = 0.5", 1),
            ("label_smoothing", json!(0.1), "label_smoothing = 0.1", 1),
            ("train_size", json!(20), "train_size = 20", 1),
            ("label_noise", json!(1), "label_noise = 1.0", 1),
            ("layers.middle.kernel_initializer.stddev", json!(0.1), "", 0),
        ] {
            match set(path, value) {
                Ok(after) => {
                    assert_eq!(after.matches(added).count(), times, "{path}\n{after}");
                    assert_eq!(before.matches(added).count(), 0, "{path}");
                }
                Err(error) => {
                    assert!(
                        times == 0 && error.contains("glorot_uniform: unknown parameter `stddev`"),
                        "{error}"
                    )
                }
            }
        }
    }

    #[test]
    fn a_penalty_of_nothing_is_no_penalty() {
        let penalized = Path::parse("l2").unwrap().set(&baseline(), &json!(0.1)).unwrap();
        assert_ne!(penalized, baseline());
        assert_eq!(Path::parse("l2").unwrap().set(&penalized, &json!(0)).unwrap(), baseline());
    }

    #[test]
    fn what_is_there_is_told_where_it_is_the_same_everywhere() {
        let get = |path: &str| Path::parse(path).unwrap().get(&baseline()).unwrap();
        assert_eq!(get("dropout"), Some(json!(0.0)));
        assert_eq!(get("activation"), Some(json!("relu")));
        assert_eq!((get("hidden"), get("train_size")), (None, None));
        assert_eq!(get("layers.dense_2.units"), Some(json!(3)));
    }

    #[test]
    fn a_path_that_matches_nothing_is_told_what_there_is() {
        for (path, value, expected) in [
            ("optimiser", json!("sgd"), "unknown path `optimiser`, did you mean `optimizer`?"),
            (
                "layer.dense.units",
                json!(3),
                "begins with layers, compile, fit, data, received `layer.dense.units`",
            ),
            ("layers.dense", json!(3), "as in `layers.dense*.units`, received `layers.dense`"),
            (
                "layers.dens.units",
                json!(3),
                "the baseline's layers are flatten, dense, dropout, middle, dense_2",
            ),
            ("layers.conv*.filters", json!(3), "`layers.conv*.filters` matches nothing"),
            ("layers.gaussian*.rate", json!(0.1), "give the baseline a Dropout layer with rate 0"),
            ("layers.dense.unit", json!(3), "layer dense has no `unit`; it has activation, bias_initializer"),
            ("fit.epoch", json!(3), "unknown field `epoch`, expected one of `epochs`"),
            ("momentum", json!(0.9), "adam: unknown parameter `momentum`"),
            ("dropout", json!("half"), "invalid type: string \"half\""),
            ("dropout", json!(1.5), "rate: expected a number from 0 to below 1, received 1.5"),
            ("hidden", json!(0), "units: expected 1 to"),
            ("label_noise", json!(-0.1), "label_noise: expected a number from 0 to 1, received -0.1"),
            ("initializer", json!("he_norml"), "did you mean `he_normal`?"),
            ("data.dataset", json!("mnist"), "run one study per dataset"),
        ] {
            let error = set(path, value).unwrap_err();
            assert!(error.contains(expected), "{path}: {error}");
        }
    }

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, name, expected) in [
            ("dense*", "dense", true),
            ("dense*", "dense_1", true),
            ("*dropout*", "spatial_dropout1d", true),
            ("*_1", "dense_1", true),
            ("d*s*_1", "dense_1", true),
            ("*", "", true),
            ("dense", "dense_1", false),
            ("*_2", "dense_1", false),
            ("é*", "e", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}

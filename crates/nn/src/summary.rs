//! The table that Keras prints for a model.

use crate::error::ModelError;
use crate::ops::ParamSpec;
use crate::sequential::{Placed, Sequential};
use crate::shape::Shape;
use std::fmt;

/// One row: a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryRow {
    /// The layer's name: `dense_1`.
    pub name: String,
    /// Its class: `Dense`.
    pub class_name: &'static str,
    /// What it gives, without the batch.
    pub output_shape: Shape,
    /// How many weights it has.
    pub params: usize,
    /// How many of them are trained.
    pub trainable_params: usize,
}

/// A model's table; `Display` draws it as Keras does.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The layers, first to last.
    pub rows: Vec<SummaryRow>,
}

impl Summary {
    /// How many weights are trained.
    pub fn trainable_params(&self) -> usize {
        self.rows.iter().map(|row| row.trainable_params).sum()
    }

    /// How many weights are not: moving statistics, and those of layers that are not trainable.
    pub fn non_trainable_params(&self) -> usize {
        self.rows.iter().map(|row| row.params - row.trainable_params).sum()
    }
}

impl Sequential {
    /// The table of layers, shapes and weights; an error where the model cannot work.
    pub fn summary(&self) -> Result<Summary, ModelError> {
        let row = |placed: Placed<'_>| {
            let rule = placed.layer.rule();
            let specs = rule.params(&placed.input);
            let trained = |spec: &&ParamSpec| rule.trainable() && spec.trainable;
            SummaryRow {
                params: specs.iter().map(ParamSpec::count).sum(),
                trainable_params: specs.iter().filter(trained).map(ParamSpec::count).sum(),
                class_name: placed.layer.class_name(),
                name: placed.name,
                output_shape: placed.output,
            }
        };
        Ok(Summary { rows: self.placed()?.into_iter().map(row).collect() })
    }
}

/// `1234567` as `1,234,567`.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of weights and the memory they take, as Keras writes it.
fn size(params: usize) -> String {
    let bytes = params as f64 * 4.0;
    let memory = match bytes {
        b if b < 1024.0 => format!("{b:.2} B"),
        b if b < 1024.0 * 1024.0 => format!("{:.2} KB", b / 1024.0),
        b if b < 1024.0_f64.powi(3) => format!("{:.2} MB", b / 1024.0_f64.powi(2)),
        b => format!("{:.2} GB", b / 1024.0_f64.powi(3)),
    };
    format!("{} ({memory})", thousands(params))
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["Layer (type)".to_owned(), "Output Shape".into(), "Param #".into()];
        let cells: Vec<[String; 3]> = self
            .rows
            .iter()
            .map(|row| {
                let layer = format!("{} ({})", row.name, row.class_name);
                [layer, row.output_shape.to_string(), thousands(row.params)]
            })
            .collect();
        let width = |column: usize| {
            let longest = cells.iter().chain([&head]).map(|row| row[column].chars().count()).max();
            longest.unwrap_or(0).max([28, 20, 12][column])
        };
        let widths = [width(0), width(1), width(2)];
        let rule = |left: &str, fill: &str, middle: &str, right: &str| {
            let bars: Vec<String> = widths.iter().map(|w| fill.repeat(w + 2)).collect();
            format!("{left}{}{right}", bars.join(middle))
        };
        let [a, b, c] = widths;
        writeln!(f, "{}", rule("┏", "━", "┳", "┓"))?;
        writeln!(f, "┃ {:a$} ┃ {:b$} ┃ {:>c$} ┃", head[0], head[1], head[2])?;
        writeln!(f, "{}", rule("┡", "━", "╇", "┩"))?;
        for (i, row) in cells.iter().enumerate() {
            if i > 0 {
                writeln!(f, "{}", rule("├", "─", "┼", "┤"))?;
            }
            writeln!(f, "│ {:a$} │ {:b$} │ {:>c$} │", row[0], row[1], row[2])?;
        }
        writeln!(f, "{}", rule("└", "─", "┴", "┘"))?;
        let (trained, fixed) = (self.trainable_params(), self.non_trainable_params());
        writeln!(f, " Total params: {}", size(trained + fixed))?;
        writeln!(f, " Trainable params: {}", size(trained))?;
        write!(f, " Non-trainable params: {}", size(fixed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn the_lessons_model_has_kerass_numbers() {
        let model = Sequential::new([28, 28])
            .add(Flatten::new())
            .add(Dense::new(128).activation(Activation::Relu))
            .add(Dense::new(10).activation(Activation::Softmax));
        let summary = model.summary().unwrap();
        let params: Vec<_> = summary.rows.iter().map(|row| row.params).collect();
        assert_eq!(params, [0, 100_480, 1_290]);
        let drawn = summary.to_string();
        assert!(
            drawn.contains("│ dense_1 (Dense)              │ (None, 10)           │        1,290 │"),
            "{drawn}"
        );
        assert!(drawn.contains("Total params: 101,770 (397.54 KB)"), "{drawn}");
        assert!(drawn.ends_with("Non-trainable params: 0 (0.00 B)"), "{drawn}");
    }

    /// Keras's own lines for such a model.
    #[test]
    fn what_is_not_trained_is_counted_apart() {
        let model = Sequential::new([28, 28])
            .add(Flatten::new())
            .add(Dense::new(1024).trainable(false))
            .add(Dense::new(10));
        let summary = model.summary().unwrap();
        assert_eq!((summary.trainable_params(), summary.non_trainable_params()), (10_250, 803_840));
        let drawn = summary.to_string();
        for line in [
            "Total params: 814,090 (3.11 MB)\n",
            "Trainable params: 10,250 (40.04 KB)\n",
            "Non-trainable params: 803,840 (3.07 MB)",
        ] {
            assert!(drawn.contains(line), "{drawn}");
        }
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(100_480), "100,480");
        assert_eq!(thousands(1_000_000), "1,000,000");
    }
}

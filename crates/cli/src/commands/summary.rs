//! `seedbed summary FILE`

use crate::exit::Exit;
use crate::terminal::Terminal;
use clap::Args;
use seedbed::lab::format::count;
use seedbed::lab::formats::{self, Format, Tensor};
use std::path::PathBuf;

/// Which file.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// A model: .toml, or Keras's .json or .keras. Or weights: .safetensors, .npz, .weights.h5 or .onnx
    file: PathBuf,
}

pub(super) fn run(options: &Options) -> anyhow::Result<Exit> {
    let text = if Format::of(&options.file)?.holds_model() {
        formats::read_recipe(&options.file)?.model.summary()?.to_string()
    } else {
        table(&formats::list_weights(&options.file)?)
    };
    Terminal::new(false, false).lines(&text)?;
    Ok(Exit::Done)
}

/// One line per tensor: name, type, shape, how many numbers.
fn table(tensors: &[Tensor]) -> String {
    let size = |tensor: &Tensor| tensor.shape.iter().fold(1, |size: usize, &axis| size.saturating_mul(axis));
    let total = tensors.iter().map(size).fold(0, usize::saturating_add);
    let mut rows = vec![["tensor", "type", "shape", "numbers"].map(str::to_owned)];
    rows.extend(tensors.iter().map(|tensor| {
        let name: String = tensor.name.chars().filter(|letter| !letter.is_control()).collect();
        [name, tensor.dtype.clone(), format!("{:?}", tensor.shape), count(size(tensor))]
    }));
    rows.push(["total".to_owned(), String::new(), String::new(), count(total)]);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let [names, types, shapes, numbers] = [0, 1, 2, 3].map(width);
    let lines = rows.iter().map(|[name, dtype, shape, number]| {
        format!("{name:names$}  {dtype:types$}  {shape:shapes$}  {number:>numbers$}")
    });
    lines.collect::<Vec<_>>().join("\n")
}

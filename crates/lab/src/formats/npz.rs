//! Weights as NPZ, NumPy's zip archive of arrays: `np.savez(path, **{"dense/kernel": …})`, which Seedbed writes, or
//! `np.savez(path, *model.get_weights())`, whose arrays are `arr_0`, `arr_1`, … in Keras's order.
//!
//! Arrays are 32-bit floats, row-major or (as a transposed array is saved) column-major. Arrays of objects are pickles
//! and are refused.

use super::archive;
use super::weights::{Entry, F32, Problem, Tensors, content, keras_variables};
use seedbed_data::npy::{self, MAX_HEADER, Wrong};
use seedbed_nn::model::Model;
use seedbed_nn::ops::Param;
use std::io::{self, Read, Seek};
use zip::ZipArchive;

/// A model's weights; equal weights give equal bytes.
pub(super) fn write(model: &Model) -> io::Result<Vec<u8>> {
    let mut members = Vec::new();
    for param in model.params() {
        let mut bytes = npy::begin(&param.spec.shape);
        let values = model.weight(&param.name).unwrap_or_default();
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        members.push((format!("{}.npy", param.name), bytes));
    }
    archive::write(members.iter().map(|(name, bytes)| (name.clone(), bytes.as_slice())))
}

/// An open archive of arrays: their headers were read.
pub(super) struct Npz<R> {
    archive: ZipArchive<R>,
    entries: Vec<Entry>,
}

/// Reads the headers of all arrays; with a model, arrays named by number get the names of its variables.
pub(super) fn open<R: Read + Seek>(
    mut archive: ZipArchive<R>,
    model: Option<&Model>,
) -> Result<Npz<R>, Problem> {
    let mut entries = Vec::with_capacity(archive.len());
    for index in 0..archive.len() {
        let member = archive.by_index(index).or_else(|error| archive::damaged("archive", error))?;
        let name = member.name().or_else(|error| archive::damaged("archive", error))?.into_owned();
        let Some(name) = name.strip_suffix(".npy").map(str::to_owned) else {
            return content(name, "arrays only, whose names end in .npy", "something else");
        };
        let mut bytes = Vec::new();
        member
            .take(12 + MAX_HEADER as u64)
            .read_to_end(&mut bytes)
            .or_else(|error| archive::damaged(&name, error))?;
        let header = npy::header(&bytes).or_else(|wrong| problem(&name, wrong))?;
        let dtype = match header.descr.as_str() {
            "<f4" => F32.to_owned(),
            other => format!("{other}; save it with .astype(\"float32\")"),
        };
        entries.push(Entry { dtype, shape: header.shape, name });
    }
    let number = |name: &str| name.strip_prefix("arr_").and_then(|number| number.parse::<usize>().ok());
    let variables = |model| -> Vec<Option<&Param>> {
        let layers = Model::sequential(model).layers.iter().enumerate();
        layers.flat_map(|(index, layer)| keras_variables(model, index, layer.class_name())).collect()
    };
    let variables = model.map(variables).unwrap_or_default();
    for entry in &mut entries {
        match number(&entry.name).and_then(|number| variables.get(number)) {
            Some(Some(param)) => entry.name.clone_from(&param.name),
            Some(None) => entry.name.push_str("/count"),
            None => {}
        }
    }
    Ok(Npz { archive, entries })
}

fn problem<T>(name: &str, wrong: Wrong) -> Result<T, Problem> {
    let Wrong { byte, what, expected, received } = wrong;
    content(format!("{name}, byte {byte}: {what}"), expected, received)
}

impl<R: Read + Seek> Tensors for Npz<R> {
    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn values(&mut self, index: usize) -> Result<Vec<f32>, Problem> {
        let entry = &self.entries[index];
        let count: usize = entry.shape.iter().product();
        let most = (12 + MAX_HEADER + 4 * count) as u64;
        let member = self.archive.by_index(index).or_else(|error| archive::damaged(&entry.name, error))?;
        let bytes = archive::bytes(member, &entry.name, most)?;
        let array = npy::parse(&bytes).or_else(|wrong| problem(&entry.name, wrong))?;
        match array.float32s() {
            Some(values) => Ok(values),
            None => content(&entry.name, "32-bit floats", array.header.descr),
        }
    }
}

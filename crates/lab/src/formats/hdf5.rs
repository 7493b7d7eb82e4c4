//! Keras's `.weights.h5`: an HDF5 file with a group per layer, `layers/dense_1/vars`, whose datasets `0`, `1`, … are the
//! layer's variables in Keras's order. Groups are named by class and number, whatever the layers are called.
//!
//! An optimizer's state, which Keras puts under `optimizer`, is neither read nor written.
//!
//! Source: Keras `keras/src/saving/saving_lib.py`.

use super::weights::{Entry, F32, MAX_TENSORS, Problem, Tensors, content, keras_variables};
use hdf5_pure::{AttrValue, DType, Dataset, File, FileBuilder, GroupBuilder};
use seedbed_nn::model::Model;
use seedbed_nn::ops::Param;
use seedbed_nn::sequential::snake_case;
use seedbed_nn::summary::SummaryRow;
use std::collections::HashMap;
use std::io;

/// A layer's group and its variables.
struct Group<'a> {
    /// `dense_1`: class and number.
    key: String,
    /// The layer's own name.
    layer: String,
    variables: Vec<Option<&'a Param>>,
}

fn groups(model: &Model) -> Vec<Group<'_>> {
    let rows = model.sequential().summary().map(|summary| summary.rows).unwrap_or_default();
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let group = |(index, row): (usize, SummaryRow)| {
        let number = seen.entry(row.class_name).and_modify(|number| *number += 1).or_insert(0);
        let class = snake_case(row.class_name);
        Group {
            key: if *number == 0 { class } else { format!("{class}_{number}") },
            layer: row.name,
            variables: keras_variables(model, index, row.class_name),
        }
    };
    rows.into_iter().enumerate().map(group).collect()
}

/// A model's weights; equal weights give equal bytes.
pub(super) fn write(model: &Model) -> io::Result<Vec<u8>> {
    let named = |mut group: GroupBuilder, name: &str| {
        group.set_attr("name", AttrValue::VarLenString(name.to_owned()));
        group
    };
    let mut file = FileBuilder::new();
    let mut layers = file.create_group("layers");
    for group in groups(model) {
        let mut layer = layers.create_group(&group.key);
        let mut vars = named(layer.create_group("vars"), &group.layer);
        for (number, variable) in group.variables.iter().enumerate() {
            let dataset = vars.create_dataset(&number.to_string());
            let Some(param) = variable else {
                dataset.with_i64_data(&[0]).with_shape(&[]);
                continue;
            };
            let shape: Vec<u64> = param.spec.shape.iter().map(|&axis| axis as u64).collect();
            dataset.with_f32_data(&model.weight(&param.name).unwrap_or_default()).with_shape(&shape);
        }
        layer.add_group(vars.finish());
        layers.add_group(layer.finish());
    }
    file.add_group(layers.finish());
    let vars = named(file.create_group("vars"), "sequential");
    file.add_group(vars.finish());
    file.finish().map_err(io::Error::other)
}

/// An open file: the shapes of its variables were read.
pub(super) struct Hdf5 {
    entries: Vec<Entry>,
    datasets: Vec<Dataset>,
}

/// Reads names, types and shapes of the variables of every layer; with a model under the names that it has for them.
pub(super) fn open(bytes: Vec<u8>, model: Option<&Model>) -> Result<Hdf5, Problem> {
    let length = bytes.len() as u64;
    let file = File::from_bytes(bytes).or_else(|error| damaged("file", error))?;
    let end = file.superblock().eof_address;
    if end != length {
        return content("length", format!("{end} bytes"), length.to_string());
    }
    let mut found = Hdf5 { entries: Vec::new(), datasets: Vec::new() };
    let layers = match file.group("layers") {
        Ok(layers) => layers,
        Err(error) => {
            return content("layers", "a group, as in the .weights.h5 files of Keras 3", error.to_string());
        }
    };
    let groups = model.map(groups).unwrap_or_default();
    for key in layers.groups().or_else(|error| damaged("layers", error))? {
        let path = format!("layers/{key}/vars");
        let Ok(vars) = file.group(&path) else { continue };
        let group = groups.iter().find(|group| group.key == key);
        let variables = group.map_or(&[][..], |group| &group.variables);
        for number in vars.datasets().or_else(|error| damaged(&path, error))? {
            let variable = number.parse::<usize>().ok().and_then(|number| variables.get(number));
            let path = format!("{path}/{number}");
            let dataset = vars.dataset(&number).or_else(|error| damaged(&path, error))?;
            match variable {
                Some(Some(param)) => found.push(param.name.clone(), dataset)?,
                Some(None) => {}
                None => found.push(path, dataset)?,
            }
        }
    }
    Ok(found)
}

impl Hdf5 {
    fn push(&mut self, name: String, dataset: Dataset) -> Result<(), Problem> {
        let shape = dataset.shape().or_else(|error| damaged(&name, error))?;
        let shape = shape.into_iter().map(|axis| usize::try_from(axis).unwrap_or(usize::MAX)).collect();
        let dtype = match dataset.dtype().or_else(|error| damaged(&name, error))? {
            DType::F32 => F32.to_owned(),
            other => format!("{other:?}"),
        };
        self.entries.push(Entry { name, dtype, shape });
        self.datasets.push(dataset);
        if self.entries.len() > MAX_TENSORS {
            return content("tensors", format!("at most {MAX_TENSORS}"), "more");
        }
        Ok(())
    }
}

impl Tensors for Hdf5 {
    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn values(&mut self, index: usize) -> Result<Vec<f32>, Problem> {
        let entry = &self.entries[index];
        let values = self.datasets[index].read_f32().or_else(|error| damaged(&entry.name, error))?;
        let count: usize = entry.shape.iter().product();
        if values.len() != count {
            return content(&entry.name, format!("{count} numbers"), values.len().to_string());
        }
        Ok(values)
    }
}

fn damaged<T>(what: &str, error: impl std::fmt::Display) -> Result<T, Problem> {
    content(what, "an undamaged HDF5 file", error.to_string())
}

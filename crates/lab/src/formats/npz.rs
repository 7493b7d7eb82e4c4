//! Weights as NPZ, NumPy's zip archive of arrays: `np.savez(path, **{"dense/kernel": …})`, which Seedbed writes, or
//! `np.savez(path, *model.get_weights())`, whose arrays are `arr_0`, `arr_1`, … in Keras's order.
//!
//! Arrays are 32-bit floats, row-major or (as a transposed array is saved) column-major. Arrays of objects are pickles
//! and are refused.
//!
//! An array: `\x93NUMPY`, version, the header's length, the header `{'descr': '<f4', 'fortran_order': False, 'shape':
//! (3, 4), }`, the numbers. Source: NumPy Enhancement Proposal 1. The header is read by hand: npyz 0.9 takes
//! exponential time for nested brackets and allocates whatever length a file claims.

use super::archive;
use super::weights::{Entry, F32, Problem, Tensors, content, keras_variables};
use seedbed_nn::model::Model;
use seedbed_nn::ops::Param;
use std::io::{self, Read, Seek};
use zip::ZipArchive;

/// The largest header of an array that is read, in bytes; NumPy writes 128.
const MAX_HEADER: u64 = 1 << 10;

const MAGIC: &[u8] = b"\x93NUMPY";

/// A model's weights; equal weights give equal bytes.
pub(super) fn write(model: &Model) -> io::Result<Vec<u8>> {
    let mut members = Vec::new();
    for param in model.params() {
        let mut bytes = written_header(&param.spec.shape);
        let values = model.weight(&param.name).unwrap_or_default();
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        members.push((format!("{}.npy", param.name), bytes));
    }
    archive::write(members.iter().map(|(name, bytes)| (name.clone(), bytes.as_slice())))
}

/// All that stands before the numbers; its length is a multiple of 64.
fn written_header(shape: &[usize]) -> Vec<u8> {
    let axes: String = shape.iter().map(|axis| format!("{axis}, ")).collect();
    let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({axes}), }}");
    let width = (MAGIC.len() + 4 + text.len() + 1).next_multiple_of(64) - MAGIC.len() - 5;
    let text = format!("{text:width$}\n");
    [MAGIC, &[1, 0], &(text.len() as u16).to_le_bytes(), text.as_bytes()].concat()
}

/// What an array's header says.
#[derive(Debug, PartialEq)]
struct Header {
    descr: String,
    column_major: bool,
    shape: Vec<usize>,
    /// Bytes before the numbers.
    length: usize,
}

/// An open archive of arrays: their headers were read.
pub(super) struct Npz<R> {
    archive: ZipArchive<R>,
    entries: Vec<Entry>,
}

/// Reads the headers of all arrays; arrays named by number get the names of the model's variables.
pub(super) fn open<R: Read + Seek>(mut archive: ZipArchive<R>, model: &Model) -> Result<Npz<R>, Problem> {
    let mut entries = Vec::with_capacity(archive.len());
    for index in 0..archive.len() {
        let member = archive.by_index(index).or_else(|error| archive::damaged("archive", error))?;
        let name = member.name().or_else(|error| archive::damaged("archive", error))?.into_owned();
        let Some(name) = name.strip_suffix(".npy").map(str::to_owned) else {
            return content(name, "arrays only, whose names end in .npy", "something else");
        };
        let mut bytes = Vec::new();
        member
            .take(12 + MAX_HEADER)
            .read_to_end(&mut bytes)
            .or_else(|error| archive::damaged(&name, error))?;
        let header = header(&name, &bytes)?;
        entries.push(Entry { dtype: dtype(&name, &header.descr)?, shape: header.shape, name });
    }
    let number = |name: &str| name.strip_prefix("arr_").and_then(|number| number.parse::<usize>().ok());
    let layers = model.sequential().layers.iter().enumerate();
    let variables: Vec<Option<&Param>> =
        layers.flat_map(|(index, layer)| keras_variables(model, index, layer.class_name())).collect();
    for entry in &mut entries {
        match number(&entry.name).and_then(|number| variables.get(number)) {
            Some(Some(param)) => entry.name.clone_from(&param.name),
            Some(None) => entry.name.push_str("/count"),
            None => {}
        }
    }
    Ok(Npz { archive, entries })
}

/// The header at the beginning of an array.
fn header(name: &str, array: &[u8]) -> Result<Header, Problem> {
    let (start, length) = match array.strip_prefix(MAGIC) {
        Some([1, _, low, high, ..]) => (10, u64::from(u16::from_le_bytes([*low, *high]))),
        Some([2 | 3, _, a, b, c, d, ..]) => (12, u64::from(u32::from_le_bytes([*a, *b, *c, *d]))),
        _ => return content(name, "a NumPy array", "other bytes"),
    };
    if length > MAX_HEADER {
        return content(name, format!("a header of at most {MAX_HEADER} bytes"), length.to_string());
    }
    let length = start + length as usize;
    let text = array.get(start..length).and_then(|text| std::str::from_utf8(text).ok());
    match text.and_then(|text| parsed(text, length)) {
        Some(header) => Ok(header),
        None => content(name, "a header with 'descr', 'fortran_order' and 'shape'", "another"),
    }
}

fn parsed(text: &str, length: usize) -> Option<Header> {
    let value = |key: &str| Some(text.split_once(&format!("'{key}':"))?.1.trim_start());
    let descr = value("descr")?.strip_prefix('\'')?.split_once('\'')?.0.to_owned();
    let order = value("fortran_order")?;
    if !(order.starts_with("True") || order.starts_with("False")) {
        return None;
    }
    let axes = value("shape")?.strip_prefix('(')?.split_once(')')?.0;
    let axes = axes.split(',').map(str::trim).filter(|axis| !axis.is_empty());
    let shape = axes.map(|axis| axis.parse().ok()).collect::<Option<Vec<usize>>>()?;
    Some(Header { descr, column_major: order.starts_with("True"), shape, length })
}

fn dtype(name: &str, descr: &str) -> Result<String, Problem> {
    if descr.contains('O') {
        return content(name, "numbers", "an array of Python objects, which is a pickle and never read");
    }
    Ok(if descr == "<f4" { F32.to_owned() } else { format!("{descr}; save it with .astype(\"float32\")") })
}

impl<R: Read + Seek> Tensors for Npz<R> {
    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn values(&mut self, index: usize) -> Result<Vec<f32>, Problem> {
        let entry = &self.entries[index];
        let count: usize = entry.shape.iter().product();
        let most = 12 + MAX_HEADER + 4 * count as u64;
        let member = self.archive.by_index(index).or_else(|error| archive::damaged(&entry.name, error))?;
        let bytes = archive::bytes(member, &entry.name, most)?;
        let header = header(&entry.name, &bytes)?;
        let numbers = &bytes[header.length..];
        if numbers.len() != 4 * count {
            return content(
                &entry.name,
                format!("{} bytes of numbers", 4 * count),
                numbers.len().to_string(),
            );
        }
        let values: Vec<f32> =
            numbers.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        Ok(if header.column_major { row_major(&values, &entry.shape) } else { values })
    }
}

/// Column-major numbers in row-major order.
fn row_major(values: &[f32], shape: &[usize]) -> Vec<f32> {
    (0..values.len())
        .map(|index| {
            let (mut rest, mut stride, mut at) = (index, values.len(), 0);
            for &axis in shape.iter().rev() {
                stride /= axis;
                at += rest % axis * stride;
                rest /= axis;
            }
            values[at]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(version: u8, length: &[u8], text: &str) -> Option<Header> {
        let bytes = [MAGIC, &[version, 0], length, text.as_bytes()].concat();
        header("w", &bytes).ok()
    }

    #[test]
    fn headers_that_lie_or_nest_are_refused() {
        assert_eq!(read(2, &u32::MAX.to_le_bytes(), "{"), None);
        for open in ["(", "[", "{'a':"] {
            let text = format!("{:1024}", open.repeat(1024 / open.len()));
            assert_eq!(read(1, &1024_u16.to_le_bytes(), &text), None);
        }
        let text = "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }";
        assert_eq!(read(1, &(text.len() as u16).to_le_bytes(), text), None);
        let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }";
        assert_eq!(read(1, &(text.len() as u16).to_le_bytes(), text), None);
        assert!(dtype("w", "|O").is_err());
    }

    #[test]
    fn what_is_written_is_read() {
        for shape in [vec![], vec![5], vec![3, 4], vec![3, 3, 1024, 2048]] {
            let bytes = written_header(&shape);
            assert_eq!(bytes.len() % 64, 0);
            let found = header("w", &bytes).unwrap();
            let descr = "<f4".to_owned();
            assert_eq!(found, Header { descr, column_major: false, shape, length: bytes.len() });
        }
    }

    #[test]
    fn column_major_arrays_are_turned() {
        // [[1, 2, 3], [4, 5, 6]], saved column by column.
        assert_eq!(row_major(&[1.0, 4.0, 2.0, 5.0, 3.0, 6.0], &[2, 3]), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        // Axis i of [2, 3, 4] steps by 1, 2, 6.
        let columns: Vec<f32> = (0..24).map(|i| i as f32).collect();
        let rows = row_major(&columns, &[2, 3, 4]);
        assert_eq!(rows[..6], [0.0, 6.0, 12.0, 18.0, 2.0, 8.0]);
        assert_eq!(rows[12], 1.0);
    }
}

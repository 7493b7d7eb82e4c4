//! The tensors of an ONNX file, whichever program wrote it: names, types and shapes. The file is walked field by field
//! and numbers are passed over, so nothing larger than a name is allocated.
//!
//! Source: `onnx/onnx.proto`; <https://protobuf.dev/programming-guides/encoding/>.

use crate::formats::weights::{Entry, F32, MAX_TENSORS, Problem, content};
use std::io::{BufRead, Seek};

/// `TensorProto.DataType` from 1 on, in the words of safetensors where it has them.
const TYPES: [&str; 16] = [
    F32,
    "U8",
    "I8",
    "U16",
    "I16",
    "I32",
    "I64",
    "string",
    "BOOL",
    "F16",
    "F64",
    "U32",
    "U64",
    "complex64",
    "complex128",
    "BF16",
];

/// The longest name, in bytes, and the most axes.
const MAX_NAME: u64 = 4096;
const MAX_AXES: usize = 32;

/// Lists the tensors of a file of `length` bytes.
pub(in crate::formats) fn list(source: impl BufRead + Seek, length: u64) -> Result<Vec<Entry>, Problem> {
    let mut walk = Walk { source, at: 0 };
    let (mut entries, mut graphs, mut versions) = (Vec::new(), 0, 0);
    while let Some((number, value)) = walk.field(length)? {
        match (number, value) {
            (7, Value::Part(end)) => {
                graphs += 1;
                walk.graph(end, &mut entries)?;
            }
            (8, Value::Part(end)) => {
                versions += 1;
                walk.pass(end)?;
            }
            (_, value) => walk.leave(value)?,
        }
    }
    if graphs == 1 && versions > 0 {
        return Ok(entries);
    }
    let expected = "an ONNX model: one graph and the versions of its operators";
    walk.wrong(expected, format!("{graphs} graphs and {versions} versions"))
}

/// What a field holds; a part is not read yet.
enum Value {
    Number(u64),
    /// Eight or four bytes, which were passed over.
    Fixed,
    /// A text, a list or a message that ends before this byte.
    Part(u64),
}

struct Walk<R> {
    source: R,
    /// Bytes from the file's beginning.
    at: u64,
}

impl<R: BufRead + Seek> Walk<R> {
    fn wrong<T>(&self, expected: impl Into<String>, received: impl Into<String>) -> Result<T, Problem> {
        content(format!("byte {}", self.at), expected, received)
    }

    fn byte(&mut self, end: u64) -> Result<u8, Problem> {
        let mut byte = [0];
        if self.at == end {
            return self.wrong("the rest of a number", "the end of what it belongs to");
        }
        self.source.read_exact(&mut byte)?;
        self.at += 1;
        Ok(byte[0])
    }

    /// Seven bits a byte, the lowest first; the last byte is below 128.
    fn number(&mut self, end: u64) -> Result<u64, Problem> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte(end)?;
            number |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Ok(number);
            }
        }
        self.wrong("a number of at most ten bytes", "a longer one")
    }

    /// The next field of a message that ends at `end`: its number and what it holds.
    fn field(&mut self, end: u64) -> Result<Option<(u64, Value)>, Problem> {
        if self.at == end {
            return Ok(None);
        }
        let key = self.number(end)?;
        let value = match key & 7 {
            0 => Value::Number(self.number(end)?),
            2 => {
                let length = self.number(end)?;
                Value::Part(self.at + self.within(length, end)?)
            }
            kind @ (1 | 5) => {
                let length = self.within(if kind == 1 { 8 } else { 4 }, end)?;
                self.pass(self.at + length)?;
                Value::Fixed
            }
            kind => return self.wrong("a field of type 0, 1, 2 or 5", format!("type {kind}")),
        };
        Ok(Some((key >> 3, value)))
    }

    fn within(&self, length: u64, end: u64) -> Result<u64, Problem> {
        let left = end - self.at;
        if length > left {
            return self.wrong(format!("at most {left} bytes"), length.to_string());
        }
        Ok(length)
    }

    fn pass(&mut self, to: u64) -> Result<(), Problem> {
        // Less than the file is long, which is less than i64::MAX.
        self.source.seek_relative((to - self.at) as i64)?;
        self.at = to;
        Ok(())
    }

    fn leave(&mut self, value: Value) -> Result<(), Problem> {
        if let Value::Part(end) = value { self.pass(end) } else { Ok(()) }
    }

    /// `GraphProto`
    fn graph(&mut self, end: u64, entries: &mut Vec<Entry>) -> Result<(), Problem> {
        while let Some((number, value)) = self.field(end)? {
            match (number, value) {
                (5, Value::Part(_)) if entries.len() == MAX_TENSORS => {
                    return self.wrong(format!("at most {MAX_TENSORS} tensors"), "more");
                }
                (5, Value::Part(end)) => entries.push(self.tensor(end)?),
                (_, value) => self.leave(value)?,
            }
        }
        Ok(())
    }

    /// `TensorProto`
    fn tensor(&mut self, end: u64) -> Result<Entry, Problem> {
        let (mut name, mut dtype, mut shape) = (String::new(), 0, Vec::new());
        while let Some((number, value)) = self.field(end)? {
            match (number, value) {
                (1, Value::Number(axis)) => self.axis(axis, &mut shape)?,
                // A list of them, as newer programs write it.
                (1, Value::Part(end)) => {
                    while self.at < end {
                        let axis = self.number(end)?;
                        self.axis(axis, &mut shape)?;
                    }
                }
                (2, Value::Number(number)) => dtype = number,
                (8, Value::Part(end)) => name = self.text(end)?,
                (_, value) => self.leave(value)?,
            }
        }
        let known = dtype.checked_sub(1).and_then(|index| TYPES.get(usize::try_from(index).ok()?));
        let dtype = known.map_or_else(|| format!("type {dtype}"), |&name| name.to_owned());
        Ok(Entry { name, dtype, shape })
    }

    fn axis(&self, axis: u64, shape: &mut Vec<usize>) -> Result<(), Problem> {
        match i64::try_from(axis).ok().and_then(|axis| usize::try_from(axis).ok()) {
            Some(axis) if shape.len() < MAX_AXES => shape.push(axis),
            Some(_) => return self.wrong(format!("at most {MAX_AXES} axes"), "more"),
            None => return self.wrong("the length of an axis", (axis as i64).to_string()),
        }
        Ok(())
    }

    fn text(&mut self, end: u64) -> Result<String, Problem> {
        let length = end - self.at;
        if length > MAX_NAME {
            return self.wrong(format!("a name of at most {MAX_NAME} bytes"), length.to_string());
        }
        let mut text = vec![0; length as usize];
        self.source.read_exact(&mut text)?;
        self.at = end;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;
    use std::io::Cursor;
    use std::num::NonZeroUsize;

    /// Made by onnx itself: `tests/interop/goldens.py`.
    const STRANGER: &[u8] = include_bytes!("../../../../../tests/interop/goldens/stranger.onnx");

    fn listed(bytes: &[u8]) -> Result<Vec<Entry>, String> {
        list(Cursor::new(bytes), bytes.len() as u64).map_err(|problem| match problem {
            Problem::Content { what, expected, received } => {
                format!("{what}: expected {expected}, received {received}")
            }
            Problem::Io(error) => error.to_string(),
        })
    }

    fn ours() -> Vec<u8> {
        let text = "input_shape = [4]\nlayers = [{ class_name = 'Dense', units = 3 }]";
        let model = Recipe::parse("m.toml", text).unwrap().compile(0, NonZeroUsize::MIN).unwrap();
        super::super::write(&model).unwrap()
    }

    #[test]
    fn tensors_are_listed_whoever_wrote_them() {
        let of = |bytes: &[u8]| -> Vec<String> {
            let entries = listed(bytes).unwrap().into_iter();
            entries.map(|entry| format!("{} {} {:?}", entry.name, entry.dtype, entry.shape)).collect()
        };
        assert_eq!(of(&ours()), ["dense/kernel F32 [4, 3]", "dense/bias F32 [3]"]);
        assert_eq!(
            of(STRANGER),
            ["weight F32 [2, 3]", "half F16 [3]", "double F64 []", "shape I64 [2]", "words string [1]"]
        );
    }

    #[test]
    fn every_truncation_is_refused_and_no_changed_byte_panics() {
        for bytes in [&ours()[..], STRANGER] {
            for end in 0..bytes.len() {
                let error = listed(&bytes[..end]).unwrap_err();
                assert!(error.starts_with("byte "), "{error}");
            }
            for at in 0..bytes.len() {
                for bit in 0..8 {
                    let mut changed = bytes.to_vec();
                    changed[at] ^= 1 << bit;
                    let _ = listed(&changed);
                }
            }
        }
    }
}

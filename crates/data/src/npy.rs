//! NPY, the format of one NumPy array.
//!
//! ```text
//! 6 bytes      93 4e 55 4d 50 59 ("\x93NUMPY")
//! 2 bytes      version: 1.0, 2.0 or 3.0
//! 2 or 4 bytes length of the header, little-endian (4 from version 2.0 on)
//! the header   {'descr': '<f4', 'fortran_order': False, 'shape': (60000, 28, 28), } and spaces
//! the rest     the values
//! ```
//!
//! Format: NumPy Enhancement Proposal 1. The header is a Python literal of a fixed form, and only that form is read:
//! nothing nested, no structured types, no objects (which are pickles, that is, programs). Written out here because
//! the published reader trusts a header's lengths and nesting.

use crate::own::MAX_VALUES;
use crate::own::samples::{Labels, Values};

const MAGIC: &[u8] = b"\x93NUMPY";

/// The longest header that is read, in bytes. NumPy writes 128.
pub const MAX_HEADER: usize = 4096;

/// One array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Array<'a> {
    /// What its header says.
    pub header: Header,
    data: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Unsigned,
    Signed,
    Float,
    /// One byte per letter.
    Bytes,
    /// Four bytes per letter.
    Unicode,
}

/// What is wrong, and at which byte.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Where, counted from the beginning of the file.
    pub byte: usize,
    /// Of what.
    pub what: &'static str,
    /// What should be there.
    pub expected: String,
    /// What is.
    pub received: String,
}

fn wrong(byte: usize, what: &'static str, expected: impl ToString, received: impl ToString) -> Wrong {
    Wrong { byte, what, expected: expected.to_string(), received: received.to_string() }
}

/// Reads the bytes of an `.npy` file; values stay where they are.
///
/// # Errors
/// [`Wrong`] for a damaged file, and for an array of objects, structures or half numbers.
pub fn parse(file: &[u8]) -> Result<Array<'_>, Wrong> {
    header(file)?.array(file)
}

/// Reads the header at the beginning of an `.npy` file, of which the first `12 + MAX_HEADER` bytes are enough.
///
/// # Errors
/// As [`parse`], for what the header alone can show.
pub fn header(file: &[u8]) -> Result<Header, Wrong> {
    let short = || wrong(file.len(), "header", "an NPY header", format!("{} bytes", file.len()));
    let rest = file.strip_prefix(MAGIC).ok_or_else(|| match file.len() {
        0..6 => short(),
        _ => wrong(0, "magic number", "93 4e 55 4d 50 59 (NPY)", crate::hash::hex(&file[..6])),
    })?;
    let (start, length) = match *rest {
        [1, 0, low, high, ..] => (10, usize::from(u16::from_le_bytes([low, high]))),
        [2 | 3, 0, a, b, c, d, ..] => (12, u32::from_le_bytes([a, b, c, d]) as usize),
        [1..=3, 0, ..] | [] | [_] => return Err(short()),
        [major, minor, ..] => return Err(wrong(6, "version", "1.0, 2.0 or 3.0", format!("{major}.{minor}"))),
    };
    if length > MAX_HEADER {
        return Err(wrong(8, "length of the header", format!("at most {MAX_HEADER}"), length));
    }
    let offset = start + length;
    let text = file.get(start..offset).ok_or_else(short)?;
    let text = std::str::from_utf8(text).map_err(|_| wrong(start, "header", "text", "other bytes"))?;
    Said::parse(text)
        .map_err(|(at, wanted)| wrong(start + at, "header", wanted, format!("{:?}", clip(&text[at..]))))?
        .checked(start, offset)
}

/// All that stands before the values of a row-major array of 32-bit floats; its length is a multiple of 64.
pub fn begin(shape: &[usize]) -> Vec<u8> {
    let axes: String = shape.iter().map(|axis| format!("{axis}, ")).collect();
    let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({axes}), }}");
    let width = (MAGIC.len() + 4 + text.len() + 1).next_multiple_of(64) - MAGIC.len() - 5;
    let text = format!("{text:width$}\n");
    [MAGIC, &[1, 0], &(text.len() as u16).to_le_bytes(), text.as_bytes()].concat()
}

/// The beginning of a text that may be long.
fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}

/// A header whose type is read, and so many values can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// NumPy's name of the type: `<f4`.
    pub descr: String,
    /// The lengths of the array's axes.
    pub shape: Vec<usize>,
    kind: Kind,
    big_endian: bool,
    /// Bytes of one value.
    width: usize,
    fortran: bool,
    /// How many values.
    count: usize,
    /// Where the values begin.
    offset: usize,
}

/// The three things a header says.
#[derive(Debug, Default)]
struct Said {
    descr: String,
    fortran: bool,
    shape: Vec<usize>,
}

/// Where a header cannot be read on, and what should stand there.
type Unreadable = (usize, &'static str);

/// Reads a header from left to right.
struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        rest.trim_start()
    }

    fn takes(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn expect(&mut self, word: &'static str) -> Result<(), Unreadable> {
        if self.takes(word) { Ok(()) } else { Err((self.at, word)) }
    }

    fn string(&mut self) -> Result<&'a str, Unreadable> {
        let rest = self.rest();
        let quote = rest
            .chars()
            .next()
            .filter(|quote| matches!(quote, '\'' | '"'))
            .ok_or((self.at, "a plain type or a key in quotes"))?;
        let text = rest[1..].split_once(quote).ok_or((self.at, "a closing quote"))?.0;
        self.at += text.len() + 2;
        Ok(text)
    }

    fn number(&mut self) -> Result<usize, Unreadable> {
        let rest = self.rest();
        let digits = rest.len() - rest.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let number = rest[..digits].parse().map_err(|_| (self.at, "a length"))?;
        self.at += digits;
        Ok(number)
    }
}

impl Said {
    fn parse(text: &str) -> Result<Said, Unreadable> {
        let mut cursor = Cursor { text, at: 0 };
        let (mut said, mut seen) = (Said::default(), [false; 3]);
        cursor.expect("{")?;
        while !cursor.takes("}") {
            let at = cursor.at;
            let key = cursor.string()?;
            cursor.expect(":")?;
            let which = match key {
                "descr" => {
                    said.descr = cursor.string()?.to_owned();
                    0
                }
                "fortran_order" => {
                    said.fortran = cursor.takes("True");
                    if !said.fortran {
                        cursor.expect("False")?;
                    }
                    1
                }
                "shape" => {
                    said.shape = Self::shape(&mut cursor)?;
                    2
                }
                _ => return Err((at, "'descr', 'fortran_order' or 'shape'")),
            };
            if std::mem::replace(&mut seen[which], true) {
                return Err((at, "every key once"));
            }
            if !cursor.takes(",") {
                cursor.expect("}")?;
                break;
            }
        }
        match seen {
            [true, true, true] if cursor.rest().is_empty() => Ok(said),
            [true, true, true] => Err((cursor.at, "the end of the header")),
            _ => Err((cursor.at, "'descr', 'fortran_order' and 'shape'")),
        }
    }

    fn shape(cursor: &mut Cursor<'_>) -> Result<Vec<usize>, Unreadable> {
        cursor.expect("(")?;
        let mut shape = Vec::new();
        while !cursor.takes(")") {
            if shape.len() == 5 {
                return Err((cursor.at, "at most 5 axes"));
            }
            shape.push(cursor.number()?);
            if !cursor.takes(",") {
                cursor.expect(")")?;
                break;
            }
        }
        Ok(shape)
    }

    /// The header, if its type is read and so many values can be.
    fn checked(self, start: usize, offset: usize) -> Result<Header, Wrong> {
        let Some((kind, big_endian, width)) = self.kind() else {
            let expected =
                "a plain type: '|b1', '|u1', '<i8', '<f4', '<U10', …; objects and structures never";
            return Err(wrong(start, "type", expected, format!("{:?}", clip(&self.descr))));
        };
        let count = self.shape.iter().try_fold(1u64, |count, &axis| count.checked_mul(axis as u64));
        let count = count.filter(|&count| count <= MAX_VALUES).and_then(|count| usize::try_from(count).ok());
        let Some(count) = count.filter(|count| count.checked_mul(width).is_some()) else {
            let expected = format!("at most {MAX_VALUES} values");
            return Err(wrong(start, "shape", expected, format!("{:?}", self.shape)));
        };
        let Said { descr, fortran, shape } = self;
        Ok(Header { descr, shape, kind, big_endian, width, fortran, count, offset })
    }

    /// Kind, whether big-endian, and bytes of a value; `None` for what is not read.
    fn kind(&self) -> Option<(Kind, bool, usize)> {
        let mut letters = self.descr.chars();
        let big_endian = match letters.next()? {
            '<' | '|' | '=' => false,
            '>' => true,
            _ => return None,
        };
        let letter = letters.next()?;
        let width: usize = letters.as_str().parse().ok()?;
        let kind = match (letter, width) {
            ('b', 1) | ('u', 1 | 2 | 4 | 8) => Kind::Unsigned,
            ('i', 1 | 2 | 4 | 8) => Kind::Signed,
            ('f', 4 | 8) => Kind::Float,
            ('S', 1..=MAX_HEADER) => Kind::Bytes,
            ('U', 1..=MAX_HEADER) => return Some((Kind::Unicode, big_endian, 4 * width)),
            _ => return None,
        };
        Some((kind, big_endian, width))
    }
}

impl Header {
    /// The array that the header announces, if the rest of the file are its values.
    fn array(self, file: &[u8]) -> Result<Array<'_>, Wrong> {
        let (data, bytes) = (&file[self.offset..], self.count * self.width);
        if data.len() != bytes {
            let expected = format!("{bytes} bytes of {:?} for {:?}", self.descr, self.shape);
            return Err(wrong(self.offset + data.len().min(bytes), "size", expected, data.len()));
        }
        Ok(Array { header: self, data })
    }
}

impl<'a> Array<'a> {
    /// The bytes of value `index`, counted with the last axis fastest, whatever the file's order is.
    fn item(&self, index: usize) -> &'a [u8] {
        let place = if self.header.fortran { self.fortran_place(index) } else { index };
        &self.data[place * self.header.width..][..self.header.width]
    }

    /// Where a value stands when the first axis is fastest.
    fn fortran_place(&self, mut index: usize) -> usize {
        let mut stride = self.header.count;
        self.header.shape.iter().rev().fold(0, |place, &axis| {
            stride /= axis;
            let along = index % axis;
            index /= axis;
            place + along * stride
        })
    }

    fn integer(&self, item: &[u8]) -> i128 {
        let fold = |value: u64, byte: &u8| (value << 8) | u64::from(*byte);
        let bits =
            if self.header.big_endian { item.iter().fold(0, fold) } else { item.iter().rev().fold(0, fold) };
        match (self.header.kind, 64 - 8 * item.len()) {
            (Kind::Signed, unused) => i128::from(((bits << unused) as i64) >> unused),
            _ => i128::from(bits),
        }
    }

    fn float(&self, item: &[u8]) -> f64 {
        match (item, self.header.big_endian) {
            (&[a, b, c, d], false) => f32::from_le_bytes([a, b, c, d]).into(),
            (&[a, b, c, d], true) => f32::from_be_bytes([a, b, c, d]).into(),
            (&[a, b, c, d, e, f, g, h], false) => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
            (&[a, b, c, d, e, f, g, h], true) => f64::from_be_bytes([a, b, c, d, e, f, g, h]),
            _ => f64::NAN,
        }
    }

    /// The values of an array of `<f4`, row-major, whatever they are; nothing for another type.
    pub fn float32s(&self) -> Option<Vec<f32>> {
        let value = |index| <[u8; 4]>::try_from(self.item(index)).map(f32::from_le_bytes).unwrap_or(f32::NAN);
        (self.header.descr == "<f4").then(|| (0..self.header.count).map(value).collect())
    }

    /// The values as samples: unsigned bytes stay what they are, everything else becomes `f32`.
    pub(crate) fn values(&self) -> Result<Values, Wrong> {
        if self.header.kind == Kind::Unsigned && self.header.width == 1 {
            return Ok(Values::Bytes(match self.header.fortran {
                true => (0..self.header.count).map(|index| self.item(index)[0]).collect(),
                false => self.data.to_vec(),
            }));
        }
        let number = |index: usize| -> Result<f32, Wrong> {
            let item = self.item(index);
            let number = match self.header.kind {
                Kind::Unsigned | Kind::Signed => self.integer(item) as f32,
                Kind::Float => self.float(item) as f32,
                Kind::Bytes | Kind::Unicode => f32::NAN,
            };
            if number.is_finite() {
                return Ok(number);
            }
            let received = match self.header.kind {
                Kind::Float => self.float(item).to_string(),
                _ => "text".to_owned(),
            };
            Err(wrong(
                self.header.offset + index * self.header.width,
                "value",
                "a finite number that float32 can hold",
                received,
            ))
        };
        let numbers = (0..self.header.count).map(number).collect::<Result<_, _>>()?;
        Ok(Values::Numbers(numbers))
    }

    /// The values as labels: whole numbers or text; `None` for a label too many.
    pub(crate) fn labels(&self) -> Result<Option<Labels>, Wrong> {
        let mut labels = Labels::default();
        for index in 0..self.header.count {
            let name = self.text(index).ok_or_else(|| {
                let byte = self.header.offset + index * self.header.width;
                wrong(byte, "label", "a whole number or text", format!("{}", self.float(self.item(index))))
            })?;
            if labels.push(&name).is_none() {
                return Ok(None);
            }
        }
        Ok(Some(labels))
    }

    /// Value `index` as a label.
    fn text(&self, index: usize) -> Option<String> {
        let item = self.item(index);
        match self.header.kind {
            Kind::Unsigned | Kind::Signed => Some(self.integer(item).to_string()),
            Kind::Float => {
                let number = self.float(item);
                (number.fract() == 0.0).then(|| format!("{number}"))
            }
            Kind::Bytes => Some(String::from_utf8_lossy(item).trim_end_matches('\0').to_owned()),
            Kind::Unicode => {
                let letters = item.chunks_exact(4).map(|letter| {
                    let code = self.integer(letter) as u32;
                    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
                });
                Some(letters.collect::<String>().trim_end_matches('\0').to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A file of version 1.0 with this header.
    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend((header.len() as u16).to_le_bytes());
        file.extend(header.as_bytes());
        file.extend(data);
        file
    }

    fn header(descr: &str, fortran: bool, shape: &str) -> String {
        let fortran = if fortran { "True" } else { "False" };
        format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}   \n")
    }

    fn numbers(descr: &str, data: &[u8], shape: &str) -> Values {
        parse(&file(&header(descr, false, shape), data)).unwrap().values().unwrap()
    }

    #[test]
    fn every_type_is_read_in_both_byte_orders() {
        let of = |values: &[f32]| Values::Numbers(values.to_vec());
        assert_eq!(numbers("|u1", &[1, 255], "(2,)"), Values::Bytes(vec![1, 255]));
        assert_eq!(numbers("|i1", &[1, 255], "(2,)"), of(&[1.0, -1.0]));
        assert_eq!(numbers("<i2", &[0, 1, 0xfe, 0xff], "(2,)"), of(&[256.0, -2.0]));
        assert_eq!(numbers(">i2", &[1, 0, 0xff, 0xfe], "(2,)"), of(&[256.0, -2.0]));
        assert_eq!(numbers(">u4", &[0, 0, 1, 0], "(1,)"), of(&[256.0]));
        assert_eq!(numbers("<f4", &0.1f32.to_le_bytes(), "()"), of(&[0.1]));
        assert_eq!(numbers(">f8", &(-2.5f64).to_be_bytes(), "(1, 1)"), of(&[-2.5]));
    }

    #[test]
    fn fortran_order_is_turned_around() {
        // [[0, 1, 2], [3, 4, 5]], column after column.
        let turned =
            parse(&file(&header("|u1", true, "(2, 3)"), &[0, 3, 1, 4, 2, 5])).unwrap().values().unwrap();
        assert_eq!(turned, Values::Bytes(vec![0, 1, 2, 3, 4, 5]));
        let empty = file(&header("|u1", true, "(0, 3)"), &[]);
        assert_eq!(parse(&empty).unwrap().values().unwrap(), Values::Bytes(vec![]));
    }

    #[test]
    fn what_is_begun_is_read() {
        for shape in [vec![], vec![5], vec![3, 4], vec![2, 1, 3, 2]] {
            let mut bytes = begin(&shape);
            assert_eq!(bytes.len() % 64, 0);
            let values: Vec<f32> = (0..shape.iter().product()).map(|i| 0.5 - i as f32).collect();
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            let array = parse(&bytes).unwrap();
            assert_eq!((&array.header.shape, array.float32s()), (&shape, Some(values)));
        }
        let whole = file(&header("<i4", false, "(1,)"), &[0; 4]);
        assert_eq!(parse(&whole).unwrap().float32s(), None);
    }

    #[test]
    fn labels_are_numbers_or_text() {
        let labels = |descr: &str, data: &[u8], shape: &str| {
            parse(&file(&header(descr, false, shape), data))
                .unwrap()
                .labels()
                .map(|labels| labels.unwrap().names)
        };
        assert_eq!(labels("<i4", &[9, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], "(2, 1)").unwrap(), ["9", "-1"]);
        assert_eq!(labels("|S3", b"ab\0cde", "(2,)").unwrap(), ["ab", "cde"]);
        assert_eq!(labels("<U2", b"a\0\0\0\0\0\0\0\xe4\0\0\0b\0\0\0", "(2,)").unwrap(), ["a", "äb"]);
        assert_eq!(labels("<f4", &3f32.to_le_bytes(), "(1,)").unwrap(), ["3"]);
        assert_eq!(labels("<f4", &0.5f32.to_le_bytes(), "(1,)").unwrap_err().received, "0.5");
    }

    #[test]
    fn what_is_not_a_plain_array_is_refused() {
        let message = |header: &str, data: &[u8]| {
            let file = file(header, data);
            let error = parse(&file).unwrap_err();
            (error.byte, format!("{}: expected {}, received {}", error.what, error.expected, error.received))
        };
        for descr in ["|O", "|O8", "<f2", "<c8", "<M8[ns]", "|V4", "", "<u1x", "<U99999999999999999999"] {
            assert!(
                message(&header(descr, false, "(1,)"), &[0; 8]).1.starts_with("type: expected a plain type"),
                "{descr}"
            );
        }
        let structured = "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}";
        assert_eq!(message(structured, &[0; 4]), (20, r#"header: expected a plain type or a key in quotes, received "[('a', '<f4')], 'fortran_order': False, ""#.into()));
        let (byte, text) = message(&header("|u1", false, "(2, 3)"), &[0; 5]);
        assert!(text.starts_with("size: expected 6 bytes") && byte > 60, "{byte} {text}");
        for (broken, expected) in [
            ("", "expected {,"),
            ("{}", "expected 'descr', 'fortran_order' and 'shape',"),
            ("{'descr': '|u1', 'descr': '|u1'}", "expected every key once"),
            ("{'x': 1}", "expected 'descr', 'fortran_order' or 'shape'"),
            ("{'shape': (1, 2, 3, 4, 5, 6)}", "expected at most 5 axes"),
            ("{'shape': (-1,)}", "expected a length"),
            ("{'shape': (99999999999999999999,)}", "expected a length"),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (0,)} import os", "expected the end"),
        ] {
            let (_, text) = message(broken, &[]);
            assert!(text.contains(expected), "{broken}: {text}");
        }
    }

    #[test]
    fn absurd_lengths_are_refused_before_anything_is_allocated() {
        for shape in ["(18446744073709551615, 2)", "(4294967296, 4294967296)", "(4294967297,)"] {
            let error = parse(&file(&header("<f8", false, shape), &[])).unwrap_err().what;
            assert_eq!(error, "shape", "{shape}");
        }
        let long = [&b"\x93NUMPY\x02\x00\xff\xff\xff\xff"[..], &[b' '; 64]].concat();
        assert_eq!(parse(&long).unwrap_err().what, "length of the header");
        let deep = file(&"[".repeat(4000), &[]);
        assert_eq!(parse(&deep).unwrap_err().what, "header");
    }

    #[test]
    fn numbers_that_are_none_are_named() {
        let data = [1f32, f32::NAN].map(f32::to_le_bytes).concat();
        let file = file(&header("<f4", false, "(2,)"), &data);
        let error = parse(&file).unwrap().values().unwrap_err();
        assert_eq!((error.byte, error.what, error.received.as_str()), (file.len() - 4, "value", "NaN"));
    }

    proptest! {
        #[test]
        fn arbitrary_headers_never_panic(text in "[{}()\\[\\]'a-z0-9:,<|TF ]{0,80}", data in proptest::collection::vec(any::<u8>(), 0..20)) {
            let file = file(&text, &data);
            if let Ok(array) = parse(&file) {
                let _ = (array.values(), array.labels());
            }
        }

        #[test]
        fn damaged_headers_never_panic(at in 0usize..90, byte: u8) {
            let mut file = file(&header("<i2", true, "(2, 3)"), &[7; 12]);
            let length = file.len();
            file[at % length] = byte;
            if let Ok(array) = parse(&file) {
                let _ = (array.values(), array.labels());
            }
        }
    }
}

//! CSV: a sample per line, a column with its label, numbers in all others.
//!
//! Columns are separated by commas, semicolons or tabs, whichever the first line has most of. The first line is a
//! header unless its cells are numbers. The label stands in the column that the user names, else in one called
//! `label` or `class`, else in the first; what a sample weighs stands in the column that the user names for it. Cells in
//! quotes as in RFC 4180.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use ::csv::{ByteRecord, Reader, ReaderBuilder};

use super::samples::{Labels, Samples, Values, is_weight, size, too_many};
use super::{MAX_SAMPLE, MAX_VALUES, OwnData};
use crate::cache::io;
use crate::error::{DataError, Place};

/// What a header may call the column of labels.
const LABELS: [&str; 2] = ["label", "class"];

/// How much of a file is looked at to find out what separates columns.
const BEGINNING: usize = 1 << 16;

/// Reads a CSV file.
pub(super) fn read(path: &Path, own: &OwnData) -> Result<Samples, DataError> {
    let file = File::open(path).map_err(io("read", path))?;
    parse(
        &path.display().to_string(),
        file,
        Columns { label: own.label.as_deref(), weight: own.weight.as_deref() },
    )
}

/// The columns that the user names.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Columns<'a> {
    pub(super) label: Option<&'a str>,
    pub(super) weight: Option<&'a str>,
}

/// As [`read`], from anything; `file` is only used in messages.
pub(super) fn parse(file: &str, from: impl Read, columns: Columns<'_>) -> Result<Samples, DataError> {
    let mut from = BufReader::with_capacity(BEGINNING, from);
    let beginning = from.fill_buf().map_err(io("read", Path::new(file)))?;
    let delimiter = delimiter(beginning);
    let lines = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(from);
    Table::begin(file, lines, columns)?.read()
}

/// What separates the columns of the first line.
fn delimiter(beginning: &[u8]) -> u8 {
    let line = beginning.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: &u8| line.iter().filter(|byte| *byte == delimiter).count();
    // The last of the largest is taken, so the comma stands last.
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

/// A file that is being read.
struct Table<'a, R> {
    file: &'a str,
    lines: Reader<R>,
    /// The names of the columns, or their numbers from 1.
    names: Vec<String>,
    /// The column of labels.
    label: usize,
    /// The column of weights.
    weight: Option<usize>,
    record: ByteRecord,
    /// Whether `record` holds a sample that was read to find out whether it is a header.
    pending: bool,
    numbers: Vec<f32>,
    labels: Labels,
    weights: Vec<f32>,
}

impl<'a, R: Read> Table<'a, R> {
    fn begin(file: &'a str, lines: Reader<R>, columns: Columns<'_>) -> Result<Self, DataError> {
        let mut table = Table {
            file,
            lines,
            names: Vec::new(),
            label: 0,
            weight: None,
            record: ByteRecord::new(),
            pending: false,
            numbers: Vec::new(),
            labels: Labels::default(),
            weights: Vec::new(),
        };
        if !table.next()? {
            return Err(table.wrong(Place::Line(1), "first line", "columns separated by commas", "nothing"));
        }
        let cells: Vec<String> = table.record.iter().map(text).collect();
        let headed = is_header(&cells, columns);
        table.pending = !headed;
        table.names =
            if headed { cells } else { (1..=cells.len()).map(|number| number.to_string()).collect() };
        table.label = table.label_column(columns.label)?;
        table.weight = columns.weight.map(|name| table.column(name)).transpose()?;
        if table.weight == Some(table.label) {
            let expected = "another column than that of the labels";
            return Err(table.wrong(Place::Line(1), "weight", expected, &table.names[table.label]));
        }
        if size(&[table.inputs()]).is_none() {
            let expected = format!("a label and 1 to {MAX_SAMPLE} numbers");
            return Err(table.wrong(Place::Line(1), "columns", expected, table.names.len()));
        }
        Ok(table)
    }

    fn label_column(&self, label: Option<&str>) -> Result<usize, DataError> {
        match label {
            None => Ok(LABELS.iter().find_map(|name| self.find(name)).unwrap_or(0)),
            Some(name) => self.column(name),
        }
    }

    fn find(&self, wanted: &str) -> Option<usize> {
        self.names.iter().position(|name| name.eq_ignore_ascii_case(wanted))
    }

    fn column(&self, name: &str) -> Result<usize, DataError> {
        self.find(name).ok_or_else(|| {
            let expected = format!("a column {name:?}");
            let shown = self.names.iter().take(20).cloned().collect::<Vec<_>>().join(", ");
            self.wrong(Place::Line(1), "header", expected, shown)
        })
    }

    /// How many numbers a sample has.
    fn inputs(&self) -> usize {
        self.names.len() - 1 - usize::from(self.weight.is_some())
    }

    /// Reads the next line into `record`; whether there is one.
    fn next(&mut self) -> Result<bool, DataError> {
        self.lines.read_byte_record(&mut self.record).map_err(|error| {
            let line = error.position().map_or(Place::Whole, |position| Place::Line(position.line()));
            self.wrong(line, "line", "readable cells", error)
        })
    }

    fn read(mut self) -> Result<Samples, DataError> {
        while std::mem::take(&mut self.pending) || self.next()? {
            self.sample()?;
        }
        let shape = vec![self.inputs()];
        if self.labels.codes.is_empty() {
            return Err(self.wrong(Place::Whole, "samples", "at least one line of numbers", "none"));
        }
        let weights = self.weight.is_some().then_some(self.weights);
        Ok(Samples::new(shape, Values::Numbers(self.numbers), self.labels)?.weighted(weights))
    }

    /// Takes the line that was read as a sample.
    fn sample(&mut self) -> Result<(), DataError> {
        let line = self.record.position().map_or(0, |position| position.line());
        if self.record.len() != self.names.len() {
            let expected = format!("{} cells", self.names.len());
            return Err(self.wrong(Place::Line(line), "line", expected, self.record.len()));
        }
        for (column, cell) in self.record.iter().enumerate() {
            let place = || Place::Cell(line, self.names[column].as_str().into());
            if Some(column) == self.weight {
                let weight = number(cell).filter(|&weight| is_weight(weight));
                self.weights.push(weight.ok_or_else(|| {
                    self.wrong(place(), "weight", "a finite number ≥ 0", format!("{:?}", shortened(cell)))
                })?);
                continue;
            }
            if column != self.label {
                let number = number(cell).ok_or_else(|| self.no_number(place(), cell))?;
                self.numbers.push(number);
                continue;
            }
            let label = text(cell);
            if label.is_empty() {
                return Err(self.wrong(place(), "label", "a name or a number", "nothing"));
            }
            self.labels.push(&label).ok_or_else(|| too_many(self.file, place()))?;
        }
        if self.numbers.len() as u64 > MAX_VALUES {
            return Err(self.wrong(Place::Line(line), "numbers", format!("at most {MAX_VALUES}"), "more"));
        }
        Ok(())
    }

    fn no_number(&self, place: Place, cell: &[u8]) -> DataError {
        let expected = format!(
            "a finite number (the labels are taken from column {:?}; name another with label)",
            self.names[self.label]
        );
        self.wrong(place, "cell", expected, format!("{:?}", shortened(cell)))
    }

    fn wrong(
        &self,
        place: Place,
        what: &'static str,
        expected: impl std::fmt::Display,
        received: impl std::fmt::Display,
    ) -> DataError {
        DataError::malformed(self.file, place, what, expected, received)
    }
}

/// Whether the first line names the columns: at least two of its cells are no numbers, or one is what a column of
/// labels is called. A single word among numbers is the first sample's label.
fn is_header(cells: &[String], columns: Columns<'_>) -> bool {
    let names = || LABELS.into_iter().chain(columns.label).chain(columns.weight);
    let named = |cell: &String| names().any(|name| cell.eq_ignore_ascii_case(name));
    let words = cells.iter().filter(|cell| number(cell.as_bytes()).is_none()).count();
    words >= 2 || cells.iter().any(named)
}

fn text(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell).trim().to_owned()
}

/// As much of a cell as an error shows.
fn shortened(cell: &[u8]) -> String {
    text(cell).chars().take(40).collect()
}

/// A finite number that `f32` can hold.
fn number(cell: &[u8]) -> Option<f32> {
    // Pixels are most of what is ever read.
    if let [digit @ b'0'..=b'9'] = cell {
        return Some(f32::from(digit - b'0'));
    }
    std::str::from_utf8(cell).ok()?.trim().parse().ok().filter(|number: &f32| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str, label: Option<&str>) -> (Vec<f32>, Vec<String>) {
        let samples = parse("f", text.as_bytes(), Columns { label, weight: None })
            .unwrap_or_else(|error| panic!("{error}"));
        let labels = samples.labels();
        let names = labels.codes.iter().map(|&code| labels.names[code as usize].clone()).collect();
        (samples.into_values().into_numbers(), names)
    }

    fn message(text: &str, label: Option<&str>) -> String {
        parse("f", text.as_bytes(), Columns { label, weight: None }).unwrap_err().to_string()
    }

    #[test]
    fn weights_stand_in_the_column_that_is_named_for_them() {
        let columns = Columns { label: None, weight: Some("w") };
        let weighted = |text: &str| parse("f", text.as_bytes(), columns);
        let mut samples = weighted("x,W,label\n1,0.5,a\n2,0,b\n3,7,a\n").unwrap();
        let picked = samples.select(&[2, 0]).take_weights();
        assert_eq!(samples.shape(), [1], "the weight is no input");
        assert_eq!(samples.take_weights(), Some(vec![0.5, 0.0, 7.0]));
        assert_eq!(picked, Some(vec![7.0, 0.5]));
        for (text, expected) in [
            ("x,label\n1,a\n", "f, line 1: header: expected a column \"w\", received x, label"),
            ("w,label\n1,a\n", "f, line 1: columns: expected a label and 1 to 16777216 numbers, received 2"),
            ("w,x\n1,2\n", "f, line 1: weight: expected another column than that of the labels, received w"),
            (
                "x,w,label\n1,-1,a\n",
                "f, line 2, column \"w\": weight: expected a finite number ≥ 0, received \"-1\"",
            ),
        ] {
            assert_eq!(weighted(text).unwrap_err().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn the_label_is_where_the_header_says() {
        let expected = (vec![1.5, 2.0, -3e2, 4.0], vec!["a".to_owned(), "b".to_owned()]);
        for text in [
            "a,1.5,2\nb,-3e2,4\n",
            "label,x,y\na,1.5,2\nb,-3e2,4\n",
            "x,Label,y\n1.5,a,2\n-3e2,b,4",
            "x,y,class\r\n1.5,2,a\r\n-3e2,4,b\r\n",
            "x;y;class\n1.5;2;a\n-3e2;4;b\n",
            "\u{feff}class\tx\ty\na\t 1.5\t2\n\"b\"\t\"-3e2\"\t4\n",
            "0,1,label\n1.5,2,a\n-3e2,4,b\n",
        ] {
            assert_eq!(parsed(text, None), expected, "{text}");
        }
        let text = "x,y,species\n1.5,2,a\n-3e2,4,b\n";
        assert_eq!(parsed(text, Some("species")), expected);
        assert_eq!(parsed("7,1\n8,2\n", None), (vec![1.0, 2.0], vec!["7".to_owned(), "8".to_owned()]));
    }

    #[test]
    fn mistakes_are_named_with_line_and_column() {
        for (text, label, expected) in [
            ("", None, "f, line 1: first line: expected columns separated by commas, received nothing"),
            ("a\nb\n", None, "f, line 1: columns: expected a label and 1 to 16777216 numbers, received 1"),
            ("label,x\n", None, "f: samples: expected at least one line of numbers, received none"),
            ("label,x\na,1\nb\n", None, "f, line 3: line: expected 2 cells, received 1"),
            (
                "label,x\na,1\n,2\n",
                None,
                "f, line 3, column \"label\": label: expected a name or a number, received nothing",
            ),
            ("x,y\na,1\n", Some("z"), "f, line 1: header: expected a column \"z\", received x, y"),
            (
                "x,y,species\n1,2,setosa\n",
                None,
                "f, line 2, column \"species\": cell: expected a finite number (the labels are taken from column \"x\"; \
                 name another with label), received \"setosa\"",
            ),
        ] {
            assert_eq!(message(text, label), expected, "{text}");
        }
        for cell in ["", "NaN", "inf", "1e39", "0x10", "1,5"] {
            assert!(
                message(&format!("label,x,y\na,1,2\nb,{cell},3\n"), None).starts_with("f, line 3"),
                "{cell}"
            );
        }
        let many: String = (0..1002).map(|i| format!("{i},1\n")).collect();
        assert!(message(&many, None).starts_with("f, line 1001, column \"1\": labels: expected 2 to 1000"));
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "[a-c0-9,;\t\n\r\". -]{0,200}") {
            let _ = parse("f", text.as_bytes(), Columns::default());
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse("f", bytes.as_slice(), Columns { label: Some("a"), weight: Some("b") });
        }
    }
}

//! IDX, the file format of MNIST and its relatives, plain or gzip-compressed.
//!
//! ```text
//! byte 0, 1   zero
//! byte 2      type of the values; 0x08 is unsigned byte, the only one read here
//! byte 3      number of dimensions n
//! n × 4 bytes size of each dimension, unsigned, big-endian
//! the rest    the values, last dimension fastest
//! ```
//!
//! Format: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", section "File formats".
//!
//! A header is never believed: sizes are multiplied with a check for overflow, and nothing is allocated before the
//! file is known to be able to hold it.

use std::io::Read;
use std::path::Path;

use crate::error::{DataError, Place};

const UNSIGNED_BYTE: u8 = 0x08;
const MAX_DIMENSIONS: usize = 4;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Above this size a compressed file may not expand by more than [`MAX_RATIO`]. Real pictures shrink about fivefold.
const SMALL: usize = 1 << 20;
const MAX_RATIO: usize = 100;

/// The content of an IDX file of unsigned bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idx {
    /// Size of each dimension, one to four of them, e.g. `[60000, 28, 28]`.
    pub dims: Vec<usize>,
    /// The values, last dimension fastest; as many as the product of `dims`.
    pub values: Vec<u8>,
}

/// Reads an IDX file from disk, at most `limit` bytes of it when uncompressed.
///
/// # Errors
/// [`DataError::Io`] if the file cannot be read, otherwise as [`parse`].
pub fn read(path: &Path, limit: usize) -> Result<Idx, DataError> {
    parse(&path.display().to_string(), read_bytes(path, limit)?, limit)
}

/// The bytes of a file, refused before reading if it is larger than `limit` plus what gzip may add to data that do
/// not shrink.
pub(crate) fn read_bytes(path: &Path, limit: usize) -> Result<Vec<u8>, DataError> {
    let io = |source| DataError::Io { doing: "read", path: path.to_owned(), source };
    let mut file = std::fs::File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    let most = limit.saturating_add(limit / 1000).saturating_add(1024);
    if length > most as u64 {
        return Err(malformed(
            &path.display().to_string(),
            "file size",
            format!("at most {most} bytes"),
            length,
        ));
    }
    let mut bytes = Vec::with_capacity(length as usize);
    file.by_ref().take(most as u64 + 1).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}

/// Parses the bytes of an IDX file, decompressing them first if they are gzip. `file` is only used in messages;
/// `limit` is the largest uncompressed size in bytes, header included.
///
/// # Errors
/// [`DataError::Malformed`] on a wrong magic number, absurd sizes, a file that ends early or late, damaged
/// compression, or more than `limit` bytes.
///
/// ```
/// use seedbed_data::idx::{parse, write, Idx};
/// let picture = Idx { dims: vec![1, 2, 2], values: vec![0, 64, 128, 255] };
/// assert_eq!(parse("picture", write(&picture), 100)?, picture);
/// # Ok::<(), seedbed_data::DataError>(())
/// ```
pub fn parse(file: &str, bytes: Vec<u8>, limit: usize) -> Result<Idx, DataError> {
    let plain = if bytes.starts_with(&GZIP_MAGIC) { gunzip(file, &bytes, limit)? } else { bytes };
    parse_plain(file, plain, limit)
}

/// Parses uncompressed IDX.
pub(crate) fn parse_plain(file: &str, mut bytes: Vec<u8>, limit: usize) -> Result<Idx, DataError> {
    let header = Header::parse(file, &bytes, limit)?;
    if bytes.len() != header.total {
        return Err(malformed(
            file,
            "size",
            format!("{} bytes for {:?}", header.total, header.dims),
            bytes.len(),
        ));
    }
    bytes.drain(..header.length);
    Ok(Idx { dims: header.dims, values: bytes })
}

/// Decompresses gzip that holds IDX. The IDX header is decoded first and says how many bytes may follow.
pub(crate) fn gunzip(file: &str, compressed: &[u8], limit: usize) -> Result<Vec<u8>, DataError> {
    let broken = |error: std::io::Error| malformed(file, "gzip data", "an intact stream", error);
    let mut decoder = flate2::bufread::GzDecoder::new(compressed);

    let mut plain = Vec::new();
    decoder.by_ref().take(Header::longest() as u64).read_to_end(&mut plain).map_err(broken)?;
    let total = Header::parse(file, &plain, limit)?.total;
    if total > SMALL && total / MAX_RATIO > compressed.len() {
        let expected = format!("at most {MAX_RATIO} times the compressed {} bytes", compressed.len());
        return Err(malformed(file, "expansion", expected, format!("{total} bytes")));
    }

    // One byte more than announced, to notice data that go on, and to reach the checksum behind the last byte.
    plain.reserve_exact((total + 1).saturating_sub(plain.len()));
    let rest = (total + 1).saturating_sub(plain.len());
    decoder.by_ref().take(rest as u64).read_to_end(&mut plain).map_err(broken)?;
    if plain.len() > total {
        return Err(malformed(file, "uncompressed size", format!("{total} bytes"), "more"));
    }
    let behind = decoder.into_inner().len();
    if behind > 0 {
        return Err(malformed(
            file,
            "end of file",
            "nothing behind the gzip stream",
            format!("{behind} bytes"),
        ));
    }
    Ok(plain)
}

/// Writes IDX, uncompressed. The inverse of [`parse`].
pub fn write(idx: &Idx) -> Vec<u8> {
    let mut bytes = vec![0, 0, UNSIGNED_BYTE, idx.dims.len() as u8];
    for &size in &idx.dims {
        bytes.extend((size as u32).to_be_bytes());
    }
    bytes.extend(&idx.values);
    bytes
}

/// Size in bytes of an uncompressed IDX file with these dimensions.
pub(crate) fn file_size(dims: &[usize]) -> usize {
    4 + 4 * dims.len() + dims.iter().product::<usize>()
}

struct Header {
    dims: Vec<usize>,
    /// Bytes of the header.
    length: usize,
    /// Bytes of the whole file.
    total: usize,
}

impl Header {
    const fn longest() -> usize {
        4 + 4 * MAX_DIMENSIONS
    }

    fn parse(file: &str, bytes: &[u8], limit: usize) -> Result<Header, DataError> {
        let [zero, also_zero, kind, count] = *bytes.first_chunk::<4>().ok_or_else(|| {
            malformed(file, "header", "an IDX header of at least 8 bytes", format!("{} bytes", bytes.len()))
        })?;
        let count = usize::from(count);
        if [zero, also_zero, kind] != [0, 0, UNSIGNED_BYTE] || !(1..=MAX_DIMENSIONS).contains(&count) {
            let expected = format!("00 00 08 and 1 to {MAX_DIMENSIONS} dimensions (IDX of unsigned bytes)");
            let received = format!("{}{}", crate::hash::hex(&bytes[..4]), looks_like(bytes));
            return Err(malformed(file, "magic number", expected, received));
        }
        let length = 4 + 4 * count;
        let sizes = bytes.get(4..length).ok_or_else(|| {
            malformed(file, "header", format!("{length} bytes"), format!("{} bytes", bytes.len()))
        })?;
        let dims: Vec<usize> = sizes
            .chunks_exact(4)
            .map(|size| size.iter().fold(0, |value, &byte| (value << 8) | usize::from(byte)))
            .collect();
        let total = dims
            .iter()
            .try_fold(1usize, |product, &size| product.checked_mul(size))
            .and_then(|values| values.checked_add(length))
            .filter(|&total| total <= limit)
            .ok_or_else(|| {
                malformed(file, "dimensions", format!("at most {limit} bytes"), format!("{dims:?}"))
            })?;
        Ok(Header { dims, length, total })
    }
}

/// A guess at what a file is that is not IDX.
fn looks_like(bytes: &[u8]) -> &'static str {
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'<') => ", which looks like a web page",
        _ if bytes.starts_with(b"PK") => ", which looks like a zip archive",
        _ => "",
    }
}

fn malformed(file: &str, what: &'static str, expected: impl ToString, received: impl ToString) -> DataError {
    DataError::malformed(file, Place::Whole, what, expected.to_string(), received.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;
    use std::io::Write;

    const LIMIT: usize = 1 << 16;

    /// 3 pictures of 2×3 pixels, written by hand from the format's description.
    fn fixture() -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 3];
        bytes.extend(1..=18);
        bytes
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn message(bytes: Vec<u8>) -> String {
        parse("f", bytes, LIMIT).unwrap_err().to_string()
    }

    #[test]
    fn reads_plain_and_gzip() {
        let expected = Idx { dims: vec![3, 2, 3], values: (1..=18).collect() };
        assert_eq!(parse("f", fixture(), LIMIT).unwrap(), expected);
        assert_eq!(parse("f", gzip(&fixture()), LIMIT).unwrap(), expected);
        assert_eq!(write(&expected), fixture());
    }

    #[test]
    fn every_truncation_is_refused() {
        for whole in [fixture(), gzip(&fixture())] {
            for length in 0..whole.len() {
                let error = parse("f", whole[..length].to_vec(), LIMIT);
                assert!(
                    matches!(error, Err(DataError::Malformed { .. })),
                    "{length} of {}: {error:?}",
                    whole.len()
                );
            }
        }
    }

    #[test]
    fn no_flipped_bit_of_a_gzip_body_changes_the_content() {
        let whole = gzip(&fixture());
        // The first ten bytes are gzip's own header, whose time and system fields mean nothing.
        for bit in 80..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            // A few bits between the last block and the checksum are padding: flipping them changes nothing.
            if let Ok(idx) = parse("f", damaged, LIMIT) {
                assert_eq!(write(&idx), fixture(), "bit {bit}");
            }
        }
    }

    #[test]
    fn trailing_garbage_is_refused() {
        let with = |mut bytes: Vec<u8>| {
            bytes.push(0);
            bytes
        };
        assert_eq!(message(with(fixture())), "f: size: expected 34 bytes for [3, 2, 3], received 35");
        assert_eq!(message(gzip(&with(fixture()))), "f: uncompressed size: expected 34 bytes, received more");
        let behind = message(with(gzip(&fixture())));
        assert_eq!(behind, "f: end of file: expected nothing behind the gzip stream, received 1 bytes");
    }

    #[test]
    fn wrong_magic_is_named() {
        assert!(
            message(b"<!DOCTYPE html>".to_vec()).ends_with("received 3c21444f, which looks like a web page")
        );
        assert!(message(b"PK\x03\x04".to_vec()).contains("zip archive"));
        for (position, value) in [(0, 1), (2, 0x0d), (3, 0), (3, 5)] {
            let mut bytes = fixture();
            bytes[position] = value;
            assert!(message(bytes).starts_with("f: magic number: expected 00 00 08"));
        }
    }

    #[test]
    fn absurd_dimensions_are_refused_before_allocating() {
        let mut bytes = vec![0, 0, 8, 4];
        bytes.extend([0xff; 16]);
        assert!(message(bytes.clone()).starts_with("f: dimensions: expected at most 65536 bytes"));
        assert!(parse("f", bytes.clone(), usize::MAX).unwrap_err().to_string().starts_with("f: dimensions"));
        assert!(message(gzip(&bytes)).starts_with("f: dimensions"));
        // Possible, but one byte more than this caller allows.
        let mut bytes = vec![0, 0, 8, 1, 0, 0, 0xff, 0xf9];
        bytes.resize(LIMIT + 1, 0);
        assert_eq!(message(bytes), "f: dimensions: expected at most 65536 bytes, received [65529]");
    }

    #[test]
    fn a_gzip_bomb_is_refused() {
        let mut bytes = vec![0, 0, 8, 1, 0x04, 0, 0, 0];
        bytes.resize(8 + (64 << 20), 0);
        let error = parse("f", gzip(&bytes), 1 << 30).unwrap_err().to_string();
        assert!(error.starts_with("f: expansion: expected at most 100 times"), "{error}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read(Path::new("no/such/file"), LIMIT).unwrap_err().to_string();
        assert!(error.starts_with("cannot read no/such/file: "), "{error}");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(idx) = parse("f", bytes.clone(), LIMIT) {
                prop_assert_eq!(write(&idx), bytes);
            }
        }

        #[test]
        fn arbitrary_content_behind_a_valid_start_never_panics(
            count in 0u8..6, bytes in proptest::collection::vec(0u8..3, 0..60), compress: bool
        ) {
            let mut file = vec![0, 0, 8, count];
            file.extend(bytes);
            let given = if compress { gzip(&file) } else { file.clone() };
            if let Ok(idx) = parse("f", given, LIMIT) {
                prop_assert_eq!(write(&idx), file);
            }
        }

        #[test]
        fn arbitrary_damage_to_gzip_never_panics(position in 0usize..50, value: u8) {
            let mut bytes = gzip(&fixture());
            let length = bytes.len();
            bytes[position % length] = value;
            let _ = parse("f", bytes, LIMIT);
        }

        #[test]
        fn what_is_written_is_read(rows in 0usize..6, columns in 0usize..6, seed: u8) {
            let values = (0..rows * columns).map(|index| seed.wrapping_mul(index as u8)).collect();
            let idx = Idx { dims: vec![rows, columns], values };
            prop_assert_eq!(parse("f", gzip(&write(&idx)), LIMIT).unwrap(), idx);
        }
    }
}

//! One PNG or JPEG file to bytes, with limits. What it is, its first bytes say, not its name.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use png::{ColorType, Decoder, DecodingError, Limits, Transformations};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::cache::io;
use crate::error::{DataError, Place};
use crate::own::{MAX_SAMPLE, samples};

/// The largest file that is read: pictures of [`MAX_SAMPLE`] values that did not shrink at all, and their headers.
const MAX_FILE: u64 = 4 * MAX_SAMPLE as u64;

/// More than this much of a picture cannot come from a byte of a file, unless it is all of one colour.
const MAX_RATIO: usize = 2000;
const SMALL: usize = 1 << 20;

/// A decoded picture: one or three bytes per pixel, rows from the top.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::own) struct Picture {
    pub(in crate::own) height: usize,
    pub(in crate::own) width: usize,
    /// 1 where the file is grey, else 3: red, green, blue.
    pub(in crate::own) channels: usize,
    pub(in crate::own) bytes: Vec<u8>,
}

/// Reads and decodes a file; where a size is expected, one of another size is refused before it is decoded.
pub(in crate::own) fn picture(path: &Path, size: Option<[usize; 2]>) -> Result<Picture, DataError> {
    let name = path.display().to_string();
    let length = fs::metadata(path).map_err(io("read", path))?.len();
    if length > MAX_FILE {
        return Err(wrong(&name, Place::Whole, "file size", format!("at most {MAX_FILE} bytes"), length));
    }
    parse(&name, &fs::read(path).map_err(io("read", path))?, size)
}

/// As [`picture`], from the bytes of a file; `name` is only used in messages.
pub(in crate::own) fn parse(
    name: &str,
    bytes: &[u8],
    size: Option<[usize; 2]>,
) -> Result<Picture, DataError> {
    let format = Format::of(name, bytes)?;
    let [height, width, channels] = format.shape(name, bytes)?;
    if let Some([expected_height, expected_width]) = size.filter(|size| *size != [height, width]) {
        let expected = format!("{expected_height}×{expected_width} pixels, as the first picture has");
        return Err(wrong(name, Place::Byte(0), "size", expected, format!("{height}×{width}")));
    }
    let values = samples::size(&[height, width, channels]);
    let Some(values) = values.filter(|&values| values <= SMALL || values / MAX_RATIO <= bytes.len()) else {
        let expected =
            format!("1 to {MAX_SAMPLE} values, {MAX_RATIO} times the file's {} bytes", bytes.len());
        return Err(wrong(name, Place::Byte(0), "size", expected, format!("{height}×{width}")));
    };
    let decoded = match format {
        Format::Png => decode_png(name, bytes)?,
        Format::Jpeg => decode_jpeg(name, bytes, channels)?,
    };
    if decoded.len() != values {
        return Err(wrong(name, Place::Whole, "decoded size", values, decoded.len()));
    }
    Ok(Picture { height, width, channels, bytes: decoded })
}

fn wrong(
    name: &str,
    place: Place,
    what: &'static str,
    expected: impl std::fmt::Display,
    received: impl std::fmt::Display,
) -> DataError {
    DataError::malformed(name, place, what, expected, received)
}

#[derive(Debug, Clone, Copy)]
enum Format {
    Png,
    Jpeg,
}

impl Format {
    fn of(name: &str, bytes: &[u8]) -> Result<Format, DataError> {
        match bytes {
            [0x89, b'P', b'N', b'G', ..] => Ok(Format::Png),
            [0xff, 0xd8, 0xff, ..] if ends(bytes) => Ok(Format::Jpeg),
            [0xff, 0xd8, 0xff, ..] => {
                let end = Place::Byte(bytes.len() as u64);
                Err(wrong(name, end, "end of file", "the end marker of a JPEG (ffd9) before it", "none"))
            }
            _ => {
                let start = crate::hash::hex(&bytes[..bytes.len().min(8)]);
                Err(wrong(
                    name,
                    Place::Byte(0),
                    "first bytes",
                    "those of a PNG (89504e47) or a JPEG (ffd8ff)",
                    start,
                ))
            }
        }
    }

    /// Height, width and channels, from the file's head.
    fn shape(self, name: &str, bytes: &[u8]) -> Result<[usize; 3], DataError> {
        match self {
            Format::Png => {
                let reader = png(bytes).read_info().map_err(|error| png_error(name, bytes, error))?;
                let info = reader.info();
                let grey = matches!(info.color_type, ColorType::Grayscale | ColorType::GrayscaleAlpha);
                Ok([info.height as usize, info.width as usize, if grey { 1 } else { 3 }])
            }
            Format::Jpeg => {
                let mut decoder = JpegDecoder::new(ZCursor::new(bytes));
                decoder.decode_headers().map_err(|error| jpeg_error(name, error))?;
                let info = decoder.info().ok_or_else(|| jpeg_error(name, "no picture"))?;
                let channels = match decoder.input_colorspace() {
                    Some(ColorSpace::Luma) => 1,
                    Some(ColorSpace::YCbCr | ColorSpace::RGB) => 3,
                    other => {
                        let received = format!("{other:?}");
                        return Err(wrong(
                            name,
                            Place::Whole,
                            "colour space",
                            "grey, YCbCr or RGB",
                            received,
                        ));
                    }
                };
                Ok([info.height.into(), info.width.into(), channels])
            }
        }
    }
}

/// Whether a JPEG's last scan has an end. The decoder would make up what is missing.
fn ends(bytes: &[u8]) -> bool {
    let scan = bytes.windows(2).rposition(|pair| pair == [0xff, 0xda]);
    scan.is_some_and(|scan| bytes[scan..].windows(2).any(|pair| pair == [0xff, 0xd9]))
}

fn png(bytes: &[u8]) -> Decoder<Cursor<&[u8]>> {
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: MAX_FILE as usize });
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    decoder.ignore_checksums(false);
    decoder
}

/// Grey or red, green, blue, without transparency.
fn decode_png(name: &str, bytes: &[u8]) -> Result<Vec<u8>, DataError> {
    let failed = |error| png_error(name, bytes, error);
    let mut reader = png(bytes).read_info().map_err(failed)?;
    let size = reader.output_buffer_size().filter(|&size| size <= 4 * MAX_SAMPLE);
    let size = size
        .ok_or_else(|| wrong(name, Place::Byte(0), "size", format!("at most {MAX_SAMPLE} values"), "more"))?;
    let mut pixels = vec![0; size];
    let info = reader.next_frame(&mut pixels).map_err(failed)?;
    reader.finish().map_err(failed)?;
    pixels.truncate(info.buffer_size());
    Ok(match info.color_type {
        ColorType::GrayscaleAlpha => pixels.chunks_exact(2).map(|pixel| pixel[0]).collect(),
        ColorType::Rgba => pixels.chunks_exact(4).flat_map(|pixel| &pixel[..3]).copied().collect(),
        _ => pixels,
    })
}

fn png_error(name: &str, bytes: &[u8], error: DecodingError) -> DataError {
    let place = match error {
        DecodingError::IoError(_) => Place::Byte(bytes.len() as u64),
        _ => Place::Whole,
    };
    wrong(name, place, "PNG data", "an intact picture", error)
}

fn decode_jpeg(name: &str, bytes: &[u8], channels: usize) -> Result<Vec<u8>, DataError> {
    let space = if channels == 3 { ColorSpace::RGB } else { ColorSpace::Luma };
    let options = DecoderOptions::default().set_strict_mode(true).jpeg_set_out_colorspace(space);
    let decoded = JpegDecoder::new_with_options(ZCursor::new(bytes), options).decode();
    decoded.map_err(|error| jpeg_error(name, error))
}

fn jpeg_error(name: &str, error: impl std::fmt::Display) -> DataError {
    wrong(name, Place::Whole, "JPEG data", "an intact picture", error)
}

//! Pictures inside the page: PNG files as data URIs, drawn with hard pixel edges.
//!
//! Every picture is one byte per pixel into a palette of 256 colours, which keeps a sheet of weights small.

use super::color::{self, Rgb};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};

/// Pixels of 0 to 255 as an image of `width` columns, in colours from `scale`, which takes 0 to 1.
///
/// Missing pixels of the last row are 0; without pixels there is no image.
pub fn bytes(pixels: &[u8], width: usize, scale: fn(f64) -> Rgb, alt: &str) -> Markup {
    let palette: Vec<Rgb> = (0..=255).map(|level| scale(f64::from(level) / 255.0)).collect();
    image(pixels, width, &palette, false, alt)
}

/// A sample as an image: red, green and blue as they are, anything else as [`bytes`] in colours from `scale`, the mean
/// of its channels where there are several. A row of numbers is no picture.
pub fn sample(
    pixels: &[u8],
    [height, width, channels]: [usize; 3],
    scale: fn(f64) -> Rgb,
    alt: &str,
) -> Markup {
    match channels {
        1 if height == 1 => html! {},
        1 => bytes(pixels, width, scale, alt),
        3 => embedded(png_file(pixels, width, Form::Colour), pixels.len() / 3, width, alt),
        _ => {
            let mean = |pixel: &[u8]| {
                (pixel.iter().map(|&value| usize::from(value)).sum::<usize>() / pixel.len()) as u8
            };
            bytes(&pixels.chunks(channels.max(1)).map(mean).collect::<Vec<_>>(), width, scale, alt)
        }
    }
}

/// A colour scale as an upright bar, its high end on top.
pub fn color_bar(scale: fn(f64) -> Rgb) -> Markup {
    let palette: Vec<Rgb> = (0..=255).map(|level| scale(1.0 - f64::from(level) / 255.0)).collect();
    let levels: Vec<u8> = (0..=255).collect();
    image(&levels, 1, &palette, false, "")
}

/// A colour scale of −1 to 1 as a lying bar, its high end on the right.
pub fn color_strip(scale: fn(f64) -> Rgb) -> Markup {
    let palette: Vec<Rgb> = (0..=255).map(|level| scale(f64::from(level) / 127.5 - 1.0)).collect();
    let levels: Vec<u8> = (0..=255).collect();
    image(&levels, 256, &palette, false, "")
}

/// The incoming weights of the first units of a kernel, one tile of `height` × `width` per unit, side by side.
///
/// `kernel` is `[height · width · channels, units]` row by row. With one channel, colours run from blue at −`limit` over
/// white to orange at `limit`; with three, each weight is its channel's brightness, from none at −`limit` to all at `limit`.
pub struct KernelSheet<'a> {
    /// The weights.
    pub kernel: &'a [f32],
    /// How many units the kernel has.
    pub units: usize,
    /// How many of them to draw.
    pub shown: usize,
    /// Tiles per row.
    pub columns: usize,
    /// Height of a tile in pixels.
    pub height: usize,
    /// Width of a tile in pixels.
    pub width: usize,
    /// Weights per pixel: 1, or 3 for red, green, blue.
    pub channels: usize,
    /// The weight that gets the deepest colour.
    pub limit: f32,
}

/// The palette entry between tiles, the only one that is transparent.
const BETWEEN_TILES: u8 = 0;

impl KernelSheet<'_> {
    /// The sheet as an image.
    pub fn draw(&self, alt: &str) -> Markup {
        let shown = self.shown.min(self.units);
        let columns = self.columns.clamp(1, shown.max(1));
        let sheet_width = columns * (self.width + 1) - 1;
        let sheet_height = (shown.div_ceil(columns) * (self.height + 1)).saturating_sub(1);
        let colour = self.channels == 3;
        let depth = if colour { 3 } else { 1 };
        let between = if colour { 255 } else { BETWEEN_TILES };
        let mut sheet = vec![between; sheet_width * sheet_height * depth];
        for unit in 0..shown {
            let corner =
                (unit / columns) * (self.height + 1) * sheet_width + (unit % columns) * (self.width + 1);
            for weight in 0..self.height * self.width * depth {
                let (pixel, channel) = (weight / depth, weight % depth);
                let place = corner + pixel / self.width * sheet_width + pixel % self.width;
                let weight = self.kernel.get(weight * self.units + unit).copied().unwrap_or(0.0);
                sheet[place * depth + channel] = self.level(weight);
            }
        }
        if colour {
            return embedded(png_file(&sheet, sheet_width, Form::Colour), sheet.len() / 3, sheet_width, alt);
        }
        let palette: Vec<Rgb> =
            (0..=255).map(|level| color::diverging((f64::from(level) - 128.0) / 127.0)).collect();
        image(&sheet, sheet_width, &palette, true, alt)
    }

    fn level(&self, weight: f32) -> u8 {
        let share = if self.limit > 0.0 { (weight / self.limit).clamp(-1.0, 1.0) } else { 0.0 };
        (128.0 + 127.0 * share).round() as u8
    }
}

/// What the bytes of an image are.
enum Form<'a> {
    /// Places in a palette, whose first may be transparent.
    Palette(&'a [Rgb], bool),
    /// Red, green, blue in turn.
    Colour,
}

fn image(pixels: &[u8], width: usize, palette: &[Rgb], first_is_transparent: bool, alt: &str) -> Markup {
    let file = png_file(pixels, width, Form::Palette(palette, first_is_transparent));
    embedded(file, pixels.len(), width, alt)
}

/// The page's element for a PNG file of so many pixels, or nothing without a file.
fn embedded(file: Option<Vec<u8>>, pixels: usize, width: usize, alt: &str) -> Markup {
    let Some(file) = file else { return html! {} };
    let height = pixels.div_ceil(width);
    html! {
        img.pixels width=(width) height=(height) alt=(alt)
            src={ "data:image/png;base64," (STANDARD.encode(file)) };
    }
}

/// A PNG, or `None` without pixels.
fn png_file(bytes: &[u8], width: usize, form: Form<'_>) -> Option<Vec<u8>> {
    let row = if matches!(form, Form::Colour) { 3 * width } else { width };
    let height = bytes.len().checked_div(row).filter(|&height| height > 0)?;
    let whole_rows = &bytes[..height * row];
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    match form {
        Form::Colour => encoder.set_color(png::ColorType::Rgb),
        Form::Palette(palette, first_is_transparent) => {
            encoder.set_color(png::ColorType::Indexed);
            // Filters compare neighbouring bytes, which palette entries are not made for.
            encoder.set_filter(png::Filter::NoFilter);
            encoder.set_palette(palette.concat());
            if first_is_transparent {
                encoder.set_trns(vec![0u8]);
            }
        }
    }
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(whole_rows).ok()?;
    writer.finish().ok()?;
    Some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(markup: &str) -> (usize, Vec<u8>) {
        let data = markup.split("base64,").nth(1).unwrap().split('"').next().unwrap();
        let file = STANDARD.decode(data).unwrap();
        let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
        decoder.set_transformations(png::Transformations::IDENTITY);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        (info.width as usize, pixels)
    }

    #[test]
    fn pixels_survive_the_png() {
        let pixels: Vec<u8> = (0..28 * 28).map(|i| (i * 7 % 256) as u8).collect();
        let markup = bytes(&pixels, 28, color::ink, "a picture").into_string();
        assert_eq!(decode(&markup), (28, pixels));
        assert!(markup.contains(r#"width="28" height="28" alt="a picture""#), "{markup}");
    }

    #[test]
    fn colours_survive_the_png_and_rows_of_numbers_are_no_pictures() {
        let pixels: Vec<u8> = (0..4 * 5 * 3).map(|i| (i * 7) as u8).collect();
        let of = |shape| sample(&pixels, shape, color::ink, "a picture").into_string();
        assert_eq!(decode(&of([4, 5, 3])), (5, pixels.clone()));
        assert!(of([4, 5, 3]).contains(r#"width="5" height="4""#));
        assert_eq!(decode(&of([6, 10, 1])), (10, pixels.clone()));
        assert_eq!(
            decode(&of([3, 10, 2])).1,
            pixels
                .chunks(2)
                .map(|pair| ((u16::from(pair[0]) + u16::from(pair[1])) / 2) as u8)
                .collect::<Vec<_>>()
        );
        assert_eq!(of([1, 60, 1]), "");
    }

    #[test]
    fn tiles_stand_where_their_unit_is() {
        // Three units on pictures of 1 × 2 pixels, two tiles per row.
        let kernel = [1.0, 0.0, -1.0, 0.0, 0.5, -2.0];
        let sheet = KernelSheet {
            kernel: &kernel,
            units: 3,
            shown: 3,
            columns: 2,
            height: 1,
            width: 2,
            channels: 1,
            limit: 1.0,
        };
        let (width, pixels) = decode(&sheet.draw("").into_string());
        assert_eq!(width, 5);
        assert_eq!(pixels[..5], [255, 128, 0, 128, 192]);
        assert_eq!(pixels[10..], [1, 1, 0, 0, 0]);
    }

    #[test]
    fn a_sheet_in_colour_shows_each_channel_apart() {
        // Two units on pictures of 1 × 1 pixels: one that looks for red, one for anything but blue.
        let kernel = [1.0, 0.5, 0.0, 0.5, 0.0, -1.0];
        let sheet = KernelSheet {
            kernel: &kernel,
            units: 2,
            shown: 2,
            columns: 2,
            height: 1,
            width: 1,
            channels: 3,
            limit: 1.0,
        };
        let (width, pixels) = decode(&sheet.draw("").into_string());
        assert_eq!((width, pixels), (3, vec![255, 128, 128, 255, 255, 255, 192, 192, 1]));
    }

    #[test]
    fn impossible_pictures_are_left_out() {
        assert_eq!(bytes(&[], 28, color::ink, "").into_string(), "");
        assert_eq!(bytes(&[1, 2], 0, color::ink, "").into_string(), "");
        let empty = KernelSheet {
            kernel: &[],
            units: 0,
            shown: 9,
            columns: 3,
            height: 2,
            width: 2,
            channels: 1,
            limit: 0.0,
        };
        assert_eq!(empty.draw("").into_string(), "");
    }
}

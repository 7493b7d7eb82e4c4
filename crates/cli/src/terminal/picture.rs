//! Pictures made of characters: half blocks where there is colour, shades and braille dots where there is none.
//!
//! `▀` shows two pixels, one above the other. A shade stands for a fifth of the range from 0 to 255, two columns per
//! pixel to keep it square. A braille letter (Unicode U+2800) is 2×4 dots, each there or not.

use super::color::Color;
use seedbed::data::{Dataset, Pictures};
use seedbed::lab::report::color::{self, Rgb};

const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];

/// The most columns of a picture in a grid, and of a large one.
const TILE: usize = 16;
const COLUMNS: usize = 64;

/// The grey values at which the scale is labelled, as in the report.
const LABELLED: [u8; 5] = [255, 191, 128, 64, 0];

/// A picture: its pixels, rows from the top, and how many there are in a row.
#[derive(Clone)]
struct Raster<T> {
    pixels: Vec<T>,
    width: usize,
}

impl<T: Copy> Raster<T> {
    fn height(&self) -> usize {
        self.pixels.len() / self.width.max(1)
    }

    fn get(&self, row: usize, column: usize) -> Option<T> {
        if column < self.width { self.pixels.get(row * self.width + column).copied() } else { None }
    }

    /// One line per two rows.
    fn half_blocks(&self, color: Color, paint: impl Fn(T) -> Rgb) -> Vec<String> {
        let block = |row: usize, column: usize| {
            let bottom = self.get(row + 1, column).map(&paint);
            color.half_block(self.get(row, column).map_or([0; 3], &paint), bottom)
        };
        (0..self.height())
            .step_by(2)
            .map(|row| (0..self.width).map(|column| block(row, column)).collect())
            .collect()
    }

    /// Halved until it is at most `width` wide and as many pixels high, each pixel the mean of up to four.
    fn fitted(mut self, width: usize, mean: fn(&[T]) -> T) -> Self {
        while self.width > width || self.height() > width {
            self = self.halved(mean);
        }
        self
    }

    fn halved(&self, mean: fn(&[T]) -> T) -> Self {
        let (height, width) = (self.height().div_ceil(2), self.width.div_ceil(2));
        let pixel = |row: usize, column: usize| {
            let around = [(0, 0), (0, 1), (1, 0), (1, 1)];
            let pixels: Vec<T> = around
                .iter()
                .filter_map(|(down, right)| self.get(2 * row + down, 2 * column + right))
                .collect();
            mean(&pixels)
        };
        let pixels = (0..height).flat_map(|row| (0..width).map(move |column| (row, column)));
        Self { pixels: pixels.map(|(row, column)| pixel(row, column)).collect(), width }
    }
}

impl Raster<u8> {
    /// One line per row, two characters per pixel.
    fn shades(&self) -> Vec<String> {
        let line = |row: &[u8]| row.iter().flat_map(|&grey| [shade(grey); 2]).collect::<String>();
        self.pixels.chunks(self.width.max(1)).map(|row| line(row).trim_end().to_owned()).collect()
    }

    /// One line per four rows, one letter per two columns; a dot is a pixel above 0 of at least half the picture's range:
    /// in grey, colours are never bright.
    fn braille(&self) -> Vec<String> {
        let range = self.pixels.iter().min().zip(self.pixels.iter().max());
        let half = range.map_or(1, |(&low, &high)| (u16::from(low) + u16::from(high)).div_ceil(2).max(1));
        /// The bits of a letter's dots, row by row.
        const DOTS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        let letter = |top: usize, left: usize| {
            let dots = (0..4).flat_map(|row| (0..2).map(move |column| (row, column)));
            let set = dots.filter(|&(row, column)| {
                self.get(top + row, left + column).is_some_and(|grey| u16::from(grey) >= half)
            });
            char::from_u32(0x2800 + set.map(|(row, column)| DOTS[row][column]).sum::<u32>()).unwrap_or(' ')
        };
        let line = |top: usize| (0..self.width).step_by(2).map(|left| letter(top, left)).collect();
        (0..self.height()).step_by(4).map(line).collect()
    }
}

/// The mean of a few grey values.
fn mean(greys: &[u8]) -> u8 {
    (greys.iter().map(|&grey| usize::from(grey)).sum::<usize>() / greys.len().max(1)) as u8
}

/// The mean of a few colours.
fn mean_color(colors: &[Rgb]) -> Rgb {
    std::array::from_fn(|channel| mean(&colors.iter().map(|color| color[channel]).collect::<Vec<_>>()))
}

/// A sample in grey, its channels' mean where it has several.
fn grey(pictures: &Pictures, index: usize) -> Raster<u8> {
    let pixels = pictures.picture(index).chunks(pictures.channels.max(1)).map(mean).collect();
    Raster { pixels, width: pictures.width }
}

/// A sample in its colours, if it has any.
fn colors(pictures: &Pictures, index: usize) -> Option<Raster<Rgb>> {
    let pixel = |pixel: &[u8]| [pixel[0], pixel[1], pixel[2]];
    let pixels = || pictures.picture(index).chunks_exact(3).map(pixel).collect();
    (pictures.channels == 3).then(|| Raster { pixels: pixels(), width: pictures.width })
}

/// Grey values as colours.
fn painted(paint: fn(f64) -> Rgb) -> impl Fn(u8) -> Rgb {
    move |grey| paint(f64::from(grey) / 255.0)
}

fn shade(grey: u8) -> char {
    SHADES[usize::from(grey) * SHADES.len() / 256]
}

/// One picture, large; a grey one with its scale from 0 to 255.
pub(crate) fn large(pictures: &Pictures, index: usize, color: Color) -> Vec<String> {
    if color == Color::None {
        let picture = grey(pictures, index).fitted(COLUMNS / 2, mean);
        let key: String = (0..SHADES.len()).flat_map(|i| [SHADES[i]; 2]).collect();
        return [framed(&picture.shades(), 2 * picture.width), vec![format!("0 [{key}] 255")]].concat();
    }
    if let Some(picture) = colors(pictures, index) {
        return picture.fitted(COLUMNS, mean_color).half_blocks(color, |color| color);
    }
    let lines = grey(pictures, index).fitted(COLUMNS, mean).half_blocks(color, painted(color::sequential));
    let scale = scale(lines.len(), color);
    lines.iter().zip(scale).map(|(line, scale)| format!("{line}   {scale}")).collect()
}

/// Lines of at most `width` columns with a border that shows where the picture ends.
fn framed(lines: &[String], width: usize) -> Vec<String> {
    let rule = "─".repeat(width);
    let inside = lines.iter().map(|line| format!("│{line:width$}│"));
    [format!("┌{rule}┐")].into_iter().chain(inside).chain([format!("└{rule}┘")]).collect()
}

/// The colours from 255 at the top to 0 at the bottom, labelled as in the report.
fn scale(lines: usize, color: Color) -> Vec<String> {
    let (pixels, last) = (2 * lines, lines.saturating_sub(1));
    let levels: Vec<u8> =
        (0..pixels).map(|i| (255 - 255 * i / pixels.saturating_sub(1).max(1)) as u8).collect();
    let label = |line: usize| {
        let labelled = LABELLED.iter().zip(0..).find(|(_, i)| i * last / (LABELLED.len() - 1) == line);
        labelled.map_or_else(String::new, |(level, _)| format!(" {level}"))
    };
    let bar = Raster { pixels: levels, width: 1 }.half_blocks(color, painted(color::sequential));
    bar.iter().enumerate().map(|(line, block)| format!("{block}{block}{}", label(line))).collect()
}

/// The first 25 training pictures with the names of their classes.
pub(crate) fn first_25(dataset: &Dataset, color: Color) -> Vec<String> {
    let indices: Vec<usize> = (0..25.min(dataset.train.count)).collect();
    let name = |&index: &usize| dataset.class_names[usize::from(dataset.train.labels[index])].clone();
    let names: Vec<String> = indices.iter().map(name).collect();
    grid(&dataset.train, &indices, &names, color)
}

/// Pictures in rows of up to five, each above its label.
pub(crate) fn grid(pictures: &Pictures, indices: &[usize], labels: &[String], color: Color) -> Vec<String> {
    let tiles: Vec<(usize, Vec<String>)> =
        indices.iter().map(|&index| small(pictures, index, color)).collect();
    let widest = tiles.iter().map(|(width, _)| *width).max().unwrap_or(1);
    let in_a_row = ((80 + 2) / (widest + 2)).clamp(1, 5);
    let mut lines = Vec::new();
    for (tiles, names) in tiles.chunks(in_a_row).zip(labels.chunks(in_a_row)) {
        let height = tiles.iter().map(|(_, tile)| tile.len()).max().unwrap_or(0);
        for line in 0..height {
            let cells: Vec<&str> =
                tiles.iter().map(|(_, tile)| tile.get(line).map_or("", String::as_str)).collect();
            lines.push(cells.join("  "));
        }
        let width = tiles.first().map_or(0, |(width, _)| *width);
        let names: Vec<String> =
            names.iter().map(|name| format!("{:^width$}", shortened(name, width))).collect();
        lines.push(names.join("  ").trim_end().to_owned());
    }
    lines
}

fn shortened(name: &str, width: usize) -> String {
    name.chars().take(width).collect()
}

/// One picture in at most [`TILE`] columns, and how many these are: MNIST's in half of theirs.
fn small(pictures: &Pictures, index: usize, color: Color) -> (usize, Vec<String>) {
    if color == Color::None {
        let picture = grey(pictures, index).fitted(2 * TILE, mean);
        return (picture.width.div_ceil(2), picture.braille());
    }
    match colors(pictures, index) {
        Some(picture) => {
            let picture = picture.fitted(TILE, mean_color);
            (picture.width, picture.half_blocks(color, |color| color))
        }
        None => {
            let picture = grey(pictures, index).fitted(TILE, mean);
            (picture.width, picture.half_blocks(color, painted(color::ink)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PICTURE: [u8; 16] = [255, 0, 0, 0, 0, 255, 0, 0, 0, 0, 60, 0, 0, 0, 0, 200];

    #[test]
    fn braille_dots_are_bright_pixels() {
        let picture = Raster { pixels: PICTURE.to_vec(), width: 4 };
        // Dots 1 and 5 in the first letter, dot 8 in the second.
        assert_eq!(picture.braille(), ["⠑⢀"]);
        let dark = Raster { pixels: PICTURE.map(|grey| 20 + grey / 3).to_vec(), width: 4 };
        assert_eq!(dark.braille(), ["⠑⢀"]);
        assert_eq!(Raster { pixels: vec![0; 8], width: 2 }.braille(), ["\u{2800}"]);
    }

    #[test]
    fn shades_are_two_columns_wide() {
        let picture = Raster { pixels: PICTURE.to_vec(), width: 4 };
        assert_eq!(picture.shades(), ["██", "  ██", "    ░░", "      ▓▓"]);
        assert_eq!([0, 51, 52, 255].map(shade), [' ', ' ', '░', '█']);
    }

    #[test]
    fn halving_takes_the_mean_also_at_an_odd_edge() {
        let picture = Raster { pixels: vec![0, 100, 200, 100, 200, 100, 50, 50, 30], width: 3 };
        let halved = picture.clone().fitted(2, mean);
        assert_eq!((halved.pixels, halved.width), (vec![100, 150, 50, 30], 2));
        assert_eq!(picture.fitted(1, mean).pixels, [82]);
        let colors = Raster { pixels: vec![[0, 10, 20], [100, 20, 40]], width: 2 };
        assert_eq!(colors.fitted(1, mean_color).pixels, [[50, 15, 30]]);
    }

    #[test]
    fn half_blocks_pair_rows() {
        let picture = Raster { pixels: vec![0, 255, 128], width: 1 };
        let lines = picture.half_blocks(Color::Full, |grey| [grey; 3]);
        assert_eq!(lines, ["\x1b[38;2;0;0;0;48;2;255;255;255m▀\x1b[0m", "\x1b[38;2;128;128;128m▀\x1b[0m"]);
    }

    #[test]
    fn a_grid_fits_eighty_columns_and_labels_stand_below() {
        let pictures = Pictures::new([28, 28, 1], vec![255; 7 * 784], vec![0; 7], 1).unwrap();
        let labels: Vec<String> = (0..7).map(|i| format!("label {i} of a long name")).collect();
        let lines = grid(&pictures, &[0, 1, 2, 3, 4, 5, 6], &labels, Color::None);
        assert_eq!(lines.len(), 16);
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:#?}");
        assert!(lines[7].starts_with("label 0 of a l  label 1"), "{}", lines[7]);
    }

    #[test]
    fn large_and_colourful_pictures_fit_too() {
        let pictures = Pictures::new([100, 90, 3], vec![200; 5 * 27_000], vec![0; 5], 1).unwrap();
        let labels = vec!["a".to_owned(); 5];
        let lines = grid(&pictures, &[0, 1, 2, 3, 4], &labels, Color::None);
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:#?}");
        let (width, lines) = small(&pictures, 0, Color::Full);
        assert!(
            width <= TILE && lines[0].starts_with("\x1b[38;2;200;200;200;48;2;200;200;200m▀"),
            "{lines:?}"
        );
        assert!(large(&pictures, 0, Color::Full).len() <= 32 && large(&pictures, 0, Color::None).len() <= 35);
    }

    #[test]
    fn the_scale_is_labelled_from_255_to_0() {
        let pictures = Pictures::new([28, 28, 1], vec![0; 784], vec![0], 1).unwrap();
        let lines = large(&pictures, 0, Color::Full);
        let labels: Vec<&str> = lines.iter().filter_map(|line| Some(line.rsplit_once("m ")?.1)).collect();
        let labels: Vec<&str> = labels.into_iter().filter(|label| label.parse::<u8>().is_ok()).collect();
        assert_eq!((lines.len(), labels), (14, vec!["255", "191", "128", "64", "0"]));
    }
}

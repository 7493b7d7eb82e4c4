//! The data: four arrays and their shapes, the first picture before normalization, and 25 pictures after it.

use crate::format::count;
use crate::record::DatasetRecord;
use crate::report::page::{bare_table, figure, panel, section as page_section};
use crate::report::{color, picture};
use maud::{Markup, html};

/// How many classes are named.
const CLASSES: usize = 20;

pub(super) fn section(data: &DatasetRecord) -> Markup {
    let size = data.sample_shape();
    let (whole, holds) = if data.is_table() { ("sample", "numbers") } else { ("picture", "bytes, 0 to 255") };
    let row = |name: &str, shape: String, holds: String| vec![name.to_owned(), shape, holds];
    let rows = [
        row(&format!("training {whole}s"), format!("({}, {size})", data.train_count), holds.into()),
        row("training labels", format!("({},)", data.train_count), labels(data)),
        row(&format!("test {whole}s"), format!("({}, {size})", data.test_count), holds.into()),
        row("test labels", format!("({},)", data.test_count), classes(&data.class_names)),
    ];
    let body = html! {
        p {
            "The networks learn from " (count(data.train_count)) " labelled " (whole) "s and are examined on "
            (count(data.test_count)) " others. Before a network sees a " (whole) ", its numbers are " (data.normalization) "."
        }
        figure.table {
            figcaption { "The four arrays of " (data.title) "." }
            div.words { (bare_table(&["array", "shape", "holds"], &rows)) }
        }
        @if !data.pictures.is_empty() && !data.is_table() {
            (figure(
                &[panel("The first training picture, as it is in the file", &first(data)),
                  panel("The first training pictures, normalized, with their labels", &grid(data))],
                &html! {},
                match data.channels {
                    3 => "Left: one picture. Right: what the networks are asked to tell apart.",
                    _ => "Left: one picture in a colour scale over its bytes, 0 to 255. Right: what the networks are \
                          asked to tell apart, dark on light.",
                },
            ))
        }
    };
    page_section("The data", &body)
}

fn labels(data: &DatasetRecord) -> String {
    let words = |labels: &[usize]| labels.iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
    format!("[{} … {}]", words(&data.first_labels), words(&data.last_labels))
}

/// The names of the classes, or some of many.
fn classes(names: &[String]) -> String {
    let shown = names.iter().take(CLASSES).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > CLASSES {
        format!("{} classes: {shown}, …", count(names.len()))
    } else {
        format!("classes: {shown}")
    }
}

/// The class's name, or its number where it has none.
pub(in crate::report) fn class_name(names: &[String], class: usize) -> String {
    names.get(class).cloned().unwrap_or_else(|| class.to_string())
}

/// A sample of the dataset as an image.
pub(super) fn image(pixels: &[u8], data: &DatasetRecord, scale: fn(f64) -> color::Rgb, alt: &str) -> Markup {
    picture::sample(pixels, [data.height, data.width, data.channels], scale, alt)
}

fn first(data: &DatasetRecord) -> Markup {
    let Some(first) = data.pictures.first() else { return html! {} };
    let name = class_name(&data.class_names, first.label);
    html! {
        div.first {
            (image(&first.pixels, data, color::sequential, &format!("a picture of class {name}")))
            @if data.channels != 3 {
                div.bar {
                    (picture::color_bar(color::sequential))
                    span { @for level in [255, 191, 128, 64, 0] { i { (level) } } }
                }
            }
        }
    }
}

fn grid(data: &DatasetRecord) -> Markup {
    html! {
        ul.tiles.five {
            @for sample in data.pictures.iter().take(25) {
                li { (image(&sample.pixels, data, color::ink, "")) b { (class_name(&data.class_names, sample.label)) } }
            }
        }
    }
}

//! The data: four arrays and their shapes, the first picture before normalization, and 25 pictures after it.

use crate::format::count;
use crate::record::DatasetRecord;
use crate::report::page::{bare_table, figure, panel, section as page_section};
use crate::report::{color, picture};
use maud::{Markup, html};

pub(super) fn section(data: &DatasetRecord) -> Markup {
    let size = format!("{}, {}", data.height, data.width);
    let row = |name: &str, shape: String, holds: String| vec![name.to_owned(), shape, holds];
    let rows = [
        row("training pictures", format!("({}, {size})", data.train_count), "bytes, 0 to 255".into()),
        row("training labels", format!("({},)", data.train_count), labels(data)),
        row("test pictures", format!("({}, {size})", data.test_count), "bytes, 0 to 255".into()),
        row(
            "test labels",
            format!("({},)", data.test_count),
            format!("classes: {}", data.class_names.join(", ")),
        ),
    ];
    let body = html! {
        p {
            "The networks learn from " (count(data.train_count)) " labelled pictures and are examined on "
            (count(data.test_count)) " others. Before a network sees a picture, its bytes are " (data.normalization) "."
        }
        figure.table {
            figcaption { "The four arrays of " (data.title) "." }
            div.words { (bare_table(&["array", "shape", "holds"], &rows)) }
        }
        @if !data.pictures.is_empty() {
            (figure(
                &[panel("The first training picture, as it is in the file", &first(data)),
                  panel("The first training pictures, normalized, with their labels", &grid(data))],
                &html! {},
                "Left: one picture in a colour scale over its bytes, 0 to 255. Right: what the networks are asked to \
                 tell apart, dark on light.",
            ))
        }
    };
    page_section("The data", &body)
}

fn labels(data: &DatasetRecord) -> String {
    let words = |labels: &[usize]| labels.iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
    format!("[{} … {}]", words(&data.first_labels), words(&data.last_labels))
}

/// The class's name, or its number where it has none.
pub(super) fn class_name(names: &[String], class: usize) -> String {
    names.get(class).cloned().unwrap_or_else(|| class.to_string())
}

fn first(data: &DatasetRecord) -> Markup {
    let Some(first) = data.pictures.first() else { return html! {} };
    let name = class_name(&data.class_names, first.label);
    html! {
        div.first {
            (picture::bytes(&first.pixels, data.width, color::sequential, &format!("a picture of class {name}")))
            div.bar {
                (picture::color_bar(color::sequential))
                span { @for level in [255, 191, 128, 64, 0] { i { (level) } } }
            }
        }
    }
}

fn grid(data: &DatasetRecord) -> Markup {
    html! {
        ul.tiles.five {
            @for sample in data.pictures.iter().take(25) {
                li { (picture::bytes(&sample.pixels, data.width, color::ink, "")) b { (class_name(&data.class_names, sample.label)) } }
            }
        }
    }
}

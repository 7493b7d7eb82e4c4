//! What training did to the weights: pictures of the first layer, histograms of all of them, units that stay equal.

use crate::format::{capitalized, count, signed};
use crate::record::{DatasetRecord, Inspection, KernelPictures, LayerWeights, LessonRecord, ModelRecord};
use crate::report::page::{figure, panel, section as page_section, table};
use crate::report::picture::KernelSheet;
use crate::report::svg::legend::{Sample, legend};
use crate::report::svg::{Ink, histogram};
use crate::report::{color, picture};
use maud::{Markup, html};

/// How many units of the first layer are drawn.
const SHOWN: usize = 32;

pub(super) fn section(lesson: &LessonRecord) -> Markup {
    let inspected: Vec<(&ModelRecord, &Inspection)> =
        lesson.models.iter().filter_map(|model| Some((model, model.inspection.as_ref()?))).collect();
    let Some((_, first)) = inspected.first() else { return html! {} };
    let body = html! {
        p {
            "Before training, weights are random draws from the initializer. Training moves them; what the first layer \
             came to look for in a picture shows in its weights."
        }
        (kernels(&inspected, &lesson.dataset, first.seed))
        (spreads(&inspected))
    };
    page_section("What they learned", &body)
}

/// The first layers as pictures, all in one colour scale, so that models can be compared.
fn kernels(inspected: &[(&ModelRecord, &Inspection)], dataset: &DatasetRecord, seed: u64) -> Markup {
    let drawable: Vec<(&ModelRecord, &KernelPictures)> = inspected
        .iter()
        .filter_map(|(model, inspection)| Some((*model, inspection.first_kernel.as_ref()?)))
        .filter(|(_, kernel)| fits(kernel, dataset))
        .collect();
    let limit = drawable.iter().map(|(_, kernel)| limit(kernel)).fold(0.0, f32::max);
    let panels: Vec<Markup> =
        drawable.iter().map(|(model, kernel)| sheets(model, kernel, dataset, limit)).collect();
    let (bar, scale) = if dataset.channels == 3 {
        (
            html! {},
            format!(
                "Each weight is the brightness of its channel, red, green or blue: none at {}, half at 0, all at {}, for all \
             models, before and after training.",
                signed(-f64::from(limit), 2),
                signed(f64::from(limit), 2)
            ),
        )
    } else {
        (scale_bar(limit), "One colour scale for all models, before and after training.".to_owned())
    };
    html! {
        @if !panels.is_empty() {
            (figure(&panels, &bar, &format!(
                "Incoming weights of the first layer’s units, one tile per unit, each weight where its pixel is, with \
                 seed {seed}. {scale}")))
        }
    }
}

/// Histograms layer by layer, so that the same layer of all models stands side by side, and the units that differ.
fn spreads(inspected: &[(&ModelRecord, &Inspection)]) -> Markup {
    let deepest = inspected.iter().map(|(_, inspection)| inspection.layers.len()).max().unwrap_or(0);
    let layers: Vec<(&ModelRecord, &LayerWeights)> = (0..deepest)
        .flat_map(|depth| {
            inspected.iter().filter_map(move |(model, look)| Some((*model, look.layers.get(depth)?)))
        })
        .collect();
    let panels: Vec<Markup> = layers.iter().map(|(model, layer)| spread(&model.name, layer)).collect();
    let units: Vec<Vec<String>> = layers.iter().map(|(model, layer)| unit_row(&model.name, layer)).collect();
    html! {
        @if !layers.is_empty() {
            (figure(&panels,
                &legend(&[(Ink::Quiet, Sample::Area, "before training"), (Ink::Model(0), Sample::Outline, "after training")]),
                "How the weights of each layer are spread before and after training, each panel on its own scale."))
            (table(&["layer", "kernel", "distinct units before", "distinct units after"], &units,
                "Units with incoming weights of their own. Units that start equal get equal gradients, so they never \
                 become different: such a layer counts for one unit, however wide it is."))
        }
    }
}

fn unit_row(model: &str, layer: &LayerWeights) -> Vec<String> {
    let of_all = |distinct: usize| format!("{} of {}", count(distinct), count(layer.shape[1]));
    vec![
        format!("{model}, {}", layer.layer),
        format!("{} × {}", count(layer.shape[0]), count(layer.shape[1])),
        of_all(layer.distinct_before),
        of_all(layer.distinct_after),
    ]
}

fn spread(model: &str, layer: &LayerWeights) -> Markup {
    let heading = format!("{}, {}", capitalized(model), layer.layer);
    panel(&heading, &histogram::before_after(&heading, &layer.before, &layer.after))
}

/// Whether each weight of a unit belongs to one pixel, grey or in colour.
fn fits(kernel: &KernelPictures, dataset: &DatasetRecord) -> bool {
    let weights = dataset.height * dataset.width * dataset.channels * kernel.units;
    [1, 3].contains(&dataset.channels)
        && weights > 0
        && kernel.before.len() == weights
        && kernel.after.len() == weights
}

/// A model's first layer before and after training.
fn sheets(model: &ModelRecord, kernel: &KernelPictures, dataset: &DatasetRecord, limit: f32) -> Markup {
    let sheet = |weights: &[f32], when: &str| {
        KernelSheet {
            kernel: weights,
            units: kernel.units,
            shown: SHOWN,
            columns: 8,
            height: dataset.height,
            width: dataset.width,
            channels: dataset.channels,
            limit,
        }
        .draw(&format!("weights of {} {when} training", model.name))
    };
    let shown = kernel.units.min(SHOWN);
    let heading =
        format!("{}, {}: {shown} of {} units", capitalized(&model.name), kernel.layer, count(kernel.units));
    panel(
        &heading,
        &html! {
            div.sheets {
                div { p { "before training" } (sheet(&kernel.before, "before")) }
                div { p { "after training" } (sheet(&kernel.after, "after")) }
            }
        },
    )
}

/// What only one weight in two hundred exceeds, before and after taken together.
fn limit(kernel: &KernelPictures) -> f32 {
    let mut sizes: Vec<f32> = kernel
        .before
        .iter()
        .chain(&kernel.after)
        .map(|weight| weight.abs())
        .filter(|size| size.is_finite())
        .collect();
    if sizes.is_empty() {
        return 0.0;
    }
    let rank = (sizes.len() - 1) * 199 / 200;
    *sizes.select_nth_unstable_by(rank, f32::total_cmp).1
}

fn scale_bar(limit: f32) -> Markup {
    let limit = f64::from(limit);
    html! {
        div.wide-bar { (signed(-limit, 2)) (picture::color_strip(color::diverging)) (signed(limit, 2)) }
    }
}

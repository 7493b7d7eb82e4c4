//! The models: what each is made of, in Keras's words, and what separates it from the baseline.

use crate::format::{capitalized, count};
use crate::record::ModelRecord;
use crate::report::page::{bare_table, figure, panel, section as page_section};
use maud::{Markup, html};

pub(super) fn section(models: &[ModelRecord]) -> Markup {
    let rows: Vec<Vec<String>> = models.iter().map(choices).collect();
    let panels: Vec<Markup> = models.iter().map(summary).collect();
    let body = html! {
        @for (i, model) in models.iter().enumerate() {
            p { strong { (capitalized(&model.name)) ". " } (model.title) (changed(model, i, models)) }
        }
        figure.table {
            figcaption { "The choices behind each model. What is not listed is the same for all." }
            div.words {
                (bare_table(&["model", "initializer", "dropout", "regularizer", "optimizer", "loss"], &rows))
            }
        }
        (figure(&panels, &html! {}, "The layers of each model. “None” stands for the batch size, which is not fixed."))
    };
    page_section("The models", &body)
}

fn choices(model: &ModelRecord) -> Vec<String> {
    vec![
        model.name.clone(),
        model.initializer.clone(),
        model.dropout.map_or_else(|| "none".into(), |rate| rate.to_string()),
        model.regularizer.clone().unwrap_or_else(|| "none".into()),
        model.optimizer.clone(),
        model.loss.clone(),
    ]
}

fn changed(model: &ModelRecord, index: usize, models: &[ModelRecord]) -> String {
    match models.first() {
        Some(baseline) if index > 0 && !model.changed.is_empty() => {
            format!(" Differs from {} in: {}.", baseline.name, model.changed.join("; "))
        }
        _ => String::new(),
    }
}

fn summary(model: &ModelRecord) -> Markup {
    let rows: Vec<Vec<String>> = model
        .layers
        .iter()
        .map(|layer| {
            vec![
                format!("{} ({})", layer.name, layer.kind),
                layer.output_shape.clone(),
                count(layer.parameters),
            ]
        })
        .collect();
    let body = html! {
        (bare_table(&["layer (type)", "output shape", "params"], &rows))
        p { "Total params: " (count(model.parameters())) }
    };
    panel(&capitalized(&model.name), &body)
}

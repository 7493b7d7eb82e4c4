//! The sheet of paper every report is printed on: head, style, figures, tables, notices.

use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("style.css");

/// Nothing may be loaded and nothing may run: a report shows what is inside it and no more.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/// A whole HTML file around `body`.
pub fn page(title: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (body) } }
        }
    }
    .into_string()
}

/// A section with its heading.
pub fn section(heading: &str, body: &Markup) -> Markup {
    html! { section { h2 { (heading) } (body) } }
}

/// A numbered figure: charts or pictures side by side as the width allows, and what they show.
pub fn figure(panels: &[Markup], legend: &Markup, caption: &str) -> Markup {
    html! {
        figure {
            (legend)
            div.panels { @for panel in panels { (panel) } }
            figcaption { (caption) }
        }
    }
}

/// One panel of a figure under its own small heading.
pub fn panel(heading: &str, body: &Markup) -> Markup {
    html! { div.panel { h3 { (heading) } (body) } }
}

/// A numbered table that scrolls inside its own box where the page is narrow.
///
/// The first column holds names and stands left; all others hold numbers and stand right.
pub fn table(head: &[&str], rows: &[Vec<String>], caption: &str) -> Markup {
    html! {
        figure.table {
            figcaption { (caption) }
            (bare_table(head, rows))
        }
    }
}

/// The table alone, without number and caption.
pub fn bare_table(head: &[&str], rows: &[Vec<String>]) -> Markup {
    html! {
        div.scroll tabindex="0" {
            table {
                thead { tr { @for cell in head { th scope="col" { (cell) } } } }
                tbody {
                    @for row in rows { tr {
                        @for (column, cell) in row.iter().enumerate() {
                            @if column == 0 { th scope="row" { (cell) } } @else { td { (cell) } }
                        }
                    } }
                }
            }
        }
    }
}

/// A loud box for what a reader must not miss.
pub fn notice(heading: &str, text: &str) -> Markup {
    html! { div.notice role="note" { strong { (heading) } " " (text) } }
}

/// Something long that is folded away until asked for, and unfolded in print.
pub fn folded(summary: &str, body: &Markup) -> Markup {
    html! { details { summary { (summary) } (body) } }
}

/// What is too long for paper: shown on a screen, left out in print.
pub fn screen_only(body: &Markup) -> Markup {
    html! { div.screen-only { (body) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_nothing_is_loaded() {
        let body = html! { (table(&["<a>"], &[vec!["<script>".into(), "&".into()]], "\"c\"")) (notice("<b>", "<i>")) };
        let page = page("<title>", &body);
        assert!(
            page.contains("&lt;script&gt;") && page.contains("&lt;title&gt;") && page.contains("&lt;i&gt;")
        );
        assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"));
        assert!(page.contains("default-src 'none'"));
    }
}

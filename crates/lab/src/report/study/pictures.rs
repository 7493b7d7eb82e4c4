//! Which test pictures a choice gains and loses: McNemar's test, and a gallery of the most contested.

use super::Page;
use crate::analysis::pictures::{Contested, PictureComparison};
use crate::format::{count, p_value, plural};
use crate::report::lesson::class_name;
use crate::report::page::{figure, folded, panel, section as page_section, table};
use crate::report::{color, picture};
use maud::{Markup, html};
use seedbed_data::Pictures;

/// How many variants get a gallery.
const GALLERIES: usize = 6;

/// How many pictures a gallery shows.
const SHOWN: usize = 10;

/// More rows than this are folded away.
const MOST_UNFOLDED: usize = 16;

pub(super) fn section(page: &Page<'_>, test: Option<&Pictures>) -> Markup {
    let all = &page.analysis.pictures;
    if all.is_empty() {
        return html! {};
    }
    // The variants with the most pictures that tell them apart from the baseline, but not those that err on everything.
    let mut drawn: Vec<&PictureComparison> = all.iter().filter(|of| !of.contested.is_empty()).collect();
    drawn.sort_by_key(|of| std::cmp::Reverse(of.majority.only_first + of.majority.only_second));
    drawn.retain(|of| 4 * (of.majority.only_first + of.majority.only_second) < of.pictures);
    drawn.truncate(GALLERIES);
    drawn.sort_by_key(|of| of.variant);
    let panels: Vec<Markup> =
        drawn.iter().map(|of| panel(&page.heading(of.variant), &gallery(page, of, test))).collect();
    let rows: Vec<Vec<String>> = all.iter().map(|of| row(page, of)).collect();
    let head = [
        "variant",
        "only baseline right",
        "only variant right",
        "McNemar, exact p",
        "mid-p",
        "seeds with p < 0.05",
    ];
    let counts = table(
        &head,
        &rows,
        "Test pictures that only one of the two names correctly with more than half of the seeds, and McNemar’s test on \
        them: were both equally good, each would have about half. Last column: the same test seed by seed. These p-values are not corrected.",
    );
    let body = html! {
        p {
            "Two variants with the same test accuracy may still err on different pictures. Over the seeds, these are the pictures that \
             one gets right and the other wrong."
        }
        @if rows.len() > MOST_UNFOLDED { (folded(&plural(rows.len(), "variant"), &counts)) } @else { (counts) }
        @if !panels.is_empty() {
            (figure(&panels, &html! {}, "The most contested test pictures: true class → what the side that errs takes it for; how many of its seeds \
                get it right with the baseline and with the variant."))
        }
    };
    page_section("Which pictures", &body)
}

fn row(page: &Page<'_>, of: &PictureComparison) -> Vec<String> {
    let significant = of.by_seed.iter().filter(|test| test.exact_p < 0.05).count();
    vec![
        page.study.variants[of.variant].name.clone(),
        count(of.majority.only_first),
        count(of.majority.only_second),
        p_value(of.majority.exact_p),
        p_value(of.majority.mid_p),
        format!("{significant} of {}", of.seeds),
    ]
}

fn gallery(page: &Page<'_>, of: &PictureComparison, test: Option<&Pictures>) -> Markup {
    html! {
        ul.tiles.many { @for contested in of.contested.iter().take(SHOWN) { (tile(page, of, contested, test)) } }
    }
}

fn tile(page: &Page<'_>, of: &PictureComparison, contested: &Contested, test: Option<&Pictures>) -> Markup {
    let names = &page.study.dataset.class_names;
    let (label, taken_for) = (class_name(names, contested.label), class_name(names, contested.taken_for));
    let alt = format!(
        "test picture {}: {label} taken for {taken_for}; right with {} of {} seeds of the baseline and {} of the variant",
        contested.index, contested.baseline_right, of.seeds, contested.variant_right
    );
    let sample = test.filter(|test| contested.index < test.count).map(|test| {
        let shape = [test.height, test.width, test.channels];
        picture::sample(test.picture(contested.index), shape, color::ink, &alt)
    });
    html! {
        li title=(alt) {
            @match sample {
                Some(sample) => (sample),
                None => { "no. " (contested.index) br; }
            }
            b { (label) } " → " b { (taken_for) } br;
            (contested.baseline_right) " : " (contested.variant_right)
        }
    }
}

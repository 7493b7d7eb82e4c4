//! A square table of counts in colours: a confusion matrix.

use super::{WIDTH, chart, number};
use crate::report::color::{hex, sequential};
use maud::{Markup, html};

const LEFT: f64 = 40.0;
const TOP: f64 = 34.0;

/// More classes than this leave no room for numbers in the cells.
const MOST_NUMBERED: usize = 12;

/// Draws how often class `row` was taken for class `column`; mistakes are coloured by their number, the diagonal of
/// correct answers stays uncoloured so that it does not drown them. Zeros stay blank.
pub fn confusion(title: &str, counts: &[Vec<u64>], class_names: &[String]) -> Markup {
    let classes = counts.len().max(1);
    let cell = (WIDTH - LEFT - 2.0) / classes as f64;
    let most = counts
        .iter()
        .enumerate()
        .flat_map(|(row, line)| line.iter().enumerate().filter(move |(column, _)| *column != row))
        .map(|(_, &count)| count)
        .max()
        .unwrap_or(0)
        .max(1);
    let name =
        |class: usize| class_names.get(class).map_or_else(|| class.to_string(), |name| shortened(name, cell));
    let body = html! {
        text.axis x=(number(LEFT)) y="11" { "taken for" }
        text.axis x="0" y=(number(TOP - 8.0)) { "true" }
        @for (row, line) in counts.iter().enumerate() {
            @let y = TOP + row as f64 * cell;
            @if row % every(classes, 12.0 / cell) == 0 {
                text.tick.end x=(number(LEFT - 7.0)) y=(number(y + cell / 2.0 + 4.0)) { (name(row)) }
            }
            @if row % every(classes, 36.0 / cell) == 0 {
                text.tick.middle x=(number(LEFT + (row as f64 + 0.5) * cell)) y=(number(TOP - 8.0)) { (name(row)) }
            }
            @for (column, &count) in line.iter().enumerate().filter(|(_, count)| **count > 0) {
                (cell_at(LEFT + column as f64 * cell, y, cell, count, (row != column).then_some(most), classes))
            }
        }
        rect.box x=(number(LEFT)) y=(number(TOP)) width=(number(cell * classes as f64))
            height=(number(cell * classes as f64)) {}
    };
    chart(TOP + cell * classes as f64 + 2.0, title, &body)
}

/// One cell; `most` is the count with the deepest colour, `None` on the diagonal.
fn cell_at(x: f64, y: f64, size: f64, count: u64, most: Option<u64>, classes: usize) -> Markup {
    // The square root keeps single mistakes visible beside frequent ones.
    let share = most.map(|most| (count as f64 / most as f64).sqrt() * 0.85 + 0.08);
    let letters = match share {
        None => "cell right",
        Some(share) if share > 0.55 => "cell on-dark",
        Some(_) => "cell on-light",
    };
    html! {
        @if let Some(share) = share {
            rect x=(number(x)) y=(number(y)) width=(number(size)) height=(number(size)) fill=(hex(sequential(share))) {}
        }
        @if classes <= MOST_NUMBERED {
            text class=(letters) x=(number(x + size / 2.0)) y=(number(y + size / 2.0 + 3.5)) { (count) }
        }
    }
}

/// One class in how many is named: all where there is room for numbers in the cells, else as many as fit.
fn every(classes: usize, cells: f64) -> usize {
    if classes <= MOST_NUMBERED { 1 } else { (cells.ceil() as usize).max(1) }
}

/// As many letters as fit a cell.
fn shortened(name: &str, cell: f64) -> String {
    let room = ((cell.max(30.0) / 7.0) as usize).max(1);
    if name.chars().count() <= room {
        name.to_owned()
    } else {
        name.chars().take(room - 1).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_coloured_and_right_answers_are_not() {
        let svg = confusion("t", &[vec![9, 4], vec![0, 9]], &["a".into(), "a long name of a class".into()])
            .into_string();
        assert_eq!(svg.matches("<rect x=").count(), 1, "{svg}");
        assert_eq!((svg.matches("cell right").count(), svg.matches("on-dark").count()), (2, 1), "{svg}");
        assert!(svg.contains("a long name of a cla"), "{svg}");
    }

    #[test]
    fn of_many_classes_only_some_are_named() {
        let counts: Vec<Vec<u64>> =
            (0..100).map(|row| (0..100).map(|column| u64::from(row == column)).collect()).collect();
        let names: Vec<String> = (0..100).map(|class| class.to_string()).collect();
        let svg = confusion("t", &counts, &names).into_string();
        let (rows, columns) = (svg.matches("tick end").count(), svg.matches("tick middle").count());
        assert!((5..40).contains(&rows) && (4..20).contains(&columns), "{rows} {columns}");
    }

    #[test]
    fn an_empty_matrix_is_an_empty_box() {
        assert!(confusion("t", &[], &[]).into_string().contains("class=\"box\""));
    }
}

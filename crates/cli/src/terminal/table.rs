//! Tables: words to the left, numbers to the right.

/// The lines of a table: `head`, a rule, `rows`.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let head: Vec<String> = head.iter().map(|&word| word.to_owned()).collect();
    let column = |column: usize| rows.iter().filter_map(move |row| row.get(column));
    let columns: Vec<(usize, bool)> = head
        .iter()
        .enumerate()
        .map(|(i, head)| {
            let longest = column(i).chain([head]).map(|cell| cell.chars().count()).max();
            (longest.unwrap_or(0), column(i).all(|cell| is_number(cell)))
        })
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&columns).map(|(cell, &(width, number))| {
            if number { format!("{cell:>width$}") } else { format!("{cell:width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let rule = "─".repeat(columns.iter().map(|(width, _)| width + 2).sum::<usize>().saturating_sub(2));
    let lines = [line(&head), rule].into_iter().chain(rows.iter().map(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether it is written like a number, or stands where one is missing.
fn is_number(cell: &str) -> bool {
    let start = cell.trim_start_matches(['+', '−', '–', '<', ' ']);
    start.is_empty() || start.starts_with(|letter: char| letter.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_their_heads() {
        let rows = [vec!["model 1".into(), "97.71%".into()], vec!["m".into(), "−1".into()]];
        assert_eq!(
            table(&["model", "test"], &rows),
            "model      test\n───────────────\nmodel 1  97.71%\nm            −1"
        );
    }
}

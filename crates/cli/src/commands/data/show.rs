//! `seedbed data show`: a dataset in numbers and pictures.

use crate::terminal::Terminal;
use crate::terminal::picture;
use crate::terminal::table::table;
use seedbed::data::{Dataset, Duplicates, Loaded, Pictures};
use seedbed::lab::format::{count, fixed, percent, plural};
use serde_json::{Value, json};

/// Classes that are listed one by one; of more, the largest and the smallest are.
const LISTED: usize = 40;

/// Numbers of a row that are shown.
const COLUMNS: usize = 6;

/// Rows that are shown where there is nothing to look at.
const ROWS: usize = 5;

pub(super) fn tell(loaded: &Loaded, terminal: &Terminal) -> anyhow::Result<()> {
    let dataset = &loaded.dataset;
    loaded.notice.iter().try_for_each(|notice| terminal.notice(notice))?;
    let what = if dataset.train.axes().len() == 1 { "samples" } else { "pictures" };
    terminal.paragraph(&format!("{}: the {what} come from {}.", dataset.title, dataset.source))?;
    terminal.lines(&format!("\n{}\n\n{}\n", parts(dataset), classes(dataset)))?;
    terminal.paragraph(&duplicates(dataset))?;
    terminal.lines(&format!("\nThe first training {what}:\n"))?;
    if dataset.train.axes().len() == 1 {
        return terminal.lines(&rows(dataset));
    }
    terminal.lines(&picture::first_25(dataset, terminal.color()).join("\n"))
}

/// Shapes, mean, spread and zeros of both parts.
fn parts(dataset: &Dataset) -> String {
    let row = |name: &str, part: &Pictures| {
        let statistics = part.statistics();
        vec![
            name.to_owned(),
            shape(part),
            if part.numbers.is_some() { "float32" } else { "uint8" }.to_owned(),
            fixed(statistics.mean, 2),
            fixed(statistics.std, 2),
            percent(statistics.zeros),
        ]
    };
    let rows = [row("training", &dataset.train), row("test", &dataset.test)];
    table(&["part", "shape", "type", "mean", "std", "zeros"], &rows)
}

/// As NumPy writes it.
pub(crate) fn shape(part: &Pictures) -> String {
    let axes: Vec<String> =
        [part.count].into_iter().chain(part.axes()).map(|axis| axis.to_string()).collect();
    format!("({})", axes.join(", "))
}

/// How many samples of each class both parts have.
fn counts(dataset: &Dataset) -> Vec<[usize; 2]> {
    let [training, test] = [&dataset.train, &dataset.test].map(|part| part.statistics().class_counts);
    let of = |counts: &[usize], class: usize| counts.get(class).copied().unwrap_or(0);
    (0..dataset.class_names.len()).map(|class| [of(&training, class), of(&test, class)]).collect()
}

fn classes(dataset: &Dataset) -> String {
    let counts = counts(dataset);
    let row = |&class: &usize| {
        vec![dataset.class_names[class].clone(), count(counts[class][0]), count(counts[class][1])]
    };
    let mut shown: Vec<usize> = (0..counts.len()).collect();
    let all = shown.len();
    if all > LISTED {
        shown.sort_by_key(|&class| std::cmp::Reverse(counts[class][0]));
        shown.drain(LISTED / 4..all - LISTED / 4);
    }
    let mut rows: Vec<Vec<String>> = shown.iter().map(row).collect();
    if all > LISTED {
        rows.insert(
            LISTED / 4,
            vec![format!("… {} between …", count(all - LISTED / 2)), String::new(), String::new()],
        );
    }
    table(&["class", "training", "test"], &rows)
}

fn duplicates(dataset: &Dataset) -> String {
    let found = Duplicates::of(dataset);
    if found == Duplicates::default() {
        return "No sample occurs twice.".to_owned();
    }
    let other = match found.with_another_label {
        0 => String::new(),
        many => format!(" ({many} of them with another label)"),
    };
    format!(
        "Samples that occur more than once: {} also among the training samples{other}, {} within the training \
         samples, {} within the test samples.",
        plural(found.test_in_training, "test sample"),
        count(found.within_training),
        count(found.within_test),
    )
}

/// The first rows of a table of numbers.
fn rows(dataset: &Dataset) -> String {
    let part = &dataset.train;
    let shown = part.width.min(COLUMNS);
    let number = |index: usize| match &part.numbers {
        Some(numbers) => numbers[index].to_string().replace('-', "−"),
        None => part.pixels[index].to_string(),
    };
    let row = |sample: usize| {
        let mut row: Vec<String> = (0..shown).map(|column| number(sample * part.width + column)).collect();
        if part.width > shown {
            row.push(format!("… {} more", count(part.width - shown)));
        }
        row.push(dataset.class_names[usize::from(part.labels[sample])].clone());
        row
    };
    let mut head: Vec<String> = (1..=shown).map(|column| column.to_string()).collect();
    if part.width > shown {
        head.push(String::new());
    }
    head.push("label".to_owned());
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    table(&head, &(0..ROWS.min(part.count)).map(row).collect::<Vec<_>>())
}

pub(super) fn json(loaded: &Loaded, terminal: &Terminal) -> anyhow::Result<()> {
    let dataset = &loaded.dataset;
    let part = |part: &Pictures| {
        let statistics = part.statistics();
        let shape: Vec<usize> = [part.count].into_iter().chain(part.axes()).collect();
        json!({
            "shape": shape,
            "type": if part.numbers.is_some() { "float32" } else { "uint8" },
            "mean": statistics.mean,
            "std": statistics.std,
            "zeros": statistics.zeros,
        })
    };
    let class = |(name, [training, test]): (&String, [usize; 2])| json!({ "name": name, "training": training, "test": test });
    let classes: Vec<Value> = dataset.class_names.iter().zip(counts(dataset)).map(class).collect();
    let found = Duplicates::of(dataset);
    terminal.json(&json!({
        "name": dataset.name.to_string(),
        "title": dataset.title,
        "source": dataset.source.to_string(),
        "notice": loaded.notice,
        "fingerprint": dataset.fingerprint(),
        "training": part(&dataset.train),
        "test": part(&dataset.test),
        "classes": classes,
        "duplicates": {
            "test_in_training": found.test_in_training,
            "with_another_label": found.with_another_label,
            "within_training": found.within_training,
            "within_test": found.within_test,
        },
    }))
}

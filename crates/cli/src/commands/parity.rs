//! `seedbed parity`

use crate::exit::Exit;
use crate::terminal::Terminal;
use crate::terminal::table::table;
use clap::Args;
use seedbed::lab::parity::compare::Measure;
use seedbed::lab::parity::{Certificate, Precision, Records, Row, certificate};
use std::path::PathBuf;

/// Which records.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Keras's records in a folder, such as Seedbed's benches/peers/fixtures, instead of those in the program
    #[arg(long, value_name = "DIR")]
    fixtures: Option<PathBuf>,

    /// Writes the certificate as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(options: &Options) -> anyhow::Result<Exit> {
    let terminal = Terminal::new(false, false);
    let certificate = certificate(options.fixtures.as_deref().map_or(Records::BuiltIn, Records::Folder))?;
    if options.json {
        terminal.json(&certificate)?;
    } else {
        tell(&certificate, &terminal)?;
    }
    Ok(if certificate.agrees { Exit::Done } else { Exit::Failed })
}

fn tell(certificate: &Certificate, terminal: &Terminal) -> anyhow::Result<()> {
    let same = |a: &Row, b: &Row| (a.group, &a.name) == (b.group, &b.name);
    let rows: Vec<Vec<String>> = certificate.rows.chunk_by(same).map(cells).collect();
    let head = ["kind", "choice", "records", "verdict", "float32 (tolerance)", "float64 (tolerance)"];
    terminal.lines(&table(&head, &rows))?;
    terminal.lines("")?;
    for row in &certificate.rows {
        if let Some(problem) = &row.problem {
            terminal.item(&format!("{} {} is not understood: {problem}", row.group, row.name))?;
        }
    }
    let count = |wanted: fn(&Row) -> bool| certificate.rows.iter().filter(|row| wanted(row)).count();
    let (agree, unread) = (count(Row::agrees), count(|row| row.problem.is_some()));
    let versions: Vec<&str> = certificate.keras.iter().map(String::as_str).collect();
    terminal.paragraph(&format!(
        "{} choices, {} records of Keras {}: {agree} agree, {} deviate, {unread} are not understood. \
         Shown is the deviation that comes nearest to its tolerance. float32 is the engine, float64 the oracle.",
        rows.len(),
        certificate.rows.len(),
        versions.join(", "),
        certificate.rows.len() - agree - unread,
    ))
}

/// A choice with all of its records.
fn cells(records: &[Row]) -> Vec<String> {
    let verdict = if records.iter().any(|row| row.problem.is_some()) {
        "not understood"
    } else if records.iter().all(Row::agrees) {
        "ok"
    } else {
        "deviates"
    };
    let of = |precision| {
        let rows = records.iter().filter(|row| row.precision == precision);
        let worst = Measure::worst(rows.flat_map(|row| row.measures.iter().copied()));
        worst.map_or(String::new(), |of| format!("{:.1e} ({:.0e}) {}", of.deviation, of.bound, of.what))
    };
    let (group, name) = records.first().map_or(("", ""), |row| (row.group, &row.name));
    vec![
        group.to_owned(),
        name.to_owned(),
        records.len().to_string(),
        verdict.to_owned(),
        of(Precision::Float32),
        of(Precision::Float64),
    ]
}

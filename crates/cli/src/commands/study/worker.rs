//! `seedbed study worker MANIFEST`

use super::progress::ended;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::load::DataPlace;
use crate::terminal::Terminal;
use clap::Args;
use seedbed::lab::format::plural;
use seedbed::lab::record::StudyTrial;
use seedbed::lab::study::manifest::{Manifest, Share};
use seedbed::lab::study::run::StudyObserver;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Which share of which manifest, and where results go.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The manifest that `seedbed study plan --manifest` wrote
    manifest: PathBuf,

    /// The folder for result files, made if it is missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Which share: 2/5 is the second of five
    #[arg(long, value_name = "PART/PARTS", default_value = "1/1", value_parser = share)]
    share: Share,

    #[command(flatten)]
    data: DataPlace,

    /// How many trials run at once; as many as there are cores by default
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = crate::arguments::count)]
    threads: Option<usize>,
}

fn share(text: &str) -> Result<Share, String> {
    let parts =
        text.split_once('/').and_then(|(part, parts)| Some((part.parse().ok()?, parts.parse().ok()?)));
    match parts {
        Some((part, parts)) if 1 <= part && part <= parts => Ok(Share { part, parts }),
        _ => Err("expected a part and the number of parts, as in 2/5".to_owned()),
    }
}

pub(super) fn run(options: &Options, quiet: bool) -> anyhow::Result<Exit> {
    let terminal = Terminal::new(false, quiet);
    let manifest = Manifest::read(&options.manifest)?;
    let loaded = options.data.load(&manifest.study()?.file.baseline.data.dataset, &terminal)?;
    let interrupt = Interrupt::catch()?;
    let threads =
        options.threads.and_then(NonZeroUsize::new).unwrap_or_else(super::super::model_file::all_threads);
    let with = (threads, &*super::now());
    let mut lines = Lines { quiet, ended: 0 };
    let run = manifest.work(&loaded, options.share, &options.out, with, &mut lines, interrupt.asked())?;
    terminal.paragraph(&format!(
        "{} run, one file each in {}.",
        plural(run, "trial"),
        options.out.display()
    ))?;
    Ok(interrupt.exit().unwrap_or(Exit::Done))
}

/// A line per trial on stderr.
struct Lines {
    quiet: bool,
    ended: usize,
}

impl StudyObserver for Lines {
    fn trial_end(&mut self, trial: &StudyTrial) {
        self.ended += 1;
        if !self.quiet {
            let _ = writeln!(std::io::stderr().lock(), "trial {}: {}", self.ended, ended(trial));
        }
    }
}

//! What studies cost beyond their trials: scheduling and the store, for a thousand tiny trials; and how fast ten thousand
//! stored trials are read again. `cargo run --release -p seedbed-lab --example study_cost`

use seedbed_data::{DataName, Finder};
use seedbed_lab::record::Environment;
use seedbed_lab::study::Study;
use seedbed_lab::study::destination::{Destination, Finished};
use seedbed_lab::study::file::StudyFile;
use seedbed_lab::study::plan::Plan;
use seedbed_lab::study::run::{DataViews, Runner, run_trial};
use seedbed_lab::study::store::Store;
use std::collections::HashMap;
use std::error::Error;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

const BASELINE: &str = r#"
    [baseline]
    input_shape = [28, 28]
    layers = [{ class_name = "Flatten" }, { class_name = "Dense", units = 16, activation = "relu" },
              { class_name = "Dropout", rate = 0 }, { class_name = "Dense", units = 10, activation = "softmax" }]
    fit = { epochs = 2, batch_size = 32 }
    data = { dataset = "digits", train_size = 2000 }
"#;

fn study(seeds: usize) -> Result<Study, Box<dyn Error>> {
    let head =
        format!("name = 'tiny'\ndesign = 'one-at-a-time'\nseeds = {seeds}\nfactors.dropout = [0, 0.5]\n");
    Ok(Study::new(StudyFile::parse(&(head + BASELINE), Path::new("."))?)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir_in(".")?;
    let loaded = seedbed_data::load(&DataName::Digits, &Finder::default(), &mut |_| {})?;
    let (one, started) = (NonZeroUsize::MIN, "now".to_owned());

    // One trial at a time, so that waiting for the store shows in full.
    let tiny = study(500)?;
    let runner = Runner { study: &tiny, loaded: &loaded, threads: one, started, command: String::new() };
    let mut store = Store::open(&folder.path().join("cost.db"))?;
    let began = Instant::now();
    runner.run(&mut store, &mut (), &AtomicBool::new(false))?;
    let whole = began.elapsed().as_secs_f64();

    let (plan, views) =
        (Plan::new(&tiny, "data", &mut |_| Ok(HashMap::new()))?, DataViews::of(&tiny, &loaded)?);
    let began = Instant::now();
    let mut example = None;
    for planned in &plan.trials {
        example = run_trial(&plan, planned, &views, one, &mut ())?;
    }
    let trials = began.elapsed().as_secs_f64();
    println!(
        "1,000 tiny trials: {whole:.2} s as a study, {trials:.2} s alone: {:+.1}%",
        100.0 * (whole / trials - 1.0)
    );

    let Some(example) = example else { return Ok(()) };
    let large = study(5_000)?;
    let mut store = Store::open(&folder.path().join("large.db"))?;
    let runner = Runner { study: &large, ..runner };
    let (plan, header) = runner.plan(&store)?;
    store.register(&header, &plan)?;
    let environment = Environment::detect(one, "now");
    for planned in &plan.trials {
        let mut trial = example.trial.clone();
        trial.seed = planned.seed;
        let finished = Finished { id: planned.id.clone(), trial, ..example.clone() };
        store.finish(&finished, &environment)?;
    }
    drop(store);
    let began = Instant::now();
    let record = Store::open(&folder.path().join("large.db"))?.record("tiny")?;
    println!("{} stored trials read in {:.2} s", record.trials.len(), began.elapsed().as_secs_f64());
    Ok(())
}

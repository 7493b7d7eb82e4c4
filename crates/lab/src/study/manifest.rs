//! A study's open trials as a file, and their results as files: for machines that share no store.
//!
//! `plan --manifest` writes what is open; any number of workers each run a share of it, wherever the same data are, and write
//! one result file per trial; `collect` brings the files into the store. Every step may be done again: a worker leaves out what
//! has a file, collecting leaves out what is stored.

use super::destination::{Claim, Destination, Finished};
use super::plan::{Plan, PlannedTrial};
use super::run::{DataViews, StudyObserver, run_all};
use super::store::Store;
use super::{Study, file::StudyFile, hash, recipe_hash, tune};
use crate::error::LabError;
use crate::files::write_atomically;
use crate::recipe::Recipe;
use crate::record::{Arm, Environment, StudyRecord, TrialStatus, TunedRecord};
use seedbed_data::Loaded;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// The largest manifest and the largest result file that are read, in bytes.
const MAX_FILE: u64 = 64 << 20;

/// The form of both files.
const VERSION: u32 = 1;

/// A study's open trials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The form of this file.
    pub manifest: u32,
    /// The version of Seedbed that must run it: another one may train other bits.
    pub seedbed_version: String,
    /// The dataset's name.
    pub dataset: String,
    /// The dataset's content: [`Dataset::fingerprint`](seedbed_data::Dataset::fingerprint).
    pub fingerprint: String,
    /// The study file, as one that needs no other.
    pub study: String,
    /// What tuning found for each variant so far.
    pub tuned: Vec<Option<TunedRecord>>,
    /// The identities of the trials that are open.
    pub trials: Vec<String>,
}

/// Which share of a manifest's trials a worker runs: the `part`-th of `parts`, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Which part, from 1.
    pub part: usize,
    /// Of how many, at least 1.
    pub parts: usize,
}

/// One finished trial as a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResultFile {
    result: u32,
    environment: Environment,
    finished: Finished,
}

/// What collecting brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Collected {
    /// Trials that were not stored before.
    pub new: usize,
    /// Trials that were.
    pub known: usize,
    /// Files of trials that the study does not want, left alone.
    pub foreign: usize,
}

impl Manifest {
    /// The trials of a plan that a store does not have, each once.
    ///
    /// # Errors
    /// [`LabError::Store`].
    pub fn of(plan: &Plan<'_>, dataset: &str, store: &Store) -> Result<Self, LabError> {
        let mut seen = store.stored(&plan.trials)?;
        let open = plan.trials.iter().map(|trial| trial.id.clone());
        Ok(Self {
            manifest: VERSION,
            seedbed_version: env!("CARGO_PKG_VERSION").to_owned(),
            dataset: dataset.to_owned(),
            fingerprint: plan.fingerprint.clone(),
            study: plan.study.file.to_toml(),
            tuned: plan.tuned.clone(),
            trials: open.filter(|id| seen.insert(id.clone())).collect(),
        })
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// [`LabError::Io`] if it cannot be read, [`LabError::Study`] if it is none or belongs to another version.
    pub fn read(path: &Path) -> Result<Self, LabError> {
        let manifest: Self = read(path, "manifest")?;
        let ours = env!("CARGO_PKG_VERSION");
        if manifest.manifest != VERSION || manifest.seedbed_version != ours {
            return Err(LabError::Study(format!(
                "manifest {}: expected one for Seedbed {ours}, received one for {}; plan and work with the same version",
                path.display(),
                manifest.seedbed_version
            )));
        }
        Ok(manifest)
    }

    /// Writes the manifest.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), LabError> {
        write(path, self)
    }

    /// The study behind it.
    ///
    /// # Errors
    /// [`LabError::Study`] if the manifest was changed so that it holds none.
    pub fn study(&self) -> Result<Study, LabError> {
        Study::new(StudyFile::parse(&self.study, Path::new("."))?)
    }

    /// Runs a share of the trials and writes a file for each into a folder; those that have one are left out. Returns how
    /// many were run.
    ///
    /// # Errors
    /// [`LabError::Study`] if the data are others or the manifest was changed; [`LabError::Io`] if a file cannot be written.
    pub fn work(
        &self,
        loaded: &Loaded,
        share: Share,
        folder: &Path,
        (threads, started): (NonZeroUsize, &str),
        observer: &mut dyn StudyObserver,
        interrupted: &AtomicBool,
    ) -> Result<usize, LabError> {
        let study = self.study()?;
        let fingerprint = loaded.dataset.fingerprint();
        if fingerprint != self.fingerprint {
            return Err(LabError::Study(format!(
                "the data are others than those the manifest was made with: expected {} with content {}, received {} with content {}",
                self.dataset,
                &self.fingerprint[..self.fingerprint.len().min(16)],
                loaded.dataset.name,
                &fingerprint[..16]
            )));
        }
        study.check(&loaded.dataset)?;
        let plan = Plan::tuned(&study, &fingerprint, self.tuned.clone())?;
        let by_id: HashMap<&str, &PlannedTrial> =
            plan.trials.iter().map(|trial| (trial.id.as_str(), trial)).collect();
        let mut pending = Vec::new();
        for id in self.trials.iter().skip(share.part - 1).step_by(share.parts) {
            let trial = by_id.get(id.as_str()).ok_or_else(|| {
                LabError::Study(format!(
                    "the manifest asks for trial {id}, which its study does not have; was it changed?"
                ))
            })?;
            pending.push((*trial).clone());
        }
        std::fs::create_dir_all(folder).map_err(LabError::io("make the folder", folder))?;
        let views = DataViews::of(&study, loaded)?;
        let environment = Environment::detect(threads, started);
        let mut results = Results { folder: folder.to_owned() };
        let (run, _) =
            run_all(&plan, &pending, (&views, &environment, threads), &mut results, observer, interrupted)?;
        Ok(run)
    }
}

/// A folder of result files.
struct Results {
    folder: PathBuf,
}

impl Results {
    fn place(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }
}

impl Destination for Results {
    fn claim(&mut self, id: &str) -> Result<Claim, LabError> {
        Ok(if self.place(id).exists() { Claim::Stored } else { Claim::Mine })
    }

    fn release(&mut self, _id: &str) -> Result<(), LabError> {
        Ok(())
    }

    fn finish(&mut self, finished: &Finished, environment: &Environment) -> Result<bool, LabError> {
        let (finished, environment) = (finished.clone(), environment.clone());
        write(&self.place(&finished.id), &ResultFile { result: VERSION, environment, finished })?;
        Ok(true)
    }
}

/// Brings result files into the store of the study that planned them.
///
/// # Errors
/// [`LabError::Study`] if there is no such study, or a file is no result of it; [`LabError::Store`], [`LabError::Io`]. What
/// was collected before that is stored.
pub fn collect(store: &mut Store, study: &str, folder: &Path) -> Result<Collected, LabError> {
    let header = store.record(study)?;
    let planned = store.planned(study)?;
    let wanted: HashMap<&str, &PlannedTrial> =
        planned.iter().map(|trial| (trial.id.as_str(), trial)).collect();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(LabError::io("read the folder", folder))?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let mut collected = Collected::default();
    let mut seen = HashSet::new();
    for file in files {
        let ResultFile { result, environment, finished } = read(&file, "result file")?;
        let Some(planned) = wanted.get(finished.id.as_str()).filter(|_| result == VERSION) else {
            collected.foreign += 1;
            continue;
        };
        let finished = checked(finished, planned, &header)
            .map_err(|problem| LabError::Study(format!("result file {}: {problem}", file.display())))?;
        let new = seen.insert(finished.id.clone()) && store.finish(&finished, &environment)?;
        *(if new { &mut collected.new } else { &mut collected.known }) += 1;
    }
    Ok(collected)
}

/// A result with what the study knows better: a file may have been changed on its way.
fn checked(finished: Finished, planned: &PlannedTrial, header: &StudyRecord) -> Result<Finished, String> {
    let variant = header.variants.get(planned.variant).ok_or("its variant is unknown")?;
    let recipe = Recipe::parse(&variant.name, &variant.recipe).map_err(|error| error.to_string())?;
    let (hash, tested) = match planned.arm {
        Arm::Tuning { learning_rate } => {
            let tried = tune::with_rate(&recipe, learning_rate).map_err(|error| error.to_string())?;
            (recipe_hash(&tried), false)
        }
        _ => (hash(&[&variant.recipe], 32), true),
    };
    let (epochs, pictures) = (finished.trial.epochs.len(), finished.predicted.len());
    let whole = match finished.trial.status {
        TrialStatus::Finished => {
            epochs == recipe.fit.epochs && (!tested || pictures == header.test_labels.len())
        }
        TrialStatus::Diverged { .. } => pictures == 0,
        TrialStatus::Interrupted { .. } => false,
    };
    if !whole || finished.trial.seed != planned.seed {
        return Err(format!(
            "expected a whole trial of {}, received {epochs} epochs and {pictures} predictions",
            variant.name
        ));
    }
    Ok(Finished { recipe: hash, tested, ..finished })
}

fn read<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T, LabError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes));
    read.map_err(LabError::io("read", path))?;
    let wrong = |problem: String| LabError::Study(format!("{what} {}: {problem}", path.display()));
    if bytes.len() as u64 > MAX_FILE {
        return Err(wrong(format!("expected at most {} MiB, received more", MAX_FILE >> 20)));
    }
    serde_json::from_slice(&bytes)
        .map_err(|error| wrong(format!("expected what Seedbed wrote, received: {error}")))
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), LabError> {
    let mut bytes = serde_json::to_vec(value).map_err(|error| LabError::Study(error.to_string()))?;
    bytes.push(b'\n');
    write_atomically(path, &bytes)
}

#[cfg(test)]
mod tests {
    use super::super::run::Runner;
    use super::super::tests::study;
    use super::*;
    use crate::testing::loaded;

    const TWO: (NonZeroUsize, &str) = (NonZeroUsize::MIN.saturating_add(1), "now");

    fn runner<'a>(study: &'a Study, loaded: &'a Loaded) -> Runner<'a> {
        let command = "seedbed study run x.toml".to_owned();
        Runner { study, loaded, threads: TWO.0, started: "now".into(), command }
    }

    /// Plans in a store, works in two shares, collects; until nothing is open.
    fn elsewhere(study: &Study, folder: &Path) -> StudyRecord {
        let (loaded, mut store) = (loaded(), Store::in_memory().unwrap());
        let go = AtomicBool::new(false);
        loop {
            let manifest = {
                let runner = runner(study, &loaded);
                let (plan, header) = runner.plan(&store).unwrap();
                store.register(&header, &plan).unwrap();
                Manifest::of(&plan, "digits", &store).unwrap()
            };
            if manifest.trials.is_empty() {
                return store.record("small").unwrap();
            }
            manifest.write(&folder.join("m.json")).unwrap();
            let manifest = Manifest::read(&folder.join("m.json")).unwrap();
            let results = folder.join("results");
            let shares = [1, 2].map(|part| Share { part, parts: 2 });
            let run = shares.map(|share| manifest.work(&loaded, share, &results, TWO, &mut (), &go).unwrap());
            assert!(run[0].abs_diff(run[1]) <= 1 && run[0] + run[1] == manifest.trials.len());
            let again = manifest.work(&loaded, shares[0], &results, TWO, &mut (), &go).unwrap();
            assert_eq!(again, 0, "a worker leaves out what has a file");
            let collected = collect(&mut store, "small", &results).unwrap();
            assert_eq!((collected.new, collected.foreign), (manifest.trials.len(), 0));
            let again = collect(&mut store, "small", &results).unwrap();
            assert_eq!(
                (again.new, again.known),
                (0, collected.new + collected.known),
                "collecting is idempotent"
            );
        }
    }

    #[test]
    fn trials_run_elsewhere_are_those_that_would_have_been_run_here() {
        let head = "design = 'one-at-a-time'\nseeds = 2\ncontrol = true\n\
            tuning = { multipliers = [0.1, 1], seeds = 1, validation_split = 0.25 }";
        let study = study(head, "dropout = [0, 0.5]").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let there = elsewhere(&study, folder.path());
        let (loaded, mut store) = (loaded(), Store::in_memory().unwrap());
        runner(&study, &loaded).run(&mut store, &mut (), &AtomicBool::new(false)).unwrap();
        let here = store.record("small").unwrap();
        let measured = |record: &StudyRecord| {
            let trial = |trial: &crate::record::StudyTrial| {
                let losses: Vec<f64> = trial.trial.epochs.iter().map(|epoch| epoch.test_loss).collect();
                (trial.id.clone(), trial.predicted.clone(), losses)
            };
            record.trials.iter().map(trial).collect::<Vec<_>>()
        };
        assert_eq!(measured(&there), measured(&here));
        assert_eq!((there.test_looks, there.variants), (here.test_looks, here.variants));
    }

    #[test]
    fn other_data_and_changed_files_are_refused() {
        let study = study("design = 'one-at-a-time'\nseeds = 1", "dropout = [0, 0.5]").unwrap();
        let folder = tempfile::tempdir().unwrap();
        elsewhere(&study, folder.path());
        let (mut loaded, go) = (loaded(), AtomicBool::new(false));
        let manifest = Manifest::read(&folder.path().join("m.json")).unwrap();
        let results = folder.path().join("results");
        let work = |manifest: &Manifest, loaded: &Loaded| {
            let share = Share { part: 1, parts: 1 };
            manifest.work(loaded, share, &results, TWO, &mut (), &go).map_err(|error| error.to_string())
        };
        let strange = Manifest { trials: vec!["0".repeat(32)], ..manifest.clone() };
        assert!(
            work(&strange, &loaded).unwrap_err().contains("which its study does not have; was it changed?")
        );
        let changed =
            Manifest { study: manifest.study.replace("rate = 0.0", "rate = 0.1"), ..manifest.clone() };
        assert!(work(&changed, &loaded).is_err());
        loaded.dataset.train.pixels[0] ^= 1;
        assert!(work(&manifest, &loaded).unwrap_err().contains("the data are others than those"));

        let mut store = Store::in_memory().unwrap();
        assert!(collect(&mut store, "small", &results).unwrap_err().to_string().contains("no study small"));
        loaded.dataset.train.pixels[0] ^= 1;
        let runner = runner(&study, &loaded);
        let (plan, header) = runner.plan(&store).unwrap();
        store.register(&header, &plan).unwrap();
        let file = results.join(format!("{}.json", plan.trials[0].id));
        let text = std::fs::read_to_string(&file).unwrap();
        for (from, to, expected) in [
            ("\"finished\"", "{\"interrupted\":{\"epoch\":1}}", "expected a whole trial of baseline"),
            ("\"seed\":0", "\"seed\":1", "expected a whole trial of baseline"),
            ("\"result\"", "\"results\"", "expected what Seedbed wrote"),
        ] {
            let status =
                text.rfind(from).map(|at| text[..at].to_owned() + to + &text[at + from.len()..]).unwrap();
            std::fs::write(&file, status).unwrap();
            let error = collect(&mut store, "small", &results).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("result file"), "{error}");
        }
        for cut in [0, 1, text.len() / 2, text.len() - 3] {
            std::fs::write(&file, &text[..cut]).unwrap();
            assert!(collect(&mut store, "small", &results).is_err());
        }
        std::fs::write(&file, &text).unwrap();
        assert_eq!(collect(&mut store, "small", &results).unwrap().new, 2);
    }
}

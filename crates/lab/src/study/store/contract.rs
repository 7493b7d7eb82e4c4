//! What every store promises, in memory and in a file.

use super::super::plan::Plan;
use super::super::tests::study;
use super::*;
use crate::record::example::{study as example, trial};
use std::collections::HashMap;

/// Calls a check with each kind of store.
fn each(check: impl Fn(Store)) {
    check(Store::in_memory().unwrap());
    let folder = tempfile::tempdir().unwrap();
    check(Store::open(&folder.path().join("store.db")).unwrap());
}

fn environment() -> Environment {
    example(1).environments.remove(0)
}

fn finished(id: &str, recipe: &str, seed: u64) -> Finished {
    let (id, recipe) = (id.to_owned(), recipe.to_owned());
    Finished { id, recipe, tested: true, trial: trial("v", seed, 0.9, 0.8), predicted: vec![1, 0, 2] }
}

/// A small study's plan, and its header.
fn planned(check: impl Fn(&Plan<'_>, &StudyRecord)) {
    let study =
        study("design = 'one-at-a-time'\nseeds = [3, 9223372036854775807]", "dropout = [0, 0.5]").unwrap();
    let plan = Plan::new(&study, "data", &mut |_| Ok(HashMap::new())).unwrap();
    let header = study.header(&plan, example(1).dataset, &[0, 1, 0], "seedbed study run x.toml").unwrap();
    check(&plan, &header);
}

#[test]
fn what_was_finished_is_there_as_it_was() {
    planned(|plan, header| {
        each(|mut store| {
            store.register(header, plan).unwrap();
            assert_eq!(store.record("small").unwrap(), *header, "no trial yet");
            for planned in plan.trials.iter().rev() {
                let mut finished =
                    finished(&planned.id, &format!("recipe {}", planned.variant), planned.seed);
                finished.trial.epochs[0].test_loss = f64::NAN;
                assert!(store.finish(&finished, &environment()).unwrap());
            }
            let record = store.record("small").unwrap();
            let kept: Vec<_> = record.trials.iter().map(|trial| (trial.variant, trial.seed)).collect();
            assert_eq!(
                kept,
                [(0, 3), (0, i64::MAX as u64), (1, 3), (1, i64::MAX as u64)],
                "by variant and seed"
            );
            assert_eq!((record.test_looks, record.environments.len(), record.complete()), (2, 1, true));
            assert_eq!(
                (record.trials[2].trial.model.as_str(), &record.trials[2].predicted),
                ("dropout 0.5", &vec![1, 0, 2])
            );
            assert!(record.trials[2].trial.epochs[0].test_loss.is_nan());
            assert_eq!(store.stored(&plan.trials).unwrap().len(), 4);
            assert_eq!(store.measured(&plan.trials[..1]).unwrap()[&plan.trials[0].id].seed, 3);
        });
    });
}

#[test]
fn storing_twice_changes_nothing() {
    each(|mut store| {
        assert!(store.finish(&finished("a", "r", 1), &environment()).unwrap());
        assert!(!store.finish(&finished("a", "other", 2), &environment()).unwrap());
        assert_eq!(store.claim("a").unwrap(), Claim::Stored);
    });
}

#[test]
fn a_claim_is_held_until_it_is_finished_or_given_back() {
    each(|mut store| {
        assert_eq!(store.claim("a").unwrap(), Claim::Mine);
        assert_eq!(store.claim("a").unwrap(), Claim::Elsewhere);
        assert_eq!(store.sweep().unwrap(), 0, "its owner lives");
        store.release("a").unwrap();
        assert_eq!(store.claim("a").unwrap(), Claim::Mine);
        store.finish(&finished("a", "r", 1), &environment()).unwrap();
        assert_eq!(store.claim("a").unwrap(), Claim::Stored);
    });
}

#[test]
fn looks_at_the_test_set_are_never_forgotten() {
    planned(|plan, header| {
        each(|mut store| {
            store.register(header, plan).unwrap();
            for (planned, recipe) in plan.trials.iter().zip(["one", "two", "one", "two"]) {
                store.finish(&finished(&planned.id, recipe, planned.seed), &environment()).unwrap();
            }
            // A later form of the study wants only the baseline.
            let mut fewer = plan.clone();
            fewer.trials.retain(|trial| trial.variant == 0);
            store.register(header, &fewer).unwrap();
            let record = store.record("small").unwrap();
            assert_eq!((record.trials.len(), record.test_looks), (2, 2));
        });
    });
}

#[test]
fn studies_are_listed_with_how_far_they_are() {
    planned(|plan, header| {
        each(|mut store| {
            assert_eq!(store.studies().unwrap(), []);
            let error = store.record("small").unwrap_err().to_string();
            assert!(error.ends_with("no study small; it has none"), "{error}");
            store.register(header, plan).unwrap();
            let mut diverged = finished(&plan.trials[0].id, "r", 3);
            diverged.trial.status = TrialStatus::Diverged { epoch: 1, reason: "loss is NaN".into() };
            store.finish(&diverged, &environment()).unwrap();
            store.claim(&plan.trials[1].id).unwrap();
            let (name, question) = ("small".to_owned(), String::new());
            let expected = StudyStatus { name, question, planned: 4, stored: 1, diverged: 1, running: 1 };
            assert_eq!(store.studies().unwrap(), [expected]);
            assert_eq!(store.progress("small").unwrap(), [1, 1]);
            assert!(store.record("big").unwrap_err().to_string().ends_with("no study big; it has small"));
        });
    });
}

#[test]
fn a_claim_of_a_process_that_is_gone_is_void() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let [mut one, mut two] = [Store::open(&path).unwrap(), Store::open(&path).unwrap()];
    assert_eq!((one.claim("a").unwrap(), two.claim("a").unwrap()), (Claim::Mine, Claim::Elsewhere));
    assert_eq!((two.sweep().unwrap(), two.claim("a").unwrap()), (0, Claim::Elsewhere));
    drop(one);
    assert_eq!((two.sweep().unwrap(), two.claim("a").unwrap()), (1, Claim::Mine));
}

#[test]
fn what_is_no_store_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let refused = |expected: &str| {
        let error = Store::open(&path).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("x.db"), "{error}");
    };
    assert!(
        Store::open_existing(&path).unwrap_err().to_string().contains("`seedbed study run FILE` makes it")
    );
    assert!(!path.exists());
    std::fs::write(&path, "not a database, but long enough to look like a file of some kind".repeat(9))
        .unwrap();
    refused("expected a store that Seedbed made, received another kind of file");
    std::fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE other (x)").unwrap();
    refused("received another program's database");
    std::fs::remove_file(&path).unwrap();
    drop(Store::open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    refused("written by a newer Seedbed (version 99 of its tables; this one knows 1)");
    let missing = Store::open(&folder.path().join("no/such/folder/x.db")).unwrap_err().to_string();
    assert!(missing.contains("does its folder exist"), "{missing}");
}

#[test]
fn a_damaged_row_is_an_error_and_no_panic() {
    planned(|plan, header| {
        each(|mut store| {
            store.register(header, plan).unwrap();
            store.finish(&finished(&plan.trials[0].id, "r", 3), &environment()).unwrap();
            store.connection.execute("UPDATE trials SET record = '{'", []).unwrap();
            assert!(store.record("small").unwrap_err().to_string().contains("was it changed by hand?"));
        });
    });
}

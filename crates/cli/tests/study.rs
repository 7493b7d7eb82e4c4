//! `seedbed study` from the outside: what it prints, how it ends, and that no kill loses or repeats a trial.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const STUDY: &str = r#"
    name = "small"
    question = "Does anything work?"
    design = "one-at-a-time"
    seeds = 4
    control = true

    [factors]
    dropout = [0, 0.5]
    hidden = [8, 4]

    [baseline]
    input_shape = [28, 28]
    layers = [{ class_name = "Flatten" }, { class_name = "Dense", units = 8, activation = "relu" },
              { class_name = "Dropout", rate = 0 }, { class_name = "Dense", units = 10, activation = "softmax" }]
    fit = { epochs = 1, batch_size = 32 }
    data = { dataset = "digits", train_size = 200 }
"#;

fn folder(study: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("small.toml"), study).unwrap();
    folder
}

fn seedbed(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seedbed"));
    command.arg("study").args(arguments).current_dir(folder);
    command.env_remove("SEEDBED_STORE").env_remove("SEEDBED_DATA").stdin(Stdio::null());
    command
}

fn output(folder: &Path, arguments: &[&str]) -> Output {
    seedbed(folder, arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What was printed, as one line: paragraphs are wrapped.
fn prose(output: &Output) -> String {
    stdout(output).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_study_takes_the_sizes_of_the_data_it_is_given() {
    let folder = folder(STUDY);
    let row = |i: usize| format!("{},{},{}\n", ["low", "mid", "high"][i % 3], i % 3, i % 7);
    let rows: String = (0..60).map(row).collect();
    std::fs::write(folder.path().join("mine.csv"), format!("label,a,b\n{rows}")).unwrap();
    let run = output(
        folder.path(),
        &["run", "small.toml", "--data", "mine.csv", "--set", "train_size=40", "--json"],
    );
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    assert!(stderr(&run).contains("input_shape is (None, 2) instead of (None, 28, 28)"), "{}", stderr(&run));
    let record: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(record["trials"].as_array().unwrap().len(), record["planned"].as_u64().unwrap() as usize);
    let report = output(folder.path(), &["report", "small"]);
    assert_eq!(stderr(&report), "", "the samples are found, split as they were");
}

/// A study's record without what clocks and commands put into it.
fn timeless(folder: &Path) -> Value {
    let exported = output(folder, &["export", "small", "--format", "json"]);
    assert!(exported.status.success(), "{}", stderr(&exported));
    let mut record: Value = serde_json::from_slice(&exported.stdout).unwrap();
    for key in ["environments", "command"] {
        record[key] = Value::Null;
    }
    for trial in record["trials"].as_array_mut().unwrap() {
        trial["trial"]["seconds"] = Value::Null;
        for epoch in trial["trial"]["epochs"].as_array_mut().unwrap() {
            epoch["seconds"] = Value::Null;
        }
    }
    record
}

#[test]
fn a_study_runs_resumes_and_tells() {
    let folder = folder(STUDY);
    let folder = folder.path();
    let planned = output(folder, &["plan", "small.toml"]);
    assert!(planned.status.success(), "{}", stderr(&planned));
    let text = prose(&planned);
    assert!(text.contains("3 variants and 4 seeds: 16 trials, of which 16 open; about "), "{text}");
    assert!(text.contains("0 (baseline), 0.5 layers.*dropout*.rate"), "{text}");
    assert!(!folder.join("seedbed.db").exists(), "looking at a plan leaves nothing behind");

    let run = output(folder, &["run", "small.toml"]);
    assert!(run.status.success(), "{}", stderr(&run));
    let text = prose(&run);
    assert!(text.contains("small: 16 of 16 trials stored, 16 of them now"), "{text}");
    assert!(text.contains("dropout 0.5") && text.contains("baseline"), "{text}");
    assert_eq!(stderr(&run).lines().filter(|line| line.starts_with("trial ")).count(), 16);

    let again = output(folder, &["run", "small.toml", "--seeds", "5", "--json", "--quiet"]);
    assert_eq!((again.status.code(), stderr(&again)), (Some(0), String::new()));
    let record: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(record["trials"].as_array().unwrap().len(), 20);
    assert_eq!(record["dataset"]["name"], "digits");

    let status = output(folder, &["status", "small.toml"]);
    assert!(
        prose(&status).contains("20 of 20 trials stored, 0 running, 0 to go, 0 failed"),
        "{}",
        stdout(&status)
    );
    let list: Value = serde_json::from_slice(&output(folder, &["list", "--json"]).stdout).unwrap();
    assert_eq!((&list[0]["name"], &list[0]["stored"]), (&"small".into(), &20.into()));
    let csv = stdout(&output(folder, &["export", "small"]));
    assert_eq!(csv.lines().count(), 21);
    events(folder);
    let compared = output(folder, &["compare", "small", "small:dropout 0.5"]);
    let text = stdout(&compared);
    assert!(text.contains("\n  − rate = 0.0\n  + rate = 0.5\n") && text.contains("test accuracy"), "{text}");
    let power = prose(&output(folder, &["plan", "small.toml", "--seeds", "5", "--effect", "1"]));
    assert!(power.contains("5 seeds would show") && power.contains("1 points need"), "{power}");
}

/// The study for TensorBoard: a session per trial that answers the question, in a folder that was empty.
fn events(folder: &Path) {
    let export =
        |more: &[&str]| output(folder, &[&["export", "small", "--format", "tensorboard"], more].concat());
    let refused = export(&[]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("expected --output DIR"), "{}", stderr(&refused));
    assert_eq!(export(&["--output", "events"]).status.code(), Some(0));
    let below = |path: &Path| -> Vec<PathBuf> {
        path.read_dir().unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
    };
    let sessions: Vec<PathBuf> =
        below(&folder.join("events")).iter().flat_map(|variant| below(variant)).collect();
    assert_eq!(sessions.len(), 15, "3 variants of 5 seeds: {sessions:?}");
    assert!(sessions.iter().all(|session| session.join("validation").is_dir()));
    let refused = export(&["--output", "events"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("expected a new or empty folder"), "{}", stderr(&refused));
}

#[test]
fn what_cannot_be_run_is_refused_before_any_work() {
    for (from, to, arguments, expected) in [
        ("dropout = [0, 0.5]", "dropot = [0]", [].as_slice(), "did you mean `dropout`?"),
        (
            "dropout = [0, 0.5]",
            "dropout = ['half']",
            &[],
            "factors.dropout, level half: Dropout: invalid type",
        ),
        (
            "hidden = [8, 4]",
            "w = { path = 'layers.conv.units', levels = [4] }",
            &[],
            "the baseline's layers are flatten, dense, dropout, dense_1",
        ),
        ("seeds = 4", "seeds = 4", &["--set", "epochs"], "--set: expected PATH=VALUE"),
        ("seeds = 4", "seeds = 4", &["--seeds", "20000"], "expected 1 to 10000, received 20000"),
        ("seeds = 4", "seeds = 4", &["--store", "no/such/x.db"], "does its folder exist"),
        ("seeds = 4", "seeds = 4", &["--store", "small.toml"], "received another kind of file"),
    ] {
        let folder = folder(&STUDY.replacen(from, to, 1));
        let refused = output(folder.path(), &[&["run", "small.toml"], arguments].concat());
        let error = stderr(&refused);
        assert!(error.contains(expected) && !refused.status.success(), "{error}");
        assert!(error.lines().last().unwrap().starts_with("error: ") || error.contains("error: "), "{error}");
        assert!(!folder.path().join("seedbed.db").exists());
    }
    let levels: Vec<String> = (1..=1000).map(|level| format!("{:?}", f64::from(level) / 2000.0)).collect();
    let large = STUDY.replace("one-at-a-time", "grid").replace(
        "dropout = [0, 0.5]",
        &format!("dropout = [{0}]\nlabel_noise = [{0}]\nl2 = [{0}]", levels.join(",")),
    );
    let folder = folder(&large);
    let began = Instant::now();
    let error = stderr(&output(folder.path(), &["plan", "small.toml"]));
    assert!(error.contains(" levels has 2006006002 cells; at most 10000 can be run"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_changed_file_is_explained() {
    let folder = folder(STUDY);
    let folder = folder.path();
    assert!(output(folder, &["run", "small.toml", "--quiet"]).status.success());
    let fewer = output(folder, &["run", "small.toml", "--seeds", "3"]);
    assert!(
        stderr(&fewer)
            .contains("4 of 16 trials stored for this study no longer belong to it: 1 seed left out"),
        "{}",
        stderr(&fewer)
    );
    assert!(fewer.status.success());
    let other = output(folder, &["run", "small.toml", "--set", "batch_size=16"]);
    let error = stderr(&other);
    assert!(error.contains("fit.batch_size 32 → 16") && error.contains("or say --replace"), "{error}");
    assert_eq!(other.status.code(), Some(1));
    assert!(
        output(folder, &["run", "small.toml", "--set", "batch_size=16", "--replace", "--quiet"])
            .status
            .success()
    );
    let back = prose(&output(folder, &["run", "small.toml", "--replace", "--quiet"]));
    assert!(back.contains("16 of 16 trials stored, 0 of them now"), "{back}");
}

#[test]
fn a_diverged_trial_ends_with_its_own_code() {
    let folder =
        folder(&STUDY.replace("hidden = [8, 4]", "optimizer = [{ name = 'sgd', learning_rate = 1e38 }]"));
    let run = output(folder.path(), &["run", "small.toml"]);
    assert_eq!(run.status.code(), Some(3), "{}", stderr(&run));
    assert!(prose(&run).contains("4 trials diverged: counted as what it is"), "{}", stdout(&run));
}

#[test]
fn workers_elsewhere_give_the_same_study() {
    let [here, there] = [folder(STUDY), folder(STUDY)];
    assert!(output(here.path(), &["run", "small.toml", "--quiet"]).status.success());
    let there = there.path();
    assert!(output(there, &["plan", "small.toml", "--manifest", "m.json"]).status.success());
    for share in ["1/2", "2/2"] {
        let worker = output(there, &["worker", "m.json", "--out", "results", "--share", share]);
        assert!(prose(&worker).contains("8 trials run, one file each in results"), "{}", stderr(&worker));
    }
    let collected = prose(&output(there, &["collect", "small", "results"]));
    assert!(
        collected.contains("16 trials collected, 0 stored already")
            && collected.contains("16 of 16 are there"),
        "{collected}"
    );
    assert_eq!(timeless(there), timeless(here.path()));
    assert!(!output(there, &["worker", "m.json", "--out", "x", "--share", "3/2"]).status.success());
}

/// Kills of a study: how many, from the environment for more than the tests' few.
fn kills() -> u32 {
    std::env::var("SEEDBED_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(12)
}

/// A number from 0 to 1 that looks random and is the same every time.
fn scatter(key: u32) -> f64 {
    (f64::from(key).mul_add(12.9898, 4.1414).sin() * 43_758.545).rem_euclid(1.0)
}

/// Kills a study at scattered moments until it is through. No trial that was reported as stored may be lost, none run twice, and
/// the record must be that of a study that was left alone.
#[test]
#[cfg(target_os = "linux")]
fn no_kill_loses_or_repeats_a_trial() {
    use std::io::{BufRead, BufReader};
    let alone = folder(STUDY);
    let began = Instant::now();
    assert!(output(alone.path(), &["run", "small.toml", "--quiet"]).status.success());
    let whole = began.elapsed();
    let expected = timeless(alone.path());
    let (mut killed, mut round) = (0, 0);
    while killed < kills() {
        let folder = folder(STUDY);
        let mut reported = Vec::new();
        loop {
            round += 1;
            let mut command = seedbed(folder.path(), &["run", "small.toml"]);
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
            std::thread::sleep(whole.mul_f64(1.1 * scatter(round)));
            let done = child.try_wait().unwrap().is_some();
            child.kill().unwrap();
            child.wait().unwrap();
            killed += u32::from(!done);
            let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
            // "trial 3 of 16: dropout 0.5, seed 1: …": the place in the order differs, the trial does not.
            let trial = |line: String| {
                line.split_once(": ").map(|(_, trial)| trial.rsplit_once(": ").unwrap().0.to_owned())
            };
            reported.extend(lines.filter(|line| line.starts_with("trial ")).filter_map(trial));
            if done {
                break;
            }
            let exported = output(folder.path(), &["export", "small"]);
            let kept = stdout(&exported).lines().count().saturating_sub(1);
            assert!(kept >= reported.len(), "{kept} of {} reported trials are there", reported.len());
        }
        let mut once = reported.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), reported.len(), "none was run twice: {reported:?}");
        assert_eq!(timeless(folder.path()), expected);
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 2, "the study file and the store, and nothing that killed processes left");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn processes_share_a_study_and_a_signal_stops_one_cleanly() {
    let folder = folder(&STUDY.replace("seeds = 4", "seeds = 40"));
    let processes: Vec<_> = (0..8)
        .map(|_| {
            seedbed(folder.path(), &["run", "small.toml", "--threads", "1"])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    // One is asked to stop; the others do its part.
    std::thread::sleep(Duration::from_millis(700));
    let asked = Command::new("kill").args(["-INT", &processes[0].id().to_string()]).status().unwrap();
    assert!(asked.success());
    let ended: Vec<Output> =
        processes.into_iter().map(|process| process.wait_with_output().unwrap()).collect();
    let trials = |output: &Output| stderr(output).lines().filter(|line| line.starts_with("trial ")).count();
    for (index, output) in ended.iter().enumerate() {
        let code = output.status.code();
        // The first may have been through before it was asked, or asked before it could listen.
        assert!(
            code == Some(0) || (index == 0 && (code == Some(130) || code.is_none())),
            "{index}: {}",
            stderr(output)
        );
    }
    assert_eq!(ended.iter().map(trials).sum::<usize>(), 160, "none lost, none twice");
    assert_eq!(timeless(folder.path())["trials"].as_array().unwrap().len(), 160);
}

//! The command line as a person or a program meets it: exit codes, streams, messages, files.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use seedbed::lab::recipe::Recipe;
use seedbed::lab::record::LessonRecord;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A lesson that takes a moment.
const SHORT: [&str; 7] = ["lesson", "--data", "digits", "--train-size", "500", "--epochs", "1"];

struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

/// The program in an empty folder of its own, without data, without network, without a terminal.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seedbed"));
        command.args(arguments).current_dir(&self.0).env_remove("SEEDBED_DATA").env_remove("CARGO");
        command.env("XDG_CACHE_HOME", self.path("cache"));
        for proxy in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"] {
            command.env(proxy, "http://127.0.0.1:9");
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let run = Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
        assert!(!run.err.contains("panicked"), "{arguments:?}: {}", run.err);
        run
    }

    fn model(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).unwrap();
        name.to_owned()
    }
}

fn with<'a>(first: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [first, more].concat()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

const SOFTMAX: &str = "input_shape = [28, 28]\n\
    layers = [{ class_name = \"Flatten\" }, { class_name = \"Dense\", units = 10, activation = \"softmax\" }]\n\
    [fit]\nepochs = 2\n[data]\ndataset = \"digits\"\ntrain_size = 500\n";

#[test]
fn the_lesson_teaches_on_stdout_and_logs_on_stderr() {
    let place = Place::new();
    let run = place.run(&SHORT);
    assert_eq!(run.code, Some(0), "{}", run.err);
    for step in 1..=12 {
        assert!(run.out.contains(&format!("Step {step} of 12: ")), "step {step}: {}", run.out);
    }
    for text in
        ["(60000, 28, 28)", "(10000, 28, 28)", "100,480", "101,770", "glorot_normal", "Now it is your turn"]
    {
        assert!(run.out.contains(text), "{text}: {}", run.out);
    }
    assert!(!run.out.contains('\x1b') && !run.err.contains('\x1b'), "no escape codes off a terminal");
    assert!(!run.out.contains("Epoch 1/1"), "progress belongs to stderr");
    let epochs: Vec<&str> = run.err.lines().filter(|line| line.starts_with("Epoch 1/1 - ")).collect();
    assert_eq!(epochs.len(), 3, "one plain line per model: {}", run.err);
    assert!(
        epochs
            .iter()
            .all(|line| line.contains("us/step - accuracy: 0.") || line.contains("ms/step - accuracy: 0."))
    );
    let widest = run.out.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{widest:?}");
    assert!(run.err.lines().all(|line| line.chars().count() <= 80), "{}", run.err);
    let report = fs::read_to_string(place.path("seedbed-lesson.html")).unwrap();
    assert!(report.contains("Three networks on built-in digits"));
    assert!(run.out.contains("is in seedbed-lesson.html"));
}

#[test]
fn json_is_alone_on_stdout_and_the_same_seed_gives_the_same_numbers() {
    let place = Place::new();
    let numbers = |seed: &str| {
        let run = place.run(&with(&SHORT, &["--json", "-", "--seed", seed]));
        assert_eq!(run.code, Some(0), "{}", run.err);
        assert!(run.err.contains("Step 12 of 12"), "the text moves to stderr");
        let json: Value = serde_json::from_str(&run.out).unwrap();
        assert_eq!(json["comparison"]["scores"].as_array().unwrap().len(), 3);
        let record: LessonRecord = serde_json::from_str(&run.out).unwrap();
        assert_eq!(
            record.command,
            format!("seedbed {}", with(&SHORT, &["--json", "-", "--seed", seed]).join(" "))
        );
        let trials = record.models.into_iter().flat_map(|model| model.trials);
        trials
            .map(|trial| trial.epochs.iter().map(|epoch| (epoch.train_loss, epoch.test_accuracy)).collect())
            .collect()
    };
    let first: Vec<Vec<(f64, f64)>> = numbers("3");
    assert_eq!(first, numbers("3"));
    assert_ne!(first, numbers("4"));
}

#[test]
fn several_seeds_are_compared_with_their_spread() {
    let place = Place::new();
    let run = place.run(&with(&SHORT, &["--seeds", "2", "--json", "lesson.json", "--report", "other.html"]));
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.err.contains("trial 6 of 6: "), "{}", run.err);
    assert!(run.out.contains(" ± ") && run.out.contains("95% interval"), "{}", run.out);
    let record: LessonRecord = serde_json::from_slice(&fs::read(place.path("lesson.json")).unwrap()).unwrap();
    assert_eq!(record.seeds, [0, 1]);
    assert!(place.path("other.html").exists() && !place.path("seedbed-lesson.html").exists());
}

#[test]
fn quiet_shows_results_only() {
    let run = Place::new().run(&with(&SHORT, &["--quiet"]));
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
    assert!(run.out.contains("Model 3") && !run.out.contains("Step "), "{}", run.out);
    let run = Place::new().run(&with(&SHORT, &["--quiet", "--json", "-"]));
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
    assert!(serde_json::from_str::<Value>(&run.out).is_ok());
}

#[test]
fn what_cannot_be_is_refused_before_any_work() {
    let place = Place::new();
    let lesson = |more: &[&'static str]| with(&SHORT, more);
    let cases: [(Vec<&str>, i32, &[&str]); 18] = [
        (lesson(&["--init", "glorot_norml"]), 2, &["did you mean `glorot_normal`", "orthogonal"]),
        (lesson(&["--optimizer", "adm"]), 2, &["did you mean `adam`", "rmsprop"]),
        (lesson(&["--loss", "crossentropy"]), 2, &["sparse_categorical_crossentropy", "mean_squared_error"]),
        (lesson(&["--dropout", "1.5"]), 2, &["'1.5'", "from 0 to below 1"]),
        (lesson(&["--dropout", "nan"]), 2, &["'nan'"]),
        (lesson(&["--l2", "-1"]), 2, &["'-1'", "at least 0"]),
        (lesson(&["--seed", "-1"]), 2, &["'-1'", "--seed"]),
        (vec!["lesson", "--epochs", "0"], 2, &["'0'", "at least 1"]),
        (lesson(&["--batch-size", "0"]), 2, &["--batch-size"]),
        (lesson(&["--seeds", "0"]), 2, &["--seeds"]),
        (lesson(&["--hidden", "1000000000000"]), 2, &["1000000000000"]),
        (vec!["lesson", "--data", "digits", "--train-size", "60001"], 2, &["1 to 60000", "60001"]),
        (vec!["lesson", "--data", "mnits"], 2, &["Did you mean \"mnist\"", "digits"]),
        (lesson(&["--dropuot", "0.5"]), 2, &["--dropout"]),
        (lesson(&["--report", "no/such/folder.html"]), 1, &["no/such/folder.html", "folder does not exist"]),
        (lesson(&["--json", "."]), 1, &["cannot write .", "folder"]),
        (vec!["lesson", "--data", "mnist"], 1, &["MNIST is not on this machine", "--data-dir"]),
        (vec!["man", "lessn"], 2, &["unknown command `lessn`", "lesson"]),
    ];
    for (arguments, code, texts) in cases {
        let run = place.run(&arguments);
        assert_eq!(run.code, Some(code), "{arguments:?}: {}", run.err);
        assert!(run.err.starts_with("error: "), "{arguments:?}: {}", run.err);
        assert!(texts.iter().all(|text| run.err.contains(text)), "{arguments:?}: {}", run.err);
        assert!(run.out.is_empty() && !run.err.contains("Epoch"), "{arguments:?}: {}", run.out);
        assert!(!run.err.contains(" { "), "no Debug output: {}", run.err);
    }
    assert!(!place.path("seedbed-lesson.html").exists());
}

#[test]
fn the_fallback_to_the_digits_is_said_at_the_start_and_at_the_end() {
    let run = Place::new().run(&["lesson", "--train-size", "500", "--epochs", "1"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let said: Vec<usize> = run.out.match_indices("This is NOT MNIST").map(|(at, _)| at).collect();
    let step = |number: usize| run.out.find(&format!("Step {number} of 12")).unwrap();
    assert!(said.len() == 2 && said[0] < step(1) && said[1] > step(12), "{}", run.out);
}

#[test]
fn damaged_data_have_an_exit_code_of_their_own() {
    let place = Place::new();
    fs::create_dir_all(place.path("data/mnist")).unwrap();
    fs::write(place.path("data/mnist/train-images-idx3-ubyte"), "junk").unwrap();
    for data in ["mnist", "auto"] {
        let run = place.run(&["lesson", "--data", data, "--data-dir", "data"]);
        assert_eq!(run.code, Some(4), "{}", run.err);
        assert!(run.err.contains("data/mnist") && run.err.contains("train-labels-idx1-ubyte"), "{}", run.err);
    }
}

#[test]
fn a_closed_pipe_ends_the_program_without_a_word() {
    let place = Place::new();
    let mut child = place.command(&SHORT).spawn().unwrap();
    let mut line = String::new();
    BufReader::with_capacity(1, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    // On a busy machine the program may be done before its reader goes.
    let code = child.wait().unwrap().code();
    assert!(matches!(code, Some(0 | 141)), "{code:?}");
    assert!(!err.contains("error") && !err.contains("panicked"), "{err}");
    assert_eq!(line, "What does a training choice really do?\n");
}

#[cfg(unix)]
#[test]
fn signals_leave_a_partial_report() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let place = Place::new();
        let mut child = place.command(&["lesson", "--data", "digits", "--epochs", "100000"]).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || std::io::read_to_string(stdout).unwrap());
        let mut progress = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(progress.any(|line| line.unwrap().starts_with("Epoch 1/")));
        let kill = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        let log: Vec<String> = progress.map(Result::unwrap).collect();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{log:?}");
        assert!(reader.join().unwrap().contains("The lesson was interrupted"));
        let report = fs::read_to_string(place.path("seedbed-lesson.html")).unwrap();
        assert!(report.contains("stopped before it was finished"));
    }
}

#[test]
fn a_model_is_trained_saved_scored_and_asked() {
    let place = Place::new();
    let model = place.model("model.toml", SOFTMAX);
    let train = ["train", &model, "--save", "w.safetensors", "--history", "h.csv", "--seed", "5"];
    let run = place.run(&train);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(
        run.out.starts_with("After 2 epochs: training accuracy ") && run.out.contains("seed 5"),
        "{}",
        run.out
    );
    assert!(run.err.contains("Epoch 2/2 - ") && run.err.contains(" - loss: "), "{}", run.err);
    assert_eq!(fs::read_to_string(place.path("h.csv")).unwrap().lines().count(), 3);

    let json = |arguments: &[&str]| -> Value {
        let run = place.run(arguments);
        assert_eq!(run.code, Some(0), "{arguments:?}: {}", run.err);
        serde_json::from_str(&run.out).unwrap()
    };
    let other = [
        "train",
        &model,
        "--json",
        "--seed",
        "5",
        "--threads",
        "1",
        "--simd",
        "scalar",
        "--save",
        "v.safetensors",
    ];
    let trained = json(&other);
    assert_eq!(
        fs::read(place.path("w.safetensors")).unwrap(),
        fs::read(place.path("v.safetensors")).unwrap()
    );

    let scores = json(&["evaluate", &model, "--weights", "w.safetensors", "--json"]);
    assert_eq!(scores["test"]["accuracy"], trained["trial"]["epochs"][1]["test_accuracy"]);
    assert_eq!((&scores["training"]["pictures"], &scores["test"]["pictures"]), (&500.into(), &10_000.into()));
    assert!(place.run(&["evaluate", &model, "--weights", "w.safetensors"]).out.contains("gap: "));

    let asked = json(&["predict", &model, "--weights", "w.safetensors", "--json", "--index", "3", "9999"]);
    assert_eq!((&asked[0]["index"], &asked[1]["index"]), (&3.into(), &9999.into()));
    let sum: f64 =
        asked[0]["outputs"].as_array().unwrap().iter().map(|output| output.as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-5, "{sum}");
    assert_eq!(place.run(&["predict", &model, "--weights", "w.safetensors"]).out.lines().count(), 12);
    let run = place.run(&["predict", &model, "--weights", "w.safetensors", "--index", "10000"]);
    assert_eq!(run.code, Some(2));
    assert!(run.err.contains("expected 0 to 9999, received 10000"), "{}", run.err);

    let on =
        json(&["train", &model, "--weights", "w.safetensors", "--json", "--no-shuffle", "--epochs", "1"]);
    assert_eq!((&on["recipe"]["fit"]["shuffle"], &on["recipe"]["fit"]["epochs"]), (&false.into(), &1.into()));
    let running = |json: &Value| json["trial"]["epochs"][0]["running_loss"].as_f64().unwrap();
    assert!(running(&on) < running(&trained), "trained weights start lower");
}

#[test]
fn a_trial_that_diverges_has_an_exit_code_of_its_own() {
    let place = Place::new();
    let text = format!(
        "{SOFTMAX}[compile]\noptimizer = {{ name = \"sgd\", learning_rate = 1e38 }}\nloss = \"mse\"\n"
    );
    let model = place.model("model.toml", &text.replace("softmax", "linear"));
    let run = place.run(&["train", &model, "--json"]);
    assert_eq!(run.code, Some(3), "{}{}", run.out, run.err);
    let json: Value = serde_json::from_str(&run.out).unwrap();
    assert!(json["trial"]["status"]["diverged"].is_object(), "{json}");
}

#[test]
fn wrong_model_and_weights_files_are_named() {
    let place = Place::new();
    let model = place.model("model.toml", SOFTMAX);
    let typo = place.model("typo.toml", &SOFTMAX.replace("\"Dense\"", "\"Dens\""));
    let narrow = place.model("narrow.toml", &SOFTMAX.replace("units = 10", "units = 9"));
    place.model("junk.safetensors", "this is no weights file");
    let cases: [(&[&str], i32, &[&str]); 6] = [
        (&["summary", "none.toml"], 1, &["none.toml", "No such file"]),
        (&["plan", &typo], 1, &["typo.toml", "did you mean `Dense`"]),
        (&["train", &narrow], 2, &["10 outputs", "9"]),
        (&["train", &model, "--history", "h.txt"], 2, &[".json or .csv", "h.txt"]),
        (&["train", &model, "--save", "no/w.safetensors"], 1, &["no/w.safetensors"]),
        (
            &["evaluate", &model, "--weights", "junk.safetensors"],
            1,
            &["junk.safetensors", "safetensors file?"],
        ),
    ];
    for (arguments, code, texts) in cases {
        let run = place.run(arguments);
        assert_eq!(run.code, Some(code), "{arguments:?}: {}", run.err);
        assert!(run.err.starts_with("error: "), "{arguments:?}: {}", run.err);
        assert!(texts.iter().all(|text| run.err.contains(text)), "{arguments:?}: {}", run.err);
        assert!(run.out.is_empty() && !run.err.contains("Epoch"), "{arguments:?}: {}", run.out);
    }
}

#[test]
fn the_ready_made_models_are_those_of_the_lesson() {
    let place = Place::new();
    let run = place.run(&with(&SHORT[..5], &["--json", "-", "--quiet", "--epochs", "1"]));
    let lesson: LessonRecord = serde_json::from_str(&run.out).unwrap();
    for (number, model) in (1..).zip(&lesson.models) {
        let path = root().join(format!("models/lesson-{number}.toml"));
        let (file, lesson) = (Recipe::read(&path).unwrap(), Recipe::parse("lesson", &model.recipe).unwrap());
        assert_eq!((file.model, file.compile), (lesson.model, lesson.compile), "model {number}");
        let path = path.display().to_string();
        assert!(place.run(&["summary", &path]).out.contains("Total params: 101,770"));
        let plan: Value = serde_json::from_str(&place.run(&["plan", &path, "--json"]).out).unwrap();
        assert!(
            plan["steps"].as_array().unwrap().iter().any(|step| step["writes"] == "dense/kernel [784, 128]")
        );
        assert!(place.run(&["plan", &path]).out.contains("KernelUpdate"));
    }
}

#[test]
fn datasets_are_listed_and_shown() {
    let place = Place::new();
    let list = place.run(&["data", "list"]);
    assert_eq!(list.code, Some(0));
    assert!(
        ["mnist", "fashion-mnist", "kmnist", "digits"].iter().all(|name| list.out.contains(name)),
        "{}",
        list.out
    );
    let show = place.run(&["data", "show", "digits"]);
    assert_eq!(show.code, Some(0), "{}", show.err);
    assert!(show.out.contains("(60000, 28, 28)") && show.out.contains("class"), "{}", show.out);
    let fetch = place.run(&["data", "fetch", "digits"]);
    assert_eq!(fetch.code, Some(1));
    assert!(fetch.err.contains("nothing to fetch"), "{}", fetch.err);
}

#[test]
fn completions_and_man_pages_know_the_commands() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = place.run(&["completions", shell]);
        assert!(run.code == Some(0) && run.out.contains("lesson"), "{shell}");
    }
    assert!(place.run(&["completions", "bash"]).out.contains("glorot_normal"), "values are completed too");
    assert!(place.run(&["man"]).out.contains("lesson"));
    assert!(place.run(&["man", "lesson"]).out.contains("dropout"));
}

#[test]
fn the_readme_shows_the_first_example_word_by_word() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let (readme, example) = (read("README.md"), read("examples/01-lesson.rs"));
    assert!(readme.contains(&format!("```rust,no_run\n{example}```\n")));
    assert_eq!(readme.matches("cargo test").count(), 1, "one command runs the tests");
}

/// The records are in the program. One of a schedule, in a folder, is changed by a millionth: the certificate is refused,
/// and says which.
#[test]
fn parity_fails_where_a_record_deviates() {
    let place = Place::new();
    let built_in = place.run(&["parity"]);
    assert_eq!(built_in.code, Some(0), "{}", built_in.out);
    assert!(built_in.out.contains(" records of Keras 3.15.1: "), "{}", built_in.out);
    let in_one_line = built_in.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(in_one_line.contains(", 0 deviate, 0 are not understood."), "{}", built_in.out);

    let from = root().join("benches/peers/fixtures");
    for folder in ["parity", "layers"] {
        fs::create_dir(place.path(folder)).unwrap();
        for file in fs::read_dir(from.join(folder)).unwrap() {
            let file = file.unwrap();
            let text = fs::read_to_string(file.path()).unwrap();
            let mut records: Value = serde_json::from_str(&text).unwrap();
            // One record each is enough here; all of them are in the lab's tests.
            for list in ["runs", "metrics", "initializers", "elementwise", "rowwise"] {
                if let Some(list) = records.get_mut(list).and_then(Value::as_array_mut) {
                    list.truncate(1);
                }
            }
            fs::write(place.path(folder).join(file.file_name()), records.to_string()).unwrap();
        }
    }
    let good = place.run(&["parity", "--fixtures", "."]);
    assert_eq!(good.code, Some(0), "{}", good.out);

    let path = place.path("parity/schedules.json");
    let mut records: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let rate = records["schedules"][3]["float64"][2].as_f64().unwrap();
    records["schedules"][3]["float64"][2] = (rate * 1.000_001).into();
    records["schedules"][4]["class_name"] = "Unknown".into();
    fs::write(&path, records.to_string()).unwrap();
    let bad = place.run(&["parity", "--fixtures", ".", "--json"]);
    assert_eq!(bad.code, Some(1));
    let certificate: Value = serde_json::from_str(&bad.out).unwrap();
    assert_eq!(certificate["agrees"], false);
    let rows = |schedule: usize| {
        let name = &records["schedules"][schedule]["name"];
        let rows = certificate["rows"].as_array().unwrap().iter();
        rows.filter(|row| row["group"] == "schedules" && row["name"] == *name).collect::<Vec<_>>()
    };
    let deviates = |row: &Value| {
        let of = &row["measures"][0];
        of["deviation"].as_f64().unwrap() > of["bound"].as_f64().unwrap()
    };
    assert_eq!(rows(3).into_iter().map(deviates).collect::<Vec<_>>(), [false, true]);
    assert!(rows(4).into_iter().all(|row| row["problem"].is_string()));
}

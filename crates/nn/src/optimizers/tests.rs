//! What every optimizer is held to: its first step worked out by hand, a minimum found, a file
//! survived, nonsense refused. (That they are Keras's, step by step, is in `tests/keras_parity.rs`.)

use super::*;

/// Every optimizer with its defaults, and with its options.
fn all() -> Vec<Optimizer> {
    let with_options: [Optimizer; 9] = [
        Sgd { momentum: 0.9, nesterov: false }.into(),
        Sgd { momentum: 0.9, nesterov: true }.into(),
        RmsProp { momentum: 0.5, ..RmsProp::default() }.into(),
        RmsProp { centered: true, ..RmsProp::default() }.into(),
        RmsProp { rho: 0.8, momentum: 0.5, epsilon: 1e-6, centered: true }.into(),
        Adam { amsgrad: true, ..Adam::default() }.into(),
        Adam { beta_1: 0.8, beta_2: 0.95, epsilon: 1e-6, amsgrad: false }.into(),
        Nadam { beta_1: 0.8, beta_2: 0.95, epsilon: 1e-6 }.into(),
        Adagrad { initial_accumulator_value: 0.01, epsilon: 1e-6 }.into(),
    ];
    Optimizer::NAMES.iter().map(|name| name.parse().unwrap()).chain(with_options).collect()
}

/// Walks down a function of two numbers; slots beyond those that the rule asked for are NaN.
struct Walk<'a> {
    optimizer: &'a Optimizer,
    gradient: fn([f64; 2]) -> [f64; 2],
    start: [f64; 2],
    steps: u64,
}

impl RuleVisitor for Walk<'_> {
    type Output = [f64; 2];

    fn visit<R: UpdateRule>(self, rule: R) -> [f64; 2] {
        let start = |slot| if slot < rule.slots() { rule.slot_start() } else { f64::NAN };
        let (mut w, mut slots) = (self.start, [std::array::from_fn(start); 2]);
        let mut memory = [rule.memory_start()];
        for t in 1..=self.steps {
            let scalars = rule.scalars(self.optimizer.learning_rate, t, &mut memory);
            let g = (self.gradient)(w);
            for i in 0..2 {
                w[i] = Optimizer::decay(self.optimizer.weight_decay, self.optimizer.learning_rate, w[i]);
                w[i] = rule.update(&scalars, w[i], g[i], &mut slots[i]);
            }
        }
        w
    }
}

fn walk(optimizer: &Optimizer, gradient: fn([f64; 2]) -> [f64; 2], start: [f64; 2], steps: u64) -> [f64; 2] {
    optimizer.rule.visit(Walk { optimizer, gradient, start, steps })
}

/// From 1, with the gradients 2 and −0.5 and a learning rate of 0.1.
#[test]
fn the_first_step_is_the_one_worked_out_by_hand() {
    // Nadam: u₁ = 0.468, u₂ = 0.48528, m̂ = 0.1·u₂/(1 − u₁u₂)·g + g.
    let nadam = 1.0 + 0.048_528 / (1.0 - 0.468 * 0.485_28);
    for (optimizer, moves) in [
        (Sgd::default().into(), [0.2, -0.05]),
        (Sgd { momentum: 0.9, nesterov: false }.into(), [0.2, -0.05]),
        (Sgd { momentum: 0.9, nesterov: true }.into(), [0.38, -0.095]),
        (RmsProp::default().into(), [0.1 / 0.1_f64.sqrt(), -0.1 / 0.1_f64.sqrt()]),
        (RmsProp { centered: true, ..RmsProp::default() }.into(), [0.1 / 0.3, -0.1 / 0.3]),
        (Adam::default().into(), [0.1, -0.1]),
        (Adam { amsgrad: true, ..Adam::default() }.into(), [0.1, -0.1]),
        (Optimizer::adamw(), [0.1 + 0.0004, -0.1 + 0.0004]),
        (Nadam::default().into(), [0.1 * nadam, -0.1 * nadam]),
        (Adagrad::default().into(), [0.2 / 4.1_f64.sqrt(), -0.05 / 0.35_f64.sqrt()]),
    ] {
        let optimizer: Optimizer = optimizer;
        let end = walk(&optimizer.learning_rate(0.1), |_| [2.0, -0.5], [1.0, 1.0], 1);
        for (end, moved) in end.iter().zip(moves) {
            assert!((1.0 - end - moved).abs() < 3e-6, "{optimizer:?}: moved {}, not {moved}", 1.0 - end);
        }
    }
}

/// (x − 3)² + 10·(y + 1)². AdamW is drawn towards 0 and stops short.
#[test]
fn the_bottom_of_a_parabola_is_found() {
    for optimizer in all() {
        let gradient = |[x, y]: [f64; 2]| [2.0 * (x - 3.0), 20.0 * (y + 1.0)];
        let rate = if matches!(optimizer.rule, Rule::Adagrad(_)) { 0.5 } else { 0.01 };
        let [x, y] = walk(&optimizer.learning_rate(rate), gradient, [0.0, 0.0], 5_000);
        let error = (x - 3.0).abs().max((y + 1.0).abs());
        assert!(error < 0.02, "{optimizer:?} ended at {x}, {y}");
    }
}

/// Rosenbrock's curved valley, (1 − x)² + 100·(y − x²)², from its usual start. Steps that stay as
/// long as RMSprop's end up going to and fro near the bottom.
#[test]
fn the_end_of_rosenbrocks_valley_is_found() {
    for optimizer in all() {
        let gradient = |[x, y]: [f64; 2]| {
            let across = y - x * x;
            [-2.0 * (1.0 - x) - 400.0 * x * across, 200.0 * across]
        };
        let rate = match optimizer.rule {
            Rule::Adagrad(_) => 0.5,
            Rule::Adam(Adam { amsgrad: true, .. }) => 0.01,
            Rule::Sgd(Sgd { momentum, .. }) if momentum > 0.0 => 2e-4,
            _ => 1e-3,
        };
        let optimizer = optimizer.learning_rate(rate).weight_decay(0.0);
        let [x, y] = walk(&optimizer, gradient, [-1.2, 1.0], 100_000);
        let height = (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2);
        assert!(height < 5e-4, "{optimizer:?} ended at {x}, {y}, {height:e} above the bottom");
    }
}

fn read(json: &str) -> Result<Optimizer, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

/// A name alone is read, but never written: what decides a run must be seen in its recipe.
#[test]
fn names_are_read_and_whole_tables_written() {
    for name in Optimizer::NAMES {
        let optimizer: Optimizer = name.parse().unwrap();
        assert_eq!((optimizer.name(), optimizer.validate()), (name, Ok(())));
        assert_eq!(read(&format!("{name:?}")), Ok(optimizer));
        assert_eq!(read(&format!("{{\"name\":{name:?}}}")), Ok(optimizer));
    }
    assert_eq!(
        serde_json::to_string(&Optimizer::adamw()).unwrap(),
        "{\"name\":\"adamw\",\"learning_rate\":0.001,\"weight_decay\":0.004,\"beta_1\":0.9,\"beta_2\":0.999,\
         \"epsilon\":1e-7,\"amsgrad\":false}"
    );
}

#[test]
fn kerass_defaults() {
    let rates = Optimizer::NAMES.map(|name| name.parse::<Optimizer>().unwrap().learning_rate);
    assert_eq!(rates, [0.01, 0.001, 0.001, 0.001, 0.001, 0.001]);
    assert_eq!("AdamW".parse::<Optimizer>().unwrap().weight_decay, 0.004);
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct File {
    optimizer: Optimizer,
}

#[test]
fn options_survive_json_and_toml() {
    for optimizer in all() {
        for optimizer in [optimizer, optimizer.learning_rate(0.3), optimizer.weight_decay(0.01)] {
            let json = serde_json::to_string(&optimizer).unwrap();
            assert_eq!(read(&json), Ok(optimizer), "{json}");
            let file = File { optimizer };
            let toml = toml::to_string(&file).unwrap();
            assert_eq!(toml::from_str(&toml), Ok(file), "{toml}");
        }
    }
    let whole = read(r#"{"name": "SGD", "learning_rate": 1, "momentum": 0}"#);
    assert_eq!(whole, Ok(Optimizer::new(Sgd::default()).learning_rate(1.0)));
}

#[test]
fn bad_input_is_refused_and_explained() {
    for (json, expected) in [
        (r#""adamm""#, "unknown optimizer `adamm`, did you mean `adamw`?; known are sgd, rmsprop, adam, "),
        (r#"{"name": "sgd", "beta_1": 0.9}"#, "sgd: unknown parameter `beta_1`; known are learning_rate, "),
        (
            r#"{"name": "sgd", "momentun": 0.9}"#,
            "sgd: unknown parameter `momentun`, did you mean `momentum`?",
        ),
        (
            r#"{"name": "sgd", "learning_rate": 0}"#,
            "sgd: learning_rate must be a finite number > 0, but is 0",
        ),
        (r#"{"name": "adam", "beta_1": 1}"#, "adam: beta_1 must be from 0 to below 1, but is 1"),
        (r#"{"name": "nadam", "beta_2": -0.1}"#, "nadam: beta_2 must be from 0 to below 1, but is -0.1"),
        (r#"{"name": "rmsprop", "rho": 1.5}"#, "rmsprop: rho must be from 0 to below 1, but is 1.5"),
        (r#"{"name": "rmsprop", "momentum": 1}"#, "rmsprop: momentum must be from 0 to below 1, but is 1"),
        (
            r#"{"name": "adam", "epsilon": -1e-7}"#,
            "adam: epsilon must be a finite number ≥ 0, but is -0.0000001",
        ),
        (r#"{"name": "adamw", "weight_decay": -1}"#, "weight_decay must be a finite number ≥ 0, but is -1"),
        (
            r#"{"name": "adagrad", "initial_accumulator_value": -1}"#,
            "adagrad: initial_accumulator_value must be a finite number ≥ 0, but is -1",
        ),
        (r#"{"name": "sgd", "nesterov": 1}"#, "sgd: invalid type: integer `1`, expected a boolean"),
        (
            r#"{"name": "sgd", "learning_rate": "fast"}"#,
            "sgd: learning_rate: invalid type: string \"fast\", expected f64",
        ),
        (r#"{"learning_rate": 1}"#, "a table needs a `name`"),
        ("3", "expected a name, or a table with a name and parameters"),
    ] {
        let error = read(json).unwrap_err();
        assert!(error.contains(expected), "{json}: {error}");
    }
    for rate in [f64::NAN, f64::INFINITY, -0.1] {
        let error = Optimizer::adamw().learning_rate(rate).validate().unwrap_err().to_string();
        assert_eq!(error, format!("adamw: learning_rate must be a finite number > 0, but is {rate}"));
    }
}

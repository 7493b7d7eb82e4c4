//! What every optimizer is held to: its first step worked out by hand, a minimum found, a file
//! survived, nonsense refused. (That they are Keras's, step by step, is in `crates/lab/tests/keras_parity.rs`.)

use super::*;
use crate::schedules::{CosineDecay, PiecewiseConstantDecay};

/// Every optimizer with its defaults, and with its options.
fn all() -> Vec<Optimizer> {
    let with_options: [Optimizer; 15] = [
        Sgd { momentum: 0.9, nesterov: false }.into(),
        Sgd { momentum: 0.9, nesterov: true }.into(),
        RmsProp { momentum: 0.5, ..RmsProp::default() }.into(),
        RmsProp { centered: true, ..RmsProp::default() }.into(),
        RmsProp { rho: 0.8, momentum: 0.5, epsilon: 1e-6, centered: true }.into(),
        Adam { amsgrad: true, ..Adam::default() }.into(),
        Adam { beta_1: 0.8, beta_2: 0.95, epsilon: 1e-6, amsgrad: false }.into(),
        Nadam { beta_1: 0.8, beta_2: 0.95, epsilon: 1e-6 }.into(),
        Adagrad { initial_accumulator_value: 0.01, epsilon: 1e-6 }.into(),
        Adamax { beta_1: 0.8, beta_2: 0.95, epsilon: 1e-6 }.into(),
        Adadelta { rho: 0.9, epsilon: 1e-4 }.into(),
        Ftrl { learning_rate_power: -0.6, ..Ftrl::default() }.into(),
        Lion { beta_1: 0.8, beta_2: 0.9 }.into(),
        Adafactor { beta_2_decay: -0.7, ..Adafactor::default() }.into(),
        Muon { ns_steps: 7, nesterov: false, ..Muon::default() }.into(),
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

impl Walk<'_> {
    fn rate(&self, t: u64) -> f64 {
        self.optimizer.learning_rate.at(t - 1)
    }
}

impl RuleVisitor for Walk<'_> {
    type Output = [f64; 2];

    fn visit<R: UpdateRule>(self, rule: R) -> [f64; 2] {
        let start = |slot| if slot < rule.slots() { rule.slot_start(slot) } else { f64::NAN };
        let (mut w, mut slots) = (self.start, [std::array::from_fn(start); 2]);
        let mut memory = [rule.memory_start()];
        for t in 1..=self.steps {
            let scalars = rule.scalars(self.rate(t), t, &mut memory);
            let g = (self.gradient)(w);
            for i in 0..2 {
                w[i] = Optimizer::decay(self.optimizer.weight_decay, self.rate(t), w[i]);
                w[i] = rule.update(&scalars, w[i], g[i], &mut slots[i]);
            }
        }
        w
    }

    /// Two numbers as a matrix of one row.
    fn visit_variable<R: VariableRule>(self, rule: &R) -> [f64; 2] {
        let (mut w, [mut m, mut v]) = (self.start, [[0.0; 2]; 2]);
        let mut scratch = vec![f64::NAN; rule.scratch(1, 2)];
        for t in 1..=self.steps {
            let mut g = (self.gradient)(w);
            let rate = self.rate(t);
            w = w.map(|w| Optimizer::decay(self.optimizer.weight_decay, rate, w));
            let slots = [m.as_mut_slice(), v.as_mut_slice()];
            let scratch = scratch.as_mut_slice();
            let (name, shape, cols) = ("dense/kernel", &[1, 2], 2);
            rule.update(
                rate,
                t,
                variable::Variable { name, shape, cols, w: &mut w, g: &mut g, slots, scratch },
            );
        }
        w
    }
}

/// The learning rate for a walk. Steps whose length does not fall with the gradient would end up going to and fro, so
/// theirs falls to 0 along a cosine.
fn rate(rule: &Rule, start: f64, steps: u64) -> LearningRate {
    match rule {
        Rule::Lion(_) | Rule::Lamb(_) | Rule::Adafactor(_) | Rule::Muon(_) | Rule::Adadelta(_) => {
            CosineDecay::new(start, steps).into()
        }
        _ => start.into(),
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
        (Adamax::default().into(), [0.1, -0.1]),
        // √(1e-7)·g / √(0.05·g² + 1e-7)
        (Adadelta::default().into(), [0.1 * 1.414_213_4e-3, -0.1 * 1.414_207_9e-3]),
        // z = g − (√(0.1 + g²) − √0.1)/0.1, w = −0.1·z / √(0.1 + g²)
        (Ftrl::default().into(), [0.254_946_7, 0.450_007_1]),
        (Lion::default().into(), [0.1, -0.1]),
        // Both u are ±1: the ratio of norms is √2/√2.
        (Lamb::default().into(), [0.1, -0.1]),
        // v = mean over rows and columns of one row is g² itself; rms(w) is 1.
        (Adafactor::default().into(), [0.1, -0.1]),
    ] {
        let optimizer: Optimizer = optimizer;
        let end = walk(&optimizer.clone().learning_rate(0.1), |_| [2.0, -0.5], [1.0, 1.0], 1);
        for (end, moved) in end.iter().zip(moves) {
            assert!((1.0 - end - moved).abs() < 3e-6, "{optimizer:?}: moved {}, not {moved}", 1.0 - end);
        }
    }
}

/// (x − 3)² + 10·(y + 1)². AdamW and Muon are drawn towards 0 and stop short.
#[test]
fn the_bottom_of_a_parabola_is_found() {
    for optimizer in all() {
        let gradient = |[x, y]: [f64; 2]| [2.0 * (x - 3.0), 20.0 * (y + 1.0)];
        let start = match optimizer.rule {
            Rule::Adagrad(_) | Rule::Ftrl(_) => 0.5,
            Rule::Adadelta(_) => 1.0,
            _ => 0.01,
        };
        let rate = rate(&optimizer.rule, start, 5_000);
        let [x, y] = walk(&optimizer.clone().learning_rate(rate), gradient, [0.5, 0.5], 5_000);
        let error = (x - 3.0).abs().max((y + 1.0).abs());
        assert!(error < 0.02, "{optimizer:?} ended at {x}, {y}");
    }
}

/// Rosenbrock's curved valley, (1 − x)² + 100·(y − x²)², from its usual start.
#[test]
fn the_end_of_rosenbrocks_valley_is_found() {
    for optimizer in all() {
        let gradient = |[x, y]: [f64; 2]| {
            let across = y - x * x;
            [-2.0 * (1.0 - x) - 400.0 * x * across, 200.0 * across]
        };
        let start = match optimizer.rule {
            Rule::Adagrad(_) | Rule::Ftrl(_) => 0.5,
            Rule::Adadelta(_) => 1.0,
            Rule::Adam(Adam { amsgrad: true, .. }) => 0.01,
            Rule::Sgd(Sgd { momentum, .. }) if momentum > 0.0 => 2e-4,
            _ => 1e-3,
        };
        let rate = rate(&optimizer.rule, start, 100_000);
        let optimizer = optimizer.clone().learning_rate(rate).weight_decay(0.0);
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
        assert_eq!(read(&format!("{name:?}")), Ok(optimizer.clone()));
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
    for name in Optimizer::NAMES {
        let rate = if name == "sgd" { 0.01 } else { 0.001 };
        assert_eq!(name.parse::<Optimizer>().unwrap().learning_rate, rate.into(), "{name}");
    }
    assert_eq!("Muon".parse::<Optimizer>().unwrap().weight_decay, 0.004);
    assert_eq!("AdamW".parse::<Optimizer>().unwrap().weight_decay, 0.004);
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct File {
    optimizer: Optimizer,
}

#[test]
fn options_survive_json_and_toml() {
    for optimizer in all() {
        let with = || optimizer.clone();
        let schedule = PiecewiseConstantDecay::new([3, 5], [0.1, 0.01, 0.001]);
        for optimizer in [
            with(),
            with().learning_rate(0.3),
            with().weight_decay(0.01).exclude_from_weight_decay(&["bias"]).clipvalue(0.5),
            with().learning_rate(schedule).clipnorm(1.0).ema(0.5, Some(3)),
            with().gradient_accumulation_steps(4).global_clipnorm(2.0).ema(0.9, None),
        ] {
            let json = serde_json::to_string(&optimizer).unwrap();
            assert_eq!(read(&json), Ok(optimizer.clone()), "{json}");
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
            "sgd: learning_rate: expected a number, or a table with a schedule's name",
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

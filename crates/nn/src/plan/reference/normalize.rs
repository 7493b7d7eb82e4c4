//! The plain meaning of normalising ops.

use super::{Values, chain, fold, softmax, sum, sum_squares};
use crate::lane::{Lane, PAD};
use crate::ops::{FixedForm, Normalize, RunForm, Statistics};
use std::collections::HashMap;

/// The longest factor of a length; Keras divides by no less than 10⁻¹².
const LIMIT: f64 = 1e12;

impl<R: Lane + PartialOrd> Values<'_, R> {
    /// `weights` only change where the batch's moments move the moving statistics.
    pub(super) fn normalize(&mut self, op: &Normalize, weights: &mut [Vec<R>]) {
        let values: HashMap<_, Vec<R>> = match op {
            Normalize::Runs { form, size, x, y, scale } => {
                let runs = self.get(*x).chunks(*size).map(|run| run_of(*form, run));
                let (numbers, scales): (Vec<_>, Vec<_>) = runs.unzip();
                [(*y, numbers.concat()), (*scale, scales)].into()
            }
            Normalize::RunsGradient { form, size, y, scale, dy, dx } => {
                let runs = self.get(*y).chunks(*size).zip(self.get(*dy).chunks(*size));
                let runs = runs.zip(self.get(*scale));
                [(*dx, runs.flat_map(|((y, dy), &r)| run_gradient(*form, y, dy, r)).collect())].into()
            }
            Normalize::Softmax { size, x, y } => {
                [(*y, self.get(*x).chunks(*size).flat_map(|run| softmax(run).0).collect())].into()
            }
            Normalize::SoftmaxGradient { size, y, dy, dx } => {
                let runs = self.get(*y).chunks(*size).zip(self.get(*dy).chunks(*size));
                let gradient = |(y, dy): (&[R], &[R])| -> Vec<R> {
                    let product = sum_products(y, dy);
                    y.iter().zip(dy).map(|(&y, &dy)| y * (dy - product)).collect()
                };
                [(*dx, runs.flat_map(gradient).collect())].into()
            }
            Normalize::BatchMoments { x, mean, variance, moving, momentum } => {
                let channels = self.width(*mean);
                let n = R::lit((self.get(*x).len() / channels) as f64);
                let of = |c: usize| self.get(*x).iter().copied().skip(c).step_by(channels);
                let means: Vec<R> =
                    (0..channels).map(|c| chain(of(c).map(|x| (x, R::lit(1.0)))) / n).collect();
                let variances: Vec<R> =
                    (0..channels).map(|c| chain(of(c).map(|x| (x - means[c], x - means[c]))) / n).collect();
                for (param, statistics) in moving.iter().zip([&means, &variances]) {
                    for (moving, &statistic) in weights[param.0].iter_mut().zip(statistics) {
                        let share = statistic * R::lit(1.0 - momentum);
                        *moving = moving.mul_add(R::lit(*momentum), share);
                    }
                }
                [(*mean, means), (*variance, variances)].into()
            }
            Normalize::Batch { epsilon, x, mean, variance, y } => {
                let (mean, variance) = (self.get(*mean), self.get(*variance));
                let at = |c: usize, x: R| (x - mean[c]) * factor(variance[c], *epsilon);
                [(*y, self.each(*x, mean.len(), at))].into()
            }
            Normalize::BatchGradientMeans { y, dy, mean_dy, mean_dy_y } => {
                let channels = self.width(*mean_dy);
                let n = R::lit((self.get(*y).len() / channels) as f64);
                let pairs = |c: usize| {
                    self.get(*y).iter().copied().zip(self.get(*dy).iter().copied()).skip(c).step_by(channels)
                };
                let sums = (0..channels).map(|c| chain(pairs(c).map(|(_, dy)| (dy, R::lit(1.0)))) / n);
                let products = (0..channels).map(|c| chain(pairs(c).map(|(y, dy)| (dy, y))) / n);
                [(*mean_dy, sums.collect()), (*mean_dy_y, products.collect())].into()
            }
            Normalize::BatchGradient { epsilon, y, dy, variance, mean_dy, mean_dy_y, dx } => {
                let (v, s, t) = (self.get(*variance), self.get(*mean_dy), self.get(*mean_dy_y));
                let pairs = self.get(*y).iter().zip(self.get(*dy)).enumerate();
                let at = |(i, (&y, &dy)): (usize, (&R, &R))| {
                    let c = i % v.len();
                    factor(v[c], *epsilon) * (-y).mul_add(t[c], dy - s[c])
                };
                [(*dx, pairs.map(at).collect())].into()
            }
            Normalize::Fixed { form, statistics, x, y } => {
                let (mean, variance) = fixed(statistics, weights);
                let at = |c: usize, x: R| match *form {
                    FixedForm::Epsilon { epsilon } => (x - mean[c]) * factor(variance[c], epsilon),
                    FixedForm::Divide => (x - mean[c]) / deviation(variance[c]),
                    FixedForm::Multiply => x.mul_add(deviation(variance[c]), mean[c]),
                };
                [(*y, self.each(*x, mean.len(), at))].into()
            }
            Normalize::FixedGradient { form, statistics, dy, dx } => {
                let (_, variance) = fixed(statistics, weights);
                let at = |c: usize, dy: R| match *form {
                    FixedForm::Epsilon { epsilon } => dy * factor(variance[c], epsilon),
                    FixedForm::Divide => dy / deviation(variance[c]),
                    FixedForm::Multiply => dy * deviation(variance[c]),
                };
                [(*dx, self.each(*dy, variance.len(), at))].into()
            }
        };
        self.all.extend(values);
    }

    /// `f(channel, number)` of every number.
    fn each(&self, x: crate::ops::ValueId, channels: usize, f: impl Fn(usize, R) -> R) -> Vec<R> {
        self.get(x).iter().enumerate().map(|(i, &x)| f(i % channels, x)).collect()
    }
}

/// `1/√(v + ε)`
fn factor<R: Lane>(variance: R, epsilon: f64) -> R {
    R::lit(1.0) / (variance + R::lit(epsilon)).sqrt()
}

/// `max(√v, 10⁻⁷)`
fn deviation<R: Lane>(variance: R) -> R {
    R::lit(1e-7).max(variance.sqrt())
}

/// Mean and variance of every channel.
fn fixed<R: Lane>(statistics: &Statistics, weights: &[Vec<R>]) -> (Vec<R>, Vec<R>) {
    let numbers = |given: &[f64]| given.iter().map(|&x| R::lit(x)).collect();
    match statistics {
        Statistics::Params { mean, variance } => (weights[mean.0].clone(), weights[variance.0].clone()),
        Statistics::Given { mean, variance, .. } => (numbers(mean), numbers(variance)),
    }
}

/// A run's `(y, r)`.
fn run_of<R: Lane>(form: RunForm, run: &[R]) -> (Vec<R>, R) {
    let n = R::lit(run.len() as f64);
    match form {
        RunForm::Variance { epsilon } => {
            let mean = sum(run, |x| x) / n;
            let centred: Vec<R> = run.iter().map(|&x| x - mean).collect();
            let r = factor(sum_squares(&centred) / n, epsilon);
            (centred.iter().map(|&d| d * r).collect(), r)
        }
        RunForm::MeanSquare { epsilon } => {
            let r = factor(sum_squares(run) / n, epsilon);
            (run.iter().map(|&x| x * r).collect(), r)
        }
        RunForm::Length => {
            let r = (R::lit(1.0) / sum_squares(run).sqrt()).min(R::lit(LIMIT));
            (run.iter().map(|&x| x * r).collect(), r)
        }
    }
}

/// `Σ a·b` along a run.
fn sum_products<R: Lane>(a: &[R], b: &[R]) -> R {
    let mut chains = [R::lit(0.0); PAD];
    for (i, (&a, &b)) in a.iter().zip(b).enumerate() {
        chains[i % PAD] = a.mul_add(b, chains[i % PAD]);
    }
    fold(chains)
}

fn run_gradient<R: Lane + PartialOrd>(form: RunForm, y: &[R], dy: &[R], r: R) -> Vec<R> {
    let n = R::lit(y.len() as f64);
    let zero = R::lit(0.0);
    let product = sum_products(y, dy);
    let (s, t) = match form {
        RunForm::Variance { .. } => (sum(dy, |dy| dy) / n, product / n),
        RunForm::MeanSquare { .. } => (zero, product / n),
        RunForm::Length if r < R::lit(LIMIT) => (zero, product),
        RunForm::Length => (zero, zero),
    };
    y.iter().zip(dy).map(|(&y, &dy)| r * (-y).mul_add(t, dy - s)).collect()
}

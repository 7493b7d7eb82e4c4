//! Every kernel as it stands in a model: time, and GFLOP/s against what the machine's multiply-adds reach.
//!
//! `cargo bench -p seedbed-nn --bench kernels`; with a part of a name behind `--`, only those. Inputs are made up: as many
//! zeros as MNIST has in the models named `lesson`, none in the others.

use criterion::{Criterion, Throughput};
use seedbed_nn::plan::StepDescription;
use seedbed_nn::prelude::*;
use std::error::Error;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

/// A model whose steps are timed.
struct Case {
    name: &'static str,
    layers: Sequential,
    optimizer: &'static str,
    batch: usize,
    /// The share of inputs that are not zero.
    lit: f64,
    /// Which steps; all where it is empty.
    only: &'static [&'static str],
}

/// What a thread's core reaches where nothing but multiply-adds is done.
struct Peak(f64);

fn dense_layers(hidden: &[usize], dropout: f64) -> Sequential {
    let mut layers = Sequential::new([784]);
    for &units in hidden {
        layers = layers.add(Dense::new(units).activation(Activation::Relu));
        if dropout > 0.0 {
            layers = layers.add(Dropout::new(dropout));
        }
    }
    layers.add(Dense::new(10).activation(Activation::Softmax))
}

fn convolutions() -> Sequential {
    let conv = |filters| Conv2D::new(filters, 3).activation(Activation::Relu);
    let pooled = |layers: Sequential, filters| layers.add(conv(filters)).add(MaxPooling2D::new(2));
    let layers = pooled(pooled(Sequential::new([28, 28, 1]), 32), 64);
    layers.add(Flatten::new()).add(Dropout::new(0.5)).add(Dense::new(10).activation(Activation::Softmax))
}

fn cases() -> Vec<Case> {
    let case = |name, layers, batch, lit| Case { name, layers, optimizer: "adam", batch, lit, only: &[] };
    let lesson = || dense_layers(&[128], 0.0);
    let mut cases = vec![
        case("lesson", lesson(), 32, 0.19),
        case("dense", lesson(), 32, 1.0),
        case("wide", dense_layers(&[1024; 3], 0.5), 128, 1.0),
        case("conv", convolutions(), 128, 0.19),
    ];
    cases.extend(Optimizer::NAMES.map(|optimizer| Case {
        optimizer,
        only: &["KernelUpdate"],
        ..case(optimizer, lesson(), 32, 0.19)
    }));
    cases
}

/// Numbers by a fixed rule; the share `lit` of them is not zero.
fn numbers(count: usize, lit: f64) -> Vec<f32> {
    (0..count as u64)
        .map(|i| {
            let mixed = i.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (i << 7);
            let unit = |shift: u32| f64::from((mixed >> shift) as u16) / 65_536.0;
            if unit(40) < lit { (0.1 + unit(24)) as f32 } else { 0.0 }
        })
        .collect()
}

impl Case {
    fn run(&self, criterion: &mut Criterion, peak: &Peak) -> Result<(), Box<dyn Error>> {
        let inputs = numbers(784 * self.batch, self.lit);
        let labels: Vec<u16> = (0..self.batch as u16).map(|i| i % 10).collect();
        let examples = Examples::classes(self.layers.input_shape.clone(), &inputs, &labels)?;
        let loss = "sparse_categorical_crossentropy".parse()?;
        let model = self
            .layers
            .clone()
            .compile(Compile::new(self.optimizer.parse::<Optimizer>()?, loss).threads(NonZeroUsize::MIN))?;
        model.each_step(&examples, self.batch, &mut |step, again| {
            if self.only.is_empty() || self.only.contains(&step.step) {
                time(criterion, &format!("{}/{} {}", self.name, step.step, step.writes), step, again, peak);
            }
        })?;
        Ok(())
    }
}

/// Criterion's statistics, and behind them the step's share of the peak, every product counted, those with zeros too.
fn time(criterion: &mut Criterion, name: &str, step: &StepDescription, again: &mut dyn FnMut(), peak: &Peak) {
    let mut group = criterion.benchmark_group("kernels");
    let flops = step.flops as u64;
    group.throughput(if flops > 0 {
        Throughput::Elements(flops)
    } else {
        Throughput::Bytes(step.bytes as u64)
    });
    let mut fastest = f64::INFINITY;
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|count| {
            let start = Instant::now();
            (0..count).for_each(|_| again());
            let elapsed = start.elapsed();
            fastest = fastest.min(elapsed.as_secs_f64() / count as f64);
            elapsed
        });
    });
    group.finish();
    if flops > 0 && fastest.is_finite() {
        let rate = flops as f64 / fastest / 1e9;
        println!("{:>50} {rate:.1} GFLOP/s, {:.0}% of {:.0}", "fastest:", 100.0 * rate / peak.0, peak.0);
    }
}

/// Twelve chains of multiply-adds of eight numbers: enough to hide their latency, few enough for 16 registers.
const CHAINS: usize = 12;

#[inline(always)]
fn chains<const WIDTH: usize>(steps: usize) -> f32 {
    let mut sums = [[0.5_f32; WIDTH]; CHAINS];
    let (factor, addend) = (black_box([0.999_f32; WIDTH]), black_box([0.001_f32; WIDTH]));
    for _ in 0..steps {
        for sum in &mut sums {
            for i in 0..WIDTH {
                sum[i] = sum[i].mul_add(factor[i], addend[i]);
            }
        }
    }
    sums.iter().flatten().sum()
}

/// # Safety
/// The processor has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2_chains(steps: usize) -> f32 {
    chains::<8>(steps)
}

/// # Safety
/// The processor has AVX-512 F.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,fma")]
unsafe fn avx512_chains(steps: usize) -> f32 {
    chains::<16>(steps)
}

impl Peak {
    /// The fastest of many short runs at the level that models use.
    fn measure() -> Self {
        const STEPS: usize = 100_000;
        let level = SimdLevel::detect();
        let width = match level {
            SimdLevel::Scalar => 1,
            SimdLevel::Avx2 => 8,
            SimdLevel::Avx512 => 16,
        };
        let run = || {
            black_box(match level {
                // SAFETY: a level is detected only where its instructions are there.
                #[cfg(target_arch = "x86_64")]
                SimdLevel::Avx512 => unsafe { avx512_chains(black_box(STEPS)) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                SimdLevel::Avx2 => unsafe { avx2_chains(black_box(STEPS)) },
                _ => chains::<1>(black_box(STEPS)),
            });
        };
        let timed = |_| {
            let start = Instant::now();
            run();
            start.elapsed()
        };
        let fastest = (0..200).map(timed).min().unwrap_or(Duration::MAX);
        let peak = (2 * STEPS * CHAINS * width) as f64 / fastest.as_secs_f64() / 1e9;
        println!("{level} multiply-adds: {peak:.0} GFLOP/s on one core");
        Self(peak)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let peak = Peak::measure();
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(20)
        .configure_from_args();
    for case in cases() {
        case.run(&mut criterion, &peak)?;
    }
    criterion.final_summary();
    Ok(())
}

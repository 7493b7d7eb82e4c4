//! What the Rust peers share: command line, MNIST, starting weights by formula, and the lines they print.
//! README.md beside this file describes the contract; `contract.py` is the same for the Python peers.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

pub const PIXELS: usize = 784;
pub const CLASSES: usize = 10;
pub const LEARNING_RATE: f64 = 1e-3;
pub const BETA_1: f64 = 0.9;
pub const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-7;
const TRAINING_PICTURES: usize = 60_000;

#[derive(Clone, Copy, PartialEq)]
pub enum Work {
    Lesson,
    Wide,
    Dense,
    Evaluate,
    Conv,
}

impl Work {
    /// Units of every dense layer, inputs first. The conv net has its own shape.
    pub fn widths(self) -> &'static [usize] {
        match self {
            Work::Wide => &[PIXELS, 1024, 1024, 1024, CLASSES],
            _ => &[PIXELS, 128, CLASSES],
        }
    }

    pub fn batch_size(self) -> usize {
        match self {
            Work::Lesson | Work::Dense => 32,
            Work::Wide | Work::Conv => 128,
            Work::Evaluate => 1000,
        }
    }

    fn dropout(self) -> f64 {
        if matches!(self, Work::Wide | Work::Conv) { 0.5 } else { 0.0 }
    }
}

pub struct Options {
    pub work: Work,
    pub epochs: usize,
    pub threads: usize,
    pub check: bool,
    pub samples: usize,
}

impl Options {
    pub fn parse() -> Result<Self> {
        let mut options =
            Options { work: Work::Lesson, epochs: 1, threads: 1, check: false, samples: TRAINING_PICTURES };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("expected a value after {name}"));
            match name.as_str() {
                "--work" => options.work = work(&value()?)?,
                "--epochs" => options.epochs = value()?.parse()?,
                "--threads" => options.threads = value()?.parse()?,
                "--samples" => options.samples = value()?.parse()?,
                "--check" => options.check = true,
                _ => bail!("expected --work, --epochs, --threads, --samples or --check; received {name}"),
            }
        }
        Ok(options)
    }

    /// Dropout is off in `--check`: no two peers draw the same masks.
    pub fn dropout(&self) -> f64 {
        if self.check { 0.0 } else { self.work.dropout() }
    }
}

fn work(name: &str) -> Result<Work> {
    Ok(match name {
        "lesson" => Work::Lesson,
        "wide" => Work::Wide,
        "dense" => Work::Dense,
        "evaluate" => Work::Evaluate,
        "conv" => Work::Conv,
        _ => bail!("expected lesson, wide, dense, evaluate or conv; received {name}"),
    })
}

/// MNIST's training set as float32, rows of 784, in the order of the files.
pub struct Pictures {
    pub x: Vec<f32>,
    pub y: Vec<u8>,
}

impl Pictures {
    pub fn read(options: &Options) -> Result<Self> {
        let folder = std::env::var_os("SEEDBED_DATA")
            .context("expected SEEDBED_DATA to name a folder with mnist/*.gz")?;
        let mnist = Path::new(&folder).join("mnist");
        let bytes = unpack(&mnist.join("train-images-idx3-ubyte.gz"), 16, TRAINING_PICTURES * PIXELS)?;
        let mut y = unpack(&mnist.join("train-labels-idx1-ubyte.gz"), 8, TRAINING_PICTURES)?;
        let mut x = if options.work == Work::Dense { standardise(&bytes) } else { unit(&bytes) };
        x.truncate(options.samples * PIXELS);
        y.truncate(options.samples);
        Ok(Self { x, y })
    }

    /// The pictures and labels of one batch, copied out.
    pub fn gather(&self, indices: &[usize]) -> (Vec<f32>, Vec<u8>) {
        let mut x = Vec::with_capacity(indices.len() * PIXELS);
        indices.iter().for_each(|&i| x.extend_from_slice(&self.x[i * PIXELS..(i + 1) * PIXELS]));
        (x, indices.iter().map(|&i| self.y[i]).collect())
    }
}

fn unpack(path: &Path, header: usize, length: usize) -> Result<Vec<u8>> {
    let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let mut bytes = Vec::with_capacity(header + length);
    flate2::read::GzDecoder::new(file).read_to_end(&mut bytes)?;
    ensure!(
        bytes.len() == header + length,
        "{}: {} bytes, expected {}",
        path.display(),
        bytes.len(),
        header + length
    );
    Ok(bytes.split_off(header))
}

fn unit(bytes: &[u8]) -> Vec<f32> {
    bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect()
}

/// Mean 0 and deviation 1 over all bytes of the training set.
fn standardise(bytes: &[u8]) -> Vec<f32> {
    let count = bytes.len() as f64;
    let sum: u64 = bytes.iter().map(|&byte| u64::from(byte)).sum();
    let squares: u64 = bytes.iter().map(|&byte| u64::from(byte).pow(2)).sum();
    let mean = sum as f64 / count;
    let deviation = (squares as f64 / count - mean * mean).sqrt();
    bytes.iter().map(|&byte| ((f64::from(byte) - mean) / deviation) as f32).collect()
}

/// SplitMix64's output for the state `x`.
fn mix(x: u64) -> u64 {
    let z = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The starting kernel of the `layer`-th layer with weights, flat: uniform in ±sqrt(6 / (fan in + fan out)).
pub fn kernel(layer: u64, count: usize, fan_in: usize, fan_out: usize) -> Vec<f32> {
    let limit = (6.0 / (fan_in + fan_out) as f64).sqrt();
    let unit = |i: u64| (mix(((100 + layer) << 32).wrapping_add(i)) >> 40) as f64 / 16_777_216.0;
    (0..count as u64).map(|i| ((2.0 * unit(i) - 1.0) * limit) as f32).collect()
}

pub fn dense_kernel(layer: u64, inputs: usize, outputs: usize) -> Vec<f32> {
    kernel(layer, inputs * outputs, inputs, outputs)
}

/// The kernels of the conv net as these peers want them: [out, in, 3, 3] where the formula's order is [3, 3, in, out].
pub fn conv_kernel(layer: u64, inputs: usize, outputs: usize) -> Vec<f32> {
    let formula = kernel(layer, 9 * inputs * outputs, 9 * inputs, 9 * outputs);
    let mut turned = Vec::with_capacity(formula.len());
    for output in 0..outputs {
        for input in 0..inputs {
            turned.extend((0..9).map(|at| formula[(at * inputs + input) * outputs + output]));
        }
    }
    turned
}

/// The conv net's last kernel: its rows counted channel first, where the formula's 5 × 5 × 64 has channels last.
pub fn conv_output_kernel() -> Vec<f32> {
    let formula = dense_kernel(2, 1600, CLASSES);
    let rows = (0..64).flat_map(|channel| (0..25).map(move |at| at * 64 + channel));
    rows.flat_map(|row| formula[row * CLASSES..(row + 1) * CLASSES].to_vec()).collect()
}

/// Keras adds epsilon to sqrt(v); this, added to the bias-corrected sqrt at `step` (from 1), is the same.
pub fn epsilon_at(step: usize) -> f64 {
    EPSILON / (1.0 - BETA_2.powf(step as f64)).sqrt()
}

/// A fresh order of the pictures per epoch; the order of the files in `--check` and in evaluation.
pub fn order(options: &Options, count: usize, epoch: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    if !options.check && options.work != Work::Evaluate {
        for i in (1..count).rev() {
            let word = mix(((epoch as u64) << 32) + i as u64);
            order.swap(i, (word % (i as u64 + 1)) as usize);
        }
    }
    order
}

/// Runs the epochs and prints a line for each. `batch` takes pictures, labels and their number, and gives the sum of
/// losses and the number of right answers.
pub fn run(options: &Options, mut batch: impl FnMut(Vec<f32>, Vec<u8>) -> Result<(f64, f64)>) -> Result<()> {
    let pictures = Pictures::read(options)?;
    println!("{{\"compile_seconds\": 0.0}}");
    for epoch in 1..=options.epochs {
        let start = Instant::now();
        let (mut loss, mut right) = (0.0, 0.0);
        for indices in order(options, pictures.y.len(), epoch).chunks(options.work.batch_size()) {
            let (x, y) = pictures.gather(indices);
            let (batch_loss, batch_right) = batch(x, y)?;
            loss += batch_loss;
            right += batch_right;
        }
        let seconds = start.elapsed().as_secs_f64();
        let count = pictures.y.len() as f64;
        println!(
            "{{\"epoch\": {epoch}, \"seconds\": {seconds}, \"loss\": {}, \"accuracy\": {}}}",
            loss / count,
            right / count
        );
    }
    Ok(())
}

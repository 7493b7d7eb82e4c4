//! The benchmark's work in Candle on its CPU device: tensors, autodiff and AdamW without decay, which is Adam.

#[path = "../../contract.rs"]
mod contract;

use anyhow::Result;
use candle_core::{D, DType, Device, Tensor, Var};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use contract::{BETA_1, BETA_2, CLASSES, LEARNING_RATE, Options, PIXELS, Work};

const CPU: Device = Device::Cpu;

/// Kernel and bias per layer; those of the convolutions come first.
struct Network {
    convolutions: Vec<(Var, Var)>,
    dense: Vec<(Var, Var)>,
    dropout: f32,
}

impl Network {
    fn new(options: &Options) -> Result<Self> {
        let dropout = options.dropout() as f32;
        if options.work == Work::Conv {
            let convolutions = vec![convolution(0, 1, 32)?, convolution(1, 32, 64)?];
            let dense = vec![layer(contract::conv_output_kernel(), &[1600, CLASSES], CLASSES)?];
            return Ok(Self { convolutions, dense, dropout });
        }
        let pairs = options.work.widths().windows(2).enumerate();
        let dense = pairs.map(|(l, w)| layer(contract::dense_kernel(l as u64, w[0], w[1]), w, w[1]));
        Ok(Self { convolutions: Vec::new(), dense: dense.collect::<Result<_>>()?, dropout })
    }

    fn variables(&self) -> Vec<Var> {
        let pairs = self.convolutions.iter().chain(&self.dense);
        pairs.flat_map(|(kernel, bias)| [kernel.clone(), bias.clone()]).collect()
    }

    /// Logits [batch, 10] of pictures [batch, 784].
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        let mut x = if self.convolutions.is_empty() { x } else { self.features(x)? };
        let (last, hidden) = self.dense.split_last().expect("every network has a last layer");
        for (kernel, bias) in hidden {
            x = self.drop(x.matmul(kernel)?.broadcast_add(bias)?.relu()?)?;
        }
        Ok(x.matmul(&last.0)?.broadcast_add(&last.1)?)
    }

    /// [batch, 1600] from the two convolutions, each pooled. The odd last row and column is cut off before pooling
    /// would ignore it: Candle's gradient of max pooling needs sizes that divide.
    fn features(&self, x: Tensor) -> Result<Tensor> {
        let mut x = x.reshape(((), 1, 28, 28))?;
        for (kernel, bias) in &self.convolutions {
            let bias = bias.reshape((1, (), 1, 1))?;
            x = x.conv2d(kernel, 0, 1, 1, 1)?.broadcast_add(&bias)?.relu()?;
            let even = x.dim(2)? / 2 * 2;
            if even < x.dim(2)? {
                x = x.narrow(2, 0, even)?.narrow(3, 0, even)?.contiguous()?;
            }
            x = x.max_pool2d(2)?;
        }
        self.drop(x.flatten_from(1)?)
    }

    fn drop(&self, x: Tensor) -> Result<Tensor> {
        if self.dropout > 0.0 { Ok(candle_nn::ops::dropout(&x, self.dropout)?) } else { Ok(x) }
    }
}

fn layer(kernel: Vec<f32>, shape: &[usize], outputs: usize) -> Result<(Var, Var)> {
    Ok((Var::from_vec(kernel, shape, &CPU)?, Var::zeros(outputs, DType::F32, &CPU)?))
}

fn convolution(index: u64, inputs: usize, outputs: usize) -> Result<(Var, Var)> {
    layer(contract::conv_kernel(index, inputs, outputs), &[outputs, inputs, 3, 3], outputs)
}

fn adam(step: usize) -> ParamsAdamW {
    let eps = contract::epsilon_at(step);
    ParamsAdamW { lr: LEARNING_RATE, beta1: BETA_1, beta2: BETA_2, eps, weight_decay: 0.0 }
}

fn main() -> Result<()> {
    let options = Options::parse()?;
    // SAFETY: no other thread runs yet.
    unsafe { std::env::set_var("RAYON_NUM_THREADS", options.threads.to_string()) };
    let training = options.work != Work::Evaluate;
    let network = Network::new(&options)?;
    let mut optimizer = AdamW::new(network.variables(), adam(1))?;
    let mut step = 0;

    contract::run(&options, |x, y| {
        let count = y.len();
        let x = Tensor::from_vec(x, (count, PIXELS), &CPU)?;
        let y = Tensor::from_vec(y.into_iter().map(u32::from).collect(), count, &CPU)?;
        let logits = network.forward(x)?;
        let loss = candle_nn::loss::cross_entropy(&logits, &y)?;
        if training {
            step += 1;
            optimizer.set_params(adam(step));
            optimizer.backward_step(&loss)?;
        }
        let right = logits.argmax(D::Minus1)?.eq(&y)?.to_dtype(DType::F32)?.sum_all()?;
        Ok((f64::from(loss.to_scalar::<f32>()?) * count as f64, f64::from(right.to_scalar::<f32>()?)))
    })
}

//! The benchmark's work in Burn on its Flex backend: models from `burn::nn`, its Adam, its autodiff.

#[path = "../../contract.rs"]
mod contract;

use anyhow::Result;
use burn::module::Param;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig, Relu};
use burn::optim::{AdamConfig, AdamState, GradientsParams, LearningRate, ModuleOptimizer, Optimizer};
use burn::prelude::*;
use contract::{BETA_1, BETA_2, CLASSES, LEARNING_RATE, Options, PIXELS, Work};

#[derive(Module, Debug)]
struct Network {
    convolutions: Vec<Conv2d>,
    dense: Vec<Linear>,
    pool: MaxPool2d,
    relu: Relu,
    dropout: Dropout,
}

impl Network {
    fn new(options: &Options, device: &Device) -> Self {
        let (convolutions, dense) = if options.work == Work::Conv {
            let output = linear(contract::conv_output_kernel(), 1600, CLASSES, device);
            (vec![convolution(0, 1, 32, device), convolution(1, 32, 64, device)], vec![output])
        } else {
            let layers = options.work.widths().windows(2).enumerate();
            let kernel = |(l, w): (usize, &[usize])| {
                linear(contract::dense_kernel(l as u64, w[0], w[1]), w[0], w[1], device)
            };
            (Vec::new(), layers.map(kernel).collect())
        };
        let pool = MaxPool2dConfig::new([2, 2]).init();
        Self {
            convolutions,
            dense,
            pool,
            relu: Relu::new(),
            dropout: DropoutConfig::new(options.dropout()).init(),
        }
    }

    /// Logits [batch, 10] of pictures [batch, 784].
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let mut x = if self.convolutions.is_empty() { x } else { self.features(x) };
        for hidden in &self.dense[..self.dense.len() - 1] {
            x = self.relu.forward(hidden.forward(x));
            if self.dropout.prob > 0.0 {
                x = self.dropout.forward(x);
            }
        }
        self.dense[self.dense.len() - 1].forward(x)
    }

    /// [batch, 1600] from the two convolutions, each pooled.
    fn features(&self, x: Tensor<2>) -> Tensor<2> {
        let mut x: Tensor<4> = x.reshape([-1, 1, 28, 28]);
        for convolution in &self.convolutions {
            x = self.pool.forward(self.relu.forward(convolution.forward(x)));
        }
        self.dropout.forward(x).flatten(1, 3)
    }
}

fn parameter<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), device))
}

fn linear(kernel: Vec<f32>, inputs: usize, outputs: usize, device: &Device) -> Linear {
    let mut layer = LinearConfig::new(inputs, outputs).init(device);
    layer.weight = parameter(kernel, [inputs, outputs], device);
    layer.bias = Some(parameter(vec![0.0; outputs], [outputs], device));
    layer
}

fn convolution(layer: u64, inputs: usize, outputs: usize, device: &Device) -> Conv2d {
    let mut convolution = Conv2dConfig::new([inputs, outputs], [3, 3]).init(device);
    convolution.weight =
        parameter(contract::conv_kernel(layer, inputs, outputs), [outputs, inputs, 3, 3], device);
    convolution.bias = Some(parameter(vec![0.0; outputs], [outputs], device));
    convolution
}

/// Burn's Adam with the ε of the step at hand.
#[derive(Clone)]
struct KerasAdam;

impl Optimizer for KerasAdam {
    type State<const D: usize> = AdamState<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<AdamState<D>>,
    ) -> (Tensor<D>, Option<AdamState<D>>) {
        let step = state.as_ref().map_or(0, |state| state.momentum.time) + 1;
        let config = AdamConfig::new().with_beta_1(BETA_1 as f32).with_beta_2(BETA_2 as f32);
        config.with_epsilon(contract::epsilon_at(step) as f32).build().step(rate, tensor, gradient, state)
    }

    fn to_device<const D: usize>(state: AdamState<D>, device: &Device) -> AdamState<D> {
        burn::optim::Adam::to_device(state, device)
    }
}

fn right_answers(logits: Tensor<2>, labels: Tensor<1, Int>) -> f64 {
    logits.argmax(1).reshape([-1]).equal(labels).int().sum().into_scalar::<i64>() as f64
}

fn main() -> Result<()> {
    let options = Options::parse()?;
    rayon::ThreadPoolBuilder::new().num_threads(options.threads).build_global()?;
    let training = options.work != Work::Evaluate;
    let device = if training { Device::flex().autodiff() } else { Device::flex() };
    let loss_function = CrossEntropyLossConfig::new().init(&device);
    let mut optimizer = ModuleOptimizer::from(KerasAdam);
    let mut network = Some(Network::new(&options, &device));

    contract::run(&options, |x, y| {
        let count = y.len();
        let x = Tensor::<2>::from_data(TensorData::new(x, [count, PIXELS]), &device);
        let y: Vec<i32> = y.into_iter().map(i32::from).collect();
        let y = Tensor::<1, Int>::from_data(TensorData::new(y, [count]), &device);
        let model = network.take().expect("put back after every batch");
        let logits = model.forward(x);
        let loss = loss_function.forward(logits.clone(), y.clone());
        let sum = f64::from(loss.clone().into_scalar::<f32>()) * count as f64;
        network = Some(if training {
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            optimizer.step(LEARNING_RATE, model, gradients)
        } else {
            model
        });
        Ok((sum, right_answers(logits.detach(), y)))
    })
}

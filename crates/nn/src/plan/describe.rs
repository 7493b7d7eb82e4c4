//! A plan in words: what `seedbed plan MODEL` prints.

use super::fuse::Step;
use super::{Plan, Stage};
use crate::ops::{ParamId, ValueId};
use std::fmt;

/// One step of a plan, for people.
#[derive(Clone, Debug, PartialEq)]
pub struct StepDescription {
    /// What the step is.
    pub step: &'static str,
    /// The layer it came from.
    pub layer: String,
    /// What it writes, and its shape: `dense/relu [batch, 128]`.
    pub writes: String,
    /// Bytes read and written per batch.
    pub bytes: usize,
    /// Multiplications and additions per batch, where the input is dense.
    pub flops: usize,
}

impl Plan {
    /// The steps of a stage for batches of this size.
    pub fn describe(&self, stage: &Stage, batch: usize) -> Vec<StepDescription> {
        stage.steps.iter().map(|step| self.describe_step(stage, step, batch)).collect()
    }

    fn describe_step(&self, stage: &Stage, step: &Step, batch: usize) -> StepDescription {
        let program = &stage.program;
        let param = step.param();
        let writes: Vec<String> = match (step, param) {
            (step, Some(id)) if step.is_update() => {
                let param = &program.params[id.0];
                vec![format!("{} {:?}", param.name, param.spec.shape)]
            }
            _ => step.writes().iter().map(|id| self.value(stage, *id)).collect(),
        };
        let numbers: usize = step.values().iter().map(|id| program.values[id.0].width * batch).sum();
        let weights = param.map_or(0, |id| program.params[id.0].count());
        let layer = step
            .writes()
            .first()
            .and_then(|id| program.values[id.0].layer)
            .or_else(|| param.map(|id| program.params[id.0].layer))
            .map_or_else(String::new, |index| layer_name(stage, index));
        StepDescription {
            step: step.name(),
            layer,
            writes: writes.join(", "),
            bytes: 4 * (numbers + weights * step.passes_over_weights()),
            flops: 2 * weights * batch * step.products(),
        }
    }

    fn value(&self, stage: &Stage, id: ValueId) -> String {
        let value = &stage.program.values[id.0];
        format!("{} [batch, {}]", value.name, value.width)
    }
}

/// The name that values and variables of a layer start with.
fn layer_name(stage: &Stage, index: usize) -> String {
    let program = &stage.program;
    let value = program.values.iter().find(|value| value.layer == Some(index)).map(|value| &value.name);
    let param = program.params.iter().find(|param| param.layer == index).map(|param| &param.name);
    let name = value.or(param).map_or("", String::as_str);
    name.split('/').next().unwrap_or_default().to_owned()
}

impl Step {
    /// What the step is called.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Gather { .. } => "Gather",
            Self::Transpose { .. } => "Transpose",
            Self::Dense { .. } => "Dense",
            Self::Activate { .. } => "Activate",
            Self::Softmax { .. } => "Softmax",
            Self::Affine { .. } => "Affine",
            Self::Multiply { .. } => "Multiply",
            Self::SoftmaxCrossentropy { .. } => "SoftmaxCrossentropy",
            Self::LossSums { .. } => "LossSums",
            Self::Loss { .. } => "Loss",
            Self::Accuracy { .. } => "Accuracy",
            Self::Penalty { .. } => "Penalty",
            Self::InputGradient { .. } => "InputGradient",
            Self::ActivateGradient { .. } => "ActivateGradient",
            Self::SoftmaxGradient { .. } => "SoftmaxGradient",
            Self::ActivityPenalty { .. } => "ActivityPenalty",
            Self::ActivityGradient { .. } => "ActivityGradient",
            Self::KernelUpdate { .. } => "KernelUpdate",
            Self::BiasUpdate { .. } => "BiasUpdate",
            Self::ChannelUpdate { .. } => "ChannelUpdate",
            Self::Channel(op) => op.name(),
            Self::Normalize(op) => op.name(),
            Self::Rowwise(op) => op.name(),
            Self::Noise(op) => op.name(),
            Self::Augment(op) => op.name(),
            Self::Conv(step) => step.name(),
            Self::Pool(op) => op.name(),
            Self::Regularize { .. } => "Regularize",
            Self::Optimize(op) => op.name(),
        }
    }

    fn param(&self) -> Option<ParamId> {
        match *self {
            Self::Dense { kernel, .. }
            | Self::InputGradient { kernel, .. }
            | Self::KernelUpdate { kernel, .. } => Some(kernel),
            Self::BiasUpdate { bias, .. } => Some(bias),
            Self::Penalty { param, .. } | Self::Regularize { param, .. } => Some(param),
            Self::Optimize(ref op) => Some(op.param()),
            Self::ChannelUpdate { w, .. } => Some(w),
            Self::Channel(ref op) => op.param(),
            Self::Conv(ref step) => Some(step.param()),
            _ => None,
        }
    }

    /// How often a sample meets each weight in a product.
    fn products(&self) -> usize {
        match self {
            Self::Dense { .. } | Self::InputGradient { .. } | Self::KernelUpdate { .. } => 1,
            Self::Conv(step) => step.places(),
            _ => 0,
        }
    }

    /// Whether it writes a variable, its gradient or its average.
    fn is_update(&self) -> bool {
        match self {
            Self::KernelUpdate { .. }
            | Self::BiasUpdate { .. }
            | Self::ChannelUpdate { .. }
            | Self::Regularize { .. }
            | Self::Optimize(_) => true,
            Self::Conv(step) => step.is_update(),
            _ => false,
        }
    }

    /// How often a weight is read or written, without the optimizer's slots.
    fn passes_over_weights(&self) -> usize {
        if self.is_update() { 2 } else { 1 }
    }
}

/// A table of the training steps for batches of 32.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const BATCH: usize = 32;
        writeln!(
            f,
            "One step of training, batch {BATCH}, {} and {}:",
            self.optimizer.name(),
            self.loss.name()
        )?;
        writeln!(f, "{:<20} {:<12} {:>12} {:>14}  writes", "step", "layer", "bytes", "FLOPs")?;
        for row in self.describe(&self.train, BATCH) {
            writeln!(
                f,
                "{:<20} {:<12} {:>12} {:>14}  {}",
                row.step, row.layer, row.bytes, row.flops, row.writes
            )?;
        }
        let layout = self.train.layout(BATCH, false);
        write!(
            f,
            "{} numbers of weights, {} of values; padded to whole lanes, {} instructions",
            self.layout.len, layout.len, self.simd
        )
    }
}

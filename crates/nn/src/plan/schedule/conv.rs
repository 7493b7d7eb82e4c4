//! What each thread touches in a convolution's step.

use super::accesses::{ALL, Access, Place};
use super::split::Split;
use crate::kernels::conv::kernel_update::ConvolutionUpdate;
use crate::ops::{Convolution, ParamId};
use crate::plan::fuse::{ConvStep, Step};
use std::ops::Range;

impl Split<'_> {
    /// Taps and filters of a convolution's kernel that move: own columns of all rows, or all columns of own rows; of a
    /// depthwise kernel the filters of own channels.
    pub(crate) fn convolution(&self, kernel: ParamId, of: Convolution) -> (Range<usize>, Range<usize>) {
        let cols = self.program.params[kernel.0].cols();
        if cols != of.filters {
            return (0..of.depth(), self.part.span(of.filters, cols));
        }
        self.share(kernel, of.depth(), self.part.span(of.depth(), ConvolutionUpdate::unit(of)))
    }

    pub(super) fn convolution_accesses(&self, step: &ConvStep) -> Vec<Access> {
        let variable = Place::Param(step.param());
        match *step {
            ConvStep::Forward { bias, .. } => {
                let mut accesses = self.by_samples(&Step::Conv(step.clone()));
                accesses.push(Access::read(variable, ALL, ALL));
                accesses.extend(bias.map(|bias| Access::read(Place::Param(bias), ALL, ALL)));
                accesses
            }
            ConvStep::InputGradient { .. } => {
                let mut accesses = self.by_samples(&Step::Conv(step.clone()));
                accesses.push(Access::read(variable, ALL, ALL));
                accesses
            }
            ConvStep::KernelUpdate { .. } | ConvStep::BiasUpdate { .. } => {
                let read = step.values().into_iter().map(|id| Access::read(Place::Value(id), ALL, ALL));
                read.chain([Access::write(variable, ALL, ALL)]).collect()
            }
        }
    }
}

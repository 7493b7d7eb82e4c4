//! Where every number is: each value and variable has a range in a few flat buffers.
//!
//! Rows are padded to whole lanes ([`PAD`]), and padding stays 0. Variables have the same places in the
//! weights and in every slot buffer. A value may have a *twin*, its transpose
//! `[width, batch]`, where a step asks for one.

use super::fuse::Step;
use crate::lane::PAD;
use crate::ops::{Param, ParamId, Program, ValueId};

/// A matrix in a flat buffer: where it starts, and how far apart its rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The first number's position.
    pub offset: usize,
    /// The distance between rows, in numbers.
    pub stride: usize,
}

/// Rows of 4096 bytes or a multiple fall into the same few cache sets; one more pad spreads them.
fn stride(width: usize) -> usize {
    let padded = width.next_multiple_of(PAD);
    if padded.is_multiple_of(1024) { padded + PAD } else { padded }
}

/// Gives out ranges of a flat buffer.
#[derive(Default)]
struct Ranges {
    end: usize,
}

impl Ranges {
    fn take(&mut self, rows: usize, width: usize) -> Place {
        let place = Place { offset: self.end, stride: stride(width) };
        self.end += rows * place.stride;
        place
    }
}

/// Where a variable is: panels of columns, one after the other, each row by row, so that a thread
/// that owns some columns owns them in one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PanelPlace {
    /// The first number's position.
    pub offset: usize,
    /// Rows of every panel.
    pub rows: usize,
    /// Columns of every panel; the last may have some that are padding.
    pub width: usize,
}

impl PanelPlace {
    /// Where the number in a row and column is.
    pub fn at(&self, row: usize, col: usize) -> usize {
        self.offset + col / self.width * self.rows * self.width + row * self.width + col % self.width
    }
}

/// Columns of a panel where there are several: four of the widest lanes, as many as the products keep
/// in registers.
const PANEL: usize = 4 * PAD;

/// One panel for one thread and up to eight lanes of columns; otherwise enough panels for all.
fn panel_width(cols: usize, threads: usize) -> usize {
    let padded = cols.next_multiple_of(PAD);
    if threads == 1 && padded <= 2 * PANEL {
        padded
    } else {
        padded.div_ceil(threads).next_multiple_of(PAD).min(PANEL)
    }
}

/// Where the variables are.
#[derive(Clone, Debug)]
pub struct ParamLayout {
    places: Vec<PanelPlace>,
    /// The length of the buffer.
    pub len: usize,
}

impl ParamLayout {
    /// Places that suit this many threads.
    pub(super) fn new(params: &[Param], threads: usize) -> Self {
        let mut len = 0;
        let place = |param: &Param| {
            let (rows, width) = (param.rows(), panel_width(param.cols(), threads));
            let place = PanelPlace { offset: len, rows, width };
            len += rows * param.cols().next_multiple_of(width);
            place
        };
        Self { places: params.iter().map(place).collect(), len }
    }

    /// Where a variable is.
    pub fn place(&self, param: ParamId) -> PanelPlace {
        self.places[param.0]
    }
}

/// Where the values of a batch are.
#[derive(Clone, Debug)]
pub struct ValueLayout {
    values: Vec<Option<Place>>,
    twins: Vec<Option<Place>>,
    /// The length of the buffer.
    pub len: usize,
}

impl ValueLayout {
    /// Places for the values that the steps touch, for batches of up to `batch` samples.
    ///
    /// A sparse input's numbers by input stand in its transpose; the input itself has no place.
    pub(super) fn new(program: &Program, steps: &[Step], batch: usize, sparse: bool) -> Self {
        let mut ranges = Ranges::default();
        let mut values = vec![None; program.values.len()];
        let mut twins = values.clone();
        if sparse {
            twins[0] = Some(ranges.take(program.values[0].width, batch));
        }
        for step in steps {
            for id in step.values().into_iter().filter(|id| !sparse || id.0 != 0) {
                values[id.0].get_or_insert_with(|| ranges.take(batch, program.values[id.0].width));
            }
            if let Some(id) = step.twin() {
                twins[id.0].get_or_insert_with(|| ranges.take(program.values[id.0].width, batch));
            }
        }
        Self { values, twins, len: ranges.end }
    }

    /// Where a value is.
    ///
    /// # Panics
    /// Where no step touches the value: the layout was made from other steps.
    pub fn value(&self, id: ValueId) -> Place {
        #[expect(clippy::expect_used, reason = "every value of every step was placed in `new`")]
        self.values[id.0].expect("the value of a step")
    }

    /// Where a value's transpose is.
    ///
    /// # Panics
    /// As [`ValueLayout::value`].
    pub fn twin(&self, id: ValueId) -> Place {
        #[expect(clippy::expect_used, reason = "every twin of every step was placed in `new`")]
        self.twins[id.0].expect("the twin of a step")
    }
}

impl Step {
    /// The values that the step reads or writes.
    pub fn values(&self) -> Vec<ValueId> {
        let some = |ids: &[Option<ValueId>]| ids.iter().flatten().copied().collect();
        match *self {
            Self::Gather { out } | Self::DropoutMask { out, .. } => vec![out],
            Self::Transpose { x } => vec![x],
            Self::Dense { x, matmul, active, factor, out, .. } => {
                some(&[Some(x), matmul, active, factor, Some(out)])
            }
            Self::Activate { x, out, .. } | Self::Softmax { x, out } | Self::Affine { x, out, .. } => {
                vec![x, out]
            }
            Self::Multiply { x, factor, out } => vec![x, factor, out],
            Self::SoftmaxCrossentropy { logits, probabilities, dlogits, .. } => {
                some(&[Some(logits), Some(probabilities), dlogits])
            }
            Self::Loss { prediction, dprediction, .. } => some(&[Some(prediction), dprediction]),
            Self::Accuracy { prediction } => vec![prediction],
            Self::Penalty { .. } => vec![],
            Self::InputGradient { dy, factor, activation, out, .. } => {
                some(&[Some(dy), factor, activation.map(|(_, v)| v), Some(out)])
            }
            Self::ActivateGradient { v, dy, dx, .. } => vec![v, dy, dx],
            Self::SoftmaxGradient { y, dy, dx } => vec![y, dy, dx],
            Self::KernelUpdate { x, dy, .. } => vec![x, dy],
            Self::BiasUpdate { dy, .. } => vec![dy],
        }
    }

    /// The values that the step writes.
    pub fn writes(&self) -> Vec<ValueId> {
        let some = |ids: &[Option<ValueId>]| ids.iter().flatten().copied().collect();
        match *self {
            Self::Gather { out }
            | Self::DropoutMask { out, .. }
            | Self::Activate { out, .. }
            | Self::Softmax { out, .. }
            | Self::Affine { out, .. }
            | Self::Multiply { out, .. }
            | Self::InputGradient { out, .. } => vec![out],
            Self::Dense { matmul, active, out, .. } => some(&[matmul, active, Some(out)]),
            Self::SoftmaxCrossentropy { probabilities, dlogits, .. } => some(&[Some(probabilities), dlogits]),
            Self::Loss { dprediction, .. } => some(&[dprediction]),
            Self::ActivateGradient { dx, .. } | Self::SoftmaxGradient { dx, .. } => vec![dx],
            Self::Transpose { .. }
            | Self::Accuracy { .. }
            | Self::Penalty { .. }
            | Self::KernelUpdate { .. }
            | Self::BiasUpdate { .. } => vec![],
        }
    }

    /// The value whose transpose the step writes.
    pub fn twin(&self) -> Option<ValueId> {
        match *self {
            Self::Transpose { x } => Some(x),
            // The product is made transposed, vectorised over samples, and turned back.
            Self::InputGradient { out, .. } => Some(out),
            _ => None,
        }
    }
}

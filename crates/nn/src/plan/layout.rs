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
pub(crate) const PANEL: usize = 4 * PAD;

/// Enough panels for all threads.
fn panel_width(cols: usize, threads: usize) -> usize {
    let padded = cols.next_multiple_of(PAD);
    padded.div_ceil(threads).next_multiple_of(PAD).min(PANEL)
}

/// Where the variables are.
#[derive(Clone, Debug)]
pub struct ParamLayout {
    places: Vec<PanelPlace>,
    /// How many numbers each variable takes, padding included.
    lens: Vec<usize>,
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
        let places: Vec<PanelPlace> = params.iter().map(place).collect();
        let ends = places.iter().skip(1).map(|place| place.offset).chain([len]);
        let lens = places.iter().zip(ends).map(|(place, end)| end - place.offset).collect();
        Self { places, lens, len }
    }

    /// How many numbers a variable takes from its place on, padding included.
    pub fn len_of(&self, param: ParamId) -> usize {
        self.lens[param.0]
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
    /// A sparse input stands in lists and has no place here.
    pub(super) fn new(program: &Program, steps: &[Step], batch: usize, sparse: bool) -> Self {
        let mut ranges = Ranges::default();
        let mut values = vec![None; program.values.len()];
        let mut twins = values.clone();
        for step in steps {
            for id in step.values().into_iter().filter(|id| !sparse || id.0 != 0) {
                let value = &program.values[id.0];
                let rows = if value.per_batch { 1 } else { batch };
                values[id.0].get_or_insert_with(|| ranges.take(rows, value.width));
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
            Self::Gather { out } => vec![out],
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
            Self::LossSums { prediction, sums } => vec![prediction, sums],
            Self::Loss { prediction, sums, dprediction, .. } => some(&[Some(prediction), sums, dprediction]),
            Self::Accuracy { prediction } => vec![prediction],
            Self::Penalty { .. } => vec![],
            Self::InputGradient { dy, factor, activation, out, .. } => {
                some(&[Some(dy), factor, activation.map(|(_, v)| v), Some(out)])
            }
            Self::ActivateGradient { v, dy, dx, .. } => vec![v, dy, dx],
            Self::SoftmaxGradient { y, dy, dx } => vec![y, dy, dx],
            Self::ActivityPenalty { x, .. } => vec![x],
            Self::ActivityGradient { x, dy, dx, .. } => vec![x, dy, dx],
            Self::KernelUpdate { x, dy, .. } => vec![x, dy],
            Self::BiasUpdate { dy, .. } => vec![dy],
            Self::Channel(ref op) => [op.reads(), op.writes()].concat(),
            Self::Normalize(ref op) => [op.reads(), op.writes()].concat(),
            Self::Rowwise(ref op) => [op.reads(), op.writes()].concat(),
            Self::Noise(ref op) => [op.reads(), op.writes()].concat(),
            Self::Augment(ref op) => [op.reads(), op.writes()].concat(),
            Self::ChannelUpdate { x, dy, .. } => vec![x, dy],
            Self::Conv(ref step) => step.values(),
            Self::Pool(op) => [op.reads(), op.writes()].concat(),
            Self::Regularize { .. } | Self::Optimize(_) => vec![],
        }
    }

    /// The values that the step writes.
    pub fn writes(&self) -> Vec<ValueId> {
        let some = |ids: &[Option<ValueId>]| ids.iter().flatten().copied().collect();
        match *self {
            Self::Gather { out }
            | Self::Activate { out, .. }
            | Self::Softmax { out, .. }
            | Self::Affine { out, .. }
            | Self::Multiply { out, .. }
            | Self::InputGradient { out, .. } => vec![out],
            Self::Dense { matmul, active, out, .. } => some(&[matmul, active, Some(out)]),
            Self::SoftmaxCrossentropy { probabilities, dlogits, .. } => some(&[Some(probabilities), dlogits]),
            Self::LossSums { sums, .. } => vec![sums],
            Self::Loss { dprediction, .. } => some(&[dprediction]),
            Self::ActivateGradient { dx, .. }
            | Self::SoftmaxGradient { dx, .. }
            | Self::ActivityGradient { dx, .. } => vec![dx],
            Self::Channel(ref op) => op.writes(),
            Self::Normalize(ref op) => op.writes(),
            Self::Rowwise(ref op) => op.writes(),
            Self::Noise(ref op) => op.writes(),
            Self::Augment(ref op) => op.writes(),
            Self::Transpose { .. }
            | Self::Accuracy { .. }
            | Self::Penalty { .. }
            | Self::ActivityPenalty { .. }
            | Self::Regularize { .. }
            | Self::Optimize(_)
            | Self::KernelUpdate { .. }
            | Self::BiasUpdate { .. }
            | Self::ChannelUpdate { .. } => vec![],
            Self::Conv(ref step) => step.writes(),
            Self::Pool(op) => op.writes(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fuse::fuse;
    use crate::plan::lower::{Purpose, lower};
    use crate::prelude::*;
    use std::ops::Range;

    /// Models whose widths are one number, below, at and above whole lanes, panels and pages.
    fn programs() -> Vec<Program> {
        let widths = [1, 15, 16, 17, 64, 65, 128, 129, 300, 1024];
        let model = |&width: &usize| {
            Sequential::new([width])
                .add(Dense::new(width).activation(Activation::Gelu { approximate: false }))
                .add(Dropout::new(0.5))
                .add(Dense::new(width + 1).use_bias(false))
                .add(ActivationLayer::new(Activation::Softmax))
                .add(Dense::new(3).activation(Activation::Softmax))
        };
        let loss = "sparse_categorical_crossentropy".parse().unwrap();
        widths.iter().map(|width| lower(&model(width), Purpose::Train(loss)).unwrap()).collect()
    }

    /// Whether ranges are apart from each other and inside the buffer.
    fn assert_apart(mut ranges: Vec<Range<usize>>, len: usize) {
        ranges.sort_by_key(|range| range.start);
        for pair in ranges.windows(2) {
            assert!(pair[0].end <= pair[1].start, "{:?} and {:?} overlap", pair[0], pair[1]);
        }
        assert!(ranges.last().is_some_and(|last| last.end <= len), "{ranges:?} beyond {len}");
        assert!(ranges.iter().all(|range| range.start < range.end));
    }

    fn range(place: Place, rows: usize, width: usize) -> Range<usize> {
        assert!(place.offset.is_multiple_of(PAD) && place.stride.is_multiple_of(PAD), "{place:?}");
        assert!(place.stride >= width && !place.stride.is_multiple_of(1024), "{place:?} for {width}");
        place.offset..place.offset + rows * place.stride
    }

    #[test]
    fn no_two_values_share_a_number() {
        for (program, batch) in
            programs().iter().flat_map(|program| [1, 16, 33].map(|batch| (program, batch)))
        {
            let steps = fuse(program);
            let mut used: Vec<ValueId> = steps.iter().flat_map(Step::values).collect();
            let mut twins: Vec<ValueId> = steps.iter().filter_map(Step::twin).collect();
            for list in [&mut used, &mut twins] {
                list.sort();
                list.dedup();
            }
            assert!(!twins.is_empty());
            let width = |id: ValueId| program.values[id.0].width;
            let layout = ValueLayout::new(program, &steps, batch, false);
            let values = used.iter().map(|&id| range(layout.value(id), batch, width(id)));
            let turned = twins.iter().map(|&id| range(layout.twin(id), width(id), batch));
            assert_apart(values.chain(turned.clone()).collect(), layout.len);

            // A sparse input stands in lists, not here.
            let layout = ValueLayout::new(program, &steps, batch, true);
            let values =
                used.iter().filter(|id| id.0 != 0).map(|&id| range(layout.value(id), batch, width(id)));
            let turned = twins.iter().map(|&id| range(layout.twin(id), width(id), batch));
            assert_apart(values.chain(turned).collect(), layout.len);
        }
    }

    /// Panels are whole lanes, a row of a panel is in one piece, and every number has its own place.
    #[test]
    fn no_two_weights_share_a_number() {
        for (program, threads) in programs().iter().flat_map(|program| [1, 2, 3, 8].map(|n| (program, n))) {
            let layout = ParamLayout::new(&program.params, threads);
            let mut taken = vec![false; layout.len];
            for (index, param) in program.params.iter().enumerate() {
                let place = layout.place(ParamId(index));
                assert!(place.offset.is_multiple_of(PAD) && place.width.is_multiple_of(PAD), "{place:?}");
                assert_eq!(place.rows, param.rows());
                // With the padding of the last panel.
                let cols = param.cols().next_multiple_of(place.width);
                for (row, col) in (0..param.rows()).flat_map(|row| (0..cols).map(move |col| (row, col))) {
                    let at = place.at(row, col);
                    assert!(!std::mem::replace(&mut taken[at], true), "{}: {row}, {col}", param.name);
                    let starts_panel = col % place.width == 0;
                    assert!(starts_panel || at == place.at(row, col - 1) + 1);
                }
            }
            assert!(taken.iter().all(|&taken| taken), "{threads} threads: there are gaps");
        }
    }

    /// Each of two threads gets a panel of the lesson's hidden layer.
    #[test]
    fn there_are_panels_for_all_threads() {
        for (cols, threads, width) in
            [(10, 1, 16), (10, 2, 16), (128, 1, 64), (128, 2, 64), (128, 4, 32), (300, 1, 64), (512, 2, 64)]
        {
            assert_eq!(panel_width(cols, threads), width, "{cols} columns, {threads} threads");
        }
    }
}

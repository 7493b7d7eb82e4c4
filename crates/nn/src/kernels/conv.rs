//! Convolution at machine speed: products of a picture's pixels with a kernel, without ever writing the matrix of
//! all windows.
//!
//! Every pixel that a product needs is at `start of the picture + offset of the place + offset of the tap`, so two
//! short tables of offsets replace that matrix. Where there is padding, a sample is first copied into a picture that
//! has it. Kernels are packed anew for every step, in the order in which the products read them: a few microseconds.
//!
//! ```text
//!                         taps: (ky, kx, c) of the window           filters
//!   places: (oy, ox)   ┌──────────────────────────────┐          ┌───────────┐
//!   of the output      │ x[place + tap]               │    ×     │ kernel    │ taps
//!                      └──────────────────────────────┘          └───────────┘
//! ```

pub(crate) mod forward;
pub(crate) mod input_gradient;
pub(crate) mod kernel_update;

use super::matrix::{Matrix, Panels};
use super::pool::unpool;
use super::scratch::Scratch;
use crate::lane::{F32Lane, PAD};
use crate::ops::Convolution;
use crate::window::Window;
use std::ops::Range;

/// A picture as products read it, with its padding.
#[derive(Clone, Copy)]
struct Field {
    window: Window,
    /// Rows and columns with padding.
    size: [usize; 2],
    /// Whether a sample must be copied to be read so.
    is_copied: bool,
}

impl Field {
    fn new(window: Window) -> Self {
        let needed = |axis: usize| {
            let reach = (window.size[axis] - 1) * window.dilation[axis] + 1;
            (window.output[axis] - 1) * window.strides[axis] + reach
        };
        let size = [0, 1].map(|axis| needed(axis).max(window.before[axis] + window.input[axis]));
        Self { window, size, is_copied: size != window.input }
    }

    /// How many numbers it has; lanes may reach up to [`PAD`] beyond.
    fn len(&self) -> usize {
        self.size[0] * self.size[1] * self.window.channels + PAD
    }

    /// How far the window's first pixel is from the picture's at a place.
    fn place(&self, oy: usize, ox: usize) -> usize {
        let strides = self.window.strides;
        (oy * strides[0] * self.size[1] + ox * strides[1]) * self.window.channels
    }

    /// How far the pixel at a position of the window is from its first.
    fn position(&self, ky: usize, kx: usize) -> usize {
        let dilation = self.window.dilation;
        (ky * dilation[0] * self.size[1] + kx * dilation[1]) * self.window.channels
    }

    /// Where row `iy` of the picture itself starts.
    fn row(&self, iy: usize) -> usize {
        let before = self.window.before;
        ((iy + before[0]) * self.size[1] + before[1]) * self.window.channels
    }

    /// Writes the offset of every place.
    ///
    /// # Safety
    /// `to` must be valid for all places.
    unsafe fn write_places(&self, to: *mut u32) {
        let [rows, columns] = self.window.output;
        for (place, (oy, ox)) in (0..rows).flat_map(|oy| (0..columns).map(move |ox| (oy, ox))).enumerate() {
            // SAFETY: as the caller promises.
            unsafe { *to.add(place) = self.place(oy, ox) as u32 }
        }
    }

    /// The sample at `from` with its padding: itself, or copied to `to`, whose padding is 0.
    ///
    /// # Safety
    /// `from` must be a sample, `to` valid for the field where there is padding.
    #[inline(always)]
    unsafe fn sample(&self, from: *const f32, to: *mut f32) -> *const f32 {
        if !self.is_copied {
            return from;
        }
        let width = self.window.input[1] * self.window.channels;
        for iy in 0..self.window.input[0] {
            // SAFETY: as the caller promises.
            unsafe { std::ptr::copy_nonoverlapping(from.add(iy * width), to.add(self.row(iy)), width) }
        }
        to
    }
}

/// Writes the offset of every tap of a group: position by position, channel by channel.
///
/// # Safety
/// `to` must be valid for as many numbers as the kernel's depth.
unsafe fn write_taps(of: Convolution, field: Field, to: *mut u32) {
    let [rows, columns] = of.window.size;
    let positions = (0..rows).flat_map(|ky| (0..columns).map(move |kx| (ky, kx)));
    let taps =
        positions.flat_map(|(ky, kx)| (0..of.group_channels()).map(move |c| field.position(ky, kx) + c));
    for (i, tap) in taps.enumerate() {
        // SAFETY: as the caller promises.
        unsafe { *to.add(i) = tap as u32 }
    }
}

/// A kernel's numbers by filter.
#[derive(Clone, Copy)]
pub(crate) struct Filters {
    pub(crate) panels: Panels,
    /// Columns of the variable: the filters, or of a depthwise kernel the multiplier.
    pub(crate) cols: usize,
}

impl Filters {
    /// Where a filter's first number is, and how far apart they are.
    ///
    /// # Safety
    /// The filter must be one of the convolution's.
    #[inline(always)]
    unsafe fn column(self, of: Convolution, f: usize) -> (*const f32, usize) {
        let width = self.panels.width;
        // SAFETY: as the caller promises.
        unsafe {
            if self.cols == of.filters {
                (self.panels.column(f), width)
            } else {
                (self.panels.column(f % self.cols).add(f / self.cols * width), of.filters / self.cols * width)
            }
        }
    }
}

/// Runs of taps whose pixels follow each other in the picture: a row of the window, or with groups or dilation one
/// position.
#[derive(Clone, Copy)]
struct Spans {
    of: Convolution,
    field: Field,
    count: usize,
    len: usize,
}

impl Spans {
    fn new(of: Convolution, field: Field) -> Self {
        let Window { size: [rows, columns], channels, dilation, .. } = of.window;
        if of.groups == 1 && dilation[1] == 1 {
            Self { of, field, count: rows, len: columns * channels }
        } else {
            Self { of, field, count: rows * columns, len: of.group_channels() }
        }
    }

    /// The length in whole lanes of any width.
    fn padded(&self) -> usize {
        self.len.next_multiple_of(PAD)
    }

    /// How far a span's first pixel is from the window's, for a group.
    #[inline(always)]
    fn offset(&self, span: usize, group: usize) -> usize {
        let columns = self.of.window.size[1];
        if self.count == self.of.window.size[0] && self.len > self.of.group_channels() {
            self.field.position(span, 0)
        } else {
            self.field.position(span / columns, span % columns) + group * self.of.group_channels()
        }
    }
}

/// The gradient of a convolution's output: as it stands, or to be made of the gradient of the pooling behind it.
#[derive(Clone, Copy)]
pub(crate) enum OutputGradient {
    Plain(Matrix),
    Pooled { dy: Matrix, position: Matrix, window: Window },
}

impl OutputGradient {
    /// How many numbers it may take to make one sample of it.
    fn scratch(is_pooled: bool, of: Convolution) -> usize {
        if is_pooled { of.output_width() + PAD } else { 0 }
    }

    /// A sample's gradient, `[places, filters]`, the filters `cols` of it. What no window of the pooling covers is not
    /// written in `to` and must be 0.
    ///
    /// # Safety
    /// The sample must be inside the batch, `to` valid for [`OutputGradient::scratch`].
    #[inline(always)]
    unsafe fn sample<L: F32Lane>(self, sample: usize, to: *mut f32, cols: Range<usize>) -> *const f32 {
        // SAFETY: as the caller promises.
        unsafe {
            match self {
                Self::Plain(dy) => dy.at(sample, 0),
                Self::Pooled { dy, position, window } => {
                    unpool::<L>(dy.at(sample, 0), position.at(sample, 0), window, to, cols);
                    to
                }
            }
        }
    }
}

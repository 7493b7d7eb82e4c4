//! Pooling, sample by sample, vectorised over channels.

use super::Kernel;
use super::matrix::Matrix;
use crate::lane::F32Lane;
use crate::window::Window;
use std::ops::Range;

/// Calls `$f` for whole lanes of `$channels`, then for channel after channel.
macro_rules! over_channels {
    ($L:ty, $channels:expr, $f:ident, |$c:ident| $args:tt) => {{
        let channels: Range<usize> = $channels;
        let mut $c = channels.start;
        while $c + <$L>::WIDTH <= channels.end {
            over_channels!(@call $f, $L, $args);
            $c += <$L>::WIDTH;
        }
        while $c < channels.end {
            over_channels!(@call $f, f32, $args);
            $c += 1;
        }
    }};
    (@call $f:ident, $L:ty, ($($arg:expr),*)) => { $f::<$L>($($arg),*) };
}

/// The window at one place of the output: which of its rows and columns lie on the picture.
#[derive(Clone)]
struct View {
    /// The first pixel under the window's row 0 and column 0, were the picture endless.
    corner: [usize; 2],
    rows: Range<usize>,
    columns: Range<usize>,
}

impl View {
    #[inline(always)]
    fn new(window: &Window, oy: usize, ox: usize) -> Self {
        let corner = [oy * window.strides[0], ox * window.strides[1]];
        let range = |axis: usize| {
            let (corner, before) = (corner[axis], window.before[axis]);
            before.saturating_sub(corner)..(window.input[axis] + before - corner).min(window.size[axis])
        };
        Self { corner, rows: range(0), columns: range(1) }
    }

    fn count(&self) -> usize {
        self.rows.len() * self.columns.len()
    }

    /// Calls `f` with every position on the picture and where its pixel starts, in ascending order.
    #[inline(always)]
    fn each(&self, window: &Window, mut f: impl FnMut(usize, usize)) {
        for ky in self.rows.clone() {
            let row = (self.corner[0] + ky - window.before[0]) * window.input[1];
            for kx in self.columns.clone() {
                let pixel = row + self.corner[1] + kx - window.before[1];
                f(ky * window.size[1] + kx, pixel * window.channels);
            }
        }
    }
}

/// Every place of the output and its number.
fn places(window: &Window) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
    let [rows, columns] = window.output;
    (0..rows).flat_map(move |oy| (0..columns).map(move |ox| (oy * columns + ox, oy, ox)))
}

/// One sample: the largest number of every channel under the window, and the position of the first of them.
///
/// # Safety
/// The pointers must be valid for a sample of the picture and of the output.
#[inline(always)]
pub(super) unsafe fn max<L: F32Lane>(
    x: *const f32,
    window: Window,
    out: *mut f32,
    position: Option<*mut f32>,
) {
    for (place, oy, ox) in places(&window) {
        let view = View::new(&window, oy, ox);
        let at = place * window.channels;
        // SAFETY: as the caller promises.
        unsafe {
            let position = position.map(|position| position.add(at));
            over_channels!(L, 0..window.channels, max_of, |c| (x, &window, &view, c, out.add(at), position));
        }
    }
}

/// # Safety
/// As for [`max`].
#[inline(always)]
unsafe fn max_of<L: F32Lane>(
    x: *const f32,
    window: &Window,
    view: &View,
    c: usize,
    out: *mut f32,
    position: Option<*mut f32>,
) {
    let first = (view.corner[0] + view.rows.start - window.before[0]) * window.input[1];
    let first = (first + view.corner[1] + view.columns.start - window.before[1]) * window.channels;
    let k = view.rows.start * window.size[1] + view.columns.start;
    // SAFETY: as the caller promises.
    unsafe {
        let (mut best, mut at) = (L::load(x.add(first + c)), L::splat(k as f32));
        view.each(
            window,
            #[inline(always)]
            |k, pixel| {
                let found = L::load(x.add(pixel + c));
                let is_larger = found.gt(best);
                best = L::select(is_larger, found, best);
                at = L::select(is_larger, L::splat(k as f32), at);
            },
        );
        best.store(out.add(c));
        if let Some(position) = position {
            at.store(position.add(c));
        }
    }
}

/// One sample: gives every place's gradient to the pixel where its largest number is; windows must not overlap. What no
/// window covers is not written. Only the channels `cols` of `dx` are.
///
/// # Safety
/// As for [`max`].
#[inline(always)]
pub(super) unsafe fn unpool<L: F32Lane>(
    dy: *const f32,
    position: *const f32,
    window: Window,
    dx: *mut f32,
    cols: Range<usize>,
) {
    for (place, oy, ox) in places(&window) {
        let view = View::new(&window, oy, ox);
        let at = place * window.channels;
        // SAFETY: as the caller promises.
        unsafe {
            let (dy, position) = (dy.add(at), position.add(at));
            over_channels!(L, cols.clone(), unpool_to, |c| (dy, position, &window, &view, dx, c));
        }
    }
}

/// # Safety
/// As for [`max`].
#[inline(always)]
unsafe fn unpool_to<L: F32Lane>(
    dy: *const f32,
    position: *const f32,
    window: &Window,
    view: &View,
    dx: *mut f32,
    c: usize,
) {
    // SAFETY: as the caller promises.
    unsafe {
        let (dy, at) = (L::load(dy.add(c)), L::load(position.add(c)));
        view.each(
            window,
            #[inline(always)]
            |k, pixel| L::select(at.equals(L::splat(k as f32)), dy, L::splat(0.0)).store(dx.add(pixel + c)),
        );
    }
}

/// # Safety
/// As for [`max`].
#[inline(always)]
unsafe fn add_max_gradient<L: F32Lane>(
    dy: *const f32,
    position: *const f32,
    window: &Window,
    view: &View,
    dx: *mut f32,
    c: usize,
) {
    // SAFETY: as the caller promises.
    unsafe {
        let (dy, at) = (L::load(dy.add(c)), L::load(position.add(c)));
        view.each(
            window,
            #[inline(always)]
            |k, pixel| {
                let share = L::select(at.equals(L::splat(k as f32)), dy, L::splat(0.0));
                let to = dx.add(pixel + c);
                (L::load(to) + share).store(to);
            },
        );
    }
}

/// # Safety
/// As for [`max`].
#[inline(always)]
unsafe fn mean_of<L: F32Lane>(x: *const f32, window: &Window, view: &View, c: usize, out: *mut f32) {
    let mut sum = L::splat(0.0);
    // SAFETY: as the caller promises.
    unsafe {
        view.each(
            window,
            #[inline(always)]
            |_, pixel| sum = sum + L::load(x.add(pixel + c)),
        );
        (sum / L::splat(view.count() as f32)).store(out.add(c));
    }
}

/// # Safety
/// As for [`max`].
#[inline(always)]
unsafe fn add_mean_gradient<L: F32Lane>(
    dy: *const f32,
    window: &Window,
    view: &View,
    dx: *mut f32,
    c: usize,
) {
    // SAFETY: as the caller promises.
    unsafe {
        let share = L::load(dy.add(c)) / L::splat(view.count() as f32);
        view.each(
            window,
            #[inline(always)]
            |_, pixel| (L::load(dx.add(pixel + c)) + share).store(dx.add(pixel + c)),
        );
    }
}

/// The gradient of a whole picture's largest number: shared by the pixels that have it.
///
/// # Safety
/// As for [`max`].
#[inline(always)]
unsafe fn share_global_max<L: F32Lane>(
    x: *const f32,
    largest: *const f32,
    dy: *const f32,
    window: &Window,
    dx: *mut f32,
    c: usize,
) {
    let (zero, one) = (L::splat(0.0), L::splat(1.0));
    let pixels = window.positions();
    // SAFETY: as the caller promises.
    unsafe {
        let (largest, mut count) = (L::load(largest.add(c)), zero);
        for pixel in 0..pixels {
            let x = L::load(x.add(pixel * window.channels + c));
            count = count + L::select(x.equals(largest), one, zero);
        }
        let share = L::load(dy.add(c)) / count;
        for pixel in 0..pixels {
            let at = pixel * window.channels + c;
            L::select(L::load(x.add(at)).equals(largest), share, zero).store(dx.add(at));
        }
    }
}

/// What a pooling step computes.
pub(crate) enum Pooling {
    Max { x: Matrix, out: Matrix, position: Option<Matrix> },
    MaxGradient { dy: Matrix, position: Matrix, dx: Matrix },
    GlobalMaxGradient { x: Matrix, out: Matrix, dy: Matrix, dx: Matrix },
    Average { x: Matrix, out: Matrix },
    AverageGradient { dy: Matrix, dx: Matrix },
}

/// A pooling step.
pub(crate) struct Pool {
    pub(crate) pooling: Pooling,
    pub(crate) window: Window,
    pub(crate) samples: Range<usize>,
}

impl Kernel for Pool {
    type Output = ();

    #[inline(always)]
    fn run<L: F32Lane>(self) {
        for sample in self.samples.clone() {
            // SAFETY: the run loop gives matrices of the model's sizes and this thread's samples.
            unsafe { self.sample::<L>(sample) }
        }
    }
}

impl Pool {
    /// # Safety
    /// The sample must be inside the matrices.
    #[inline(always)]
    unsafe fn sample<L: F32Lane>(&self, sample: usize) {
        let (window, channels) = (&self.window, self.window.channels);
        // SAFETY: as the caller promises.
        unsafe {
            match self.pooling {
                Pooling::Max { x, out, position } => {
                    let position = position.map(|position| position.at(sample, 0));
                    max::<L>(x.at(sample, 0), *window, out.at(sample, 0), position);
                }
                Pooling::MaxGradient { dy, position, dx } => {
                    let dx = self.cleared(dx, sample);
                    for (place, oy, ox) in places(window) {
                        let (at, view) = (place * channels, View::new(window, oy, ox));
                        let (dy, position) = (dy.at(sample, at), position.at(sample, at));
                        over_channels!(L, 0..channels, add_max_gradient, |c| (
                            dy, position, window, &view, dx, c
                        ));
                    }
                }
                Pooling::GlobalMaxGradient { x, out, dy, dx } => {
                    let [x, out, dy, dx] = [x, out, dy, dx].map(|matrix| matrix.at(sample, 0));
                    over_channels!(L, 0..channels, share_global_max, |c| (x, out, dy, window, dx, c));
                }
                Pooling::Average { x, out } => {
                    let x = x.at(sample, 0);
                    for (place, oy, ox) in places(window) {
                        let (out, view) = (out.at(sample, place * channels), View::new(window, oy, ox));
                        over_channels!(L, 0..channels, mean_of, |c| (x, window, &view, c, out));
                    }
                }
                Pooling::AverageGradient { dy, dx } => {
                    let dx = self.cleared(dx, sample);
                    for (place, oy, ox) in places(window) {
                        let (dy, view) = (dy.at(sample, place * channels), View::new(window, oy, ox));
                        over_channels!(L, 0..channels, add_mean_gradient, |c| (dy, window, &view, dx, c));
                    }
                }
            }
        }
    }

    /// A sample of the gradient, all 0.
    ///
    /// # Safety
    /// As for [`Self::sample`].
    unsafe fn cleared(&self, dx: Matrix, sample: usize) -> *mut f32 {
        let count = self.window.input[0] * self.window.input[1] * self.window.channels;
        // SAFETY: as the caller promises.
        unsafe {
            std::ptr::write_bytes(dx.at(sample, 0), 0, count);
            dx.at(sample, 0)
        }
    }
}

//! Flat storage whose start is a whole cache line, as the widest lanes like it.

use crate::lane::PAD;

/// One cache line.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug)]
struct Line([f32; PAD]);

/// Numbers in one piece, starting at a cache line; all 0 at first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buffer {
    lines: Vec<Line>,
}

impl Buffer {
    pub(crate) fn new(len: usize) -> Self {
        Self { lines: vec![Line([0.0; PAD]); len.div_ceil(PAD)] }
    }

    pub(crate) fn start(&mut self) -> *mut f32 {
        self.lines.as_mut_ptr().cast()
    }

    pub(crate) fn as_slice(&self) -> &[f32] {
        // SAFETY: a `Line` is 16 numbers without gaps.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.lines.len() * PAD) }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [f32] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.lines.len() * PAD) }
    }
}

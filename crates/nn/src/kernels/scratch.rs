//! A thread's own memory for the time of a step.

use crate::lane::PAD;

/// Hands out pieces of a thread's scratch memory. Without memory it counts how much is needed.
pub(crate) struct Scratch {
    start: *mut f32,
    used: usize,
}

impl Scratch {
    pub(crate) fn new(start: *mut f32) -> Self {
        Self { start, used: 0 }
    }

    /// A piece for `count` numbers, at a whole cache line.
    pub(crate) fn take(&mut self, count: usize) -> *mut f32 {
        let piece = self.start.wrapping_add(self.used);
        self.used += count.next_multiple_of(PAD);
        piece
    }

    /// A piece for `count` places or offsets.
    pub(crate) fn take_offsets(&mut self, count: usize) -> *mut u32 {
        self.take(count).cast()
    }
}

/// How many numbers of scratch memory a piece of work takes.
pub(crate) fn scratch_len(take: impl FnOnce(&mut Scratch)) -> usize {
    let mut scratch = Scratch::new(std::ptr::null_mut());
    take(&mut scratch);
    scratch.used
}

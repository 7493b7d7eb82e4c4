//! Seeded draws for resampling: ChaCha8, so that the same records always give the same report.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

pub(super) struct Draws(ChaCha8Rng);

impl Draws {
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// 64 independent fair bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A whole number below `end` (the high half of a 64 × 64 bit product; its bias, end / 2⁶⁴, is nothing here).
    pub(super) fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.0.next_u64()) * end as u128) >> 64) as usize
    }

    /// A number in (0, 1), the middle of one of 2⁵² equal steps.
    #[cfg(test)]
    pub(super) fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 12) as f64 + 0.5) / (1u64 << 52) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_are_even_and_repeatable() {
        let mut counts = [0usize; 7];
        let mut draws = Draws::new(3);
        (0..70_000).for_each(|_| counts[draws.below(7)] += 1);
        assert!(counts.iter().all(|&count| (9_600..=10_400).contains(&count)), "{counts:?}");
        assert_eq!(Draws::new(3).bits(), Draws::new(3).bits());
        assert_ne!(Draws::new(3).bits(), Draws::new(4).bits());
    }
}

//! Named random streams: one seed, many independent sequences, each reachable on its own.
//!
//! A [`Stream`] is the ChaCha8 keystream for one key and one nonce:
//!
//! ```text
//! key   = seed (64 bits) ‖ purpose (64) ‖ FNV-1a(name) (64) ‖ "seedbed1" (64)
//! nonce = step (64), counter = position in the stream
//! ```
//!
//! so a layer's dropout mask at step 1000 depends on nothing but the seed, the layer's name and the
//! step: not on other layers, on threads, or on what was drawn before. Two variants with the same
//! seed see the same batches, and the same draws wherever they ask for the same number of them.
//! [`Streams::with`] holds or varies one purpose alone.
//!
//! Numbers are made from 32-bit words by our own arithmetic, on correctly rounded `f32` operations
//! only, so that they are the same on every machine.
//!
//! Sources: Bernstein, *ChaCha, a variant of Salsa20* (2008); Marsaglia and Bray, *A convenient
//! method for generating normal variables* (1964); Lemire, *Fast random integer generation in an
//! interval* (2019); Fowler, Noll and Vo's hash (FNV-1a, 64 bits).

use crate::lane::Lane;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use std::fmt;

#[cfg(test)]
pub(crate) mod testing;

/// What every random number of a run comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What random numbers are drawn for. Each purpose has its own streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// The first values of the variables.
    Init,
    /// The order of the examples in an epoch.
    Shuffle,
    /// Which units a Dropout layer silences.
    Dropout,
    /// What a noise layer adds.
    Noise,
    /// Which examples are held out.
    Split,
    /// How examples are altered.
    Augmentation,
    /// Which labels are replaced, and by what.
    Labels,
}

impl Purpose {
    /// Every purpose. The place in this list is part of the key: append, never reorder.
    pub const ALL: [Self; 7] = [
        Self::Init,
        Self::Shuffle,
        Self::Dropout,
        Self::Noise,
        Self::Split,
        Self::Augmentation,
        Self::Labels,
    ];
}

/// One seed per purpose: opens every stream of a run.
///
/// ```
/// use seedbed_nn::random::{Purpose, Seed, Streams};
///
/// let baseline = Streams::new(Seed(7));
/// // The same batches and the same dropout from other first weights:
/// let variant = baseline.with(Purpose::Init, Seed(8));
/// let first = |s: &Streams, purpose| s.open(purpose, "dense/kernel", 0).next_u32();
/// assert_ne!(first(&baseline, Purpose::Init), first(&variant, Purpose::Init));
/// assert_eq!(first(&baseline, Purpose::Shuffle), first(&variant, Purpose::Shuffle));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streams {
    seeds: [Seed; Purpose::ALL.len()],
}

impl Streams {
    /// The same seed for every purpose.
    pub fn new(seed: Seed) -> Self {
        Self { seeds: [seed; Purpose::ALL.len()] }
    }

    /// The same streams, but one purpose's from its own seed.
    #[must_use]
    pub fn with(mut self, purpose: Purpose, seed: Seed) -> Self {
        self.seeds[purpose as usize] = seed;
        self
    }

    /// The same streams, or with a seed all of them from that.
    #[must_use]
    pub fn seeded(&self, seed: Option<u64>) -> Self {
        seed.map_or(*self, |seed| Self::new(Seed(seed)))
    }

    /// The seed of one purpose.
    pub fn seed(&self, purpose: Purpose) -> Seed {
        self.seeds[purpose as usize]
    }

    /// The stream of a purpose for a layer's or variable's name at a step (or epoch), from its
    /// beginning.
    pub fn open(&self, purpose: Purpose, name: &str, step: u64) -> Stream {
        let parts = [self.seed(purpose).0, purpose as u64, fnv1a(name), u64::from_le_bytes(*b"seedbed1")];
        let mut key = [0; 32];
        for (place, part) in key.chunks_exact_mut(8).zip(parts) {
            place.copy_from_slice(&part.to_le_bytes());
        }
        let mut words = ChaCha8Rng::from_seed(key);
        words.set_stream(step);
        Stream { words, spare: None }
    }
}

/// FNV-1a, 64 bits.
fn fnv1a(name: &str) -> u64 {
    name.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A sequence of random numbers, opened by [`Streams::open`].
#[derive(Clone, Debug)]
pub struct Stream {
    words: ChaCha8Rng,
    /// The second normal number of a pair, not yet asked for.
    spare: Option<f32>,
}

impl Stream {
    /// Moves to the `word`-th 32-bit word of the stream.
    pub fn seek(&mut self, word: u64) {
        self.words.set_word_pos(word.into());
        self.spare = None;
    }

    /// The next 32-bit word.
    #[inline]
    pub fn next_u32(&mut self) -> u32 {
        self.words.next_u32()
    }

    /// The next `out.len()` words, as [`Stream::next_u32`] would give them, but fast.
    pub fn fill_u32(&mut self, out: &mut [u32]) {
        // SAFETY: the memory of `u32`s, seen as bytes, of which every value is allowed.
        let bytes = unsafe { std::slice::from_raw_parts_mut(out.as_mut_ptr().cast(), size_of_val(out)) };
        self.words.fill_bytes(bytes);
        for word in out {
            *word = u32::from_le(*word);
        }
    }

    /// A number from [0, 1): a multiple of 2⁻²⁴, each equally likely. Takes one word.
    #[inline]
    pub fn uniform(&mut self) -> f32 {
        (self.next_u32() >> 8) as f32 * (1.0 / 16_777_216.0)
    }

    /// A standard normal number, by the polar method of Marsaglia and Bray: two numbers from each
    /// accepted pair of words, so how many words it takes varies.
    #[inline]
    pub fn normal(&mut self) -> f32 {
        self.spare.take().unwrap_or_else(|| self.normal_pair())
    }

    /// Returns the first of two normal numbers and keeps the second.
    fn normal_pair(&mut self) -> f32 {
        loop {
            let (u, v) = (self.symmetric(), self.symmetric());
            let s = u * u + v * v;
            if s < 1.0 {
                let scale = (-2.0 * Lane::ln(s) / s).sqrt();
                self.spare = Some(v * scale);
                return u * scale;
            }
        }
    }

    /// An odd multiple of 2⁻²⁴ from (−1, 1): symmetric about 0, and never 0.
    #[inline]
    fn symmetric(&mut self) -> f32 {
        ((self.next_u32() >> 8) as i32 * 2 + 1 - 16_777_216) as f32 * (1.0 / 16_777_216.0)
    }

    /// A standard normal number, drawn again as long as it is beyond ±2.
    pub fn truncated_normal(&mut self) -> f32 {
        loop {
            let z = self.normal();
            if z.abs() <= 2.0 {
                return z;
            }
        }
    }

    /// Standard normal numbers.
    pub fn fill_normal(&mut self, out: &mut [f32]) {
        out.fill_with(|| self.normal());
    }

    /// Standard normal numbers within ±2: those of [`Stream::fill_normal`], and only the ones beyond
    /// ±2 replaced by later draws, so that normal and truncated initial weights stay paired.
    pub fn fill_truncated_normal(&mut self, out: &mut [f32]) {
        self.fill_normal(out);
        for z in out.iter_mut().filter(|z| z.abs() > 2.0) {
            *z = self.truncated_normal();
        }
    }

    /// An integer from 0 to n − 1, each exactly equally likely, by Lemire's method; 0 for n = 0.
    #[inline]
    pub fn below(&mut self, n: u32) -> u32 {
        let mut product = u64::from(self.next_u32()) * u64::from(n);
        if (product as u32) < n {
            let unfair = n.wrapping_neg() % n;
            while (product as u32) < unfair {
                product = u64::from(self.next_u32()) * u64::from(n);
            }
        }
        (product >> 32) as u32
    }

    /// Puts the items in random order (Fisher and Yates), every order equally likely. At most
    /// 2³² − 1 items: what follows keeps its place.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
        for last in (1..count).rev() {
            items.swap(last as usize, self.below(last + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::*;
    use super::*;

    fn stream(name: &str) -> Stream {
        Streams::new(Seed(42)).open(Purpose::Init, name, 0)
    }

    /// Words from an independent ChaCha8 in Python, itself checked against the test vectors of
    /// draft-strombergson-chacha-test-vectors-01 (TC1, 8 rounds, 256 bits).
    #[test]
    fn words_are_those_of_chacha8() {
        let mut words = [0; 8];
        stream("dense/kernel").fill_u32(&mut words);
        let dense = [
            0xc54d_48d6,
            0xe9d5_3ff6,
            0x4d5c_dfcc,
            0xebd8_ad76,
            0x81b0_7e71,
            0x7fe0_50a0,
            0x4d28_327b,
            0xb500_3b30,
        ];
        assert_eq!(words, dense);

        let mut dropout = Streams::new(Seed(42)).open(Purpose::Dropout, "dropout", (1 << 40) + 1000);
        dropout.seek(1000);
        dropout.fill_u32(&mut words);
        let later = [
            0xe973_295c,
            0x61db_c93e,
            0x20b1_1c9c,
            0xc211_33cc,
            0x0f8f_6e2c,
            0xcc90_f2da,
            0xb0f5_944d,
            0xeda7_2eb2,
        ];
        assert_eq!(words, later);

        let mut shuffle = Streams::new(Seed(1)).open(Purpose::Shuffle, "", 3);
        let words = [(); 4].map(|()| shuffle.next_u32());
        assert_eq!(words, [0x07f3_b17c, 0xf08b_6b97, 0xafd3_abb2, 0x89c5_e6eb]);
    }

    #[test]
    fn the_hash_is_fnv1a() {
        assert_eq!(fnv1a(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn filling_gives_the_same_words_as_asking_one_by_one() {
        let mut one_by_one = stream("a");
        let expected: Vec<u32> = (0..1000).map(|_| one_by_one.next_u32()).collect();
        let mut filling = stream("a");
        let mut words = vec![0; 1000];
        for part in words.chunks_mut(37) {
            filling.fill_u32(part);
        }
        assert_eq!(words, expected);
        for at in [0, 1, 16, 63, 64, 65, 900] {
            filling.seek(at as u64);
            assert_eq!(filling.next_u32(), expected[at]);
        }
    }

    #[test]
    fn seeking_forgets_the_spare_normal() {
        let mut stream = stream("a");
        let first = stream.normal();
        stream.seek(0);
        assert_eq!(stream.normal(), first);
    }

    #[test]
    fn every_part_of_the_address_matters() {
        let first = |seed, purpose, name: &str, step| {
            let mut words = [0; 4];
            Streams::new(Seed(seed)).open(purpose, name, step).fill_u32(&mut words);
            words
        };
        let mut seen = vec![first(1, Purpose::Init, "a", 0), first(2, Purpose::Init, "a", 0)];
        seen.extend(Purpose::ALL[1..].iter().map(|&purpose| first(1, purpose, "a", 0)));
        seen.extend([first(1, Purpose::Init, "b", 0), first(1, Purpose::Init, "a", 1)]);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 10);
    }

    #[test]
    fn purposes_are_numbered_in_order() {
        for (number, purpose) in Purpose::ALL.into_iter().enumerate() {
            assert_eq!(purpose as usize, number);
        }
    }

    /// Neighbouring streams agree in half of their bits: 4.9 standard deviations either side.
    #[test]
    fn neighbouring_streams_are_independent() {
        let words = |seed, step| {
            let mut words = vec![0; 10_000];
            Streams::new(Seed(seed)).open(Purpose::Noise, "x", step).fill_u32(&mut words);
            words
        };
        let base = words(0, 0);
        for other in [words(1, 0), words(0, 1), words(1 << 63, 0)] {
            let equal: u32 = base.iter().zip(&other).map(|(a, b)| (a ^ b).count_zeros()).sum();
            let deviation = f64::from(equal) - 160_000.0;
            assert!(deviation.abs() < 4.9 * 80_000_f64.sqrt(), "{deviation}");
        }
    }

    #[test]
    fn uniform_numbers_are_uniform() {
        let mut stream = stream("uniform");
        let sample: Vec<f32> = (0..100_000).map(|_| stream.uniform()).collect();
        assert!(sample.iter().all(|x| (0.0..1.0).contains(x)));
        let statistic = kolmogorov_smirnov(sample, |x| x);
        assert!(statistic < 1.95, "{statistic}");
    }

    #[test]
    fn normal_numbers_are_normal() {
        let mut numbers = vec![0.0; 1_000_000];
        stream("normal").fill_normal(&mut numbers);
        // Both halves of the pairs, and their squares, must be uncorrelated.
        let correlation = |f: fn(f32) -> f32| {
            numbers.chunks_exact(2).map(|pair| f64::from(f(pair[0]) * f(pair[1]))).sum::<f64>()
        };
        assert!(correlation(|z| z).abs() < 4.0 * 500_000_f64.sqrt());
        assert!(correlation(|z| z * z - 1.0).abs() < 8.0 * 500_000_f64.sqrt());
        let variance = numbers.iter().map(|&z| f64::from(z * z)).sum::<f64>() / 1e6;
        assert!((variance - 1.0).abs() < 4.0 * 2_f64.sqrt() / 1e3, "{variance}");
        let statistic = kolmogorov_smirnov(numbers, normal_cdf);
        assert!(statistic < 1.95, "{statistic}");
    }

    #[test]
    fn truncated_numbers_are_truncated_normal() {
        let mut one_by_one = stream("truncated");
        let mut filled = vec![0.0; 100_000];
        stream("truncated").fill_truncated_normal(&mut filled);
        for sample in [filled, (0..100_000).map(|_| one_by_one.truncated_normal()).collect()] {
            assert!(sample.iter().all(|z| z.abs() <= 2.0));
            let statistic = kolmogorov_smirnov(sample, truncated_normal_cdf);
            assert!(statistic < 1.95, "{statistic}");
        }
    }

    #[test]
    fn below_is_uniform_and_in_range() {
        let mut stream = stream("below");
        for n in [1, 2, 3, 10, 1000] {
            let mut counts = vec![0_u32; n as usize];
            let draws = 1000 * n;
            for _ in 0..draws {
                counts[stream.below(n) as usize] += 1;
            }
            let chi2: f64 = counts.iter().map(|&c| (f64::from(c) - 1000.0).powi(2) / 1000.0).sum();
            let freedom = f64::from(n - 1);
            assert!(chi2 <= freedom + 4.5 * (2.0 * freedom).sqrt(), "n {n}: χ² {chi2}");
        }
        assert_eq!(stream.below(0), 0);
    }

    /// n = 3·2³⁰ is where careless reduction is worst: a third of the numbers would come twice as often.
    #[test]
    fn below_is_unbiased_for_large_n() {
        let mut stream = stream("large");
        let n = 3 << 30;
        let thirds = (0..90_000).fold([0_i32; 3], |mut counts, _| {
            counts[(stream.below(n) >> 30) as usize] += 1;
            counts
        });
        assert!(thirds.iter().all(|count| (count - 30_000).abs() < 700), "{thirds:?}");
        let odd = (0..90_000).filter(|_| stream.below(n) % 3 == 1).count();
        assert!(odd.abs_diff(30_000) < 700, "{odd}");
    }

    #[test]
    fn shuffling_reaches_every_order_equally_often() {
        let mut stream = stream("shuffle");
        let mut counts = std::collections::HashMap::new();
        for _ in 0..24_000 {
            let mut items = [0, 1, 2, 3];
            stream.shuffle(&mut items);
            *counts.entry(items).or_insert(0_i32) += 1;
        }
        assert_eq!(counts.len(), 24);
        assert!(counts.values().all(|count| (count - 1000).abs() < 150), "{counts:?}");
    }

    #[test]
    fn a_shuffle_is_pinned() {
        let mut items: Vec<u32> = (0..10).collect();
        Streams::new(Seed(0)).open(Purpose::Shuffle, "epoch", 1).shuffle(&mut items);
        assert_eq!(items, [4, 8, 9, 1, 3, 7, 0, 5, 6, 2]);
    }
}

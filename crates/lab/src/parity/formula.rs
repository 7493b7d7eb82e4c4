//! Numbers that Keras's scripts and we make by the same formula (`benches/peers/formula.py`).

/// SplitMix64's output for the state `x`.
fn mix(x: u64) -> u64 {
    let z = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// 64 bits for a stream and an index.
pub fn word(stream: u64, index: usize) -> u64 {
    mix((stream << 32).wrapping_add(index as u64))
}

/// A multiple of 2⁻²⁴ in [0, 1).
pub fn unit(stream: u64, index: usize) -> f64 {
    (word(stream, index) >> 40) as f64 / 16_777_216.0
}

/// A number in [−1, 1).
pub fn both_signs(stream: u64, index: usize) -> f64 {
    2.0 * unit(stream, index) - 1.0
}

/// A number in (0, 1) of rows that sum to 1, `width` each.
pub fn share(stream: u64, index: usize, width: usize) -> f64 {
    let row = index / width * width;
    unit(stream, index) / (row..row + width).map(|i| unit(stream, i)).sum::<f64>()
}

/// The kernel of the `layer`-th dense layer.
pub fn kernel(layer: u64, inputs: usize, outputs: usize) -> Vec<f32> {
    let limit = (6.0 / (inputs + outputs) as f64).sqrt();
    (0..inputs * outputs).map(|i| (both_signs(100 + layer, i) * limit) as f32).collect()
}

/// The class of every sample.
pub fn labels(count: usize, classes: u64) -> Vec<u16> {
    (0..count).map(|n| (word(7, n) % classes) as u16).collect()
}

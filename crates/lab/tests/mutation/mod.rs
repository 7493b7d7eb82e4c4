//! Files with bytes changed.

/// How many to try per format; `SEEDBED_MUTATIONS` sets another number.
pub(crate) fn count(otherwise: usize) -> usize {
    std::env::var("SEEDBED_MUTATIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(otherwise)
}

/// Numbers that differ from call to call (Marsaglia's xorshift).
fn next(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state as usize
}

/// A few bytes changed, cut out or doubled; mostly near the ends, where headers and directories are.
pub(crate) fn mutated(bytes: &[u8], state: &mut u64) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + next(state) % 6 {
        let length = bytes.len().max(1);
        let near = next(state) % length.min(1024);
        let at = match next(state) % 3 {
            0 => near,
            1 => length - 1 - near,
            _ => next(state) % length,
        };
        let Some(byte) = bytes.get_mut(at) else { continue };
        match next(state) % 8 {
            0 => *byte = 0,
            1 => *byte = 0xff,
            2 => *byte = b'9',
            3 => *byte ^= 1 << (next(state) % 8),
            4 => drop(bytes.drain(at..(at + next(state) % 64).min(length))),
            5 => bytes.splice(at..at, [next(state) as u8; 4]).for_each(drop),
            6 => {
                let piece = bytes[at..(at + next(state) % 64).min(length)].to_vec();
                bytes.splice(at..at, piece).for_each(drop);
            }
            _ => *byte = next(state) as u8,
        }
    }
    bytes
}

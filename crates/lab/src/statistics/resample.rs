//! Shuffled orders, to deal the same runs into two hands again and again.

use super::draw::Draws;

/// `times` orders of 0 to `count` − 1, each as likely as any other (R. Fisher and F. Yates, 1938); the same `seed` gives the same
/// orders.
///
/// ```
/// use seedbed_lab::statistics::resample::deals;
///
/// let mut order = deals(5, 1, 7).next().expect("one deal");
/// order.sort_unstable();
/// assert_eq!(order, [0, 1, 2, 3, 4]);
/// ```
pub fn deals(count: usize, times: usize, seed: u64) -> impl Iterator<Item = Vec<usize>> {
    let mut draws = Draws::new(seed);
    (0..times).map(move |_| {
        let mut order: Vec<usize> = (0..count).collect();
        (1..count).rev().for_each(|last| order.swap(last, draws.below(last + 1)));
        order
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_orders_are_equally_likely() {
        let mut counts = std::collections::HashMap::new();
        deals(3, 6_000, 1).for_each(|order| *counts.entry(order).or_insert(0) += 1);
        assert_eq!(counts.len(), 6);
        // 1,000 each, with a standard deviation of 29.
        assert!(counts.values().all(|&count: &i32| (880..=1_120).contains(&count)), "{counts:?}");
    }
}

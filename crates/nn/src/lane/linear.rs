//! Sums and products of small matrices that stand row by row without gaps, in a fixed order.
//!
//! What looks at a whole variable (its norm, the products of its rows) is written with these, one number at a time; the
//! compiler makes vectors of the loops whose order allows it. A sum along a row has 16 interleaved chains, folded 8, 4,
//! 2, 1; a sum over rows and a product's sum ascend.

use super::{Lane, PAD};

/// `Σ f(x)` along a row: 16 interleaved chains, folded.
#[inline(always)]
pub(crate) fn row_sum<R: Lane>(row: &[R], f: impl Fn(R) -> R) -> R {
    row_chains(row, |sum, x| sum + f(x))
}

/// `Σ x²` over all rows.
#[inline(always)]
pub(crate) fn sum_of_squares<R: Lane>(x: &[R], cols: usize) -> R {
    let mut sum = R::lit(0.0);
    for row in x.chunks_exact(cols) {
        sum = sum + row_chains(row, |sum, x| x.mul_add(x, sum));
    }
    sum
}

/// `√Σ x²` over all rows.
#[inline(always)]
pub(crate) fn norm<R: Lane>(x: &[R], cols: usize) -> R {
    sum_of_squares(x, cols).sqrt()
}

#[inline(always)]
fn row_chains<R: Lane>(row: &[R], add: impl Fn(R, R) -> R) -> R {
    let mut chains = [R::lit(0.0); PAD];
    let mut groups = row.chunks_exact(PAD);
    for group in &mut groups {
        for (chain, &x) in chains.iter_mut().zip(group) {
            *chain = add(*chain, x);
        }
    }
    for (chain, &x) in chains.iter_mut().zip(groups.remainder()) {
        *chain = add(*chain, x);
    }
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            chains[i] = chains[i] + chains[i + half];
        }
    }
    chains[0]
}

/// `to[j, i] = from[i, j]`, where `from` has `cols` columns.
#[inline(always)]
pub(crate) fn transpose<R: Copy>(from: &[R], cols: usize, to: &mut [R]) {
    let rows = from.len() / cols;
    for (i, row) in from.chunks_exact(cols).enumerate() {
        for (j, &x) in row.iter().enumerate() {
            to[j * rows + i] = x;
        }
    }
}

/// `out[i, j] = Σₖ a[i, k]·b[k, j]`, ascending k, where `b` and `out` have `cols` columns.
#[inline(always)]
pub(crate) fn multiply<R: Lane>(a: &[R], b: &[R], cols: usize, out: &mut [R]) {
    let depth = b.len() / cols;
    for (a, out) in a.chunks_exact(depth).zip(out.chunks_exact_mut(cols)) {
        out.fill(R::lit(0.0));
        for (&factor, b) in a.iter().zip(b.chunks_exact(cols)) {
            for (out, &b) in out.iter_mut().zip(b) {
                *out = factor.mul_add(b, *out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_sums_are_those_of_the_definition() {
        let a: Vec<f64> = (0..6).map(f64::from).collect();
        let mut turned = vec![0.0; 6];
        transpose(&a, 3, &mut turned);
        assert_eq!(turned, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        let mut product = vec![f64::NAN; 4];
        multiply(&a, &turned, 2, &mut product);
        assert_eq!(product, [5.0, 14.0, 14.0, 50.0]);
        let long: Vec<f64> = (0..70).map(f64::from).collect();
        assert_eq!(row_sum(&long, |x| x + 1.0), 35.0 * 71.0);
        assert_eq!(sum_of_squares(&long, 35), 69.0 * 70.0 * 139.0 / 6.0);
        assert_eq!(norm(&[3.0_f64, 4.0], 1), 5.0);
    }
}

//! What Dice and Tversky share: `1 − n·Σtp / (a·Σt + b·Σp + c·Σtp + 1e-7)`.
//!
//! The sums run over the whole batch, or with `axis = -1` over each sample. With numerator N and
//! denominator D the gradient is `(N·(b + c·t) − n·t·D) / D²`.

use super::{EPSILON, InvalidParameter, Target, Whole};
use crate::config::require;
use crate::lane::Lane;

/// The four numbers of the formula.
#[derive(Clone, Copy)]
pub(super) struct Overlap {
    pub(super) n: f64,
    pub(super) a: f64,
    pub(super) b: f64,
    pub(super) c: f64,
}

/// `[Σtp, Σt, Σp]` of a row.
#[inline(always)]
pub(crate) fn sums<R: Lane>(target: Target<'_, R>, prediction: &[R]) -> [R; 3] {
    let mut sums = [R::lit(0.0); 3];
    for (i, &p) in prediction.iter().enumerate() {
        let t = target.at(i);
        sums = [t.mul_add(p, sums[0]), sums[1] + t, sums[2] + p];
    }
    sums
}

impl Overlap {
    /// The loss from the sums, and the gradient of a row where asked.
    #[inline(always)]
    fn of<R: Lane>(
        self,
        [product, t_sum, p_sum]: [R; 3],
        target: Target<'_, R>,
        gradient: Option<&mut [R]>,
    ) -> R {
        let [n, a, b, c] = [self.n, self.a, self.b, self.c].map(R::lit);
        let numerator = n * product;
        let denominator = a * t_sum + b * p_sum + c * product + R::lit(EPSILON);
        if let Some(gradient) = gradient {
            let square = denominator * denominator;
            for (i, slot) in gradient.iter_mut().enumerate() {
                let t = target.at(i);
                *slot = (numerator * (b + c * t) - n * t * denominator) / square;
            }
        }
        R::lit(1.0) - numerator / denominator
    }

    /// The loss of a sample, or of its whole batch.
    #[inline(always)]
    pub(super) fn row<R: Lane>(
        self,
        axis: Option<i64>,
        whole: &Whole<R>,
        target: Target<'_, R>,
        prediction: &[R],
        gradient: Option<&mut [R]>,
    ) -> R {
        let sums = if axis.is_none() { whole.sums } else { sums(target, prediction) };
        self.of(sums, target, gradient)
    }
}

/// Refuses an axis that is not the outputs'.
pub(super) fn check_axis(name: &'static str, axis: Option<i64>) -> Result<(), InvalidParameter> {
    let ok = matches!(axis, None | Some(-1 | 1));
    require(ok, name, "axis", "-1 (each sample) or left out (the whole batch)", axis.unwrap_or_default())
}

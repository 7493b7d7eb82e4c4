//! What every activation is held to: its formula, its derivative, the same bits in every lane.

use super::{Elementwise, GradientFrom};
use crate::kernels::{Kernel, SimdLevel};
use crate::lane::F32Lane;

/// Inputs around 0, none of them so near that a central difference would straddle the kink.
fn grid() -> impl Iterator<Item = f64> {
    (-1600..1600).map(|i| f64::from(i) * 0.0101 + 0.0007)
}

/// Checks value and gradient of `f` against an independent `formula`.
pub(super) fn follows<E: Elementwise>(f: E, formula: impl Fn(f64) -> f64) {
    for x in grid() {
        let y = formula(x);
        assert!((f.value(x) - y).abs() <= 1e-13 * (1.0 + x.abs()), "f64 value at {x}");
        let single = f64::from(f.value(x as f32));
        let rounded = formula(f64::from(x as f32));
        assert!(
            (single - rounded).abs() <= 4e-7 * (0.5 + x.abs()),
            "f32 value at {x}: {single}, not {rounded}"
        );

        let h = 1e-5;
        let slope = (formula(x + h) - formula(x - h)) / (2.0 * h);
        let v = match E::GRADIENT_FROM {
            GradientFrom::Input => x,
            GradientFrom::Output => y,
        };
        let gradient = f.gradient(v, 3.0);
        assert!((gradient - 3.0 * slope).abs() < 3e-9, "gradient at {x}: {gradient}, not {}", 3.0 * slope);
        let single = f64::from(f.gradient(v as f32, 3.0));
        assert!((single - gradient).abs() < 6e-6, "f32 gradient at {x}: {single}, not {gradient}");
    }
    same_bits_at_every_level(f);
}

pub(super) fn same_bits_at_every_level<E: Elementwise>(f: E) {
    let special =
        [0.0, -0.0, 1e-40, -1e-40, 1e30, -1e30, 88.7, -88.7, -104.0, f32::INFINITY, f32::NEG_INFINITY];
    let inputs: Vec<f32> =
        grid().map(|x| x as f32).chain(special).chain(std::iter::repeat_n(1.0, 5)).collect();
    assert_eq!(inputs.len() % 16, 0);
    let expected = SimdLevel::Scalar.run(Apply { f, inputs: &inputs });
    for level in SimdLevel::available() {
        let found = level.run(Apply { f, inputs: &inputs });
        for (i, (a, b)) in found.iter().zip(&expected).enumerate() {
            assert!(a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()), "{level} at {i}: {a}, not {b}");
        }
    }
}

/// Values, then gradients of the inputs taken as `v`.
struct Apply<'a, E> {
    f: E,
    inputs: &'a [f32],
}

impl<E: Elementwise> Kernel for Apply<'_, E> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run<L: F32Lane>(self) -> Vec<f32> {
        let mut out = vec![0.0; 2 * self.inputs.len()];
        let (values, gradients) = out.split_at_mut(self.inputs.len());
        let places = values.chunks_exact_mut(L::WIDTH).zip(gradients.chunks_exact_mut(L::WIDTH));
        for (x, (value, gradient)) in self.inputs.chunks_exact(L::WIDTH).zip(places) {
            // SAFETY: each chunk is one lane wide.
            unsafe {
                let x = L::load(x.as_ptr());
                self.f.value(x).store(value.as_mut_ptr());
                self.f.gradient(x, L::splat(1.5)).store(gradient.as_mut_ptr());
            }
        }
        out
    }
}

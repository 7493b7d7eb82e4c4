//! Axes of a layer as Keras counts them: 0 is the batch, −1 the last; and the order of numbers that puts some
//! axes last.

use crate::ops::{Channel, Forward, Op, ValueId};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One axis or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Axes {
    /// One axis.
    One(i64),
    /// Several.
    Many(Vec<i64>),
}

impl Axes {
    /// The last axis, where Keras has channels.
    pub(crate) const LAST: Self = Self::One(-1);

    pub(crate) fn last() -> Self {
        Self::LAST
    }

    fn numbers(&self) -> &[i64] {
        match self {
            Self::One(axis) => std::slice::from_ref(axis),
            Self::Many(axes) => axes,
        }
    }

    /// The places of these axes in a sample's shape, ascending.
    pub(crate) fn places(&self, parameter: &str, shape: &Shape) -> Result<Vec<usize>, String> {
        let place = |&axis: &i64| place(parameter, axis, shape);
        let mut places = self.numbers().iter().map(place).collect::<Result<Vec<_>, _>>()?;
        places.sort_unstable();
        match places.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => {
                Err(format!("{parameter}: expected different axes, received axis {} twice", pair[0] + 1))
            }
            None => Ok(places),
        }
    }
}

impl From<i64> for Axes {
    fn from(axis: i64) -> Self {
        Self::One(axis)
    }
}

impl<const N: usize> From<[i64; N]> for Axes {
    fn from(axes: [i64; N]) -> Self {
        Self::Many(axes.to_vec())
    }
}

/// The place of an axis in a sample's shape.
pub(crate) fn place(parameter: &str, axis: i64, shape: &Shape) -> Result<usize, String> {
    let rank = shape.axes().len() as i64;
    let counted = if axis < 0 { axis + rank + 1 } else { axis };
    if (1..=rank).contains(&counted) {
        return Ok(counted as usize - 1);
    }
    Err(format!(
        "{parameter}: expected an axis from 1 to {rank} or from -{rank} to -1 of the shape {shape}, received {axis}"
    ))
}

/// For every place of the reordered numbers, where its number was: axes of lengths `shape` come in the
/// order `order`. `None` where everything stays.
pub(crate) fn reorder(shape: &[usize], order: &[usize]) -> Option<Arc<[u32]>> {
    let strides: Vec<usize> = (0..shape.len()).map(|axis| shape[axis + 1..].iter().product()).collect();
    let mut from: Vec<u32> = vec![0];
    for &axis in order {
        let steps = (0..shape[axis]).map(|i| (i * strides[axis]) as u32).collect::<Vec<_>>();
        from = from.iter().flat_map(|&start| steps.iter().map(move |step| start + step)).collect();
    }
    let stays = (0..).zip(&from).all(|(i, &source)| i == source);
    (!stays).then(|| from.into())
}

/// The other way.
pub(crate) fn inverse(from: &[u32]) -> Arc<[u32]> {
    let mut to = vec![0; from.len()];
    for (place, &source) in (0..).zip(from) {
        to[source as usize] = place;
    }
    to.into()
}

/// Writes what `work` writes between a change of order and its undoing.
pub(crate) fn in_order(
    to: &mut Forward,
    from: Option<Arc<[u32]>>,
    x: ValueId,
    work: impl FnOnce(&mut Forward, ValueId) -> ValueId,
) -> ValueId {
    let Some(from) = from else { return work(to, x) };
    let back = inverse(&from);
    let there = permute(to, from, x);
    let y = work(to, there);
    permute(to, back, y)
}

fn permute(to: &mut Forward, from: Arc<[u32]>, x: ValueId) -> ValueId {
    let out = to.value_like("permuted", x);
    to.push(Op::Channel(Channel::Permute { from, x, out }));
    out
}

/// Writes what `work` writes while `places` are the last axes.
pub(crate) fn with_last(
    to: &mut Forward,
    shape: &Shape,
    places: &[usize],
    x: ValueId,
    work: impl FnOnce(&mut Forward, ValueId) -> ValueId,
) -> ValueId {
    let others = (0..shape.axes().len()).filter(|axis| !places.contains(axis));
    let order: Vec<usize> = others.chain(places.iter().copied()).collect();
    in_order(to, reorder(shape.axes(), &order), x, work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_counted_as_keras_does() {
        let shape = Shape::from([4, 5, 6]);
        for (axes, places) in
            [(Axes::LAST, vec![2]), (1.into(), vec![0]), ([-1, 1].into(), vec![0, 2]), ([].into(), vec![])]
        {
            assert_eq!(axes.places("axis", &shape), Ok(places));
        }
        for (axes, expected) in [
            (
                Axes::One(0),
                "axis: expected an axis from 1 to 3 or from -3 to -1 of the shape (None, 4, 5, 6), received 0",
            ),
            (4.into(), "received 4"),
            ((-4).into(), "received -4"),
            ([1, -3].into(), "axis: expected different axes, received axis 1 twice"),
        ] {
            let error = axes.places("axis", &shape).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn an_order_and_its_inverse() {
        assert_eq!(reorder(&[2, 3], &[0, 1]), None);
        assert_eq!(reorder(&[2, 3], &[1, 0]).as_deref(), Some(&[0, 3, 1, 4, 2, 5][..]));
        // The middle axis of (2, 3, 2) last.
        let from = reorder(&[2, 3, 2], &[0, 2, 1]).unwrap();
        assert_eq!(*from, [0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11]);
        let back = inverse(&from);
        assert!(back.iter().enumerate().all(|(i, &place)| from[place as usize] as usize == i));
    }
}

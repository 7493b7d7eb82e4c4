//! The axes along which a norm is taken, and the rows that fall under one.

use crate::config::Value;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One axis or several, counted from 0, or from the last as −1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Axes {
    /// One axis.
    One(i64),
    /// Several.
    Several(Vec<i64>),
}

impl Axes {
    /// Which of a variable's axes they are; `None` where one does not exist, comes twice, or there is none.
    pub(super) fn resolve(&self, rank: usize) -> Option<Vec<bool>> {
        let mut chosen = vec![false; rank];
        for &axis in self.list() {
            let from_start = if axis < 0 { axis.checked_add(i64::try_from(rank).ok()?)? } else { axis };
            let place = chosen.get_mut(usize::try_from(from_start).ok()?)?;
            if std::mem::replace(place, true) {
                return None;
            }
        }
        chosen.contains(&true).then_some(chosen)
    }

    fn list(&self) -> &[i64] {
        match self {
            Self::One(axis) => std::slice::from_ref(axis),
            Self::Several(axes) => axes,
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
        Self::Several(axes.to_vec())
    }
}

impl From<&Axes> for Value {
    fn from(axes: &Axes) -> Self {
        match axes {
            Axes::One(axis) => Self::Integer(*axis),
            Axes::Several(axes) => Self::List(axes.iter().map(|&axis| Self::Integer(axis)).collect()),
        }
    }
}

impl fmt::Display for Axes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(axis) => write!(f, "{axis}"),
            Self::Several(axes) => write!(f, "{axes:?}"),
        }
    }
}

/// The rows of a variable's matrix `[all axes but the last, last axis]` that fall under one norm, group after group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Groups {
    /// Rows, each group's one after the other and ascending.
    rows: Vec<u32>,
    /// How many rows each group has.
    len: usize,
    /// Whether the norm also runs along the last axis, over all columns.
    pub(crate) along_rows: bool,
}

impl Groups {
    /// For a variable of this shape; the axes must have passed [`super::Constraint::validate_shape`].
    pub(crate) fn new(axes: &Axes, shape: &[usize]) -> Self {
        let chosen = axes.resolve(shape.len()).unwrap_or_default();
        let along_rows = chosen.last().copied().unwrap_or(false);
        let leading = shape.len().saturating_sub(1);
        let count: usize = shape[..leading].iter().product();
        let under = |taken: bool| (0..leading).filter(move |&axis| chosen.get(axis) == Some(&taken));
        let key = |row: u32| {
            let (mut rest, mut index) = (row as usize, vec![0; leading]);
            for axis in (0..leading).rev() {
                (rest, index[axis]) = (rest / shape[axis], rest % shape[axis]);
            }
            index
        };
        let kept: Vec<usize> = under.clone()(false).collect();
        let len = under(true).map(|axis| shape[axis]).product();
        let mut rows: Vec<u32> = (0..count as u32).collect();
        rows.sort_by_key(|&row| {
            let index = key(row);
            kept.iter().map(|&axis| index[axis]).collect::<Vec<_>>()
        });
        Self { rows, len, along_rows }
    }

    /// Every group's rows.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        self.rows.chunks(self.len.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(axes: impl Into<Axes>, shape: &[usize]) -> (Vec<Vec<u32>>, bool) {
        let groups = Groups::new(&axes.into(), shape);
        (groups.iter().map(<[u32]>::to_vec).collect(), groups.along_rows)
    }

    #[test]
    fn rows_are_grouped_by_the_axes_that_stay() {
        assert_eq!(groups(0, &[3, 4]), (vec![vec![0, 1, 2]], false));
        assert_eq!(groups(-2, &[3, 4]), (vec![vec![0, 1, 2]], false));
        assert_eq!(groups(1, &[3, 4]), (vec![vec![0], vec![1], vec![2]], true));
        assert_eq!(groups([0, 1], &[3, 4]), (vec![vec![0, 1, 2]], true));
        assert_eq!(groups(0, &[5]), (vec![vec![0]], true));
        // Rows of [2, 3, 4]: 0 to 5, the second axis changing fastest.
        assert_eq!(groups(0, &[2, 3, 4]), (vec![vec![0, 3], vec![1, 4], vec![2, 5]], false));
        assert_eq!(groups(1, &[2, 3, 4]), (vec![vec![0, 1, 2], vec![3, 4, 5]], false));
        assert_eq!(groups([0, 2], &[2, 3, 4]), (vec![vec![0, 3], vec![1, 4], vec![2, 5]], true));
    }

    #[test]
    fn axes_that_do_not_exist_are_found() {
        let resolve = |axes: Axes| axes.resolve(2);
        assert_eq!(resolve(Axes::from(-1)), Some(vec![false, true]));
        for axes in [Axes::from(2), Axes::from(-3), Axes::from([0, 0]), Axes::from([0, -2]), Axes::from([])] {
            assert_eq!(resolve(axes), None);
        }
    }
}

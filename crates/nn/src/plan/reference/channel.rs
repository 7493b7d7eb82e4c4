//! The plain meaning of channel ops.

use super::{Values, chain};
use crate::lane::Lane;
use crate::ops::{Channel, ChannelForm, ParamId};

impl<R: Lane + PartialOrd> Values<'_, R> {
    /// Everything but gradients of variables.
    pub(super) fn channel(&mut self, op: &Channel, weights: &[Vec<R>]) {
        let zero = R::lit(0.0);
        let weight = |w: ParamId, i: usize| weights[w.0][i % weights[w.0].len()];
        let (out, numbers) = match *op {
            Channel::Permute { ref from, x, out } => {
                let rows = self.get(x).chunks(from.len());
                (out, rows.flat_map(|row| from.iter().map(|&i| row[i as usize])).collect())
            }
            Channel::Apply { form, x, w, out } => {
                let apply = |(i, &x): (usize, &R)| match form {
                    ChannelForm::Scale => x * weight(w, i),
                    ChannelForm::Shift => x + weight(w, i),
                    ChannelForm::Prelu if x < zero => x * weight(w, i),
                    ChannelForm::Prelu => x,
                };
                (out, self.rows(x).flat_map(|row| row.iter().enumerate().map(apply)).collect::<Vec<_>>())
            }
            Channel::InputGradient { form, x, w, dy, dx } => {
                let slope = |i: usize, x: R| match form {
                    ChannelForm::Scale => weight(w, i),
                    ChannelForm::Shift => R::lit(1.0),
                    ChannelForm::Prelu if x < zero => weight(w, i),
                    ChannelForm::Prelu if x > zero => R::lit(1.0),
                    ChannelForm::Prelu => zero,
                };
                let width = self.width(x);
                let pairs = self.get(x).iter().zip(self.get(dy)).enumerate();
                (dx, pairs.map(|(i, (&x, &dy))| dy * slope(i % width, x)).collect())
            }
            Channel::Gradient { .. } => return,
        };
        self.all.insert(out, numbers);
    }

    /// The gradient of the `channels` numbers of a variable.
    pub(super) fn channel_gradient(&self, op: &Channel, channels: usize) -> Vec<R> {
        let Channel::Gradient { form, x, dy, .. } = *op else { return vec![] };
        let slope = |x: R| match form {
            ChannelForm::Scale => x,
            ChannelForm::Shift => R::lit(1.0),
            ChannelForm::Prelu if x < R::lit(0.0) => x,
            ChannelForm::Prelu => R::lit(0.0),
        };
        let of = |c: usize| {
            let rows = self.rows(x).zip(self.rows(dy));
            chain(rows.flat_map(|(x, dy)| {
                let numbers = x.iter().zip(dy).skip(c).step_by(channels);
                numbers.map(|(&x, &dy)| (slope(x), dy))
            }))
        };
        (0..channels).map(of).collect()
    }
}

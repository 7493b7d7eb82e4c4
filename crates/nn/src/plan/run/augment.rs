//! Changes of pictures.

use super::Batch;
use crate::kernels::augment::{ChangePictures, Mix, MixGradient, draw_mixes, mix_targets};
use crate::kernels::score::TargetsView;
use crate::ops::Augment;

impl Batch<'_> {
    pub(super) fn augment(&self, op: &Augment) {
        let (s, rows) = (self.shared, self.samples());
        match *op {
            Augment::Change { ref change, picture, ref draws, x, out } => {
                let Some(stream) = self.draws(draws) else { return };
                let (width, x, out) = (s.width(x), s.value(x), s.value(out));
                s.plan.simd.run(ChangePictures { change, picture, stream, x, dy: None, out, width, rows });
            }
            Augment::ChangeGradient { ref change, picture, ref draws, x, dy, dx } => {
                let Some(stream) = self.draws(draws) else { return };
                let (width, x, dy, out) = (s.width(x), s.value(x), Some(s.value(dy)), s.value(dx));
                s.plan.simd.run(ChangePictures { change, picture, stream, x, dy, out, width, rows });
            }
            Augment::MixDraws { alpha, ref draws, mix } => {
                if let Some(mut stream) = self.draws(draws).filter(|_| self.part.worker == 0) {
                    // SAFETY: the workspace has these rows, and only this thread writes them.
                    unsafe { draw_mixes(&mut stream, alpha, s.value(mix), self.order.len()) }
                }
            }
            Augment::Mix { x, mix, out } => {
                let (width, x, mix, out) = (s.width(x), s.value(x), s.value(mix), s.value(out));
                s.plan.simd.run(Mix { x, mix, out, width, rows });
            }
            Augment::MixGradient { mix, dy, dx } => {
                let (width, batch) = (s.width(dy), self.order.len());
                let (mix, dy, dx) = (s.value(mix), s.value(dy), s.value(dx));
                s.plan.simd.run(MixGradient { mix, dy, dx, width, batch, rows });
            }
            Augment::MixTargets { from, mix, out } => {
                let targets =
                    from.map_or_else(|| self.given_targets(), |from| TargetsView::Rows(s.value(from)));
                // SAFETY: the workspace has these rows, as wide as the model's outputs.
                unsafe { mix_targets(targets, s.value(mix), s.value(out), s.width(out), rows) }
            }
        }
    }
}

//! The steps behind all gradients: what a thread does of them.

use super::Batch;
use crate::kernels::matrix::Panels;
use crate::kernels::optimize::{
    Accumulate, Average, Constrain, MoveVariable, Numbers, Whole, WholePenalty, WholeRegularize,
};
use crate::kernels::penalty::RowNorms;
use crate::kernels::update::{Moving, Update};
use crate::lane::PAD;
use crate::ops::{OptimizeOp, ParamId};
use crate::optimizers::Clip;
use crate::optimizers::variable::VARIABLE_SLOTS;
use crate::regularizers::Regularizer;

impl Batch<'_> {
    /// A variable and how it moves in this batch.
    pub(super) fn moving(&self, param: ParamId, regularizer: Option<Regularizer>) -> Moving<'_> {
        let s = self.shared;
        let movement = &s.plan.movements[param.0];
        Moving {
            weights: s.weight(param),
            slots: std::array::from_fn(|slot| s.slot(slot, param)),
            regularizer,
            clip: if movement.apart { Clip::None } else { self.clip(param) },
            weight_decay: movement.weight_decay,
            rule: &s.plan.optimizer.rule,
            scalars: &self.scalars,
            learning_rate: self.tick.learning_rate as f32,
            keep: movement.apart.then(|| s.in_buffer(s.gradient, param)),
        }
    }

    /// What is done to a variable's gradient. With norms, only behind them.
    fn clip(&self, param: ParamId) -> Clip<f32> {
        let s = self.shared;
        let squares = |param: usize| {
            let rows = s.stage.program.params[param].rows();
            // SAFETY: the sums of all rows were written, before a barrier.
            (0..rows).fold(0.0, |sum, row| sum + unsafe { *s.gradient_norms[param].at(row, 1) })
        };
        let all = || {
            let measured = (0..s.gradient_norms.len()).filter(|&param| s.plan.movements[param].apart);
            measured.fold(0.0, |sum, param| sum + squares(param))
        };
        Clip::new(&s.plan.optimizer, || squares(param.0), all)
    }

    /// This thread's part of a variable.
    fn numbers_of(&self, param: ParamId) -> Numbers {
        let (rows, cols) = self.split().moved(param);
        Numbers { weights: self.shared.weight(param), rows, cols }
    }

    /// A variable as the one thread that treats it sees it.
    ///
    /// # Safety
    /// No other thread may touch the variable and its gradient meanwhile.
    unsafe fn whole(&self, param: ParamId) -> Whole<'_> {
        let s = self.shared;
        let variable = &s.stage.program.params[param.0];
        let (room, len) = s.rooms[self.part.worker];
        Whole {
            place: s.plan.layout.place(param),
            name: &variable.name,
            shape: &variable.spec.shape,
            rows: variable.rows(),
            cols: variable.cols(),
            weights: s.weights,
            gradient: s.gradient,
            // SAFETY: every thread has its own room.
            scratch: unsafe { std::slice::from_raw_parts_mut(room, len) },
        }
    }

    /// The penalty on a variable of which the regularizer sees the whole.
    pub(super) fn whole_penalty(&self, param: ParamId, regularizer: Regularizer) {
        if self.split().owns(param) {
            // SAFETY: weights are only read in this step, and this thread alone writes the penalty.
            unsafe {
                let whole = self.whole(param);
                let penalty = self.shared.plan.simd.run(WholePenalty { whole, regularizer });
                *self.shared.norms[param.0].at(0, 0) = penalty;
            }
        }
    }

    pub(super) fn regularize(&self, param: ParamId, regularizer: Regularizer) {
        if self.split().owns(param) {
            // SAFETY: one thread per variable, with barriers around.
            let whole = unsafe { self.whole(param) };
            self.shared.plan.simd.run(WholeRegularize { whole, regularizer });
        }
    }

    /// Moves a variable by the gradient that was kept, in batches that move weights.
    fn update(&self, param: ParamId) {
        let s = self.shared;
        if !self.tick.moves {
            return;
        }
        let clip = self.clip(param);
        if s.plan.optimizer.rule.is_for_variables() {
            if self.split().owns(param) {
                self.move_variable(param, clip);
            }
            return;
        }
        let gradient = s.in_buffer(s.gradient, param);
        let moving = Moving { clip, keep: None, ..self.moving(param, None) };
        let (rows, cols) = self.split().moved(param);
        s.plan.simd.run(Update { moving, gradient, rows, cols });
    }

    fn move_variable(&self, param: ParamId, clip: Clip<f32>) {
        let s = self.shared;
        let len = s.plan.layout.len_of(param);
        let slot = |slot: usize| {
            // SAFETY: every such rule has these slots, as long as the weights, and this thread alone treats the
            // variable.
            unsafe { std::slice::from_raw_parts_mut(s.slot(slot, param), len) }
        };
        s.plan.simd.run(MoveVariable {
            // SAFETY: as above.
            whole: unsafe { self.whole(param) },
            rule: &s.plan.optimizer.rule,
            slots: std::array::from_fn::<_, VARIABLE_SLOTS, _>(slot),
            clip,
            weight_decay: s.plan.movements[param.0].weight_decay,
            learning_rate: self.tick.learning_rate as f32,
            update: self.tick.update,
        });
    }

    pub(super) fn optimize(&self, op: &OptimizeOp) {
        let s = self.shared;
        let simd = s.plan.simd;
        match *op {
            OptimizeOp::Accumulate { param } => simd.run(Accumulate {
                gradient: s.in_buffer(s.gradient, param),
                sum: s.in_buffer(s.accumulated, param),
                part: self.numbers_of(param),
                batches: s.plan.optimizer.gradient_accumulation_steps.unwrap_or(1) as f32,
                moves: self.tick.moves,
            }),
            OptimizeOp::Norm { param } => {
                if self.tick.moves {
                    self.norm(param);
                }
            }
            OptimizeOp::Update { param } => self.update(param),
            OptimizeOp::Average { param } => simd.run(Average {
                weights: s.in_buffer(s.weights, param),
                average: s.in_buffer(s.averages, param),
                part: self.numbers_of(param),
                momentum: self.tick.ema_momentum as f32,
                overwrites: self.tick.overwrites,
            }),
            OptimizeOp::Constrain { param, ref constraint } => {
                let variable = &s.stage.program.params[param.0];
                let width = variable.cols().next_multiple_of(PAD);
                simd.run(Constrain {
                    weights: s.weight(param),
                    constraint,
                    groups: s.plan.movements[param.0].groups.as_ref(),
                    width,
                    rows: variable.rows(),
                    cols: self.split().constrained(param),
                    share: (self.part.worker, self.part.workers),
                });
            }
        }
    }

    fn norm(&self, param: ParamId) {
        let s = self.shared;
        let (variable, place) = (&s.stage.program.params[param.0], s.plan.layout.place(param));
        s.plan.simd.run(RowNorms {
            // SAFETY: the gradient is laid out like the weights.
            weights: unsafe { Panels::new(s.in_buffer(s.gradient, param), place.rows, place.width) },
            width: variable.cols(),
            sums: s.gradient_norms[param.0],
            rows: self.split().norms(param),
        });
    }
}

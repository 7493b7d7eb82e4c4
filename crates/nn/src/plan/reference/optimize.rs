//! How the oracle moves variables: one number after the other, variable by variable, in Keras's order.

use super::{Reference, sum_squares};
use crate::constraints::{Constraint, Groups, NonNeg};
use crate::lane::Lane;
use crate::ops::{Op, OptimizeOp, ParamId};
use crate::optimizers::variable::{VARIABLE_SLOTS, Variable, VariableRule};
use crate::optimizers::{Clip, MAX_SLOTS, Memory, Optimizer, RuleVisitor, Scalars, Tick, UpdateRule};
use crate::regularizers::Regularizer;

/// What the optimizer keeps of one variable.
#[derive(Clone, Debug)]
pub(super) struct Kept<R> {
    slots: Vec<[R; MAX_SLOTS]>,
    /// The same for rules that look at the whole variable.
    whole: [Vec<R>; VARIABLE_SLOTS],
    accumulated: Vec<R>,
    average: Vec<R>,
}

/// What the slots and the memory start with.
struct Start<R>(std::marker::PhantomData<R>);

impl<R: Lane> RuleVisitor for Start<R> {
    type Output = ([R; MAX_SLOTS], R);

    fn visit<U: UpdateRule>(self, rule: U) -> Self::Output {
        (std::array::from_fn(|slot| R::lit(rule.slot_start(slot))), R::lit(rule.memory_start()))
    }

    fn visit_variable<U: VariableRule>(self, _: &U) -> Self::Output {
        ([R::lit(0.0); MAX_SLOTS], R::lit(0.0))
    }
}

/// What is kept of variables of these sizes, and the memory.
pub(super) fn start<R: Lane>(optimizer: &Optimizer, sizes: &[usize]) -> (Vec<Kept<R>>, Memory<R>) {
    let (slots, memory) = optimizer.rule.visit(Start::<R>(std::marker::PhantomData));
    let zeros = |size: usize| vec![R::lit(0.0); size];
    let kept = |&size: &usize| Kept {
        slots: vec![slots; size],
        whole: std::array::from_fn(|_| zeros(size)),
        accumulated: zeros(size),
        average: zeros(size),
    };
    (sizes.iter().map(kept).collect(), [memory])
}

impl<R: Lane + PartialOrd> Reference<R> {
    /// The scalars of a batch that moves weights, and the memory after it.
    pub(super) fn scalars(&self, tick: &Tick) -> (Scalars<R>, Memory<R>) {
        let mut memory = self.memory;
        let learning_rate = R::lit(tick.learning_rate);
        let next = NextScalars { learning_rate, update: tick.update, memory: &mut memory };
        if tick.moves { (self.plan.optimizer.rule.visit(next), memory) } else { ([learning_rate; 6], memory) }
    }

    fn shape_of(&self, param: ParamId) -> (usize, usize) {
        let variable = &self.plan.params()[param.0];
        (variable.rows(), variable.cols())
    }

    /// The penalty on a variable.
    pub(super) fn penalty(&self, param: ParamId, regularizer: Regularizer) -> R {
        let (w, (rows, cols)) = (&self.weights[param.0], self.shape_of(param));
        if let Regularizer::Orthogonal(orthogonal) = regularizer {
            return orthogonal.penalty(w, cols, &mut vec![R::lit(0.0); orthogonal.scratch(rows, cols)]);
        }
        super::penalty_of_rows(regularizer, w, cols)
    }

    /// Adds the penalty's gradient.
    pub(super) fn regularize(&mut self, param: ParamId, regularizer: Regularizer) {
        let (rows, cols) = self.shape_of(param);
        let (w, g) = (&self.weights[param.0], &mut self.gradients[param.0]);
        if let Regularizer::Orthogonal(orthogonal) = regularizer {
            let mut scratch = vec![R::lit(0.0); orthogonal.scratch(rows, cols)];
            return orthogonal.add_gradient(w, g, cols, &mut scratch);
        }
        for (g, &w) in g.iter_mut().zip(w) {
            *g = regularizer.add_gradient(w, *g);
        }
    }

    fn squares(&self, param: usize) -> R {
        let (_, cols) = self.shape_of(ParamId(param));
        self.gradients[param].chunks(cols).fold(R::lit(0.0), |sum, row| sum + sum_squares(row))
    }

    /// The op's part of moving a variable.
    pub(super) fn move_weights(&mut self, op: &Op, tick: &Tick, scalars: &Scalars<R>) {
        match op {
            Op::Update { param } | Op::Optimize(OptimizeOp::Update { param }) if tick.moves => {
                self.update(*param, tick, scalars);
            }
            Op::Optimize(OptimizeOp::Accumulate { param }) => self.accumulate(param.0, tick),
            Op::Optimize(OptimizeOp::Average { param }) => self.average(param.0, tick),
            Op::Optimize(OptimizeOp::Constrain { param, constraint }) => self.constrain(*param, constraint),
            // Norms are taken where they are asked for.
            _ => {}
        }
    }

    fn accumulate(&mut self, param: usize, tick: &Tick) {
        let batches = R::lit(self.plan.optimizer.gradient_accumulation_steps.unwrap_or(1) as f64);
        for (g, sum) in self.gradients[param].iter_mut().zip(&mut self.kept[param].accumulated) {
            let total = *g + *sum;
            (*g, *sum) = if tick.moves { (total / batches, R::lit(0.0)) } else { (*g, total) };
        }
    }

    fn average(&mut self, param: usize, tick: &Tick) {
        let momentum = R::lit(tick.ema_momentum);
        for (w, average) in self.weights[param].iter_mut().zip(&mut self.kept[param].average) {
            *average = momentum * *average + (R::lit(1.0) - momentum) * *w;
            if tick.overwrites {
                *w = *average;
            }
        }
    }

    /// Puts the averages in the place of the weights, as the end of a fit does.
    pub fn finalize_variable_values(&mut self) {
        if self.plan.optimizer.use_ema && self.steps > 0 {
            let trained = |index: &usize| self.plan.params()[*index].spec.trainable;
            for index in (0..self.weights.len()).filter(trained).collect::<Vec<_>>() {
                self.weights[index].clone_from(&self.kept[index].average);
            }
        }
    }

    fn constrain(&mut self, param: ParamId, constraint: &Constraint) {
        let cols = self.shape_of(param).1;
        let shape = &self.plan.params()[param.0].spec.shape;
        let groups = constraint.axes().map(|axes| Groups::new(axes, shape));
        let w = &mut self.weights[param.0];
        let Some(groups) = groups else {
            return w.iter_mut().for_each(|w| *w = NonNeg::apply(*w));
        };
        for rows in groups.iter() {
            let rows: Vec<usize> = rows.iter().map(|&row| row as usize).collect();
            if groups.along_rows {
                let squares = |sum: R, &row: &usize| sum + sum_squares(&w[row * cols..(row + 1) * cols]);
                let factor = constraint.factor(rows.iter().fold(R::lit(0.0), squares).sqrt());
                for row in rows {
                    w[row * cols..(row + 1) * cols].iter_mut().for_each(|w| *w = *w * factor);
                }
            } else {
                for col in 0..cols {
                    let chain = |sum: R, &row: &usize| w[row * cols + col].mul_add(w[row * cols + col], sum);
                    let factor = constraint.factor(rows.iter().fold(R::lit(0.0), chain).sqrt());
                    rows.iter().for_each(|row| w[row * cols + col] = w[row * cols + col] * factor);
                }
            }
        }
    }

    fn update(&mut self, param: ParamId, tick: &Tick, scalars: &Scalars<R>) {
        let measured = |index: &usize| self.plan.movements[*index].apart;
        let all = || {
            (0..self.weights.len()).filter(measured).fold(R::lit(0.0), |sum, index| sum + self.squares(index))
        };
        let clip = Clip::new(&self.plan.optimizer, || self.squares(param.0), all);
        let (weight_decay, learning_rate) =
            (self.plan.movements[param.0].weight_decay, R::lit(tick.learning_rate));
        self.weights[param.0].iter_mut().for_each(|w| *w = Optimizer::decay(weight_decay, learning_rate, *w));
        let mut g: Vec<R> = self.gradients[param.0].iter().map(|&g| clip.apply(g)).collect();
        let variable = &self.plan.params()[param.0];
        self.plan.optimizer.rule.visit(Move {
            learning_rate,
            update: tick.update,
            scalars,
            name: &variable.name,
            shape: &variable.spec.shape,
            rows: variable.rows(),
            cols: variable.cols(),
            w: &mut self.weights[param.0],
            g: &mut g,
            kept: &mut self.kept[param.0],
        });
    }
}

struct NextScalars<'a, R> {
    learning_rate: R,
    update: u64,
    memory: &'a mut Memory<R>,
}

impl<R: Lane> RuleVisitor for NextScalars<'_, R> {
    type Output = Scalars<R>;

    fn visit<U: UpdateRule>(self, rule: U) -> Self::Output {
        rule.scalars(self.learning_rate, self.update, self.memory)
    }

    fn visit_variable<U: VariableRule>(self, _: &U) -> Self::Output {
        [self.learning_rate; 6]
    }
}

/// A variable that decayed, and its clipped gradient.
struct Move<'a, R> {
    learning_rate: R,
    update: u64,
    scalars: &'a Scalars<R>,
    name: &'a str,
    shape: &'a [usize],
    rows: usize,
    cols: usize,
    w: &'a mut [R],
    g: &'a mut [R],
    kept: &'a mut Kept<R>,
}

impl<R: Lane> RuleVisitor for Move<'_, R> {
    type Output = ();

    fn visit<U: UpdateRule>(self, rule: U) {
        for ((w, &g), slots) in self.w.iter_mut().zip(self.g.iter()).zip(&mut self.kept.slots) {
            *w = rule.update(self.scalars, *w, g, slots);
            *slots = slots.map(R::flush_subnormal);
        }
    }

    fn visit_variable<U: VariableRule>(self, rule: &U) {
        let mut scratch = vec![R::lit(0.0); rule.scratch(self.rows, self.cols)];
        rule.update(
            self.learning_rate,
            self.update,
            Variable {
                name: self.name,
                shape: self.shape,
                cols: self.cols,
                w: self.w,
                g: self.g,
                slots: self.kept.whole.each_mut().map(Vec::as_mut_slice),
                scratch: &mut scratch,
            },
        );
    }
}

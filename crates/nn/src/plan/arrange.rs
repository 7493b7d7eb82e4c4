//! Which updates can join their gradient, and what the optimizer does behind all gradients.
//!
//! Usually a weight moves as soon as its gradient is there. That cannot be where the whole gradient of a variable, or of
//! all, must be known first: for norms, for sums over batches, for rules and penalties that look at whole variables. Those
//! updates are moved behind all gradients, and with them goes, in Keras's order:
//!
//! | op | when |
//! |---|---|
//! | Accumulate | `gradient_accumulation_steps` |
//! | Norm | `clipnorm`, `global_clipnorm` |
//! | Update | |
//! | Average | `use_ema` |
//! | Constrain | the variable has a constraint |

use crate::constraints::{Constraint, Groups};
use crate::ops::{Op, OptimizeOp, Param, ParamId, Program};
use crate::optimizers::Optimizer;

/// What does not change about a variable's moves.
#[derive(Clone, Debug)]
pub(crate) struct Movement {
    /// How much of itself it loses, times the learning rate.
    pub(crate) weight_decay: f64,
    /// Whether it moves behind all gradients.
    pub(crate) apart: bool,
    /// What stands under each norm of its constraint.
    pub(crate) groups: Option<Groups>,
}

impl Movement {
    fn new(param: &Param, optimizer: &Optimizer, apart: bool) -> Self {
        let (name, shape) = (&param.name, &param.spec.shape);
        let axes = param.spec.constraint.as_ref().and_then(Constraint::axes);
        Self {
            weight_decay: optimizer.decay_of(name, shape),
            apart,
            groups: axes.map(|axes| Groups::new(axes, shape)),
        }
    }
}

/// Puts the updates of one step of training where they can be; gives every variable's moves.
pub(super) fn arrange(program: &mut Program, optimizer: &Optimizer) -> Vec<Movement> {
    let updated = |op: &Op| match *op {
        Op::Update { param } => Some(param),
        _ => None,
    };
    let mut moving: Vec<ParamId> = program.ops.iter().filter_map(updated).collect();
    moving.sort_by_key(|param| param.0);
    let params = &program.params;
    let whole = |param: &ParamId| {
        let penalty = params[param.0].penalty();
        optimizer.wants_whole_gradients() || penalty.is_some_and(|penalty| penalty.is_for_variables())
    };
    let apart: Vec<ParamId> = moving.iter().copied().filter(whole).collect();
    program.ops.retain(|op| updated(op).is_none_or(|param| !apart.contains(&param)));
    let behind = &mut program.ops;
    if optimizer.gradient_accumulation_steps.is_some() {
        behind.extend(apart.iter().map(|&param| Op::Optimize(OptimizeOp::Accumulate { param })));
    }
    if optimizer.wants_norms() {
        behind.extend(apart.iter().map(|&param| Op::Optimize(OptimizeOp::Norm { param })));
    }
    behind.extend(apart.iter().map(|&param| Op::Optimize(OptimizeOp::Update { param })));
    if optimizer.use_ema {
        behind.extend(moving.iter().map(|&param| Op::Optimize(OptimizeOp::Average { param })));
    }
    for &param in &moving {
        if let Some(constraint) = params[param.0].spec.constraint.clone() {
            behind.push(Op::Optimize(OptimizeOp::Constrain { param, constraint }));
        }
    }
    let movement = |(index, param)| Movement::new(param, optimizer, apart.contains(&ParamId(index)));
    params.iter().enumerate().map(movement).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constraints::NonNeg;
    use crate::plan::fuse::fuse;
    use crate::plan::lower::{Purpose, lower};
    use crate::prelude::*;
    use crate::regularizers::OrthogonalRegularizer;

    fn steps(optimizer: impl Into<Optimizer>, dense: Dense) -> Vec<&'static str> {
        let model = Sequential::new([4]).add(dense);
        let mut program =
            lower(&model, Purpose::Train(crate::losses::MeanSquaredError::default().into())).unwrap();
        arrange(&mut program, &optimizer.into());
        fuse(&program).iter().map(|step| step.name()).skip_while(|name| !name.contains("Update")).collect()
    }

    #[test]
    fn updates_join_their_gradients_where_they_can() {
        let adam = || Optimizer::new(Adam::default());
        assert_eq!(
            steps(adam().weight_decay(0.1).clipvalue(1.0), Dense::new(3)),
            ["BiasUpdate", "KernelUpdate"]
        );
        let constrained = Dense::new(3).kernel_constraint(Constraint::from(NonNeg {}));
        assert_eq!(steps(adam(), constrained), ["BiasUpdate", "KernelUpdate", "Constrain"]);
        assert_eq!(
            steps(adam().ema(0.9, None), Dense::new(3)),
            ["BiasUpdate", "KernelUpdate", "Average", "Average"]
        );
    }

    #[test]
    fn others_stand_behind_all_gradients() {
        let sgd = || Optimizer::new(Sgd::default());
        assert_eq!(
            steps(sgd().global_clipnorm(1.0).gradient_accumulation_steps(2), Dense::new(3)),
            ["BiasUpdate", "KernelUpdate"]
                .into_iter()
                .chain(["Accumulate"; 2])
                .chain(["GradientNorm"; 2])
                .chain(["Update"; 2])
                .collect::<Vec<_>>()
        );
        // Only the variable that needs it.
        let orthogonal = Dense::new(3).kernel_regularizer(OrthogonalRegularizer::default());
        assert_eq!(steps(sgd(), orthogonal), ["BiasUpdate", "KernelUpdate", "Regularize", "Update"]);
    }
}

//! What the normalising layers end with: `y = x·gamma + beta`, one number of each per channel.

use crate::initializers::Initializer;
use crate::ops::{Channel, ChannelForm, Forward, Op, ParamId, ParamSpec, ValueId};

/// The default of `beta` and of moving means.
pub(super) fn zeros() -> Initializer {
    Initializer::Zeros
}

/// The default of `gamma` and of moving variances.
pub(super) fn ones() -> Initializer {
    Initializer::Ones
}

/// Refuses an `epsilon` that cannot keep a variance from 0.
pub(super) fn check_epsilon(epsilon: f64) -> Result<(), String> {
    if epsilon.is_finite() && epsilon > 0.0 {
        return Ok(());
    }
    Err(format!("epsilon: expected a finite number above 0, received {epsilon}"))
}

/// Which of the two there are.
pub(super) struct ScaleShift {
    pub(super) gamma: Option<ParamSpec>,
    pub(super) beta: Option<ParamSpec>,
}

impl ScaleShift {
    /// `gamma`, then `beta`, as Keras orders them.
    pub(super) fn params(self) -> Vec<ParamSpec> {
        [self.gamma, self.beta].into_iter().flatten().collect()
    }

    /// Asks for the variables.
    pub(super) fn declare(self, to: &mut Forward) -> Declared {
        let mut declare = |spec: Option<ParamSpec>| spec.map(|spec| to.param(spec));
        Declared { gamma: declare(self.gamma), beta: declare(self.beta) }
    }
}

/// The variables.
#[derive(Clone, Copy)]
pub(super) struct Declared {
    gamma: Option<ParamId>,
    beta: Option<ParamId>,
}

impl Declared {
    /// Writes the ops, for channels on the last axis.
    pub(super) fn lower(self, to: &mut Forward, mut x: ValueId) -> ValueId {
        for (form, what, w) in
            [(ChannelForm::Scale, "scaled", self.gamma), (ChannelForm::Shift, "shifted", self.beta)]
        {
            if let Some(w) = w {
                let out = to.value_like(what, x);
                to.push(Op::Channel(Channel::Apply { form, x, w, out }));
                x = out;
            }
        }
        x
    }
}

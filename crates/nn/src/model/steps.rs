//! A model's steps one by one, for whoever wants to time them.

use super::Model;
use crate::error::ModelError;
use crate::examples::Examples;
use crate::plan::StepDescription;
use crate::plan::run::each_step;
use crate::plan::workspace::Workspace;

impl Model {
    /// Trains a copy of the model on the first `batch_size` samples, on one thread, then hands every step of that batch
    /// to `each`: what it is, and a way to do it again on the same numbers. The model itself stays as it is.
    ///
    /// This is how kernels are timed as they stand in a model: `benches/kernels.rs`.
    ///
    /// ```
    /// use seedbed_nn::prelude::*;
    /// let examples = Examples::classes([2], &[0.0, 1.0, 1.0, 0.0], &[0, 1])?;
    /// let loss = "sparse_categorical_crossentropy".parse()?;
    /// let layers = Sequential::new([2]).add(Dense::new(2).activation(Activation::Softmax));
    /// let model = layers.compile(Compile::new("adam".parse::<Optimizer>()?, loss))?;
    /// let mut names = Vec::new();
    /// model.each_step(&examples, 2, &mut |step, again| {
    ///     again();
    ///     names.push(step.step);
    /// })?;
    /// assert!(names.contains(&"Dense") && names.contains(&"KernelUpdate"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Where the samples do not fit the model, or there are none.
    pub fn each_step(
        &self,
        examples: &Examples<'_>,
        batch_size: usize,
        each: &mut dyn FnMut(&StepDescription, &mut dyn FnMut()),
    ) -> Result<(), ModelError> {
        self.check(examples)?;
        let mut copy = self.clone();
        if !copy.is_adapted {
            copy.adapt(examples)?;
        }
        let size = batch_size.clamp(1, examples.len());
        let mut workspace = Workspace::new((&copy.plan, &copy.plan.train), size, examples, 1);
        let steps = copy.plan.describe(&copy.plan.train, size);
        let Model { plan, state, streams, .. } = &mut copy;
        each_step(plan, state, &mut workspace, examples, streams, &mut |i, again| each(&steps[i], again));
        Ok(())
    }
}

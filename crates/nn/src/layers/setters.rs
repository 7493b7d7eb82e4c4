//! How options are set that many layers have: one method each, the same words everywhere.

/// Writes methods for fields that a layer has, in the layer's `impl`.
macro_rules! setters {
    (name $default:literal) => {
        #[doc = concat!("Names the layer; by default Keras's `", $default, "`, `", $default, "_1`, …")]
        pub fn name(mut self, name: &str) -> Self {
            self.name = Some(name.into());
            self
        }
    };
    (trainable) => {
        /// Whether its variables are trained; they are by default.
        pub fn trainable(mut self, trainable: bool) -> Self {
            self.trainable = trainable;
            self
        }
    };
    (seed) => {
        /// Gives the layer draws of its own, whatever the run's seed.
        pub fn seed(mut self, seed: u64) -> Self {
            self.seed = Some(seed);
            self
        }
    };
    (resampling) => {
        /// Sets what stands beyond the border.
        pub fn fill_mode(mut self, fill_mode: $crate::ops::FillMode) -> Self {
            self.fill_mode = fill_mode;
            self
        }

        /// Sets what stands between positions.
        pub fn interpolation(mut self, interpolation: $crate::ops::Interpolation) -> Self {
            self.interpolation = interpolation;
            self
        }

        /// Sets the number beyond the border, where the fill mode is constant.
        pub fn fill_value(mut self, fill_value: f64) -> Self {
            self.fill_value = fill_value;
            self
        }
    };
    (activation) => {
        /// Sets what is done with the outputs.
        pub fn activation(mut self, activation: $crate::activations::Activation) -> Self {
            self.activation = activation;
            self
        }
    };
    (use_bias) => {
        /// Whether a bias is added.
        pub fn use_bias(mut self, use_bias: bool) -> Self {
            self.use_bias = use_bias;
            self
        }
    };
    (activity_regularizer) => {
        /// Sets the penalty on the outputs: per sample, so that it does not depend on the size of the batch.
        pub fn activity_regularizer(
            mut self,
            regularizer: impl Into<$crate::regularizers::Regularizer>,
        ) -> Self {
            self.activity_regularizer = Some(regularizer.into());
            self
        }
    };
    (window) => {
        /// Sets how far apart, in pixels, the kernel's places are.
        pub fn strides(mut self, strides: impl Into<$crate::window::Pair>) -> Self {
            self.strides = strides.into();
            self
        }

        /// Sets what happens at the edges.
        pub fn padding(mut self, padding: $crate::window::Padding) -> Self {
            self.padding = padding;
            self
        }

        /// Sets how far apart, in pixels, the kernel's own rows and columns are.
        pub fn dilation_rate(mut self, dilation_rate: impl Into<$crate::window::Pair>) -> Self {
            self.dilation_rate = dilation_rate.into();
            self
        }
    };
    (axes) => {
        /// Sets the axis or axes, as Keras counts: 0 is the batch, −1 the last.
        pub fn axis(mut self, axis: impl Into<$crate::layers::Axes>) -> Self {
            self.axis = axis.into();
            self
        }
    };
    (axis_of_channels) => {
        /// Sets the axis of the channels, as Keras counts: 0 is the batch, −1 the last.
        pub fn axis(mut self, axis: i64) -> Self {
            self.axis = axis;
            self
        }
    };
    (epsilon $of:literal) => {
        #[doc = concat!("Sets what is added to the ", $of, ", so that it is never 0.")]
        pub fn epsilon(mut self, epsilon: f64) -> Self {
            self.epsilon = epsilon;
            self
        }
    };
    (scale_shift) => {
        /// Whether `beta` is added.
        pub fn center(mut self, center: bool) -> Self {
            self.center = center;
            self
        }

        /// Whether `gamma` multiplies.
        pub fn scale(mut self, scale: bool) -> Self {
            self.scale = scale;
            self
        }

        setters!(variable "`beta`": beta_initializer, beta_regularizer, beta_constraint);
        setters!(variable "`gamma`": gamma_initializer, gamma_regularizer, gamma_constraint);
    };
    (variable $what:literal: $initializer:ident, $regularizer:ident, $constraint:ident) => {
        #[doc = concat!("Sets how ", $what, " starts.")]
        pub fn $initializer(mut self, initializer: $crate::initializers::Initializer) -> Self {
            self.$initializer = initializer;
            self
        }

        #[doc = concat!("Sets the penalty of ", $what, ".")]
        pub fn $regularizer(
            mut self,
            regularizer: impl Into<$crate::regularizers::Regularizer>,
        ) -> Self {
            self.$regularizer = Some(regularizer.into());
            self
        }

        #[doc = concat!("Sets what ", $what, " is brought back to after every step.")]
        pub fn $constraint(mut self, constraint: impl Into<$crate::constraints::Constraint>) -> Self {
            self.$constraint = Some(constraint.into());
            self
        }
    };
}

pub(super) use setters;

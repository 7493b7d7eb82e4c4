"""The training choices whose arithmetic is compared, one row each. A new choice is a new row, nothing else.

A row says what differs from the base: Dense 16 tanh, Dense 5 softmax, SGD 0.1, sparse categorical crossentropy.
Everything that Keras builds is given as a function, because each run needs its own.
"""

import dataclasses
from collections.abc import Callable

from reference import keras

opt = keras.optimizers
sched = keras.optimizers.schedules
loss = keras.losses
reg = keras.regularizers
con = keras.constraints


@dataclasses.dataclass
class Row:
    """One choice. `targets` and `weights` name formulas of formula.py; `first` are arguments of the first Dense."""

    name: str
    optimizer: Callable = lambda: opt.SGD(0.1)
    loss: Callable = loss.SparseCategoricalCrossentropy
    targets: str = "class"
    weights: str | None = None
    activation: str = "tanh"
    activation_params: dict = dataclasses.field(default_factory=dict)
    output: str = "softmax"
    first: dict[str, Callable] = dataclasses.field(default_factory=dict)
    exclude_from_weight_decay: list[str] = dataclasses.field(default_factory=list)


def optimizer(name, make, **others):
    return Row(name, optimizer=make, **others)


def losses(name, make, targets, output, **others):
    return Row(name, loss=make, targets=targets, output=output, **others)


def activation(name, **params):
    suffix = "".join(f"_{key}_{value}" for key, value in params.items())
    return Row(name + suffix, activation=name, activation_params=params)


def first_layer(name, **arguments):
    return Row(name, first=arguments)


OPTIMIZERS = [
    optimizer("sgd", lambda: opt.SGD()),
    optimizer("sgd_learning_rate", lambda: opt.SGD(0.1)),
    optimizer("sgd_momentum", lambda: opt.SGD(0.05, momentum=0.9)),
    optimizer("sgd_nesterov", lambda: opt.SGD(0.05, momentum=0.9, nesterov=True)),
    optimizer("rmsprop", lambda: opt.RMSprop()),
    optimizer("rmsprop_momentum", lambda: opt.RMSprop(0.002, momentum=0.9)),
    optimizer("rmsprop_centered", lambda: opt.RMSprop(centered=True)),
    optimizer("rmsprop_all", lambda: opt.RMSprop(0.002, rho=0.8, momentum=0.5, epsilon=1e-3, centered=True)),
    optimizer("adam", lambda: opt.Adam()),
    optimizer("adam_amsgrad", lambda: opt.Adam(0.01, beta_2=0.9, amsgrad=True)),
    optimizer("adam_all", lambda: opt.Adam(0.01, beta_1=0.8, beta_2=0.95, epsilon=1e-3)),
    optimizer("adamw", lambda: opt.AdamW()),
    optimizer("adamw_all", lambda: opt.AdamW(0.01, weight_decay=0.1, beta_1=0.8, beta_2=0.95, epsilon=1e-3)),
    optimizer("nadam", lambda: opt.Nadam()),
    optimizer("nadam_all", lambda: opt.Nadam(0.01, beta_1=0.8, beta_2=0.95, epsilon=1e-3)),
    optimizer("adagrad", lambda: opt.Adagrad()),
    optimizer("adagrad_all", lambda: opt.Adagrad(0.05, initial_accumulator_value=0.01, epsilon=1e-3)),
    optimizer("adamax", lambda: opt.Adamax()),
    optimizer("adamax_all", lambda: opt.Adamax(0.01, beta_1=0.8, beta_2=0.9, epsilon=1e-3)),
    optimizer("adadelta", lambda: opt.Adadelta()),
    optimizer("adadelta_all", lambda: opt.Adadelta(1.0, rho=0.9, epsilon=1e-4)),
    optimizer("ftrl", lambda: opt.Ftrl()),
    optimizer(
        "ftrl_all",
        lambda: opt.Ftrl(
            0.1,
            learning_rate_power=-0.6,
            initial_accumulator_value=0.2,
            l1_regularization_strength=0.002,
            l2_regularization_strength=0.003,
            l2_shrinkage_regularization_strength=0.004,
            beta=0.1,
        ),
    ),
    optimizer("lion", lambda: opt.Lion()),
    optimizer("lion_all", lambda: opt.Lion(0.003, beta_1=0.8, beta_2=0.9)),
    optimizer("lamb", lambda: opt.Lamb()),
    optimizer("lamb_all", lambda: opt.Lamb(0.01, beta_1=0.8, beta_2=0.95, epsilon=1e-3)),
    optimizer("adafactor", lambda: opt.Adafactor()),
    optimizer(
        "adafactor_all",
        lambda: opt.Adafactor(0.05, beta_2_decay=-0.7, epsilon_1=1e-10, epsilon_2=1e-2, clip_threshold=0.8),
    ),
    optimizer("adafactor_no_relative_step", lambda: opt.Adafactor(0.5, relative_step=False)),
    optimizer("muon", lambda: opt.Muon()),
    optimizer(
        "muon_all",
        lambda: opt.Muon(
            0.005,
            adam_beta_1=0.8,
            adam_beta_2=0.95,
            adam_weight_decay=0.01,
            epsilon=1e-3,
            weight_decay=0.02,
            adam_lr_ratio=0.5,
            momentum=0.9,
            ns_steps=3,
            nesterov=False,
            rms_rate=0.1,
        ),
    ),
    optimizer("muon_exclude_layers", lambda: opt.Muon(0.005, exclude_layers=["dense_1"], rms_rate=None)),
    # Options that every optimizer takes
    optimizer("sgd_weight_decay", lambda: opt.SGD(0.1, weight_decay=0.1)),
    optimizer("adam_weight_decay", lambda: opt.Adam(0.01, weight_decay=0.1)),
    optimizer("adagrad_weight_decay", lambda: opt.Adagrad(0.05, weight_decay=0.1)),
    optimizer("ftrl_weight_decay", lambda: opt.Ftrl(0.05, weight_decay=0.1)),
    optimizer("lamb_weight_decay", lambda: opt.Lamb(0.01, weight_decay=0.1)),
    optimizer("lion_weight_decay", lambda: opt.Lion(0.003, weight_decay=0.1)),
    optimizer(
        "adamw_exclude_bias",
        lambda: opt.AdamW(0.01, weight_decay=0.1),
        exclude_from_weight_decay=["bias"],
    ),
    optimizer(
        "adamw_exclude_layer",
        lambda: opt.AdamW(0.01, weight_decay=0.1),
        exclude_from_weight_decay=["dense_1", "dense/bias"],
    ),
    optimizer("sgd_clipnorm", lambda: opt.SGD(0.5, clipnorm=0.1)),
    optimizer("adam_clipnorm", lambda: opt.Adam(0.01, epsilon=1e-2, clipnorm=0.1)),
    optimizer("sgd_clipvalue", lambda: opt.SGD(0.5, clipvalue=0.01)),
    optimizer("adam_clipvalue", lambda: opt.Adam(0.01, epsilon=1e-2, clipvalue=0.01)),
    optimizer("sgd_global_clipnorm", lambda: opt.SGD(0.5, global_clipnorm=0.1)),
    optimizer("adam_global_clipnorm", lambda: opt.Adam(0.01, epsilon=1e-2, global_clipnorm=0.1)),
    optimizer("sgd_global_clipnorm_not_reached", lambda: opt.SGD(0.1, global_clipnorm=100.0)),
    optimizer("sgd_use_ema", lambda: opt.SGD(0.1, use_ema=True, ema_momentum=0.9)),
    optimizer("sgd_use_ema_overwrite", lambda: opt.SGD(0.1, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=5)),
    optimizer("adam_use_ema", lambda: opt.Adam(0.01, use_ema=True)),
    optimizer("sgd_gradient_accumulation", lambda: opt.SGD(0.2, momentum=0.9, gradient_accumulation_steps=4)),
    optimizer("adam_gradient_accumulation", lambda: opt.Adam(0.01, gradient_accumulation_steps=4)),
    optimizer("nadam_gradient_accumulation", lambda: opt.Nadam(0.01, gradient_accumulation_steps=4)),
    optimizer("adam_gradient_accumulation_left_over", lambda: opt.Adam(0.01, gradient_accumulation_steps=3)),
    optimizer(
        "adam_gradient_accumulation_clipnorm_ema",
        lambda: opt.Adam(
            0.01,
            epsilon=1e-2,
            weight_decay=0.1,
            clipnorm=0.1,
            gradient_accumulation_steps=4,
            use_ema=True,
            ema_momentum=0.9,
            ema_overwrite_frequency=2,
        ),
    ),
    optimizer("sgd_exponential_decay", lambda: opt.SGD(sched.ExponentialDecay(0.2, 5, 0.5))),
    optimizer("adam_cosine_decay", lambda: opt.Adam(sched.CosineDecay(0.001, 12, warmup_target=0.01, warmup_steps=4))),
    optimizer(
        "adamw_schedule_accumulation",
        lambda: opt.AdamW(
            sched.PiecewiseConstantDecay([6, 12], [0.02, 0.01, 0.005]), weight_decay=0.1, gradient_accumulation_steps=4
        ),
    ),
    optimizer("adafactor_schedule", lambda: opt.Adafactor(sched.ExponentialDecay(0.5, 5, 0.5))),
]

LOSSES = [
    losses("sparse_categorical_crossentropy", lambda: loss.SparseCategoricalCrossentropy(), "class", "softmax"),
    losses(
        "sparse_categorical_crossentropy_from_logits",
        lambda: loss.SparseCategoricalCrossentropy(from_logits=True),
        "class",
        "linear",
    ),
    losses(
        "sparse_categorical_crossentropy_on_sigmoid", lambda: loss.SparseCategoricalCrossentropy(), "class", "sigmoid"
    ),
    losses(
        "sparse_categorical_crossentropy_on_hard_sigmoid",
        lambda: loss.SparseCategoricalCrossentropy(),
        "class",
        "hard_sigmoid",
    ),
    losses(
        "sparse_categorical_crossentropy_ignore_class",
        lambda: loss.SparseCategoricalCrossentropy(ignore_class=2),
        "class",
        "softmax",
    ),
    losses("categorical_crossentropy", lambda: loss.CategoricalCrossentropy(), "one_hot", "softmax"),
    losses("categorical_crossentropy_soft_targets", lambda: loss.CategoricalCrossentropy(), "share", "softmax"),
    losses(
        "categorical_crossentropy_from_logits",
        lambda: loss.CategoricalCrossentropy(from_logits=True),
        "one_hot",
        "linear",
    ),
    losses(
        "categorical_crossentropy_label_smoothing",
        lambda: loss.CategoricalCrossentropy(label_smoothing=0.1),
        "one_hot",
        "softmax",
    ),
    losses("categorical_crossentropy_on_sigmoid", lambda: loss.CategoricalCrossentropy(), "one_hot", "sigmoid"),
    losses(
        "categorical_crossentropy_on_hard_sigmoid", lambda: loss.CategoricalCrossentropy(), "one_hot", "hard_sigmoid"
    ),
    losses("binary_crossentropy", lambda: loss.BinaryCrossentropy(), "one_hot", "sigmoid"),
    losses("binary_crossentropy_from_logits", lambda: loss.BinaryCrossentropy(from_logits=True), "one_hot", "linear"),
    losses(
        "binary_crossentropy_label_smoothing",
        lambda: loss.BinaryCrossentropy(label_smoothing=0.1),
        "one_hot",
        "sigmoid",
    ),
    losses("binary_crossentropy_on_softmax", lambda: loss.BinaryCrossentropy(), "one_hot", "softmax"),
    losses("binary_crossentropy_on_hard_sigmoid", lambda: loss.BinaryCrossentropy(), "one_hot", "hard_sigmoid"),
    losses("binary_focal_crossentropy", lambda: loss.BinaryFocalCrossentropy(), "one_hot", "sigmoid"),
    losses("binary_focal_crossentropy_gamma", lambda: loss.BinaryFocalCrossentropy(gamma=3.0), "one_hot", "sigmoid"),
    losses(
        "binary_focal_crossentropy_balanced",
        lambda: loss.BinaryFocalCrossentropy(apply_class_balancing=True, alpha=0.4, label_smoothing=0.1),
        "one_hot",
        "sigmoid",
    ),
    losses(
        "binary_focal_crossentropy_from_logits",
        lambda: loss.BinaryFocalCrossentropy(from_logits=True),
        "one_hot",
        "linear",
    ),
    losses(
        "binary_focal_crossentropy_on_hard_sigmoid", lambda: loss.BinaryFocalCrossentropy(), "one_hot", "hard_sigmoid"
    ),
    losses("categorical_focal_crossentropy", lambda: loss.CategoricalFocalCrossentropy(), "one_hot", "softmax"),
    losses(
        "categorical_focal_crossentropy_all",
        lambda: loss.CategoricalFocalCrossentropy(alpha=0.5, gamma=3.0, label_smoothing=0.1),
        "one_hot",
        "softmax",
    ),
    losses(
        "categorical_focal_crossentropy_from_logits",
        lambda: loss.CategoricalFocalCrossentropy(from_logits=True),
        "one_hot",
        "linear",
    ),
    losses("mean_squared_error", lambda: loss.MeanSquaredError(), "one_hot", "softmax"),
    losses("mean_squared_error_regression", lambda: loss.MeanSquaredError(), "dense", "linear"),
    losses("mean_absolute_error", lambda: loss.MeanAbsoluteError(), "dense", "linear"),
    losses(
        "mean_absolute_percentage_error",
        lambda: loss.MeanAbsolutePercentageError(),
        "positive",
        "softplus",
        optimizer=lambda: opt.SGD(0.001),
    ),
    losses("mean_squared_logarithmic_error", lambda: loss.MeanSquaredLogarithmicError(), "positive", "linear"),
    losses("huber", lambda: loss.Huber(), "dense", "linear"),
    losses("huber_delta", lambda: loss.Huber(delta=0.3), "dense", "linear"),
    losses("log_cosh", lambda: loss.LogCosh(), "dense", "linear"),
    losses("kl_divergence", lambda: loss.KLDivergence(), "share", "softmax"),
    losses("kl_divergence_one_hot", lambda: loss.KLDivergence(), "one_hot", "softmax"),
    losses("poisson", lambda: loss.Poisson(), "positive", "softplus"),
    losses("cosine_similarity", lambda: loss.CosineSimilarity(), "dense", "linear"),
    losses("hinge", lambda: loss.Hinge(), "one_hot", "linear"),
    losses("hinge_plus_minus", lambda: loss.Hinge(), "dense", "tanh"),
    losses("squared_hinge", lambda: loss.SquaredHinge(), "one_hot", "linear"),
    losses("categorical_hinge", lambda: loss.CategoricalHinge(), "one_hot", "linear"),
    losses("dice", lambda: loss.Dice(), "one_hot", "softmax"),
    losses("dice_per_sample", lambda: loss.Dice(axis=-1), "one_hot", "softmax"),
    losses("tversky", lambda: loss.Tversky(), "one_hot", "softmax"),
    losses("tversky_all", lambda: loss.Tversky(alpha=0.3, beta=0.7, axis=-1), "one_hot", "sigmoid"),
    losses(
        "sparse_categorical_crossentropy_sum",
        lambda: loss.SparseCategoricalCrossentropy(reduction="sum"),
        "class",
        "softmax",
    ),
    losses(
        "sparse_categorical_crossentropy_sample_weight",
        lambda: loss.SparseCategoricalCrossentropy(),
        "class",
        "softmax",
        weights="sample",
    ),
    losses(
        "sparse_categorical_crossentropy_mean_with_sample_weight",
        lambda: loss.SparseCategoricalCrossentropy(reduction="mean_with_sample_weight"),
        "class",
        "softmax",
        weights="sample",
    ),
    losses(
        "sparse_categorical_crossentropy_class_weight",
        lambda: loss.SparseCategoricalCrossentropy(),
        "class",
        "softmax",
        weights="class",
    ),
    losses("mean_squared_error_sample_weight", lambda: loss.MeanSquaredError(), "dense", "linear", weights="sample"),
]

ACTIVATIONS = [
    activation("linear"),
    activation("relu"),
    activation("relu", negative_slope=0.1, max_value=0.8, threshold=0.1),
    activation("relu6"),
    activation("leaky_relu"),
    activation("leaky_relu", negative_slope=0.3),
    activation("elu"),
    activation("elu", alpha=0.5),
    activation("celu"),
    activation("celu", alpha=2.0),
    activation("selu"),
    activation("softplus"),
    activation("softsign"),
    activation("squareplus"),
    activation("squareplus", b=0.2),
    activation("soft_shrink"),
    activation("soft_shrink", threshold=0.2),
    activation("hard_shrink"),
    activation("hard_shrink", threshold=0.2),
    activation("threshold", threshold=0.1, default_value=-0.3),
    activation("sparse_plus"),
    activation("sparse_sigmoid"),
    activation("silu"),
    activation("hard_silu"),
    activation("gelu"),
    activation("gelu", approximate=True),
    activation("tanh"),
    activation("tanh_shrink"),
    activation("hard_tanh"),
    activation("sigmoid"),
    activation("hard_sigmoid"),
    activation("log_sigmoid"),
    activation("exponential"),
    activation("mish"),
    activation("softmax"),
    activation("log_softmax"),
    activation("sparsemax"),
]

# Halves its row of numbers, which Keras's Dense does not foresee: only a table of values.
ACTIVATIONS_OUTSIDE_DENSE = [activation("glu")]

REGULARIZERS = [
    first_layer("kernel_l1", kernel_regularizer=lambda: reg.L1(0.01)),
    first_layer("kernel_l2", kernel_regularizer=lambda: reg.L2(0.01)),
    first_layer("kernel_l1_l2", kernel_regularizer=lambda: reg.L1L2(l1=0.002, l2=0.01)),
    first_layer("kernel_l2_by_name", kernel_regularizer=lambda: reg.get("l2")),
    first_layer(
        "kernel_and_bias", kernel_regularizer=lambda: reg.L2(0.02), bias_regularizer=lambda: reg.L1L2(l1=0.001, l2=0.1)
    ),
    first_layer("activity_l1", activity_regularizer=lambda: reg.L1(0.01)),
    first_layer("activity_l2", activity_regularizer=lambda: reg.L2(0.01)),
    first_layer("orthogonal_rows", kernel_regularizer=lambda: reg.OrthogonalRegularizer(0.5)),
    first_layer("orthogonal_columns", kernel_regularizer=lambda: reg.OrthogonalRegularizer(0.5, mode="columns")),
]

CONSTRAINTS = [
    first_layer("max_norm", kernel_constraint=lambda: con.MaxNorm()),
    first_layer("max_norm_reached", kernel_constraint=lambda: con.MaxNorm(0.9)),
    first_layer("max_norm_axis", kernel_constraint=lambda: con.MaxNorm(0.9, axis=1)),
    first_layer("non_neg", kernel_constraint=lambda: con.NonNeg(), bias_constraint=lambda: con.NonNeg()),
    first_layer("unit_norm", kernel_constraint=lambda: con.UnitNorm()),
    first_layer("unit_norm_bias", bias_constraint=lambda: con.UnitNorm()),
    first_layer("min_max_norm", kernel_constraint=lambda: con.MinMaxNorm()),
    first_layer("min_max_norm_rate", kernel_constraint=lambda: con.MinMaxNorm(1.2, 1.3, rate=0.3, axis=1)),
]

TRAINED = {
    "optimizers": OPTIMIZERS,
    "losses": LOSSES,
    "activations": ACTIVATIONS,
    "regularizers": REGULARIZERS,
    "constraints": CONSTRAINTS,
}

SCHEDULES = [
    ("exponential_decay", lambda: sched.ExponentialDecay(0.1, 100, 0.9)),
    ("exponential_decay_staircase", lambda: sched.ExponentialDecay(0.1, 100, 0.5, staircase=True)),
    ("piecewise_constant_decay", lambda: sched.PiecewiseConstantDecay([100, 200], [1.0, 0.5, 0.1])),
    ("polynomial_decay", lambda: sched.PolynomialDecay(0.1, 200)),
    ("polynomial_decay_power", lambda: sched.PolynomialDecay(0.1, 200, end_learning_rate=0.01, power=0.5)),
    ("polynomial_decay_cycle", lambda: sched.PolynomialDecay(0.1, 100, power=2.0, cycle=True)),
    ("inverse_time_decay", lambda: sched.InverseTimeDecay(0.1, 100, 0.5)),
    ("inverse_time_decay_staircase", lambda: sched.InverseTimeDecay(0.1, 100, 0.5, staircase=True)),
    ("cosine_decay", lambda: sched.CosineDecay(0.1, 200)),
    ("cosine_decay_alpha", lambda: sched.CosineDecay(0.1, 200, alpha=0.1)),
    ("cosine_decay_warmup", lambda: sched.CosineDecay(0.0, 200, alpha=0.1, warmup_target=0.1, warmup_steps=50)),
    ("cosine_decay_restarts", lambda: sched.CosineDecayRestarts(0.1, 50)),
    ("cosine_decay_restarts_all", lambda: sched.CosineDecayRestarts(0.1, 70, t_mul=1.5, m_mul=0.8, alpha=0.05)),
    ("cosine_decay_restarts_even", lambda: sched.CosineDecayRestarts(0.1, 60, t_mul=1.0, m_mul=0.9)),
]

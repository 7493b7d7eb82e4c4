"""The layers whose arithmetic is compared, one row each. A new layer or option is a new row, nothing else.

A row names the shape of a sample and the layers as a model file has them: `class_name` and the arguments that differ
from Keras's defaults. Behind them always comes Flatten, then Dense 5 softmax (`tail`); training is SGD 0.1 on sparse
categorical crossentropy. Random layers can only be compared where they do nothing (inference, rate 0).
"""

import dataclasses
import math

TAIL = ({"class_name": "Flatten"}, {"class_name": "Dense", "units": 5, "activation": "softmax"})


@dataclasses.dataclass(frozen=True)
class Row:
    """One choice. `relu` makes about half of the inputs zero, so that ties occur."""

    name: str
    shape: tuple
    layers: tuple
    relu: bool = False
    tail: tuple = TAIL


def layer(class_name, **arguments):
    return {"class_name": class_name, **arguments}


def picture(name, *layers, shape=(7, 6, 3), **others):
    """A row on small pictures."""
    return Row(name, shape, layers, **others)


def conv(name, filters=4, kernel_size=3, shape=(7, 6, 3), **arguments):
    return picture(f"conv2d{name}", layer("Conv2D", filters=filters, kernel_size=kernel_size, **arguments), shape=shape)


def depthwise(name, kernel_size=3, **arguments):
    return picture(f"depthwise_conv2d{name}", layer("DepthwiseConv2D", kernel_size=kernel_size, **arguments))


def pooling(name, kind, **arguments):
    """Pooling behind a convolution, so that its gradient is compared too."""
    first = layer("Conv2D", filters=3, kernel_size=2, activation="tanh")
    return picture(name, first, layer(kind, **arguments), shape=(8, 7, 2))


CONVOLUTION = [
    conv(""),
    conv("_one_channel", shape=(6, 6, 1), filters=5),
    conv("_same", padding="same"),
    conv("_same_even_kernel", padding="same", kernel_size=[2, 4]),
    conv("_strides", strides=2),
    conv("_strides_same", strides=[2, 3], padding="same", kernel_size=[3, 2]),
    conv("_strides_beyond_kernel", strides=3, kernel_size=2),
    conv("_dilation", dilation_rate=2),
    conv("_dilation_same", dilation_rate=[1, 2], padding="same"),
    conv("_groups", filters=6, groups=3),
    conv("_groups_same_strides", shape=(6, 5, 4), filters=6, groups=2, padding="same", strides=2, activation="tanh"),
    conv("_one_by_one", kernel_size=1, filters=7),
    conv("_no_bias_relu", use_bias=False, activation="relu"),
    conv("_gelu", activation="gelu"),
    conv("_l2", kernel_regularizer="l2", bias_regularizer="l1"),
    picture(
        "conv2d_twice",
        layer("Conv2D", filters=4, kernel_size=3, padding="same", activation="relu"),
        layer("Conv2D", filters=6, kernel_size=[2, 3], strides=[1, 2], activation="elu"),
    ),
    picture(
        "conv2d_groups_twice",
        layer("Conv2D", filters=4, kernel_size=2, activation="tanh"),
        layer("Conv2D", filters=6, kernel_size=3, groups=2, dilation_rate=2, padding="same"),
    ),
    depthwise(""),
    depthwise("_multiplier", depth_multiplier=3, activation="tanh"),
    depthwise("_same", padding="same", use_bias=False),
    depthwise("_strides", strides=2, kernel_size=2),
    depthwise("_dilation", dilation_rate=2, depth_multiplier=2),
    picture(
        "depthwise_conv2d_behind_conv2d",
        layer("Conv2D", filters=4, kernel_size=2, activation="tanh"),
        layer("DepthwiseConv2D", kernel_size=3, padding="same", depth_multiplier=2),
    ),
]

POOLING = [
    pooling("max_pooling2d", "MaxPooling2D"),
    pooling("max_pooling2d_overlap", "MaxPooling2D", pool_size=3, strides=2),
    pooling("max_pooling2d_same", "MaxPooling2D", pool_size=[3, 2], padding="same"),
    pooling("max_pooling2d_apart", "MaxPooling2D", pool_size=2, strides=3),
    picture(
        "max_pooling2d_relu",
        layer("Conv2D", filters=4, kernel_size=2, activation="relu"),
        layer("MaxPooling2D"),
        layer("Conv2D", filters=3, kernel_size=2, activation="relu"),
        shape=(9, 8, 1),
        relu=True,
    ),
    pooling("average_pooling2d", "AveragePooling2D", pool_size=2),
    pooling("average_pooling2d_overlap", "AveragePooling2D", pool_size=3, strides=2),
    pooling("average_pooling2d_same", "AveragePooling2D", pool_size=[3, 2], padding="same"),
    pooling("average_pooling2d_same_overlap", "AveragePooling2D", pool_size=3, strides=1, padding="same"),
    pooling("global_max_pooling2d", "GlobalMaxPooling2D"),
    pooling("global_max_pooling2d_keepdims", "GlobalMaxPooling2D", keepdims=True),
    picture(
        "global_max_pooling2d_ties",
        layer("Conv2D", filters=3, kernel_size=1, activation="relu6"),
        layer("GlobalMaxPooling2D"),
        relu=True,
    ),
    pooling("global_average_pooling2d", "GlobalAveragePooling2D"),
    pooling("global_average_pooling2d_keepdims", "GlobalAveragePooling2D", keepdims=True),
]


def behind_dense(name, *layers, shape=(4, 3, 6), **others):
    """Layers on what a Dense gives, so that the gradient of their input is compared too."""
    first = layer("Dense", units=math.prod(shape), activation="tanh")
    return Row(name, (7,), (first, layer("Reshape", target_shape=list(shape)), *layers), **others)


def normalization(name, kind, shape=(4, 3, 6), **arguments):
    return behind_dense(name, layer(kind, **arguments), shape=shape)


NORMALIZATION = [
    normalization("batch_normalization", "BatchNormalization"),
    normalization("batch_normalization_axis_1", "BatchNormalization", axis=1, momentum=0.8, epsilon=0.01),
    normalization("batch_normalization_plain", "BatchNormalization", center=False, scale=False),
    normalization("batch_normalization_not_trained", "BatchNormalization", trainable=False),
    normalization("batch_normalization_l2", "BatchNormalization", gamma_regularizer="l2", beta_regularizer="l1"),
    normalization("batch_normalization_of_a_row", "BatchNormalization", shape=(20,)),
    picture("batch_normalization_first", layer("BatchNormalization", momentum=0.5)),
    normalization("layer_normalization", "LayerNormalization"),
    normalization("layer_normalization_two_axes", "LayerNormalization", axis=[1, 3], epsilon=1e-5),
    normalization("layer_normalization_axis_2", "LayerNormalization", axis=2, center=False),
    normalization("layer_normalization_of_a_row", "LayerNormalization", shape=(20,), scale=False),
    normalization("group_normalization", "GroupNormalization", groups=3),
    normalization("group_normalization_one", "GroupNormalization", groups=1, center=False),
    normalization("group_normalization_each", "GroupNormalization", groups=-1),
    normalization("group_normalization_axis_1", "GroupNormalization", groups=2, axis=1),
    normalization("group_normalization_of_a_row", "GroupNormalization", groups=4, shape=(20,)),
    normalization("rms_normalization", "RMSNormalization"),
    normalization("rms_normalization_two_axes", "RMSNormalization", axis=[2, 3], epsilon=0.01),
    normalization("unit_normalization", "UnitNormalization"),
    normalization("unit_normalization_two_axes", "UnitNormalization", axis=[1, 2]),
    picture("normalization", layer("Normalization", mean=[0.125, -0.25, 0.375], variance=[0.5, 0.25, 2.0])),
    picture("normalization_one", layer("Normalization", axis=None, mean=0.1, variance=0.3)),
    normalization(
        "normalization_invert",
        "Normalization",
        axis=1,
        mean=[0.125, 0.25, 0.375, 0.5],
        variance=[1.0, 2.0, 0.5, 0.0],
        invert=True,
    ),
]

ACTIVATION = [
    behind_dense("leaky_re_lu", layer("LeakyReLU")),
    behind_dense("leaky_re_lu_slope", layer("LeakyReLU", negative_slope=0.05)),
    behind_dense("elu", layer("ELU", alpha=0.4)),
    behind_dense("re_lu", layer("ReLU")),
    behind_dense("re_lu_all", layer("ReLU", max_value=0.6, negative_slope=0.1, threshold=0.05)),
    behind_dense("re_lu_max", layer("ReLU", max_value=0.5)),
    behind_dense("softmax", layer("Softmax")),
    behind_dense("softmax_axis_1", layer("Softmax", axis=1)),
    behind_dense("softmax_two_axes", layer("Softmax", axis=[1, 3])),
    behind_dense("activation_softmax", layer("Activation", activation="softmax")),
    behind_dense("p_re_lu", layer("PReLU")),
    behind_dense("p_re_lu_shared", layer("PReLU", shared_axes=[1, 2], alpha_initializer="ones")),
    behind_dense("p_re_lu_shared_last", layer("PReLU", shared_axes=[3], alpha_regularizer="l2")),
]


def augmentation(name, kind, **arguments):
    """A change of pictures whose range is one number, so that nothing is random."""
    return picture(name, layer(kind, **arguments))


AUGMENTATION = [
    augmentation("random_translation", "RandomTranslation", height_factor=[0.1, 0.1], width_factor=[-0.2, -0.2]),
    augmentation(
        "random_translation_constant",
        "RandomTranslation",
        height_factor=[-0.3, -0.3],
        width_factor=[0.25, 0.25],
        fill_mode="constant",
        fill_value=0.5,
    ),
    augmentation(
        "random_translation_nearest",
        "RandomTranslation",
        height_factor=[0.33, 0.33],
        width_factor=[-0.1, -0.1],
        interpolation="nearest",
        fill_mode="nearest",
    ),
    augmentation("random_rotation", "RandomRotation", factor=[0.1, 0.1]),
    augmentation("random_rotation_wrap", "RandomRotation", factor=[-0.3, -0.3], fill_mode="wrap"),
    augmentation("random_rotation_nearest", "RandomRotation", factor=[0.07, 0.07], interpolation="nearest"),
    augmentation("random_zoom", "RandomZoom", height_factor=[0.3, 0.3]),
    augmentation(
        "random_zoom_in", "RandomZoom", height_factor=[-0.4, -0.4], width_factor=[0.2, 0.2], fill_mode="constant"
    ),
    augmentation("random_contrast", "RandomContrast", factor=[-0.3, 0.3], value_range=[-0.9, 0.8]),
]

NOISE = [
    picture("dropout", layer("Dropout", rate=0.0)),
    picture("spatial_dropout2d", layer("SpatialDropout2D", rate=0.0)),
    picture("alpha_dropout", layer("AlphaDropout", rate=0.0)),
    picture("gaussian_dropout", layer("GaussianDropout", rate=0.0)),
    picture("gaussian_noise", layer("GaussianNoise", stddev=0.0)),
    picture(
        "activity_regularization",
        layer("Conv2D", filters=3, kernel_size=2, activation="tanh"),
        layer("ActivityRegularization", l1=0.01, l2=0.02),
    ),
    picture(
        "activity_regularization_twice",
        layer("ActivityRegularization", l2=0.05),
        layer("Dense", units=4, activity_regularizer="l1"),
        layer("ActivityRegularization", l1=0.02),
        shape=(24,),
        relu=True,
    ),
]

PENALTY = {"l1": 0.01, "l2": 0.02}


def norm(name, **parameters):
    """A constraint as a model file has it."""
    return {"name": name, **parameters}


OPTIONS = [
    conv(
        "_options",
        kernel_constraint=norm("max_norm", max_value=0.25),
        bias_constraint="non_neg",
        activity_regularizer=PENALTY,
        activation="relu",
    ),
    conv("_filters", filters=6, groups=3, kernel_constraint=norm("unit_norm", axis=[0, 1, 2])),
    depthwise(
        "_options",
        depth_multiplier=2,
        depthwise_constraint=norm("min_max_norm", min_value=0.4, max_value=0.6, rate=0.5, axis=[0, 1]),
        bias_constraint="non_neg",
        activity_regularizer=PENALTY,
        activation="tanh",
    ),
    normalization(
        "batch_normalization_options",
        "BatchNormalization",
        gamma_constraint=norm("max_norm", max_value=1.5),
        beta_constraint="non_neg",
        activity_regularizer=PENALTY,
    ),
    normalization(
        "layer_normalization_options",
        "LayerNormalization",
        gamma_constraint="unit_norm",
        beta_constraint=norm("max_norm", max_value=0.1),
        activity_regularizer=PENALTY,
    ),
    normalization(
        "group_normalization_options",
        "GroupNormalization",
        groups=3,
        gamma_constraint="non_neg",
        beta_constraint=norm("max_norm", max_value=0.1),
        activity_regularizer=PENALTY,
    ),
    normalization("rms_normalization_options", "RMSNormalization", activity_regularizer=PENALTY),
    normalization("unit_normalization_options", "UnitNormalization", activity_regularizer=PENALTY),
    behind_dense("p_re_lu_options", layer("PReLU", alpha_constraint="non_neg")),
]

GROUPS = {
    "convolution": CONVOLUTION,
    "pooling": POOLING,
    "normalization": NORMALIZATION,
    "activation": ACTIVATION,
    "augmentation": AUGMENTATION,
    "noise": NOISE,
    "options": OPTIONS,
}

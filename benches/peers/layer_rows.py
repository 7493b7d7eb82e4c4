"""The layers whose arithmetic is compared, one row each. A new layer or option is a new row, nothing else.

A row names the shape of a sample and the layers as a model file has them: `class_name` and the arguments that differ
from Keras's defaults. Behind them always comes Flatten, then Dense 5 softmax (`tail`); training is SGD 0.1 on sparse
categorical crossentropy. Random layers can only be compared where they do nothing (inference, rate 0).
"""

import dataclasses

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

GROUPS = {"convolution": CONVOLUTION, "pooling": POOLING}

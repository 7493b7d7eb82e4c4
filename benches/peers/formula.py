"""Numbers that any language can make again bit for bit: weights, inputs and labels of the reference runs.

Nothing here draws at random. Every number is SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) of a stream and an
index, so that a fixture needs to store only results. All integer arithmetic is modulo 2**64.
"""

import math

import numpy as np

KERNEL_STREAM = 100  # kernel of the l-th dense layer: stream 100 + l
INPUT_STREAM = 200
LABEL_STREAM = 7
WEIGHT_STREAM = 300
TARGET_STREAM = 400


def mix(x):
    """SplitMix64's output for the state `x` (array of uint64)."""
    x = np.asarray(x, dtype=np.uint64)
    with np.errstate(over="ignore"):
        z = x + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def word(stream, index):
    """64 bits for (stream, index); both may be arrays."""
    return mix((np.asarray(stream, dtype=np.uint64) << np.uint64(32)) + np.asarray(index, dtype=np.uint64))


def unit(stream, index):
    """A multiple of 2**-24 in [0, 1): exact in float32 and float64."""
    return (word(stream, index) >> np.uint64(40)).astype(np.float64) / 2.0**24


def symmetric(stream, count):
    """`count` float64 numbers in [-1, 1), exact in float32."""
    return 2.0 * unit(stream, np.arange(count)) - 1.0


def kernel(layer, inputs, outputs):
    """Kernel [inputs, outputs] of the `layer`-th dense layer: computed in float64, rounded once to float32."""
    limit = math.sqrt(6.0 / (inputs + outputs))
    return (symmetric(KERNEL_STREAM + layer, inputs * outputs) * limit).astype(np.float32).reshape(inputs, outputs)


def labels(count, classes):
    """`count` class numbers."""
    return (word(LABEL_STREAM, np.arange(count)) % np.uint64(classes)).astype(np.int64)


def dense_inputs(count, features):
    """`count` rows of `features` numbers in [-1, 1)."""
    return symmetric(INPUT_STREAM, count * features).astype(np.float32).reshape(count, features)


def dense_targets(kind, count, outputs):
    """`count` rows of targets: `dense` in [-1, 1), `positive` in [0.1, 1.1), `share` positive with sum 1."""
    if kind == "dense":
        return symmetric(TARGET_STREAM, count * outputs).astype(np.float32).reshape(count, outputs)
    units = unit(TARGET_STREAM, np.arange(count * outputs)).reshape(count, outputs)
    if kind == "positive":
        return (units + 0.1).astype(np.float32)
    if kind == "share":
        return (units / units.sum(axis=1, keepdims=True)).astype(np.float32)  # the sum is exact in float64
    raise ValueError(f"expected dense, positive or share; received {kind}")


def sample_weights(count):
    """One weight in [0.5, 1.5) per sample."""
    return (0.5 + unit(WEIGHT_STREAM, np.arange(count))).astype(np.float32)


def class_weights(classes):
    """0.5, 1.0, 1.5, …"""
    return (0.5 * np.arange(1, classes + 1)).astype(np.float32)


def synthetic_pictures(count, pixels=784, classes=10):
    """Pictures that can be learned: one template per class, 3% of the pixels flipped. Bytes [count, pixels], labels."""
    label = labels(count, classes)
    index = np.arange(count * pixels).reshape(count, pixels)
    template = unit(8 + label[:, None], np.arange(pixels)[None, :]) < 0.2
    flip = unit(1000, index) < 0.03
    grey = 1 + (word(9, index) % np.uint64(255)).astype(np.int64)
    return np.where(template ^ flip, grey, 0).astype(np.uint8), label


def bytes_to_unit(pictures):
    """Bytes to [0, 1] as the lesson does it: one float32 division."""
    return pictures.astype(np.float32) / np.float32(255)

"""The lesson's three models in Keras: the loss of each of 120 batches, to hold the Rust engine against.

    SEEDBED_DATA=/folder/with/mnist python lesson_fixture.py

writes fixtures/lesson.json. README.md describes the file.
"""

import gzip
import os
import pathlib

import numpy as np

import formula
import reference
from reference import keras

BATCH = 32
STEPS = 120
HERE = pathlib.Path(__file__).parent


def pictures_synthetic(count):
    pictures, labels = formula.synthetic_pictures(count)
    return formula.bytes_to_unit(pictures), labels


def pictures_mnist(count):
    """The first `count` training pictures in the order of the file."""
    folder = os.environ.get("SEEDBED_DATA")
    if not folder:
        raise SystemExit("expected SEEDBED_DATA to name a folder with mnist/train-images-idx3-ubyte.gz; it is not set")
    mnist = pathlib.Path(folder) / "mnist"
    with gzip.open(mnist / "train-images-idx3-ubyte.gz") as file:
        pictures = np.frombuffer(file.read(16 + count * 784), np.uint8, offset=16).reshape(count, 784)
    with gzip.open(mnist / "train-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(8 + count), np.uint8, offset=8)
    return formula.bytes_to_unit(pictures), labels.astype(np.int64)


DATA = {"synthetic": pictures_synthetic, "mnist": pictures_mnist}

L1, L2, L1L2 = keras.regularizers.L1, keras.regularizers.L2, keras.regularizers.L1L2

# Regularizers of dense/kernel, dense/bias, dense_1/kernel, dense_1/bias
PLAIN = (None, None, None, None)
L1_AND_L2 = (lambda: L2(1e-4), lambda: L2(1e-3), lambda: L1(1e-5), lambda: L2(1e-3))
BOTH = (lambda: L1L2(l1=1e-5, l2=1e-4), lambda: L2(1e-3), lambda: L1L2(l1=1e-5, l2=1e-4), None)

# name, optimizer, dropout layer, regularizers, steps, data, float types
RUNS = [
    ("model1", "adam", False, PLAIN, STEPS, "synthetic", ("float32", "float64")),
    ("model2", "nadam", False, PLAIN, STEPS, "synthetic", ("float32", "float64")),
    ("model3", "adagrad", True, PLAIN, STEPS, "synthetic", ("float32", "float64")),
    ("model3_l1_and_l2", "adagrad", True, L1_AND_L2, 40, "synthetic", ("float32", "float64")),
    ("model1_l1_l2", "adam", False, BOTH, 40, "synthetic", ("float32", "float64")),
    ("model1", "adam", False, PLAIN, STEPS, "mnist", ("float32",)),
    ("model2", "nadam", False, PLAIN, STEPS, "mnist", ("float32",)),
    ("model3", "adagrad", True, PLAIN, STEPS, "mnist", ("float32",)),
]


def build(optimizer, dropout, regularizers):
    dense_kernel, dense_bias, dense_1_kernel, dense_1_bias = (r and r() for r in regularizers)
    layers = [
        keras.layers.Input((784,)),
        keras.layers.Dense(128, "relu", kernel_regularizer=dense_kernel, bias_regularizer=dense_bias, name="dense"),
    ]
    if dropout:
        layers.append(keras.layers.Dropout(0.0))
    layers.append(
        keras.layers.Dense(
            10, "softmax", kernel_regularizer=dense_1_kernel, bias_regularizer=dense_1_bias, name="dense_1"
        )
    )
    model = keras.Sequential(layers)
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy")
    model.set_weights([formula.kernel(0, 784, 128), np.zeros(128), formula.kernel(1, 128, 10), np.zeros(10)])
    return model


def digest(variable, dtype):
    """A large tensor in few numbers: the sum of its magnitudes (in float64) and 64 values at stated flat indices."""
    values = variable.numpy().ravel()
    stride = max(1, values.size // 64 - 1)
    indices = list(range(0, values.size, stride))[:64]
    return {
        "shape": list(variable.shape),
        "abs_sum": float(np.abs(values.astype(np.float64)).sum()),
        "indices": indices,
        "values": reference.numbers(values[indices], dtype),
    }


def run(name, optimizer, dropout, regularizers, steps, data, dtype):
    reference.use(dtype)
    model = build(optimizer, dropout, regularizers)
    x, y = DATA[data](steps * BATCH)
    batches = ((x[i : i + BATCH], y[i : i + BATCH]) for i in range(0, steps * BATCH, BATCH))
    losses = reference.train(model, batches)
    record = {"name": name, "data": data, "dtype": dtype, "dropout_layer": dropout, "batch_size": BATCH, "steps": steps}
    record["optimizer"] = reference.describe(model.optimizer, dtype)
    names = ("dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias")
    record["regularizers"] = {n: reference.describe(r(), dtype) for n, r in zip(names, regularizers) if r}
    record["losses"] = reference.numbers(losses, dtype)
    record["weights"] = {n: digest(v, dtype) for n, v in zip(names, model.trainable_variables)}
    print(f"{name:18} {data:10} {dtype}  loss {losses[0]:.6f} -> {losses[-1]:.6f}")
    return record


def main():
    runs = [run(*row, dtype) for *row, dtypes in RUNS for dtype in dtypes]
    reference.write(HERE / "fixtures" / "lesson.json", {"versions": reference.versions(), "runs": runs})


if __name__ == "__main__":
    main()

"""Keras's plain functions as tables: activations with derivatives, learning-rate schedules, initializers.

    python tables.py

writes fixtures/parity/activation_tables.json, schedules.json and initializers.json. README.md describes the files.
"""

import pathlib

import numpy as np
import tensorflow as tf

import formula
import reference
import rows
from reference import keras

FOLDER = pathlib.Path(__file__).parent / "fixtures" / "parity"

# Every integer and half from -6 to 6, tails where functions saturate, and numbers next to the kinks.
GRID = sorted(
    {i / 2 for i in range(-12, 13)}
    | {s * x for s in (-1, 1) for x in (1e-6, 1e-3, 0.1, 0.2, 0.3, 0.45, 0.55, 0.7, 0.95, 1.05, 1.3, 2.2, 2.95, 3.05)}
    | {s * x for s in (-1, 1) for x in (5.95, 7.25, 8.0, 9.0, 10.0, 12.0)}
)

# These look at a whole row of numbers at once.
ROWWISE = ("softmax", "log_softmax", "sparsemax", "glu")

STEPS = [0, 1, 2, 5, 10, 25, 49, 50, 51, 69, 70, 71, 99, 100, 101, 150, 199, 200, 201, 250, 251, 300, 500, 1000, 5000]

DRAWS = 20
SHAPES = ((784, 128), (3, 3, 16, 32))
INITIALIZERS = (
    "zeros",
    "ones",
    "constant",
    "random_normal",
    "random_uniform",
    "truncated_normal",
    "variance_scaling",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
    "orthogonal",
    "identity",
)


def elementwise_table(row):
    """f(x) and df/dx on the grid."""
    function = getattr(keras.activations, row.activation)
    x = tf.constant(GRID, "float64")
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x, **row.activation_params)
    return {"y": reference.numbers(y, "float64"), "dy": reference.numbers(tape.gradient(y, x), "float64")}


def rowwise_table(row):
    """f of four rows of six numbers in [-3, 3), and the gradient of sum(f * cotangent) for a second such array."""
    function = getattr(keras.activations, row.activation)
    x = tf.constant(3.0 * formula.symmetric(500, 24).reshape(4, 6))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x, **row.activation_params)
        cotangent = formula.symmetric(501, int(tf.size(y))).reshape(y.shape)
        total = tf.reduce_sum(y * cotangent)
    arrays = {"x": x, "y": y, "cotangent": cotangent, "dx": tape.gradient(total, x)}
    return {name: reference.numbers(values, "float64") for name, values in arrays.items()}


def activation_tables():
    reference.use("float64")
    elementwise, rowwise = [], []
    for row in rows.ACTIVATIONS + rows.ACTIVATIONS_OUTSIDE_DENSE:
        record = {"name": row.activation, "params": row.activation_params}
        if row.activation in ROWWISE:
            rowwise.append(record | rowwise_table(row))
        else:
            elementwise.append(record | elementwise_table(row))
    return {"x": GRID, "elementwise": elementwise, "rowwise": rowwise}


def schedules():
    tables = []
    for name, make in rows.SCHEDULES:
        record = {"name": name} | reference.describe(make(), "float32")
        for dtype in ("float32", "float64"):
            reference.use(dtype)
            schedule = make()
            record[dtype] = reference.numbers([float(schedule(step)) for step in STEPS], dtype)
        tables.append(record)
    return {"steps": STEPS, "schedules": tables}


def distribution(values):
    """Where the numbers lie: moments, extremes and the 99 percentiles."""
    quantiles = np.quantile(values, np.arange(1, 100) / 100)
    return {
        "count": values.size,
        "mean": float(values.mean()),
        "std": float(values.std()),
        "min": reference.number(values.min()),
        "max": reference.number(values.max()),
        "quantiles": reference.numbers(quantiles, "float32"),
    }


def initializer_table(name, shape):
    """`DRAWS` kernels with seeds 0, 1, …, pooled."""
    make = getattr(keras.initializers, name)
    if name in ("zeros", "ones", "constant", "identity"):
        draws = [make()(shape)]
    else:
        draws = [make(seed=seed)(shape) for seed in range(DRAWS)]
    draws = np.stack([d.numpy() for d in draws])
    record = {"name": name, "shape": list(shape), "config": make().get_config()}
    record |= distribution(draws.astype(np.float64))
    if name == "orthogonal":
        flat = draws.reshape(len(draws), -1, shape[-1]).astype(np.float64)
        singular = np.linalg.svd(flat, compute_uv=False)
        record["singular_values"] = [float(singular.min()), float(singular.max())]
    return record


def initializers():
    reference.use("float32")
    tables = [
        initializer_table(name, shape)
        for shape in SHAPES
        for name in INITIALIZERS
        if len(shape) == 2 or name != "identity"  # Keras's identity is for matrices only
    ]
    return {"draws": DRAWS, "initializers": tables}


def main():
    for name, make in (
        ("activation_tables", activation_tables),
        ("schedules", schedules),
        ("initializers", initializers),
    ):
        reference.write(FOLDER / f"{name}.json", {"versions": reference.versions()} | make())


if __name__ == "__main__":
    main()

"""Every training choice in Keras, 20 steps each: losses and final weights, to hold the engine and its oracle against.

    python parity.py [NAME ...]

writes fixtures/parity/NAME.json for each NAME (optimizers, losses, activations, regularizers, constraints; all
without a NAME). rows.py lists the choices, README.md describes the files.
"""

import pathlib
import sys

import numpy as np

import formula
import reference
import rows
from reference import keras

INPUTS, HIDDEN, CLASSES = 20, 16, 5
BATCH, STEPS = 8, 20
HERE = pathlib.Path(__file__).parent


def targets(kind, count):
    """What the samples should become: class numbers [count] or rows [count, CLASSES]."""
    if kind == "class":
        return formula.labels(count, CLASSES)
    if kind == "one_hot":
        return np.eye(CLASSES, dtype=np.float32)[formula.labels(count, CLASSES)]
    return formula.dense_targets(kind, count, CLASSES)


def sample_weights(kind, count):
    """None, one weight per sample, or the weight of the sample's class."""
    if kind == "sample":
        return formula.sample_weights(count)
    if kind == "class":
        return formula.class_weights(CLASSES)[formula.labels(count, CLASSES)]
    return None


def build(row):
    function = getattr(keras.activations, row.activation)
    first = {name: make() for name, make in row.first.items()}
    model = keras.Sequential(
        [
            keras.layers.Input((INPUTS,)),
            keras.layers.Dense(HIDDEN, lambda x: function(x, **row.activation_params), name="dense", **first),
            keras.layers.Dense(CLASSES, row.output, name="dense_1"),
        ]
    )
    optimizer = row.optimizer()
    if row.exclude_from_weight_decay:
        optimizer.exclude_from_weight_decay(var_names=row.exclude_from_weight_decay)
    model.compile(optimizer=optimizer, loss=row.loss())
    model.set_weights(
        [formula.kernel(0, INPUTS, HIDDEN), np.zeros(HIDDEN), formula.kernel(1, HIDDEN, CLASSES), np.zeros(CLASSES)]
    )
    return model


def weights(model, dtype):
    names = ("dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias")
    return {name: reference.numbers(v.numpy(), dtype) for name, v in zip(names, model.trainable_variables)}


def run(row, dtype):
    reference.use(dtype)
    model = build(row)
    count = STEPS * BATCH
    arrays = [formula.dense_inputs(count, INPUTS), targets(row.targets, count)]
    if row.weights:
        arrays.append(sample_weights(row.weights, count))
    losses = reference.train(model, ([a[i : i + BATCH] for a in arrays] for i in range(0, count, BATCH)))
    record = {
        "name": row.name,
        "dtype": dtype,
        "activation": {"name": row.activation, "params": row.activation_params},
        "output_activation": row.output,
        "loss": reference.describe(row.loss(), dtype),
        "targets": row.targets,
        "sample_weights": row.weights,
        "optimizer": reference.describe(model.optimizer, dtype),
        "exclude_from_weight_decay": row.exclude_from_weight_decay,
        "first_layer": {name: reference.describe(make(), dtype) for name, make in row.first.items()},
        "losses": reference.numbers(losses, dtype),
        "weights": weights(model, dtype),
    }
    if model.optimizer.use_ema:
        model.optimizer.finalize_variable_values(model.trainable_variables)
        record["weights_finalized"] = weights(model, dtype)
    return record


def rounding(single, double):
    """How far Keras's own float32 is from its float64: losses relative, weights absolute."""
    losses = np.abs(np.array(single["losses"]) - double["losses"]) / np.maximum(np.abs(double["losses"]), 1e-3)
    pairs = ((single["weights"][name], values) for name, values in double["weights"].items())
    return losses.max(), max(np.abs(np.array(a) - b).max() for a, b in pairs)


def main(names):
    unknown = [name for name in names if name not in rows.TRAINED]
    if unknown:
        raise SystemExit(f"expected names out of {', '.join(rows.TRAINED)}; received {', '.join(unknown)}")
    for group in names or rows.TRAINED:
        runs = []
        for row in rows.TRAINED[group]:
            single, double = run(row, "float32"), run(row, "float64")
            loss, weight = rounding(single, double)
            print(f"{group:13} {row.name:55} float32 off by {loss:.1e} (loss) {weight:.1e} (weights)", flush=True)
            runs += [single, double]
        sizes = {"inputs": INPUTS, "hidden": HIDDEN, "classes": CLASSES, "batch_size": BATCH, "steps": STEPS}
        content = {"versions": reference.versions(), "model": sizes, "runs": runs}
        reference.write(HERE / "fixtures" / "parity" / f"{group}.json", content)


if __name__ == "__main__":
    main(sys.argv[1:])

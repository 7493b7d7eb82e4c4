"""Every layer in Keras, in a small model trained for 20 steps: losses, final weights and outputs in inference mode.

    python layers.py [GROUP ...]

writes fixtures/layers/GROUP.json for each GROUP (all without a GROUP). layer_rows.py lists the layers, README.md
describes the files.
"""

import math
import pathlib
import sys

import numpy as np

import formula
import layer_rows
import reference
from reference import keras

CLASSES, BATCH, STEPS = 5, 8, 20
HERE = pathlib.Path(__file__).parent


def build(row):
    """The model with its starting weights, and what they are made of."""
    keras.utils.clear_session()  # so that names start from their first number again
    layers = [make(layer) for layer in (*row.layers, *row.tail)]
    model = keras.Sequential([keras.layers.Input(row.shape), *layers])
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="sparse_categorical_crossentropy")
    starts = [{"name": name(v), "base": base(v)} for v in model.trainable_variables]
    for index, variable in enumerate(model.trainable_variables):
        variable.assign(start(index, variable))
    return model, starts


def make(layer):
    """Keras's layer of a class name and arguments."""
    arguments = {key: choice(key, value) for key, value in layer.items() if key != "class_name"}
    return getattr(keras.layers, layer["class_name"])(**arguments)


def choice(key, value):
    """Keras's object of a constraint or penalty with parameters; anything else is an argument as it stands."""
    if isinstance(value, dict) and key.endswith("_constraint"):
        class_name = value["name"].title().replace("_", "")
        return getattr(keras.constraints, class_name)(**{k: v for k, v in value.items() if k != "name"})
    if isinstance(value, dict) and key.endswith("_regularizer"):
        return keras.regularizers.L1L2(**value)
    return value


def name(variable):
    """`dense/kernel`, without the model's name before it."""
    return variable.path.split("/", 1)[1]


def base(variable):
    """What Keras starts a variable with, where that is one number; None for kernels, which it draws."""
    values = np.unique(variable.numpy())
    return float(values[0]) if len(values) == 1 else None


def start(index, variable):
    """Numbers by the formula of stream 100 + index: a kernel in Glorot's range, others within 0.1 of their base."""
    shape = variable.shape
    numbers = formula.symmetric(formula.KERNEL_STREAM + index, math.prod(shape)).reshape(shape)
    if base(variable) is None:
        field = math.prod(shape[:-2])
        limit = math.sqrt(6.0 / (field * shape[-2] + field * shape[-1]))
        return (numbers * limit).astype(np.float32)
    return (base(variable) + 0.1 * numbers).astype(np.float32)


def inputs(row):
    """Numbers in [-1, 1), or with `relu` in [0, 1) and half of them 0."""
    count = STEPS * BATCH
    x = formula.dense_inputs(count, math.prod(row.shape)).reshape(count, *row.shape)
    return np.maximum(x, 0) if row.relu else x


def run(row, dtype):
    reference.use(dtype)
    model, starts = build(row)
    x, y = inputs(row), formula.labels(STEPS * BATCH, CLASSES)
    losses = reference.train(model, ((x[i : i + BATCH], y[i : i + BATCH]) for i in range(0, len(x), BATCH)))
    kept = [v for v in model.variables if "seed_generator" not in v.path]
    return {
        "name": row.name,
        "dtype": dtype,
        "shape": list(row.shape),
        "relu": row.relu,
        "layers": [*row.layers, *row.tail],
        "starts": starts,
        "losses": reference.numbers(losses, dtype),
        "weights": {
            name(v): {"shape": list(v.shape), "values": reference.numbers(v.numpy(), dtype)} for v in kept
        },
        "outputs": reference.numbers(model.predict_on_batch(x[:BATCH]), dtype),
    }


def rounding(single, double):
    """How far Keras's own float32 is from its float64: losses relative, weights absolute."""
    losses = np.abs(np.array(single["losses"]) - double["losses"]) / np.maximum(np.abs(double["losses"]), 1e-3)
    pairs = ((single["weights"][name]["values"], entry["values"]) for name, entry in double["weights"].items())
    return losses.max(), max(np.abs(np.array(a) - b).max() for a, b in pairs)


def main(groups):
    unknown = [group for group in groups if group not in layer_rows.GROUPS]
    if unknown:
        raise SystemExit(f"expected names out of {', '.join(layer_rows.GROUPS)}; received {', '.join(unknown)}")
    for group in groups or layer_rows.GROUPS:
        runs = []
        for row in layer_rows.GROUPS[group]:
            single, double = run(row, "float32"), run(row, "float64")
            loss, weight = rounding(single, double)
            print(f"{group:13} {row.name:40} float32 off by {loss:.1e} (loss) {weight:.1e} (weights)", flush=True)
            runs += [single, double]
        sizes = {"classes": CLASSES, "batch_size": BATCH, "steps": STEPS}
        content = {"versions": reference.versions(), "model": sizes, "runs": runs}
        reference.write(HERE / "fixtures" / "layers" / f"{group}.json", content)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Writes what Keras's objects are configured with by default: crates/lab/src/formats/keras_defaults.json.

    python keras_defaults.py

One entry per class and kind; a key that has no default, such as Dense's `units`, is left out. Reading a Keras file,
what has its default is dropped; writing one, what Seedbed's own form leaves out is filled in.
"""

import inspect
import json
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import numpy as np  # noqa: E402

OUT = pathlib.Path(__file__).resolve().parents[2] / "crates/lab/src/formats/keras_defaults.json"

# What has no default still needs a value before an object can be asked for its configuration.
NEEDED = {
    "units": 1, "filters": 1, "kernel_size": 1, "rate": 0.5, "stddev": 0.1, "scale": 1.0, "target_shape": (1,),
    "factor": 0.1, "height_factor": 0.1, "width_factor": 0.1, "activation": "relu", "initial_learning_rate": 0.1,
    "decay_steps": 1, "decay_rate": 0.5, "boundaries": [1], "values": [0.1, 0.2], "first_decay_steps": 1,
    "pool_size": 2,
}

LAYERS = """
Flatten Reshape Dense Activation ReLU LeakyReLU PReLU ELU Softmax Conv2D DepthwiseConv2D MaxPooling2D AveragePooling2D
GlobalMaxPooling2D GlobalAveragePooling2D BatchNormalization LayerNormalization GroupNormalization RMSNormalization
UnitNormalization Normalization Rescaling Dropout SpatialDropout2D AlphaDropout GaussianDropout GaussianNoise
ActivityRegularization RandomTranslation RandomRotation RandomZoom RandomFlip RandomContrast RandomErasing MixUp
""".split()

KINDS = {
    "layers": (keras.layers, [getattr(keras.layers, name) for name in LAYERS]),
    "initializers": (keras.initializers, None),
    "regularizers": (keras.regularizers, None),
    "constraints": (keras.constraints, None),
    "optimizers": (keras.optimizers, None),
    "schedules": (keras.optimizers.schedules, None),
    "losses": (keras.losses, None),
    "metrics": (keras.metrics, None),
}


def classes(module):
    found = {id(c): c for c in vars(module).values() if inspect.isclass(c)}
    abstract = {"Initializer", "Regularizer", "Constraint", "Optimizer", "LearningRateSchedule", "Loss", "Metric"}
    return sorted((c for c in found.values() if c.__name__ not in abstract), key=lambda c: c.__name__)


def defaults(cls):
    parameters = inspect.signature(cls.__init__).parameters
    required = [
        name
        for name, parameter in parameters.items()
        if name != "self"
        and parameter.default is inspect.Parameter.empty
        and parameter.kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    ]
    serialized = keras.saving.serialize_keras_object(cls(**{name: NEEDED[name] for name in required}))
    config = serialized["config"]
    for name in [*required, "name", "dtype"]:
        config.pop(name, None)
    # Pools step by their own size unless told otherwise; the configuration shows the size that came of it.
    if "strides" in config and parameters["strides"].default is None:
        config["strides"] = None
    # Rates and factors are kept in 32 bits and shown in 64.
    for name, value in config.items():
        if isinstance(value, float) and name in parameters and value == np.float32(parameters[name].default):
            config[name] = parameters[name].default
    return serialized["class_name"], config


def main():
    out = {"keras": keras.__version__}
    for kind, (module, chosen) in KINDS.items():
        out[kind] = {}
        for cls in chosen or classes(module):
            try:
                name, config = defaults(cls)
            except KeyError as error:
                print(f"left out: {kind} {cls.__name__}: needs {error}")
                continue
            out[kind][name] = config
    lines = ",\n".join(
        f"  {json.dumps(kind)}: "
        + (
            json.dumps(entry)
            if isinstance(entry, str)
            else "{\n" + ",\n".join(f"    {json.dumps(k)}: {json.dumps(v)}" for k, v in entry.items()) + "\n  }"
        )
        for kind, entry in out.items()
    )
    OUT.write_text("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    main()

"""Reads what Seedbed wrote with the programs that own the formats, and compares predictions.

    python check.py FOLDER

For every NAME.expected.json in the folder: NAME.onnx by onnx's checker and onnxruntime; where they are there, NAME.keras,
NAME.json and NAME.weights.h5 by Keras, NAME.npz by NumPy, NAME.safetensors by safetensors.
"""

import json
import os
import pathlib
import sys
import warnings

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import onnx  # noqa: E402
import onnxruntime  # noqa: E402
from safetensors.numpy import load_file  # noqa: E402

warnings.filterwarnings("ignore", message="Skipping variable loading for optimizer")
failures = []


def compare(what, actual, expected, tolerance):
    actual, expected = np.asarray(actual), np.asarray(expected)
    if actual.shape != expected.shape:
        failures.append(f"{what}: shape {actual.shape}, expected {expected.shape}")
        return
    largest = float(np.max(np.abs(actual - expected), initial=0.0))
    print(f"{what:40} {largest:.1e}")
    if not largest <= tolerance:
        failures.append(f"{what}: deviates by {largest}")


def by_name(model):
    return {v.path.split("/", 1)[1] if v.path.startswith("sequential") else v.path: v for v in model.weights}


def run(model, inputs):
    return np.asarray(model(inputs, training=False)).reshape(len(inputs), -1)


def said_once(layer):
    """Class and configuration. Keras says a type by its policy or its name, and one axis alone or in a list."""
    config = dict(layer["config"])
    if isinstance(config.get("dtype"), dict):
        config["dtype"] = config["dtype"]["config"]["name"]
    if isinstance(config.get("axis"), list) and len(config["axis"]) == 1:
        config["axis"] = config["axis"][0]
    return layer["class_name"], config


def check(folder, name):
    said = json.loads((folder / f"{name}.expected.json").read_text())
    file = lambda ending: folder / f"{name}.{ending}"  # noqa: E731

    inputs = np.asarray(said["inputs"], "float32").reshape(-1, *said["shape"])
    outputs = np.asarray(said["outputs"], "float32").reshape(len(inputs), -1)

    if file("keras").exists():
        keras.utils.clear_session()
        model = keras.models.load_model(file("keras"))
        compare(f"{name}.keras", run(model, inputs), outputs, 1e-6)

    if file("json").exists():
        keras.utils.clear_session()
        described = keras.models.model_from_json(file("json").read_text())
        described.load_weights(file("weights.h5"))
        compare(f"{name}.json and .weights.h5", run(described, inputs), outputs, 1e-6)
        # What Keras reads, it writes again with the same configuration.
        ours = json.loads(file("json").read_text())["config"]["layers"]
        theirs = json.loads(described.to_json())["config"]["layers"]
        for a, b in zip(ours, theirs, strict=True):
            if said_once(a) != said_once(b):
                failures.append(f"{name}: Keras writes\n{json.dumps(b)}\nwhere Seedbed writes\n{json.dumps(a)}")

    if file("npz").exists():
        found = {".npz": dict(np.load(file("npz"), allow_pickle=False)), ".safetensors": load_file(file("safetensors"))}
        variables = {k: np.asarray(v) for k, v in by_name(model).items() if v.dtype == "float32"}
        for what, tensors in found.items():
            if sorted(tensors) != sorted(variables):
                failures.append(f"{name}{what}: holds {sorted(tensors)}, expected {sorted(variables)}")
            for key in set(tensors) & set(variables):
                if not np.array_equal(tensors[key], variables[key]):
                    failures.append(f"{name}{what}: {key} differs")

    onnx.checker.check_model(str(file("onnx")), full_check=True)
    session = onnxruntime.InferenceSession(str(file("onnx")), providers=["CPUExecutionProvider"])
    (result,) = session.run(None, {session.get_inputs()[0].name: inputs})
    compare(f"{name}.onnx", result.reshape(len(inputs), -1), outputs, 1e-5)


def main():
    folder = pathlib.Path(sys.argv[1])
    names = sorted(path.name.removesuffix(".expected.json") for path in folder.glob("*.expected.json"))
    print(f"Keras {keras.__version__}, largest deviations")
    for name in names:
        try:
            check(folder, name)
        except Exception as error:  # noqa: BLE001
            failures.append(f"{name}: {type(error).__name__}: {error}")
    for failure in failures:
        print(f"FAILED {failure}")
    sys.exit(1 if failures or not names else 0)


if __name__ == "__main__":
    main()

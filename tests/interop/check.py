"""Reads what Seedbed wrote with the programs that own the formats, and compares predictions.

    python check.py FOLDER

For every NAME.expected.json in the folder: NAME.onnx by onnx's checker and onnxruntime; where they are there, NAME.keras,
NAME.json and NAME.weights.h5 by Keras, NAME.npz by NumPy, NAME.safetensors by safetensors. What Keras read it writes again:
NAME.back.keras and NAME.back.json.
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


def said_once(value):
    """Keras says a type by its policy or its name, and one axis alone or in a list; it keeps rates in 32 bits."""
    if isinstance(value, dict):
        if value.get("class_name") == "DTypePolicy":
            return value["config"]["name"]
        once = {key: said_once(entry) for key, entry in value.items() if key != "build_config"}
        if isinstance(once.get("axis"), list) and len(once["axis"]) == 1:
            once["axis"] = once["axis"][0]
        return once
    if isinstance(value, (list, tuple)):
        return [said_once(entry) for entry in value]
    return float(np.float32(value)) if type(value) is float else value


def differences(ours, theirs):
    """Where what Seedbed wrote and what Keras made of it are not the same."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        # Keras names the losses and schedules that have no name, and does not write Huber's delta.
        for key in sorted((ours.keys() | theirs.keys() - {"name"}) - {"delta"}):
            for where in differences(ours.get(key, "nothing"), theirs.get(key, "nothing")):
                yield f".{key}{where}"
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, pair in enumerate(zip(ours, theirs)):
            for where in differences(*pair):
                yield f"[{index}]{where}"
    elif ours != theirs:
        yield f": Seedbed writes {ours}, Keras {theirs}"


def check(folder, name):
    said = json.loads((folder / f"{name}.expected.json").read_text())
    file = lambda ending: folder / f"{name}.{ending}"  # noqa: E731

    inputs = np.asarray(said["inputs"], "float32").reshape(-1, *said["shape"])
    outputs = np.asarray(said["outputs"], "float32").reshape(len(inputs), -1)

    if file("keras").exists():
        keras.utils.clear_session(free_memory=False)
        model = keras.models.load_model(file("keras"))
        compare(f"{name}.keras", run(model, inputs), outputs, 1e-6)
        model.save(file("back.keras"))

    if file("json").exists():
        keras.utils.clear_session(free_memory=False)
        described = keras.models.model_from_json(file("json").read_text())
        if file("weights.h5").exists():
            described.load_weights(file("weights.h5"))
            compare(f"{name}.json and .weights.h5", run(described, inputs), outputs, 1e-6)
        file("back.json").write_text(described.to_json())
        # What Keras reads, it writes again with the same configuration.
        ours, theirs = (json.loads(file(ending).read_text()) for ending in ("json", "back.json"))
        for part in ("config", "compile_config"):
            for where in differences(said_once(ours[part]), said_once(theirs[part])):
                failures.append(f"{name}.json: {part}{where}")

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

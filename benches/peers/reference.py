"""Keras on TensorFlow, set up so that a run can be repeated, and the small files its results go to."""

import json
import os
import platform

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # one library for matrix products, whatever the machine
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras.src import backend  # noqa: E402
from tensorflow.python.ops import math_ops  # noqa: E402

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)


def _keep_python_floats_exact():
    """Let TensorFlow turn a Python float straight into the type that is meant.

    `tf.cast(0.96, "float64")` passes through float32 and gives 0.9599999785423279, and `tf.convert_to_tensor(0.01)`
    is float32 even where Keras's default is float64, so that Keras's float64 formulas would hold float32 constants.
    In float32 nothing changes: the same number is rounded once either way.
    """
    cast, convert, leaky_relu = math_ops.cast, tf.convert_to_tensor, tf.nn.leaky_relu

    def exact_cast(x, dtype, name=None):
        if isinstance(x, float):
            return tf.constant(x, dtype=dtype, name=name)
        return cast(x, dtype, name)

    def exact_convert(value, dtype=None, *args, **kwargs):
        if isinstance(value, float) and dtype is None:
            dtype = keras.config.floatx()
        return convert(value, dtype, *args, **kwargs)

    def exact_leaky_relu(features, alpha=0.2, name=None):
        if features.dtype == tf.float64:  # TensorFlow's own keeps alpha as float32
            return tf.where(features > 0, features, alpha * features)
        return leaky_relu(features, alpha, name)

    math_ops.cast = tf.cast = exact_cast
    tf.convert_to_tensor = exact_convert
    tf.nn.leaky_relu = exact_leaky_relu


def _repair_sparsemax():
    """Take the threshold from the sorted logits of the support, as the paper does (arXiv 1602.02068, algorithm 1).

    Keras 3.15.1 adds up their cumulative sums instead, so that its rows do not sum to one (keras issue 23425, repaired
    upstream by pull request 23469, not yet in a release).
    """

    def sparsemax(x, axis=-1):
        if axis not in (-1, len(x.shape) - 1):
            raise ValueError(f"expected the last axis; received {axis}")
        ordered = tf.sort(x, direction="DESCENDING", axis=-1)
        rank = tf.range(1, x.shape[-1] + 1, dtype=x.dtype)
        support = 1 + rank * ordered > tf.cumsum(ordered, axis=-1)
        size = tf.reduce_sum(tf.cast(support, x.dtype), axis=-1, keepdims=True)
        total = tf.reduce_sum(tf.where(support, ordered, 0.0), axis=-1, keepdims=True)
        return tf.maximum(x - (total - 1) / size, 0.0)

    backend.nn.sparsemax = sparsemax


_keep_python_floats_exact()
_repair_sparsemax()


def use(dtype):
    """Everything built from here on computes in `dtype`: default float type and layers' policy, which are two things."""
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)


def versions():
    """What made a fixture: goes into every file."""
    return {
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def train(model, batches):
    """One update per batch (x, y and perhaps sample weights). Returns each batch's loss before its update, with penalties.

    The metrics are reset before every batch: Keras's own number is a mean over all batches since the last reset.
    Batch sizes are powers of two, so that this mean over one batch is exact.
    """
    losses = []
    floatx = keras.config.floatx()
    for batch in batches:
        model.reset_metrics()
        losses.append(float(model.train_on_batch(*batch, return_dict=True)["loss"]))
    if any(v.dtype != floatx for v in model.trainable_variables):
        raise RuntimeError(
            f"expected every weight to be {floatx}, found {[v.dtype for v in model.trainable_variables]}"
        )
    return losses


def number(x):
    """The shortest decimal that reads back as the same float32 or float64."""
    if not np.isfinite(x):
        return str(float(x))  # "nan", "inf", "-inf": JSON has no such numbers
    if isinstance(x, np.float32):
        return float(str(x))
    return float(x)


def numbers(values, dtype):
    """A flat list of numbers, rounded to `dtype` and written as short as it allows."""
    return [number(x) for x in np.asarray(values).astype(dtype).ravel()]


def tidy(config, dtype):
    """Keras's config with numbers as people write them.

    Keras reads some numbers back from float32 tensors: a learning rate of 0.001 returns as 0.0010000000474974513.
    """
    if isinstance(config, dict):
        return {key: tidy(value, dtype) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return [tidy(value, dtype) for value in config]
    if isinstance(config, float) and dtype == "float32" and float(np.float32(config)) == config:
        return number(np.float32(config))
    return config


def describe(choice, dtype):
    """Class name and every parameter of an optimizer, loss, schedule, regularizer or constraint."""
    config = {key: value for key, value in choice.get_config().items() if key != "name"}
    config |= getattr(choice, "_fn_kwargs", {})  # Huber's own config forgets its delta
    for key, value in config.items():
        if isinstance(value, dict) and "class_name" in value:  # a schedule inside an optimizer
            inner = {k: v for k, v in value["config"].items() if k != "name"}
            config[key] = {"class_name": value["class_name"], "config": inner}
    return {"class_name": type(choice).__name__, "config": tidy(config, dtype)}


def write(path, content):
    """Compact JSON, one line per record so that a changed record is a changed line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    for key, value in content.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            rows = ",\n".join(_json(row) for row in value)
            lines.append(f"{json.dumps(key)}:[\n{rows}\n]")
        else:
            lines.append(f"{json.dumps(key)}:{_json(value)}")
    path.write_text("{" + ",\n".join(lines) + "}\n")


def _json(value):
    return json.dumps(value, separators=(",", ":"), allow_nan=False)

"""Writes small models as Keras and others write them, with the predictions they give: goldens/.

    python goldens.py [NAME…]

The files are committed: `crates/lab/tests/interop.rs` reads them without Python.
"""

import json
import os
import pathlib
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import onnx  # noqa: E402
from keras import layers as kl  # noqa: E402
from safetensors.numpy import save_file  # noqa: E402

OUT = pathlib.Path(__file__).resolve().parent / "goldens"
SAMPLES = 4


def mlp():
    return [
        keras.Input((4, 3)),
        kl.Rescaling(0.5, offset=-0.25),
        kl.Flatten(),
        kl.Dense(
            6,
            activation="relu",
            kernel_initializer=keras.initializers.HeNormal(),
            bias_initializer=keras.initializers.RandomUniform(-0.5, 0.5),
            kernel_regularizer=keras.regularizers.L2(1e-4),
            bias_regularizer=keras.regularizers.L1L2(0.01, 0.02),
        ),
        kl.Dropout(0.5),
        kl.Dense(5, use_bias=False, name="wide"),
        kl.Activation("tanh"),
        kl.Dense(4, activation=kl.LeakyReLU(0.1)),
        kl.Dense(3, activation="softmax"),
    ]


def conv():
    return [
        keras.Input((8, 7, 2)),
        kl.Conv2D(4, 3, padding="same", activation="relu"),
        kl.BatchNormalization(),
        kl.MaxPooling2D(2),
        kl.Conv2D(6, (2, 3), strides=(2, 1), groups=2, use_bias=False),
        kl.BatchNormalization(scale=False, epsilon=1e-4),
        kl.DepthwiseConv2D((2, 1), depth_multiplier=2, activation="elu"),
        kl.Flatten(),
        kl.Dense(3, activation="softmax"),
    ]


def flat():
    return [
        keras.Input((3, 4, 2)),
        kl.Conv2D(3, 2, padding="same"),
        kl.Flatten(),
        kl.BatchNormalization(),
        kl.Dense(3, activation="softmax"),
    ]


def pools():
    return [
        keras.Input((9, 8, 2)),
        kl.AveragePooling2D(3, strides=2, padding="same"),
        kl.Conv2D(3, 2, dilation_rate=2),
        kl.SpatialDropout2D(0.25),
        kl.MaxPooling2D(2, strides=1, padding="same"),
        kl.GlobalAveragePooling2D(),
        kl.Dense(3, activation="softmax"),
    ]


def norms():
    return [
        keras.Input((5, 4)),
        kl.LayerNormalization(),
        kl.GroupNormalization(2),
        kl.RMSNormalization(),
        kl.UnitNormalization(),
        kl.Reshape((4, 5)),
        kl.LayerNormalization(axis=[1, 2], center=False),
        kl.Flatten(),
        kl.BatchNormalization(epsilon=1e-4),
        kl.Dense(3, activation="softmax"),
    ]


def activations():
    return [
        keras.Input((6,)),
        kl.Dense(6),
        kl.PReLU(),
        kl.Dense(6),
        kl.LeakyReLU(0.2),
        kl.Dense(6, activation="gelu"),
        kl.ELU(0.7),
        kl.Dense(3, activation="softmax"),
    ]


def more():
    """Layers that do nothing at inference, and those that are a function alone."""
    normalization = kl.Normalization()
    normalization.adapt(np.random.default_rng(3).normal(2.0, 3.0, (64, 5, 4, 3)).astype("float32"))
    return [
        keras.Input((5, 4, 3)),
        normalization,
        kl.RandomTranslation(0.1, 0.2),
        kl.RandomRotation(0.1),
        kl.RandomZoom(0.1),
        kl.RandomFlip("horizontal"),
        kl.RandomContrast(0.1),
        kl.GaussianNoise(0.1),
        kl.SpatialDropout2D(0.25),
        kl.Flatten(),
        kl.GaussianDropout(0.1),
        kl.AlphaDropout(0.1),
        kl.Dense(6),
        kl.ReLU(max_value=2.0, negative_slope=0.1, threshold=0.2),
        kl.Dense(3),
        kl.Softmax(),
    ]


def functional():
    """A chain of layers by the functional interface, named out of order."""
    return [
        keras.Input((5, 4)),
        kl.Flatten(),
        kl.Dense(6, activation="relu", name="second"),
        kl.BatchNormalization(name="first"),
        kl.Dropout(0.5),
        kl.Dense(5, name="dense_9"),
        kl.Dense(3, activation="softmax", name="dense_2"),
    ]


def chain(layers):
    inputs = outputs = layers[0]
    for layer in layers[1:]:
        outputs = layer(outputs)
    return keras.Model(inputs, outputs)


MODELS = {f.__name__: f for f in (mlp, conv, flat, pools, norms, activations, more, functional)}


def randomize(model, rng):
    """Weights that no default explains; variances stay positive."""
    for layer in model.layers:
        if isinstance(layer, kl.Normalization):
            continue
        for variable in layer.variables:
            low = 0.5 if "variance" in variable.path else -0.7
            if variable.dtype == "float32":
                variable.assign(rng.uniform(low, 1.1, variable.shape).astype("float32"))


def names(model):
    """Every variable by the path that Seedbed calls it: layer and role."""
    return {v.path.split("/", 1)[-1] if v.path.startswith("sequential") else v.path: v for v in model.weights}


def torch_layout(model):
    """The state of the equivalent nn.Sequential, by PyTorch's documented layouts."""
    state, number, shape = {}, 0, None
    picture = None
    roles = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
    for layer in model.layers:
        if isinstance(layer, kl.Flatten) and len(shape) == 4:
            picture = shape[1:]
        for variable in layer.weights:
            value, role = np.asarray(variable), variable.name
            if role == "kernel" and isinstance(layer, kl.Dense):
                if picture:
                    value = value.reshape(*picture, -1).transpose(3, 2, 0, 1).reshape(value.shape[1], -1)
                else:
                    value = value.T
            elif role == "kernel" and isinstance(layer, kl.DepthwiseConv2D):
                h, w, c, m = value.shape
                value = value.transpose(2, 3, 0, 1).reshape(c * m, 1, h, w)
            elif role == "kernel":
                value = value.transpose(3, 2, 0, 1)
            elif picture and not isinstance(layer, kl.Dense):
                value = value.reshape(picture).transpose(2, 0, 1).reshape(-1)
            role = "weight" if role == "kernel" else roles.get(role, role)
            state[f"{number}.{role}"] = np.ascontiguousarray(value)
        if isinstance(layer, kl.BatchNormalization):
            state[f"{number}.num_batches_tracked"] = np.array(7, dtype="int64")
        if isinstance(layer, kl.Dense):
            picture = None
        shape = layer.output.shape
        # An activation is a module of its own.
        number += 2 if getattr(layer, "activation", None) is not None else 1
    return state


def write(name):
    keras.utils.clear_session()
    keras.utils.set_random_seed(5)
    rng = np.random.default_rng(11)
    model = (chain if name == "functional" else keras.Sequential)(MODELS[name]())
    randomize(model, rng)
    optimizer = keras.optimizers.RMSprop(0.002, momentum=0.5) if name == "mlp" else "adam"
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    inputs = rng.uniform(-1, 1, (SAMPLES, *model.input_shape[1:])).astype("float32")
    outputs = model.predict(inputs, verbose=0)
    expected = {"inputs": inputs.reshape(SAMPLES, -1).tolist(), "outputs": outputs.tolist()}
    (OUT / f"{name}.expected.json").write_text(json.dumps(expected) + "\n")
    (OUT / f"{name}.json").write_text(model.to_json() + "\n")
    model.save(OUT / f"{name}.keras")
    if name in ("mlp", "flat"):
        model.save_weights(OUT / f"{name}.weights.h5")
        np.savez(OUT / f"{name}.arr.npz", *model.get_weights())
        np.savez_compressed(OUT / f"{name}.npz", **{k: np.asfortranarray(v) for k, v in names(model).items()})
        save_file({k: np.asarray(v) for k, v in names(model).items()}, OUT / f"{name}.safetensors")
    if name in ("mlp", "flat", "conv"):
        save_file(torch_layout(model), OUT / f"{name}.torch.safetensors")


def stranger():
    """An ONNX file of another program, with tensors of every kind of number and place that lists them."""
    helper, kind = onnx.helper, onnx.TensorProto
    tensors = [
        onnx.numpy_helper.from_array(np.arange(6, dtype="float32").reshape(2, 3), "weight"),
        helper.make_tensor("half", kind.FLOAT16, [3], [0.5, 1, 2]),
        helper.make_tensor("double", kind.DOUBLE, [], [0.5]),
        helper.make_tensor("shape", kind.INT64, [2], [-1, 3]),
        helper.make_tensor("words", kind.STRING, [1], [b"word"]),
    ]
    values = [helper.make_tensor_value_info(name, kind.FLOAT, ["n", size]) for name, size in (("x", 2), ("y", 3))]
    node = helper.make_node("MatMul", ["x", "weight"], ["y"])
    graph = helper.make_graph([node], "graph", values[:1], values[1:], tensors, doc_string="a stranger's")
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    onnx.save(model, OUT / "stranger.onnx")


def main():
    OUT.mkdir(exist_ok=True)
    for name in sys.argv[1:] or [*MODELS, "stranger"]:
        stranger() if name == "stranger" else write(name)


if __name__ == "__main__":
    main()

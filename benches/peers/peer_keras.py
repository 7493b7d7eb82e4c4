"""The benchmark's work in Keras, on any of its backends.

    python peer_keras.py --backend jax --form strongest --work lesson --epochs 3 --threads 2

The default form is what a lesson writes: `compile`, `fit`. The strongest compiles the step and runs 25 of them per call
(with TensorFlow through XLA; the JAX backend always compiles). Evaluation asks for no batch size in the default form.
"""

import os
import time

import contract

STEPS_PER_EXECUTION = 25

given = contract.options(
    [name for name in contract.WORKS if name != "study"],
    backend=["tensorflow", "jax", "torch"],
    form=["default", "strongest"],
)
os.environ["KERAS_BACKEND"] = given.backend

import keras  # noqa: E402  (the backend must be chosen first)


def fix_backend_threads():
    if given.backend == "tensorflow":
        import tensorflow

        tensorflow.config.threading.set_intra_op_parallelism_threads(given.threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(given.threads)
    if given.backend == "torch":
        import torch

        torch.set_num_threads(given.threads)


def layers(work):
    if work.widths is None:
        yield keras.layers.Input((28, 28, 1))
        for filters in (32, 64):
            yield keras.layers.Conv2D(filters, 3, activation="relu")
            yield keras.layers.MaxPooling2D()
        yield keras.layers.Flatten()
        yield keras.layers.Dropout(work.dropout)
    else:
        yield keras.layers.Input((contract.PIXELS,))
        for units in work.widths[1:-1]:
            yield keras.layers.Dense(units, "relu")
            if work.dropout:
                yield keras.layers.Dropout(work.dropout)
    yield keras.layers.Dense(contract.CLASSES, "softmax")


def build(work):
    model = keras.Sequential(list(layers(work)))
    optimizer = keras.optimizers.Adam(
        contract.LEARNING_RATE, beta_1=contract.BETA_1, beta_2=contract.BETA_2, epsilon=contract.EPSILON
    )
    strongest = {"jit_compile": True, "steps_per_execution": STEPS_PER_EXECUTION}
    model.compile(
        optimizer=optimizer,
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        **(strongest if given.form == "strongest" else {}),
    )
    model.set_weights(contract.weights(given))
    return model


def compile_and_forget(model, work, x, y):
    """The first call, which compiles, on a few batches; afterwards everything it changed is put back."""
    count = STEPS_PER_EXECUTION * work.batch_size
    model.optimizer.build(model.trainable_variables)
    before = [(variable, keras.ops.convert_to_numpy(variable.value).copy()) for variable in model.optimizer.variables]
    start = time.perf_counter()
    if given.work == "evaluate":
        model.evaluate(x[:count], y[:count], verbose=0)
    else:
        model.fit(x[:count], y[:count], batch_size=work.batch_size, epochs=1, verbose=0)
    contract.say(compile_seconds=time.perf_counter() - start)
    for variable, value in before:
        variable.assign(value)
    model.set_weights(contract.weights(given))


class Report(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.perf_counter() - self.start
        contract.say(epoch=epoch + 1, seconds=seconds, loss=float(logs["loss"]), accuracy=float(logs["accuracy"]))


def main():
    fix_backend_threads()
    work = contract.work(given)
    x, y = contract.pictures(given)
    if work.widths is None:
        x = x.reshape(-1, 28, 28, 1)
    model = build(work)
    compile_and_forget(model, work, x, y)
    if given.work == "evaluate":
        batch_size = work.batch_size if given.form == "strongest" else None
        contract.run(given, lambda _: model.evaluate(x, y, batch_size=batch_size, verbose=0))
        return
    model.fit(
        x,
        y,
        batch_size=work.batch_size,
        epochs=given.epochs,
        shuffle=not given.check,
        callbacks=[Report()],
        verbose=0,
    )


main()

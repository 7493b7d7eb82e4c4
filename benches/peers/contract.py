"""What the Python peers share: command line, threads, MNIST, starting weights by formula, and the lines they print.

README.md beside this file describes the contract; `contract.rs` is the same for the Rust peers. Import this module
before any framework: `options()` must fix the threads first.
"""

import argparse
import dataclasses
import gzip
import json
import math
import os
import pathlib
import time

import numpy as np

import formula

LEARNING_RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-7  # Keras's defaults of Adam
PIXELS, CLASSES, TRAINING_PICTURES = 784, 10, 60_000


@dataclasses.dataclass(frozen=True)
class Work:
    widths: tuple = (PIXELS, 128, CLASSES)  # units of every dense layer, inputs first; None: the conv net
    batch_size: int = 32
    dropout: float = 0.0


WORKS = {
    "lesson": Work(),
    "study": Work(),
    "dense": Work(),
    "evaluate": Work(batch_size=1000),
    "wide": Work((PIXELS, 1024, 1024, 1024, CLASSES), 128, 0.5),
    "conv": Work(None, 128, 0.5),
}


def options(works, **choices):
    """The command line, with `works` on offer and one further option per keyword: its values, the first by default."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", choices=works, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--samples", type=int, default=TRAINING_PICTURES)
    parser.add_argument("--check", action="store_true")
    for name, values in choices.items():
        parser.add_argument(f"--{name}", choices=values, default=values[0])
    given = parser.parse_args()
    fix_threads(given.threads)
    return given


def fix_threads(count):
    """As many cores as threads: some frameworks have no other setting that all of their threads obey."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])
    os.environ["OMP_NUM_THREADS"] = str(count)
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["JAX_PLATFORMS"] = "cpu"
    if count == 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"


def work(given):
    """The chosen work; without dropout in `--check`, because no two peers draw the same masks."""
    chosen = WORKS[given.work]
    return dataclasses.replace(chosen, dropout=0.0) if given.check else chosen


def pictures(given):
    """MNIST's first `--samples` training pictures: float32 rows of 784 and int32 labels, in the order of the files."""
    folder = os.environ.get("SEEDBED_DATA")
    if not folder:
        raise SystemExit("expected SEEDBED_DATA to name a folder with mnist/*.gz; it is not set")
    mnist = pathlib.Path(folder) / "mnist"
    with gzip.open(mnist / "train-images-idx3-ubyte.gz") as file:
        bytes_ = np.frombuffer(file.read(), np.uint8, offset=16).reshape(TRAINING_PICTURES, PIXELS)
    with gzip.open(mnist / "train-labels-idx1-ubyte.gz") as file:
        y = np.frombuffer(file.read(), np.uint8, offset=8).astype(np.int32)
    x = standardise(bytes_) if given.work == "dense" else formula.bytes_to_unit(bytes_)
    return x[: given.samples], y[: given.samples]


def standardise(bytes_):
    """Mean 0 and deviation 1 over all bytes of the training set."""
    values = np.arange(256)
    share = np.bincount(bytes_.ravel(), minlength=256) / bytes_.size
    mean = (share * values).sum()
    deviation = math.sqrt((share * values**2).sum() - mean**2)
    return ((values - mean) / deviation).astype(np.float32)[bytes_]


def convolution_kernel(layer, inputs, outputs):
    """A starting kernel [3, 3, inputs, outputs]: glorot_uniform's range, numbers by the formula of `layer`."""
    limit = math.sqrt(6.0 / (9 * inputs + 9 * outputs))
    values = formula.symmetric(formula.KERNEL_STREAM + layer, 9 * inputs * outputs) * limit
    return values.astype(np.float32).reshape(3, 3, inputs, outputs)


def weights(given):
    """Kernel and zero bias of every layer, in order, in Keras's shapes."""
    widths = WORKS[given.work].widths
    if widths is None:
        kernels = [convolution_kernel(0, 1, 32), convolution_kernel(1, 32, 64), formula.kernel(2, 1600, CLASSES)]
    else:
        kernels = [formula.kernel(layer, *pair) for layer, pair in enumerate(zip(widths, widths[1:]))]
    return [values for kernel in kernels for values in (kernel, np.zeros(kernel.shape[-1], np.float32))]


def epsilon_at(step):
    """Keras adds epsilon to sqrt(v); this, added to the bias-corrected sqrt at `step` (from 1), is the same."""
    return EPSILON / math.sqrt(1.0 - BETA_2**step)


def say(**fields):
    print(json.dumps(fields), flush=True)


def run(given, epoch):
    """Times `epoch(number)`, which gives mean loss and accuracy, and prints a line for each."""
    for number in range(1, given.epochs + 1):
        start = time.perf_counter()
        loss, accuracy = epoch(number)
        seconds = time.perf_counter() - start
        say(epoch=number, seconds=seconds, loss=float(loss), accuracy=float(accuracy))

"""What `run.py` measures: the programs, and the rows of work with the bars they are held against."""

import dataclasses
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
SEEDBED = "Seedbed"
KERAS_TF, KERAS_JAX = "Keras + TensorFlow", "Keras + JAX"
JAX, BURN = "JAX, scan", "Burn, strongest"
TORCH = "PyTorch, fused"
FASTEST = "the fastest peer"


@dataclasses.dataclass(frozen=True)
class Program:
    name: str
    command: tuple  # what follows is --work, --epochs, …
    quick: bool = False  # part of --quick


@dataclasses.dataclass(frozen=True)
class Derived:
    """Not run but reckoned: `factor` times what `program` took in `row`."""

    name: str
    row: str
    program: str
    factor: float


@dataclasses.dataclass(frozen=True)
class Bar:
    """`peer` takes at least `factor` times as long as Seedbed; without a peer, Seedbed takes at most `seconds`."""

    peer: str | None = None
    factor: float = 0.0
    seconds: float = 0.0


@dataclasses.dataclass(frozen=True)
class Row:
    id: str
    title: str
    work: str
    programs: tuple
    threads: int = 2
    epochs: int = 4  # the first is not counted
    seeds: int = 1
    samples_of_check: int = 60_000
    baseline: str = SEEDBED
    derived: tuple = ()
    bars: tuple = ()
    slowest: float = 0.0  # bar on every program of the row: at most so many times the baseline


def python(name, script, *options, quick=False):
    return Program(name, (sys.executable, str(HERE / script), *options), quick)


def keras(name, backend, form, quick=False):
    return python(name, "peer_keras.py", "--backend", backend, "--form", form, quick=quick)


def programs(seedbed, built):
    """Everything there is to run, by name: `seedbed` is our binary, `built` the folder of the compiled peers."""

    def rust(name, peer, form, quick=False):
        return Program(name, (str(built / f"{peer}-{form}" / "release" / f"{peer}-peer"),), quick)

    everything = [
        Program(SEEDBED, (str(seedbed), "bench"), quick=True),
        keras(KERAS_TF, "tensorflow", "default", quick=True),
        keras(f"{KERAS_TF}, strongest", "tensorflow", "strongest"),
        keras(KERAS_JAX, "jax", "default"),
        keras(f"{KERAS_JAX}, strongest", "jax", "strongest", quick=True),
        keras("Keras + Torch", "torch", "default"),
        python(JAX, "peer_jax.py", quick=True),
        python("JAX, scan, random rbg", "peer_jax.py", "--random", "rbg"),
        python("JAX, vmap over seeds", "peer_jax.py", quick=True),
        python("PyTorch", "peer_torch.py", "--form", "default"),
        python(TORCH, "peer_torch.py", "--form", "fused"),
        python("PyTorch, compiled", "peer_torch.py", "--form", "compiled"),
        rust("Burn", "burn", "default"),
        rust(BURN, "burn", "strongest", quick=True),
        rust("Candle", "candle", "default"),
        rust("Candle, strongest", "candle", "strongest"),
    ]
    return {program.name: program for program in everything}


def choices(seedbed):
    """Our side with one choice changed. `adam` is the baseline."""
    optimizers = ("adam", "sgd", "rmsprop", "adamw", "adadelta", "adagrad", "adamax", "nadam", "ftrl", "lion")
    changes = [(name, ("--optimizer", name)) for name in optimizers]
    changes += [("l2", ("--l2", "1e-4")), ("dropout", ("--dropout", "0.5"))]
    return tuple(Program(name, (str(seedbed), "bench", *options)) for name, options in changes)


def rows(seedbed, built):
    known = programs(seedbed, built)
    by_name = lambda *names: tuple(known[name] for name in names)  # noqa: E731
    vmap, random = "JAX, vmap over seeds", "JAX, scan, random rbg"
    all_peers = tuple(p for p in known.values() if p.name not in (vmap, random))
    with_dropout = tuple(p for p in known.values() if p.name != vmap)
    one_core = by_name(SEEDBED, f"{KERAS_JAX}, strongest", JAX, TORCH, BURN)
    one_after_another = tuple(
        Derived(f"{name}: 16 × one run", "lesson", name, 16)
        for name in (KERAS_TF, f"{KERAS_TF}, strongest", f"{KERAS_JAX}, strongest", JAX, BURN)
    )
    one_per_core = tuple(Derived(f"{name}: 8 × one thread", "lesson-1", name, 8) for name in (JAX, TORCH, BURN))
    return [
        Row(
            "lesson",
            "Lesson's model 1: 784-128-10, Adam, batch 32, one run on two threads",
            "lesson",
            all_peers,
            epochs=5,
            bars=(Bar(JAX, 5), Bar(KERAS_TF, 50), Bar(BURN, 8)),
        ),
        Row("lesson-1", "The same on one thread", "lesson", one_core, threads=1, bars=(Bar(seconds=0.13),)),
        Row(
            "study",
            "16 seeds of it, per epoch of all 16, on two threads",
            "study",
            by_name(SEEDBED, vmap),
            epochs=3,
            seeds=16,
            derived=one_after_another + one_per_core,
            bars=(Bar(vmap, 5), Bar(one_after_another[0].name, 60)),
        ),
        Row(
            "choices",
            "The study with one choice changed (Seedbed only)",
            "study",
            choices(seedbed),
            epochs=3,
            seeds=16,
            baseline="adam",
            slowest=1.3,
        ),
        Row(
            "dense",
            "Lesson's model on standardised pictures (no zeros), one thread",
            "dense",
            one_core,
            threads=1,
            bars=(Bar(JAX, 1.5),),
        ),
        Row(
            "evaluate",
            "Evaluation of 60,000 pictures, lesson's model, two threads",
            "evaluate",
            all_peers,
            epochs=6,
            bars=(Bar(seconds=0.06),),
        ),
        Row(
            "wide",
            "784-1024-1024-1024-10, dropout 0.5 after each hidden layer, Adam, batch 128, two threads",
            "wide",
            with_dropout,
            epochs=2,
            samples_of_check=12_800,
            bars=(Bar(FASTEST, 1.5),),
        ),
        Row(
            "conv",
            "Conv 32 3×3, pool, Conv 64 3×3, pool, dropout 0.5, Dense 10, Adam, batch 128, two threads",
            "conv",
            all_peers,
            epochs=2,
            samples_of_check=6_400,
            bars=(Bar(FASTEST, 1.7),),
        ),
    ]

"""The benchmark's work in plain JAX: one compiled call per epoch, a `lax.scan` over its batches.

    python peer_jax.py --work lesson --epochs 3 --threads 2
    python peer_jax.py --work study --seeds 16 --epochs 3 --threads 2

The pictures lie on the device as float32; the permutation and the gathering of batches happen inside. A study maps
(`vmap`) the step over its seeds inside the scan: each seed has its own weights and its own order. The conv net is the
exception: XLA's convolutions are several times slower inside a loop, so each of its steps is a call.
"""

import time

import contract

given = contract.options(list(contract.WORKS), random=["threefry2x32", "rbg"])

import jax  # noqa: E402  (the threads must be fixed first)
import jax.numpy as jnp  # noqa: E402
from jax import lax  # noqa: E402

jax.config.update("jax_default_prng_impl", given.random)
WORK = contract.work(given)
SHUFFLED = not given.check and given.work != "evaluate"


def dropped(key, layer, x):
    if not WORK.dropout:
        return x
    keep = jax.random.bernoulli(jax.random.fold_in(key, layer), 1.0 - WORK.dropout, x.shape)
    return jnp.where(keep, x / (1.0 - WORK.dropout), 0.0)


def features(weights, x):
    """[batch, 1600] from the two convolutions, each pooled."""
    x = x.reshape(-1, 28, 28, 1)
    for kernel, bias in zip(weights[0:4:2], weights[1:4:2]):
        x = lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        x = lax.reduce_window(jax.nn.relu(x + bias), -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    return x.reshape(x.shape[0], -1)


def logits(weights, key, x):
    if WORK.widths is None:
        x, weights = dropped(key, 0, features(weights, x)), weights[4:]
    hidden = list(zip(weights[0::2], weights[1::2]))
    for layer, (kernel, bias) in enumerate(hidden[:-1]):
        x = dropped(key, layer, jax.nn.relu(x @ kernel + bias))
    kernel, bias = hidden[-1]
    return x @ kernel + bias


def losses(weights, key, x, y):
    """Sum of losses and number of right answers of a batch."""
    scores = logits(weights, key, x)
    chosen = jnp.take_along_axis(jax.nn.log_softmax(scores), y[:, None], axis=1)
    return -chosen.sum(), (scores.argmax(axis=1) == y).sum()


def adam(weights, m, v, gradients, step):
    step = step.astype(jnp.float32)
    alpha = contract.LEARNING_RATE * jnp.sqrt(1 - contract.BETA_2**step) / (1 - contract.BETA_1**step)
    m = jax.tree.map(lambda m, g: m + (g - m) * (1 - contract.BETA_1), m, gradients)
    v = jax.tree.map(lambda v, g: v + (g * g - v) * (1 - contract.BETA_2), v, gradients)
    weights = jax.tree.map(lambda w, m, v: w - alpha * m / (jnp.sqrt(v) + contract.EPSILON), weights, m, v)
    return weights, m, v


def update(state, x, y):
    """One step: new state, sum of losses, number of right answers."""
    weights, m, v, key, step = state
    step = step + 1

    def mean_loss(weights):
        loss, right = losses(weights, jax.random.fold_in(key, step), x, y)
        return loss / len(y), (loss, right)

    gradients, score = jax.grad(mean_loss, has_aux=True)(weights)
    return (*adam(weights, m, v, gradients, step), key, step), score


def evaluation(state, x, y):
    return state, losses(state[0], state[3], x, y)


def order_of(state, count):
    key = jax.random.fold_in(state[3], state[4])
    return jax.random.permutation(key, count) if SHUFFLED else jnp.arange(count)


def batch(state, x, y, indices):
    one = evaluation if given.work == "evaluate" else update
    return one(state, x[indices], y[indices])


def epoch(state, x, y):
    """All batches once, in one program: new state, mean loss, accuracy."""
    order = order_of(state, len(y))
    whole = len(y) // WORK.batch_size * WORK.batch_size
    body = lambda state, indices: batch(state, x, y, indices)  # noqa: E731
    state, scores = lax.scan(body, state, order[:whole].reshape(-1, WORK.batch_size))
    loss, right = jax.tree.map(jnp.sum, scores)
    if whole < len(y):
        state, (last_loss, last_right) = body(state, order[whole:])
        loss, right = loss + last_loss, right + last_right
    return state, loss / len(y), right / len(y)


call = jax.jit(batch, donate_argnums=0)
call_order = jax.jit(order_of, static_argnums=1)


def epoch_of_calls(state, x, y):
    """All batches once, one call each: new state, mean loss, accuracy."""
    order = call_order(state, len(y))
    scores = []
    for first in range(0, len(y), WORK.batch_size):
        state, score = call(state, x, y, order[first : first + WORK.batch_size])
        scores.append(score)
    losses, right = zip(*scores)
    return state, sum(losses) / len(y), sum(right) / len(y)


def start(seed):
    """Weights by formula, the same for every seed: only order and masks differ."""
    weights = [jnp.asarray(w) for w in contract.weights(given)]
    zeros = [jnp.zeros_like(w) for w in weights]
    return weights, zeros, [jnp.zeros_like(w) for w in weights], jax.random.key(seed), jnp.int32(0)


def compiled(state, x, y):
    """The function that runs an epoch; compiling it is timed and reported."""
    began = time.perf_counter()
    if WORK.widths is None:
        rehearsal = jax.tree.map(jnp.copy, state)
        jax.block_until_ready(call(rehearsal, x, y, call_order(state, len(y))[: WORK.batch_size]))
        run = epoch_of_calls
    else:
        whole = jax.vmap(epoch, in_axes=(0, None, None)) if given.work == "study" else epoch
        run = jax.jit(whole, donate_argnums=0).lower(state, x, y).compile()
    contract.say(compile_seconds=time.perf_counter() - began)
    return run


def main():
    x, y = (jnp.asarray(part) for part in contract.pictures(given))
    state = start(0)
    if given.work == "study":
        state = jax.tree.map(lambda *parts: jnp.stack(parts), *(start(seed) for seed in range(given.seeds)))
    run_epoch = compiled(state, x, y)

    def timed(_):
        nonlocal state
        state, loss, accuracy = jax.block_until_ready(run_epoch(state, x, y))
        return loss.mean(), accuracy.mean()

    contract.run(given, timed)


main()

"""The benchmark's work in PyTorch.

    python peer_torch.py --form fused --work lesson --epochs 3 --threads 2

Forms: `default` (eager, Adam as it comes), `fused` (eager, Adam's fused kernel), `compiled` (forward and backward
through `torch.compile`, fused Adam). Pictures lie in one float32 tensor; batches are gathered by index.
"""

import copy
import time

import contract

given = contract.options(
    [name for name in contract.WORKS if name != "study"],
    form=["default", "fused", "compiled"],
)

import torch  # noqa: E402  (the threads must be fixed first)
from torch import nn  # noqa: E402


def dense(kernel, bias):
    layer = nn.Linear(*kernel.shape)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(kernel.T.copy()))
        layer.bias.copy_(torch.from_numpy(bias))
    return layer


def convolution(kernel, bias):
    """Keras's kernel is [height, width, in, out], PyTorch's [out, in, height, width]."""
    layer = nn.Conv2d(kernel.shape[2], kernel.shape[3], 3)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy()))
        layer.bias.copy_(torch.from_numpy(bias))
    return layer


def channels_first(kernel):
    """The rows of the conv net's last kernel, counted as PyTorch flattens: channel, height, width."""
    return kernel.reshape(5, 5, 64, -1).transpose(2, 0, 1, 3).reshape(1600, -1)


def build(work):
    weights = contract.weights(given)
    layers = list(zip(weights[0::2], weights[1::2]))
    parts = []
    if work.widths is None:
        parts.append(nn.Unflatten(1, (1, 28, 28)))
        for kernel, bias in layers[:2]:
            parts += [convolution(kernel, bias), nn.ReLU(), nn.MaxPool2d(2)]
        parts += [nn.Flatten(), nn.Dropout(work.dropout)]
        layers = [(channels_first(layers[2][0]), layers[2][1])]
    for kernel, bias in layers[:-1]:
        parts += [dense(kernel, bias), nn.ReLU()]
        if work.dropout:
            parts.append(nn.Dropout(work.dropout))
    return nn.Sequential(*parts, dense(*layers[-1]))


class Trainer:
    def __init__(self, work):
        self.work, self.model = work, build(work)
        self.initial = copy.deepcopy(self.model.state_dict())
        self.score = torch.compile(self.eager_score) if given.form == "compiled" else self.eager_score
        self.reset()

    def reset(self):
        """Back to the starting weights, with a fresh optimizer."""
        self.model.load_state_dict(self.initial)
        fused = {"fused": True} if given.form != "default" else {}
        betas = (contract.BETA_1, contract.BETA_2)
        self.adam = torch.optim.Adam(self.model.parameters(), contract.LEARNING_RATE, betas, **fused)
        self.step = 0

    def eager_score(self, x, y):
        """Mean loss of a batch, and its number of right answers."""
        logits = self.model(x)
        return nn.functional.cross_entropy(logits, y), (logits.argmax(1) == y).sum()

    def train(self, x, y):
        loss, right = self.score(x, y)
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        self.step += 1
        self.adam.param_groups[0]["eps"] = contract.epsilon_at(self.step)
        self.adam.step()
        return loss.detach(), right

    def epoch(self, x, y):
        """All batches once: mean loss and accuracy."""
        evaluating = given.work == "evaluate"
        order = torch.arange(len(y)) if given.check or evaluating else torch.randperm(len(y))
        total, right = torch.zeros((), dtype=torch.float64), torch.zeros((), dtype=torch.int64)
        one = self.score if evaluating else self.train
        with torch.set_grad_enabled(not evaluating):
            for indices in order.split(self.work.batch_size):
                batch_loss, batch_right = one(x[indices], y[indices])
                total += batch_loss * len(indices)
                right += batch_right
        return total / len(y), right / len(y)


def main():
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    work = contract.work(given)
    x, y = (torch.from_numpy(part) for part in contract.pictures(given))
    y = y.long()
    start = time.perf_counter()
    trainer = Trainer(work)
    trainer.epoch(x[: 3 * work.batch_size], y[: 3 * work.batch_size])
    trainer.reset()
    contract.say(compile_seconds=time.perf_counter() - start)
    contract.run(given, lambda _: trainer.epoch(x, y))


main()

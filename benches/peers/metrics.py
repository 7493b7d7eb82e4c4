"""Keras's metrics over 64 samples, its class weights, and what its callbacks do to a fit.

    python metrics.py

writes fixtures/parity/metrics.json and fits.json. README.md describes the files.
"""

import pathlib

import numpy as np

import formula
import parity
import reference
from reference import keras

FOLDER = pathlib.Path(__file__).parent / "fixtures" / "parity"
COUNT, CLASSES = 64, 5
m = keras.metrics

OUTPUTS = {
    "share": lambda width: formula.dense_targets("share", COUNT, width),
    "unit": lambda width: formula.unit(600, np.arange(COUNT * width)).reshape(COUNT, width).astype(np.float32),
    "dense": lambda width: formula.symmetric(601, COUNT * width).reshape(COUNT, width).astype(np.float32),
}
TARGETS = {
    "class": lambda width: formula.labels(COUNT, width),
    "one_hot": lambda width: np.eye(width, dtype=np.float32)[formula.labels(COUNT, width)],
    "binary": lambda width: (formula.labels(COUNT, 2).astype(np.float32)).reshape(COUNT, 1),
    "dense": lambda width: formula.dense_targets("dense", COUNT, width),
    "positive": lambda width: formula.dense_targets("positive", COUNT, width),
}

# Our words, Keras's object, targets, outputs.
ROWS = [
    ({"name": "binary_accuracy"}, lambda: m.BinaryAccuracy(), "one_hot", "unit"),
    ({"name": "binary_accuracy", "threshold": 0.3}, lambda: m.BinaryAccuracy(threshold=0.3), "binary", "unit"),
    ({"name": "categorical_accuracy"}, lambda: m.CategoricalAccuracy(), "one_hot", "share"),
    ({"name": "sparse_categorical_accuracy"}, lambda: m.SparseCategoricalAccuracy(), "class", "share"),
    ({"name": "top_k_categorical_accuracy", "k": 2}, lambda: m.TopKCategoricalAccuracy(k=2), "one_hot", "share"),
    (
        {"name": "sparse_top_k_categorical_accuracy", "k": 3},
        lambda: m.SparseTopKCategoricalAccuracy(k=3),
        "class",
        "share",
    ),
    ({"name": "precision"}, lambda: m.Precision(), "one_hot", "unit"),
    ({"name": "precision", "threshold": 0.2}, lambda: m.Precision(thresholds=0.2), "one_hot", "share"),
    ({"name": "precision", "top_k": 2}, lambda: m.Precision(top_k=2), "one_hot", "share"),
    ({"name": "precision", "class_id": 3}, lambda: m.Precision(class_id=3), "one_hot", "unit"),
    ({"name": "precision"}, lambda: m.Precision(), "binary", "unit"),
    ({"name": "recall"}, lambda: m.Recall(), "one_hot", "unit"),
    (
        {"name": "recall", "threshold": 0.25, "top_k": 2},
        lambda: m.Recall(thresholds=0.25, top_k=2),
        "one_hot",
        "share",
    ),
    ({"name": "recall", "class_id": 1}, lambda: m.Recall(class_id=1), "one_hot", "unit"),
    ({"name": "f1_score", "average": "macro"}, lambda: m.F1Score(average="macro"), "one_hot", "share"),
    ({"name": "f1_score", "average": "micro"}, lambda: m.F1Score(average="micro"), "one_hot", "share"),
    ({"name": "f1_score", "average": "weighted"}, lambda: m.F1Score(average="weighted"), "one_hot", "share"),
    (
        {"name": "f1_score", "average": "macro", "threshold": 0.4},
        lambda: m.F1Score(average="macro", threshold=0.4),
        "one_hot",
        "unit",
    ),
    (
        {"name": "fbeta_score", "beta": 2.0, "average": "weighted"},
        lambda: m.FBetaScore(beta=2.0, average="weighted"),
        "one_hot",
        "share",
    ),
    ({"name": "auc"}, lambda: m.AUC(), "one_hot", "share"),
    ({"name": "auc", "num_thresholds": 11}, lambda: m.AUC(num_thresholds=11), "one_hot", "unit"),
    ({"name": "auc", "curve": "PR"}, lambda: m.AUC(curve="PR"), "one_hot", "share"),
    ({"name": "auc", "curve": "PR", "num_thresholds": 11}, lambda: m.AUC(11, curve="PR"), "binary", "unit"),
    ({"name": "root_mean_squared_error"}, lambda: m.RootMeanSquaredError(), "dense", "dense"),
    ({"name": "cosine_similarity"}, lambda: m.CosineSimilarity(), "positive", "unit"),
    ({"name": "mean_squared_error"}, lambda: m.MeanSquaredError(), "dense", "dense"),
    ({"name": "mean_absolute_error"}, lambda: m.MeanAbsoluteError(), "dense", "dense"),
    ({"name": "mean_absolute_percentage_error"}, lambda: m.MeanAbsolutePercentageError(), "positive", "unit"),
    ({"name": "mean_squared_logarithmic_error"}, lambda: m.MeanSquaredLogarithmicError(), "positive", "unit"),
    ({"name": "log_cosh"}, lambda: m.LogCoshError(), "dense", "dense"),
    ({"name": "poisson"}, lambda: m.Poisson(), "positive", "unit"),
    ({"name": "kl_divergence"}, lambda: m.KLDivergence(), "one_hot", "share"),
    ({"name": "hinge"}, lambda: m.Hinge(), "one_hot", "dense"),
    ({"name": "squared_hinge"}, lambda: m.SquaredHinge(), "dense", "dense"),
    ({"name": "categorical_hinge"}, lambda: m.CategoricalHinge(), "one_hot", "dense"),
    ({"name": "binary_crossentropy"}, lambda: m.BinaryCrossentropy(), "one_hot", "unit"),
    ({"name": "categorical_crossentropy"}, lambda: m.CategoricalCrossentropy(), "one_hot", "share"),
    ({"name": "sparse_categorical_crossentropy"}, lambda: m.SparseCategoricalCrossentropy(), "class", "share"),
]


def metric(row):
    """The number after two updates of 32 samples each."""
    ours, make, targets, outputs = row
    width = 1 if targets == "binary" else CLASSES
    y_true, y_pred = TARGETS[targets](width), OUTPUTS[outputs](width)
    found = make()
    for half in (slice(0, 32), slice(32, COUNT)):
        found.update_state(y_true[half], y_pred[half])
    return {"metric": ours, "targets": targets, "outputs": outputs, "result": float(found.result())}


AVERAGE = {"use_ema": True, "ema_momentum": 0.9}


def model(learning_rate, **average):
    row = parity.rows.Row("fit", optimizer=lambda: keras.optimizers.SGD(learning_rate, **average))
    built = parity.build(row)
    built.compile(
        optimizer=built.optimizer,
        loss=row.loss(),
        metrics=["accuracy", m.SparseTopKCategoricalAccuracy(k=2)],
    )
    return built


class LearningRates(keras.callbacks.Callback):
    """The learning rate that every epoch was trained with."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(float(self.model.optimizer.learning_rate))


def fit(name, learning_rate, callbacks=lambda: [], average={}, **options):
    built, seen = model(learning_rate, **average), LearningRates()
    count = 160
    x, y = formula.dense_inputs(count, parity.INPUTS), formula.labels(count, CLASSES)
    found = built.fit(
        x, y, batch_size=8, shuffle=False, verbose=0, validation_split=0.2, callbacks=[seen, *callbacks()], **options
    )
    history = {key: reference.numbers(values, "float32") for key, values in found.history.items() if "rate" not in key}
    return {
        "name": name,
        "learning_rate": learning_rate,
        "history": history,
        "learning_rates": seen.seen,
        "weights": parity.weights(built, "float32"),
    }


def fits():
    c = keras.callbacks
    return [
        fit("plain", 0.1, epochs=4),
        fit("class_weight", 0.1, epochs=4, class_weight={0: 0.5, 2: 3.0, 4: 0.0}),
        fit("early_stopping", 0.5, lambda: [c.EarlyStopping("val_loss", patience=3)], epochs=30),
        fit(
            "early_stopping_restores",
            0.5,
            lambda: [
                c.EarlyStopping("val_accuracy", min_delta=0.01, patience=4, mode="max", restore_best_weights=True)
            ],
            epochs=30,
        ),
        fit(
            "early_stopping_starts_late",
            0.5,
            lambda: [c.EarlyStopping("val_loss", patience=2, start_from_epoch=6)],
            epochs=30,
        ),
        fit(
            "early_stopping_baseline",
            0.5,
            lambda: [c.EarlyStopping("val_loss", patience=2, baseline=1.0, restore_best_weights=True)],
            epochs=30,
        ),
        fit(
            "reduce_lr_on_plateau",
            0.5,
            lambda: [c.ReduceLROnPlateau("val_loss", factor=0.5, patience=2, min_lr=0.02)],
            epochs=20,
        ),
        fit(
            "reduce_lr_on_plateau_cooldown",
            0.5,
            lambda: [c.ReduceLROnPlateau("loss", factor=0.3, patience=1, min_delta=0.05, cooldown=2)],
            epochs=20,
        ),
        fit(
            "learning_rate_scheduler",
            0.5,
            lambda: [c.LearningRateScheduler(lambda epoch, rate: rate if epoch < 2 else rate * 0.5)],
            epochs=6,
        ),
        fit("ema", 0.1, epochs=4, average=AVERAGE),
        fit("swap_ema_weights", 0.1, lambda: [c.SwapEMAWeights()], epochs=4, average=AVERAGE),
        fit("swap_ema_weights_on_epoch", 0.1, lambda: [c.SwapEMAWeights(True)], epochs=4, average=AVERAGE),
    ]


def main():
    reference.use("float32")
    versions = reference.versions()
    sizes = {"count": COUNT, "classes": CLASSES}
    content = {"versions": versions, "sizes": sizes, "metrics": [metric(row) for row in ROWS]}
    reference.write(FOLDER / "metrics.json", content)
    reference.write(FOLDER / "fits.json", {"versions": versions, "fits": fits()})


if __name__ == "__main__":
    main()

"""The table of cases. Group A: issue 2; B: issue 4; C: issue 5 (functional models, files trained before)."""
import json
import numpy as np

CASE_LIST = []
SGD = {"type": "SGD", "learning_rate": 0.1}
ADAM = {"type": "Adam", "learning_rate": 0.01}
NADAM = {"type": "Nadam", "learning_rate": 0.01}
SCCE = "sparse_categorical_crossentropy"


def make_arrays():
    rng = np.random.default_rng(20261123)
    f = lambda a: np.ascontiguousarray(a, dtype="float32")
    x = rng.standard_normal((50, 6))
    x4x2 = rng.standard_normal((50, 4, 2))
    labels = lambda scores: (scores + 0.3 * rng.standard_normal(scores.shape)).argmax(-1).astype("int32")
    y = labels(x @ rng.standard_normal((6, 3)))
    y4x2 = labels(x4x2.reshape(50, 8) @ rng.standard_normal((8, 3)))
    target = np.tanh(x @ rng.standard_normal((6, 2)) / 2) + 0.1 * rng.standard_normal((50, 2))
    binary = (target[:, :1] > 0).astype("float32")
    return {
        "x": f(x), "x4x2": f(x4x2), "x_offset": f(x * [1, 5, 0.2, 3, 10, 1] + [0, 20, -1, 4, 100, 0]),
        "xv": f(rng.standard_normal((13, 6))), "yv": rng.integers(0, 3, 13).astype("int64"),
        "y": y, "y_column": y.reshape(50, 1).astype("int64"), "y4x2": y4x2.astype("uint8"), "y_onehot": np.eye(3, dtype="float32")[y],
        "y_ignore": np.where(np.arange(50) % 7 == 3, -1, y).astype("int32"),
        "y_binary": binary, "y_binary_int": binary[:, 0].astype("int32"), "y_sign": f(2 * binary - 1),
        "y_multilabel": f(target @ rng.standard_normal((2, 3)) > 0.1),
        "y_real": f(target), "y_real1": f(target[:, 0]), "y_count": rng.poisson(np.exp(target)).astype("float32"),
        "y_positive": f(np.exp(target) + 0.1), "y_soft": f((lambda e: e / e.sum(1, keepdims=True))(np.exp(1.5 * rng.standard_normal((50, 3))))),
        "w": f(rng.uniform(0.2, 2.0, 50)), "x_right": f(rng.standard_normal((50, 5))),
    }


ARRAYS = make_arrays()


def case(group, name, covers, layers=None, *, model=None, x="x", y="y", loss=SCCE, metrics=("accuracy",), optimizer=SGD,
         epochs=2, batch_size=16, validation=None, trainable=None, callbacks=None, sample_weight=None, train=None,
         pretrain=None, beyond=False):
    """layers: a function that gives the layers after the input; model: one that gives a whole model instead."""
    path = lambda n: {k: path(v) for k, v in n.items()} if isinstance(n, dict) else f"../../data/{n}.npy"
    data = {"x": path(x), "y": path(y)}
    if sample_weight:
        data["sample_weight"] = path(sample_weight)
    if validation:
        data["validation"] = {k: path(v) if k in "xy" else v for k, v in validation.items()}
    settings = {"loss": loss, "metrics": dict(metrics) if isinstance(metrics, dict) else list(metrics), "epochs": epochs,
                "batch_size": batch_size, "shuffle": False, "optimizer": optimizer, **(train or {})}
    settings = {k: v for k, v in settings.items() if v is not None}
    if pretrain:                                  # everything left out of [train] comes from the file
        first = {k: settings.pop(k) for k in ("loss", "metrics", "weighted_metrics", "optimizer") if k in settings}
        pretrain = {"data": {"x": f"{x}.npy", "y": f"{y}.npy"},
                    "train": {**first, "epochs": pretrain, "batch_size": batch_size}}
    toml = {"data": data, "model": {"file": "init.keras", **({"trainable": trainable} if trainable else {})},
            "train": settings, "callbacks": callbacks or {}}
    def sequential():
        import keras
        return keras.Sequential([keras.Input(ARRAYS[x].shape[1:]), *layers(keras.layers)])
    assert name not in [c["name"] for c in CASE_LIST], name
    CASE_LIST.append({"group": group, "name": name, "covers": list(covers), "model": model or sequential, "toml": toml,
                      "seed": sum(map(ord, name)), "pretrain": pretrain, "beyond": beyond})


def mlp(hidden="tanh", out=3, last="softmax", **arguments):
    return lambda L: [L.Dense(8, activation=hidden, **arguments), L.Dense(5, activation="tanh"), L.Dense(out, activation=last)]


# ---- group A -----------------------------------------------------------------

for name in ("linear", "sigmoid", "tanh", "relu", "elu", "selu", "softmax"):
    case("A", f"dense_{name}", ["Dense", name], mlp(name))
case("A", "dense_no_bias", ["Dense use_bias=false"], mlp("elu", use_bias=False))
case("A", "activation_layers", ["Activation"], lambda L: [
    L.Dense(8), L.Activation("relu"), L.Dense(5), L.Activation("elu"), L.Dense(3), L.Activation("softmax")])
case("A", "flatten", ["Flatten", "inputs of rank 3", "uint8 targets"],
     lambda L: [L.Flatten(), L.Dense(8, activation="elu"), L.Dense(3, activation="softmax")], x="x4x2", y="y4x2")

case("A", "bn_first", ["BatchNormalization first"], lambda L: [
    L.BatchNormalization(), L.Dense(8, activation="elu"), L.Dense(3, activation="softmax")], epochs=3, x="x_offset")
case("A", "bn_before_activation", ["BatchNormalization before the activation"], lambda L: [
    L.Dense(8, use_bias=False), L.BatchNormalization(), L.Activation("elu"), L.Dense(3, activation="softmax")], epochs=3)
case("A", "bn_after_activation", ["BatchNormalization after the activation"], lambda L: [
    L.Dense(8, activation="elu"), L.BatchNormalization(), L.Dense(3, activation="softmax")], epochs=3)
case("A", "bn_no_center", ["BatchNormalization center=false"], lambda L: [
    L.Dense(8, activation="tanh"), L.BatchNormalization(center=False), L.Dense(3, activation="softmax")])
case("A", "bn_no_scale", ["BatchNormalization scale=false"], lambda L: [
    L.Dense(8, activation="tanh"), L.BatchNormalization(scale=False), L.Dense(3, activation="softmax")])
case("A", "bn_no_center_no_scale", ["BatchNormalization center=false scale=false"], lambda L: [
    L.Dense(8, activation="tanh"), L.BatchNormalization(center=False, scale=False), L.Dense(3, activation="softmax")])
case("A", "bn_momentum_epsilon", ["BatchNormalization momentum epsilon"], lambda L: [
    L.Dense(8, activation="tanh"), L.BatchNormalization(momentum=0.8, epsilon=0.01), L.Dense(3, activation="softmax")],
    optimizer={"type": "SGD", "learning_rate": 0.05, "momentum": 0.9}, epochs=3)
case("A", "bn_validation", ["BatchNormalization", "validation in inference mode"], lambda L: [
    L.Dense(8, activation="relu"), L.BatchNormalization(momentum=0.9), L.Dense(3, activation="softmax")],
    validation={"first": 10}, epochs=3)
case("A", "bn_frozen", ["BatchNormalization frozen by config"], lambda L: [
    L.Dense(8, activation="elu"), L.BatchNormalization(), L.Dense(3, activation="softmax")],
    trainable={"batch_normalization": False})
case("A", "bn_frozen_saved", ["BatchNormalization frozen in the file"], lambda L: [
    L.Dense(8, activation="elu"), L.BatchNormalization(trainable=False), L.Dense(3, activation="softmax")], optimizer=ADAM)
# A bias or beta whose effect the next BatchNormalization removes has a gradient of rounding noise, which adaptive
# optimizers turn into whole steps: such cases would compare nothing, so there are none here (see NOTES.md).
case("A", "bn_deep_nadam", ["BatchNormalization", "Nadam", "deep", "validation"], lambda L: [
    L.Flatten(), L.BatchNormalization(center=False),
    L.Dense(8, use_bias=False), L.BatchNormalization(), L.Activation("elu"),
    L.Dense(7, use_bias=False), L.BatchNormalization(), L.Activation("elu"),
    L.Dense(6, use_bias=False), L.BatchNormalization(), L.Activation("elu"),
    L.Dense(3, activation="softmax")], x="x4x2", y="y4x2", optimizer=NADAM, validation={"fraction": 0.2}, epochs=3)

case("A", "scce_logits", ["SparseCategoricalCrossentropy from_logits"], mlp(last=None),
     loss={"type": "SparseCategoricalCrossentropy", "from_logits": True})
case("A", "scce_column", ["sparse_categorical_crossentropy", "targets (n, 1) int64"], mlp(), y="y_column")
case("A", "cce", ["categorical_crossentropy", "accuracy on one-hot"], mlp(), y="y_onehot", loss="categorical_crossentropy")
case("A", "cce_logits", ["CategoricalCrossentropy from_logits"], mlp(last=None), y="y_onehot",
     loss={"type": "CategoricalCrossentropy", "from_logits": True})
case("A", "cce_smoothing", ["CategoricalCrossentropy label_smoothing"], mlp(), y="y_onehot",
     loss={"type": "CategoricalCrossentropy", "label_smoothing": 0.1})
case("A", "cce_soft_targets", ["categorical_crossentropy", "targets that are probabilities"], mlp(), y="y_soft",
     loss="categorical_crossentropy")
case("A", "bce", ["binary_crossentropy", "accuracy on a binary output"], mlp(out=1, last="sigmoid"), y="y_binary",
     loss="binary_crossentropy")
case("A", "bce_int_targets", ["binary_crossentropy", "targets (n,) int32"], mlp(out=1, last="sigmoid"), y="y_binary_int",
     loss="binary_crossentropy")
case("A", "bce_logits", ["BinaryCrossentropy from_logits", "accuracy on logits thresholds at 0.5"], mlp(out=1, last=None),
     y="y_binary", loss={"type": "BinaryCrossentropy", "from_logits": True})
case("A", "bce_smoothing", ["BinaryCrossentropy label_smoothing"], mlp(out=1, last="sigmoid"), y="y_binary",
     loss={"type": "BinaryCrossentropy", "label_smoothing": 0.2})
case("A", "bce_multilabel", ["binary_crossentropy on three outputs", "binary_accuracy"], mlp(last="sigmoid"), y="y_multilabel",
     loss="binary_crossentropy", metrics=["binary_accuracy"])
case("A", "mse", ["mse", "two outputs"], mlp(out=2, last=None), y="y_real", loss="mse", metrics=["mae"])
case("A", "mse_flat_targets", ["mean_squared_error", "targets (n,)", "no metrics"], mlp(out=1, last=None), y="y_real1",
     loss="mean_squared_error", metrics=[])
case("A", "mse_rank_3", ["mse on outputs of rank 3", "Dense on rank 3"], lambda L: [
    L.Dense(5, activation="tanh"), L.Dense(2)], x="x4x2", y="x4x2", loss="mse", metrics=[])

case("A", "sgd_momentum", ["SGD momentum"], mlp("elu"), optimizer={"type": "SGD", "learning_rate": 0.05, "momentum": 0.9}, epochs=3)
case("A", "sgd_nesterov", ["SGD nesterov"], mlp("elu"),
     optimizer={"type": "SGD", "learning_rate": 0.05, "momentum": 0.9, "nesterov": True}, epochs=3)
case("A", "sgd_default", ["optimizer as a string"], mlp("elu"), optimizer="sgd")
case("A", "adam", ["Adam"], mlp("elu"), optimizer=ADAM, epochs=3)
case("A", "adam_default", ["optimizer as a string"], mlp("elu"), optimizer="adam", epochs=3)
case("A", "adam_arguments", ["Adam beta_1 beta_2 epsilon"], mlp("relu"), epochs=3,
     optimizer={"type": "Adam", "learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 0.001})
case("A", "nadam", ["Nadam"], mlp("elu"), optimizer=NADAM, epochs=3)
case("A", "nadam_arguments", ["Nadam beta_1 beta_2 epsilon"], mlp("relu"), epochs=3,
     optimizer={"type": "Nadam", "learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 0.001})
case("A", "nadam_clipnorm", ["Nadam", "clipnorm"], mlp("elu"), optimizer={**NADAM, "clipnorm": 0.1}, epochs=3)

case("A", "frozen_first", ["Dense frozen by config"], mlp("elu"), trainable={"dense": False})
case("A", "frozen_middle", ["Dense frozen by config", "Adam"], mlp("elu"), trainable={"dense_1": False}, optimizer=ADAM)
case("A", "frozen_saved", ["Dense frozen in the file", "Nadam"], lambda L: [
    L.Dense(8, activation="elu", trainable=False), L.Dense(5, activation="elu"), L.Dense(3, activation="softmax")], optimizer=NADAM)
case("A", "frozen_patterns", ["trainable: * then an exception, the later key wins"], mlp("elu"),
     trainable={"*": False, "dense_2": True}, optimizer=ADAM)

case("A", "validation_first", ["validation first"], mlp(), validation={"first": 11})
case("A", "validation_fraction", ["validation fraction"], mlp(), validation={"fraction": 0.25})
case("A", "validation_arrays", ["validation from other files"], mlp(), validation={"x": "xv", "y": "yv"})
case("A", "batch_of_all", ["a batch larger than the data"], mlp(), batch_size=64)
case("A", "early_stopping", ["early_stopping restore_best_weights"], mlp("elu"), validation={"first": 12}, epochs=8,
     optimizer={"type": "SGD", "learning_rate": 1.0, "momentum": 0.9},
     callbacks={"early_stopping": {"monitor": "val_loss", "patience": 2, "restore_best_weights": True}})


def write_tables(folder):
    pass

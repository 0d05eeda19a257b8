"""The table of cases. Group A: issue 2; B: issue 4; C: issue 5 (functional models, files trained before); D: issue 6 (raw rows);
E: issue 21 (convolutions.py)."""
import json
import convolutions
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


def make_raw_rows():
    """What tables hold: numbers with gaps, texts, whole numbers that name something."""
    rng = np.random.default_rng(20261125)
    gaps = rng.standard_normal((50, 4)) * [1, 5, 0.2, 3] + [0, 2, -1, 4]
    gaps[rng.random((50, 4)) < 0.2] = np.nan
    towns = np.array(["Graz", "Bern", "Zürich", "", "Linz", "Aarau"])
    return {"x_gaps": gaps.astype("float32"), "town": towns[rng.integers(0, 6, (50, 1))], "towns": towns[rng.integers(0, 6, (50, 3))],
            "kind": rng.integers(0, 7, (50, 1)).astype("int64"), "kinds": rng.integers(0, 7, (50, 4)).astype("int64")}


ARRAYS = {**make_arrays(), **make_raw_rows(), **convolutions.arrays()}


def case(group, name, covers, layers=None, *, model=None, x="x", y="y", loss=SCCE, metrics=("accuracy",), optimizer=SGD,
         epochs=2, batch_size=16, validation=None, trainable=None, callbacks=None, sample_weight=None, train=None,
         pretrain=None, beyond=False, alone=None):
    """layers: a function that gives the layers after the input; model: one that gives a whole model instead;
    beyond: asked for by no issue; alone: why TensorFlow's numbers stand without JAX's."""
    path = lambda n: {k: path(v) for k, v in n.items()} if isinstance(n, dict) else f"../../data/{n}.npy"
    data = {"x": path(x), "y": path(y)}
    if sample_weight:
        data["sample_weight"] = path(sample_weight)
    if validation:
        data["validation"] = {k: path(v) if k in "xy" else v for k, v in validation.items()}
    settings = {"loss": loss, "metrics": dict(metrics) if isinstance(metrics, dict) else list(metrics), "epochs": epochs,
                "batch_size": batch_size, "shuffle": False, "optimizer": optimizer, **(train or {})}
    if pretrain:                                  # everything left out of [train] comes from the file
        first = {k: settings.pop(k) for k in ("loss", "metrics")} | {"optimizer": optimizer}
        settings = {k: v for k, v in settings.items() if k != "optimizer"} | (train or {})
        pretrain = {"data": {"x": f"{x}.npy", "y": f"{y}.npy"},
                    "train": {**first, "epochs": pretrain, "batch_size": batch_size}}
    toml = {"data": data, "model": {"file": "init.keras", **({"trainable": trainable} if trainable else {})},
            "train": settings, "callbacks": callbacks or {}}
    def sequential():
        import keras
        return keras.Sequential([keras.Input(ARRAYS[x].shape[1:]), *layers(keras.layers)])
    assert name not in [c["name"] for c in CASE_LIST], name
    CASE_LIST.append({"group": group, "name": name, "covers": list(covers), "model": model or sequential, "toml": toml,
                      "seed": sum(map(ord, name)), "pretrain": pretrain, "beyond": beyond, "alone": alone})


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



# ---- group B: activations ------------------------------------------------------

for name in ("relu6", "leaky_relu", "log_softmax", "softplus", "softsign", "exponential", "silu", "swish", "gelu",
             "hard_sigmoid", "hard_silu", "mish", "celu"):
    case("B", f"activation_{name}", ["Dense activation", name], mlp(name, kernel_regularizer=None),
         optimizer={"type": "SGD", "learning_rate": 0.05, "momentum": 0.9})
for name in ("log_sigmoid", "hard_tanh", "tanh_shrink", "soft_shrink", "hard_shrink", "sparse_plus", "sparse_sigmoid",
             "squareplus", "sparsemax"):
    case("B", f"activation_{name}", ["Dense activation", name], mlp(name), beyond=True)


def with_layer(name, covers, make, beyond=False, **more):
    case("B", name, covers, lambda L: [L.Dense(8), make(L), L.Dense(5, activation="tanh"), L.Dense(3, activation="softmax")],
         beyond=beyond, **{"optimizer": ADAM, **more})


with_layer("layer_relu", ["ReLU layer"], lambda L: L.ReLU())
with_layer("layer_relu_max", ["ReLU max_value"], lambda L: L.ReLU(max_value=0.7))
with_layer("layer_relu_slope", ["ReLU negative_slope"], lambda L: L.ReLU(negative_slope=0.1))
with_layer("layer_relu_all", ["ReLU max_value negative_slope threshold"],
           lambda L: L.ReLU(max_value=1.0, negative_slope=0.2, threshold=0.3))
with_layer("layer_relu_threshold", ["ReLU threshold"], lambda L: L.ReLU(threshold=0.4))
with_layer("layer_leaky_relu", ["LeakyReLU"], lambda L: L.LeakyReLU())
with_layer("layer_leaky_relu_slope", ["LeakyReLU negative_slope"], lambda L: L.LeakyReLU(negative_slope=0.05))
with_layer("layer_elu_alpha", ["ELU alpha"], lambda L: L.ELU(alpha=0.4))
with_layer("layer_softmax", ["Softmax layer"], lambda L: L.Softmax())
with_layer("layer_prelu", ["PReLU"], lambda L: L.PReLU())
with_layer("layer_prelu_sgd", ["PReLU alpha_regularizer alpha_constraint alpha_initializer"], lambda L: L.PReLU(
    alpha_initializer="he_normal", alpha_regularizer="l2", alpha_constraint="non_neg"), optimizer=SGD)
case("B", "layer_prelu_shared_axes", ["PReLU shared_axes"], lambda L: [
    L.Dense(5), L.PReLU(shared_axes=[1]), L.Flatten(), L.Dense(3, activation="softmax")], x="x4x2", y="y4x2", optimizer=NADAM)
case("B", "layer_prelu_shared_all", ["PReLU shared_axes, two of two"], lambda L: [
    L.Dense(5), L.PReLU(shared_axes=[1, 2]), L.Flatten(), L.Dense(3, activation="softmax")], x="x4x2", y="y4x2")
case("B", "layer_softmax_axis", ["Softmax axis"], lambda L: [
    L.Dense(5), L.Softmax(axis=1), L.Flatten(), L.Dense(3, activation="softmax")], x="x4x2", y="y4x2")
case("B", "softmax_layer_at_the_end", ["Softmax layer before the loss"], lambda L: [
    L.Dense(8, activation="elu"), L.Dense(3), L.Softmax()])
case("B", "sigmoid_layer_at_the_end", ["Activation sigmoid before the loss"], lambda L: [
    L.Dense(8, activation="elu"), L.Dense(1), L.Activation("sigmoid")], y="y_binary", loss="binary_crossentropy")

# ---- group B: optimizers -------------------------------------------------------

OPTIMIZERS = {
    "sgd": {"type": "SGD", "learning_rate": 0.05, "momentum": 0.9, "nesterov": True},
    "adagrad": {"type": "Adagrad", "learning_rate": 0.05},
    "rmsprop": {"type": "RMSprop", "learning_rate": 0.01},
    "adam": ADAM,
    "adamw": {"type": "AdamW", "learning_rate": 0.01},
    "adamax": {"type": "Adamax", "learning_rate": 0.02},
    "nadam": NADAM,
    "adadelta": {"type": "Adadelta", "learning_rate": 1.0},
    "lion": {"type": "Lion", "learning_rate": 0.005},
    "ftrl": {"type": "Ftrl", "learning_rate": 0.1},
    "lamb": {"type": "Lamb", "learning_rate": 0.02},
    "muon": {"type": "Muon", "learning_rate": 0.02},
}


def optimizer_case(name, covers, optimizer, **more):
    case("B", f"opt_{name}", covers, mlp("elu"), optimizer=optimizer, epochs=3, **more)


for name, spec in OPTIMIZERS.items():
    if name not in ("sgd", "adam", "nadam"):            # these are in group A
        optimizer_case(name, [spec["type"]], spec)
for name, base, more in [
        ("adagrad_arguments", "adagrad", {"initial_accumulator_value": 0.5, "epsilon": 0.01}),
        ("rmsprop_momentum", "rmsprop", {"momentum": 0.9, "rho": 0.8}),
        ("rmsprop_centered", "rmsprop", {"centered": True, "epsilon": 1e-4}),
        ("rmsprop_centered_momentum", "rmsprop", {"centered": True, "momentum": 0.5, "epsilon": 1e-4}),
        ("adam_amsgrad", "adam", {"amsgrad": True, "beta_2": 0.6}),
        ("adamw_arguments", "adamw", {"weight_decay": 0.1, "amsgrad": True}),
        ("adamax_arguments", "adamax", {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 0.01}),
        ("adadelta_arguments", "adadelta", {"rho": 0.8, "epsilon": 1e-4}),
        ("lion_arguments", "lion", {"beta_1": 0.8, "beta_2": 0.95}),
        ("ftrl_arguments", "ftrl", {"learning_rate_power": -0.7, "initial_accumulator_value": 0.2, "l1_regularization_strength": 0.02,
                                    "l2_regularization_strength": 0.03, "l2_shrinkage_regularization_strength": 0.01, "beta": 0.1}),
        ("lamb_arguments", "lamb", {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 0.001}),
        ("muon_arguments", "muon", {"adam_beta_1": 0.8, "adam_beta_2": 0.95, "adam_weight_decay": 0.1, "weight_decay": 0.05,
                                    "adam_lr_ratio": 0.5, "momentum": 0.9, "ns_steps": 3, "nesterov": False}),
        ("muon_excluded", "muon", {"exclude_layers": ["dense_1"], "muon_a": 3.0, "rms_rate": 0.1}),
]:
    optimizer_case(name, [OPTIMIZERS[base]["type"], *more], {**OPTIMIZERS[base], **more})

EVERY = [("weight_decay", {"weight_decay": 0.05}), ("clipvalue", {"clipvalue": 0.03}), ("clipnorm", {"clipnorm": 0.15}),
         ("global_clipnorm", {"global_clipnorm": 0.3}), ("ema", {"use_ema": True, "ema_momentum": 0.8}),
         ("ema_overwrite", {"use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 5}),
         ("accumulate", {"gradient_accumulation_steps": 5})]
for name, more in EVERY:
    optimizer_case(f"sgd_{name}", ["SGD momentum nesterov", *more], {**OPTIMIZERS["sgd"], **more})
for i, (name, spec) in enumerate(OPTIMIZERS.items()):
    for j in (i, i + 3, i + 5):
        label, more = EVERY[j % len(EVERY)]
        if f"opt_{name}_{label}" not in [c["name"] for c in CASE_LIST]:
            optimizer_case(f"{name}_{label}", [spec["type"], *more], {**spec, **more})
    clip = EVERY[1 + i % 3][1]
    mixed = {"weight_decay": 0.02, **clip, "use_ema": True, "ema_momentum": 0.9, **({"gradient_accumulation_steps": 3} if i % 2 else {})}
    optimizer_case(f"{name}_mixed", [spec["type"], *mixed], {**spec, **mixed})
optimizer_case("adamw_excluding", ["AdamW", "exclude_from_weight_decay (a method in Keras: names are regular expressions)"],
               {**OPTIMIZERS["adamw"], "weight_decay": 0.5, "exclude_from_weight_decay": ["bias"]})
for name, spec in [("sgd", {**SGD, "clipnorm": 0.15}), ("adam_accumulate", {**ADAM, "gradient_accumulation_steps": 2, "clipvalue": 0.03})]:
    optimizer_case(f"{name}_loss_scale", ["loss_scale_factor: cancels, clipping sees the unscaled gradient"],
                   {**spec, "loss_scale_factor": 1000.0})
optimizer_case("ema_validation", ["use_ema", "validation sees the raw weights"],
               {**SGD, "use_ema": True, "ema_momentum": 0.9}, validation={"first": 10})
optimizer_case("accumulate_schedule", ["gradient_accumulation_steps", "the schedule counts batches, the bias correction updates"],
               {"type": "Adam", "gradient_accumulation_steps": 2,
                "learning_rate": {"type": "ExponentialDecay", "initial_learning_rate": 0.05, "decay_steps": 4, "decay_rate": 0.5}})
optimizer_case("accumulate_ema", ["gradient_accumulation_steps", "use_ema: the average moves with every batch"],
               {**ADAM, "gradient_accumulation_steps": 3, "use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 2})
optimizer_case("weight_decay_schedule", ["weight_decay", "schedule"],
               {"type": "AdamW", "weight_decay": 0.3,
                "learning_rate": {"type": "InverseTimeDecay", "initial_learning_rate": 0.05, "decay_steps": 4, "decay_rate": 1.0}})

# ---- group B: schedules and callbacks ------------------------------------------

SCHEDULES = {
    "exponential": {"type": "ExponentialDecay", "initial_learning_rate": 0.05, "decay_steps": 5, "decay_rate": 0.5},
    "exponential_staircase": {"type": "ExponentialDecay", "initial_learning_rate": 0.05, "decay_steps": 4, "decay_rate": 0.5, "staircase": True},
    "inverse_time": {"type": "InverseTimeDecay", "initial_learning_rate": 0.05, "decay_steps": 3, "decay_rate": 0.5},
    "inverse_time_staircase": {"type": "InverseTimeDecay", "initial_learning_rate": 0.05, "decay_steps": 4, "decay_rate": 0.5, "staircase": True},
    "piecewise": {"type": "PiecewiseConstantDecay", "boundaries": [3, 7], "values": [0.05, 0.02, 0.005]},
    "polynomial": {"type": "PolynomialDecay", "initial_learning_rate": 0.05, "decay_steps": 9, "end_learning_rate": 0.002, "power": 2.0},
    "polynomial_cycle": {"type": "PolynomialDecay", "initial_learning_rate": 0.05, "decay_steps": 4, "end_learning_rate": 0.002, "power": 0.5, "cycle": True},
    "cosine": {"type": "CosineDecay", "initial_learning_rate": 0.05, "decay_steps": 9, "alpha": 0.1},
    "cosine_warmup": {"type": "CosineDecay", "initial_learning_rate": 0.0, "decay_steps": 6, "warmup_target": 0.05, "warmup_steps": 4},
    "cosine_restarts": {"type": "CosineDecayRestarts", "initial_learning_rate": 0.05, "first_decay_steps": 3, "t_mul": 1.5, "m_mul": 0.8, "alpha": 0.05},
    "cosine_restarts_even": {"type": "CosineDecayRestarts", "initial_learning_rate": 0.05, "first_decay_steps": 4, "t_mul": 1.0, "m_mul": 0.7},
    "cosine_restarts_default": {"type": "CosineDecayRestarts", "initial_learning_rate": 0.05, "first_decay_steps": 3},
}
for name, schedule in SCHEDULES.items():
    case("B", f"schedule_{name}", [*map(str, schedule.values())][:1] + [k for k in schedule if k not in ("type", "initial_learning_rate")],
         mlp("elu"), epochs=3, optimizer={"type": "SGD", "momentum": 0.9, "nesterov": True, "learning_rate": schedule})
case("B", "schedule_nadam", ["Nadam", "ExponentialDecay"], mlp("elu"), epochs=3, optimizer={"type": "Nadam", "learning_rate": SCHEDULES["exponential"]})

# The validation labels of yv are random: val_loss soon rises, without a rate so high that rounding grows.
FAST = {"type": "SGD", "learning_rate": 0.3, "momentum": 0.5}
RANDOM = {"x": "xv", "y": "yv"}
for name, callbacks, more in [
        ("plateau", {"reduce_lr_on_plateau": {"factor": 0.5, "patience": 1}}, {}),
        ("plateau_cooldown", {"reduce_lr_on_plateau": {"monitor": "loss", "factor": 0.3, "patience": 1, "cooldown": 2, "min_delta": 0.5, "min_lr": 0.05}}, {}),
        ("plateau_accuracy", {"reduce_lr_on_plateau": {"monitor": "val_accuracy", "factor": 0.5, "patience": 2, "min_delta": 0.1}}, {}),
        ("stop", {"early_stopping": {"patience": 1}}, {}),
        ("stop_restore", {"early_stopping": {"monitor": "val_accuracy", "patience": 2, "restore_best_weights": True}}, {}),
        ("stop_arguments", {"early_stopping": {"monitor": "val_loss", "mode": "min", "min_delta": 0.05, "patience": 1, "baseline": 1.05,
                                               "start_from_epoch": 2, "restore_best_weights": True}}, {}),
        ("stop_restore_late", {"early_stopping": {"monitor": "loss", "patience": 20, "restore_best_weights": True}}, {"epochs": 4}),
        ("stop_plateau", {"early_stopping": {"monitor": "val_loss", "patience": 3, "restore_best_weights": True},
                          "reduce_lr_on_plateau": {"monitor": "val_loss", "factor": 0.2, "patience": 1}}, {}),
]:
    case("B", f"callback_{name}", [k for k in callbacks], mlp("tanh"), callbacks=callbacks, validation=RANDOM, optimizer=FAST,
         **{"epochs": 7, **more})
case("B", "callback_stop_ema", ["early_stopping restore_best_weights", "use_ema"], mlp("tanh"), epochs=5, validation=RANDOM,
     optimizer={**FAST, "use_ema": True, "ema_momentum": 0.8},
     callbacks={"early_stopping": {"monitor": "val_loss", "patience": 2, "restore_best_weights": True}})

# ---- group B: losses -------------------------------------------------------------

for name, loss, y, out, last in [
        ("mae", "mae", "y_real", 2, None), ("mape", "mape", "y_positive", 2, "softplus"), ("msle", "msle", "y_positive", 2, "softplus"),
        ("huber", {"type": "Huber"}, "y_real", 2, None), ("huber_delta", {"type": "Huber", "delta": 0.2}, "y_real", 2, None),
        ("log_cosh", "log_cosh", "y_real", 2, None), ("poisson", "poisson", "y_count", 2, "exponential"),
        ("kl_divergence", "kl_divergence", "y_soft", 3, "softmax"), ("kl_onehot", "kl_divergence", "y_onehot", 3, "softmax"),
        ("hinge", "hinge", "y_sign", 1, None), ("hinge_zero_one", "hinge", "y_binary_int", 1, "tanh"),
        ("squared_hinge", "squared_hinge", "y_sign", 1, None), ("squared_hinge_zero_one", "squared_hinge", "y_binary", 1, None),
        ("categorical_hinge", "categorical_hinge", "y_onehot", 3, None),
        ("cosine_similarity", "cosine_similarity", "y_soft", 3, "softplus"),
        ("binary_focal", "binary_focal_crossentropy", "y_binary", 1, "sigmoid"),
        ("binary_focal_balanced", {"type": "BinaryFocalCrossentropy", "apply_class_balancing": True, "alpha": 0.4, "gamma": 1.5}, "y_multilabel", 3, "sigmoid"),
        ("binary_focal_logits", {"type": "BinaryFocalCrossentropy", "from_logits": True, "label_smoothing": 0.1}, "y_binary", 1, None),
        ("categorical_focal", "categorical_focal_crossentropy", "y_onehot", 3, "softmax"),
        ("categorical_focal_logits", {"type": "CategoricalFocalCrossentropy", "from_logits": True, "alpha": 0.5, "gamma": 1.0, "label_smoothing": 0.1}, "y_onehot", 3, None),
        ("scce_ignore_class", {"type": "SparseCategoricalCrossentropy", "ignore_class": -1}, "y_ignore", 3, "softmax"),
        ("scce_ignore_class_logits", {"type": "SparseCategoricalCrossentropy", "ignore_class": -1, "from_logits": True}, "y_ignore", 3, None),
        ("scce_not_normalized", "sparse_categorical_crossentropy", "y", 3, "hard_sigmoid"),
        ("cce_not_normalized", "categorical_crossentropy", "y_onehot", 3, "hard_sigmoid"),
        ("bce_logits_smoothing", {"type": "BinaryCrossentropy", "from_logits": True, "label_smoothing": 0.3}, "y_multilabel", 3, None),
        ("cce_logits_smoothing", {"type": "CategoricalCrossentropy", "from_logits": True, "label_smoothing": 0.2}, "y_onehot", 3, None),
        ("mse_sum", {"type": "MeanSquaredError", "reduction": "sum"}, "y_real", 2, None)]:
    case("B", f"loss_{name}", [loss if isinstance(loss, str) else " ".join([loss["type"], *list(loss)[1:]])], mlp(out=out, last=last),
         y=y, loss=loss, metrics=[], optimizer={"type": "SGD", "learning_rate": 0.02 if name in ("mape", "mse_sum") else 0.1})
for name, loss, y, last in [("crossentropy", "crossentropy", "y", "softmax"), ("dice", "dice", "y_multilabel", "sigmoid"),
                            ("tversky", {"type": "Tversky", "alpha": 0.3, "beta": 0.7}, "y_multilabel", "sigmoid"),
                            ("generalized", {"type": "CategoricalGeneralizedCrossEntropy", "q": 0.7}, "y", "softmax")]:
    case("B", f"loss_{name}", [name], mlp(last=last), y=y, loss=loss, metrics=[], beyond=True)

case("B", "class_weight", ["class_weight", "weighted_metrics"], mlp(), validation={"first": 10},
     train={"class_weight": {"0": 0.5, "1": 2.0}, "weighted_metrics": ["accuracy"]})
case("B", "class_weight_onehot", ["class_weight with one-hot targets"], mlp(), y="y_onehot", loss="categorical_crossentropy",
     train={"class_weight": {"0": 0.5, "1": 1.0, "2": 3.0}}, validation={"fraction": 0.2})
case("B", "class_weight_binary", ["class_weight with binary targets"], mlp(out=1, last="sigmoid"), y="y_binary",
     loss="binary_crossentropy", train={"class_weight": {"0": 0.7, "1": 1.9}})
case("B", "sample_weight", ["sample_weight", "weighted_metrics"], mlp(), sample_weight="w", train={"weighted_metrics": ["accuracy"]})
case("B", "sample_weight_validation", ["sample_weight", "val_loss is weighted too"], mlp(), sample_weight="w", validation={"fraction": 0.3})
case("B", "sample_weight_mse", ["sample_weight", "mean_with_sample_weight"], mlp(out=2, last=None), y="y_real", sample_weight="w",
     loss={"type": "MeanSquaredError", "reduction": "mean_with_sample_weight"}, metrics=["mae"], train={"weighted_metrics": ["mse"]})
case("B", "sample_weight_ignore", ["sample_weight", "ignore_class"], mlp(), y="y_ignore", sample_weight="w", metrics=[],
     loss={"type": "SparseCategoricalCrossentropy", "ignore_class": -1})

# ---- group B: metrics --------------------------------------------------------------

case("B", "metrics_sparse", ["acc", "sparse accuracy", "sparse top-k"], mlp(), validation={"first": 9}, metrics=[
    "acc", "sparse_categorical_accuracy", {"type": "SparseTopKCategoricalAccuracy", "k": 2}, "sparse_categorical_crossentropy"])
case("B", "metrics_onehot", ["categorical accuracy", "top-k", "precision", "recall", "F1", "AUC", "cross-entropy"], mlp(), y="y_onehot",
     loss="categorical_crossentropy", validation={"first": 9}, metrics=[
    "categorical_accuracy", {"type": "TopKCategoricalAccuracy", "k": 2}, "categorical_crossentropy",
    {"type": "Precision"}, {"type": "Recall"}, {"type": "Precision", "thresholds": 0.3, "name": "precision_low"},
    {"type": "Recall", "top_k": 2, "name": "recall_top"}, {"type": "Precision", "class_id": 1, "name": "precision_one"},
    {"type": "F1Score", "average": "macro"}, {"type": "F1Score", "average": "micro", "name": "f1_micro"},
    {"type": "F1Score", "average": "weighted", "name": "f1_weighted"},
    {"type": "FBetaScore", "average": "macro", "beta": 2.0, "threshold": 0.4},
    {"type": "AUC"}, {"type": "AUC", "multi_label": True, "num_labels": 3, "name": "auc_labels"},
    {"type": "CategoricalCrossentropy", "label_smoothing": 0.1, "name": "smoothed"}, "kl_divergence", "categorical_hinge"])
case("B", "metrics_binary", ["binary accuracy", "precision", "recall", "F1", "AUC", "counts"], mlp(out=1, last="sigmoid"), y="y_binary",
     loss="binary_crossentropy", validation={"first": 9}, metrics=[
    "accuracy", {"type": "BinaryAccuracy", "threshold": 0.6}, "binary_crossentropy", "precision", "recall",
    {"type": "F1Score", "average": "micro", "threshold": 0.5}, "auc", {"type": "AUC", "curve": "PR", "name": "auc_pr"},
    {"type": "AUC", "num_thresholds": 11, "summation_method": "minoring", "name": "auc_minoring"},
    {"type": "AUC", "curve": "PR", "summation_method": "majoring", "num_thresholds": 20, "name": "auc_pr_majoring"},
    {"type": "TruePositives"}, {"type": "TrueNegatives"}, {"type": "FalsePositives"}, {"type": "FalseNegatives"},
    "hinge", "squared_hinge", "poisson"])
case("B", "metrics_binary_logits", ["AUC from_logits", "BinaryCrossentropy from_logits", "precision on logits: thresholds=0.0"],
     mlp(out=1, last=None), y="y_binary", loss={"type": "BinaryCrossentropy", "from_logits": True}, metrics=[
    {"type": "AUC", "from_logits": True}, {"type": "BinaryCrossentropy", "from_logits": True},
    {"type": "BinaryAccuracy", "threshold": 0.0}])
case("B", "metrics_regression", ["mse", "mae", "mape", "msle", "RMSE", "R2", "cosine similarity", "log-cosh"], mlp(out=2, last="softplus"),
     y="y_positive", loss="mse", validation={"first": 9}, metrics=[
    "mse", "mae", "mape", "msle", "mean_squared_error", {"type": "RootMeanSquaredError"}, "r2_score",
    {"type": "R2Score", "class_aggregation": "variance_weighted_average", "name": "r2_weighted"},
    {"type": "CosineSimilarity"}, {"type": "LogCoshError"}, "poisson"])
case("B", "metrics_weighted", ["weighted_metrics of every kind"], mlp(out=1, last="sigmoid"), y="y_binary", sample_weight="w",
     loss="binary_crossentropy", metrics=["accuracy"], train={"weighted_metrics": [
    "accuracy", "mse", "precision", "recall", "auc", {"type": "F1Score", "average": "micro", "threshold": 0.5}, "r2_score"]})
case("B", "metrics_correlation", ["PearsonCorrelation", "ConcordanceCorrelation"], mlp(out=2, last=None), y="y_real", loss="mse", beyond=True,
     metrics=[{"type": "PearsonCorrelation", "axis": 0}, {"type": "ConcordanceCorrelation", "axis": 0}])
case("B", "metrics_operating_points", ["PrecisionAtRecall", "RecallAtPrecision", "SensitivityAtSpecificity", "SpecificityAtSensitivity"],
     mlp(out=1, last="sigmoid"), y="y_binary", loss="binary_crossentropy", beyond=True, metrics=[
    {"type": "PrecisionAtRecall", "recall": 0.6}, {"type": "RecallAtPrecision", "precision": 0.6},
    {"type": "SensitivityAtSpecificity", "specificity": 0.6}, {"type": "SpecificityAtSensitivity", "sensitivity": 0.6}])

# ---- group B: regularizers, constraints, normalization ------------------------------

import importlib
R = lambda name, **a: getattr(importlib.import_module("keras").regularizers, name)(**a)
K = lambda name, **a: getattr(importlib.import_module("keras").constraints, name)(**a)


def with_rule(name, covers, rules, **more):
    case("B", name, covers, lambda L: [L.Dense(8, activation="tanh", **rules()), L.Dense(5, activation="elu"),
                                       L.Dense(3, activation="softmax")], **more)


with_rule("reg_l1", ["L1 kernel"], lambda: {"kernel_regularizer": R("L1", l1=0.02)})
with_rule("reg_l2", ["L2 kernel"], lambda: {"kernel_regularizer": R("L2", l2=0.05)}, validation={"first": 10})
with_rule("reg_alias", ["l2 as a string", "Nadam"], lambda: {"kernel_regularizer": "l2", "bias_regularizer": "l1"}, optimizer=NADAM)
with_rule("reg_l1l2", ["L1L2 kernel and bias"], lambda: {"kernel_regularizer": R("L1L2", l1=0.01, l2=0.02), "bias_regularizer": R("L2", l2=0.1)})
with_rule("reg_orthogonal_rows", ["OrthogonalRegularizer rows"], lambda: {"kernel_regularizer": R("OrthogonalRegularizer", factor=0.3)})
with_rule("reg_orthogonal_columns", ["OrthogonalRegularizer columns"], lambda: {"kernel_regularizer": R("OrthogonalRegularizer", factor=0.3, mode="columns")})
with_rule("reg_activity_l1", ["L1 activity"], lambda: {"activity_regularizer": R("L1", l1=0.02)}, validation={"first": 10})
with_rule("reg_activity_l2", ["L2 activity"], lambda: {"activity_regularizer": R("L2", l2=0.03)}, optimizer=ADAM)
with_rule("reg_activity_orthogonal", ["OrthogonalRegularizer activity, columns (rows need a known batch size)"], lambda: {
    "activity_regularizer": R("OrthogonalRegularizer", factor=0.5, mode="columns")})
with_rule("reg_all", ["kernel, bias and activity at once"], lambda: {
    "kernel_regularizer": R("L2", l2=0.01), "bias_regularizer": R("L1", l1=0.02), "activity_regularizer": R("L1L2", l1=0.01, l2=0.01)})
with_rule("reg_frozen", ["a frozen layer's penalty is not in the loss"], lambda: {"kernel_regularizer": R("L2", l2=0.05)}, trainable={"dense": False})
case("B", "reg_bn", ["gamma_regularizer", "beta_regularizer", "gamma_constraint", "ActivityRegularization layer"], lambda L: [
    L.Dense(8, activation="elu"), L.BatchNormalization(gamma_regularizer="l2", beta_regularizer="l1", gamma_constraint="non_neg"),
    L.ActivityRegularization(l1=0.01, l2=0.02), L.Dense(3, activation="softmax")])

with_rule("con_max_norm", ["MaxNorm"], lambda: {"kernel_constraint": K("MaxNorm", max_value=0.8)})
with_rule("con_max_norm_axis", ["MaxNorm axis=1", "NonNeg bias", "Adam"], lambda: {
    "kernel_constraint": K("MaxNorm", max_value=0.9, axis=1), "bias_constraint": K("NonNeg")}, optimizer=ADAM)
with_rule("con_max_norm_axes", ["MaxNorm axis=[0, 1]"], lambda: {"kernel_constraint": K("MaxNorm", max_value=1.5, axis=[0, 1])})
with_rule("con_unit_norm", ["UnitNorm"], lambda: {"kernel_constraint": K("UnitNorm")})
with_rule("con_non_neg", ["NonNeg"], lambda: {"kernel_constraint": "non_neg"})
with_rule("con_min_max_norm", ["MinMaxNorm"], lambda: {"kernel_constraint": K("MinMaxNorm", min_value=0.9, max_value=1.0)})
with_rule("con_min_max_norm_rate", ["MinMaxNorm rate", "MaxNorm bias"], lambda: {
    "kernel_constraint": K("MinMaxNorm", min_value=0.5, max_value=0.8, rate=0.3, axis=1), "bias_constraint": K("MaxNorm", max_value=0.1)})
with_rule("con_ema", ["constraint after the moving average"], lambda: {"kernel_constraint": K("MaxNorm", max_value=0.8)},
          optimizer={**SGD, "use_ema": True, "ema_momentum": 0.7, "weight_decay": 0.1})
with_rule("con_accumulate", ["constraint with gradient accumulation"], lambda: {"kernel_constraint": K("UnitNorm")},
          optimizer={**SGD, "gradient_accumulation_steps": 3})

with_layer("ln", ["LayerNormalization"], lambda L: L.LayerNormalization())
with_layer("ln_epsilon", ["LayerNormalization epsilon"], lambda L: L.LayerNormalization(epsilon=0.1), optimizer=SGD)
with_layer("ln_bare", ["LayerNormalization center=false scale=false"], lambda L: L.LayerNormalization(center=False, scale=False))
with_layer("ln_no_scale", ["LayerNormalization scale=false", "beta_regularizer"], lambda L: L.LayerNormalization(scale=False, beta_regularizer="l2"))
for name, axis in (("ln_axes", [1, 2]), ("ln_axis_1", 1), ("ln_rank_3", -1)):
    case("B", name, [f"LayerNormalization axis={axis} on rank 3"], lambda L, axis=axis: [
        L.Dense(5, use_bias=axis != 1), L.LayerNormalization(axis=axis), L.Activation("elu"), L.Flatten(), L.Dense(3, activation="softmax")],
        x="x4x2", y="y4x2", optimizer=NADAM)


def normalization(x="x_offset", **arguments):
    layer = importlib.import_module("keras").layers.Normalization(**arguments)
    if "mean" not in arguments:
        layer.adapt(ARRAYS[x])
    return layer


case("B", "normalization", ["Normalization, adapted"], lambda L: [normalization(), *mlp()(L)], x="x_offset")
case("B", "normalization_scalar", ["Normalization axis=None"], lambda L: [normalization(axis=None), *mlp()(L)], x="x_offset")
case("B", "normalization_given", ["Normalization mean variance"], lambda L: [
    normalization(mean=[0.0, 20.0, -1.0, 4.0, 100.0, 0.0], variance=[1.0, 25.0, 0.04, 9.0, 100.0, 1.0]), *mlp()(L)], x="x_offset")
case("B", "normalization_rank_3", ["Normalization axis=1 on rank 3"], lambda L: [normalization("x4x2", axis=1), L.Flatten(), *mlp()(L)],
     x="x4x2", y="y4x2")
case("B", "normalization_invert", ["Normalization invert"], lambda L: [normalization("x", invert=True), *mlp()(L)])
case("B", "bn_axis_1", ["BatchNormalization axis=1 on rank 3"], lambda L: [
    L.BatchNormalization(axis=1), L.Dense(5, activation="elu"), L.BatchNormalization(axis=1), L.Flatten(), L.Dense(3, activation="softmax")],
    x="x4x2", y="y4x2", epochs=3)
case("B", "bn_rank_3", ["BatchNormalization axis=-1 on rank 3"], lambda L: [
    L.Dense(5, activation="elu"), L.BatchNormalization(), L.Flatten(), L.Dense(3, activation="softmax")],
    x="x4x2", y="y4x2", epochs=3, optimizer=ADAM)
case("B", "bn_axes", ["BatchNormalization axis=[1, 2]: Keras 3 has no list of axes, so this model flattens, normalizes and reshapes, which is the same"],
     lambda L: [L.Reshape((8,)), L.BatchNormalization(momentum=0.9), L.Reshape((4, 2)), L.Dense(5, activation="elu"), L.Flatten(),
                L.Dense(3, activation="softmax")], x="x4x2", y="y4x2", epochs=3)
case("B", "bn_bias_before", ["BatchNormalization after a linear layer with bias, SGD"], lambda L: [
    L.Dense(8), L.BatchNormalization(), L.Activation("relu"), L.Dense(3, activation="softmax")])
case("B", "bn_accumulate", ["BatchNormalization with gradient accumulation"], lambda L: [
    L.Dense(8, activation="elu"), L.BatchNormalization(momentum=0.8), L.Dense(3, activation="softmax")],
    optimizer={"type": "SGD", "learning_rate": 0.1, "momentum": 0.5, "gradient_accumulation_steps": 3})
case("B", "bn_frozen_all", ["trainable * = false but the last"], lambda L: [
    L.Dense(8, activation="elu"), L.BatchNormalization(), L.Dense(5, activation="elu"), L.BatchNormalization(), L.Dense(3, activation="softmax")],
    trainable={"*": False, "dense_2": True, "batch_normalization_1": True}, optimizer=NADAM, epochs=3)

# ---- group B: combinations ------------------------------------------------------------

def combinations(count):
    rng = np.random.default_rng(11)
    one = lambda options: options[int(rng.integers(len(options)))]
    chance = lambda p: rng.random() < p
    tasks = [(SCCE, "y", 3, "softmax", ["accuracy"]), ("categorical_crossentropy", "y_onehot", 3, "softmax", ["accuracy", "mse"]),
             ({"type": "CategoricalCrossentropy", "label_smoothing": 0.1}, "y_onehot", 3, "softmax", ["accuracy"]),
             ({"type": "SparseCategoricalCrossentropy", "from_logits": True}, "y", 3, None, ["accuracy"]),
             ("binary_crossentropy", "y_binary", 1, "sigmoid", ["accuracy", "auc"]), ("mse", "y_real", 2, None, ["mae"]),
             ({"type": "Huber", "delta": 0.5}, "y_real", 2, None, ["mae", "r2_score"]), ("mae", "y_real", 2, None, [])]
    for number in range(count):
        loss, y, out, last, metrics = one(tasks)
        hidden = []
        for _ in range(int(rng.integers(1, 4))):
            act = one(["elu", "selu", "relu", "tanh", "gelu", "silu", "mish", "softplus", "softsign", "hard_silu", "celu", "leaky_relu"])
            arguments = {}
            if chance(0.3):
                arguments["kernel_regularizer"] = one([("L2", {"l2": 0.01}), ("L1", {"l1": 0.005}), ("L1L2", {"l1": 0.002, "l2": 0.01}),
                                                       ("OrthogonalRegularizer", {"factor": 0.1})])
            if chance(0.2):
                arguments["bias_regularizer"] = ("L2", {"l2": 0.02})
            if chance(0.2):
                arguments["activity_regularizer"] = ("L2", {"l2": 0.01})
            if chance(0.25):
                arguments["kernel_constraint"] = one([("MaxNorm", {"max_value": 1.0}), ("UnitNorm", {}),
                                                      ("MinMaxNorm", {"min_value": 0.3, "max_value": 1.0, "rate": 0.8})])
            hidden.append((int(rng.integers(4, 9)), act, arguments, one([None, None, "BatchNormalization", "LayerNormalization", "PReLU"])))
        name, spec = one(list(OPTIMIZERS.items()))
        spec = dict(spec)
        if chance(0.5):
            spec["weight_decay"] = float(one([0.001, 0.02]))
        if chance(0.5):
            spec.update(one([{"clipvalue": 0.05}, {"clipnorm": 0.2}, {"global_clipnorm": 0.4}]))
        if chance(0.3):
            spec.update({"use_ema": True, "ema_momentum": 0.85})
        if chance(0.25):
            spec["gradient_accumulation_steps"] = int(one([2, 3]))
        callbacks = {}
        if chance(0.4):
            schedule = dict(one(list(SCHEDULES.values())))
            scale = spec["learning_rate"] / 0.05
            for k in ("initial_learning_rate", "end_learning_rate", "warmup_target"):
                if k in schedule:
                    schedule[k] = float(f"{schedule[k] * scale:.4g}")
            if "values" in schedule:
                schedule["values"] = [float(f"{v * scale:.4g}") for v in schedule["values"]]
            spec["learning_rate"] = schedule
        elif chance(0.3):
            callbacks = {"reduce_lr_on_plateau": {"monitor": "loss", "factor": 0.5, "patience": 1, "min_delta": 0.05}}
        def layers(L, hidden=tuple(hidden), out=out, last=last):
            made = []
            for units, act, arguments, extra in hidden:
                rules = {k: (K if "constraint" in k else R)(v[0], **v[1]) for k, v in arguments.items()}
                made.append(L.Dense(units, activation=act, **rules))
                if extra:
                    made.append(getattr(L, extra)())
            return [*made, L.Dense(out, activation=last)]
        covers = [name, *(k for k in spec if k not in ("type",)), loss if isinstance(loss, str) else loss["type"],
                  *(h[1] for h in hidden), *(h[3] for h in hidden if h[3]), *(v[0] for h in hidden for v in h[2].values())]
        case("B", f"mix_{number:02d}_{name}", covers, layers, y=y, loss=loss, metrics=metrics, optimizer=spec, callbacks=callbacks,
             epochs=int(rng.integers(2, 4)), batch_size=int(one([7, 12, 16])),
             validation=one([None, None, {"first": 9}, {"fraction": 0.2}]),
             trainable={"dense": False} if len(hidden) > 1 and chance(0.25) else None)


combinations(20)


# Ranges of one number: nothing is left to chance. No layer is trained through them: TensorFlow's gradient of a warped image
# is the image warped back, which is not the derivative.
def augmented(L):
    often = [0.2, 0.2]
    return [L.Reshape((4, 2, 1)), L.RandomTranslation(often, [-0.3, -0.3]), L.RandomRotation([0.07, 0.07]),
            L.RandomZoom([-0.3, -0.3], often, fill_mode="constant", fill_value=0.5, interpolation="bilinear"),
            L.RandomZoom(often, fill_mode="nearest"), L.RandomContrast(0.0, value_range=(-2.0, 2.0)),
            L.RandomBrightness([0.1, 0.1], value_range=(-2.0, 2.0)), L.RandomErasing(0.0), L.Flatten(),
            L.Dense(8, activation="tanh"), L.Dense(3, activation="softmax")]


case("B", "augmentation", ["RandomTranslation", "RandomRotation", "RandomZoom", "RandomContrast", "RandomBrightness",
                           "RandomErasing"], augmented, x="x4x2", y="y4x2", validation={"first": 10})
# What is turned over is a single pixel: it stays where it is.
case("B", "augmentation_flip", ["RandomFlip: all modes"], lambda L: [
    L.Dense(6, activation="tanh"), L.Reshape((1, 1, 6)), L.RandomFlip(), L.RandomFlip("horizontal", seed=3), L.RandomFlip("vertical"), L.Flatten(),
    L.Dense(3, activation="softmax")])

# A trained layer is before them: gradients go back through all of it. What is cropped at random has that size already:
# otherwise Keras 3.15 cannot predict. Bicubic is no case: TensorFlow's is an approximation.
case("B", "image_sizes", ["CenterCrop: smaller, larger", "RandomCrop: of the same size",
                          "Resizing: bilinear, nearest, Lanczos, cropped, padded, smooth"], lambda L: [
    L.Dense(24, activation="tanh"), L.Reshape((4, 6, 1)), L.Resizing(7, 5), L.CenterCrop(6, 4), L.CenterCrop(5, 8),
    L.Resizing(4, 9, interpolation="nearest"), L.Resizing(5, 5, crop_to_aspect_ratio=True),
    L.Resizing(9, 4, pad_to_aspect_ratio=True, fill_value=0.3), L.Resizing(7, 7, interpolation="lanczos3"),
    L.RandomCrop(7, 7, seed=3), L.Resizing(4, 3, antialias=True), L.Flatten(), L.Dense(3, activation="softmax")])

# ---- group C: functional models ------------------------------------------------------

def functional(name, covers, make, **more):
    """make(L, x): the output made of the input; with several inputs x is a dict of them."""
    inputs = more.get("x", "x")
    def model():
        import keras
        shape = lambda n: ARRAYS[n].shape[1:]
        dtype = lambda n: {"U": "string", "i": "int64"}.get(ARRAYS[n].dtype.kind, "float32")
        x = ({k: keras.Input(shape(v), name=k, dtype=dtype(v)) for k, v in inputs.items()} if isinstance(inputs, dict) else keras.Input(shape(inputs), dtype=dtype(inputs)))
        return keras.Model(list(x.values()) if isinstance(inputs, dict) else x, make(keras.layers, x))
    case(more.pop("group", "C"), name, covers, model=model, **{"optimizer": ADAM, **more})


def chain(value, *layers):
    for layer in layers:
        value = layer(value)
    return value


def merged(kind, **arguments):
    return lambda L, x: L.Dense(3, activation="softmax")(getattr(L, kind)(**arguments)(
        [L.Dense(7, activation="tanh")(x), L.Dense(7, activation="elu")(x)]))


for kind in ("Add", "Multiply", "Average", "Subtract", "Maximum", "Minimum", "Concatenate"):
    functional(f"fn_{kind.lower()}", ["functional", kind], merged(kind), beyond=kind == "Minimum")
functional("fn_three_ways", ["functional", "Average, Add and Maximum of three"], lambda L, x: L.Dense(3, activation="softmax")(
    L.Concatenate()([getattr(L, kind)()([L.Dense(4, activation=a)(x) for a in ("tanh", "elu", "sigmoid")]) for kind in ("Average", "Add", "Maximum", "Multiply")])))
functional("fn_concatenate_axis", ["functional", "Concatenate axis=1 on rank 3"], lambda L, x: chain(
    L.Concatenate(axis=1)([L.Dense(3, activation="tanh")(x), L.Dense(3, activation="elu")(x), L.Dense(3)(x)]),
    L.Flatten(), L.Dense(3, activation="softmax")), x="x4x2", y="y4x2")
functional("fn_broadcast", ["functional", "Add and Multiply of (n, 4, 3) with (n, 1, 3)"], lambda L, x: chain(
    L.Multiply()([L.Add()([L.Dense(3, activation="tanh")(x), L.Reshape((1, 3))(L.Dense(3)(L.Flatten()(x)))]),
                  L.Reshape((4, 1))(L.Dense(4, activation="sigmoid")(L.Flatten()(x)))]),
    L.Flatten(), L.Dense(3, activation="softmax")), x="x4x2", y="y4x2")
functional("fn_dot", ["functional", "Dot axes=1"], lambda L, x: L.Dot(axes=1)([L.Dense(5, activation="tanh")(x), L.Dense(5)(x)]),
           y="y_real1", loss="mse", metrics=["mae"])
functional("fn_dot_normalize", ["functional", "Dot normalize"], lambda L, x: L.Dense(1, activation="sigmoid")(
    L.Dot(axes=-1, normalize=True)([L.Dense(5, activation="tanh")(x), L.Dense(5)(x)])), y="y_binary", loss="binary_crossentropy")
functional("fn_dot_rank_3", ["functional", "Dot axes=(2, 2) and (1, 1) on rank 3"], lambda L, x: L.Dense(3, activation="softmax")(L.Concatenate()([
    L.Flatten()(L.Dot(axes=(2, 2))([L.Dense(3, activation="tanh")(x), L.Dense(3)(x)])),
    L.Flatten()(L.Dot(axes=1)([L.Dense(2, activation="tanh")(x), L.Dense(3)(x)]))])), x="x4x2", y="y4x2")
functional("fn_reshape", ["functional", "Reshape"], lambda L, x: chain(
    x, L.Reshape((3, 2)), L.Dense(4, activation="elu"), L.Reshape((-1,)), L.Reshape((2, -1)), L.Dense(3, activation="tanh"), L.Flatten(),
    L.Dense(3, activation="softmax")))
functional("fn_residual", ["functional", "residual blocks", "BatchNormalization", "Nadam", "validation"], lambda L, x: (
    lambda block: L.Dense(3, activation="softmax")(block(block(L.Dense(6, activation="elu")(x)))))(
    lambda v: L.Activation("elu")(L.Add()([v, chain(v, L.Dense(6, activation="elu"), L.BatchNormalization(), L.Dense(6, kernel_regularizer="l2"))]))),
    optimizer=NADAM, validation={"first": 10}, epochs=3)
functional("fn_wide_deep", ["functional", "Wide & Deep"], lambda L, x: L.Dense(2)(L.Concatenate()([x, chain(
    x, L.Dense(8, activation="relu"), L.Dense(5, activation="relu"))])), y="y_real", loss="mse", metrics=["mae"], optimizer={**SGD, "momentum": 0.9})
functional("fn_shared", ["functional", "one Dense used on two values"], lambda L, x: (lambda shared: L.Dense(3, activation="softmax")(
    L.Concatenate()([shared(L.Dense(5, activation="tanh")(x)), shared(L.Dense(5, activation="elu")(x))])))(L.Dense(4, activation="tanh")))
functional("fn_shared_in_series", ["functional", "one Dense used three times in a row", "MaxNorm", "L2: its penalty counts once"], lambda L, x: (
    lambda shared: L.Dense(3, activation="softmax")(shared(shared(shared(L.Dense(5, activation="tanh")(x))))))(
    L.Dense(5, activation="elu", kernel_regularizer=R("L2", l2=0.02), kernel_constraint=K("MaxNorm", max_value=1.0))), optimizer={**SGD, "momentum": 0.9})
functional("fn_shared_bn", ["functional", "one BatchNormalization used twice: two updates of its statistics a step"],
           lambda L, x: (lambda norm, dense: L.Dense(3, activation="softmax")(L.Add()([norm(dense(x)), norm(dense(L.Dense(6, activation="tanh")(x)))])))(
           L.BatchNormalization(momentum=0.8), L.Dense(5, activation="elu")), optimizer=SGD)
functional("fn_shared_activity", ["functional", "activity_regularizer of a shared layer counts twice"],
           lambda L, x: (lambda dense: L.Dense(3, activation="softmax")(L.Add()([dense(x), dense(L.Dense(6, activation="tanh")(x))])))(
           L.Dense(5, activation="elu", activity_regularizer=R("L2", l2=0.02))), alone="JAX counts a shared layer's activity once, TensorFlow each use")
functional("fn_two_inputs", ["functional", "two inputs"], lambda L, x: L.Dense(3, activation="softmax")(L.Concatenate()([
    L.Dense(6, activation="elu")(x["left"]), L.Dense(4, activation="tanh")(x["right"])])), x={"left": "x", "right": "x_right"}, validation={"fraction": 0.2})
functional("fn_two_outputs", ["functional", "two outputs", "loss_weights", "metrics by output"], lambda L, x: (lambda v: [
    L.Dense(3, activation="softmax", name="kind")(v), L.Dense(2, name="size")(L.Dense(4, activation="tanh", kernel_regularizer="l2")(v))])(
    L.Dense(8, activation="elu")(x)), y={"kind": "y", "size": "y_real"}, loss={"kind": SCCE, "size": "mse"},
    metrics={"kind": ["accuracy"], "size": ["mae", "mse"]}, train={"loss_weights": {"kind": 1.0, "size": 0.3}}, validation={"first": 10})
functional("fn_two_by_two", ["functional", "two inputs", "two outputs", "an auxiliary output on the deep branch"], lambda L, x: (lambda deep: [
    L.Dense(1, activation="sigmoid", name="main")(L.Concatenate()([x["left"], deep])), L.Dense(1, activation="sigmoid", name="aux")(deep)])(
    L.Dense(5, activation="elu")(L.Dense(6, activation="elu")(x["right"]))), x={"left": "x", "right": "x_right"},
    y={"main": "y_binary", "aux": "y_binary"}, loss={"main": "binary_crossentropy", "aux": "binary_crossentropy"},
    metrics={"main": ["accuracy"], "aux": ["accuracy", "auc"]}, train={"loss_weights": {"main": 0.9, "aux": 0.1}}, optimizer=NADAM)
functional("fn_siamese", ["functional", "a Sequential encoder shared by two inputs"], lambda L, x: (lambda encoder: L.Dense(1, activation="sigmoid")(
    L.Multiply()([encoder(x["left"]), encoder(x["right"])])))(importlib.import_module("keras").Sequential(
    [L.Dense(6, activation="elu"), L.Dense(4, activation="tanh")], name="encoder")), x={"left": "x", "right": "x_offset"}, y="y_binary", loss="binary_crossentropy")
functional("fn_nested", ["functional", "a frozen Sequential inside"], lambda L, x: L.Dense(3, activation="softmax")(L.Add()([
    importlib.import_module("keras").Sequential([L.Dense(6, activation="elu"), L.BatchNormalization(), L.Dense(5, activation="elu")], name="base")(x),
    L.Dense(5)(x)])), trainable={"base": False})

# ---- group C: files that Keras has trained before; [train] leaves out what the file brings ---------

def continued(name, covers, layers, epochs=1, **more):
    case("C", f"continue_{name}", ["goes on from a trained file", *covers], layers, pretrain=epochs, **more)


for name, spec in OPTIMIZERS.items():
    continued(name, [spec["type"]], mlp("elu"), optimizer=spec)
continued("sgd_plain", ["SGD without slots"], mlp("elu"), optimizer=SGD)
continued("adam_amsgrad", ["Adam amsgrad", "use_ema"], mlp("elu"), optimizer={**ADAM, "amsgrad": True, "use_ema": True, "ema_momentum": 0.8})
continued("rmsprop_centered", ["RMSprop centered momentum", "weight_decay"], mlp("elu"),
          optimizer={**OPTIMIZERS["rmsprop"], "centered": True, "momentum": 0.5, "epsilon": 1e-4, "weight_decay": 0.02})
continued("schedule", ["the schedule goes on from the saved iteration", "clipnorm"], mlp("elu"),
          optimizer={"type": "Nadam", "clipnorm": 0.5, "learning_rate": SCHEDULES["cosine_warmup"]})
continued("accumulate", ["gradient_accumulation_steps: what was accumulated is used"], mlp("elu"), optimizer={**NADAM, "gradient_accumulation_steps": 3})
continued("frozen_bn", ["BatchNormalization frozen in the file", "regularizers", "constraints"], lambda L: [
    L.Dense(8, activation="elu", trainable=False), L.BatchNormalization(), L.Dense(5, activation="elu", kernel_regularizer="l2", kernel_constraint="max_norm"),
    L.BatchNormalization(trainable=False), L.Dense(3, activation="softmax")], optimizer=NADAM)
continued("initial_epoch", ["initial_epoch", "loss and metrics with arguments from the file", "validation"], mlp("elu", last=None), y="y_onehot", epochs=2,
          loss={"type": "CategoricalCrossentropy", "from_logits": True, "label_smoothing": 0.1}, metrics=["accuracy", {"type": "TopKCategoricalAccuracy", "k": 2}],
          train={"initial_epoch": 2, "epochs": 4}, validation={"fraction": 0.2}, optimizer={"type": "AdamW", "learning_rate": 0.01})
continued("new_head", ["fine-tuning: the file's layers frozen but the last, a new optimizer and rate"], mlp("elu"), optimizer=SGD,
          trainable={"*": False, "dense_2": True}, train={"optimizer": ADAM})


# ---- group D: raw rows in, as tables have them ----------------------------------------

def raw(name, covers, make, **more):
    texts = any(ARRAYS[n].dtype.kind == "U" for n in more["x"].values())
    functional(f"raw_{name}", covers, make, group="D", **{**({"alone": "texts are TensorFlow's alone"} if texts else {}), **more})


def head(L, *parts):
    flat = [p if len(p.shape) == 2 else L.Flatten()(p) for p in parts]
    return L.Dense(3, activation="softmax")(L.Dense(6, activation="elu")(L.Concatenate()(flat) if len(flat) > 1 else flat[0]))


def filled(L, x):
    from keras import ops
    scaled = L.Normalization(mean=[0.1, 2.0, -1.0, 4.0], variance=[1.1, 24.0, 0.05, 9.0])(x["x_gaps"])
    return head(L, ops.nan_to_num(scaled, nan=0.0), ops.cast(ops.isnan(x["x_gaps"]), "float32"))


raw("gaps", ["ops.nan_to_num, ops.isnan and ops.cast as layers", "NaN in x"], filled, x={"x_gaps": "x_gaps"})
raw("nan_to_num", ["ops.nan_to_num behind weights: its gradient"], lambda L, x: head(L, importlib.import_module("keras").ops.nan_to_num(
    L.Dense(5, activation="tanh")(x["x"]), nan=0.5, posinf=3.0, neginf=-3.0)), x={"x": "x"})
raw("string_lookup", ["StringLookup one_hot, int", "Embedding of a text"], lambda L, x: head(L, x["x"],
    L.StringLookup(vocabulary=["Graz", "Bern", "Zürich"], output_mode="one_hot")(x["town"]),
    L.Embedding(5, 2, embeddings_regularizer=R("L2", l2=0.01))(L.StringLookup(vocabulary=["Linz", "Graz", "Bern"], mask_token="")(x["town"]))), x={"x": "x", "town": "town"})
raw("string_lookup_rows", ["StringLookup multi_hot, count, mask_token, pad_to_max_tokens"], lambda L, x: head(L,
    L.StringLookup(vocabulary=["Graz", "Bern"], output_mode="multi_hot", max_tokens=6, pad_to_max_tokens=True)(x["towns"]),
    L.StringLookup(vocabulary=["Graz", "Bern", "Aarau"], output_mode="count", mask_token="")(x["towns"])), x={"towns": "towns"})
raw("embedding", ["Embedding shared by two inputs", "embeddings_regularizer, embeddings_constraint"], lambda L, x: (lambda shared: head(L,
    shared(x["kind"]), shared(x["kinds"])))(L.Embedding(7, 3, embeddings_regularizer=R("L2", l2=0.02), embeddings_constraint=K("MaxNorm", max_value=0.6))),
    x={"kind": "kind", "kinds": "kinds"})


def adapted(layer, data):
    layer.adapt(data)
    return layer


raw("string_lookup_buckets", ["StringLookup num_oov_indices 3 with mask_token, without and with salt"], lambda L, x: head(L,
    L.Embedding(7, 2)(L.StringLookup(vocabulary=["Graz", "Bern"], num_oov_indices=3, mask_token="")(x["towns"])),
    L.StringLookup(vocabulary=["Graz"], num_oov_indices=3, salt=[5, 9], output_mode="count")(x["towns"])), x={"towns": "towns"}, optimizer={**SGD, "momentum": 0.9})
raw("learned_lookup", ["StringLookup and IntegerLookup with vocabularies that Keras has learned: in the file's assets"], lambda L, x: head(L,
    adapted(L.StringLookup(output_mode="one_hot"), np.where(ARRAYS["town"] == "", "Wien", ARRAYS["town"]))(x["town"]),
    L.Embedding(9, 2)(adapted(L.StringLookup(mask_token="", max_tokens=5, num_oov_indices=2), ARRAYS["town"])(x["town"])),
    adapted(L.IntegerLookup(output_mode="one_hot", max_tokens=5), ARRAYS["kinds"])(x["kinds"])), x={"town": "town", "kinds": "kinds"}, optimizer={**SGD, "momentum": 0.9})
raw("integer_lookup", ["IntegerLookup one_hot, int, mask_token, num_oov_indices, oov_method, salt"], lambda L, x: head(L,
    L.IntegerLookup(vocabulary=[3, 5, 1], output_mode="one_hot")(x["kind"]),
    L.Embedding(5, 2)(L.IntegerLookup(vocabulary=[4, 2], num_oov_indices=2, mask_token=0)(x["kinds"])),
    L.IntegerLookup(vocabulary=[6, 0], num_oov_indices=3, oov_method="farmhash", output_mode="count")(x["kinds"]),
    L.IntegerLookup(vocabulary=[6], num_oov_indices=4, oov_method="farmhash", salt=7, output_mode="multi_hot", max_tokens=8, pad_to_max_tokens=True)(x["kinds"])),
    x={"kind": "kind", "kinds": "kinds"}, alone="JAX cannot trace IntegerLookup", optimizer={**SGD, "momentum": 0.9})
raw("hashing", ["Hashing of whole numbers: int, one_hot, count, mask_value, salt"], lambda L, x: head(L,
    L.Hashing(num_bins=4, output_mode="one_hot")(x["kind"]), L.Embedding(5, 2)(L.Hashing(num_bins=5)(x["kinds"])),
    L.Hashing(num_bins=4, mask_value=2, salt=133, output_mode="multi_hot")(x["kinds"]),
    L.Hashing(num_bins=3, salt=[1, 2], output_mode="count")(x["kinds"])), x={"kind": "kind", "kinds": "kinds"}, alone="JAX cannot trace Hashing", optimizer={**SGD, "momentum": 0.9})
raw("hashing_texts", ["Hashing of texts: int, one_hot, multi_hot, mask_value, salt"], lambda L, x: head(L,
    L.Hashing(num_bins=6, output_mode="one_hot")(x["town"]), L.Embedding(5, 2)(L.Hashing(num_bins=5, mask_value="Graz")(x["towns"])),
    L.Hashing(num_bins=4, salt=[133, 137], output_mode="multi_hot")(x["towns"])), x={"town": "town", "towns": "towns"}, optimizer={**SGD, "momentum": 0.9})
raw("discretization", ["Discretization one_hot, multi_hot, int with bin_boundaries, and learned"], lambda L, x: head(L,
    adapted(L.Discretization(num_bins=4, output_mode="one_hot"), ARRAYS["x"])(x["x"]),
    L.Discretization(bin_boundaries=[-0.5, 0.0, 0.5], output_mode="multi_hot")(x["x"]),
    L.Embedding(3, 2)(L.Discretization(bin_boundaries=[-0.7, 0.3])(x["x"]))), x={"x": "x"}, optimizer={**SGD, "momentum": 0.9})
raw("category_encoding", ["CategoryEncoding one_hot, multi_hot, count"], lambda L, x: head(L,
    L.CategoryEncoding(num_tokens=7, output_mode="one_hot")(x["kind"]), L.CategoryEncoding(num_tokens=7)(x["kinds"]),
    L.CategoryEncoding(num_tokens=8, output_mode="count")(x["kinds"]),
    L.CategoryEncoding(num_tokens=3, output_mode="one_hot")(L.Discretization(bin_boundaries=[0.1, 2.0])(x["x"]))), x={"kind": "kind", "kinds": "kinds", "x": "x"})


# ---- group E: images and sequences -----------------------------------------------------

convolutions.add(case)


def write_tables(folder):
    """Values without a training: activations with their slopes, schedules step by step."""
    import keras, tensorflow as tf
    from make import build
    folder.mkdir(exist_ok=True)
    act, ops = keras.activations, keras.ops
    functions = {name: getattr(act, name) for name in (
        "linear sigmoid tanh relu elu selu relu6 leaky_relu softplus softsign exponential silu gelu hard_sigmoid hard_silu mish celu "
        "log_sigmoid hard_tanh tanh_shrink soft_shrink hard_shrink sparse_plus sparse_sigmoid squareplus").split()}
    functions.update({
        "gelu(approximate=true)": lambda x: act.gelu(x, approximate=True), "elu(alpha=0.4)": lambda x: act.elu(x, alpha=0.4),
        "celu(alpha=0.4)": lambda x: act.celu(x, alpha=0.4), "leaky_relu(negative_slope=0.3)": lambda x: act.leaky_relu(x, negative_slope=0.3),
        "relu(max_value=2)": lambda x: act.relu(x, max_value=2.0), "relu(threshold=0.4)": lambda x: act.relu(x, threshold=0.4),
        "relu(negative_slope=0.1,max_value=2,threshold=0.4)": lambda x: act.relu(x, negative_slope=0.1, max_value=2.0, threshold=0.4)})
    x = np.concatenate([np.linspace(-8, 8, 81) + 0.013, [-88.0, -30.0, -15.0, 15.0, 30.0, 88.0, -1e-4, 1e-4]]).astype("float32")
    rows = (3 * np.random.default_rng(5).standard_normal((9, 4))).astype("float32")
    arrays = {"x": x, "rows": rows, "rows_seed": np.cos(np.arange(36.0)).reshape(9, 4).astype("float32")}
    for name, function in functions.items():
        with tf.GradientTape() as tape:
            value = tf.convert_to_tensor(x)
            tape.watch(value)
            result = function(value)
        arrays[name], arrays[f"{name}'"] = np.asarray(result), np.asarray(tape.gradient(result, value))
    for name in ("softmax", "log_softmax", "sparsemax"):       # over rows; the slope is that of Σ rows_seed · result
        with tf.GradientTape() as tape:
            value = tf.convert_to_tensor(rows)
            tape.watch(value)
            result = getattr(act, name)(value)
        arrays[name], arrays[f"{name}'"] = np.asarray(result), np.asarray(tape.gradient(result, value, arrays["rows_seed"]))
    np.savez_compressed(folder / "activations.npz", **arrays)
    lines = [json.dumps({"schedule": spec, "rates": [float(build(spec, keras.optimizers.schedules)(tf.constant(step, "int64"))) for step in range(31)]})
             for spec in SCHEDULES.values()]
    (folder / "schedules.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")

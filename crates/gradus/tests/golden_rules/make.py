"""Numbers of real Keras 3.15 and PyTorch for the unit tests in src/rules.

    KERAS_BACKEND=jax python make.py

writes the .json files beside it. Each rule is given in gradus' words (a `type`
and its arguments), which but for what is noted here are Keras'.
"""

import json
import math
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import torch
from keras import ops

HERE = pathlib.Path(__file__).parent
rng = np.random.default_rng(7)


def f32(values):
    """As plain lists that read back to the same float32."""
    return np.asarray(values, "float32").astype("float64").tolist()


def write(name, cases):
    text = ",\n".join(" " + json.dumps(case) for case in cases).replace("NaN", "null")
    (HERE / f"{name}.json").write_text(f"[\n{text}\n]\n")
    print(name, len(cases))


def make(module, config, rename={}):
    config = {rename.get(k, k): v for k, v in config.items()}
    cls = getattr(module, config.pop("type"))
    return cls(**config)


def optimizers():
    configs = [
        dict(type="SGD"),
        dict(type="SGD", momentum=0.9),
        dict(type="SGD", momentum=0.9, nesterov=True, weight_decay=0.1),
        dict(type="Adagrad", learning_rate=0.1),
        dict(type="Adagrad", initial_accumulator_value=0.5, epsilon=0.01),
        dict(type="RMSprop"),
        dict(type="RMSprop", momentum=0.9),
        dict(type="RMSprop", centered=True, rho=0.8),
        dict(type="RMSprop", centered=True, momentum=0.5, epsilon=0.001),
        dict(type="Adam"),
        dict(type="Adam", amsgrad=True, beta_2=0.5),
        dict(type="Adam", epsilon=0.1, learning_rate=0.05),
        dict(type="AdamW"),
        dict(type="AdamW", weight_decay=0.1, amsgrad=True),
        dict(type="Adamax"),
        dict(type="Adamax", beta_1=0.5, beta_2=0.7, learning_rate=0.1),
        dict(type="Nadam"),
        dict(type="Nadam", beta_1=0.5, beta_2=0.9),
        dict(type="Adadelta"),
        dict(type="Adadelta", learning_rate=1.0, rho=0.9, epsilon=0.001),
        dict(type="Lion"),
        dict(type="Lion", beta_1=0.5, beta_2=0.5, weight_decay=0.1),
        dict(type="Ftrl"),
        dict(type="Ftrl", learning_rate=0.1, l1_regularization_strength=0.05,
             l2_regularization_strength=0.02, l2_shrinkage_regularization_strength=0.03,
             beta=0.5),
        dict(type="Ftrl", learning_rate=0.1, learning_rate_power=-0.3,
             initial_accumulator_value=0.7),
        dict(type="Ftrl", learning_rate=0.1, learning_rate_power=0.0),
        dict(type="Lamb"),
        dict(type="Lamb", learning_rate=0.05, beta_1=0.5, beta_2=0.9, epsilon=0.01,
             weight_decay=0.1),
        dict(type="Muon", adam_weight_decay=0.1, adam_lr_ratio=0.5),
        dict(type="Muon", learning_rate=0.05, shape=(5, 1)),
        dict(type="Muon", nesterov=False, rms_rate=None, ns_steps=2, weight_decay=0.1,
             shape=(1, 5)),
    ]
    start = f32([1.0, -0.5, 0.03, 0.0, 2.5])
    gradients = rng.normal(size=(5, 5)) * np.array([1.0, 0.1, 1e-3, 10.0, 1.0])
    gradients[2, 1] = 0.0
    gradients = f32(gradients)
    cases = []
    for config in configs:
        shape = config.pop("shape", (5,))
        optimizer = make(keras.optimizers, config)
        w = keras.Variable(np.reshape(start, shape), dtype="float32", name="w")
        optimizer.build([w])
        weights = []
        for g in gradients:
            optimizer.apply([ops.convert_to_tensor(np.reshape(g, shape), "float32")], [w])
            weights.append(f32(np.ravel(w.numpy())))
        # In the order of the file; iteration, learning rate and Nadam's product left out.
        slots = [f32(np.ravel(v.numpy())) for v in optimizer.variables
                 if tuple(v.shape) == shape]
        cases.append(dict(config=config, shape=shape, start=start, gradients=gradients,
                          weights=weights, slots=slots))
    write("optimizers", cases)


def schedules():
    configs = [
        dict(type="ExponentialDecay", initial_learning_rate=0.1, decay_steps=30, decay_rate=0.5),
        dict(type="ExponentialDecay", initial_learning_rate=0.1, decay_steps=30, decay_rate=0.5,
             staircase=True),
        dict(type="InverseTimeDecay", initial_learning_rate=0.1, decay_steps=20, decay_rate=0.5),
        dict(type="InverseTimeDecay", initial_learning_rate=0.1, decay_steps=20, decay_rate=0.5,
             staircase=True),
        dict(type="PiecewiseConstantDecay", boundaries=[10, 40, 100], values=[0.1, 0.05, 0.01, 0.001]),
        dict(type="PolynomialDecay", initial_learning_rate=0.1, decay_steps=50),
        dict(type="PolynomialDecay", initial_learning_rate=0.1, decay_steps=50,
             end_learning_rate=0.01, power=2.0, cycle=True),
        dict(type="CosineDecay", initial_learning_rate=0.1, decay_steps=80),
        dict(type="CosineDecay", initial_learning_rate=0.01, decay_steps=80, alpha=0.1,
             warmup_target=0.2, warmup_steps=20),
        dict(type="CosineDecay", initial_learning_rate=0.01, decay_steps=80, warmup_steps=20),
        dict(type="CosineDecayRestarts", initial_learning_rate=0.1, first_decay_steps=20),
        dict(type="CosineDecayRestarts", initial_learning_rate=0.1, first_decay_steps=20, t_mul=1.0,
             m_mul=0.5, alpha=0.1),
        dict(type="CosineDecayRestarts", initial_learning_rate=0.1, first_decay_steps=10, t_mul=1.5,
             m_mul=0.9),
    ]
    steps = list(range(0, 45)) + list(range(45, 200, 5)) + [1000]
    cases = []
    for config in configs:
        schedule = make(keras.optimizers.schedules, config)
        cases.append(dict(config=config, steps=steps, rates=[float(schedule(s)) for s in steps]))
    write("schedules", cases)


def one_cycle():
    cases = []
    for total in (50, 101, 7):
        for extra in (
            {},
            dict(three_phase=True),
            dict(anneal_strategy="linear", pct_start=0.45),
            dict(three_phase=True, pct_start=0.4, div_factor=10.0, final_div_factor=100.0),
            dict(base_momentum=0.8, max_momentum=0.9, anneal_strategy="linear", three_phase=True),
        ):
            p = torch.nn.Parameter(torch.zeros(1))
            o = torch.optim.SGD([p], lr=0.1, momentum=0.9)
            s = torch.optim.lr_scheduler.OneCycleLR(o, max_lr=0.05, total_steps=total, **extra)
            rates, momenta = [], []
            for step in range(total):
                rates.append(o.param_groups[0]["lr"])
                momenta.append(o.param_groups[0]["momentum"])
                o.step()
                if step + 1 < total:
                    s.step()
            config = dict(type="OneCycleLR", max_lr=0.05, **extra)
            cases.append(dict(config=config, total=total, rates=rates, momenta=momenta))
    write("one_cycle", cases)


def distributions(rows, width):
    p = np.exp(rng.normal(size=(rows, width)) * 2)
    return f32(p / p.sum(-1, keepdims=True))


def losses():
    rows, width = 6, 4
    numbers = f32(rng.normal(size=(rows, width)) * 2)
    other = f32(rng.normal(size=(rows, width)) * 2)
    positive = f32(np.exp(rng.normal(size=(rows, width))))
    counts = f32(rng.poisson(2.0, size=(rows, width)))
    probabilities, soft = distributions(rows, width), distributions(rows, width)
    yes_no = f32(rng.integers(0, 2, size=(rows, width)))
    signs = f32(np.array(yes_no) * 2 - 1)
    classes = f32(rng.integers(0, width, size=(rows, 1)))
    one_hot = f32(np.eye(width)[np.array(classes, int)[:, 0]])
    edges = f32([[0, 1, 0.5, 1e-9], [1, 0, 1, 0.2]])
    edge_targets = f32([[0, 1, 1, 0], [1, 1, 0, 1]])
    zero = f32([[0, 0, 0, 0], [1, -1, 2, 0]])
    table = [
        (dict(type="MeanSquaredError"), numbers, other),
        (dict(type="MeanAbsoluteError"), numbers, other),
        (dict(type="MeanAbsolutePercentageError"), numbers, other),
        (dict(type="MeanAbsolutePercentageError"), zero, [[1.0, 2, 3, 4], [1, 0, 2, 1e-3]]),
        (dict(type="MeanSquaredLogarithmicError"), positive, f32(np.abs(other))),
        (dict(type="MeanSquaredLogarithmicError"), numbers, other),
        (dict(type="Huber"), numbers, other),
        (dict(type="Huber", delta=0.3), numbers, other),
        (dict(type="LogCosh"), numbers, other),
        (dict(type="LogCosh"), numbers, f32(np.array(other) * 100)),
        (dict(type="Poisson"), counts, positive),
        (dict(type="KLDivergence"), soft, probabilities),
        (dict(type="KLDivergence"), edge_targets, edges),
        (dict(type="Hinge"), signs, numbers),
        (dict(type="Hinge"), yes_no, numbers),
        (dict(type="SquaredHinge"), signs, numbers),
        (dict(type="SquaredHinge"), yes_no, numbers),
        (dict(type="CategoricalHinge"), one_hot, numbers),
        (dict(type="CosineSimilarity"), numbers, other),
        (dict(type="CosineSimilarity"), zero, [[1.0, 2, 3, 4], [0, 0, 0, 0]]),
        (dict(type="BinaryCrossentropy"), yes_no, probabilities),
        (dict(type="BinaryCrossentropy", label_smoothing=0.2), yes_no, probabilities),
        (dict(type="BinaryCrossentropy", from_logits=True), yes_no, numbers),
        (dict(type="BinaryCrossentropy"), edge_targets, edges),
        (dict(type="CategoricalCrossentropy"), one_hot, positive),
        (dict(type="CategoricalCrossentropy", label_smoothing=0.2), one_hot, probabilities),
        (dict(type="CategoricalCrossentropy", from_logits=True), soft, numbers),
        (dict(type="SparseCategoricalCrossentropy"), classes, probabilities),
        (dict(type="SparseCategoricalCrossentropy", from_logits=True), classes, numbers),
        (dict(type="BinaryFocalCrossentropy"), yes_no, probabilities),
        (dict(type="BinaryFocalCrossentropy"), edge_targets, edges),
        (dict(type="BinaryFocalCrossentropy", apply_class_balancing=True, alpha=0.3, gamma=1.5,
              label_smoothing=0.1), yes_no, probabilities),
        (dict(type="BinaryFocalCrossentropy", from_logits=True, gamma=3.0), yes_no, numbers),
        (dict(type="CategoricalFocalCrossentropy"), one_hot, positive),
        (dict(type="CategoricalFocalCrossentropy", alpha=0.4, gamma=1.0, label_smoothing=0.1),
         one_hot, probabilities),
        (dict(type="CategoricalFocalCrossentropy", from_logits=True), one_hot, numbers),
    ]
    import jax
    cases = []
    for config, y_true, y_pred in table:
        loss = make(keras.losses, config)
        t = np.array(y_true, "float32")
        p = np.array(y_pred, "float32")
        values = loss.call(ops.convert_to_tensor(t), ops.convert_to_tensor(p))
        gradient = jax.grad(lambda p: ops.sum(loss.call(ops.convert_to_tensor(t), p)))(p)
        cases.append(dict(config=config, targets=f32(t), outputs=f32(p), losses=f32(values),
                          gradients=f32(gradient)))
    write("losses", cases)


def metrics():
    rows, width = 23, 4
    numbers = f32(rng.normal(size=(rows, width)) * 2)
    other = f32(np.array(numbers) * 0.5 + rng.normal(size=(rows, width)))
    positive = f32(np.exp(rng.normal(size=(rows, width))))
    probabilities, soft = distributions(rows, width), distributions(rows, width)
    each = f32(rng.uniform(size=(rows, width)))
    yes_no = f32(np.array(each) + rng.normal(size=(rows, width)) * 0.3 > 0.6)
    classes = f32(rng.integers(0, width, size=(rows, 1)))
    one_hot = f32(np.eye(width)[np.array(classes, int)[:, 0]])
    one = f32(rng.uniform(size=(rows, 1)))
    one_true = f32(np.array(one) + rng.normal(size=(rows, 1)) * 0.4 > 0.5)
    # Ties, and numbers that lie on thresholds.
    ties = f32(np.round(np.array(each) * 4) / 4)
    never = f32(np.zeros((rows, width)))
    table = [
        (dict(type="BinaryAccuracy"), yes_no, each),
        (dict(type="BinaryAccuracy", threshold=0.25), yes_no, ties),
        (dict(type="CategoricalAccuracy"), one_hot, probabilities),
        (dict(type="SparseCategoricalAccuracy"), classes, probabilities),
        (dict(type="TopKCategoricalAccuracy", k=2), one_hot, probabilities),
        (dict(type="TopKCategoricalAccuracy", k=2), one_hot, ties),
        (dict(type="TopKCategoricalAccuracy"), one_hot, probabilities),
        (dict(type="SparseTopKCategoricalAccuracy", k=3), classes, probabilities),
        (dict(type="MeanSquaredError"), numbers, other),
        (dict(type="RootMeanSquaredError"), numbers, other),
        (dict(type="MeanAbsoluteError"), numbers, other),
        (dict(type="MeanAbsolutePercentageError"), numbers, other),
        (dict(type="MeanSquaredLogarithmicError"), positive, f32(np.abs(other))),
        (dict(type="CosineSimilarity"), numbers, other),
        (dict(type="LogCoshError"), numbers, other),
        (dict(type="R2Score"), numbers, other),
        (dict(type="R2Score", class_aggregation="variance_weighted_average"), numbers, other),
        (dict(type="R2Score", num_regressors=3), numbers, other),
        (dict(type="R2Score"), never, other),
        (dict(type="Hinge"), yes_no, numbers),
        (dict(type="SquaredHinge"), yes_no, numbers),
        (dict(type="CategoricalHinge"), one_hot, numbers),
        (dict(type="KLDivergence"), soft, probabilities),
        (dict(type="Poisson"), positive, f32(np.abs(other))),
        (dict(type="BinaryCrossentropy"), yes_no, each),
        (dict(type="BinaryCrossentropy", from_logits=True, label_smoothing=0.1), yes_no, numbers),
        (dict(type="CategoricalCrossentropy"), one_hot, probabilities),
        (dict(type="CategoricalCrossentropy", from_logits=True), one_hot, numbers),
        (dict(type="SparseCategoricalCrossentropy"), classes, probabilities),
        (dict(type="SparseCategoricalCrossentropy", from_logits=True), classes, numbers),
        (dict(type="TruePositives"), yes_no, each),
        (dict(type="TrueNegatives", thresholds=0.3), yes_no, each),
        (dict(type="FalsePositives"), yes_no, ties),
        (dict(type="FalseNegatives", thresholds=0.7), yes_no, ties),
        (dict(type="Precision"), yes_no, each),
        (dict(type="Precision", thresholds=0.3), one_true, one),
        (dict(type="Precision", top_k=2), yes_no, each),
        (dict(type="Precision", top_k=2, thresholds=0.7), yes_no, each),
        (dict(type="Precision", class_id=1), yes_no, each),
        (dict(type="Precision", class_id=1, top_k=2), yes_no, each),
        (dict(type="Precision"), yes_no, never),
        (dict(type="Recall"), yes_no, each),
        (dict(type="Recall", thresholds=0.3), one_true, one),
        (dict(type="Recall", top_k=2), yes_no, each),
        (dict(type="Recall", class_id=3), yes_no, each),
        (dict(type="Recall"), never, each),
        (dict(type="F1Score", average="macro"), yes_no, each),
        (dict(type="F1Score", average="micro", threshold=0.4), yes_no, each),
        (dict(type="F1Score", average="weighted", threshold=0.4), yes_no, each),
        (dict(type="F1Score", average="macro"), one_hot, ties),
        (dict(type="F1Score", average="macro", threshold=0.5), one_true, one),
        (dict(type="FBetaScore", average="macro", beta=2.0, threshold=0.4), yes_no, each),
        (dict(type="FBetaScore", average="weighted", beta=0.5), one_hot, probabilities),
    ]
    for y, p in ((one_true, one), (yes_no, each), (yes_no, ties), (one_true, f32(np.zeros((rows, 1))))):
        for curve in ("ROC", "PR", "PRGAIN"):
            for method in ("interpolation", "minoring", "majoring"):
                table.append((dict(type="AUC", curve=curve, summation_method=method), y, p))
    table += [
        (dict(type="AUC", num_thresholds=5), yes_no, ties),
        (dict(type="AUC", from_logits=True), yes_no, numbers),
        (dict(type="AUC", multi_label=True), yes_no, each),
        (dict(type="AUC", multi_label=True, curve="PR"), yes_no, each),
        (dict(type="AUC", thresholds=[0.1, 0.5, 0.55]), yes_no, ties),
        (dict(type="AUC", thresholds=[0.25, 0.5, 0.75]), yes_no, ties),
    ]
    cases = []
    for config, y_true, y_pred in table:
        metric = make(keras.metrics, config)
        t = np.array(y_true, "float32")
        p = np.array(y_pred, "float32")
        for start in range(0, rows, 10):
            metric.update_state(t[start : start + 10], p[start : start + 10])
        cases.append(dict(config=config, name=metric.name, targets=f32(t), outputs=f32(p),
                          result=float(metric.result())))
    write("metrics", cases)


def regularizers():
    import jax
    configs = [
        dict(type="L1"),
        dict(type="L1", l1=0.3),
        dict(type="L2", l2=0.1),
        dict(type="L1L2", l1=0.2, l2=0.3),
        dict(type="OrthogonalRegularizer"),
        dict(type="OrthogonalRegularizer", factor=0.5, mode="columns"),
    ]
    w = rng.normal(size=(4, 3)).astype("float32")
    cases = []
    for config in configs:
        rule = make(keras.regularizers, config)
        cases.append(dict(config=config, shape=[4, 3], weights=f32(w.ravel()),
                          penalty=float(rule(ops.convert_to_tensor(w))),
                          gradient=f32(np.asarray(jax.grad(rule)(w)).ravel())))
    write("regularizers", cases)


def constraints():
    configs = [
        dict(type="MaxNorm"),
        dict(type="MaxNorm", max_value=0.7, axis=1),
        dict(type="MaxNorm", max_value=1.5, axis=[0, 1]),
        dict(type="UnitNorm"),
        dict(type="UnitNorm", axis=-1),
        dict(type="NonNeg"),
        dict(type="MinMaxNorm"),
        dict(type="MinMaxNorm", min_value=0.5, max_value=1.2, rate=0.4, axis=1),
    ]
    cases = []
    for shape in ((4, 3), (2, 3, 2), (5,)):
        w = rng.normal(size=shape).astype("float32")
        w.flat[0] = 0.0
        for config in configs:
            axis = config.get("axis", 0)
            if len(shape) == 1 and axis != 0:
                continue
            if isinstance(axis, list):
                config = dict(config, axis=tuple(axis))
            rule = make(keras.constraints, config)
            config = {k: list(v) if isinstance(v, tuple) else v for k, v in config.items()}
            cases.append(dict(config=config, shape=list(shape), before=f32(w.ravel()),
                              after=f32(np.asarray(rule(ops.convert_to_tensor(w))).ravel())))
    write("constraints", cases)


for part in (optimizers, schedules, one_cycle, losses, metrics, regularizers, constraints):
    part()

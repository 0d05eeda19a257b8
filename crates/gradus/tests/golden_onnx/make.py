#!/usr/bin/env python3
"""Networks of PyTorch's exporters, of skl2onnx and of Keras' `model.export`, with their inputs and what ONNX Runtime computes: `NAME.onnx`, `NAME.npz`.

    make.py        (torch 2.15, Keras 3.15, skl2onnx 1.20, scikit-learn 1.9, onnxruntime 1.32, onnxscript 0.7)

`x/NAME` and `y` of each NAME.npz are the inputs by name and the numbers that gradus is to predict.
"""
import os, pathlib, warnings
os.environ["KERAS_BACKEND"] = "torch"
import numpy as np
import onnx
import onnxruntime as ort
import torch
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent
warnings.simplefilter("ignore")
torch.manual_seed(3)
draw = np.random.default_rng(3)


def strip(name):
    """Leaves out what PyTorch says of the places of its code, which is most of a small file."""
    model = onnx.load(str(HERE / f"{name}.onnx"))
    for part in [*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output]:
        del part.metadata_props[:]
    del model.graph.value_info[:]
    onnx.save(model, str(HERE / f"{name}.onnx"))


def keep(name, x, output=0):
    strip(name)
    run = ort.InferenceSession(str(HERE / f"{name}.onnx"), providers=["CPUExecutionProvider"])
    y = run.run(None, x)[output]
    np.savez_compressed(HERE / f"{name}.npz", y=np.asarray(y, np.float32), **{f"x/{n}": a for n, a in x.items()})


def trained(model, *shapes):
    """Weights and statistics that are not those of the beginning."""
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.LayerNorm)):
            nn.init.uniform_(module.weight, -1.5, 1.5)
            nn.init.uniform_(module.bias, -1, 1)
        if isinstance(module, nn.BatchNorm1d):
            nn.init.uniform_(module.running_mean, -1, 1)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return model.eval(), tuple(torch.tensor(draw.normal(size=(5, *shape)), dtype=torch.float32) for shape in shapes)


def torchs(name, model, *shapes, dynamo=False, opset=17, fixed=False):
    model, x = trained(model, *shapes)
    names = ["x", "z"][: len(shapes)]
    path = HERE / f"{name}.onnx"
    if dynamo:
        batch = torch.export.Dim("batch")
        torch.onnx.export(model, x, str(path), input_names=names, dynamo=True, external_data=False, verbose=False,
                          dynamic_shapes=None if fixed else tuple({0: batch} for _ in x))
    else:
        torch.onnx.export(model, x, str(path), input_names=names, dynamo=False, opset_version=opset,
                          dynamic_axes=None if fixed else {n: {0: "batch"} for n in names})
    keep(name, {n: a.numpy() for n, a in zip(names, x)})


class Wide(nn.Module):
    """Two inputs, a residual connection, a concatenation, functions that are no modules."""

    def __init__(self):
        super().__init__()
        self.left, self.right, self.out = nn.Linear(4, 6), nn.Linear(3, 6), nn.Linear(12, 2)

    def forward(self, x, z):
        a, b = torch.sigmoid(self.left(x)) * 2 - 1, nn.functional.silu(self.right(z))
        return torch.softmax(self.out(torch.cat([a + b, torch.maximum(a, b)], 1)), -1)


class Pictures(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(12, 5), nn.Linear(5, 3)

    def forward(self, x):
        x = x.view(x.size(0), -1) / 255.0
        return nn.functional.log_softmax(self.b(torch.tanh(self.a(x))), dim=1)


def activations():
    all = [nn.ReLU(), nn.LeakyReLU(0.05), nn.PReLU(7), nn.ELU(0.7), nn.SELU(), nn.GELU(), nn.GELU("tanh"), nn.SiLU(),
           nn.Mish(), nn.Hardswish(), nn.Hardsigmoid(), nn.Hardtanh(), nn.ReLU6(), nn.Softplus(), nn.Softsign(), nn.Tanhshrink(),
           nn.CELU(0.6), nn.LogSigmoid(), nn.Hardtanh(0.0, 3.0), nn.Tanh()]
    parts = []
    for activation in all:
        parts += [nn.Linear(7, 7), activation]
    return nn.Sequential(*parts, nn.Linear(7, 2))


norms = lambda: nn.Sequential(nn.BatchNorm1d(6), nn.Linear(6, 9, bias=False), nn.BatchNorm1d(9), nn.ReLU(), nn.Dropout(0.2),
                              nn.Linear(9, 8), nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 1), nn.Sigmoid())
torchs("torch_script_activations", activations(), (7,))
torchs("torch_script_norms", norms(), (6,))
torchs("torch_script_opset13", norms(), (6,), opset=13)
torchs("torch_script_wide", Wide(), (4,), (3,))
torchs("torch_script_pictures", Pictures(), (3, 4), fixed=True)
torchs("torch_dynamo_activations", activations(), (7,), dynamo=True)
torchs("torch_dynamo_norms", norms(), (6,), dynamo=True)
torchs("torch_dynamo_wide", Wide(), (4,), (3,), dynamo=True)
torchs("torch_dynamo_pictures", Pictures(), (3, 4), dynamo=True)
torchs("torch_script_positions", nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.LayerNorm(3), nn.Flatten(), nn.Linear(6, 2)), (2, 4))

from skl2onnx import to_onnx
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

rows = draw.normal(size=(80, 4)).astype(np.float32) * [1, 5, 0.2, 2] + [3, 0, 100, -1]
rows = rows.astype(np.float32)
for name, model, y, output, options in [
    ("skl_classifier", MLPClassifier((8, 5), activation="relu", max_iter=30, random_state=1), draw.integers(0, 3, 80), 1, {}),
    ("skl_binary", MLPClassifier((6,), activation="tanh", max_iter=30, random_state=1), draw.integers(0, 2, 80), 1, {}),
    ("skl_logistic", MLPRegressor(hidden_layer_sizes=(6, 4), activation="logistic", max_iter=30, random_state=1), rows[:, 0] * 2, 0, None),
    ("skl_zipmap", MLPClassifier((3,), max_iter=30, random_state=1), draw.integers(0, 3, 80), 1, None),
]:
    model.fit(rows, y)
    options = {id(model): {"zipmap": False}} if options == {} else None
    converted = to_onnx(model, rows[:1], options=options, target_opset={"": 17, "ai.onnx.ml": 3})
    (HERE / f"{name}.onnx").write_bytes(converted.SerializeToString())
    if name == "skl_zipmap":
        x = rows[:5]
        np.savez_compressed(HERE / f"{name}.npz", y=model.predict_proba(x).astype(np.float32), **{"x/X": x})
    else:
        keep(name, {"X": rows[:5]}, output)

scaled = make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(5,), max_iter=60, random_state=1))
scaled.fit(rows, rows[:, 2])
(HERE / "skl_scaled.onnx").write_bytes(to_onnx(scaled, rows[:1], target_opset={"": 17, "ai.onnx.ml": 3}).SerializeToString())
keep("skl_scaled", {"X": rows[:5]})

import keras
from keras import layers


def kerass(name, *chain):
    keras.utils.set_random_seed(5)
    x = keras.Input((6,), name="x")
    h = x
    for layer in chain:
        h = layer(h)
    model = keras.Model(x, h)
    data = draw.normal(size=(5, 6)).astype(np.float32)
    model(data)  # without a call Keras' exporter refuses it
    model.export(str(HERE / f"{name}.onnx"), format="onnx", verbose=False)
    keep(name, {"x": data})


kerass("keras_dense", layers.Dense(8, activation="gelu"), layers.Dense(8, activation="elu"), layers.Dense(3, activation="softmax"))
kerass("keras_norms", layers.BatchNormalization(), layers.Dense(7), layers.LeakyReLU(), layers.Dropout(0.3), layers.Dense(2, activation="sigmoid"))
kerass("keras_functions", layers.Dense(7, activation="silu"), layers.Dense(7, activation="selu"), layers.Dense(7, activation="softplus"), layers.Dense(2, activation="tanh"))

# Tensors with two names: what is added to the one is no part of the other.
number = lambda name, array: onnx.numpy_helper.from_array(array.astype(np.float32), name)
node = onnx.helper.make_node
info = lambda name, width: onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", width])
graph = onnx.helper.make_graph(
    [node("MatMul", ["x", "w"], ["a"]), node("Flatten", ["a"], ["b"]), node("Add", ["b", "bias"], ["c"]), node("Relu", ["a"], ["d"]),
     node("Mul", ["d", "factors"], ["e"]), node("Identity", ["e"], ["f"]), node("Add", ["f", "bias"], ["g"]),
     node("Sub", ["e", "bias"], ["h"]), node("Concat", ["c", "d", "g", "h"], ["y"], axis=1)],
    "names", [info("x", 4)], [info("y", 12)],
    [number("w", draw.normal(size=(4, 3))), number("bias", draw.normal(size=3)), number("factors", np.array([2, -0.5, 3]))])
onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8), str(HERE / "names.onnx"))
keep("names", {"x": draw.normal(size=(5, 4)).astype(np.float32)})


class Unread(nn.Module):
    """Two operators that gradus has no layer for."""

    def __init__(self):
        super().__init__()
        self.conv, self.out = nn.Conv3d(2, 3, (1, 2, 1)), nn.Linear(6, 2)

    def forward(self, x):
        return self.out(torch.cumsum(torch.relu(self.conv(x)), 1).flatten(1))


(HERE / "refused").mkdir(exist_ok=True)
model, x = trained(Unread(), (2, 1, 2, 2))
torch.onnx.export(model, x, str(HERE / "refused/unread.onnx"), input_names=["x"], dynamo=False, opset_version=17)
model, x = trained(nn.Sequential(nn.Linear(3, 40)), (3,))
torch.onnx.export(model, x, str(HERE / "refused/linear.onnx"), input_names=["x"], dynamo=False, opset_version=17)
linear = onnx.load(str(HERE / "refused/linear.onnx"))
onnx.save(linear, str(HERE / "refused/external.onnx"), save_as_external_data=True, size_threshold=0, location="external.data")
(HERE / "refused/linear.onnx").unlink()
(HERE / "refused/external.data").unlink()

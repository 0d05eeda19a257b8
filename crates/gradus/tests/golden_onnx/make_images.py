#!/usr/bin/env python3
"""Convolutional networks of PyTorch's exporters, and small graphs by hand: `NAME.onnx`, `NAME.npz`, as make.py's.

    make_images.py        (torch 2.15, onnx 1.23, onnxruntime 1.32, onnxscript 0.7, Keras 3.15)
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
torch.manual_seed(5)
draw = np.random.default_rng(5)


def keep(name, x):
    path = str(HERE / f"{name}.onnx")
    model = onnx.load(path)
    for part in [*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output]:
        del part.metadata_props[:]
    del model.graph.value_info[:]
    onnx.save(model, path)
    y = ort.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, x)[0]
    np.savez_compressed(HERE / f"{name}.npz", y=np.asarray(y, np.float32), **{f"x/{n}": a for n, a in x.items()})


def torchs(name, model, shape, dynamo=False, opset=17):
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -1, 1)
            nn.init.uniform_(module.running_mean, -1, 1)
            nn.init.uniform_(module.running_var, 0.5, 2)
        if isinstance(module, nn.PReLU):
            nn.init.uniform_(module.weight, -0.5, 0.5)
    x = torch.tensor(draw.normal(size=(3, *shape)), dtype=torch.float32)
    path = HERE / f"{name}.onnx"
    if dynamo:
        torch.onnx.export(model.eval(), (x,), str(path), input_names=["x"], dynamo=True, external_data=False, verbose=False,
                          dynamic_shapes=({0: torch.export.Dim("batch")},))
    else:
        torch.onnx.export(model.eval(), (x,), str(path), input_names=["x"], dynamo=False, opset_version=opset,
                          dynamic_axes={"x": {0: "batch"}})
    keep(name, {"x": x.numpy()})


class Block(nn.Module):
    """A residual block with another way around it, and a gate by channel (squeeze and excitation)."""

    def __init__(self, channels, filters):
        super().__init__()
        self.a = nn.Conv2d(channels, filters, 3, stride=2, padding=1, bias=False)
        self.norm_a = nn.BatchNorm2d(filters)
        self.b = nn.Conv2d(filters, filters, 3, padding=1, groups=2)
        self.norm_b = nn.BatchNorm2d(filters)
        self.around = nn.Conv2d(channels, filters, 1, stride=2)
        self.down, self.up = nn.Conv2d(filters, 2, 1), nn.Conv2d(2, filters, 1)

    def forward(self, x):
        y = self.norm_b(self.b(torch.relu(self.norm_a(self.a(x)))))
        gate = nn.functional.adaptive_avg_pool2d(y, 1)
        gate = torch.sigmoid(self.up(nn.functional.relu6(self.down(gate))))
        return torch.relu(y * gate + self.around(x))


class Residual(nn.Module):
    """ResNet's beginning and end: padded pooling behind a ReLU, blocks, the mean of each channel."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 5, stride=2, padding=2), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        self.block, self.out = Block(6, 8), nn.Linear(8, 4)

    def forward(self, x):
        return self.out(self.block(self.stem(x)).mean([2, 3]))


# The order of a picture's numbers behind Flatten is PyTorch's: by channels.
lenet = lambda: nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3), nn.Tanh(),
                              nn.AvgPool2d((2, 1), 1), nn.Flatten(), nn.Linear(24, 10), nn.LeakyReLU(0.1), nn.Linear(10, 3),
                              nn.Softmax(1))
mobile = lambda: nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(2, 6, 3, stride=2, bias=False), nn.BatchNorm2d(6),
                               nn.Hardswish(), nn.Conv2d(6, 12, 3, padding=2, dilation=2, groups=6), nn.BatchNorm2d(12),
                               nn.ReLU6(), nn.Conv2d(12, 5, 1), nn.Hardsigmoid(), nn.PReLU(5), nn.AdaptiveAvgPool2d(1),
                               nn.Flatten(), nn.Linear(5, 2))
decoder = lambda: nn.Sequential(nn.Linear(3, 24), nn.ReLU(), nn.Unflatten(1, (6, 2, 2)),
                                nn.ConvTranspose2d(6, 5, 3, stride=2, padding=1, output_padding=1), nn.BatchNorm2d(5), nn.ELU(),
                                nn.ConvTranspose2d(5, 2, 4, stride=2, padding=1), nn.Sigmoid())
sequence = lambda: nn.Sequential(nn.Conv1d(2, 6, 5, padding=2), nn.BatchNorm1d(6), nn.GELU(), nn.MaxPool1d(2, ceil_mode=True),
                                 nn.Conv1d(6, 6, 3, groups=6), nn.AvgPool1d(3, 2, padding=1), nn.ConvTranspose1d(6, 4, 3), nn.ReLU(),
                                 nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(4, 2))


class Parts(nn.Module):
    """Cuts, joined channels, a softmax over them, another order of axes."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(2, 3, 3, padding=1), nn.Conv2d(2, 4, 3, padding=1)
        self.scale = nn.Parameter(torch.tensor([0.5, -2.0, 1.5]).reshape(1, 3, 1, 1))

    def forward(self, x):
        y = torch.cat([torch.relu(self.a(x)) * self.scale + self.scale, self.b(x)], 1)
        return torch.softmax(y[:, :, 1:-1, 2:], 1).permute(0, 2, 3, 1)


for name, make, shape in [("lenet", lenet, (1, 10, 9)), ("residual", Residual, (3, 17, 15)), ("mobile", mobile, (2, 10, 12)),
                          ("decoder", decoder, (3,)), ("sequence", sequence, (2, 15)), ("parts", Parts, (2, 6, 7))]:
    torchs(f"torch_script_{name}", make(), shape)
    torchs(f"torch_dynamo_{name}", make(), shape, dynamo=True)
larger = lambda: nn.Sequential(nn.Conv2d(1, 3, 3), nn.Upsample(scale_factor=2), nn.ReLU(), nn.Conv2d(3, 2, 2),
                               nn.Upsample(scale_factor=(2, 3), mode="bilinear"))

# By hand: automatic padding, channels last, a bias behind a convolution, pooling of what may be negative.
number = lambda name, array: onnx.numpy_helper.from_array(np.asarray(array, np.float32), name)
whole = lambda name, array: onnx.numpy_helper.from_array(np.asarray(array, np.int64), name)
node = onnx.helper.make_node
info = lambda name, dims: onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", *dims])


def by_hand(name, nodes, x, y, constants):
    graph = onnx.helper.make_graph(nodes, name, [info("x", x)], [info("y", y)], constants)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(HERE / f"{name}.onnx"))


by_hand("channels_last", [
    node("Transpose", ["x"], ["a"], perm=[0, 3, 1, 2]),
    node("Conv", ["a", "w"], ["b"], auto_pad="SAME_UPPER", strides=[2, 2]),
    node("Transpose", ["b"], ["c"], perm=[0, 2, 3, 1]),
    node("Add", ["c", "bias"], ["d"]),
    node("Relu", ["d"], ["e"]),
    node("Pad", ["e", "pads"], ["f"]),
    node("Transpose", ["f"], ["g"], perm=[0, 3, 1, 2]),
    node("Conv", ["g", "v"], ["h"], auto_pad="SAME_LOWER"),
    node("MaxPool", ["h"], ["i"], kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
    node("GlobalMaxPool", ["i"], ["j"]),
    node("Flatten", ["j"], ["y"]),
], (7, 8, 2), (3,), [number("w", draw.normal(size=(4, 2, 3, 3))), number("bias", draw.normal(size=4)),
                     number("v", draw.normal(size=(3, 4, 2, 2))), whole("pads", [0, 1, 0, 0, 0, 0, 2, 0])])
keep("channels_last", {"x": draw.normal(size=(3, 7, 8, 2)).astype(np.float32)})

by_hand("refused/pool", [node("MaxPool", ["x"], ["y"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])],
        (2, 8, 8), (2, 4, 4), [])

torchs("torch_script_larger", larger(), (1, 4, 5))
torchs("torch_dynamo_larger", larger(), (1, 4, 5), dynamo=True)

# Weights in a file beside it.
linear = nn.Sequential(nn.Conv2d(1, 3, 2), nn.Flatten(), nn.Linear(27, 40))
torchs("external", linear, (1, 4, 4))
(HERE / "external.data").unlink(missing_ok=True)
onnx.save(onnx.load(str(HERE / "external.onnx")), str(HERE / "external.onnx"), save_as_external_data=True, size_threshold=0,
          location="external.data")

# Keras has the channels last, in its exported files, too.
import keras
from keras import layers

keras.utils.set_random_seed(5)
model = keras.Sequential([
    keras.Input((14, 15, 3), name="x"), layers.Conv2D(4, 3, padding="same", strides=2), layers.BatchNormalization(), layers.ReLU(),
    layers.DepthwiseConv2D(3), layers.Conv2D(6, 1, activation="swish"), layers.MaxPooling2D(2),
    layers.SeparableConv2D(5, 2, activation="relu"), layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax")])
for variable in model.weights:
    if variable.name in ("bias", "beta", "moving_mean", "gamma", "moving_variance"):
        variable.assign(draw.uniform(0.5, 1.5, variable.shape))
x = draw.normal(size=(3, 14, 15, 3)).astype(np.float32)
model(x)  # without a call Keras' exporter refuses it
model.export(str(HERE / "keras_images.onnx"), format="onnx", verbose=False)
keep("keras_images", {"x": x})

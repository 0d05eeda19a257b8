"""Makes the networks of bench/inference: a .keras file, the same as ONNX, rows and nothing else.

`inference_models.py NAME FOLDER ROWS`. The weights are random, also those of batch normalization
(means, variances), so that a peer that folds it wrongly is found out. The ONNX graph is written by
hand from the layers: Gemm, Elu/Relu, BatchNormalization, Softmax.
"""

import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import onnx  # noqa: E402
from keras import layers  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

PIXELS = 784


def book():
    yield from hidden([300, 100], "elu")


def normalized():
    yield layers.BatchNormalization()
    for units in [300, 100]:
        yield layers.Dense(units, use_bias=False, kernel_initializer="he_normal")
        yield layers.BatchNormalization()
        yield layers.Activation("elu")


def wide():
    yield from hidden([2048] * 3, "relu")


def hidden(widths, activation):
    for units in widths:
        yield layers.Dense(units, activation=activation, kernel_initializer="he_normal")


NETWORKS = {"book": book, "normalized": normalized, "wide": wide}


def build(name):
    keras.utils.set_random_seed(1)
    output = layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((PIXELS,)), *NETWORKS[name](), output])
    random = np.random.default_rng(2)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            n = layer.gamma.shape[0]
            near_one = random.uniform(0.5, 1.5, (2, n))
            near_zero = random.normal(0, 0.2, (2, n))
            layer.set_weights([near_one[0], near_zero[0], near_zero[1], near_one[1]])
    return model


def to_onnx(model):
    nodes, weights = [], []

    def constant(array, name):
        weights.append(numpy_helper.from_array(np.asarray(array, np.float32), name))
        return name

    def add(kind, inputs, **attributes):
        nodes.append(helper.make_node(kind, inputs, [f"v{len(nodes)}"], **attributes))
        return nodes[-1].output[0]

    def activate(x, name):
        kinds = {"linear": None, "elu": "Elu", "relu": "Relu", "softmax": "Softmax"}
        kind = kinds[name]
        return add(kind, [x], **({"axis": -1} if kind == "Softmax" else {})) if kind else x

    x = "x"
    for layer in model.layers:
        arrays = layer.get_weights()
        names = [constant(a, f"{layer.name}.{i}") for i, a in enumerate(arrays)]
        if isinstance(layer, layers.Dense):
            x = add("Gemm", [x, *names]) if layer.use_bias else add("MatMul", [x, *names])
            x = activate(x, layer.activation.__name__)
        elif isinstance(layer, layers.BatchNormalization):
            x = add("BatchNormalization", [x, *names], epsilon=layer.epsilon)
        elif isinstance(layer, layers.Activation):
            x = activate(x, layer.activation.__name__)
        else:
            raise SystemExit(f"no ONNX for {layer}")
    nodes[-1].output[0] = "y"
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "network",
        [info("x", TensorProto.FLOAT, ["rows", PIXELS])],
        [info("y", TensorProto.FLOAT, ["rows", 10])],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def main():
    name, folder, rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
    model = build(name)
    model.save(f"{folder}/{name}.keras")
    found = to_onnx(model)
    onnx.checker.check_model(found)
    onnx.save(found, f"{folder}/{name}.onnx")
    # As Fashion-MNIST's pixels: half of them 0, the others spread over the unit interval.
    random = np.random.default_rng(3)
    x = np.maximum(0, random.uniform(-1, 1, (rows, PIXELS))).astype(np.float32)
    np.save(f"{folder}/x.npy", x)


main()

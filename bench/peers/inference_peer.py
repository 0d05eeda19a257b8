"""A peer of bench/inference: `inference_peer.py KIND FOLDER NAME`, then commands on standard input.

KIND: onnx (ONNX Runtime, its defaults), torch, keras-jax, keras-tf (compiled), or onnx-empty (an Identity:
what a call into ONNX Runtime costs from Python). The commands are those of gradus' `bench_predict`,
without Monte Carlo (`keras_mc.py` has that).
Keras and PyTorch answer `one` and `all` by the fastest of what their users write: the compiled call of the
model (`jax.jit`, `tf.function(jit_compile=True)`, with and without XLA for TensorFlow; PyTorch also
uncompiled) on all rows at once and in batches, and `predict` with several batch sizes.
"""

import json
import os
import sys
import time

import numpy as np

kind, folder, name = sys.argv[1:4]
BATCHES = [256, 2000]
x = np.load(f"{folder}/x.npy")


def onnx_ways(path):
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return {"run": lambda rows: session.run(None, {"x": rows})[0]}


def empty():
    import onnx
    from onnx import TensorProto, helper

    info = helper.make_tensor_value_info
    sides = [[info(n, TensorProto.FLOAT, ["rows", 784])] for n in "xy"]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "empty", *sides)
    opset = [helper.make_opsetid("", 21)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=10), f"{folder}/empty.onnx")
    return onnx_ways(f"{folder}/empty.onnx")


def keras_ways(backend):
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras

    model = keras.saving.load_model(f"{folder}/{name}.keras")
    ways = {}
    if backend == "jax":
        import jax

        # Copies: `predict` gives the model's own away.
        state = [jax.numpy.array(v.value) for v in model.trainable_variables]
        fixed = [jax.numpy.array(v.value) for v in model.non_trainable_variables]
        call = jax.jit(lambda s, f, rows: model.stateless_call(s, f, rows, training=False)[0])
        ways["jit"] = lambda rows: np.asarray(call(state, fixed, rows))
    else:
        import tensorflow as tf

        for xla in [True, False]:
            call = tf.function(lambda rows: model(rows, training=False), jit_compile=xla)
            ways["xla" if xla else "function"] = lambda rows, call=call: call(rows).numpy()
    ways |= in_batches(ways)
    for batch in BATCHES:
        ways[f"predict/{batch}"] = lambda rows, batch=batch: model.predict(
            rows, batch_size=batch, verbose=0
        )
    return ways, model


def in_batches(ways):
    """The same ways, some rows at a time."""
    def cut(single, batch):
        return lambda rows: np.concatenate([single(rows[i : i + batch]) for i in range(0, len(rows), batch)])

    return {f"{way}/{batch}": cut(single, batch) for batch in BATCHES for way, single in ways.items()}


def torch_ways():
    os.environ["KERAS_BACKEND"] = "jax"
    import keras
    import torch
    from torch import nn

    layers = []
    for layer in keras.saving.load_model(f"{folder}/{name}.keras").layers:
        weights = [torch.from_numpy(np.array(w)) for w in layer.get_weights()]
        if isinstance(layer, keras.layers.Dense):
            dense = nn.Linear(*layer.kernel.shape, bias=layer.use_bias)
            dense.weight.data = weights[0].T.contiguous()
            if layer.use_bias:
                dense.bias.data = weights[1]
            layers.append(dense)
        if isinstance(layer, keras.layers.BatchNormalization):
            norm = nn.BatchNorm1d(len(weights[0]), eps=layer.epsilon)
            norm.weight.data, norm.bias.data, norm.running_mean, norm.running_var = weights
            layers.append(norm)
        activation = getattr(layer, "activation", None)
        kinds = {"elu": nn.ELU(), "relu": nn.ReLU(), "softmax": nn.Softmax(1), "linear": None}
        if activation and kinds[activation.__name__]:
            layers.append(kinds[activation.__name__])
    model = nn.Sequential(*layers).eval()
    calls = {"eager": model, "compile": torch.compile(model, dynamic=True)}

    def way(call):
        def run(rows):
            with torch.inference_mode():
                return call(torch.from_numpy(rows)).numpy()
        return run

    ways = {name: way(call) for name, call in calls.items()}
    return ways | in_batches(ways)


def timed(work, seconds, unit):
    times, begin = [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * unit)
    times.sort()
    return {"median": times[len(times) // 2], "least": times[0], "times": len(times)}


model = None
if kind == "onnx":
    ways = onnx_ways(f"{folder}/{name}.onnx")
elif kind == "onnx-empty":
    ways = empty()
elif kind == "torch":
    ways = torch_ways()
else:
    ways, model = keras_ways({"keras-jax": "jax", "keras-tf": "tensorflow"}[kind])

fastest = {}


def fast(what, rows):
    """The fastest way for this many rows, found once."""
    if what not in fastest:
        found = {}
        for way, call in ways.items():
            if what == "one" and "/" in way:
                continue
            call(rows), call(rows)
            found[way] = min(timed(lambda: call(rows), 0, 1)["least"] for _ in range(2))
        fastest[what] = min(found, key=found.get)
    return fastest[what]


turn = 0


def one():
    global turn
    turn = (turn + 1) % len(x)
    return ways[fast("one", x[:1])](x[turn : turn + 1])


for line in sys.stdin:
    command, _, argument = line.strip().partition(" ")
    if command == "outputs":
        np.save(argument, ways[next(iter(ways))](x))
        answer = {}
    elif command == "one":
        way = fast("one", x[:1])
        answer = timed(one, float(argument), 1e6) | {"way": way}
    elif command == "all":
        way = fast("all", x)
        answer = timed(lambda: ways[way](x), float(argument), 1e3) | {"way": way}
    print(json.dumps(answer), flush=True)

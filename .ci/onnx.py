#!/usr/bin/env python3
"""Does real ONNX Runtime compute what gradus predicts, row by row?

    onnx.py GRADUS [--networks FOLDER] [--only NAME]

- each golden case's trained model, and with them every layer of the registry that Keras has files of; what gradus reads of these files
  predicts the same again;
- the random networks that the test `onnx_networks` left in FOLDER (target/tmp/onnx);
- an int8 network;
- a dense network and a convolutional one with int8 products of fixed scales (QDQ), by each way to choose ranges: the weights and
  biases of the file are those of the float file within half of a step, and ONNX Runtime classifies as the float model does;
- both trained quantization-aware: their int8 files, by the learned ranges, compute what gradus predicts;
- three tables with gaps, unseen categories and dates: ONNX Runtime gets the raw columns.

Each file passes `onnx.checker`. A model may be refused only for what ONNX cannot say: random numbers in predictions, hashes.
Numbers agree within 1e-5, of those above 1 within 1e-5 of their magnitude.
"""
import argparse, csv, gzip, json, math, pathlib, random, subprocess, sys, tempfile, tomllib
# This file has the name of a module that it needs.
sys.path.pop(0)
import numpy as np
import onnx
import onnxruntime as ort

HERE = pathlib.Path(__file__).resolve().parent
CASES = HERE.parent / "crates/gradus/tests/golden/cases"
TOLERANCE = 1e-5
# The models that were read again.
AGAIN = []
MAY_BE_REFUSED = ["draws random numbers in every prediction", "no operator for its hash", "no operator for the hash",
                  "unknown activation `sparsemax`"]
DTYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(double)": np.float64}


def gradus(*arguments):
    return subprocess.run([ARGUMENTS.gradus, *map(str, arguments)], capture_output=True, text=True)


def converted(model, to, *options):
    """Why there is no file, or nothing."""
    result = gradus("convert", model, to, *options)
    if result.returncode == 0:
        onnx.checker.check_model(str(to), full_check=True)
        return None
    if result.returncode != 2:
        raise AssertionError(f"exit {result.returncode}: {result.stderr}")
    return result.stderr


def session(path):
    options = ort.SessionOptions()
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def fed(model, x):
    """Arrays as the file's inputs take them."""
    feeds = {}
    for tensor in model.get_inputs():
        values = np.asarray(x[tensor.name])
        if tensor.type == "tensor(string)":
            values = values.astype(object)
        else:
            values = values.astype(DTYPES[tensor.type])
        feeds[tensor.name] = values.reshape([len(values)] + tensor.shape[1:])
    return feeds


def difference(found, wanted):
    found, wanted = np.asarray(found, np.float64), np.asarray(wanted, np.float64)
    assert found.size == wanted.size, f"{found.shape} instead of {wanted.shape}"
    found = found.reshape(wanted.shape)
    assert np.array_equal(np.isnan(found), np.isnan(wanted)), "NaN elsewhere"
    return float(np.nanmax(np.abs(found - wanted) / np.maximum(1, np.abs(wanted)), initial=0))


def arrays(spec, folder):
    if isinstance(spec, dict):
        return {name: arrays(path, folder) for name, path in spec.items()}
    path, _, key = spec.partition(".npz:")
    return np.load(folder / (path + ".npz"))[key] if key else np.load(folder / path)


def predicted(model, x, names, work):
    if isinstance(x, dict):
        for name, values in x.items():
            np.save(work / f"{name}.npy", values)
        files = ", ".join(f'{json.dumps(name)} = "{name}.npy"' for name in x)
        (work / "data.toml").write_text(f"[data]\nx = {{ {files} }}\n")
        data = work / "data.toml"
    else:
        np.save(work / "x.npy", x)
        data = work / "x.npy"
    result = gradus("predict", model, "--data", data, "--out", work / "p.npy")
    assert result.returncode == 0, result.stderr
    return [np.load(work / ("p.npy" if len(names) == 1 else f"p_{name}.npy")) for name in names]


def golden(case, work):
    x = arrays(tomllib.loads((case / "case.toml").read_text())["data"]["x"], case)
    x = {name: values[:32] for name, values in x.items()} if isinstance(x, dict) else x[:32]
    model = case / "expected.keras"
    why = converted(model, work / "m.onnx")
    if why:
        assert any(reason in why for reason in MAY_BE_REFUSED), why
        return None
    run = session(work / "m.onnx")
    names = [tensor.name for tensor in run.get_outputs()]
    wanted = predicted(model, x, names, work)
    given = x if isinstance(x, dict) else {run.get_inputs()[0].name: x}
    found = run.run(None, fed(run, given))
    return max(*(difference(a, b) for a, b in zip(found, wanted)), read_again(work, x, names, wanted))


def read_again(work, x, names, wanted):
    """The difference of what gradus predicts by its own ONNX file, if that is one of those it reads."""
    why = gradus("convert", work / "m.onnx", work / "again.keras")
    if why.returncode != 0:
        assert why.returncode == 2 and ("is not read" in why.stderr or "input `" in why.stderr), why.stderr
        return 0
    AGAIN.append(work)
    return max(difference(a, b) for a, b in zip(predicted(work / "again.keras", x, names, work), wanted))


def network(path):
    """A random network with its inputs and predictions beside it."""
    onnx.checker.check_model(str(path), full_check=True)
    run = session(path)
    data = json.loads(path.with_suffix(".json").read_text())
    array = lambda of, kind: np.array(of["values"], kind).reshape([of["rows"], *of["row"]])
    kind = lambda of: object if any(isinstance(value, str) for value in of["values"]) else np.float64
    x, y = [{name: array(of, kind(of)) for name, of in data[part].items()} for part in "xy"]
    found = run.run(list(y), fed(run, x))
    return max(difference(a, b) for a, b in zip(found, y.values()))


def quantized(work):
    """The digits' network, folded, with int8 products."""
    model, small = work / "run/model.keras", work / "int8.keras"
    for command in (["train", "--out", work / "run", "--quiet", "--set", "train.epochs=3"],
                    ["optimize", model, small, "--fold-batch-norm", "--quantize", "int8"]):
        result = gradus(*command)
        assert result.returncode == 0, result.stderr
    why = converted(small, work / "m.onnx")
    assert why is None, why
    run = session(work / "m.onnx")
    x = np.random.default_rng(7).random((64, *run.get_inputs()[0].shape[1:]), np.float32)
    wanted = predicted(small, x, ["out"], work)[0]
    return difference(run.run(None, {run.get_inputs()[0].name: x})[0], wanted)


DENSE = """
data.dataset = "digits"
model = { recipe = "default", hidden = [60, 60] }
train.epochs = 8
"""
CONVOLUTIONS = """
[data]
dataset = "digits"
scale = "unit"
[model]
layers = [
  { type = "Reshape", target_shape = [8, 8, 1] },
  { type = "Conv2D", filters = 12, kernel_size = 3, padding = "same", activation = "relu" },
  { type = "DepthwiseConv2D", kernel_size = 3, strides = 2, padding = "same", depth_multiplier = 2 },
  { type = "Conv2D", filters = 16, kernel_size = 1, activation = "elu" },
  { type = "Conv2D", filters = 16, kernel_size = 2, groups = 4, use_bias = false },
  { type = "ReLU" },
  { type = "Flatten" },
  { type = "Dense", units = 10, activation = "softmax" },
]
[train]
loss = "sparse_categorical_crossentropy"
metrics = ["accuracy"]
epochs = 12
optimizer = { type = "Adam", learning_rate = 0.005 }
"""
PRODUCTS = {"Gemm", "MatMul", "Conv"}


def weights_of(path, names):
    """Of each product its kernel and bias as float numbers, and the steps of both, by the output channels' axis."""
    graph = onnx.load(str(path)).graph
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    made = {node.output[0]: node for node in graph.node}

    def constant(name):
        if name in constants:
            return constants[name], None
        node = made[name]
        x = constants.get(node.input[0])
        if node.op_type == "DequantizeLinear":
            axis = next(a.i for a in node.attribute if a.name == "axis")
            step = constants[node.input[1]].reshape([-1 if n == axis else 1 for n in range(x.ndim)])
            assert x.dtype in (np.int8, np.int32) and not any(constants[zero].any() for zero in node.input[2:])
            names.setdefault("largest", []).append(abs(x.astype(np.int64)).max() if x.dtype == np.int8 else 0)
            return x.astype(np.float64) * step, step
        if node.op_type == "Transpose":
            return constant(node.input[0])[0].transpose(next(a.ints for a in node.attribute if a.name == "perm")), None
        assert node.op_type == "Reshape", node.op_type
        return constant(node.input[0])[0].reshape(constants[node.input[1]]), None

    products = [node for node in graph.node if node.op_type in PRODUCTS]
    return [(node, made, [constant(name) for name in node.input[1:]]) for node in products]


def qdq(work, config, most):
    """The share of the test rows that an int8 file classifies otherwise, at most; each file's numbers are looked at."""
    (work / "c.toml").write_text(config)
    result = gradus("train", work / "c.toml", "--out", work / "run", "--quiet")
    assert result.returncode == 0, result.stderr
    model = work / "small.keras"
    assert gradus("optimize", work / "run", model).returncode == 0
    assert converted(model, work / "float.onnx") is None
    run = session(work / "float.onnx")
    name = run.get_inputs()[0].name
    shape = run.get_inputs()[0].shape[1:]
    pixels = gzip.decompress((HERE.parent / "crates/gradus/data/digits.gz").read_bytes())[1797:]
    digits = (np.frombuffer(pixels, np.uint8) / np.float32(16)).reshape([-1, *shape])
    wanted = run.run(None, {name: digits})[0]
    given = weights_of(work / "float.onnx", {})
    for method in ["min-max", "percentile", "entropy", "reduce-range"]:
        options = ["--reduce-range"] if method == "reduce-range" else ["--calibrate", method]
        why = converted(model, work / "int8.onnx", "--quantize", "int8", "--data", "digits:train", *options)
        assert why is None, why
        seen = {}
        found = weights_of(work / "int8.onnx", seen)
        assert len(found) == len(given) > 2, method
        assert max(seen["largest"]) == (64 if method == "reduce-range" else 127), method
        for (node, made, numbers), (_, _, exact) in zip(found, given):
            pair = made[node.input[0]]
            assert pair.op_type == "DequantizeLinear" and made[pair.input[0]].op_type == "QuantizeLinear", method
            for (a, step), (b, _) in zip(numbers, exact, strict=True):
                if step is not None:
                    assert np.all(np.abs(a - b) <= step * 0.5001), (method, node.name)
                else:
                    assert node.op_type == "MatMul" and np.array_equal(a, b), (method, node.name)
        y = session(work / "int8.onnx").run(None, {name: digits})[0]
        other = float(np.mean(y.argmax(1) != wanted.argmax(1)))
        print(f"  {method}: {other:.2%} of the rows in another class, mean difference {np.abs(y - wanted).mean():.1e}")
        assert other <= most, (method, other)
    return 0


def aware(work, config):
    """The difference of the int8 file of a quantization-aware model, by its learned ranges, from gradus' predictions. ONNX
    Runtime sums in another order, so that a number near a tie may be rounded to the next: of few rows, by a step."""
    (work / "c.toml").write_text(config)
    result = gradus("train", work / "c.toml", "--set", "train.quantization_aware={ bits = 8 }", "--out", work / "run", "--quiet")
    assert result.returncode == 0, result.stderr
    model = work / "small.keras"
    assert gradus("optimize", work / "run", model).returncode == 0
    why = converted(model, work / "int8.onnx", "--quantize", "int8")
    assert why is None, why
    run = session(work / "int8.onnx")
    shape = run.get_inputs()[0].shape[1:]
    pixels = gzip.decompress((HERE.parent / "crates/gradus/data/digits.gz").read_bytes())[1797:]
    digits = (np.frombuffer(pixels, np.uint8) / np.float32(16)).reshape([-1, *shape])
    wanted = predicted(model, digits, ["out"], work)[0]
    found = run.run(None, {run.get_inputs()[0].name: digits})[0]
    off = np.abs(found - wanted).max(1)
    other = float(np.mean(found.argmax(1) != wanted.argmax(1)))
    rounded = float(np.mean(off > TOLERANCE))
    assert converted(model, work / "float.onnx") is None
    floats = session(work / "float.onnx").run(None, {run.get_inputs()[0].name: digits})[0]
    print(f"  {rounded:.1%} of the rows beyond {TOLERANCE:.0e}, at most {off.max():.1e}; {other:.2%} in another class; mean difference "
          f"{off.mean():.1e}, that of the float file {np.abs(floats - wanted).max(1).mean():.1e}")
    assert other <= 0.003 and off.mean() < 0.1 * np.abs(floats - wanted).max(1).mean()
    return float(np.median(off))


# Tables: columns by name, each a function of random numbers that gives a cell. The first is what is predicted.
def day(draw, time=False):
    text = f"{draw.randint(1890, 2100):04}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"
    return text + (f" {draw.randint(0, 23):02}:{draw.randint(0, 59):02}:{draw.randint(0, 59):02}" if time else "")


def european(draw):
    year, month, of_month = day(draw).split("-")
    return f"{int(of_month)}/{month}/{year}"


TEXTS = {"place", "town", "colour"}
NAMES = [f"town {n}" for n in range(60)]
TABLES = {
    "houses": {
        "price": lambda draw: f"{draw.lognormvariate(12, 0.4):.2f}", "rooms": lambda draw: draw.randint(1, 9),
        "area, m²": lambda draw: f"{draw.gauss(90, 20):.1f}", "place": lambda draw: draw.choice(["inland", "bay", "by the sea"]),
        "sold": day, "garden": lambda draw: draw.choice(["yes", "no"]),
    },
    "visits": {
        "class": lambda draw: draw.choice(["a", "b", "c"]), "time": lambda draw: day(draw, time=True), "born": european,
        "town": lambda draw: draw.choice(NAMES), "stamp": lambda draw: 1_700_000_000 + draw.randint(0, 5000),
    },
    "short": {
        "answer": lambda draw: draw.choice(["no", "yes"]), "x": lambda draw: f"{draw.gauss(2000, 1):.4f}",
        "colour": lambda draw: draw.choice(["red", "green"]), "day": lambda draw: day(draw).replace("-", "/"),
    },
}


def table(name, columns, work):
    draw = random.Random(7)
    target = next(iter(columns))
    rows = [{column: cell(draw) for column, cell in columns.items()} for _ in range(600)]
    for row in rows:
        for column in columns:
            if column != target and draw.random() < 0.05:
                row[column] = ""
    raw = [dict(row) for row in rows[:200]]
    for row in raw:
        del row[target]
        for column in TEXTS & row.keys():
            row[column] = draw.choice([row[column], "never seen", ""])
    for file, part in [("train", rows[200:]), ("raw", raw)]:
        with open(work / f"{file}.csv", "w", newline="", encoding="utf-8") as to:
            writer = csv.DictWriter(to, list(part[0]))
            writer.writeheader()
            writer.writerows(part)
    (work / "t.toml").write_text(f'[data]\ntable = "train.csv"\ntarget = "{target}"\n[model]\nrecipe = "default"\n[train]\nepochs = 3\n')
    result = gradus("train", work / "t.toml", "--out", work / "run", "--quiet")
    assert result.returncode == 0, result.stderr
    model = work / "run/model.keras"
    result = gradus("predict", model, "--data", work / "raw.csv", "--out", work / "p.csv")
    assert result.returncode == 0, result.stderr
    with open(work / "p.csv", newline="", encoding="utf-8") as file:
        scored = list(csv.DictReader(file))
    why = converted(model, work / "m.onnx")
    assert why is None, why
    run = session(work / "m.onnx")
    numbers = lambda cells: np.array([float({"yes": 1, "no": 0, "": math.nan}.get(cell, cell)) for cell in cells])
    x = {}
    for tensor in run.get_inputs():
        cells = [str(row[tensor.name]) for row in raw]
        x[tensor.name] = np.array(cells, object) if tensor.type == "tensor(string)" else numbers(cells)
    found = run.run(None, fed(run, x))[0].reshape(len(raw), -1)
    classes = {entry.key: entry.value for entry in onnx.load(str(work / "m.onnx")).metadata_props}.get("classes")
    if classes is None:
        wanted = np.array([[float(row[target])] for row in scored])
    else:
        wanted = np.array([[float(row[f"{target}_{name}"]) for name in json.loads(classes)] for row in scored])
        wanted = wanted[:, -found.shape[1]:]
    assert converted(model, work / "core.onnx", "--core") is None
    domains = {node.domain for node in onnx.load(str(work / "core.onnx")).graph.node}
    assert domains == {""}, domains
    return difference(found, wanted)


def main():
    jobs = [(f"golden {case.name}", lambda work, case=case: golden(case, work)) for case in sorted(CASES.iterdir())]
    if ARGUMENTS.networks:
        files = sorted(ARGUMENTS.networks.glob("*.onnx"))
        assert len(files) >= 20, f"{len(files)} random networks in {ARGUMENTS.networks}"
        jobs += [(f"network {path.stem}", lambda work, path=path: network(path)) for path in files]
    jobs.append(("quantized", quantized))
    jobs.append(("int8 dense", lambda work: qdq(work, DENSE, 0.02)))
    jobs.append(("int8 convolutions", lambda work: qdq(work, CONVOLUTIONS, 0.02)))
    jobs.append(("quantization-aware dense", lambda work: aware(work, DENSE)))
    jobs.append(("quantization-aware convolutions", lambda work: aware(work, CONVOLUTIONS)))
    jobs += [(f"table {name}", lambda work, name=name: table(name, TABLES[name], work)) for name in TABLES]
    worst, refused, failed, done = (0, "none"), [], [], 0
    for name, job in jobs:
        if ARGUMENTS.only and ARGUMENTS.only not in name:
            continue
        with tempfile.TemporaryDirectory() as work:
            try:
                found = job(pathlib.Path(work))
            except Exception as error:  # each failure is reported, not the first alone
                failed.append(f"{name}: {type(error).__name__} {error}")
                continue
        done += 1
        if found is None:
            refused.append(name)
        else:
            worst = max(worst, (found, name))
            if not found <= TOLERANCE:
                failed.append(f"{name}: differs by {found:.1e}")
    print(f"{done} models, {len(refused)} of them refused ({', '.join(refused) or 'none'}); largest difference {worst[0]:.1e} ({worst[1]}); "
          f"{len(AGAIN)} were read again")
    for line in failed:
        print(f"onnx: {line}", file=sys.stderr)
    return 1 if failed or not done else 0


parser = argparse.ArgumentParser()
parser.add_argument("gradus")
parser.add_argument("--networks", type=pathlib.Path)
parser.add_argument("--only")
ARGUMENTS = parser.parse_args()
sys.exit(main())

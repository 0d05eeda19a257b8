#!/usr/bin/env python3
"""Do the models that gradus has trained go back to real Keras? All golden cases, in one process.

    return_to_keras.py GRADUS RUNS

RUNS/NAME/model.keras is what `gradus train cases/NAME/case.toml --out RUNS/NAME` left; the parity test leaves them all in
target/tmp/parity. For each, Keras loads the file without a warning, predicts the case's x as gradus does within 1e-5, with
the optimizer's iteration where gradus left it, and trains on: one step, after which the loss is a number, the iteration one
more and some weight another. KERAS_BACKEND chooses the backend. Cases with texts, and with layers that JAX cannot trace, run
on TensorFlow alone: other backends leave them out, and `return_to_keras.py GRADUS RUNS --texts` takes only them.
"""
import json, os, pathlib, subprocess, sys, tempfile, time, tomllib, warnings
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "jax")
import keras
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[3] / "docs"))
import gradus_layers  # noqa: F401  registers the layers that Keras has none of

TOLERANCE = 1e-5
AT_LEAST = 25
ROWS = 16


def arrays(spec, folder):
    """One array, or a table of them by name."""
    if isinstance(spec, dict):
        return {name: arrays(path, folder) for name, path in spec.items()}
    path, _, key = spec.partition(".npz:")
    if key:
        return np.load(folder / (path + ".npz"))[key]
    return np.load(folder / path)


def given_to_keras(values):
    # TensorFlow takes texts as its own tensors alone, and then nothing else beside them.
    if keras.backend.backend() != "tensorflow":
        return values
    import tensorflow as tf
    return tf.constant(values)


def is_tensorflows(case):
    """Whether no other backend trains it: texts, and layers that JAX cannot trace."""
    if "cannot trace" in json.loads((case / "expected.json").read_text()).get("tensorflow_alone", ""):
        return True
    x = tomllib.loads((case / "case.toml").read_text())["data"]["x"]
    return isinstance(x, dict) and any(np.load(case / path, mmap_mode="r").dtype.kind == "U" for path in x.values())


def predicted(gradus, model, x, names):
    """What gradus predicts, output by output."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        parts = x if isinstance(x, dict) else {"x": x}
        for name, values in parts.items():
            np.save(folder / f"{name}.npy", values)
        if isinstance(x, dict):
            files = ", ".join(f'{json.dumps(name)} = "{name}.npy"' for name in x)
            (folder / "data.toml").write_text(f"[data]\nx = {{ {files} }}\n")
            data = folder / "data.toml"
        else:
            data = folder / "x.npy"
        subprocess.run([gradus, "predict", model, "--data", data, "--out", folder / "p.npy"], check=True, capture_output=True)
        if len(names) == 1:
            return [np.load(folder / "p.npy")]
        return [np.load(folder / f"p_{name}.npy") for name in names]


def listed(values):
    return list(values.values()) if isinstance(values, dict) else list(values) if isinstance(values, (list, tuple)) else [values]


def check(gradus, case, run):
    config = tomllib.loads((case / "case.toml").read_text())
    x = arrays(config["data"]["x"], case)
    y = arrays(config["data"]["y"], case)
    first = lambda v: {n: a[:ROWS] for n, a in v.items()} if isinstance(v, dict) else v[:ROWS]
    x, y = first(x), first(y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = keras.models.load_model(run / "model.keras")
    names = list(getattr(model, "output_names", ["output"]))  # a Sequential has none
    given = x if not isinstance(x, dict) else [given_to_keras(x[t.name]) for t in model.inputs]
    theirs = [np.asarray(o) for o in listed(model(given, training=False))]
    ours = predicted(gradus, run / "model.keras", x, names)
    for name, a, b in zip(names, theirs, ours, strict=True):
        if a.shape != b.shape:
            return f"{name}: Keras predicts shape {a.shape}, gradus {b.shape}"
        difference = float(np.abs(a - b).max() / max(1.0, np.abs(a).max()))
        if not difference <= TOLERANCE:
            return f"{name}: predictions differ by {difference:.1e}"
    if model.optimizer is None:
        return "no compile_config"
    # Batches, where `iterations` counts the steps that gradients are gathered for.
    before, weights = int(model.optimizer._iterations), model.get_weights()
    rate = float(model.optimizer.learning_rate)
    expected = json.loads((case / "expected.json").read_text())["iterations"]
    if before != expected:
        return f"the optimizer is at step {before}, expected {expected}"
    model.run_eagerly = True  # no time to compile each
    targets = y if not isinstance(y, dict) else [y[name] for name in names if name in y]
    loss = listed(model.train_on_batch(given, targets))[0]
    if not np.isfinite(loss):
        return f"Keras trains on to a loss of {loss}"
    if int(model.optimizer._iterations) != before + 1:
        return "Keras takes no step"
    if model.trainable_weights and all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights())):
        if rate > 0 and not model.optimizer.gradient_accumulation_steps:
            return "Keras' step changes nothing"
    return None


def main():
    gradus, runs, only_texts = sys.argv[1], pathlib.Path(sys.argv[2]), "--texts" in sys.argv
    start, passed, failures = time.monotonic(), 0, []
    for case in json.loads((HERE / "cases.json").read_text()):
        run = runs / case["name"]
        if not (run / "model.keras").exists():
            continue  # gradus refuses it: parity_not_yet.txt
        texts = is_tensorflows(HERE / "cases" / case["name"])
        if texts != only_texts and (only_texts or keras.backend.backend() != "tensorflow"):
            continue
        try:
            problem = check(gradus, HERE / "cases" / case["name"], run)
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        if problem:
            failures.append(f"{case['name']}: {problem}")
        else:
            passed += 1
    print(f"{passed} models that gradus trained predict the same in Keras and train on there ({time.monotonic() - start:.0f} s)")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures or passed < (1 if only_texts else AT_LEAST) else 0


if __name__ == "__main__":
    sys.exit(main())

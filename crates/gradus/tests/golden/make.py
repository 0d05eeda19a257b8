#!/usr/bin/env python3
"""Make the golden cases: real Keras trains small networks, the Rust tests must take the same steps.

    make.py                      remake everything
    make.py --group A            one group, or several: --group A --group B
    make.py --only NAME...       these cases
    make.py --list               print the table

TensorFlow writes init.keras and the expected files; JAX then trains from the same
init.keras, and what the two differ by sets the case's tolerance. Group E is JAX's alone,
and `--group E` needs no TensorFlow.
"""
import argparse, io, json, math, os, re, shutil, subprocess, sys, tempfile, time, zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
CASES, DATA = HERE / "cases", HERE / "data"
FLOOR, SMALLEST = 2e-5, 0.01     # least tolerance; least magnitude that a difference is divided by
OF_JAX = "E"                     # the group that JAX makes alone


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--group", action="append")
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--stage", choices=["tensorflow", "jax"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.stage:
        return stage(args)
    chosen = sys.argv[1:]
    if args.list:
        from cases import CASE_LIST
        for case in CASE_LIST:
            print(f"{case['group']}  {case['name']:40s} {', '.join(case['covers'])}")
        return
    for backend in ("jax",) if args.group == [OF_JAX] else ("tensorflow", "jax"):
        env = dict(os.environ, KERAS_BACKEND=backend, TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="",
                   TF_ENABLE_ONEDNN_OPTS="0", JAX_PLATFORMS="cpu", PYTHONHASHSEED="0",
                   XLA_FLAGS="--xla_cpu_multi_thread_eigen=false --xla_backend_optimization_level=0 "
                             "--xla_llvm_disable_expensive_passes=true",
                   JAX_COMPILATION_CACHE_DIR=os.path.join(tempfile.gettempdir(), "gradus-golden-jax"),
                   JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0")
        subprocess.run([sys.executable, __file__, *chosen, "--stage", backend], env=env, check=True)


def stage(args):
    import numpy as np
    import cases as table
    DATA.mkdir(exist_ok=True)
    for name, array in table.ARRAYS.items():
        np.save(DATA / f"{name}.npy", array)
    if args.stage == "tensorflow":
        import tensorflow as tf
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        tf.config.experimental.enable_op_determinism()
        if not args.only:
            table.write_tables(HERE / "tables")
        tf.get_logger().setLevel("ERROR")
    import warnings
    warnings.filterwarnings("ignore", message="Skipping variable loading for optimizer")
    failures = []
    for case in table.CASE_LIST:
        if args.only and case["name"] not in args.only or args.group and case["group"] not in args.group:
            continue
        if args.stage == "tensorflow" and case["group"] == OF_JAX:
            continue
        start = time.time()
        try:
            note = (write_case if args.stage == "tensorflow" or case["group"] == OF_JAX else measure_case)(case)
        except Exception as error:                                    # one bad case must not cost the others
            import traceback
            traceback.print_exc()
            failures.append(case["name"])
            note = f"FAILED {type(error).__name__}: {str(error)[:200]}"
        print(f"{args.stage:10s} {case['group']} {case['name']:40s} {time.time() - start:5.1f}s  {note}", flush=True)
    write_index(table.CASE_LIST)
    if failures:
        sys.exit(f"{len(failures)} failed: {' '.join(failures)}")


# ---- one case --------------------------------------------------------------

def write_case(case):
    """On TensorFlow, or on JAX alone: init.keras, case.toml, and what training makes of them."""
    import keras, numpy as np
    folder = CASES / case["name"]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "case.toml").write_text(toml(case))
    write_init(case, folder / "init.keras")
    model, history, scores, predictions = train(folder)
    save(model, folder / "expected.keras")
    if isinstance(predictions, dict):
        for name, array in predictions.items():
            np.save(folder / f"predict_{name}.npy", array)
    else:
        np.save(folder / "predict.npy", predictions)
    alone = {"tolerance": FLOOR, "backend_difference": None} if case["group"] == OF_JAX else {}
    expected = {"keras": keras.version(), "backend": keras.backend.backend(), **alone,
                "iterations": int(keras.ops.convert_to_numpy(model.optimizer._iterations)),
                "epochs_run": len(history["loss"]), "history": history, "evaluate": scores}
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    return f"loss {history['loss'][0]:.4f} -> {history['loss'][-1]:.4f}"


def measure_case(case):
    """On JAX: train from the same file, set the tolerance from the difference."""
    import numpy as np
    folder = CASES / case["name"]
    expected = json.loads((folder / "expected.json").read_text())
    difference = {"weights": 0.0, "slots": 0.0, "slots_unfloored": 0.0, "losses": 0.0, "metrics": 0.0}
    if case["alone"]:
        expected.update(tolerance=FLOOR, backend_difference=None, tensorflow_alone=case["alone"])
    else:
        outputs = [key for key in expected["evaluate"] if key.endswith("_loss")]
        model, history, scores, _ = train(folder, evaluate=bool(outputs), predict=False)
        with tempfile.TemporaryDirectory() as temporary:
            save(model, Path(temporary) / "other.keras")
            mine, theirs = variables(Path(temporary) / "other.keras"), variables(folder / "expected.keras")
        assert mine.keys() == theirs.keys(), (sorted(mine), sorted(theirs))
        def seen(key, a, b, smallest=SMALLEST):
            a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
            assert a.shape == b.shape, (key, a.shape, b.shape)
            assert np.isfinite(a).all() and np.isfinite(b).all(), f"{key} is not finite"
            if a.size:
                difference[key] = max(difference[key], float(np.abs(a - b).max() / max(np.abs(b).max(), smallest)))
        for path in theirs:
            if path == "optimizer/vars/0":
                assert int(mine[path]) == int(theirs[path]), path
            elif path.startswith("optimizer/"):
                seen("slots", mine[path], theirs[path])
                seen("slots_unfloored", mine[path], theirs[path], 1e-30)
            else:
                seen("weights", mine[path], theirs[path])
        assert history.keys() == expected["history"].keys(), (history.keys(), expected["history"].keys())
        for key in history:
            if key.endswith("_loss") and key != "val_loss":    # TensorFlow averages an output's loss over batches, JAX over rows
                expected["history"][key] = history[key]
            seen("losses" if key.endswith("loss") else "metrics", history[key], expected["history"][key])
        expected["evaluate"].update({key: scores[key] for key in outputs})
        worst = max(difference[k] for k in ("weights", "slots", "losses"))
        expected.update(tolerance=max(FLOOR, 10 * worst), backend_difference=difference)
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    return (f"tolerance {expected['tolerance']:.1e}"
            + (f"  METRICS DIFFER {difference['metrics']:.1e}" if difference["metrics"] > 1e-4 else ""))


def write_init(case, path):
    import keras, numpy as np
    keras.utils.clear_session()
    model = case["model"]()
    rng = np.random.default_rng(case["seed"])
    for weight in model.weights:
        values = start_value(weight, rng)
        if values is not None:
            weight.assign(values)
    config = read_config(case_toml=toml(case))
    if case["pretrain"]:                       # a file that Keras has already trained from: with optimizer state
        setup = case["pretrain"]
        compile_model(model, setup["train"])
        x, y, w = load_data({"data": setup["data"]}, DATA)
        model.fit(x, y, sample_weight=w, epochs=setup["train"]["epochs"], shuffle=False, verbose=0,
                  batch_size=setup["train"]["batch_size"])
    else:
        compile_model(model, config["train"])
    save(model, path)


def start_value(weight, rng):
    """Starting weights that hide nothing: no zeros and ones where Keras would put them."""
    name, shape = weight.path.split("/")[-1], tuple(weight.shape)
    noise = rng.standard_normal(shape)
    if name in ("mean", "variance", "count", "seed_generator_state"):
        return None                              # Normalization's own, from adapt()
    if name == "gamma":
        noise = 1 + 0.2 * noise
    elif name == "moving_variance":
        noise = 1 + 0.3 * np_abs(noise)
    elif name == "alpha":
        noise = 0.25 + 0.1 * noise
    elif len(shape) >= 2:
        noise = noise / math.prod(shape[:-1]) ** 0.5
    else:
        noise = 0.1 * noise
    return noise.astype("float32")


def np_abs(values):
    import numpy as np
    return np.abs(values)


def train(folder, evaluate=True, predict=True):
    """What the Rust test does too: read case.toml, load init.keras, train, evaluate, predict."""
    import keras
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    config = read_config(folder / "case.toml")
    model, settings = keras.models.load_model(folder / config["model"]["file"]), config["train"]
    names = [layer.name for layer in model.layers]
    for pattern, value in config["model"].get("trainable", {}).items():      # the later key wins
        expression = re.compile(re.escape(pattern).replace(r"\*", ".*") + "$")
        matched = [name for name in names if expression.match(name)]
        assert matched, pattern
        for name in matched:
            model.get_layer(name).trainable = value
    if "optimizer" in settings:                                       # what is left out comes from the file
        brought = {"loss": model.loss, "metrics": model._compile_metrics._user_metrics if model._compile_metrics else None}
        compile_model(model, {**brought, **settings})
    else:
        model.jit_compile = False
        model.make_train_function(force=True)
    x, y, weights = load_data(config, folder)
    train_x, train_y, train_w, validation, split = x, y, weights, None, 0.0
    wanted = config["data"].get("validation", {})
    if "first" in wanted:
        n = wanted["first"]
        head, tail = (lambda a: pick(a, slice(None, n))), (lambda a: pick(a, slice(n, None)))
        validation = (head(x), head(y)) if weights is None else (head(x), head(y), head(weights))
        train_x, train_y, train_w = tail(x), tail(y), tail(weights)
    elif "fraction" in wanted:
        split = wanted["fraction"]
    elif "x" in wanted:
        validation = load_data({"data": wanted}, folder)[:2]
    class_weight = {int(k): v for k, v in settings.get("class_weight", {}).items()} or None
    callbacks = []
    if "early_stopping" in config.get("callbacks", {}):
        callbacks.append(keras.callbacks.EarlyStopping(**config["callbacks"]["early_stopping"]))
    if "reduce_lr_on_plateau" in config.get("callbacks", {}):
        callbacks.append(keras.callbacks.ReduceLROnPlateau(**config["callbacks"]["reduce_lr_on_plateau"]))
    fitted = model.fit(train_x, train_y, sample_weight=train_w, class_weight=class_weight, verbose=0,
                       batch_size=settings["batch_size"], epochs=settings["epochs"], shuffle=settings["shuffle"],
                       initial_epoch=settings.get("initial_epoch", 0),
                       validation_data=validation, validation_split=split, callbacks=callbacks)
    history = {key: [plain(v) for v in values] for key, values in fitted.history.items()}
    scores, predictions = {}, None
    if evaluate:
        scores = model.evaluate(x, y, batch_size=settings["batch_size"], verbose=0, return_dict=True)
    if predict:
        predictions = model.predict(x, batch_size=settings["batch_size"], verbose=0)
        if isinstance(predictions, (list, tuple)):
            predictions = dict(zip(model.output_names, predictions))
    return model, history, {key: plain(v) for key, v in scores.items()}, predictions


def compile_model(model, settings):
    import keras
    model.compile(optimizer=build(settings["optimizer"], keras.optimizers, keras.optimizers.schedules),
                  loss=build(settings["loss"], keras.losses), loss_weights=settings.get("loss_weights"),
                  metrics=build(settings.get("metrics"), keras.metrics) or None,
                  weighted_metrics=build(settings.get("weighted_metrics"), keras.metrics),
                  jit_compile=False)       # compiling would cost most of the time


def build(spec, *modules):
    """A Keras object from its config table: { type = "Nadam", learning_rate = 0.01 }."""
    if isinstance(spec, list):
        return [build(item, *modules) for item in spec]
    if not isinstance(spec, dict):
        return spec
    arguments = {key: build(value, *modules) for key, value in spec.items() if key not in ("type", "exclude_from_weight_decay")}
    if "type" not in spec:
        return arguments
    kind = next(getattr(module, spec["type"]) for module in modules if hasattr(module, spec["type"]))
    made = kind(**arguments)
    if "exclude_from_weight_decay" in spec:        # in Keras a method, not an argument
        made.exclude_from_weight_decay(var_names=spec["exclude_from_weight_decay"])
    return made


def read_config(path=None, case_toml=None):
    import tomllib
    return tomllib.loads(case_toml if case_toml is not None else path.read_text())


def load_data(config, folder):
    import numpy as np
    data = config["data"]
    read = lambda at: {k: read(v) for k, v in at.items()} if isinstance(at, dict) else texts(np.load(Path(folder) / at))
    return read(data["x"]), read(data["y"]), read(data["sample_weight"]) if "sample_weight" in data else None


def texts(array):
    """Texts as TensorFlow wants them."""
    if array.dtype.kind != "U":
        return array
    import tensorflow as tf
    return tf.constant(array)


def pick(data, rows):
    if isinstance(data, dict):
        return {k: v[rows] for k, v in data.items()}
    return data if data is None else data[rows]


def plain(value):
    import numpy as np
    array = np.asarray(value)
    return float(array) if array.ndim == 0 else [float(v) for v in array.ravel()]


# ---- files -------------------------------------------------------------------

def save(model, path):
    """Keras' own file, then packed again: deflated, no dates, ids counted from 1, so that remaking changes nothing."""
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = [(info.filename, archive.read(info)) for info in archive.infolist()]
    order = {}
    def renumber(value):
        if isinstance(value, dict):
            return {k: order.setdefault(v, len(order) + 1) if k == "shared_object_id" else renumber(v) for k, v in value.items()}
        return [renumber(v) for v in value] if isinstance(value, list) else value
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in parts:
            if name == "metadata.json":
                content = json.dumps({**json.loads(content), "date_saved": "2026-01-01@00:00:00"}).encode()
            elif name == "config.json":
                content = json.dumps(renumber(json.loads(content))).encode()
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED, 9)
    path.write_bytes(packed.getvalue())


def variables(path):
    import h5py
    found = {}
    with zipfile.ZipFile(path) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as h5:
        h5.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


def toml(case):
    lines = [f"# {case['name']}: {', '.join(case['covers'])}. Made by make.py; do not edit.", ""]
    for table in ("data", "model", "train", "callbacks"):
        if case["toml"].get(table):
            lines.append(f"[{table}]")
            lines += [f"{key(k)} = {value(v)}" for k, v in case["toml"][table].items()]
            lines.append("")
    return "\n".join(lines)


def key(name):
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)


def value(v):
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, (str, int)):
        return json.dumps(v)
    if isinstance(v, float):
        return repr(v) if re.search("[.e]", repr(v)) else repr(v) + ".0"
    if isinstance(v, list):
        return "[" + ", ".join(map(value, v)) + "]"
    return "{ " + ", ".join(f"{key(k)} = {value(item)}" for k, item in v.items()) + " }"


def write_index(case_list):
    index = []
    for case in case_list:
        path = CASES / case["name"] / "expected.json"
        if path.exists():
            expected = json.loads(path.read_text())
            index.append({"name": case["name"], "group": case["group"], "covers": case["covers"],
                          "beyond_issue": case["beyond"], "tolerance": expected.get("tolerance")})
    (HERE / "cases.json").write_text("[\n" + ",\n".join(" " + json.dumps(entry) for entry in index) + "\n]\n")


if __name__ == "__main__":
    main()

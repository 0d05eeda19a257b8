#!/usr/bin/env python3
"""Does real Keras read a model that gradus wrote?

    check_in_keras.py MODEL.keras X.npy PRED.npy [--train] [--y Y.npy]

Loads MODEL, predicts X and compares with PRED (gradus' predictions) within 1e-5; with --train also checks that the
optimizer's state came along and fits one more epoch. X and PRED may be .npz for several inputs or outputs, keyed by name.
Exit code 0: all well, 1: not. KERAS_BACKEND chooses the backend.
"""
import argparse, os, sys, warnings
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "jax")
import numpy as np

TOLERANCE = 1e-5


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("x")
    parser.add_argument("predictions")
    parser.add_argument("--train", action="store_true", help="the optimizer's state must be there; fit one more epoch")
    parser.add_argument("--y", help="targets for --train (otherwise made from the predictions)")
    args = parser.parse_args()
    import keras
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = keras.models.load_model(args.model)
    skipped = [str(w.message) for w in caught if "Skipping variable loading" in str(w.message)]
    x, wanted = read(args.x), named(read(args.predictions), model)
    found = named(model.predict(x, verbose=0), model)
    for name in found:
        if found[name].shape != wanted[name].shape:
            return fail(f"{name}: Keras predicts shape {found[name].shape}, gradus {wanted[name].shape}")
        difference = float(np.abs(found[name] - wanted[name]).max() / max(1.0, np.abs(found[name]).max()))
        print(f"{name}: largest difference {difference:.2e}")
        if not difference <= TOLERANCE:
            return fail(f"{name}: predictions differ by {difference:.2e}, more than {TOLERANCE}")
    if args.train:
        if model.optimizer is None:
            return fail("the file has no compile_config")
        before = int(keras.ops.convert_to_numpy(model.optimizer._iterations))
        if skipped:
            return fail(skipped[0])
        if before <= 0:
            return fail("the optimizer's iteration is 0: its state did not load")
        y = read(args.y) if args.y else targets(model, found)
        losses = model.fit(x, y, epochs=1, verbose=0).history
        after = int(keras.ops.convert_to_numpy(model.optimizer._iterations))
        print(f"{model.optimizer.name}: iteration {before} -> {after}, {len(model.optimizer.variables)} variables, loss {losses['loss'][0]:.6f}")
        if after <= before or not np.isfinite(losses["loss"][0]):
            return fail("Keras could not go on training")
    print("ok")
    return 0


def read(path):
    loaded = np.load(path)
    return {key: loaded[key] for key in loaded.files} if path.endswith(".npz") else loaded


def named(values, model):
    if isinstance(values, dict):
        return values
    names = getattr(model, "output_names", None) or ["output"]
    return dict(zip(names, values if isinstance(values, (list, tuple)) else [values]))


def targets(model, predictions):
    """Targets that fit the loss: classes for sparse losses, the predictions themselves for the others."""
    losses = model.get_compile_config()["loss"]
    made = {}
    for i, (name, values) in enumerate(predictions.items()):
        loss = losses[name] if isinstance(losses, dict) and name in losses else losses[i] if isinstance(losses, list) else losses
        made[name] = values.argmax(-1) if "sparse" in str(loss).lower() else values
    return made if len(made) > 1 else next(iter(made.values()))


def fail(message):
    print(f"check_in_keras: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

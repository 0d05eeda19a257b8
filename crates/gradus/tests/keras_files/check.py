"""Checks with real Keras that gradus' copy of a model is the model.

    cargo build --example copy_keras
    KERAS_BACKEND=jax python check.py target/debug/examples/copy_keras FILE.keras...

Of each file gradus makes a copy. Keras must load it, without a warning, with the
same weights and optimizer variables, predict the same, and train on to the same
weights as with the original, bit for bit.
"""

import pathlib
import subprocess
import sys
import tempfile
import warnings

import keras
import numpy as np


def loaded(path):
    keras.utils.set_random_seed(1)  # a Dropout takes its seed when it is made
    model = keras.saving.load_model(path)
    model.jit_compile = True  # gradus does not keep it, and it changes roundings
    return model


def trained_on(model):
    """The model's weights after a little more training, if it was compiled."""
    if not getattr(model, "compiled", False):
        return []
    random = np.random.default_rng(1)
    x = random.normal(size=(24, *model.input_shape[1:])).astype("float32")
    if "sparse" in str(model.get_compile_config()["loss"]).lower():
        y = random.integers(0, model.output_shape[-1], 24)
    else:
        y = random.uniform(size=(24, *model.output_shape[1:])).astype("float32")
    model.fit(x, y, epochs=2, batch_size=8, shuffle=False, verbose=0)
    return [np.array(w) for w in model.get_weights()]


def same(kind, theirs, ours):
    assert len(theirs) == len(ours), f"{len(ours)} {kind}, expected {len(theirs)}"
    for i, (a, b) in enumerate(zip(theirs, ours)):
        a, b = (v if isinstance(v, str) else keras.ops.convert_to_numpy(v) for v in (a, b))
        np.testing.assert_array_equal(a, b, f"{kind} {i}")


def check(copy, path):
    with tempfile.TemporaryDirectory() as folder:
        target = pathlib.Path(folder) / "copy.keras"
        subprocess.run([copy, path, target], check=True, stdout=subprocess.DEVNULL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras complains of its own unbuilt optimizers
            theirs = loaded(path)
            iteration = theirs.optimizer and int(theirs.optimizer.iterations)
            warnings.simplefilter("error" if iteration else "ignore")
            ours = loaded(target)
        same("names", [v.path for v in theirs.weights], [v.path for v in ours.weights])
        same("weights", theirs.get_weights(), ours.get_weights())
        same("trainable", *([v.path for v in m.trainable_weights] for m in (theirs, ours)))
        if theirs.optimizer:
            same("variables", theirs.optimizer.variables, ours.optimizer.variables)
        x = np.random.default_rng(0).normal(size=(9, *theirs.input_shape[1:]))
        same("predictions", *(m.predict(x, verbose=0) for m in (theirs, ours)))
        same("weights trained on", trained_on(theirs), trained_on(ours))


if __name__ == "__main__":
    copy, *paths = sys.argv[1:]
    for path in paths:
        try:
            check(copy, path)
        except Exception as error:
            sys.exit(f"{path}: {error}")
    print(f"{len(paths)} files: Keras finds gradus' copies the same")

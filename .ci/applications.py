#!/usr/bin/env python3
"""Networks of keras.applications, with random weights and small images: gradus loads the files that real Keras
saves, predicts the same within 1e-4, trains a new head on a frozen base, and Keras takes that model back.

    applications.py GRADUS [NAME...]
"""
import os, pathlib, subprocess, sys, tempfile

os.environ.setdefault("KERAS_BACKEND", "jax")
import keras
import numpy as np

# The side of the images, the network's own arguments, and the range of its inputs.
NETWORKS = {
    "MobileNetV2": (64, {"alpha": 0.35}, (-1, 1)),
    "MobileNetV3Small": (64, {}, (0, 255)),
    "ResNet50V2": (64, {}, (-1, 1)),
    "EfficientNetV2B0": (64, {}, (0, 255)),
    "VGG16": (32, {}, (-1, 1)),
}
TOLERANCE = 1e-4
CLASSES = 10

HEAD = """data = {{ x = "{name}-x.npy", y = "y.npy", validation = {{ first = 2 }} }}
model.layers = [
  {{ reuse = "{name}.keras", drop = 1, trainable = false }},
  {{ type = "Dense", units = 3, activation = "softmax" }},
]
[train]
loss = "sparse_categorical_crossentropy"
optimizer = {{ type = "SGD", learning_rate = 0.001 }}
epochs = 2
"""


def network(name, random, x):
    """The network, with weights through which its images are told apart: He's, and the statistics of these images."""
    side, arguments, _ = NETWORKS[name]
    made = getattr(keras.applications, name)
    model = made(input_shape=(side, side, 3), weights=None, classes=CLASSES, classifier_activation=None, **arguments)
    for weight in model.weights:
        kind = weight.path.rsplit("/", 1)[-1]
        if kind in ("beta", "bias"):
            weight.assign(random.normal(0, 0.1, weight.shape).astype("float32"))
        elif kind == "gamma":
            weight.assign(random.uniform(0.5, 1.5, weight.shape).astype("float32"))
        elif kind == "kernel" and len(weight.shape) == 4:
            inputs = np.prod(weight.shape[:2 if "depthwise" in weight.path else 3])
            weight.assign(random.normal(0, (2 / inputs) ** 0.5, weight.shape).astype("float32"))
    normalizations = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    before = [layer.momentum for layer in normalizations]
    for layer in normalizations:
        layer.momentum = 0.0
    model(x, training=True)
    for layer, momentum in zip(normalizations, before):
        layer.momentum = momentum
    return model


def main():
    gradus, names = str(pathlib.Path(sys.argv[1]).resolve()), sys.argv[2:] or list(NETWORKS)
    wrong = []
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            keras.utils.set_random_seed(1)
            random = np.random.default_rng(1)
            side, _, (low, high) = NETWORKS[name]
            # A colour for each image, and something in it.
            x = random.uniform(0, 0.5, (8, 1, 1, 3)) + random.uniform(0, 0.5, (8, side, side, 3))
            x = (low + (high - low) * x).astype("float32")
            np.save(folder / f"{name}-x.npy", x)
            np.save(folder / "y.npy", np.arange(8, dtype="uint8") % 3)

            def run(*arguments):
                subprocess.run([gradus, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)

            def difference(model, file):
                run("predict", file, "--data", f"{name}-x.npy", "--out", "predicted.npy")
                expected = model.predict(x, verbose=0)
                # The images must tell, in numbers that are not tiny beside the tolerance.
                told = expected.std(axis=0).max()
                assert np.isfinite(expected).all() and told > 10 * TOLERANCE, f"a reference that says nothing: {told}"
                # Of numbers far above 1 a share: without a softmax some networks give such.
                return np.abs(np.load(folder / "predicted.npy") - expected).max() / max(1, np.abs(expected).max())

            model = network(name, random, x)
            model.save(folder / f"{name}.keras")
            there = difference(model, f"{name}.keras")
            (folder / "head.toml").write_text(HEAD.format(name=name))
            run("train", "head.toml", "--out", "run", "--quiet")
            back = difference(keras.models.load_model(folder / "run/model.keras"), "run/model.keras")
            print(f"{name}: {len(model.layers)} layers, {model.count_params()} weights; largest difference of predictions "
                  f"{there:.1e}, with a new head, back in Keras, {back:.1e}", flush=True)
            if not max(there, back) <= TOLERANCE:
                wrong.append(name)
    if wrong:
        sys.exit(f"differ by more than {TOLERANCE}: {', '.join(wrong)}")


main()

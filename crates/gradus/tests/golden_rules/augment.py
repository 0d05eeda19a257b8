"""Keras' layers of augmentation under given random numbers: makes augment.json.

    KERAS_BACKEND=jax python augment.py

JAX is the reference: TensorFlow's `wrap` jumps at the edge instead of going on
between the last and the first pixel, and otherwise agrees (checked below).
"""

import json
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
import keras
import numpy as np

L = keras.layers


class Drawing:
    """The layer's backend, but for the uniform numbers, which are given."""

    def __init__(self, backend, draws):
        self.inner, self.draws = backend, list(draws)

    def __getattr__(self, name):
        return self if name == "random" else getattr(self.inner, name)

    def uniform(self, shape=None, minval=0.0, maxval=1.0, seed=None, dtype=None):
        count = int(np.prod(shape))
        share = np.array([self.draws.pop(0) for _ in range(count)], "float32").reshape(shape)
        return keras.ops.convert_to_tensor(np.float32(minval) + share * np.float32(maxval - minval))


def picture(shape, salt):
    places = np.arange(int(np.prod(shape)), dtype="int64") + salt
    return ((places * 7919 % 1013) / 1013).astype("float32").reshape(shape)


def numbers(array):
    """As few digits as a float32 needs."""
    return [float(str(number)) for number in array.ravel().astype("float32")]


def cases():
    """A layer, and the numbers from 0 to 1 that it draws, in its order."""
    for mode in ["horizontal", "vertical", "horizontal_and_vertical"]:
        yield L.RandomFlip(mode), [0.2]
        yield L.RandomFlip(mode), [0.7]
    for fill in ["constant", "nearest", "reflect", "wrap"]:
        for between in ["bilinear", "nearest"]:
            how = dict(fill_mode=fill, interpolation=between, fill_value=0.3)
            yield L.RandomTranslation(0.9, (-0.4, 0.3), **how), [0.07, 0.81]
            yield L.RandomTranslation(0.4, 0.9, **how), [0.93, 0.03]
            yield L.RandomRotation(0.3, **how), [0.91]
            yield L.RandomRotation((-0.1, 0.2), **how), [0.17]
            yield L.RandomZoom(0.7, 0.2, **how), [0.93, 0.21]
            yield L.RandomZoom((-0.6, 0.5), **how), [0.13]
    yield L.RandomContrast(0.8, value_range=(0.0, 1.0)), [0.9]
    yield L.RandomContrast((0.9, 0.3), value_range=(0.1, 0.8)), [0.35]
    yield L.RandomBrightness(0.6, value_range=(0.0, 1.0)), [0.13]
    yield L.RandomBrightness((0.1, 0.4), value_range=(-1.0, 0.9)), [0.8]
    yield L.RandomErasing(0.8, fill_value=0.4, value_range=(0.0, 1.0)), [0.9, 0.4, 0.3, 0.6, 0.9, 0.1]
    yield L.RandomErasing(0.8, scale=(0.3, 0.9), fill_value=4.0), [0.7, 0.9, 0.8, 0.1, 0.6, 0.4]
    yield L.RandomErasing(0.8, fill_value=0.4), [0.9, 0.4, 0.3, 0.6, 0.5, 0.9]


def main():
    written = []
    shapes = [(5, 7, 1), (6, 4, 2)]
    for number, (layer, draws) in enumerate(cases()):
        x = picture(shapes[number % 2], number)[None]
        layer.backend = Drawing(layer.backend, draws)
        y = np.asarray(keras.ops.convert_to_numpy(layer(x, training=True)))[0]
        assert not layer.backend.draws, layer
        config = {k: v for k, v in layer.get_config().items() if k not in ("name", "trainable", "dtype")}
        written.append(
            {
                "config": {"type": type(layer).__name__, **config},
                "draws": draws,
                "shape": x.shape[1:],
                "x": numbers(x),
                "y": numbers(y),
            }
        )
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "augment.json")
    if "--compare" in sys.argv:
        with open(path) as file:
            for old, new in zip(json.load(file), written, strict=True):
                apart = max(abs(a - b) for a, b in zip(old["y"], new["y"], strict=True))
                if apart > 1e-5:
                    print(apart, new["config"])
        return
    with open(path, "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in written) + "\n]\n")


main()

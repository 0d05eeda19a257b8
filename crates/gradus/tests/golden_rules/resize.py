"""Keras' layers that give images another size: makes resize.json.

    KERAS_BACKEND=jax python resize.py

JAX is the reference: TensorFlow's bicubic is an approximation, and all else agrees
(`--compare` says where a backend differs). What RandomCrop does out of training is taken
from `smart_resize`, as its documentation says: Keras 3.15 does nothing there.
"""

import json
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
import keras
import numpy as np
from keras.src.utils.image_utils import smart_resize

L = keras.layers
METHODS = ["bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"]


class Drawing:
    """The layer's backend, but for the uniform numbers, which are given."""

    def __init__(self, backend, draws):
        self.inner, self.draws = backend, list(draws)

    def __getattr__(self, name):
        return self if name == "random" else getattr(self.inner, name)

    def uniform(self, shape, minval=0.0, maxval=1.0, seed=None, dtype=None):
        share = np.float32(self.draws.pop(0))
        return keras.ops.convert_to_tensor(np.float32(minval) + share * np.float32(maxval - minval))


def picture(shape, salt):
    places = np.arange(int(np.prod(shape)), dtype="int64") + salt
    return ((places * 7919 % 1013) / 1013).astype("float32").reshape(shape)


def numbers(array):
    """As few digits as a float32 needs."""
    return [float(str(number)) for number in array.ravel().astype("float32")]


def cases():
    """A layer, and the numbers from 0 to 1 that it draws: none if it is not in training."""
    for size in [(3, 4), (4, 3), (5, 2), (6, 7), (9, 9), (1, 1), (13, 2)]:
        yield L.CenterCrop(*size), None
        yield L.RandomCrop(*size), None
        for method in METHODS:
            for smooth in [False, True]:
                how = dict(interpolation=method, antialias=smooth)
                yield L.Resizing(*size, **how), None
                yield L.Resizing(*size, crop_to_aspect_ratio=True, **how), None
                yield L.Resizing(*size, pad_to_aspect_ratio=True, fill_value=0.7, **how), None
    for draws in [(0.0, 0.0), (0.3, 0.8), (0.999, 0.999), (0.5, 0.5)]:
        yield L.RandomCrop(3, 2), draws
        yield L.RandomCrop(1, 3), draws
    # Not random: not larger in both.
    for size in [(5, 4), (5, 7), (6, 4), (3, 8), (9, 9), (2, 9)]:
        yield L.RandomCrop(*size), ()


def main():
    written = []
    shapes = [(5, 7, 1), (6, 4, 2), (8, 12, 1)]
    for number, (layer, draws) in enumerate(cases()):
        # What is not random has no room there, what is has some.
        x = picture(shapes[number % 3 if draws is None else number % 2 if draws else 0], number)[None]
        if isinstance(layer, L.RandomCrop) and draws is None:
            y = smart_resize(x, (layer.height, layer.width))
        else:
            layer.backend = Drawing(layer.backend, draws or ())
            y = layer(x, training=draws is not None)
            assert not layer.backend.draws, layer
        y = np.asarray(keras.ops.convert_to_numpy(y))[0]
        config = {k: v for k, v in layer.get_config().items() if k not in ("name", "trainable", "dtype")}
        written.append(
            {
                "config": {"type": type(layer).__name__, **config, **({"seed": 1} if "seed" in config else {})},
                "draws": draws,
                "shape": x.shape[1:],
                "x": numbers(x),
                "y": numbers(y),
            }
        )
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "resize.json")
    if "--compare" in sys.argv:
        with open(path) as file:
            for old, new in zip(json.load(file), written, strict=True):
                apart = max(abs(a - b) for a, b in zip(old["y"], new["y"], strict=True))
                if apart > 1e-5:
                    print(apart, new["shape"], new["config"])
        return
    with open(path, "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in written) + "\n]\n")


main()

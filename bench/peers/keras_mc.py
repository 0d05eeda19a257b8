"""The chapter's loop of Monte Carlo dropout on the book's network: `keras_mc.py BACKEND FOLDER SAMPLES [normalized]`.

Makes FOLDER/mc.keras (with plain `Dropout`, for gradus) and FOLDER/x.npy, 10,000 rows, if SAMPLES is 0;
otherwise times `np.stack([model(x, training=True) for sample in range(SAMPLES)])` with the chapter's
`MCDropout`, once after a warm-up, and the same by `model.predict(x)`: a line of JSON for each way.
normalized: with batch normalization on the input and before each ELU, which stays as in predictions, so that
the loop is `model(x)`, as the chapter says for models with such layers.
"""

import json
import os
import sys
import time

backend, folder, samples = sys.argv[1], sys.argv[2], int(sys.argv[3])
normalized = sys.argv[4:] == ["normalized"]
os.environ["KERAS_BACKEND"] = backend
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers  # noqa: E402


class MCDropout(layers.Dropout):
    def call(self, inputs, training=None):
        return super().call(inputs, training=True)


def build(dropout):
    hidden = [layers.BatchNormalization()] if normalized else []
    for units in [300, 100]:
        hidden.append(layers.Dense(units, kernel_initializer="he_normal", use_bias=not normalized))
        if normalized:
            hidden.append(layers.BatchNormalization())
        hidden += [layers.Activation("elu"), dropout(0.2)]
    output = layers.Dense(10, activation="softmax")
    return keras.Sequential([keras.Input((784,)), *hidden, output])


if samples == 0:
    build(layers.Dropout).save(f"{folder}/mc.keras")
    rows = np.random.default_rng(3).uniform(-1, 1, (10_000, 784))
    np.save(f"{folder}/x.npy", np.maximum(0, rows).astype(np.float32))
    sys.exit()
x, model = np.load(f"{folder}/x.npy"), build(MCDropout)
ways = {
    "the loop": lambda: np.asarray(model(x) if normalized else model(x, training=True)),
    "model.predict(x, batch_size=2000)": lambda: model.predict(x, batch_size=2000, verbose=0),
}
for way, sample in ways.items():
    sample()
    start = time.perf_counter()
    found = np.stack([sample() for _ in range(samples)])
    seconds = time.perf_counter() - start
    assert found.shape == (samples, 10_000, 10), found.shape
    print(json.dumps({"way": way, "seconds": seconds}))

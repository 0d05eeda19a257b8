"""Makes the files beside it with real Keras 3.15 and h5py.

    KERAS_BACKEND=jax python make.py

Needs keras==3.15.*, a backend, numpy and h5py. The files are committed, so
that the tests need none of them.
"""

import json
import pathlib

import h5py
import keras
import numpy as np
from keras import layers

HERE = pathlib.Path(__file__).parent


def chain():
    """A Sequential of the first layers, trained a little, and what it predicts."""
    keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [
            keras.Input((4, 3)),
            layers.Flatten(),
            layers.Dense(
                6,
                activation="elu",
                kernel_initializer="he_normal",
            ),
            layers.BatchNormalization(),
            layers.Dropout(0.2),
            layers.Dense(5, use_bias=False, trainable=False),
            layers.Activation("relu"),
            layers.Dense(3, activation="softmax", name="out"),
        ],
        name="chain",
    )
    model.compile(
        optimizer=keras.optimizers.Nadam(0.01, clipnorm=1.0),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    random = np.random.default_rng(7)
    x = random.normal(size=(32, 4, 3)).astype("float32")
    y = random.integers(0, 3, 32)
    model.fit(x, y, epochs=2, batch_size=8, verbose=0)
    model.save(HERE / "chain.keras")
    found = {"x": x[:4].tolist(), "y": model.predict(x[:4], verbose=0).tolist()}
    (HERE / "chain.json").write_text(json.dumps(found) + "\n")


def graph():
    """A model inside a model, used twice, with two inputs and two outputs; one of
    its layers is used three times. And what it predicts."""
    keras.utils.set_random_seed(9)
    p, q = keras.Input((4,), name="p"), keras.Input((4,), name="q")
    dense = layers.Dense(3, activation="tanh", name="dense")
    inner = keras.Model([p, q], [dense(p), layers.Add(name="add")([dense(p), dense(q)])], name="inner")
    tail = keras.Sequential([layers.Dense(5), inner_tail := layers.Dense(2)], name="tail")
    inner_tail.trainable = False
    x = keras.Input((4,), name="x")
    a, b = inner([x, layers.Dense(4, name="before")(x)])
    c, d = inner([layers.Dense(4, name="other")(x), x])
    y = layers.Concatenate(name="all")([a, b, c, d])
    model = keras.Model(x, [tail(y), a], name="graph")
    model.compile(
        optimizer="adam",
        loss={"tail": "mse", "inner": "mae"},
        loss_weights={"tail": 1.0, "inner": 0.5},
        metrics={"tail": ["mae"]},
    )
    random = np.random.default_rng(9)
    rows = random.normal(size=(16, 4)).astype("float32")
    targets = [random.normal(size=(16, 2)), random.normal(size=(16, 3))]
    model.fit(rows, targets, batch_size=8, verbose=0)
    model.save(HERE / "graph.keras")
    outputs = model.predict(rows[:4], verbose=0)
    found = {"x": rows[:4].tolist(), "tail": outputs[0].tolist(), "inner": outputs[1].tolist()}
    (HERE / "graph.json").write_text(json.dumps(found) + "\n")


def objects():
    """Rules with arguments of their own, which Keras writes as objects."""
    keras.utils.set_random_seed(8)
    made = [
        keras.initializers.Constant(0.5),
        keras.initializers.RandomNormal(0.1, 0.2, seed=3),
        keras.initializers.RandomUniform(-0.1, 0.2),
        keras.initializers.TruncatedNormal(0.1, 0.2),
        keras.initializers.VarianceScaling(2.0, "fan_avg", "uniform"),
        keras.initializers.LecunNormal(seed=5),
    ]
    dense = [layers.Dense(4, layers.ELU(0.5), kernel_initializer=i) for i in made]
    model = keras.Sequential([keras.Input((3,)), *dense, layers.Dense(2)], name="objects")
    model.compile(
        optimizer=keras.optimizers.Adam(
            keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5, staircase=True),
            beta_1=0.8,
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["acc", keras.metrics.SparseCategoricalAccuracy(name="mine")],
    )
    model.fit(np.ones((8, 3)), np.zeros(8), batch_size=4, verbose=0)
    model.save(HERE / "objects.keras")


def legacy():
    """The same model as a whole-model .h5, and its weights alone."""
    keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [
            keras.Input((4, 3)),
            layers.Flatten(),
            layers.Dense(6, activation="elu", kernel_regularizer=keras.regularizers.L2(0.01)),
            layers.BatchNormalization(),
            layers.Dropout(0.2),
            layers.Dense(3, activation="softmax", name="out"),
        ],
        name="old",
    )
    model.compile(
        optimizer=keras.optimizers.Nadam(0.01),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    random = np.random.default_rng(7)
    x = random.normal(size=(32, 4, 3)).astype("float32")
    y = random.integers(0, 3, 32)
    model.fit(x, y, epochs=2, batch_size=8, verbose=0)
    model.save(HERE / "keras3.keras")
    model.save_weights(HERE / "keras3.weights.h5")
    # Last: from then on Keras 3.15 writes .keras files without compile_config.
    model.save(HERE / "keras3.h5")


def types():
    """Every number type that is read, and attributes of several kinds."""
    with h5py.File(HERE / "types.h5", "w") as file:
        values = [1.5, -2.0, 0.25]
        for name in ["f2", "f4", "f8", ">f4"]:
            file[name.replace(">", "big_")] = np.array(values, name)
        for name in ["i1", "i2", "i4", "i8", "u1", "u2", "u4", ">i4"]:
            file[name.replace(">", "big_")] = np.array([1, 2, 100], name)
        file["scalar"] = np.float32(3.5)
        file.attrs["text"] = "caf\u00e9"
        file.attrs["bytes"] = np.bytes_("plain")
        file.attrs["names"] = [b"a", b"bc"]
        file.attrs["none"] = []


def hostile():
    """Files that an honest writer does not make."""
    with h5py.File(HERE / "circle.h5", "w") as file:
        file.create_group("a")["back"] = file["/"]
    with h5py.File(HERE / "branching.h5", "w") as file:
        group = file
        for _ in range(40):
            child = group.create_group("left")
            group["right"] = child
            group = child
    with h5py.File(HERE / "promise.h5", "w") as file:
        file.create_dataset("a", (1 << 40,), "f4")
    with h5py.File(HERE / "shared.h5", "w") as file:
        file["a"] = np.zeros(1000, "f4")
        for name in "bcd":
            file[name] = file["a"]
    with h5py.File(HERE / "pieces.h5", "w") as file:
        file.create_dataset("a", data=np.zeros(10000, "f4"), compression="gzip")
    with h5py.File(HERE / "text.h5", "w") as file:
        file["a"] = "not a number"


if __name__ == "__main__":
    chain()
    graph()
    objects()
    legacy()
    types()
    hostile()

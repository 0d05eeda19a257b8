"""Makes old_VERSION*.{keras,h5,json} beside it with the Keras 2 of that TensorFlow.

    python make_old.py

Needs tensorflow-cpu==2.13.1 or 2.15.1 (Python 3.9 to 3.11); run once with each. The files
are committed, so that the tests need neither. `old_list.h5` is edited: its configuration is
a list of layers, as up to Keras 2.2.

Each .json has rows, what Keras predicts of them, and what it predicts after one more epoch
on the rows, not shuffled.
"""

import json
import pathlib
import shutil
import tempfile
import zipfile

import h5py
import keras
import numpy as np
import tensorflow as tf
from keras import layers

HERE = pathlib.Path(__file__).parent
VERSION = "".join(tf.__version__.split(".")[:2])


def pack(path):
    """Deflated, without what changes from run to run."""
    with zipfile.ZipFile(path) as old:
        entries = [(name, old.read(name)) for name in old.namelist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in entries:
            new.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED, 9)


def save(model, name, x, target):
    """The model's files, and what it says; `.keras` first, then what is asked for."""
    path = HERE / f"{name}.keras"
    model.save(path)
    pack(path)
    found = {"x": x.tolist(), "y": model.predict(x, verbose=0).tolist()}
    # Loaded again, Keras 2's Nadam forgets its running product: the model itself goes on.
    before = model.get_weights()
    model.fit(x, target, batch_size=4, shuffle=False, verbose=0)
    found["after"] = model.predict(x, verbose=0).tolist()
    model.set_weights(before)
    found["target"] = target.tolist()
    (HERE / f"{name}.json").write_text(json.dumps(found) + "\n")


keras.utils.set_random_seed(7)
chain = keras.Sequential(
    [
        layers.Dense(5, activation="elu", input_shape=(4,)),
        layers.BatchNormalization(),
        layers.Activation("tanh"),
        layers.Dense(3, name="out"),
    ],
    name="chain",
)
chain.compile(
    optimizer=keras.optimizers.Nadam(0.01) if VERSION == "215" else keras.optimizers.Adam(0.01),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy", keras.metrics.SparseCategoricalAccuracy(name="mine")],
)
random = np.random.default_rng(7)
x = random.normal(size=(12, 4)).astype("float32")
y = random.integers(0, 3, 12)
chain.fit(x, y, epochs=2, batch_size=4, verbose=0)
save(chain, f"old_{VERSION}", x, y)

# A model inside the model, and layers, in inference mode; a learning rate that decays.
ids = keras.Input((5,), name="ids")
h = layers.Embedding(7, 3, input_length=5, name="e")(ids)
h = layers.Flatten()(h)
inner = keras.Sequential(
    [layers.Dense(4), layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(3)], name="inner"
)
h = inner(h, training=False)
h = layers.BatchNormalization(name="bn")(h, training=False)
h = layers.Dropout(0.5)(h, training=False)
o = layers.Dense(2, activation="tanh", name="o")(h)
graph = keras.Model(ids, o, name="graph")
for layer in [inner.layers[1], graph.get_layer("bn")]:
    width = layer.gamma.shape[0]
    layer.set_weights([random.uniform(0.5, 2, width) for _ in range(4)])
graph.compile(keras.optimizers.legacy.SGD(0.1, decay=0.5), "mse", metrics=["mae"])
rows = random.integers(0, 7, (12, 5))
target = random.normal(size=(12, 2))
save(graph, f"old_{VERSION}_graph", rows, target)

if VERSION == "215":
    chain.save_weights(HERE / "old_weights.h5")
    graph.save(HERE / "old_graph.h5")
    chain.save(HERE / "old_list.h5")
    with h5py.File(HERE / "old_list.h5", "r+") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"] = config["config"]["layers"][1:]
        file.attrs["model_config"] = json.dumps(config)
        del file["optimizer_weights"]
        training = json.loads(file.attrs["training_config"])
        training["optimizer_config"] = {
            "class_name": "SGD",
            "config": {"lr": 0.1, "momentum": 0.0, "decay": 0.25, "nesterov": False},
        }
        file.attrs["training_config"] = json.dumps(training)
    # h5py leaves holes where it writes anew.
    with tempfile.TemporaryDirectory() as folder:
        with h5py.File(HERE / "old_list.h5") as old, h5py.File(f"{folder}/f", "w") as new:
            for name in old:
                old.copy(name, new)
            new.attrs.update(dict(old.attrs))
        shutil.copyfile(f"{folder}/f", HERE / "old_list.h5")

#!/usr/bin/env python3
"""Models that real Keras 3.15 quantizes: NAME_float.keras before, NAME.keras after `quantize("int8")`, and NAME.json with
inputs and what the quantized model predicts of them.

    KERAS_BACKEND=jax make.py            makes them
    KERAS_BACKEND=jax make.py FOLDER     checks FOLDER/NAME.keras, quantized and saved by gradus (`cargo test --test quantized`
                                         leaves them in target/tmp/quantized), against them: weights and predictions
"""
import json, os, pathlib, sys, warnings
os.environ.setdefault("KERAS_BACKEND", "jax")
warnings.filterwarnings("ignore", message=".*does not have a `quantize` method")
import keras
import numpy as np
from keras import layers

HERE = pathlib.Path(__file__).resolve().parent
keras.utils.set_random_seed(5)


def dense():
    """A bias or none, an activation or none, a regularizer, and a layer that stays."""
    model = keras.Sequential([
        keras.Input((11,)),
        layers.Dense(19, activation="elu", kernel_regularizer="l2", bias_initializer="he_normal"),
        layers.BatchNormalization(),
        layers.Dense(8, use_bias=False),
        layers.Dense(3, activation="softmax"),
    ])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x = np.random.normal(size=(24, 11)).astype("float32")
    model.fit(x, np.arange(24) % 3, epochs=3, verbose=0)
    x[0] = 0
    return model, x


def positions():
    """Three axes, a nested model, and a layer that is used twice."""
    inner = keras.Sequential([keras.Input((5, 7)), layers.Dense(6, activation="tanh", name="inside")], name="inner")
    x = keras.Input((5, 7), name="x")
    shared = layers.Dense(6, name="shared")
    y = shared(inner(x))
    y = layers.Flatten()(layers.Add()([y, shared(y)]))
    model = keras.Model(x, layers.Dense(2, name="last")(y))
    return model, np.random.normal(size=(9, 5, 7)).astype("float32") * 10


def embedding():
    model = keras.Sequential([keras.Input((4,)), layers.Embedding(6, 5), layers.Flatten(), layers.Dense(7, "relu")])
    return model, np.random.randint(0, 6, size=(10, 4)).astype("float32")


def make(name, model, x):
    model.save(HERE / f"{name}_float.keras")
    model.quantize("int8")
    model.save(HERE / f"{name}.keras")
    flat = lambda a: [float(v) for v in np.asarray(a).ravel()]
    kept = {"shape": list(x.shape), "x": flat(x), "y": flat(model.predict(x, verbose=0))}
    (HERE / f"{name}.json").write_text(json.dumps(kept) + "\n")


def check(name, folder):
    kept = json.loads((HERE / f"{name}.json").read_text())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = keras.models.load_model(folder / f"{name}.keras")
    expected = keras.models.load_model(HERE / f"{name}.keras")
    assert len(model.weights) == len(expected.weights), name
    for found, wanted in zip(model.weights, expected.weights):
        assert found.dtype == wanted.dtype, (name, wanted.path)
        assert np.array_equal(np.asarray(found), np.asarray(wanted)), (name, wanted.path)
    x = np.array(kept["x"], "float32").reshape(kept["shape"])
    y = model.predict(x, verbose=0)
    worst = np.abs(y.ravel() - np.array(kept["y"])).max()
    assert worst <= 1e-6, (name, worst)
    print(f"{name}: {sum(w.dtype == 'int8' for w in model.weights)} int8 kernels, the same predictions")


for function in dense, positions, embedding:
    if len(sys.argv) > 1:
        check(function.__name__, pathlib.Path(sys.argv[1]))
    else:
        make(function.__name__, *function())

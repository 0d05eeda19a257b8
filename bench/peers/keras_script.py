"""What a Keras user writes for the book's network on Fashion-MNIST: `fit` with Keras' defaults.

`keras_script.py BACKEND EPOCHS FOLDER`. The settings are those of recipes/fashion-mnist.toml; a
checkpoint after each epoch, as `gradus train` keeps one, and the model at the end. Nothing is tuned
(no `steps_per_execution`): bench/run does that.
"""

import os
import sys

backend, epochs, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
os.environ["KERAS_BACKEND"] = backend
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import gzip  # noqa: E402

import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers  # noqa: E402

DATA = "/usr/share/datasets/fashion-mnist"


def read(name, offset):
    with gzip.open(f"{DATA}/{name}.gz") as file:
        return np.frombuffer(file.read(), np.uint8, offset=offset)


x = read("train-images-idx3-ubyte", 16).reshape(-1, 28, 28) / 255.0
y = read("train-labels-idx1-ubyte", 8)
x_test = read("t10k-images-idx3-ubyte", 16).reshape(-1, 28, 28) / 255.0
y_test = read("t10k-labels-idx1-ubyte", 8)

keras.utils.set_random_seed(42)
model = keras.Sequential([
    keras.Input((28, 28)),
    layers.Flatten(),
    layers.Dense(300, activation="elu", kernel_initializer="he_normal"),
    layers.Dense(100, activation="elu", kernel_initializer="he_normal"),
    layers.Dense(10, activation="softmax"),
])
model.compile(
    optimizer=keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
checkpoint = keras.callbacks.ModelCheckpoint(f"{folder}/checkpoint.keras")
model.fit(
    x[5000:], y[5000:], epochs=epochs, validation_data=(x[:5000], y[:5000]),
    callbacks=[checkpoint, keras.callbacks.CSVLogger(f"{folder}/history.csv")], verbose=2,
)
model.save(f"{folder}/model.keras")
print(model.evaluate(x_test, y_test, verbose=0))

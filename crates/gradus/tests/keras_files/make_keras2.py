"""Makes keras2*.h5 and keras2*.json beside it with Keras 2.

    python make_keras2.py

Needs tensorflow-cpu==2.15.1, which brings Keras 2.15. The files are committed.
"""

import json
import pathlib

import keras
import numpy as np
from keras import layers

HERE = pathlib.Path(__file__).parent

keras.utils.set_random_seed(7)
model = keras.Sequential(
    [
        layers.Flatten(input_shape=(4, 3)),
        layers.Dense(6, activation="elu", kernel_regularizer=keras.regularizers.L2(0.01)),
        layers.BatchNormalization(),
        layers.LeakyReLU(alpha=0.2),
        layers.Dropout(0.2),
        layers.Dense(3, activation="softmax", name="out"),
    ],
    name="older",
)
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.01, momentum=0.9),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
random = np.random.default_rng(7)
x = random.normal(size=(32, 4, 3)).astype("float32")
y = random.integers(0, 3, 32)
model.fit(x, y, epochs=2, batch_size=8, verbose=0)


def save(model, name, x):
    model.save(HERE / f"{name}.h5")
    found = {"x": x.tolist(), "y": model.predict(x, verbose=0).tolist()}
    (HERE / f"{name}.json").write_text(json.dumps(found) + "\n")


save(model, "keras2", x[:4])

inputs = keras.Input((4,), name="in")
first = layers.Dense(3, activation="relu", name="first")(inputs)
shared = layers.Dense(3, name="shared")
sum = layers.Add()([first, shared(first)])
both = layers.Concatenate()([sum, shared(sum), inputs])
save(keras.Model(inputs, layers.Dense(2)(both), name="graph"), "keras2_graph", x[:4, :, 0])

"""Convolutional networks, as configs of gradus and as models of Keras, on random images.

C1: Keras' example for MNIST. C2: pairs of convolutions with batch normalization, 32 to 128 filters.
C3: a residual network of 20 layers, 16 to 64 filters.
C4: depthwise and pointwise convolutions with batch normalization, 32 to 256 filters.

    networks.py NETWORK STEPS      the least seconds of an epoch of so many steps, in Keras
"""

import json
import sys
import time

import numpy

EPOCHS = 4


def conv(filters, size=3, **more):
    return {"type": "Conv2D", "filters": filters, "kernel_size": size, **more}


def normalized(layer):
    return [{**layer, "use_bias": False}, {"type": "BatchNormalization"}, {"type": "Activation", "activation": "relu"}]


def block(filters):
    return normalized(conv(filters, padding="same"))


def separable(filters, strides):
    depthwise = {"type": "DepthwiseConv2D", "kernel_size": 3, "strides": strides, "padding": "same"}
    return normalized(depthwise) + normalized(conv(filters, 1))


def residual(filters, strides=1):
    """Two convolutions and what they are added to, which a third one fits to another size."""
    return [{"type": "Residual", "filters": filters, "strides": strides}]


POOL = {"type": "MaxPooling2D", "pool_size": 2}
OUTPUT = {"type": "Dense", "units": 10, "activation": "softmax"}
MEAN = {"type": "GlobalAveragePooling2D"}

# The shape of an image, the batch, the layers.
NETWORKS = {
    "C1": ((28, 28, 1), 128, [conv(32, activation="relu"), POOL, conv(64, activation="relu"), POOL, {"type": "Flatten"},
                              {"type": "Dropout", "rate": 0.5}, OUTPUT]),
    "C2": ((32, 32, 3), 64, block(32) + block(32) + [POOL] + block(64) + block(64) + [POOL] + block(128) + block(128) + [MEAN, OUTPUT]),
    "C3": ((32, 32, 3), 128, block(16) + 3 * residual(16) + residual(32, 2) + 2 * residual(32) + residual(64, 2) + 2 * residual(64)
           + [MEAN, OUTPUT]),
    "C4": ((64, 64, 3), 64, normalized(conv(32, padding="same", strides=2)) + separable(64, 1) + separable(128, 2) + separable(128, 1)
           + separable(256, 2) + separable(256, 1) + [MEAN, OUTPUT]),
}


def data(name, steps):
    shape, batch, _ = NETWORKS[name]
    random = numpy.random.default_rng(0)
    rows = batch * steps
    return random.random((rows, *shape), dtype=numpy.float32), random.integers(0, 10, rows)


def branch(layer):
    """The layers of a residual block's branch, and those of its shortcut."""
    filters, strides = layer["filters"], layer["strides"]
    inner = normalized(conv(filters, padding="same", strides=strides)) + normalized(conv(filters, padding="same"))[:-1]
    return inner, normalized(conv(filters, 1, strides=strides))[:-1] if strides > 1 else []


def listed(layers):
    """The layers as a config lists them, with the names of their inputs."""
    found = []
    for number, layer in enumerate(layers):
        if layer["type"] != "Residual":
            found.append(layer)
            continue
        start = found[-1].get("name") or found[-1].setdefault("name", f"before_{number}")
        ends = []
        for part, chain in zip("bs", branch(layer)):
            last = start
            for n, one in enumerate(chain):
                found.append({**one, "name": f"{part}{number}_{n}", "inputs": [last]})
                last = found[-1]["name"]
            ends.append(last)
        found += [{"type": "Add", "inputs": ends}, {"type": "Activation", "activation": "relu"}]
    return found


def toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(one)}" for key, one in value.items()) + " }"
    return json.dumps(value)


def write(folder, name, steps):
    """Writes a config and its data: one row more, which is the validation."""
    x, y = data(name, steps)
    numpy.save(folder / f"{name}-x.npy", numpy.concatenate([x[:1], x]))
    numpy.save(folder / f"{name}-y.npy", numpy.concatenate([y[:1], y]))
    layers = ",\n  ".join(toml(layer) for layer in listed(map(dict, NETWORKS[name][2])))
    (folder / f"{name}.toml").write_text(f"""data = {{ x = "{name}-x.npy", y = "{name}-y.npy", validation = {{ first = 1 }} }}
model.layers = [
  {layers},
]
[train]
loss = "sparse_categorical_crossentropy"
epochs = {EPOCHS}
batch_size = {NETWORKS[name][1]}
# A hundredth of the steps is observed otherwise; of so few it would be a fifth. The peers observe nothing.
health_every = 0
optimizer = {{ type = "SGD", learning_rate = 0.01, momentum = 0.9 }}
""")


def main():
    import keras

    name, steps = sys.argv[1], int(sys.argv[2])
    shape, batch, layers = NETWORKS[name]
    arguments = lambda layer: {key: value for key, value in layer.items() if key != "type"}

    def chain(layers, h):
        for layer in layers:
            if layer["type"] == "Residual":
                inner, shortcut = branch(layer)
                h = keras.layers.ReLU()(keras.layers.add([chain(inner, h), chain(shortcut, h)]))
            else:
                h = getattr(keras.layers, layer["type"])(**arguments(layer))(h)
        return h

    image = keras.Input(shape)
    model = keras.Model(image, chain(layers, image))
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "sparse_categorical_crossentropy")
    seconds = []

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.start = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            seconds.append(time.perf_counter() - self.start)

    x, y = data(name, steps)
    model.fit(x, y, epochs=EPOCHS, batch_size=batch, verbose=0, callbacks=[Clock()])
    print(min(seconds[1:]))


if __name__ == "__main__":
    main()

"""Do real readers find the weights that gradus wrote? The folder holds one model in every format."""
import os, pathlib, sys
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from safetensors.numpy import load_file

folder = pathlib.Path(sys.argv[1])
model = keras.models.load_model(folder / "model.keras")


def weights():
    return {f"{layer.name}/{v.name}": v.numpy() for layer in model.layers for v in layer.weights}


expected = weights()
assert expected


def same(name, found):
    assert found.keys() == expected.keys(), f"{name}: {sorted(found)}, expected {sorted(expected)}"
    for key, value in found.items():
        np.testing.assert_array_equal(value, expected[key], f"{name}: {key}")


same("a.npz", dict(np.load(folder / "a.npz")))
same("a.safetensors", load_file(folder / "a.safetensors"))
names = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
turned = {}
for key, value in load_file(folder / "torch.safetensors").items():
    layer, own = key.rsplit(".", 1)
    norm = "normalization" in layer
    keras_names = {v: k for k, v in names.items()} if norm else {"weight": "kernel"}
    turned[f"{layer}/{keras_names.get(own, own)}"] = value.T
same("torch.safetensors", turned)
model.set_weights([np.zeros_like(v) for v in model.get_weights()])
model.load_weights(folder / "a.weights.h5")
same("a.weights.h5", weights())
print(f"{len(expected)} arrays are the same in .weights.h5, .npz, .safetensors and PyTorch's layout")

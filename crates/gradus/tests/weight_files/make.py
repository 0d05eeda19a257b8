"""Makes the files beside it with real Keras, PyTorch and safetensors.

    KERAS_BACKEND=jax python make.py

Needs keras==3.15.*, torch, safetensors, numpy. The files are committed.
"""

import pathlib

import keras
import numpy as np
import safetensors.torch
import torch

HERE = pathlib.Path(__file__).parent


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = torch.nn.Linear(4, 3)
        self.norm = torch.nn.BatchNorm1d(3)
        self.slope = torch.nn.PReLU(3)
        self.out = torch.nn.Linear(3, 2)

    def forward(self, x):
        return self.out(self.slope(self.norm(torch.relu(self.hidden(x)))))


torch.manual_seed(1)
network = Network()
for _ in range(5):  # moves the running averages away from 0 and 1
    network(torch.randn(8, 4))
network.eval()
with torch.no_grad():
    network.norm.weight.uniform_(0.5, 2)
    network.norm.bias.uniform_(-1, 1)
    network.slope.weight.uniform_(0, 1)
state = network.state_dict()
x = torch.randn(5, 4)
np.save(HERE / "x.npy", x.numpy())
np.save(HERE / "y.npy", network(x).detach().numpy())
safetensors.torch.save_file(state, HERE / "torch.safetensors")
half = {name: value.bfloat16() if value.is_floating_point() else value for name, value in state.items()}
half["out.weight"] = state["out.weight"].half()
half["out.bias"] = state["out.bias"].double()
safetensors.torch.save_file(half, HERE / "torch_half.safetensors")

layers = keras.layers
model = keras.Sequential(
    [
        keras.Input((4,)),
        layers.Dense(3, activation="relu", name="hidden"),
        layers.BatchNormalization(epsilon=1e-5, name="norm"),
        layers.PReLU(name="slope"),
        layers.Dense(2, name="out"),
    ]
)
numbers = {name: value.numpy() for name, value in state.items()}
model.get_layer("hidden").set_weights([numbers["hidden.weight"].T, numbers["hidden.bias"]])
norm = ["weight", "bias", "running_mean", "running_var"]
model.get_layer("norm").set_weights([numbers[f"norm.{name}"] for name in norm])
model.get_layer("slope").set_weights([numbers["slope.weight"]])
model.get_layer("out").set_weights([numbers["out.weight"].T, numbers["out.bias"]])
assert np.allclose(model.predict(x.numpy(), verbose=0), network(x).detach().numpy(), atol=1e-6)
np.savez(HERE / "keras.npz", **{v.path.split("/", 1)[-1] if v.path.count("/") > 1 else v.path: v.numpy() for v in model.weights})

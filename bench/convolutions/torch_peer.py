"""The same networks in PyTorch: `torch_peer.py NETWORK STEPS [channels_last] [compiled]`, the least seconds of an epoch.

Images are padded on both sides where Keras pads with a stride behind alone: the work is the same.
"""

import sys
import time

import networks
import torch
from torch import nn


class Residual(nn.Module):
    def __init__(self, inner, shortcut):
        super().__init__()
        self.inner, self.shortcut = inner, shortcut

    def forward(self, x):
        return torch.relu(self.inner(x) + self.shortcut(x))


def chain(layers, shape):
    """Layers one behind the other, and the shape of what they make."""
    modules = []
    for layer in layers:
        made, shape = module(layer, shape)
        modules.append(made)
    return nn.Sequential(*modules), shape


def module(layer, shape):
    """A layer, and the shape of what it makes: (channels, height, width)."""
    channels, height, width = shape
    size, strides = layer.get("kernel_size", 1), layer.get("strides", 1)
    padding = size // 2 if layer.get("padding") == "same" else 0
    after = lambda n: (n + 2 * padding - size) // strides + 1
    bias = layer.get("use_bias", True)
    match layer["type"]:
        case "Residual":
            (inner, after_inner), (shortcut, _) = (chain(part, shape) for part in networks.branch(layer))
            return Residual(inner, shortcut), after_inner
        case "Conv2D":
            filters = layer["filters"]
            conv = nn.Conv2d(channels, filters, size, strides, padding, bias=bias)
            made = nn.Sequential(conv, nn.ReLU()) if layer.get("activation") == "relu" else conv
            return made, (filters, after(height), after(width))
        case "DepthwiseConv2D":
            conv = nn.Conv2d(channels, channels, size, strides, padding, groups=channels, bias=bias)
            return conv, (channels, after(height), after(width))
        case "BatchNormalization":
            return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01), shape
        case "Activation":
            return nn.ReLU(), shape
        case "MaxPooling2D":
            return nn.MaxPool2d(2), (channels, height // 2, width // 2)
        case "GlobalAveragePooling2D":
            return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), (channels, 1, 1)
        case "Flatten":
            return nn.Flatten(), (channels * height * width, 1, 1)
        case "Dropout":
            return nn.Dropout(layer["rate"]), shape
        case "Dense":
            return nn.Linear(channels, layer["units"]), (layer["units"], 1, 1)


def main():
    name, steps = sys.argv[1], int(sys.argv[2])
    shape, batch, layers = networks.NETWORKS[name]
    model, _ = chain(layers, (shape[2], shape[0], shape[1]))
    x, y = (torch.from_numpy(array) for array in networks.data(name, steps))
    x = x.permute(0, 3, 1, 2)
    if "channels_last" in sys.argv:
        model = model.to(memory_format=torch.channels_last)
    else:
        x = x.contiguous()
    if "compiled" in sys.argv:
        model = torch.compile(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    loss_of = nn.CrossEntropyLoss()
    seconds = []
    for _ in range(networks.EPOCHS):
        start = time.perf_counter()
        order = torch.randperm(len(x))
        for rows in order.split(batch):
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
        seconds.append(time.perf_counter() - start)
    print(min(seconds[1:]))


main()

#!/usr/bin/env python3
"""Quantization-aware training by PyTorch's own fake quantization: `aware.py` writes aware.npz.

For each network NAME: `NAME/x` and `NAME/y`, the rows of all steps one after the other; `NAME/0/N`, the N-th weight before the
first step, and `NAME/S/N` after step S; `NAME/S/ranges`, least and largest number of each layer's input so far.

`fake_quantize_per_channel_affine` rounds a kernel to 255 numbers around 0 by the largest of each output channel,
`fake_quantize_per_tensor_affine` an input to 256 with 0 among them, by a range that the first batch sets and each later one
moves by 1%. Both have the straight-through gradient. Inputs of later steps are larger, so that some are beyond their range. Of
some seeds the one is taken whose numbers are farthest from ties, which another order of sums might round the other way.
"""
import pathlib
import numpy as np
import torch
from torch.nn import functional as F

STEPS, ROWS, RATE, MOMENTUM = 6, 8, 0.05, np.float32(0.99)


def moved(x, range_):
    """A range, moved by a batch."""
    now = np.array([min(x.min().item(), 0), max(x.max().item(), 0)], np.float32)
    return now if range_ is None else range_ * MOMENTUM + now * (np.float32(1) - MOMENTUM)


def scale_of(range_):
    low, high = float(range_[0]), float(range_[1])
    scale = float(np.float32((high - low) / 255))
    return scale, int(np.clip(np.rint(-low / scale), 0, 255))


def ties(steps, least, most):
    """The distance to the nearest tie, in steps."""
    steps = steps.detach().double().numpy()
    steps = steps[(steps > least - 1) & (steps < most + 1) & (steps != 0)]
    return np.abs(steps - np.floor(steps) - 0.5).min(initial=1)


def kernel(w, channels):
    """The kernel rounded, and the distance to the nearest tie."""
    flat = w.reshape(-1, channels)
    scale = flat.detach().abs().amax(0) / 127
    y = torch.fake_quantize_per_channel_affine(flat, scale, torch.zeros(channels, dtype=torch.int32), 1, -127, 127)
    return y.reshape(w.shape), ties(flat / scale, -127, 127)


def dense(x, w):
    return x @ w[0] + w[1]


def conv(x, w):
    y = F.conv2d(x.permute(0, 3, 1, 2), w[0].permute(3, 2, 0, 1), w[1])
    return y.permute(0, 2, 3, 1)


def depthwise(x, w):
    rows, columns, channels, multiplier = w[0].shape
    of = w[0].permute(2, 3, 0, 1).reshape(channels * multiplier, 1, rows, columns)
    return F.conv2d(x.permute(0, 3, 1, 2), of, w[1], groups=channels).permute(0, 2, 3, 1)


# The shape of a row; of each layer its function, its kernel's shape, the output channels, and what is done behind it.
NETWORKS = {
    "dense": ((5,), [(dense, (5, 7), 7, torch.relu), (dense, (7, 3), 3, lambda y: y)]),
    "pictures": ((5, 5, 2), [
        (conv, (3, 3, 2, 4), 4, torch.tanh),
        (depthwise, (2, 2, 4, 2), 8, lambda y: torch.relu(y).reshape(len(y), -1)),
        (dense, (32, 3), 3, lambda y: y),
    ]),
}


def train(shape, layers, seed):
    draw = np.random.default_rng(seed)
    number = lambda *shape: draw.normal(size=shape).astype(np.float32)
    weights = []
    for _, of, channels, _ in layers:
        weights += [torch.tensor(number(*of) * np.float32(0.4)), torch.tensor(number(channels) * np.float32(0.1))]
    for w in weights:
        w.requires_grad_()
    x = np.concatenate([number(ROWS, *shape) * np.float32(1 + step / 4) for step in range(STEPS)])
    y = number(STEPS * ROWS, 3)
    kept, ranges, closest, beyond = {"x": x, "y": y}, [None] * len(layers), 1.0, 0
    keep = lambda step: kept.update({f"{step}/{n}": w.detach().numpy().copy() for n, w in enumerate(weights)})
    keep(0)
    for step in range(STEPS):
        rows = slice(step * ROWS, (step + 1) * ROWS)
        a = torch.tensor(x[rows])
        for n, (layer, _, channels, behind) in enumerate(layers):
            ranges[n] = moved(a, ranges[n])
            scale, zero = scale_of(ranges[n])
            closest = min(closest, ties(a / scale, -zero, 255 - zero))
            beyond += int(((a / scale < -zero - 0.5) | (a / scale > 255.5 - zero)).sum()) if n else 0
            rounded, near = kernel(weights[2 * n], channels)
            closest = min(closest, near)
            a = behind(layer(torch.fake_quantize_per_tensor_affine(a, scale, zero, 0, 255), [rounded, weights[2 * n + 1]]))
        gradients = torch.autograd.grad(F.mse_loss(a, torch.tensor(y[rows])), weights)
        with torch.no_grad():
            for w, gradient in zip(weights, gradients):
                w -= RATE * gradient
        keep(step + 1)
        kept[f"{step + 1}/ranges"] = np.array(ranges, np.float32)
    return kept, closest, beyond


def main():
    kept = {}
    for name, (shape, layers) in NETWORKS.items():
        best = max((train(shape, layers, seed) for seed in range(200)), key=lambda found: found[1])
        assert best[2] > 0, "no number is beyond its range"
        print(f"{name}: nearest tie {best[1]:.1e} steps away, {best[2]} numbers of hidden layers beyond their range")
        kept.update({f"{name}/{key}": value for key, value in best[0].items()})
    np.savez_compressed(pathlib.Path(__file__).with_name("aware.npz"), **kept)


main()

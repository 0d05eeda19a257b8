"""Keras' own error in the functions of base/math.rs, in ulp of the true value (computed in float64).

    python bench/accuracy.py jax|tensorflow        needs Keras and SciPy

Ours: cargo test -p gradus --lib accuracy -- --nocapture, over the same ranges.
"""

import os
import sys

os.environ["KERAS_BACKEND"] = sys.argv[1]
import keras
import numpy as np
from scipy.special import ndtr


def between(start, end, count=200_000):
    """As many numbers between 2^n and 2^(n+1) for every n, from one number to another of its sign."""
    first, last = np.abs(np.array([start, end], np.float32)).view(np.uint32).astype(np.uint64)
    bits = first + (last - first) * np.arange(count + 1, dtype=np.uint64) // count
    return np.copysign(bits.astype(np.uint32).view(np.float32), np.float32(start))


def ulp(y):
    y = np.maximum(np.abs(y), np.finfo(np.float32).tiny)
    return 2.0 ** (np.floor(np.log2(y)) - 23)


def gelu(x):
    return keras.activations.gelu(x, approximate=False)


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


CASES = [
    ("exp", keras.ops.exp, np.exp, [(1e-9, 88.7228), (-1e-9, -86.6)]),
    ("expm1", keras.ops.expm1, np.expm1, [(1e-30, 88.7228), (-1e-30, -100)]),
    ("elu below 0", keras.activations.elu, np.expm1, [(-1e-30, -100)]),
    ("sigmoid", keras.activations.sigmoid, lambda x: 1 / (1 + np.exp(-x)), [(1e-9, 100), (-1e-9, -87)]),
    ("tanh", keras.activations.tanh, np.tanh, [(1e-30, 30), (-1e-30, -30)]),
    ("log", keras.ops.log, np.log, [(1.2e-38, 3e38), (0.4, 0.999999), (1.000001, 2.5)]),
    ("log1p", keras.ops.log1p, np.log1p, [(1e-30, 3e38), (-1e-30, -0.999999)]),
    ("softplus", keras.activations.softplus, softplus, [(1e-9, 3e38), (-1e-9, -86.6)]),
    ("gelu above 0", gelu, lambda x: x * ndtr(x), [(1e-9, 13)]),
    ("gelu from -1 to 0", gelu, lambda x: x * ndtr(x), [(-1e-9, -1)]),
    ("gelu from -5 to -1", gelu, lambda x: x * ndtr(x), [(-1, -5)]),
    ("gelu from -12.5 to -5", gelu, lambda x: x * ndtr(x), [(-5, -12.5)]),
]

for name, function, truth, ranges in CASES:
    for start, end in ranges:
        x = between(start, end)
        y = np.asarray(function(keras.ops.convert_to_tensor(x))).astype(np.float64)
        want = truth(x.astype(np.float64))
        error = np.abs(y - want) / ulp(want)
        worst = int(np.argmax(error))
        print(f"{sys.argv[1]:10} {name:22} {start:g} to {end:g}: {error[worst]:.3g} at {x[worst]:.6g}", flush=True)

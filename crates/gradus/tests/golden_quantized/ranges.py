#!/usr/bin/env python3
"""Numbers of several distributions, and the ranges that numpy finds for them: `ranges.py` writes ranges.npz.

For each NAME: `NAME/x`, then (least, largest) of `NAME/min-max`, `NAME/percentile` (the middle 99.9%: numpy.quantile) and
`NAME/entropy`: the magnitude with the least Kullback-Leibler divergence, written from Migacz' slides (GTC 2017, s7310) and
the description of NVIDIA's pytorch-quantization (`calib/histogram.py`): 2048 bins of magnitudes, 128 levels, 256 for numbers
of one sign; the first bin counts as the second one; a level's count is spread over its bins that are not empty. Numbers beyond a range
are added to its last bin that is not empty (to its last bin there, which makes most ranges with thin tails infinitely bad).
"""
import pathlib
import numpy as np

BINS, PERCENTILE = 2048, 99.9
draw = np.random.default_rng(11)
heavy = draw.standard_t(2, 4000)
SETS = {
    "normal": draw.normal(0.5, 1, 3000),
    "relu": np.maximum(0, draw.normal(-0.3, 2, 5000)),
    "negative": -draw.exponential(3, 3000),
    "heavy": heavy,
    "outlier": np.append(draw.normal(0, 1, 6000), [90.0, -70.0]),
    "one": np.full(50, 3.25),
    "zeros": np.zeros(50),
}


def divergence(counts, end, levels):
    inside, beyond = counts[:end], counts[end:].sum()
    level = np.arange(end) * levels // end
    used = inside > 0
    if not used.any():
        return np.inf
    p = inside.astype(float).copy()
    p[np.flatnonzero(used)[-1]] += beyond
    total = np.bincount(level, inside, levels)
    bins = np.bincount(level, used, levels)
    q = np.where(used, (total / np.maximum(bins, 1))[level], 0)
    p, q = p / p.sum(), q / q.sum()
    some = p > 0
    return float(np.sum(p[some] * np.log(p[some] / q[some])))


def entropy(x):
    least, largest = float(x.min()), float(x.max())
    top = np.abs(x).max()
    if top == 0:
        return 0.0, 0.0
    counts, edges = np.histogram(np.abs(x.astype(np.float64)), BINS, (0, top))
    counts[0] = counts[1]
    levels = 128 if least < 0 < largest else 256
    found = [divergence(counts, end, levels) for end in range(levels, BINS + 1)]
    best = BINS if not np.isfinite(found).any() else len(found) - 1 - int(np.argmin(found[::-1])) + levels
    return max(least, -edges[best]), min(largest, edges[best])


arrays = {}
for name, x in SETS.items():
    x = x.astype(np.float32)
    wide = x.astype(np.float64)
    cut = (100 - PERCENTILE) / 200
    arrays[f"{name}/x"] = x.reshape(-1, 1)
    for method, range_ in {"min-max": (x.min(), x.max()), "percentile": np.quantile(wide, [cut, 1 - cut], method="inverted_cdf"), "entropy": entropy(x)}.items():
        arrays[f"{name}/{method}"] = np.array([range_], np.float32)
        print(name, method, *range_)
np.savez(pathlib.Path(__file__).with_name("ranges.npz"), **arrays)

"""Steps of a small restricted Boltzmann machine by contrastive divergence, in float64, as Hinton's practical guide
(2010) has them: the numbers in steps.json.

    python3 make.py > steps.json
"""

import json

import numpy as np


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def main():
    random = np.random.default_rng(3)
    visible, hidden, rows = 5, 3, 4
    w = random.normal(0.0, 0.3, (visible, hidden)).round(3)
    c = random.normal(0.0, 0.2, hidden).round(3)
    b = random.normal(0.0, 0.2, visible).round(3)
    start = {"kernel": w.ravel().tolist(), "hidden_bias": c.tolist(), "visible_bias": b.tolist()}
    moves = [np.zeros_like(w), np.zeros_like(c), np.zeros_like(b)]
    steps = []
    for k, momentum in [(1, 0.5), (1, 0.9), (1, 0.9), (3, 0.9)]:
        rate, decay = 0.1, 0.002
        data = random.uniform(size=(rows, visible)).round(3)
        # Far enough from any probability that rounding decides nothing.
        draws = random.uniform(size=(k, rows, hidden)).round(3)
        first = sigmoid(data @ w + c)
        states = draws[0] < first
        assert np.abs(draws[0] - first).min() > 1e-4
        for n in range(k):
            told = sigmoid(states @ w.T + b)
            last = sigmoid(told @ w + c)
            if n == 0:
                error = np.square(data - told).mean(axis=1).sum()
            if n + 1 < k:
                assert np.abs(draws[n + 1] - last).min() > 1e-4
                states = draws[n + 1] < last
        gradients = [
            np.einsum("rv,rh->vh", data, first) / rows - np.einsum("rv,rh->vh", told, last) / rows - decay * w,
            (first - last).mean(axis=0),
            (data - told).mean(axis=0),
        ]
        moves = [momentum * move + rate * gradient for move, gradient in zip(moves, gradients)]
        w, c, b = w + moves[0], c + moves[1], b + moves[2]
        steps.append({
            "k": k, "rate": rate, "momentum": momentum, "decay": decay,
            "rows": data.ravel().tolist(), "uniform": draws.ravel().tolist(), "error": error,
            "kernel": w.ravel().tolist(), "hidden_bias": c.tolist(), "visible_bias": b.tolist(),
        })
    print(json.dumps({"start": start, "steps": steps}, indent=1))


main()

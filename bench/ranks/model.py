#!/usr/bin/env python3
"""The model of what clusters get: µs of a step = work / ranks + bytes / bandwidth + messages · latency · log₂(ranks).

    bench/ranks/model.py BOOK WIDE CNN      the µs of a step of each on one node

Bytes are those that come to a rank, by docs/several-machines.md; latencies are those of MPI over the wire, one way.
"""

import math
import sys

NODES = (1, 2, 4, 8, 16, 32, 64)
# Gbit/s, and µs for a message.
WIRES = {"10 Gbit/s, TCP": (10, 20.0), "100 Gbit/s, InfiniBand": (100, 2.0)}


def dense(batch, sizes):
    """Numbers passed on exactly, weights, and messages, of dense layers of these sizes, the input's first."""
    weights = sum(a * b for a, b in zip(sizes, sizes[1:]))
    # The inputs of the first layer are rows, which every rank has.
    activations = batch * (sum(sizes[1:-1]) + sum(sizes[1:]))
    return activations + weights, weights, 3 * (len(sizes) - 1) - 1


def networks():
    book = dense(32, (784, 300, 100, 10))
    wide = dense(256, (784, 2048, 2048, 2048, 10))
    # Keras' example for MNIST: what the convolutions' kernels are made of goes over the wire in the exact way.
    images = 128 * (26 * 26 * 32 + 13 * 13 * 32 + 11 * 11 * 64 + 1600 + 10)
    weights = 9 * 32 + 9 * 32 * 64 + 1600 * 10
    return {
        "784-300-100-10, batches of 32": book,
        "784-2048-2048-2048-10, batches of 256": wide,
        "convolutions of 32 and 64 filters on 28 × 28, batches of 128": (images + weights, weights, 8),
    }


def step(work, ranks, numbers, messages, gigabits, latency):
    passed = 4 * numbers * (ranks - 1) / ranks * 8 / (gigabits * 1e3)
    return work / ranks + passed + messages * latency * math.log2(ranks)


def main():
    works = [float(word) for word in sys.argv[1:]]
    for (name, (exact, weights, messages)), work in zip(networks().items(), works, strict=True):
        print(f"\n{name}: {work:.0f} µs on one node, {4 * exact / 1e6:.2f} MB a step, added up {8 * weights / 1e6:.2f} MB\n")
        print("| µs a step, and how much faster | " + " | ".join(f"{n} nodes" for n in NODES) + " |")
        print("| --- |" + " ---: |" * len(NODES))
        for wire, (gigabits, latency) in WIRES.items():
            for mode, numbers, count in ("exact", exact, messages), ("added up", 2 * weights, 2):
                times = [step(work, n, numbers, count, gigabits, latency) for n in NODES]
                cells = " | ".join(f"{time:.0f} ({work / time:.1f} ×)" for time in times)
                print(f"| {wire}, {mode} | {cells} |")


main()

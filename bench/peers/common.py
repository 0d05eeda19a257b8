"""What every Python peer shares: the workloads, the data, the arguments, the result line.

The workloads are described in ../README.md; the Burn peer and gradus' example
`bench_step` repeat the same table in Rust, `bench_step` the written ones too.
"""

import argparse
import gzip
import json
import os
import sys
from dataclasses import dataclass

import numpy as np

CLASSES = 10
PIXELS = 784
MOMENTUM = 0.9
BN_EPSILON = 1e-3
BN_MOMENTUM = 0.99  # in Keras' sense: new = 0.99 * old + 0.01 * batch
HELD_OUT = 5000  # E1: the first rows are the validation set
VALIDATION_BATCH = 500


@dataclass(frozen=True)
class Workload:
    hidden: tuple[int, ...]
    activation: str  # "elu" | "relu" | "selu"
    batch: int
    input_bn: bool = False
    bn: bool = False  # BatchNormalization between each hidden Dense and its activation
    dropout: float = 0.0  # after each hidden activation
    learning_rate: float = 0.01
    loss_steps: int = 200
    epoch: bool = False  # E1: whole epochs with validation instead of single steps
    rows: int | None = None  # so many rows by whole epochs; without it, parts of the file's rows

    @property
    def init(self):
        return "lecun_normal" if self.activation == "selu" else "he_normal"


WORKLOADS = {
    "W1": Workload((300, 100), "elu", 32),
    "W2": Workload((300, 100), "elu", 32, input_bn=True, bn=True),
    "W3": Workload((100,) * 20, "elu", 32, bn=True),
    "W4": Workload((2048,) * 3, "relu", 128, dropout=0.2, loss_steps=50),
    "W5": Workload((300, 100), "elu", 512),
    "S100": Workload((100,) * 100, "selu", 32, learning_rate=0.0001),  # 0.01 diverges
    "E1": Workload((300, 100), "elu", 32, epoch=True),
}


def workload(text):
    """The workload of this name, or the one that `key=value,…` describes (../README.md)."""
    if text in WORKLOADS:
        return WORKLOADS[text]
    kinds = {"hidden": units, "activation": str, "batch": int, "rate": float, "loss_steps": int, "rows": int}
    names = {"rate": "learning_rate"}
    given = {"hidden": None, "activation": "elu", "batch": 32}
    for part in text.split(","):
        key, equals, value = part.partition("=")
        if not equals:
            sys.exit(f"unknown workload '{text}': '{part}' is no key=value; names: {', '.join(WORKLOADS)}")
        if key not in kinds:
            sys.exit(f"unknown key '{key}' of '{text}'; known: {', '.join(kinds)}")
        try:
            given[names.get(key, key)] = kinds[key](value)
        except ValueError as error:
            sys.exit(f"{part}: {error}")
    if not given["hidden"]:
        sys.exit(f"'{text}' has no hidden=…")
    if given.get("rows", given["batch"]) < given["batch"]:
        sys.exit(f"'{text}': {given['rows']} rows are no batch of {given['batch']}")
    return Workload(**given)


def units(text):
    """The widths of `300-100` or `20x100`."""
    widths = []
    for part in text.split("-"):
        times, x, width = part.rpartition("x")
        widths += [int(width)] * (int(times) if x else 1)
    return tuple(widths)


def cores():
    """The cores this process may use: `taskset` decides, as it does for every other peer."""
    return len(os.sched_getaffinity(0))


def arguments(**more):
    p = argparse.ArgumentParser()
    p.add_argument("--workload", required=True, help="a name, or `hidden=300-100,batch=64,…`")
    p.add_argument("--seconds", type=float, default=3.0)
    p.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    p.add_argument("--seed", type=int, default=1)
    for name, options in more.items():
        p.add_argument("--" + name, **options)
    return p.parse_args()


def read_idx(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rb") as f:
        raw = f.read()
    rank = raw[3]
    shape = np.frombuffer(raw, ">u4", rank, 4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)


def load(folder, rows=None):
    """The 60,000 training images as float32 rows in [0, 1], and their labels as int32. If other
    rows than these are asked for: so many, the file's from the first on, again and again."""
    x = read_idx(os.path.join(folder, "train-images-idx3-ubyte.gz"))
    y = read_idx(os.path.join(folder, "train-labels-idx1-ubyte.gz"))
    x, y = x.reshape(len(x), PIXELS).astype(np.float32) / 255.0, y.astype(np.int32)
    if rows:
        wanted = np.arange(rows) % len(x)
        x, y = x[wanted], y[wanted]
    return x, y


def report(**fields):
    """Print the one result line. Everything else a peer prints goes to standard error."""
    fields = {k: round(v, 6) if isinstance(v, float) else v for k, v in fields.items()}
    print(json.dumps(fields), flush=True)

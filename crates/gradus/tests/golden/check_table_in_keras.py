#!/usr/bin/env python3
"""Does real Keras score raw rows as gradus did?

    check_table_in_keras.py MODEL.keras RAW.csv SCORED.csv

MODEL was trained on a table and has one output of numbers; SCORED is what `gradus predict MODEL
--data RAW.csv --out SCORED.csv` wrote. Here Keras loads MODEL, and is fed with the cells of RAW as
Python's `csv` reads them: an input of texts gets the text, one of numbers the number, or NaN where
there is none. Predictions must agree within 1e-5 of their magnitude; every column of SCORED that is
in RAW too (ids) must be the same there. Exit code 0: all well, 1: not. Keras takes texts on
TensorFlow alone.
"""
import csv
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
import numpy as np
import tensorflow as tf

TOLERANCE = 1e-5


def columns(path):
    with open(path, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    return dict(zip(header, zip(*rows)))


def fed(cells, dtype):
    if dtype == "string":
        return tf.constant([[cell] for cell in cells])
    return tf.constant([[float(cell) if cell else np.nan] for cell in cells], tf.float32)


def main(model, raw, scored):
    model, raw, scored = keras.models.load_model(model), columns(raw), columns(scored)
    kept = [name for name in scored if name in raw]
    for name in kept:
        if scored[name] != raw[name]:
            return fail(f"column {name} is not what it was")
    target = [name for name in scored if name not in raw]
    if len(target) != 1:
        return fail(f"one column of predictions is expected, found {target}")
    # The whole model at once: `predict` would feed batches of the same.
    x = {tensor.name: fed(raw[tensor.name], tensor.dtype) for tensor in model.inputs}
    found = np.ravel(model(x, training=False))
    wanted = np.array(scored[target[0]], np.float64)
    if found.shape != wanted.shape:
        return fail(f"{len(found)} predictions, gradus has {len(wanted)}")
    difference = float(np.max(np.abs(found - wanted) / np.abs(wanted).clip(np.abs(wanted).mean())))
    print(f"{len(found)} rows of {target[0]}, kept {', '.join(kept) or 'nothing'}: largest difference {difference:.1e}")
    if not difference <= TOLERANCE:
        return fail(f"predictions differ by {difference:.1e}, more than {TOLERANCE}")
    return 0


def fail(message):
    print(f"check_table_in_keras: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

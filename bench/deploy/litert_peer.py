"""LiteRT on a Keras model: `litert_peer.py convert MODEL.keras ROWS.f32 SHAPE FOLDER` writes FOLDER/litert-NAME.tflite
(float32, float16, dynamic, static: calibrated with the first 1000 of ROWS), `litert_peer.py time SECONDS ROWS.f32 LABELS
SHAPE FILE...` prints a line of JSON for each file, as gradus-bench-deploy does. One thread; what is timed is `invoke`,
without copies of inputs and outputs, so that no Python is counted but the call.
"""

import json
import os
import sys
import time

import numpy as np


def read(path, shape):
    return np.fromfile(path, np.float32).reshape(-1, *[int(n) for n in shape.split(",")])


def convert(path, rows, shape, folder):
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras
    import tensorflow as tf

    rows = read(rows, shape)[:1000]
    model = keras.saving.load_model(path, compile=False)
    default = tf.lite.Optimize.DEFAULT
    for name in ["float32", "float16", "dynamic", "static"]:
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        converter.optimizations = [] if name == "float32" else [default]
        if name == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if name == "static":
            converter.representative_dataset = lambda: ([row[None]] for row in rows)
        with open(f"{folder}/litert-{name}.tflite", "wb") as file:
            file.write(converter.convert())


def measure(seconds, rows, labels, shape, *files):
    from ai_edge_litert.interpreter import Interpreter

    rows, labels = read(rows, shape), np.fromfile(labels, np.uint8)
    batch = 1000
    for file in files:
        one, many = (Interpreter(file, num_threads=1) for _ in range(2))
        place = one.get_input_details()[0]["index"]
        many.resize_tensor_input(place, [batch, *rows.shape[1:]])
        outputs, batches, calls = [], [], []
        for interpreter in (one, many):
            interpreter.allocate_tensors()
        result = many.get_output_details()[0]["index"]

        def ask(interpreter, some):
            interpreter.set_tensor(place, some)
            start = time.perf_counter_ns()
            interpreter.invoke()
            return time.perf_counter_ns() - start

        for first in range(0, len(rows), batch):
            batches.append(ask(many, rows[first:first + batch]))
            outputs.append(many.get_tensor(result))
        begin = time.perf_counter()
        while time.perf_counter() - begin < float(seconds):
            calls += [ask(one, rows[i:i + 1]) for i in range(200)][10:]
            batches.append(ask(many, rows[:batch]))
        outputs = np.concatenate(outputs)
        p50, p99 = np.percentile(calls, [50, 99]) / 1e3
        print(json.dumps({"name": file, "p50": p50, "p99": p99, "rows_per_second": batch / min(batches) * 1e9,
                          "accuracy": float((outputs.argmax(1) == labels).mean())}), flush=True)


{"convert": convert, "time": measure}[sys.argv[1]](*sys.argv[2:])

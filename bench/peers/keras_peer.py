"""Keras with `compile` and `fit` on arrays, on the JAX or the TensorFlow backend.

Times are taken between the ends of whole epochs of one `fit` call, the first epoch left out:
it compiles. Single-step workloads use shorter epochs (a leading part of the rows), so that one
measurement stays near the asked number of seconds.

`jit_compile` (XLA) and `steps_per_execution=32` were measured to be faster than, or as fast as,
their alternatives for both backends; `--steps_per_execution 1` gives Keras' default.
"""

import os
import time

import numpy as np

import common

args = common.arguments(
    backend={"choices": ["jax", "tensorflow"], "required": True},
    steps_per_execution={"type": int, "default": 32},
)
os.environ["KERAS_BACKEND"] = args.backend
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: E402  (the backend must be chosen before)
from keras import layers  # noqa: E402


def build(w):
    def bn():
        return layers.BatchNormalization(
            momentum=common.BN_MOMENTUM, epsilon=common.BN_EPSILON
        )

    model = keras.Sequential([keras.Input((common.PIXELS,))])
    if w.input_bn:
        model.add(bn())
    for width in w.hidden:
        model.add(layers.Dense(width, kernel_initializer=w.init, use_bias=not w.bn))
        if w.bn:
            model.add(bn())
        model.add(layers.Activation(w.activation))
        if w.dropout:
            model.add(layers.Dropout(w.dropout))
    model.add(layers.Dense(common.CLASSES))
    return model


class EpochEnds(keras.callbacks.Callback):
    """Notes the time and the logs at each epoch's end; stops when the time is up."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds, self.times, self.logs = seconds, [], []

    def on_epoch_end(self, epoch, logs=None):
        self.times.append(time.perf_counter())
        self.logs.append({k: float(v) for k, v in logs.items()})
        if self.times[-1] - self.times[0] >= self.seconds:
            self.model.stop_training = True


def main():
    w = common.workload(args.workload)
    keras.utils.set_random_seed(args.seed)
    if args.backend == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(common.cores())
        tf.config.threading.set_inter_op_parallelism_threads(common.cores())
        backend_version = f"tensorflow {tf.__version__}"
    else:
        import jax

        backend_version = f"jax {jax.__version__}"

    x, y = common.load(args.data, w.rows)
    model = build(w)
    model.compile(
        optimizer=keras.optimizers.SGD(w.learning_rate, momentum=common.MOMENTUM, nesterov=True),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"] if w.epoch else None,
        jit_compile=True,
        steps_per_execution=args.steps_per_execution,
    )
    result = {
        "peer": "keras-"
        + {"jax": "jax", "tensorflow": "tf"}[args.backend]
        + ("-1" if args.steps_per_execution == 1 else ""),
        "workload": args.workload,
        "version": f"keras {keras.__version__}, {backend_version}",
        "threads": common.cores(),
    }

    if w.epoch:
        held = common.HELD_OUT
        ends = EpochEnds(args.seconds)
        model.fit(
            x[held:],
            y[held:],
            batch_size=w.batch,
            epochs=10_000,
            validation_data=(x[:held], y[:held]),
            validation_batch_size=common.VALIDATION_BATCH,
            callbacks=[ends],
            verbose=0,
        )
        seconds = ends.times[-1] - ends.times[0]
        epochs = len(ends.times) - 1
        loss_steps = -(-(len(x) - held) // w.batch)
        steps = epochs * loss_steps
        result |= ends.logs[0] | {"seconds_per_epoch": seconds / epochs}
    else:
        half = min(w.loss_steps // 2, len(x) // w.batch)
        for _ in range(2):
            rows = np.random.permutation(len(x))[: half * w.batch]
            start = time.perf_counter()
            history = model.fit(x[rows], y[rows], batch_size=w.batch, verbose=0)
            estimate = (time.perf_counter() - start) / half
        result["loss"] = history.history["loss"][-1]
        loss_steps = 2 * half

        # Two or more timed epochs, each as long as the data allows; or whole ones.
        per_epoch = len(x) // w.batch
        if not w.rows:
            per_epoch = min(per_epoch, max(10, int(args.seconds / 2 / estimate)))
        rows = per_epoch * w.batch
        ends = EpochEnds(args.seconds)
        model.fit(
            x[:rows], y[:rows], batch_size=w.batch, epochs=10_000, callbacks=[ends], verbose=0
        )
        seconds = ends.times[-1] - ends.times[0]
        steps = (len(ends.times) - 1) * per_epoch

    common.report(
        **result, loss_steps=loss_steps, us_per_step=seconds / steps * 1e6, steps=steps
    )


main()

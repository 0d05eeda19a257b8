"""Keras networks on one split: a line of JSON for each.

300 and 100 units, ELU, He normal, batches of 32, a standardized target, early stopping on the
validation rows with the best weights put back: with Adam, and with the book's Nesterov momentum and
performance scheduling (with `clipnorm`: without, some splits end in NaN).
"""
import json
import os
import sys
import time

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
from keras import callbacks, layers, optimizers

from features import load, rmse

EPOCHS = 200
folder, seed = sys.argv[1], int(sys.argv[2])
data = load(folder)
(x, y), (xv, yv), (xt, yt) = (data[name] for name in ["train", "validation", "test"])
mean, deviation = y.mean(), y.std()


def run(name, optimizer, *more):
    begun = time.perf_counter()
    keras.utils.set_random_seed(seed)
    hidden = dict(activation="elu", kernel_initializer="he_normal")
    model = keras.Sequential([keras.Input(x.shape[1:]), layers.Dense(300, **hidden),
                              layers.Dense(100, **hidden), layers.Dense(1)])
    model.compile(optimizer, "mse", jit_compile=True, steps_per_execution=32)
    stop = callbacks.EarlyStopping(patience=20, restore_best_weights=True)
    past = model.fit(x, (y - mean) / deviation, epochs=EPOCHS, batch_size=32, verbose=0,
                     validation_data=(xv, (yv - mean) / deviation), callbacks=[stop, *more])
    error = rmse(model.predict(xt, verbose=0) * deviation + mean, yt)
    print(json.dumps({"name": f"Keras, {name}", "rmse": error, "seconds": time.perf_counter() - begun,
                      "epochs": len(past.epoch), "version": f"keras {keras.__version__} ({keras.backend.backend()})"}),
          flush=True)


run("Adam", optimizers.Adam(0.001))
run("Nesterov momentum, rate halved on plateaus", optimizers.SGD(0.01, momentum=0.9, nesterov=True, clipnorm=1.0),
    callbacks.ReduceLROnPlateau(factor=0.5, patience=5))

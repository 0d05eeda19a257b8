"""scikit-learn's MLPRegressor on one split: a line of JSON for each of its networks.

`early_stopping=True` holds rows out of those that it is given: it gets training and validation rows
together, and holds out as many as there are validation rows. Of the tuned ones, the one with the
least error on those that `splits.py` holds out is taken, fitted again on both.
"""
import itertools
import json
import sys
import time
import warnings

import numpy as np
import sklearn
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler

from features import load, rmse

warnings.simplefilter("ignore", ConvergenceWarning)
folder, seed = sys.argv[1], int(sys.argv[2])
data = load(folder)
(x, y), (xv, yv), (xt, yt) = (data[name] for name in ["train", "validation", "test"])
share = len(yv) / (len(y) + len(yv))
both = np.concatenate([x, xv]), np.concatenate([y, yv])


def network(**arguments):
    mlp = MLPRegressor(early_stopping=True, validation_fraction=share, random_state=seed, **arguments)
    return TransformedTargetRegressor(mlp, transformer=StandardScaler())


def report(name, model, begun):
    error = rmse(model.predict(xt), yt)
    print(json.dumps({"name": name, "rmse": error, "seconds": time.perf_counter() - begun,
                      "version": f"scikit-learn {sklearn.__version__}"}), flush=True)


begun = time.perf_counter()
plain = MLPRegressor(early_stopping=True, validation_fraction=share, random_state=seed)
report("MLPRegressor, its defaults", plain.fit(*both), begun)
begun = time.perf_counter()
report("MLPRegressor, target standardized", network().fit(*both), begun)
begun = time.perf_counter()
tries = [dict(hidden_layer_sizes=hidden, learning_rate_init=rate, n_iter_no_change=20)
         for hidden, rate in itertools.product([(100, 100), (300, 100)], [0.001, 0.003])]
errors = [rmse(network(**arguments).fit(x, y).predict(xv), yv) for arguments in tries]
best = tries[int(np.argmin(errors))]
report("MLPRegressor, the best of 4 on validation rows", network(**best).fit(*both), begun)
print(best, file=sys.stderr)

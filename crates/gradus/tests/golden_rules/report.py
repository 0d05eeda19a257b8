"""Figures of predictions by scikit-learn 1.9, for the tests of `artifacts/report/measures`: report.json.

    pip install scikit-learn && python report.py
"""

import json
import pathlib

import numpy as np
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    average_precision_score,
    mean_absolute_error,
    mean_squared_error,
    precision_recall_curve,
    r2_score,
    roc_auc_score,
    roc_curve,
)

random = np.random.default_rng(42)
positive = random.random(60) < 0.4
# Of two digits, so that some are the same.
scores = np.round(np.clip(0.45 * positive + 0.6 * random.random(60), 0, 1), 2)
false_positives, true_positives, _ = roc_curve(positive, scores, drop_intermediate=False)
precision, _, _ = precision_recall_curve(positive, scores)
observed, predicted = calibration_curve(positive, scores, n_bins=10)
truth = random.normal(size=40)
guess = truth + 0.3 * random.normal(size=40)

golden = {
    "two_classes": {
        "positive": positive.astype(int).tolist(),
        "scores": scores.tolist(),
        "false_positives": false_positives.tolist(),
        "true_positives": true_positives.tolist(),
        # From the highest threshold on.
        "precision": precision[::-1].tolist(),
        "roc_auc": roc_auc_score(positive, scores),
        "average_precision": average_precision_score(positive, scores),
        "observed": observed.tolist(),
        "predicted": predicted.tolist(),
    },
    "numbers": {
        "truth": truth.tolist(),
        "predicted": guess.tolist(),
        "r2": r2_score(truth, guess),
        "mean_absolute_error": mean_absolute_error(truth, guess),
        "mean_squared_error": mean_squared_error(truth, guess),
    },
}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(golden) + "\n")

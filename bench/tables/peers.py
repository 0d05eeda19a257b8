"""One peer on one split: prints its test error, the log loss of classes or the root mean squared error of numbers.

    peers.py PEER FOLDER TARGET classes|numbers SEED

All are used as their documentation has it, with the preprocessing that they ask for; none is tuned.
"""
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import log_loss, root_mean_squared_error
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

warnings.simplefilter("ignore")


def frames(folder, target):
    """Train and test, texts as categories of the training rows."""
    train, test = (pd.read_csv(folder / f"{part}.csv", keep_default_na=False, na_values=["NA", ""])
                   for part in ["train", "test"])
    y, yt = train.pop(target), test.pop(target)
    empty = train.columns[train.isna().all()]
    train, test = train.drop(columns=empty), test.drop(columns=empty)
    for name in train.select_dtypes(exclude="number"):
        known = pd.CategoricalDtype(sorted(train[name].dropna().astype(str).unique()))
        for part in [train, test]:
            part[name] = part[name].where(part[name].isna(), part[name].astype(str)).astype(known)
    return train, y, test, yt


def prepared(x, model):
    """Numbers standardized, gaps the mean with an indicator, texts one-hot."""
    texts = x.select_dtypes("category").columns
    numbers = [name for name in x.columns if name not in texts]
    rows = ColumnTransformer([
        ("numbers", make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), numbers),
        ("texts", OneHotEncoder(handle_unknown="ignore", sparse_output=False), texts),
    ])
    return make_pipeline(rows, model)


def peer(name, classes, x, seed):
    if name == "mlp":
        if classes:
            return prepared(x, MLPClassifier(early_stopping=True, random_state=seed))
        mlp = MLPRegressor(early_stopping=True, random_state=seed)
        return TransformedTargetRegressor(prepared(x, mlp), transformer=StandardScaler())
    if name == "linear":
        return prepared(x, LogisticRegression(max_iter=2000) if classes else RidgeCV(np.logspace(-2, 3, 11)))
    if name == "boosting":
        kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
        return kind(categorical_features="from_dtype", random_state=seed)
    from pytabkit import RealMLP_TD_S_Classifier, RealMLP_TD_S_Regressor
    if classes:
        # What its documentation advises where probabilities are measured.
        return RealMLP_TD_S_Classifier(random_state=seed, device="cpu", n_threads=1, val_metric_name="cross_entropy",
                                       use_ls=False)
    return RealMLP_TD_S_Regressor(random_state=seed, device="cpu", n_threads=1)


def main():
    name, folder, target, kind, seed = sys.argv[1:]
    classes = kind == "classes"
    x, y, xt, yt = frames(Path(folder), target)
    if name == "realmlp":
        # It refuses numbers that are missing: the mean and an indicator, as for the others.
        for column in x.columns[x.isna().any()]:
            if x[column].dtype.kind in "fi":
                mean = x[column].mean()
                for part in [x, xt]:
                    part[f"{column} is missing"] = part[column].isna().astype(float)
                    part[column] = part[column].fillna(mean)
        for column in xt.columns[xt.isna().any()]:
            if xt[column].dtype.kind in "fi":
                xt[column] = xt[column].fillna(x[column].mean())
    begun = time.perf_counter()
    model = peer(name, classes, x, int(seed)).fit(x, y)
    seconds = time.perf_counter() - begun
    if classes:
        error = log_loss(yt, model.predict_proba(xt), labels=model.classes_)
    else:
        error = root_mean_squared_error(yt, model.predict(xt))
    print(json.dumps({"error": error, "seconds": seconds}))


main()

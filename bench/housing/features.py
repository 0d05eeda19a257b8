"""What scikit-learn and Keras are given: the features that gradus makes of the table.

Standardized numbers with the training rows' means where they are missing, a 1 where they were
(columns that have gaps), and a place for each category. The target stays in its unit.
"""
import numpy as np
import pandas
from sklearn.compose import make_column_transformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

TARGET = "median_house_value"


def load(folder):
    """Features and target of `train`, `validation` and `test`, by name."""
    frames = {name: pandas.read_csv(f"{folder}/{name}.csv") for name in ["train", "validation", "test"]}
    x = frames["train"].drop(columns=TARGET)
    numbers = list(x.select_dtypes("number"))
    gaps = [name for name in numbers if x[name].isna().any()]
    front = make_column_transformer(
        # A standardized mean is 0.
        (make_pipeline(StandardScaler(), SimpleImputer(strategy="constant", fill_value=0.0)), numbers),
        (MissingIndicator(features="all"), gaps),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), [c for c in x if c not in numbers]),
    ).fit(x)
    made = lambda frame: (front.transform(frame).astype(np.float32), frame[TARGET].to_numpy(np.float32))
    return {name: made(frame) for name, frame in frames.items()}


def rmse(predicted, wanted):
    return float(np.sqrt(np.mean((np.ravel(predicted) - wanted) ** 2)))

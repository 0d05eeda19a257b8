"""The tables of `bench/tables`: what pip packages ship, cut into train and test files.

A table is (name, where it is, target, columns that are left out); more than ROWS rows are sampled once, the same for
everybody. Left out are row numbers and columns that give the target away (`casual + registered = bikers`).
"""
import importlib.util
import io
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd

ROWS = 5000
TEST = 0.25

CLASSES = [
    ("wine", "sklearn:wine", "target", []),
    ("breast cancer", "sklearn:breast_cancer", "target", []),
    ("digits", "sklearn:digits", "target", []),
    ("iris", "sklearn:iris", "target", []),
    ("titanic", "pydataset:COUNT/titanic", "survived", []),
    ("chile", "pydataset:car/Chile", "vote", []),
    ("pima", "pydataset:MASS/Pima.te", "type", []),
    ("hdma", "pydataset:Ecdat/Hdma", "deny", []),
    ("benefits", "pydataset:Ecdat/Benefits", "ui", []),
    ("pbc", "pydataset:survival/pbc", "status", ["id"]),
    ("default", "ISLP:Default", "default", []),
    ("orange juice", "ISLP:OJ", "Purchase", []),
    ("caravan", "ISLP:Caravan", "Purchase", []),
    ("anes96", "statsmodels:anes96", "vote", []),
]
NUMBERS = [
    ("diabetes", "sklearn:diabetes", "target", []),
    ("diamonds", "pydataset:ggplot2/diamonds", "price", []),
    ("computers", "pydataset:Ecdat/Computers", "price", []),
    ("medical costs", "pydataset:Ecdat/MedExp", "med", []),
    ("forbes", "pydataset:HSAUR/Forbes2000", "marketvalue", ["rank", "name"]),
    ("wages", "pydataset:Ecdat/Bwages", "wage", []),
    ("slid", "pydataset:car/SLID", "wages", []),
    ("bikes", "ISLP:Bikeshare", "bikers", ["casual", "registered"]),
    ("wage", "ISLP:Wage", "wage", ["logwage"]),
    ("carseats", "ISLP:Carseats", "Sales", []),
    ("hitters", "ISLP:Hitters", "Salary", []),
    ("auto", "ISLP:Auto", "mpg", ["name"]),
    ("college", "ISLP:College", "Outstate", []),
    ("boston", "ISLP:Boston", "medv", []),
]


def folder(package):
    """Where a package is installed; it is not imported, for its dependencies are not needed."""
    return Path(importlib.util.find_spec(package).submodule_search_locations[0])


def read(where):
    package, name = where.split(":")
    if package == "sklearn":
        from sklearn import datasets
        return getattr(datasets, f"load_{name}")(as_frame=True).frame
    if package == "pydataset":
        with tarfile.open(folder("pydataset") / "resources.tar.gz") as tar:
            file = tar.extractfile(f"resources/rdata/csv/{name}.csv")
            return pd.read_csv(io.BytesIO(file.read()), index_col=0, keep_default_na=False, na_values=["NA", ""])
    if package == "statsmodels":
        frame = pd.read_csv(folder("statsmodels") / f"datasets/{name}/{name}.csv", sep="\t")
        return frame.rename(columns=lambda column: column.strip("' "))
    return pd.read_csv(folder("ISLP") / f"data/{name}.csv")


def load(where, target, left_out, classes):
    frame = read(where).drop(columns=left_out)
    frame = frame[frame[target].notna()]
    if classes and frame[target].nunique() > 2 and frame[target].dtype.kind in "if":
        # More than two numbers are numbers; these are classes.
        frame[target] = "class " + frame[target].astype(str)
    return frame.sample(ROWS, random_state=0) if len(frame) > ROWS else frame


def split(frame, target, seed, classes, out):
    """Writes train.csv and test.csv; classes are spread evenly over both."""
    from sklearn.model_selection import train_test_split
    by = frame[target] if classes else None
    train, test = train_test_split(frame, test_size=TEST, random_state=seed, stratify=by)
    out.mkdir(parents=True, exist_ok=True)
    train.to_csv(out / "train.csv", index=False)
    test.to_csv(out / "test.csv", index=False)


def of(names):
    """(name, where, target, left out, whether it is classes) of each table that is asked for."""
    every = [(*table, True) for table in CLASSES] + [(*table, False) for table in NUMBERS]
    return [table for table in every if not names or table[0] in names]

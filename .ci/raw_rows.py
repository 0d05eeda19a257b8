"""The housing table for a training, and raw rows as the world sends them: `train.csv`, `raw.csv`.

    raw_rows.py FOLDER

Both have a column that says which house it is. The raw rows have no prices, their columns are in
another order, there are gaps in columns that had none and a place that nobody has seen. Where the
housing table is not there, a made-up one with its columns stands for it.
"""
import csv
import math
import random
import sys
from pathlib import Path

RAW = 500
TARGET, PLACE = "median_house_value", "ocean_proximity"
PLACES = ["INLAND", "NEAR BAY", "<1H OCEAN", "ISLAND", "NEAR OCEAN"]
NUMBERS = ["longitude", "latitude", "housing_median_age", "total_rooms", "total_bedrooms", "population", "households",
           "median_income"]
here, out, draw = Path(__file__).resolve().parent, Path(sys.argv[1]), random.Random(6)


def made_up():
    for _ in range(4000):
        row = {name: f"{draw.lognormvariate(1, 1):.4f}" for name in NUMBERS}
        row |= {PLACE: draw.choice(PLACES), "total_bedrooms": "" if draw.random() < 0.01 else row["total_bedrooms"]}
        yield row | {TARGET: f"{50000 * math.log(1 + float(row['median_income'])) + draw.gauss(0, 10000):.1f}"}


found = [path for up in ["..", "../.."] if (path := here / up / "shared/data/housing.csv").exists()]
if found:
    with open(found[0], newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
else:
    rows = list(made_up())
draw.shuffle(rows)
rows = [{"house": f"H-{n:05}"} | row for n, row in enumerate(rows)]
raw, train = rows[:RAW], rows[RAW:]
for row in raw:
    del row[TARGET]
    for name in [*NUMBERS, PLACE]:
        if draw.random() < 0.05:
            row[name] = ""
    if draw.random() < 0.05:
        row[PLACE] = "ON THE MOON, far side"
for name, part, order in [("train", train, list(train[0])), ("raw", raw, sorted(raw[0], reverse=True))]:
    with open(out / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, order)
        writer.writeheader()
        writer.writerows(part)

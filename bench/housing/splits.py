"""Cuts the housing table into train, validation and test files: 70, 10 and 20%, drawn by a seed.

    python3 bench/housing/splits.py HOUSING.csv FOLDER SEED

The same seed gives the same files on every machine: the order is Python's `random`'s.
"""
import csv
import random
import sys
from pathlib import Path

TEST, VALIDATION = 0.2, 0.1


def split(source, folder, seed):
    with open(source, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    random.Random(seed).shuffle(rows)
    test, validation = round(len(rows) * TEST), round(len(rows) * VALIDATION)
    parts = {"test": rows[:test], "validation": rows[test:test + validation], "train": rows[test + validation:]}
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in parts.items():
        with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(part)


if __name__ == "__main__":
    split(sys.argv[1], sys.argv[2], int(sys.argv[3]))

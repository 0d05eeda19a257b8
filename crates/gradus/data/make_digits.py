"""Makes digits.gz from scikit-learn's copy of the UCI digits.

    pip download --no-deps scikit-learn && unzip scikit_learn-*.whl
    python make_digits.py sklearn/datasets/data/digits.csv.gz digits.gz

digits.gz is gzip over: the 1,797 labels, one byte each (0..9), then the
1,797 pictures, 64 bytes each, row by row from the top (0 paper .. 16 ink).
"""

import gzip
import sys

source, made = sys.argv[1:]
with gzip.open(source, "rt") as file:
    rows = [[int(float(cell)) for cell in line.split(",")] for line in file]
assert len(rows) == 1797 and all(len(row) == 65 for row in rows)
labels = bytes(row[64] for row in rows)
pixels = bytes(pixel for row in rows for pixel in row[:64])
assert max(labels) == 9 and max(pixels) == 16
with open(made, "wb") as file:
    file.write(gzip.compress(labels + pixels, 9, mtime=0))

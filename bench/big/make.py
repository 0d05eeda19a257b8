"""Makes arrays of numbers that a network can learn from: X.npy and Y.npy.

    make.py FOLDER GIGABYTES

FOLDER/x.npy has rows of 784 float32, FOLDER/y.npy their classes, 0 to 9, as float32: each
row is its class's centre with noise. Rows are written block by block.
"""
import sys
from pathlib import Path

import numpy as np

WIDTH, BLOCK = 784, 8192
folder, size = Path(sys.argv[1]), float(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
rows = int(size * 1e9) // (WIDTH * 4)
draw = np.random.default_rng(0)
centres = draw.normal(0, 0.1, (10, WIDTH)).astype(np.float32)
noise = draw.normal(0, 1, (BLOCK * 4, WIDTH)).astype(np.float32)
with open(folder / "x.npy", "wb") as x, open(folder / "y.npy", "wb") as y:
    for file, shape in ((x, (rows, WIDTH)), (y, (rows,))):
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<f4", "fortran_order": False, "shape": shape}
        )
    for start in range(0, rows, BLOCK):
        count = min(BLOCK, rows - start)
        classes = draw.integers(0, 10, count)
        # Drawing every number anew would take ten times as long.
        some = noise[draw.integers(0, len(noise), count)]
        (centres[classes] + some).tofile(x)
        classes.astype(np.float32).tofile(y)
print(f"{rows} rows of {WIDTH} in {folder}")

"""Write IDX files of Fashion-MNIST's shape that a network can learn: `make_synthetic.py FOLDER`.

Each class has a random prototype image; a row is its class' prototype mixed with noise.
"""

import gzip
import sys
from pathlib import Path

import numpy as np

ROWS, PIXELS, CLASSES = 60_000, 784, 10

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(1)
prototypes = rng.integers(0, 256, (CLASSES, PIXELS), dtype=np.uint8)
labels = rng.integers(0, CLASSES, ROWS, dtype=np.uint8)
noise = rng.integers(0, 256, (ROWS, PIXELS), dtype=np.uint8)
images = prototypes[labels] // 4 + noise // 4 * 3

for name, shape, values in [
    ("train-images-idx3-ubyte.gz", (ROWS, 28, 28), images),
    ("train-labels-idx1-ubyte.gz", (ROWS,), labels),
]:
    header = bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes()
    with gzip.open(folder / name, "wb", compresslevel=1) as f:
        f.write(header + values.tobytes())

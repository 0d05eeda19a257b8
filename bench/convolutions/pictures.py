#!/usr/bin/env python3
"""The memory of a training on 5,000 pictures of 160 × 160, read meanwhile: `bench/convolutions/pictures.py GRADUS`.

Needs Pillow. The pictures are JPEG files of coloured spots, 40 MB; decoded they take 384 MB.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
from PIL import Image

CLASSES, EACH, SIDE = 5, 1000, 160
CONFIG = """[data]
images = "photos"
size = [160, 160]
memory = "200 MB"
validation = { fraction = 0.1, stratify = true }
[model]
layers = [
  { type = "Conv2D", filters = 16, kernel_size = 3, strides = 2, padding = "same", activation = "relu", kernel_initializer = "he_normal" },
  { type = "MaxPooling2D" },
  { type = "Conv2D", filters = 32, kernel_size = 3, padding = "same", activation = "relu", kernel_initializer = "he_normal" },
  { type = "MaxPooling2D" },
  { type = "Conv2D", filters = 64, kernel_size = 3, padding = "same", activation = "relu", kernel_initializer = "he_normal" },
  { type = "GlobalAveragePooling2D" },
  { type = "Dense", units = 5, activation = "softmax" },
]
[train]
loss = "sparse_categorical_crossentropy"
metrics = ["accuracy"]
optimizer = { type = "Adam", learning_rate = 0.002 }
epochs = 2
batch_size = 32
"""


def main():
    program = Path(sys.argv[1]).resolve()
    random = numpy.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for number in range(CLASSES):
            photos = folder / "photos" / f"class{number}"
            photos.mkdir(parents=True)
            for i in range(EACH):
                spots = random.integers(0, 256, (20, 20, 3), dtype=numpy.uint8)
                spots[:, :, number % 3] //= 2
                spots[: 10 * (number > 2)] //= 2
                Image.fromarray(spots).resize((SIDE, SIDE), Image.BICUBIC).save(photos / f"{i}.jpg", quality=85)
        (folder / "photos.toml").write_text(CONFIG)
        trained = subprocess.Popen([program, "train", "photos.toml", "--out", "run"], cwd=folder)
        _, status, used = os.wait4(trained.pid, 0)
        print(f"exit {os.waitstatus_to_exitcode(status)}, at most {used.ru_maxrss / 1024:.0f} MB")


main()

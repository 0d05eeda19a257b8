#!/usr/bin/env python3
"""Shirt or sandal from 200 images, on frozen and then tuned convolutions of another task, and from scratch, over 5 seeds:

    bench/convolutions/transfer.py GRADUS [--set train.epochs=4 of the base ...]

Test accuracy on 2,000 images. From scratch it is the same network, for as many epochs, by 1cycle.
"""

import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
BASE = "transfer-convolutions-a"
SEEDS = range(1, 6)
SCRATCH_TRAIN = """[train]
loss = "binary_crossentropy"
metrics = ["accuracy"]
epochs = 20
schedule = { type = "OneCycle", max_rate = 0.05 }
optimizer = { type = "SGD", momentum = 0.9, nesterov = true }

[callbacks]
early_stopping = { patience = 8, restore_best_weights = true }
"""


def accuracy(program, folder, config, seed):
    run = folder / "runs" / f"{config.stem}-{seed}"
    train = [program, "train", config, "--set", f"seed={seed}", "--out", run, "--quiet"]
    subprocess.run(train, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    measured = [program, "evaluate", run, "--data", "test", "--json"]
    said = subprocess.run(measured, cwd=folder, check=True, capture_output=True, text=True).stdout
    return json.loads(said)["accuracy"]


def main():
    program = str(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        recipes = folder / "recipes"
        recipes.mkdir()
        for name in (BASE, "transfer-convolutions-b"):
            shutil.copy(RECIPES / f"{name}.toml", recipes)
        base = [program, "train", recipes / f"{BASE}.toml", "--out", folder / "runs" / BASE, "--quiet", *sys.argv[2:]]
        subprocess.run(base, cwd=folder, check=True)
        reused = recipes / "transfer-convolutions-b.toml"
        rows = re.search(r"\[data\].*?\n\n", reused.read_text(), re.S).group(0)
        layers = re.search(r"\[model\].*?\n\n", (recipes / f"{BASE}.toml").read_text(), re.S).group(0)
        layers = layers.replace('units = 8, activation = "softmax"', 'units = 1, activation = "sigmoid"')
        scratch = recipes / "scratch.toml"
        scratch.write_text("seed = 42\n\n" + rows + layers + SCRATCH_TRAIN)
        for config in (reused, scratch):
            found = [accuracy(program, folder, config, seed) for seed in SEEDS]
            print(config.stem, " ".join(f"{one:.4f}" for one in found), "mean", f"{statistics.mean(found):.4f}", flush=True)


main()

"""Runs whose pages are hard: written by hand where a training would take long, else trained.

    python runs.py GRADUS FOLDER    prints the pages, a line each
"""

import math
import pathlib
import random
import subprocess
import sys

import numpy as np

NASTY = "</script><script>document.title='harm'</script><img src=x onerror=alert(1)>"
CONFIG = "seed = 1\n[data]\ndataset = \"digits\"\n[train]\nepochs = {epochs}\nbatch_size = 32\n# {nasty}\n"
HEALTH = (
    "epoch,step,layer,output_mean,output_std,output_max,gradient_mean,gradient_std,gradient_max,"
    "gradient_norm,weight_norm,update_ratio,dead,saturated\n"
)


def history(epochs, nan):
    lines = ["epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds"]
    for epoch in range(epochs):
        loss = 2 / (1 + epoch / 50) + 0.05 * random.random()
        loss = math.nan if nan and epoch % 7 == 3 else loss
        held_out = math.inf if nan and epoch == 11 else loss * 1.2 + epoch * 1e-5
        lines.append(f"{epoch},{loss},{1 - loss / 3},{held_out},{1 - held_out / 3},0.01,0.5")
    return "\n".join(lines).replace("nan", "NaN") + "\n"


def wide():
    """A history whose logarithmic axes begin at many digits."""
    digits = range(10, 49)
    lines = ["epoch,loss," + ",".join(f"from_{n}" for n in digits) + ",far,learning_rate,seconds"]
    for epoch in range(4):
        values = ",".join(str(1.3 * (2 * n + 0.7) * 10 ** (epoch - 5)) for n in digits)
        lines.append(f"{epoch},0.5,{values},1e{100 * epoch - 200},0.01,{0.0125 * 10**epoch}")
    return "\n".join(lines) + "\n"


def health(layers, steps, name):
    lines = []
    for step in range(steps):
        for layer in range(layers):
            norm = 10 ** (-4 * layer / layers) * random.uniform(0.5, 2)
            norm = "NaN" if step > steps * 0.9 and layer > layers * 0.8 else norm
            dead = random.random() / 5
            values = f"0,{random.uniform(0.5, 1.5)},3,0,0.1,1,{norm},3,0.001,{dead},"
            lines.append(f"0,{step * 10},{name.format(layer)},{values}")
    return HEALTH + "\n".join(lines) + "\n"


def by_hand(folder, epochs, layers, steps, nan=False, name="dense_{}"):
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(CONFIG.format(epochs=epochs, nasty=NASTY))
    (folder / "history.csv").write_text(history(epochs, nan))
    (folder / "health.csv").write_text(health(layers, steps, name))
    return folder


def main():
    gradus, work = sys.argv[1], pathlib.Path(sys.argv[2])
    random.seed(1)
    work.mkdir(parents=True, exist_ok=True)

    def run(*arguments):
        subprocess.run([gradus, *map(str, arguments)], check=True, cwd=work, stdout=subprocess.DEVNULL)

    runs = [
        by_hand(work / "epochs", 10_000, 6, 500),
        by_hand(work / "layers", 3, 1000, 300),
        by_hand(work / "nan", 40, 5, 40, nan=True),
        # A folder's name cannot have a slash.
        by_hand(work / NASTY.replace("/", "|"), 5, 3, 10, name=NASTY.replace(",", "") + "{}"),
    ]
    runs.append(by_hand(work / "wide", 1, 5, 40))
    (runs[-1] / "history.csv").write_text(wide())
    # Two classes of a table, with names that would be markup.
    rows = [(random.gauss(0, 1), random.choice("ab")) for _ in range(400)]
    lines = [f"{x},{c},{NASTY if x + random.gauss(0, 0.7) > 0 else 'plain'}" for x, c in rows]
    (work / "two.csv").write_text(f"x<b>,{NASTY},y\n" + "\n".join(lines) + "\n")
    (work / "two.toml").write_text(
        'data = { table = "two.csv", target = "y", validation = { fraction = 0.3 }, checks = false }\n'
        "model = { recipe = \"default\", hidden = [8] }\n"
        "train = { epochs = 3 }\n"
    )
    rng = np.random.default_rng(1)
    np.save(work / "x.npy", rng.normal(size=(3000, 8)).astype("float32"))
    np.save(work / "y.npy", np.concatenate([np.arange(1000), rng.integers(0, 1000, 2000)]))
    (work / "classes.toml").write_text(
        'data = { x = "x.npy", y = "y.npy", checks = false }\n'
        'model.layers = [{ type = "Dense", units = 1000, activation = "softmax" }]\n'
        'train = { loss = "sparse_categorical_crossentropy", metrics = ["accuracy"], optimizer = "adam", epochs = 1 }\n'
    )
    for name in ["two", "classes"]:
        run("train", f"{name}.toml", "--out", name, "--quiet")
        runs.append(work / name)
    small = ["--set", "train.epochs=3", "--set", "model.hidden=[16]", "--quiet"]
    run("train", *small, "--out", "digits")
    runs.append(work / "digits")
    for folder in runs:
        run("report", folder.name)
        print(folder / "report.html")
    run("report", "epochs", "nan", "digits", "wide", "--out", "compare.html")
    print(work / "compare.html")


if __name__ == "__main__":
    main()

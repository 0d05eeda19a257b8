"""Int8 files after and by quantization-aware training: `aware.py GRADUS [EPOCHS]`.

`recipes/fashion-mnist.toml`, shortened, by three seeds: in float, with int8 products by ranges of the first 1000 training
pictures (min-max), with `train.quantization_aware` from the first step, and the float network fine-tuned so for one epoch more at a
tenth of the rate. ONNX Runtime classifies the 10,000 test pictures with each file.
"""

import gzip
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime

DATA = Path("/usr/share/datasets/fashion-mnist")
RECIPE = Path(__file__).resolve().parents[2] / "recipes/fashion-mnist.toml"
AWARE = ["--set", "train.quantization_aware.bits=8"]


def unpacked(name, header):
    return np.frombuffer(gzip.decompress((DATA / f"{name}-ubyte.gz").read_bytes())[header:], np.uint8)


def main(gradus, epochs, folder):
    call = lambda *arguments: subprocess.run([gradus, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)
    shape = (-1, 28, 28)
    x = (unpacked("t10k-images-idx3", 16) / np.float32(255)).reshape(shape)
    y = unpacked("t10k-labels-idx1", 8)
    np.save(folder / "rows.npy", (unpacked("train-images-idx3", 16) / np.float32(255)).reshape(shape)[:1000])
    found, seconds = {}, {}

    def train(name, config, *options):
        start = time.perf_counter()
        call("train", config, "--quiet", "--out", folder / name, *options)
        seconds.setdefault(name.rstrip("0123456789"), []).append(time.perf_counter() - start)
        call("optimize", folder / name, folder / f"{name}.keras")
        return folder / f"{name}.keras"

    def score(name, model, *options, wanted=None):
        file = folder / "file.onnx"
        call("convert", model, file, "--core", *options)
        session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        classes = session.run(None, {session.get_inputs()[0].name: x})[0].argmax(1)
        other = np.nan if wanted is None else np.mean(classes != wanted)
        found.setdefault(name, []).append((file.stat().st_size, np.mean(classes == y), other))
        return classes

    int8 = ["--quantize", "int8"]
    for seed in [1, 2, 3]:
        options = ["--set", f"seed={seed}", "--set", f"train.epochs={epochs}"]
        floats = train(f"float{seed}", RECIPE, *options)
        wanted = score("float32", floats)
        score("calibrated after training", floats, *int8, "--data", folder / "rows.npy", wanted=wanted)
        aware = train(f"aware{seed}", RECIPE, *options, *AWARE)
        score("quantization-aware", aware, *int8, wanted=score("quantization-aware, float32 file", aware))
        tuned = folder / f"tuned{seed}.toml"
        tuned.write_text(f"""seed = {seed}
[data]
dataset = "fashion-mnist"
validation = {{ first = 5000 }}
[model]
file = "float{seed}/model.keras"
[train]
epochs = 1
learning_rate = 0.001
""")
        model = train(f"tuned{seed}", tuned, *AWARE)
        score("fine-tuned quantization-aware", model, *int8, wanted=score("fine-tuned, float32 file", model))
    print("| | file, bytes | test accuracy, mean of 3 seeds | least | other class than its float32 file |\n| --- | ---: | ---: | ---: | ---: |")
    for name, rows in found.items():
        size, accuracy, other = np.transpose(rows)
        said = "" if np.isnan(other).any() else f"{other.mean():.2%}"
        print(f"| {name} | {int(size[0]):,} | {accuracy.mean():.4f} | {accuracy.min():.4f} | {said} |")
    print({name: [round(each, 1) for each in times] for name, times in seconds.items()}, "seconds of training", file=sys.stderr)


with tempfile.TemporaryDirectory() as folder:
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5, Path(folder))

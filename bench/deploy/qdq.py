"""Static int8 of gradus beside ONNX Runtime's own: `qdq.py GRADUS RUN [FOLDER]`.

RUN is a run folder of `recipes/fashion-mnist.toml`. It is folded, and written as ONNX in float32 and, by each way to choose
ranges, with int8 products (QDQ); `onnxruntime.quantization.quantize_static` makes the same of the float file (uint8
inputs, int8 weights by channel, QDQ). Both choose ranges by the first 1000 training pictures. ONNX Runtime classifies the
10,000 test pictures with each file.
"""

import contextlib
import gzip
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

DATA = Path("/usr/share/datasets/fashion-mnist")
# `quantize_static` counts in 128 bins for 128 levels, which leaves its entropy method one range to choose: min-max's.
METHODS = {
    "min-max": (CalibrationMethod.MinMax, {}),
    "percentile": (CalibrationMethod.Percentile, {"CalibPercentile": 99.99}),
    "entropy": (CalibrationMethod.Entropy, {}),
}


def pixels(name, shape):
    raw = gzip.decompress((DATA / f"{name}-images-idx3-ubyte.gz").read_bytes())[16:]
    return (np.frombuffer(raw, np.uint8) / np.float32(255)).reshape(-1, *shape)


class Rows(CalibrationDataReader):
    def __init__(self, name, rows):
        self.batches = iter([{name: rows}])

    def get_next(self):
        return next(self.batches, None)


def main(gradus, run, folder):
    call = lambda *arguments: subprocess.run([gradus, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)
    call("optimize", run, folder / "small.keras")
    call("convert", folder / "small.keras", folder / "float.onnx", "--core")
    taken = onnx.load(str(folder / "float.onnx")).graph.input[0]
    shape = [dim.dim_value for dim in taken.type.tensor_type.shape.dim[1:]]
    rows = pixels("train", shape)[:1000]
    np.save(folder / "rows.npy", rows)
    files = {"float32": folder / "float.onnx"}
    quant_pre_process(str(folder / "float.onnx"), str(folder / "prepared.onnx"))
    for name, (method, more) in METHODS.items():
        for width in ["", ", 7-bit weights"]:
            ours, theirs = (folder / f"{kind}-{name}{len(width)}.onnx" for kind in ["gradus", "ort"])
            narrow = ["--reduce-range"] if width else []
            call("convert", folder / "small.keras", ours, "--core", "--quantize", "int8", "--calibrate", name,
                 "--data", folder / "rows.npy", *narrow)
            with contextlib.redirect_stdout(sys.stderr):
                quantize_static(str(folder / "prepared.onnx"), str(theirs), Rows(taken.name, rows), quant_format=QuantFormat.QDQ,
                                per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                                reduce_range=bool(width), calibrate_method=method, extra_options=more)
            files[f"gradus {name}{width}"], files[f"quantize_static {name}{width}"] = ours, theirs
    x = pixels("t10k", shape)
    labels = np.frombuffer(gzip.decompress((DATA / "t10k-labels-idx1-ubyte.gz").read_bytes())[8:], np.uint8)
    first = None
    lines = ["| | file, bytes | test accuracy | other class than float32 | largest difference | mean difference |",
             "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for name, file in files.items():
        onnx.checker.check_model(str(file), full_check=True)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        y = session.run(None, {taken.name: x})[0]
        first = y if first is None else first
        off = np.abs(y - first)
        lines.append(f"| {name} | {file.stat().st_size:,} | {np.mean(y.argmax(1) == labels):.4f} | "
                     f"{np.mean(y.argmax(1) != first.argmax(1)):.2%} | {off.max():.3f} | {off.mean():.1e} |")
    print("\n".join(lines))


with tempfile.TemporaryDirectory() as temporary:
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3] if sys.argv[3:] else temporary))

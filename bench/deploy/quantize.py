"""ONNX Runtime's own conversions of an ONNX file: `quantize.py MODEL.onnx ROWS.f32 SHAPE FOLDER`.

Writes FOLDER/float16.onnx, dynamic.onnx and static.onnx (`onnxruntime.quantization`; the static one is calibrated
with the first 1000 of ROWS, quantized by channel and in QDQ form, which its documentation recommends).
"""

import sys

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16

path, rows, shape, folder = sys.argv[1:5]
shape = [int(n) for n in shape.split(",")]
rows = np.fromfile(rows, np.float32, 1000 * int(np.prod(shape))).reshape(-1, *shape)
name = onnx.load(path).graph.input[0].name


class Rows(CalibrationDataReader):
    batches = iter([{name: rows[i:i + 100]} for i in range(0, len(rows), 100)])

    def get_next(self):
        return next(self.batches, None)


onnx.save(convert_float_to_float16(onnx.load(path), keep_io_types=True), f"{folder}/float16.onnx")
prepared = f"{folder}/prepared.onnx"
quant_pre_process(path, prepared)
quantize_dynamic(prepared, f"{folder}/dynamic.onnx", weight_type=QuantType.QInt8, per_channel=True)
quantize_static(prepared, f"{folder}/static.onnx", Rows(), quant_format=QuantFormat.QDQ, per_channel=True,
                activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)

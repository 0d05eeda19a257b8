"""Writes rows for asks.c: their number, all inputs, all outputs.

    python3 rows.py GOLDEN.json                  x, and each output by its name, in the model's order
    python3 rows.py X.npy... -- Y.npy...         an array for each input, and for each output
"""

import array
import ast
import json
import sys


def flat(value):
    return [x for item in value for x in flat(item)] if isinstance(value, list) else [value]


def read(path):
    """The rows of an array of float32."""
    data = open(path, "rb").read()
    end = 10 + int.from_bytes(data[8:10], "little")
    header = ast.literal_eval(data[10:end].decode())
    assert header["descr"] == "<f4" and not header["fortran_order"], header
    values = array.array("f", data[end:]).tolist()
    rows = header["shape"][0]
    wide = len(values) // rows
    return [values[row * wide : (row + 1) * wide] for row in range(rows)]


arguments = sys.argv[1:]
if "--" in arguments:
    at = arguments.index("--")
    inputs, outputs = [read(path) for path in arguments[:at]], [read(path) for path in arguments[at + 1 :]]
else:
    golden = json.load(open(arguments[0]))
    inputs, outputs = [golden.pop("x")], list(golden.values())
print(len(inputs[0]))
for tensors in inputs, outputs:
    for row in zip(*tensors):
        print(*flat(list(row)))

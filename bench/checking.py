"""How long `gradus check` takes, from start to end: configs with more and more layers, tables with more and more columns."""

import os
import random
import struct
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from measuring import environment

ROWS, INPUTS = 256, 8
TRAIN = '[train]\nloss = "sparse_categorical_crossentropy"\nepochs = 1\nbatch_size = 256\noptimizer = "Adam"\n'
LAST = '  { type = "Dense", units = 4, activation = "softmax" },\n'


@dataclass(frozen=True)
class Growing:
    title: str
    axis: str
    values: tuple
    write: object  # (folder, value): writes config.toml and its data


def numbers(folder):
    """Rows of numbers with four classes; the `[data]` that names them."""
    draw = random.Random(1)
    values = [draw.gauss(0, 1) for _ in range(ROWS * INPUTS)]
    (folder / "x.npy").write_bytes(npy(f"({ROWS}, {INPUTS})", "f", values))
    (folder / "y.npy").write_bytes(npy(f"({ROWS},)", "i", [draw.randrange(4) for _ in range(ROWS)]))
    return '[data]\nx = "x.npy"\ny = "y.npy"\n'


def npy(shape, kind, values):
    head = f"{{'descr': '<{kind}4', 'fortran_order': False, 'shape': {shape}, }}"
    head += " " * (-(len(head) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + struct.pack(f"<{len(values)}{kind}", *values)


def model(folder, layers):
    (folder / "config.toml").write_text(f"{numbers(folder)}[model]\nlayers = [\n{''.join(layers)}{LAST}]\n{TRAIN}")


def chain(folder, count):
    model(folder, ['  { type = "Dense", units = 8, activation = "relu" },\n'] * count)


def branches(folder, count):
    names = [f"b{n}" for n in range(count)]
    layers = ['  { type = "Input", shape = [8], name = "x" },\n']
    layers += [f'  {{ type = "Dense", units = 4, name = "{n}", inputs = ["x"] }},\n' for n in names]
    named = ", ".join(f'"{n}"' for n in names)
    model(folder, [*layers, f'  {{ type = "Concatenate", inputs = [{named}] }},\n'])


def columns(folder, count):
    """A table: a quarter of the columns each numbers, texts, numbers with gaps, yes or no."""
    draw = random.Random(1)
    kinds = [lambda: f"{draw.gauss(0, 1):.3f}", lambda: draw.choice("abcdefgh") + "x",
             lambda: draw.choice(["", "1", "2", "3", "5"]), lambda: draw.choice(["true", "false"])]
    with open(folder / "table.csv", "w") as file:
        file.write(",".join(f"c{n}" for n in range(count)) + ",price\n")
        for row in range(ROWS):
            file.write(",".join(kinds[n % 4]() for n in range(count)) + f",{2 * row + 1}\n")
    (folder / "config.toml").write_text('[data]\ntable = "table.csv"\ntarget = "price"\n[model]\nrecipe = "default"\n')


CHECKS = {
    "layers": Growing("check, layers in a chain", "layers", (100, 300, 1000, 3000, 10_000), chain),
    "branches": Growing("check, layers beside each other", "layers", (100, 300, 1000, 3000, 10_000), branches),
    "columns": Growing("check, a table's columns", "columns", (100, 300, 1000, 3000, 9000), columns),
}


def measure(program, growing, value):
    """Seconds of a whole `gradus check`, seconds of all processors, and MiB at most."""
    with tempfile.TemporaryDirectory() as folder:
        growing.write(Path(folder), value)
        start = time.perf_counter()
        process = subprocess.Popen([program, "check", f"{folder}/config.toml"], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, env=environment())
        told = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    if status:
        return {"error": f"exit status {status}", "stderr": told.decode(errors="replace")[-2000:]}
    return {"seconds": seconds, "processors": used.ru_utime + used.ru_stime, "mib": used.ru_maxrss / 1024}


def table(runs, name):
    """A curve's numbers as Markdown: the least of all runs of each point."""
    growing = CHECKS[name]
    lines = [f"| {growing.axis} | s | s of processors | µs of processors for each | MiB at most |", "|" + " ---: |" * 5]
    for value in growing.values:
        found = [r for r in runs if (r["check"], r["value"]) == (name, value)]
        if found:
            seconds, processors, mib = (min(r[what] for r in found) for what in ("seconds", "processors", "mib"))
            lines.append(f"| {value:,} | {seconds:.2f} | {processors:.2f} | {processors / value * 1e6:.0f} | {mib:.0f} |")
    return "\n".join(lines) if len(lines) > 2 else ""

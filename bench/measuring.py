"""What the measuring programs of this folder share: peers and how they are built and run.

Standard library only; the peers written in Python run in a virtual environment that is made here.
"""

import argparse
import hashlib
import json
import math
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
REQUIREMENTS = HERE / "requirements.txt"
VENV = Path(os.environ.get("GRADUS_BENCH_VENV", HERE / ".venv"))
DEBIAN_DATA = Path("/usr/share/datasets/fashion-mnist")
US = "gradus"

PYTHON_PEERS = {
    "torch-eager": ["torch_peer.py", "--mode", "eager"],
    "torch-compile": ["torch_peer.py", "--mode", "compile"],
    "keras-jax": ["keras_peer.py", "--backend", "jax"],
    "keras-tf": ["keras_peer.py", "--backend", "tensorflow"],
    "keras-jax-1": ["keras_peer.py", "--backend", "jax", "--steps_per_execution", "1"],
    "keras-tf-1": ["keras_peer.py", "--backend", "tensorflow", "--steps_per_execution", "1"],
}
BURN = "burn-flex"
ALL_PEERS = [US, "torch-eager", "torch-compile", "keras-jax", "keras-tf", BURN]
GROUPS = {
    "torch": ["torch-eager", "torch-compile"],
    "keras": ["keras-jax", "keras-tf"],
    "burn": [BURN],
}


def say(text):
    print(text, file=sys.stderr, flush=True)


def chosen(text, known, groups=None):
    """The comma-separated names in `text`, each one known; a group's name stands for its members."""
    names = []
    for name in text.split(","):
        members = (groups or {}).get(name, [name])
        for member in members:
            if member not in known:
                raise argparse.ArgumentTypeError(f"unknown '{name}'; known: {', '.join(known)}")
            if member not in names:
                names.append(member)
    return names


def environment():
    """The peers' environment: no setting of this shell may slow or favour one of them."""
    env = dict(os.environ)
    for name in list(env):
        if name.startswith(("OPENBLAS_", "OMP_", "MKL_", "KMP_", "XLA_", "TF_", "RAYON_", "KERAS_")):
            del env[name]
    env["CUDA_VISIBLE_DEVICES"] = ""  # a comparison of CPUs, also where there is a GPU
    env["TF_CPP_MIN_LOG_LEVEL"] = "2"
    return env


def make_venv(requirements=REQUIREMENTS):
    """The Python of the virtual environment, which has these packages then."""
    python = VENV / "bin" / "python"
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
    stamp = VENV / f"gradus-bench-{requirements.stem}"
    if python.exists() and stamp.exists() and stamp.read_text() == digest:
        return python
    say(f"setting up {VENV} (some 7 GB, once)")
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--retries", "10", "-r", requirements],
                   check=True)
    stamp.write_text(digest)
    return python


def build(folder, *args):
    """Build with cargo in release; return the path of the program."""
    say(f"building {' '.join(args) or folder.name} in {folder}")
    done = subprocess.run(
        ["cargo", "build", "--release", "--message-format=json-render-diagnostics", *args],
        cwd=folder, check=True, stdout=subprocess.PIPE, text=True)
    messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [m["executable"] for m in messages if m.get("executable")][-1]


def commands(peers, program=None, python=None):
    """The command of each peer, everything installed and built. A `bench_step` and a Python that
    has the peers' packages may be there already."""
    table = {}
    if US in peers:
        table[US] = [str(program or build(ROOT, "--package", "gradus", "--example", "bench_step"))]
    if any(p in PYTHON_PEERS for p in peers):
        python = str(python or make_venv())
        for peer in peers:
            if peer in PYTHON_PEERS:
                script, *rest = PYTHON_PEERS[peer]
                table[peer] = [python, str(HERE / "peers" / script), *rest]
    if BURN in peers:
        table[BURN] = [build(HERE / "burn", "--locked")]
    return {p: table[p] for p in peers if p in table}


def find_data(given):
    """The data folder and its name. Without Fashion-MNIST: synthetic rows of the same shape."""
    folder = given or DEBIAN_DATA
    if (folder / "train-images-idx3-ubyte.gz").exists():
        return folder, f"Fashion-MNIST ({folder})"
    if given:
        sys.exit(f"{folder} has no train-images-idx3-ubyte.gz")
    say(f"{folder} is not there (Debian: apt-get install dataset-fashion-mnist)")
    say("using synthetic data of the same shape: times compare, losses mean less")
    folder = HERE / ".cache" / "synthetic"
    if not (folder / "train-labels-idx1-ubyte.gz").exists():
        subprocess.run([make_venv(), HERE / "peers" / "make_synthetic.py", folder], check=True)
    return folder, "synthetic, of Fashion-MNIST's shape"


def measure(command, workload, seconds, data, cores=None):
    """One run of one peer: its result line as a dict, or a dict with 'error'. It may use these
    cores, or those that this process may use."""
    full = [*command, "--workload", workload, "--seconds", str(seconds), "--data", str(data)]
    if cores:
        full = ["taskset", "-c", ",".join(map(str, cores)), *full]
    try:
        done = subprocess.run(full, env=environment(), cwd=HERE, capture_output=True, text=True,
                              timeout=1200)
    except subprocess.TimeoutExpired:
        return {"error": "no result after 20 minutes"}
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        return {"error": f"exit code {done.returncode}", "stderr": done.stderr[-2000:]}
    return json.loads(lines[-1])


class Peer:
    """A program that answers lines with lines of JSON."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env=environment(), cwd=HERE / "peers")

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        while True:
            answer = self.process.stdout.readline()
            if not answer:
                sys.exit(f"a peer ended at `{line}`")
            if answer.startswith("{"):
                return json.loads(answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def machine():
    info = {"cpu": platform.processor() or platform.machine(), "flags": []}
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                info["cpu"] = value.strip()
            if key.strip() == "flags":
                wanted = ["fma", "avx2", "avx512f", "avx512_bf16", "amx_bf16"]
                info["flags"] = [f for f in wanted if f in value.split()]
    except OSError:
        pass
    info["cores"] = len(os.sched_getaffinity(0))
    info["system"] = f"{platform.system()} {platform.release()}"
    return info


def commit():
    git = shutil.which("git")
    done = git and subprocess.run([git, "-C", ROOT, "describe", "--always", "--dirty"],
                                  capture_output=True, text=True)
    return done.stdout.strip() if done and done.returncode == 0 else "unknown"


def best(runs):
    """The fastest run of one peer that gave a time, or None."""
    good = [r for r in runs if "us_per_step" in r]
    return min(good, key=lambda r: r["us_per_step"]) if good else None


def as_float(value):
    """A JSON number; a loss that is not finite may come as null, for JSON has no NaN."""
    return math.nan if value is None else float(value)

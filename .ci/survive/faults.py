#!/usr/bin/env python3
"""Makes system calls of trainings fail, one in each run, and looks for what was lost.

    faults.py GRADUS [--every 1] [--epochs 4] [--only NAME,NAME] [--kinds write,fsync,rename,create,mkdir,open,read,map]

The n-th call of a kind fails once, for every n, or every `--every`-th. After a failure to write, the run ends by itself
with the right files, or with an error from which `--resume` (or, if there is no run yet, the same command) leads to
them. After a failure to read there is a message. A finished run's files outlive a failed `--resume` of it. Nothing
ends by a signal or an internal error.
"""

import argparse
import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from experiments import all_of_them, write_data
from runs import finish, leftovers, prepare, results

WRITING = {"create": errno.ENOSPC, "write": errno.ENOSPC, "fsync": errno.EIO, "rename": errno.EIO, "mkdir": errno.ENOSPC}
READING = {"open": errno.EIO, "read": errno.EIO, "map": errno.ENOMEM}
EXPERIMENTS = "callbacks,stream,folds,autoencoder,pictures"


def run(gradus, arguments, folder, library, kind, at, count=None):
    environment = dict(os.environ, LD_PRELOAD=str(library), FAULT_OP=kind, FAULT_AT=str(at), FAULT_ROOT=str(folder),
                       FAULT_ERRNO=str((WRITING | READING)[kind]))
    if count:
        environment["FAULT_COUNT"] = str(count)
    return subprocess.run([gradus, *arguments], cwd=folder, env=environment, capture_output=True, text=True,
                          errors="replace", timeout=120)


def problem(ended):
    """What no run may do."""
    if ended.returncode not in (0, 1, 2):
        return f"exit {ended.returncode}"
    if "internal error" in ended.stderr:
        return "an internal error"
    if ended.returncode != 0 and not ended.stderr.strip():
        return "no message"
    return None


def one(gradus, folder, library, name, experiment, reference, kind, at):
    """One run with one failure; its fault, or None."""
    out = f"{name}-{kind}-{at}"
    arguments = prepare(experiment, folder, out)
    ended = run(gradus, arguments, folder, library, kind, at)
    if fault := problem(ended):
        return f"{out}: {fault}: {ended.stderr[-300:]}"
    if ended.returncode == 0:
        said = "" if results(folder, out) == reference else "done, but with other files"
    else:
        begun = any((folder / out).glob("**/config.toml"))
        again = finish(gradus, arguments + (["--resume"] if begun else []), folder)
        said = f"not resumed: {again.stderr[-300:]}" if again.returncode != 0 else (
            "" if results(folder, out) == reference else "resumed to other files")
    left = leftovers(folder)
    if not said and left:
        said = f"left {left}"
        for path in left:
            Path(path).unlink()
    found = results(folder, out)
    differ = [key for key in found.keys() | reference.keys() if found.get(key) != reference.get(key)]
    subprocess.run(["rm", "-rf", folder / out])
    for path in folder.glob(f"{out}*"):
        path.unlink()
    return f"{out}: {said} {differ if 'other' in said else ''}: {ended.stderr[-300:]}" if said else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gradus", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--only", default=EXPERIMENTS)
    parser.add_argument("--kinds", default=",".join(WRITING | READING))
    given = parser.parse_args()
    gradus, here = given.gradus.resolve(), Path(__file__).parent
    experiments = {name: e for name, e in all_of_them(given.epochs).items() if name in given.only.split(",")}
    total, faults = 0, 0
    with tempfile.TemporaryDirectory() as made:
        library, count, folder = Path(made) / "faults.so", Path(made) / "count", Path(made) / "runs"
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, here / "faults.c", "-ldl"], check=True)
        folder.mkdir()
        write_data(folder)
        for name, experiment in experiments.items():
            arguments = prepare(experiment, folder, f"{name}-whole")
            finish(gradus, arguments, folder).check_returncode()
            reference = results(folder, f"{name}-whole")
            for kind in given.kinds.split(","):
                counted = run(gradus, prepare(experiment, folder, f"{name}-count"), folder, library, kind, 0, count)
                subprocess.run(["rm", "-rf", folder / f"{name}-count"])
                calls = int(count.read_text()) if counted.returncode == 0 else 0
                found = [one(gradus, folder, library, name, experiment, reference, kind, at)
                         for at in range(1, calls + 1, given.every)]
                total += len(found)
                wrong = [fault for fault in found if fault]
                faults += len(wrong)
                print(f"{name}: {kind}: {len(found)} of {calls} calls, {len(wrong)} faults", flush=True)
                for fault in wrong:
                    print(f"  {fault}", flush=True)
    print(f"{total} failures injected: {faults} faults")
    sys.exit(1 if faults or not total else 0)


if __name__ == "__main__":
    main()

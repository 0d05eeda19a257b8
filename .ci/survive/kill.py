#!/usr/bin/env python3
"""Kills trainings at random moments, resumes them, and compares what they end with to an uninterrupted run.

    kill.py GRADUS [--kills 200] [--epochs 8] [--seed 1] [--only NAME,NAME]

KILL, INT and TERM in turn. Of each kill: the run ends with the same bytes, and has lost at most one epoch or five
seconds of work.
"""

import argparse
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from experiments import all_of_them, write_data
from runs import finish, leftovers, prepare, results

CODES = {signal.SIGKILL: -9, signal.SIGINT: 130, signal.SIGTERM: 143}
FIVE_SECONDS = 5.0
SLACK = 1.5


class Run:
    """A running training, and when each of its epochs was told."""

    def __init__(self, gradus, arguments, folder):
        self.process = subprocess.Popen([gradus, *arguments], cwd=folder, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, errors="replace")
        self.told, self.lines = {}, []
        self.fold = None
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip())
            if found := re.match(r"fold (\d+) of", line):
                self.fold = int(found[1])
                self.told = {}
            if found := re.match(r"epoch (\d+)/", line):
                self.told[int(found[1])] = time.monotonic()

    def end(self):
        self.process.stdout.read()
        self.process.wait(60)
        self.reader.join()
        return self.process.returncode


def lost(before: Run, killed_at, after: Run):
    """None, or what was lost more than one epoch or five seconds."""
    if not before.told or before.fold != (after.fold or before.fold):
        return None
    resumed = [int(found[1]) for line in after.lines if (found := re.match(r"(?:resuming after|all) (?:epoch )?(\d+)", line))]
    done = resumed[-1] if resumed else 0
    last = max(before.told)
    if done >= last - 1:
        return None
    seconds = killed_at - before.told.get(done, before.told[min(before.told)])
    return None if seconds <= FIVE_SECONDS + SLACK else f"{last - done} epochs, {seconds:.1f} s"


def chain(gradus, folder, name, experiment, reference, whole, draw, counts, kills):
    """One run, killed again and again until it has ended; returns its faults."""
    out = f"{name}-{draw.randrange(10**9)}"
    arguments, faults, before, killed_at = prepare(experiment, folder, out), [], None, 0.0
    first = list(arguments)
    while True:
        run = Run(gradus, arguments, folder)
        how = draw.choice(list(CODES)) if counts["kills"] < kills else None
        if how is not None:
            try:
                run.process.wait(draw.uniform(0.02, whole))
                ended = True
            except subprocess.TimeoutExpired:
                ended = False
                now = time.monotonic()
                run.process.send_signal(how)
        code = run.end()
        if before is not None and (problem := lost(before, killed_at, run)):
            faults.append(f"{out}: lost {problem}")
        if how is None or ended or code == 0:
            if code != 0:
                faults.append(f"{out}: exit {code}: {run.lines[-3:]}")
            break
        counts["kills"] += 1
        counts[how.name] = counts.get(how.name, 0) + 1
        # Until its first line a process may not yet listen to signals.
        if code != CODES[how] and (run.lines or code != -how):
            faults.append(f"{out}: exit {code} on {how.name}: {run.lines[-3:]}")
            break
        before, killed_at = run, now
        begun = any((folder / out).glob("**/config.toml"))
        arguments = first + ["--resume"] if begun else first
        counts["before the run folder"] = counts.get("before the run folder", 0) + (not begun)
    found = results(folder, out)
    if found != reference:
        names = sorted(name for name in found.keys() | reference.keys() if found.get(name) != reference.get(name))
        faults.append(f"{out}: differs: {names}")
    faults += [f"{out}: left {name}" for name in leftovers(folder)]
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gradus", type=Path)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", type=Path, help="a folder for the runs, kept")
    given = parser.parse_args()
    gradus, draw = given.gradus.resolve(), random.Random(given.seed)
    wanted = [name for name in given.only.split(",") if name]
    experiments = {name: e for name, e in all_of_them(given.epochs).items() if not wanted or name in wanted}
    counts, faults, chains = {"kills": 0}, [], 0
    with tempfile.TemporaryDirectory() as made:
        folder = given.keep or Path(made)
        folder.mkdir(exist_ok=True)
        write_data(folder)
        references = {}
        for name, experiment in experiments.items():
            arguments, began = prepare(experiment, folder, f"{name}-whole"), time.monotonic()
            done = finish(gradus, arguments, folder)
            if done.returncode != 0:
                sys.exit(f"{name}: exit {done.returncode}: {done.stderr}")
            references[name] = (results(folder, f"{name}-whole"), time.monotonic() - began)
        while counts["kills"] < given.kills:
            for name, experiment in experiments.items():
                if counts["kills"] >= given.kills:
                    break
                reference, whole = references[name]
                new = chain(gradus, folder, name, experiment, reference, whole, draw, counts, given.kills)
                faults += new
                chains += 1
                for fault in new:
                    print(fault, flush=True)
    print(f"{len(experiments)} experiments, {chains} chains, {counts}: {len(faults)} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()

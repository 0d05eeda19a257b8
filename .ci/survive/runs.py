"""Runs of `gradus train`, and what they leave."""

import csv
import hashlib
import io
import subprocess
from pathlib import Path


def prepare(experiment, folder: Path, out: str):
    """Writes the configuration of a run; returns the command's arguments behind `gradus`."""
    text, more = experiment
    (folder / f"{out}.toml").write_text(text.replace("OUT", out))
    return ["train", f"{out}.toml", *more, "--out", out]


def finish(gradus, arguments, folder, limit=120):
    """Runs to the end; the finished process."""
    return subprocess.run([gradus, *arguments], cwd=folder, capture_output=True, text=True, timeout=limit,
                          errors="replace")


def results(folder: Path, out: str):
    """What must be the same however often a run was interrupted: hashes of the files that last, by name."""
    found = {}
    files = [path for path in (folder / out).rglob("*") if path.is_file()] + list(folder.glob(f"{out}*.csv"))
    files += folder.glob(f"{out}*.keras")
    for path in sorted(files):
        name = str(path.relative_to(folder)).replace(out, "OUT")
        if "checkpoint/" in name or name.endswith("lock"):
            continue
        if "tfevents" in path.name:
            # Times are in the names and in each event, and almost nothing else beside the run's description.
            if path.parent.name != "events":
                found[str(Path(name).parent)] = hashlib.sha256(b"".join(summaries(path.read_bytes()))).hexdigest()
        elif path.name == "history.csv":
            found[name] = hashlib.sha256(without_seconds(path.read_text()).encode()).hexdigest()
        elif path.suffix == ".toml":
            found[name] = hashlib.sha256(path.read_text().replace(out, "OUT").encode()).hexdigest()
        elif path.name == "report.html":
            # It shows durations and names.
            found[name] = "whole" if path.read_text().rstrip().endswith("</html>") else "cut"
        else:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def summaries(file):
    """The events of a TensorBoard file that hold values, without their times."""
    while file:
        size = int.from_bytes(file[:8], "little")
        event, file = file[12:12 + size], file[16 + size:]
        # The time is the first field, a double; the version and the beginning of a session have no step.
        if event[9] not in (0x1A, 0x3A):
            yield event[9:]


def without_seconds(text):
    rows = list(csv.reader(io.StringIO(text)))
    at = rows[0].index("seconds")
    return "\n".join(",".join(cell for n, cell in enumerate(row) if n != at) for row in rows)


def leftovers(folder: Path):
    """Temporary files that a finished run has left."""
    return [str(path) for path in folder.rglob("*.tmp")]

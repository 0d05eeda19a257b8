"""Writes a mixed CSV: floats, whole numbers, categories, dates, booleans, quoted texts, gaps.

    python make.py OUT.csv [MEGABYTES]

The default is 1000 MB (10^9 bytes). The same numbers each time.
"""
import sys

import numpy as np

out = sys.argv[1]
megabytes = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
ROWS = 100_000
rng = np.random.default_rng(7)

towns = np.array(["Bern", "Genève", "Zürich", "Lugano", "Chur", "\"Sion, VS\"", "Basel", "Thun"])
grades = np.array(["low", "middle", "high"])


def with_gaps(texts, share):
    return np.where(rng.random(ROWS) < share, "", texts)


def block():
    """Some rows, as text."""
    columns = [np.char.mod("%.6f", rng.normal(0, 100, ROWS)) for _ in range(4)]
    columns += [with_gaps(np.char.mod("%.3f", rng.lognormal(3, 2, ROWS)), 0.05) for _ in range(2)]
    columns.append(np.char.mod("%.8g", rng.normal(0, 1, ROWS) * 10.0 ** rng.integers(-12, 12, ROWS)))
    columns.append(np.char.mod("%d", rng.integers(0, 100, ROWS)))
    columns.append(np.char.mod("%d", rng.integers(0, 10_000_000, ROWS)))
    days = np.datetime64("2015-01-01") + rng.integers(0, 4000, ROWS)
    columns.append(days.astype(str))
    columns.append(with_gaps(towns[rng.integers(0, len(towns), ROWS)], 0.02))
    columns.append(grades[rng.integers(0, len(grades), ROWS)])
    columns.append(np.char.mod("zip%d", rng.integers(0, 5000, ROWS)))
    columns.append(np.where(rng.random(ROWS) < 0.5, "true", "false"))
    return "\n".join(map(",".join, zip(*columns))) + "\n"


header = "f0,f1,f2,f3,gap0,gap1,wide,age,id,sold,town,grade,zip,new\n"
blocks = [block().encode() for _ in range(8)]
with open(out, "wb") as file:
    size, n = file.write(header.encode()), 0
    while size < megabytes * 1_000_000:
        size += file.write(blocks[n % len(blocks)])
        n += 1
print(f"{out}: {size} bytes, {n * ROWS} rows")

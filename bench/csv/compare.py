"""Reads one CSV with gradus and with polars in turn, and prints the medians.

    cargo build --release -p gradus --example read_table
    python bench/csv/make.py /tmp/mixed.csv
    python bench/csv/compare.py /tmp/mixed.csv [TIMES] [PATH/TO/read_table]
"""
import statistics
import subprocess
import sys
import time

import polars

path = sys.argv[1]
times = int(sys.argv[2]) if len(sys.argv) > 2 else 5
program = sys.argv[3] if len(sys.argv) > 3 else "target/release/examples/read_table"
seconds = {"gradus": [], "polars": [], "polars, dates parsed": []}
for _ in range(times):
    out = subprocess.run([program, path], check=True, capture_output=True, text=True).stdout
    seconds["gradus"].append(float(out.split()[1]))
    for name, dates in [("polars", False), ("polars, dates parsed", True)]:
        start = time.perf_counter()
        frame = polars.read_csv(path, try_parse_dates=dates)
        seconds[name].append(time.perf_counter() - start)
        del frame
for name, all_of in seconds.items():
    print(f"{name}: median {statistics.median(all_of):.2f} s of {sorted(round(s, 2) for s in all_of)}")

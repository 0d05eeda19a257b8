"""Makes the files in this folder: the rows of rows.csv as Parquet, in every way that
writers have, and files that are no table of gradus'.

    python make.py        (pyarrow 26.0.1, polars 2.1.0, pandas 3.1.1)
"""

import datetime as dt
import decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

here = Path(__file__).parent
N = 60


def gap(n, every, value):
    return None if n % every == 3 else value


rows = {
    "house": pa.array([9007199254740993 + n for n in range(N)], pa.int64()),
    "rooms": pa.array([gap(n, 7, n % 5) for n in range(N)], pa.int8()),
    "floors": pa.array([n * 1000003 for n in range(N)], pa.uint32()),
    "income": pa.array([gap(n, 11, n / 7 - 3) for n in range(N)], pa.float64()),
    "age": pa.array([gap(n, 9, n * 0.1) for n in range(N)], pa.float32()),
    "area": pa.array(
        [gap(n, 13, decimal.Decimal(n * 125 - 999).scaleb(-2)) for n in range(N)],
        pa.decimal128(9, 2),
    ),
    "sold": pa.array([gap(n, 8, n % 3 == 0) for n in range(N)], pa.bool_()),
    "built": pa.array(
        [gap(n, 10, dt.date(1950, 1, 1) + dt.timedelta(n * 400)) for n in range(N)],
        pa.date32(),
    ),
    "seen": pa.array(
        [dt.datetime(1969, 12, 1, 23, 59, 59) + dt.timedelta(n) for n in range(N)],
        pa.timestamp("us"),
    ),
    "place": pa.array(
        [gap(n, 6, ["INLAND", "NEAR BAY", "<1H OCEAN", "ILE, DE RÉ"][n * n % 4]) for n in range(N)]
    ).dictionary_encode(),
    "note": pa.array([gap(n, 5, f"n{n % 17} x") for n in range(N)], pa.string()),
    "nothing": pa.array([None] * N, pa.float64()),
    "price": pa.array([float(n % 5 * 100 + n) for n in range(N)], pa.float64()),
}
table = pa.table(rows)


def text(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return f'"{text}"' if "," in text else text


with open(here / "rows.csv", "w") as out:
    print(",".join(rows), file=out)
    for row in zip(*(column.to_pylist() for column in rows.values())):
        print(",".join(text(value) for value in row), file=out)

write = pq.write_table
for codec in ["none", "snappy", "gzip", "brotli", "lz4", "zstd"]:
    write(table, here / f"{codec}.parquet", compression=codec, use_dictionary=codec != "none")
write(table, here / "groups.parquet", row_group_size=7)
write(
    table,
    here / "pages.parquet",
    data_page_version="2.0",
    data_page_size=100,
    write_batch_size=8,
    use_dictionary=["place"],
    column_encoding={
        "house": "DELTA_BINARY_PACKED",
        "income": "BYTE_STREAM_SPLIT",
        "note": "DELTA_BYTE_ARRAY",
    },
    write_page_index=True,
)
write(table, here / "int96.parquet", use_deprecated_int96_timestamps=True)
zoned = table.set_column(
    table.column_names.index("seen"),
    "seen",
    table["seen"].cast(pa.timestamp("ns")).cast(pa.timestamp("ns", "UTC")),
)
write(zoned, here / "zoned.parquet", store_schema=False)
pl.from_arrow(table).with_columns(pl.col("place").cast(pl.Categorical)).write_parquet(
    here / "polars.parquet"
)
table.to_pandas().to_parquet(here / "pandas.parquet")

# What is no table of gradus'.
odd = {
    "tags": pa.array([["a"], [], None]),
    "point": pa.array([{"x": 1}, {"x": 2}, None]),
    "map": pa.array([[("a", 1)], [], None], pa.map_(pa.string(), pa.int64())),
    "bytes": pa.array([b"a", b"", None]),
    "time": pa.array([dt.time(1), dt.time(2), None]),
    "took": pa.array([dt.timedelta(1), dt.timedelta(2), None]),
    "huge": pa.array([decimal.Decimal(10**60), decimal.Decimal(1), None], pa.decimal256(62, 0)),
}
write(pa.table({"n": [1, 2, 3]} | odd), here / "odd.parquet")
write(table.slice(0, 0), here / "no-rows.parquet")
write(pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]), here / "twice.parquet")
write(pa.table({"n": [1.0, 1e300], "x": ["a", "b"]}), here / "large.parquet")
write(
    pa.table({"n": [1, 2], "d": pa.array([0, 2**31 - 1], pa.int32()).cast(pa.date32())}),
    here / "far.parquet",
)

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Other programs as readers and writers of our tables: pyarrow and DuckDB read what we wrote, cell by cell equal to
the CSV; we read what pyarrow writes in the encodings found in published data, and refuse what is no table."""

import csv
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

PROGRAM = sys.argv[1]
QUALITY_FROM = "samples"
TYPES = {"int64": int, "double": float, "string": str, "bool": lambda text: text == "true"}


def run(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)


def csv_rows(path, schema):
    """The CSV as typed tuples; an empty cell is a null, or the empty text where the Parquet file has one."""
    with open(path, newline="") as file:
        header, *lines = csv.reader(file)
    assert header == schema.names, f"{path}: column order differs from Parquet"
    kinds = [TYPES[str(field.type)] for field in schema]
    return [tuple(kind(cell) if cell else None for kind, cell in zip(kinds, line)) for line in lines]


def without_empty_texts(rows):
    return [tuple(None if cell == "" else cell for cell in row) for row in rows]


def check_readers(stem):
    table = pq.read_table(stem.with_suffix(".parquet"))
    expected = csv_rows(stem.with_suffix(".txt"), table.schema)
    assert without_empty_texts(zip(*(column.to_pylist() for column in table.columns))) == expected, stem
    found = duckdb.sql(f"select * from read_parquet('{stem}.parquet')").fetchall()
    assert without_empty_texts(found) == expected, stem
    metadata = pq.ParquetFile(stem.with_suffix(".parquet")).metadata
    assert metadata.row_group(0).column(0).compression == "ZSTD"
    assert b"perfatlas.op" in metadata.metadata


def recoded(table, change):
    fields = [pa.field(field.name, change(field)) for field in table.schema]
    return table.cast(pa.schema(fields))


def narrow(field):
    small = table_range.get(field.name, 2**40) < 2**31
    return pa.int32() if field.type == pa.int64() and small else field.type


def foreign_variants(table):
    """Encodings met in published files."""
    yield "plain", table, {}
    yield "snappy", table, {"compression": "snappy", "use_dictionary": False}
    yield "large_string", recoded(table, lambda f: pa.large_string() if f.type == pa.string() else f.type), {}
    coded = lambda f: pa.dictionary(pa.int32(), pa.string()) if f.type == pa.string() else f.type
    yield "dictionary", recoded(table, coded), {}
    yield "int32", recoded(table, narrow), {}
    yield "small groups", table, {"row_group_size": 7}
    yield "reversed columns", table.select(table.schema.names[::-1]), {}


def check_writers(stem):
    global table_range
    table = pq.read_table(stem.with_suffix(".parquet")).replace_schema_metadata(None)
    integers = [field.name for field in table.schema if field.type == pa.int64()]
    table_range = {name: max((v for v in table[name].to_pylist() if v is not None), default=0) for name in integers}
    foreign = stem.parent / "foreign.parquet"
    for name, variant, options in foreign_variants(table):
        pq.write_table(variant, foreign, **{"compression": "zstd", **options})
        result = run("same", stem.with_suffix(".txt"), foreign)
        assert result.returncode == 0, f"{stem.name} as {name}: {result.stderr}"
    check_without_optional(stem, table)
    check_refusals(stem, table, foreign)


def check_without_optional(stem, table):
    """A published table: neither power nor quality columns, in either format."""
    names = table.schema.names
    kept = table.select(names[: names.index("power")])
    bare = stem.parent / "bare"
    bare.mkdir(exist_ok=True)
    pq.write_table(kept, bare / "foreign.parquet")
    with open(bare / f"{stem.name}.txt", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(kept.schema.names)
        for row in zip(*(column.to_pylist() for column in kept.columns)):
            writer.writerow([str(c).lower() if isinstance(c, bool) else c for c in row])
    result = run("same", bare / f"{stem.name}.txt", bare / "foreign.parquet")
    assert result.returncode == 0, f"{stem.name} without optional columns: {result.stderr}"


def check_refusals(stem, table, foreign):
    latency = table.schema.get_field_index("power") - 1
    name = table.schema.names[latency]
    bad_columns = {
        "a NaN": pa.array([float("nan")] * len(table)),
        "a negative": pa.array([-1.0] * len(table)),
        "a null": pa.array([None] * len(table), pa.float64()),
        "a text": pa.array(["fast"] * len(table)),
        "a time": pa.array([0] * len(table), pa.timestamp("ms")),
    }
    for what, column in bad_columns.items():
        pq.write_table(table.set_column(latency, name, column), foreign)
        result = run("same", stem.with_suffix(".txt"), foreign)
        lines = result.stderr.splitlines()
        assert result.returncode == 1 and len(lines) == 1 and name in lines[0], f"{what}: {result.stderr}"
    pq.write_table(table.drop_columns(["kernel_source"]), foreign)
    assert "column 'kernel_source' is missing" in run("same", stem.with_suffix(".txt"), foreign).stderr
    pq.write_table(table.append_column("speed", bad_columns["a negative"]), foreign)
    assert "no column 'speed'" in run("same", stem.with_suffix(".txt"), foreign).stderr


def main():
    with tempfile.TemporaryDirectory() as folder:
        written = run("write", folder)
        assert written.returncode == 0, written.stderr
        stems = sorted(path.with_suffix("") for path in Path(folder).glob("*.txt"))
        assert stems
        for stem in stems:
            check_readers(stem)
            check_writers(stem)
        print(f"{len(stems)} tables read back equal by pyarrow {pa.__version__} and duckdb {duckdb.__version__}")


main()

"""Writes a Parquet file of what `labelprobe export --format parquet` hands over, which is how it is called.

Usage: to_parquet.py BATCHES OUT.parquet   (needs pyarrow)

The first line of BATCHES has [name, type] of each column, every other line a list of values for each: one row group. Only one
line is in memory at a time.
"""
import json
import sys

import pyarrow
import pyarrow.parquet

TYPES = {"text": pyarrow.string(), "integer": pyarrow.int64(), "number": pyarrow.float32(), "flag": pyarrow.bool_(),
         "texts": pyarrow.list_(pyarrow.string()), "integers": pyarrow.list_(pyarrow.int64())}


def main():
    batches, out = sys.argv[1:]
    with open(batches, encoding="utf-8") as lines:
        schema = pyarrow.schema([(name, TYPES[kind]) for name, kind in json.loads(next(lines))])
        with pyarrow.parquet.ParquetWriter(out, schema) as writer:
            for line in lines:
                columns = [pyarrow.array(values, field.type) for values, field in zip(json.loads(line), schema)]
                writer.write_table(pyarrow.Table.from_arrays(columns, schema=schema))


main()

"""Converts a Parquet file to JSON lines, values unchanged: parquet_to_jsonl.py IN.parquet OUT.jsonl (needs pyarrow)."""
import json
import sys

import pyarrow.parquet

with open(sys.argv[2], "w", encoding="utf-8", newline="\n") as out:
    for row in pyarrow.parquet.read_table(sys.argv[1]).to_pylist():
        out.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")

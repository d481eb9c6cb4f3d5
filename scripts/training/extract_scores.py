#!/usr/bin/env python3
"""Writes scores.yml beside a Demux log, with the published program's arguments: extract_scores.py TASK --experiment-name NAME.

Further FLAGS are those of `labelprobe extract-scores`. LABELPROBE names a program in place of that of build/.
"""
import os
import pathlib
import sys

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "build" / "labelprobe"


def main():
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        sys.exit(print(__doc__.strip()))
    program = os.environ.get("LABELPROBE", str(PROGRAM))
    if not os.access(program, os.X_OK):
        sys.exit(f"extract_scores.py: no program {program}: build it with scripts/build.sh, or name one in LABELPROBE")
    os.execv(program, [program, "extract-scores", *sys.argv[1:]])


if __name__ == "__main__":
    main()

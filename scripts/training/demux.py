#!/usr/bin/env python3
"""Trains Demux with the published program's arguments: demux.py TASK FLAGS.

TASK is SemEval, GoEmotions, MFRC, Hatexplain or MSPPodcast; FLAGS are those of `labelprobe demux`, which has the published
ones. Where they say nothing this script says what the published program does: a train batch of 32, evaluation in batches
of the same size, texts as they are. LABELPROBE names a program in place of that of build/.
"""
import os
import pathlib
import sys

TASKS = ("SemEval", "GoEmotions", "MFRC", "Hatexplain", "MSPPodcast")
PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "build" / "labelprobe"


def value_of(flags, name, otherwise):
    """The first value given for a flag; flags may be shortened to no less than `name`'s first two words."""
    least = "--" + "-".join(name.split("-")[:2])
    for i, flag in enumerate(flags):
        spelled, _, value = flag.partition("=")
        if spelled.startswith(least) and f"--{name}".startswith(spelled.replace("_", "-")):
            return value or (flags[i + 1] if i + 1 < len(flags) else otherwise)
    return None


def main():
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        sys.exit(print(__doc__.strip()))
    task, flags = sys.argv[1], sys.argv[2:]
    if task not in TASKS:
        sys.exit(f"demux.py: unknown task '{task}' (known: {', '.join(TASKS)})")
    batch = value_of(flags, "train-batch-size", "32")
    if batch is None:
        batch = "32"
        flags += ["--train-batch-size", batch]
    if value_of(flags, "eval-batch-size", batch) is None:
        flags += ["--eval-batch-size", batch]
    if value_of(flags, "text-preprocessor", "false") is None:
        flags += ["--text-preprocessor", "false"]
    program = os.environ.get("LABELPROBE", str(PROGRAM))
    if not os.access(program, os.X_OK):
        sys.exit(f"demux.py: no program {program}: build it with scripts/build.sh, or name one in LABELPROBE")
    os.execv(program, [program, "demux", task, *flags])


if __name__ == "__main__":
    main()

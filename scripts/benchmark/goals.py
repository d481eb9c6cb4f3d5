#!/usr/bin/env python3
"""What scripts/bench.sh measured (its --json files) beside what is wanted on one H200 and what the hardware allows, as Markdown.
Usage: goals.py FILE.json [FILE.json ...]      files that are not there are left out
"""
import json
import pathlib
import sys

if __package__ is None:
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from benchmark import report  # noqa: E402

# Seconds for 200 queries of the 8B shape in bfloat16: what the operations for its distinct tokens take at the H200's peak.
FLOORS = {("llama-3.1-8b", "baseline"): 0.30, ("llama-3.1-8b", "unary"): 0.62, ("llama-3.1-8b", "binary"): 1.72}
# Baseline with weights in 4 bits that computes in float32; in bfloat16 it should be faster than that.
FP4_GOAL = 8.0
FP4_FLAGS = ("--load-in-4bit",)


def rows_of(figures):
    """(model, weights and precision, distribution, median seconds), for every distribution measured on our side."""
    is_fp4 = any(flag in FP4_FLAGS for flag in figures["flags"])
    numerics = ("FP4 weights, " if is_fp4 else "") + figures["dtype"]
    return [(figures["model"], numerics, entry["distribution"], report.median(entry["turns"], "seconds"))
            for entry in figures["ours"] if entry["row"] == "main" and entry["turns"]]


def wanted(model, numerics, distribution, device, n_queries, fp4_float32):
    """Goal, the same in words, and floor; None where there is none."""
    if device == "cpu" or n_queries != 200 or (model, distribution) not in FLOORS:
        return None, "-", "-"
    if numerics == "bfloat16":
        goal = report.GOALS[model, distribution]
        return goal, f"{goal}", f"{FLOORS[model, distribution]:.2f}"
    if distribution == "baseline" and numerics == "FP4 weights, float32":
        return FP4_GOAL, f"{FP4_GOAL:g}", "-"
    if distribution == "baseline" and numerics == "FP4 weights, bfloat16" and fp4_float32:
        return fp4_float32, f"below {report.digits(fp4_float32)}, its float32", "-"
    return None, "-", "-"


def table(all_figures):
    measured = [(figures, row) for figures in all_figures for row in rows_of(figures)]
    fp4_float32 = next((row[3] for _, row in measured if row[1:3] == ("FP4 weights, float32", "baseline")), None)
    lines = []
    for figures, (model, numerics, distribution, seconds) in measured:
        n_queries = figures["works"][distribution]["n_queries"]
        goal, goal_text, floor = wanted(model, numerics, distribution, figures["device"], n_queries, fp4_float32)
        met = "-" if goal is None else "yes" if seconds <= goal else "no"
        lines.append([f"{model}, {numerics}, {distribution}, {n_queries} queries", report.digits(seconds), goal_text, floor, met])
    return report.table(["", "measured, s", "goal, s", "floor, s", "met"], lines)


def main():
    files = [pathlib.Path(name) for name in sys.argv[1:]]
    if not files:
        sys.exit(__doc__)
    there = [json.loads(path.read_text()) for path in files if path.is_file()]
    if not there:
        sys.exit(f"goals: nothing was measured: none of {', '.join(map(str, files))} is there")
    print("\n".join(table(there)))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Computes the tables of `labelprobe paper` anew from its logs, sharing no code with the program.

usage: check_paper.py FOLDER [--tolerance T]      (needs PyYAML, numpy and scipy)

FOLDER is what `labelprobe paper --out FOLDER` has written: numbers.csv, runs.csv and alignment/. Tables 4 and 6 are computed
from indexed_metrics.yml, Table 2 is read from the files of the probes (which check_probes.py holds against scikit-learn), and
Tables 1 and 5 are computed by check_alignment.py from the logs that alignment/*.json names. Ends with 1 if a number differs.
"""
import argparse
import csv
import json
import pathlib
import subprocess
import sys

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
METHODS = {"Compare-to-None": "baseline", "Hard Predictions": "output", "Unary": "unary", "Binary": "binary",
           "Max-over-generations": "max", "SFT outputs": "SFT_output", "SFT max": "SFT_max"}
PROBES = {"perf": ("metrics.yml", "llm_micro_f1"), "gold": ("metrics.yml", "micro_f1"), "pred": ("metrics_model.yml", "micro_f1"),
          "pred_nonfirst": ("metrics_model.yml", "micro_f1_nonfirst")}


def read_csv(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def load(path):
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, LOADER)


def entries(run):
    log = load(pathlib.Path(run["folder"]) / "indexed_metrics.yml")[f"experiment_{run['experiment']}"]
    return [entry for name, entry in log.items() if name != "description" and isinstance(entry, dict)]


def never_predicted(items):
    """Table 4: of second labels that are not the likeliest next, those that are no prediction, in percent."""
    count = never = 0
    for item in items:
        steps, predicted = item.get("test_scores") or [], item.get("test_preds") or []
        predicted = [predicted] if isinstance(predicted, str) else predicted
        for step, following in zip(steps, steps[1:]):
            second = sorted(step, key=lambda label: -step[label])[1]
            if second != max(following, key=lambda label: following[label]):
                count += 1
                never += second not in predicted
    return 100 * never / count if count else None


def attention(items, kind):
    """Table 6: the mean over steps of weight / tokens, in percent."""
    shares = [weight / n for item in items for weight, n in (item.get("test_label_v_input_attn") or {}).get(kind, []) if n]
    return 100 * sum(shares) / len(shares) if shares else None


def of_alignment(folder, number):
    table = json.loads((folder / "alignment" / f"{number['source']}-{number['set']}.json").read_text(encoding="utf-8"))
    for row in table["rows"]:
        is_it = row["estimator"] == METHODS.get(number["row"]) or row["method"].lower() == number["row"].lower()
        if is_it and row.get(number["measure"]):
            return row[number["measure"]]["value"]
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--tolerance", type=float, default=1e-6)
    args = parser.parse_args()
    runs = {(run["model"], run["set"], run["run"]): run for run in read_csv(args.folder / "runs.csv") if not run["missing"]}
    logs, n_checked, n_wrong = {}, {}, 0
    for number in read_csv(args.folder / "numbers.csv"):
        if number["source"].startswith("published, ") or not number["value"]:
            continue
        place = (number["source"], number["set"], "steps")
        table = number["table"]
        if table in ("table4", "table6") and place not in logs:
            logs[place] = entries(runs[place])
        if table == "table4":
            wanted = never_predicted(logs[place])
        elif table == "table6":
            wanted = attention(logs[place], number["measure"])
        elif table == "table2":
            name, metric = PROBES[number["measure"]]
            wanted = load(args.folder / "probes" / number["source"] / number["set"] / name)[metric]
        else:
            wanted = of_alignment(args.folder, number)
        n_checked[table] = n_checked.get(table, 0) + 1
        if wanted is None or abs(wanted - float(number["value"])) > args.tolerance:
            n_wrong += 1
            print(f"{table} {number['row']} {number['source']} {number['set']} {number['measure']}: {number['value']}, computed {wanted}")
    for table in sorted((args.folder / "alignment").glob("*.json")):
        votes = table.with_suffix(".votes.jsonl")
        check = [sys.executable, str(pathlib.Path(__file__).with_name("check_alignment.py")), str(table), str(votes)]
        done = subprocess.run(check, capture_output=True, text=True, check=False)
        print(f"{table.name}: {(done.stdout.strip().splitlines() or [''])[-1]}{done.stderr}")
        n_wrong += done.returncode != 0
    print(", ".join(f"{name}: {n} numbers" for name, n in sorted(n_checked.items())) + f"; {n_wrong} differ")
    sys.exit(1 if n_wrong or not n_checked else 0)


if __name__ == "__main__":
    main()

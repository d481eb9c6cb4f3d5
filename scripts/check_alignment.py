#!/usr/bin/env python3
"""Recomputes every number of an alignment table with numpy, scipy and PyYAML, sharing no code with labelprobe.

usage: check_alignment.py TABLE.json VOTES.jsonl [--root DIR] [--runs FOLDER ...] [--platt FOLDER ... --platt-votes FILE]
                          [--rates RATES.json] [--tolerance T]

TABLE.json is written by `labelprobe align --out TABLE.json`, VOTES.jsonl by `labelprobe distributions --votes VOTES.jsonl`
(one line per example: {"id", "shares": {label: share}, "gold": [label], "n_annotators"}, null for soft labels); the label distributions are
computed anew from the indexed_metrics.yml of the runs that the table names. Prints both numbers and their difference for
each row; ends with 1 if one is larger than the tolerance (default 1e-6), 2 if something cannot be read.
Base rates taken from train splits are not in these files: such a row is listed as unchecked unless --rates gives them,
{label: rate}. So are weight and bias of Platt scaling, unless the runs and votes they were fitted on are given.
"""
import argparse
import itertools
import json
import math
import pathlib
import random
import sys

import numpy as np
import yaml
from scipy.special import xlogy

from alignment_estimates import EVEN, WORDS, estimate, fit_platt, last_experiment, load_log, load_scores

UNCHECKED = object()


# --- Alignment ---

METRICS = ("nll", "l1", "f1", "brier")


def predict(p, is_multi):
    """A truth value per label."""
    return p > 0.5 + EVEN if is_multi else np.arange(len(p)) == np.argmax(p >= np.max(p) - EVEN)


def align(probs, votes, labels, is_multi):
    """{example: METRICS}"""
    numbers = {}
    for example in sorted(e for e in probs if e in votes):
        p, h = np.asarray(probs[example], dtype=float), votes[example]["shares"]
        clamped = np.clip(p, 1e-8, 1 - 1e-8)
        nll = -np.sum(xlogy(h, clamped)) - (np.sum(xlogy(1 - h, 1 - clamped)) if is_multi else 0.0)
        predicted = {label for label, chosen in zip(labels, predict(p, is_multi)) if chosen}
        gold = set(votes[example]["gold"])
        f1 = 2 * len(gold & predicted) / (len(gold) + len(predicted)) if gold | predicted else 1.0
        brier = np.sum(h * (1 - p) ** 2 + (1 - h) * p ** 2)
        numbers[example] = (float(nll), float(np.sum(np.abs(p - h))), f1, float(brier))
    return numbers


def mean_and_error(numbers):
    n = len(numbers)
    return {"value": float(np.mean(numbers)), "standard_error": float(np.std(numbers, ddof=1) / math.sqrt(n)) if n > 1 else 0.0}


def align_labels(probs, votes, labels, is_multi):
    """{label: numbers}, those that are not defined left out."""
    examples = sorted(e for e in probs if e in votes)
    p = np.array([probs[e] for e in examples], dtype=float)
    h = np.array([votes[e]["shares"] for e in examples])
    gold = np.array([[label in votes[e]["gold"] for label in labels] for e in examples])
    predicted = np.array([predict(row, is_multi) for row in p])
    numbers = {}
    for i, label in enumerate(labels):
        q, pi, hi, gi, yi = np.clip(p[:, i], 1e-8, 1 - 1e-8), p[:, i], h[:, i], gold[:, i], predicted[:, i]
        of_label = {"n_examples": len(examples), "nll": mean_and_error(-xlogy(hi, q) - (xlogy(1 - hi, 1 - q) if is_multi else 0)),
                    "l1": mean_and_error(np.abs(pi - hi)), "brier": mean_and_error(hi * (1 - pi) ** 2 + (1 - hi) * pi ** 2)}
        single = {"prevalence": np.mean(gi), "mean_share": np.mean(hi), "mean_prob": np.mean(pi)}
        if np.any(gi) or np.any(yi):
            single["f1"] = 2 * np.sum(gi & yi) / (np.sum(gi) + np.sum(yi))
        if np.any(gi) and not np.all(gi):
            difference = pi[gi][:, None] - pi[~gi][None, :]
            difference[np.abs(difference) <= 1e-9 * pi[gi][:, None]] = 0
            single["auc"] = np.mean((difference > 0) + 0.5 * (difference == 0))
        numbers[label] = of_label | {name: {"value": float(value)} for name, value in single.items()}
    return numbers


def summary(numbers):
    columns = np.array(list(numbers.values()))
    n = len(columns)
    errors = np.std(columns, axis=0, ddof=1) / math.sqrt(n) if n > 1 else np.zeros(len(METRICS))
    return {key: {"value": float(m), "standard_error": float(e)}
            for key, m, e in zip(METRICS, columns.mean(axis=0), errors)}


def bootstrap(ours, others, entry):
    shared = sorted(set(ours) & set(others), key=lambda text: text.encode())
    differences = np.array([np.subtract(ours[e], others[e]) for e in shared])
    rng, n, tail = random.Random(entry["seed"]), len(shared), (1 - entry["level"]) / 2
    means = np.array([differences[[rng.randrange(n) for _ in range(n)]].mean(axis=0) for _ in range(entry["n_resamples"])])
    low, high = np.quantile(means, tail, axis=0), np.quantile(means, 1 - tail, axis=0)
    return n, {key: {"value": float(v), "low": float(a), "high": float(b)}
               for key, v, a, b in zip(METRICS, differences.mean(axis=0), low, high)}


# --- Comparison ---

def flatten(value, prefix=""):
    if isinstance(value, dict):
        return dict(itertools.chain.from_iterable(flatten(v, f"{prefix}{k}.").items() for k, v in value.items()))
    return {prefix.rstrip("."): value}


def differ(found, wanted):
    """[(name, ours, theirs, distance)], infinite where one of them is missing."""
    lines = []
    for name, ours in flatten(wanted).items():
        theirs = flatten(found).get(name)
        missing = ours is None or theirs is None
        lines.append((name, theirs, ours, (0.0 if ours is theirs else math.inf) if missing else abs(ours - theirs)))
    return lines


class Checker:
    def __init__(self, args):
        self.args = args
        with open(args.table, encoding="utf-8") as file:
            self.table = json.load(file)
        self.votes = self.load_votes(args.votes)
        self.labels = list(json.loads(open(args.votes, encoding="utf-8").readline())["shares"])
        self.is_multi = self.table["label_kind"] == "multi"
        self.aligned, self.estimated = {}, set()

    @staticmethod
    def load_votes(path):
        votes = {}
        with open(path, encoding="utf-8") as file:
            for line in map(json.loads, file):
                votes[line["id"]] = {"shares": np.array(list(line["shares"].values())), "gold": line["gold"]}
        return votes

    def source(self, row):
        folder, experiment = row["run"].rsplit(", experiment ", 1)
        path = (pathlib.Path(self.args.root) / folder).resolve()
        if self.args.runs and path not in [pathlib.Path(run).resolve() for run in self.args.runs]:
            sys.exit(f"{self.args.table}: row '{row['method']}' is of {folder}, which is none of --runs")
        return str(path), int(experiment)

    def kind_of(self, source):
        key = next(iter(load_log(*source)))
        return next((kind for kind in WORDS if f"_{kind}_" in key), "example")

    def platt(self, row, source):
        runs = [(str(pathlib.Path(run).resolve()), last_experiment(run)) for run in self.args.platt]
        fitting = [run for run in runs if self.kind_of(run) == self.kind_of(source)]
        if len(fitting) != 1:
            return UNCHECKED
        return fit_platt(row, fitting[0], self.load_votes(self.args.platt_votes), self.labels)

    def recompute(self, row):
        """What the row should say, or UNCHECKED."""
        if row["nll"] is None:
            return {"n_examples": 0}
        statistics = {}
        if row["estimator"] == "constant":
            voted = [e for e in self.votes if e in self.estimated]
            if row["note"].startswith("mean vote shares"):
                rates = np.mean([self.votes[e]["shares"] for e in voted], axis=0)
            elif self.args.rates:
                given = json.loads(pathlib.Path(self.args.rates).read_text())
                rates = np.array([given[label] for label in self.labels])
            else:
                return UNCHECKED
            probs = {e: rates for e in voted}
        elif row["estimator"] == "scores":
            probs = load_scores(pathlib.Path(self.args.root) / row["run"], self.labels)
            if not any(other["n_items"] for other in self.table["rows"]):  # without runs a table is about these examples
                self.estimated |= set(probs)
        else:
            source = self.source(row)
            probs, statistics = estimate(row, source, self.labels, self.is_multi)
            self.estimated |= set(probs)
            if row["platt"] and self.args.platt:
                statistics["platt"] = self.platt(row, source)
        numbers = align(probs, self.votes, self.labels, self.is_multi)
        self.aligned[id(row)] = numbers
        wanted = {"n_examples": len(numbers)} | summary(numbers) | statistics
        if "labels" in row:
            row["label"] = {entry["label"]: {k: v for k, v in entry.items() if k != "label"} for entry in row["labels"]}
            wanted["label"] = align_labels(probs, self.votes, self.labels, self.is_multi)
        return wanted

    def run(self):
        worst, n_numbers, unchecked = 0.0, 0, []
        print(f"{'row':44} {'number':22} {'labelprobe':>22} {'recomputed':>22} {'difference':>11}")

        def report(title, found, wanted):
            nonlocal worst, n_numbers
            for name, theirs, ours, distance in differ(found, wanted):
                print(f"{title[:44]:44} {name:22} {theirs!s:>22} {ours!s:>22} {distance:11.1e}")
                worst, n_numbers = max(worst, distance), n_numbers + 1

        # Constant rows need the examples of all others.
        rows = sorted(self.table["rows"], key=lambda row: row["estimator"] == "constant")
        for row in rows:
            title = row["method"] + (f" ({row['answer']})" if row["answer"] else "")
            wanted = self.recompute(row)
            if wanted is UNCHECKED:
                unchecked.append(title)
                continue
            if wanted.get("platt") is UNCHECKED or (row["platt"] and "platt" not in wanted):
                wanted.pop("platt", None)
                unchecked.append(f"{title}: weight and bias")
            report(title, row, wanted)
        for entry in self.table["differences"]:
            pair = [self.table["rows"][entry[key]] for key in ("row", "against")]
            title = f"{pair[0]['method']} - {pair[1]['method']}"
            if any(id(row) not in self.aligned for row in pair):
                unchecked.append(title)
                continue
            n, wanted = bootstrap(*(self.aligned[id(row)] for row in pair), entry)
            report(title, entry, {"n_examples": n} | wanted)
        for title in unchecked:
            print(f"unchecked: {title}")
        print(f"{n_numbers} numbers, largest difference {worst:.1e} (allowed {self.args.tolerance:.0e})")
        return 0 if n_numbers > 0 and worst <= self.args.tolerance else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table")
    parser.add_argument("votes")
    parser.add_argument("--root", default=".", help="where relative paths of the table start (default: here)")
    parser.add_argument("--runs", nargs="*", default=[], help="the only run folders that rows may come from")
    parser.add_argument("--platt", nargs="*", default=[], help="run folders that weight and bias were fitted on")
    parser.add_argument("--platt-votes", help="votes on the examples of those runs")
    parser.add_argument("--rates", help="base rates taken from a train split, as JSON: {label: rate}")
    parser.add_argument("--tolerance", type=float, default=1e-6)
    args = parser.parse_args()
    if bool(args.platt) != bool(args.platt_votes):
        parser.error("--platt and --platt-votes go together")
    try:
        sys.exit(Checker(args).run())
    except (OSError, KeyError, ValueError, yaml.YAMLError) as error:
        print(f"check_alignment.py: {type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()

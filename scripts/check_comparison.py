#!/usr/bin/env python3
"""Recomputes every number of `labelprobe compare` with PyYAML, numpy and pandas, sharing no code with labelprobe.

usage: check_comparison.py COMPARISON.json COMPARISON.csv RUN_A RUN_B [--tolerance T]

COMPARISON.json and COMPARISON.csv are written by `labelprobe compare RUN_A RUN_B --json F --csv F`; RUN_A and RUN_B are log
folders as given there (FOLDER, its last experiment, or FOLDER/experiment_K). Prints how many numbers were compared and
the largest difference; ends with 1 if one is larger than the tolerance (default 1e-9) or something else is not the same,
2 if something cannot be read.
"""
import argparse
import json
import pathlib
import re
import sys

import numpy as np
import pandas as pd
import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SMALLEST = 1e-12
SHARES = [0.0, 0.01, 0.05, 0.25, 0.5]
STATED = ["reported", "expected"]
NO_LABEL_STEPS = ["first", "healed", *STATED]


# --- Logs ---

def load_run(name):
    """The items of a run by key, those of single annotators as <id>__<annotator>."""
    path = pathlib.Path(name)
    wanted = re.fullmatch(r"experiment_\d+", path.name) and not path.exists()
    folder, experiment = (path.parent, path.name) if wanted else (path, None)
    log = yaml.load((folder / "indexed_metrics.yml").read_text(encoding="utf-8"), LOADER)
    experiment = experiment or list(log)[-1]
    items = {str(key): entry for key, entry in log[experiment].items() if isinstance(entry, dict)}
    for file in sorted(folder.glob("*annotator_preds.yml")):
        if file.name.startswith("aggregated_"):
            continue
        for annotator, entries in (yaml.load(file.read_text(encoding="utf-8"), LOADER).get(experiment) or {}).items():
            if isinstance(entries, dict):
                items |= {f"{key}__{annotator}": entry for key, entry in entries.items()}
    return items


def numbers(mapping):
    """Logs hold float32 numbers in their shortest decimals; their rounding may lie above 1."""
    return {str(name): min(float(np.float32(value)), 1.0) for name, value in mapping.items()}


def label_steps(entry):
    scores = entry.get("test_scores")
    steps = scores if isinstance(scores, list) else entry.get("test_all_scores") or []
    return [numbers(step) for step in steps]


def words(reading):
    spaced = {name: np.float32(value) for name, value in reading["spaced"].items()}
    return numbers({name: np.float32(value) + spaced[name] for name, value in reading["bare"].items()})


def predictions(entry):
    found = entry.get("test_preds") or []
    return [found] if isinstance(found, str) else found


# --- One item in both runs ---

def part(a, b):
    """Position of the first generated token that differs, and whether one answer is the beginning of the other."""
    ids_a, ids_b = a.get("test_outs_ids") or [], b.get("test_outs_ids") or []
    if not ids_a or not ids_b or ids_a == ids_b:
        return None, False
    n = min(len(ids_a), len(ids_b))
    differing = np.flatnonzero(np.array(ids_a[:n]) != np.array(ids_b[:n]))
    return (int(differing[0]), False) if len(differing) else (n, True)


def top(step):
    return max(sorted(step), key=lambda name: step[name])


def is_tied(step):
    ordered = sorted(step.values())
    return len(ordered) > 1 and ordered[-1] == ordered[-2]


def steps_apart(a, b, pairs):
    """Per label step whether the runs have generated the same before it, and whether they go apart there."""
    position, is_one_longer = part(a, b)
    starts = [entry.get("test_outs_id_index") or 0 for entry in (a, b)]
    if position is None or is_one_longer:
        apart = [top(step_a) != top(step_b) for step_a, step_b in pairs]
        first = apart.index(True) if True in apart else len(pairs)
        return [(i <= first, i == first) for i in range(len(pairs))]
    if position < max(starts):
        return [(False, False)] * len(pairs)
    at_first = starts == [position, position]
    apart = [top(step_a) != top(step_b) or ((i > 0 or at_first) and (is_tied(step_a) or is_tied(step_b)))
             for i, (step_a, step_b) in enumerate(pairs)]
    if at_first or True not in apart:
        return [(i == 0, i == 0 and apart[0]) for i in range(len(pairs))]
    return [(i <= apart.index(True), i == apart.index(True)) for i in range(len(pairs))]


def rows_of(key, a, b):
    pairs = list(zip(label_steps(a), label_steps(b)))
    places = [(str(i + 1), *pair, *flags) for i, (pair, flags) in enumerate(zip(pairs, steps_apart(a, b, pairs)))]
    for place in ("first", "healed"):
        readings = [(entry.get("test_answers") or {}).get(place) for entry in (a, b)]
        if all(readings):
            pair = words(readings[0]), words(readings[1])
            places.append((place, *pair, True, top(pair[0]) != top(pair[1])))
    for place in STATED:
        stated = [numbers((entry.get("test_stated") or {}).get(place) or {}) for entry in (a, b)]
        pair = [{label: one[label] for label in one if label in other} for one, other in (stated, stated[::-1])]
        if pair[0]:
            places.append((place, *pair, True, top(pair[0]) != top(pair[1])))
    return [{"item": key, "step": place, "label": label, "prob_a": step_a[label], "prob_b": step_b[label], "same_prefix": same,
             "flipped": flipped} for place, step_a, step_b, same, flipped in places for label in sorted(step_a)]


# --- All items ---

def spread(values):
    values = np.asarray(values)
    return {"max": values.max(), "p99": np.percentile(values, 99), "mean": values.mean()} if len(values) else \
        {"max": 0.0, "p99": 0.0, "mean": 0.0}


def add_differences(table):
    table["difference"] = table.prob_b - table.prob_a
    log_a, log_b = np.log(table.prob_a.clip(lower=SMALLEST)), np.log(table.prob_b.clip(lower=SMALLEST))
    table["logprob_difference"] = log_b - log_a
    table["kl"] = table.prob_a * (log_a - log_b) - table.prob_a + table.prob_b


def leaders(table, column):
    """Per item and step the two likeliest labels, the first of equals, and the lead."""
    ordered = table.sort_values(["item", "step", column, "label"], ascending=[True, True, False, True])
    groups = ordered.groupby(["item", "step"], sort=False)
    lead = groups[column].apply(lambda p: p.iloc[0] - p.iloc[1] if len(p) > 1 else 1.0)
    return groups["label"].agg(list), lead


def step_summary(table, place, all_items):
    of_place = table[(table.step == place) & table.same_prefix]
    by_item = of_place.groupby("item", sort=False)
    return {"step": place, "n_items": len(by_item), "n_probs": len(of_place),
            "n_other_prefix": int(table[(table.step == place) & ~table.same_prefix].item.nunique()),
            "prob_difference": spread(of_place.difference.abs()),
            "logprob_difference": spread(of_place.logprob_difference.abs()),
            "l1": spread(by_item.difference.apply(lambda d: d.abs().sum()) if len(of_place) else []),
            "kl": spread(by_item.kl.sum() if len(of_place) else []), "n_flips": int(of_place[of_place.flipped].item.nunique())}


def margins(table, column):
    first = table[table.step == "1"]
    lead = leaders(first, column)[1].to_numpy() if len(first) else np.array([])
    return {"n_items": len(lead), "quantiles": [{"share": share, "margin": np.quantile(lead, share)} for share in SHARES]
            if len(lead) else []}


def find_flips(items_a, items_b, keys, table):
    steps = table[table.same_prefix & ~table.step.isin(NO_LABEL_STEPS)]
    (label_a, lead_a), (label_b, lead_b) = leaders(steps, "prob_a"), leaders(steps, "prob_b")
    flips, unmoved = [], []
    by_item = dict(tuple(steps.groupby("item", sort=False)))
    for key in keys:
        of_item = by_item.get(key)
        places = [] if of_item is None else sorted(of_item.step.unique(), key=int)
        decided = next((p for p in places if of_item[of_item.step == p].flipped.any()), None)
        preds_a, preds_b = predictions(items_a[key]), predictions(items_b[key])
        if sorted(preds_a) == sorted(preds_b) and decided is None:
            if of_item is not None:
                unmoved.append(of_item.difference.abs().max())
            continue
        flip = {"item": key, "predicted_a": preds_a, "predicted_b": preds_b,
                "have_predictions_flipped": sorted(preds_a) != sorted(preds_b), "has_first_label_flipped": decided == "1",
                "first_differing_token": part(items_a[key], items_b[key])[0], "step": decided}
        if decided:
            first, second = label_a[key, decided], label_b[key, decided]
            tied_b = lead_b[key, decided] == 0
            flip |= {"likeliest_a": first[1 if first[0] == second[0] and not tied_b else 0],
                     "likeliest_b": second[1 if first[0] == second[0] and tied_b else 0],
                     "margin_a": lead_a[key, decided], "margin_b": lead_b[key, decided],
                     "largest_difference": of_item[of_item.step == decided].difference.abs().max()}
        flips.append(flip)
    usual = max(unmoved, default=0.0)
    for flip in flips:
        if flip["step"]:
            flip["is_near_tie"] = bool(min(flip["margin_a"], flip["margin_b"]) <= usual)
    return {flip["item"]: flip for flip in flips}, usual


def stated_only(items, others, keys):
    """The labels whose number only one of the runs states, by item."""
    found = []
    for key in keys:
        stated, other = [(entry.get("test_stated") or {}).get("reported") or {} for entry in (items[key], others[key])]
        if labels := [label for label in stated if label not in other]:
            found.append({"item": key, "labels": labels})
    return found


def reference(run_a, run_b):
    """What compare's JSON should say, with flips by item, and the table of its CSV."""
    items_a, items_b = load_run(run_a), load_run(run_b)
    common = [key for key in items_a if key in items_b]
    failed = [[key for key in common if items[key].get("test_failure") is not None] for items in (items_a, items_b)]
    keys = [key for key in common if key not in failed[0] and key not in failed[1]]
    table = pd.DataFrame([row for key in keys for row in rows_of(key, items_a[key], items_b[key])],
                         columns=["item", "step", "label", "prob_a", "prob_b", "same_prefix", "flipped"])
    add_differences(table)
    places = [p for p in table.step.unique()]
    places = sorted([p for p in places if p.isdigit()], key=int) + [p for p in NO_LABEL_STEPS if p in places]
    flips, usual = find_flips(items_a, items_b, keys, table)
    apart = [key for key in keys if part(items_a[key], items_b[key])[0] is not None or any(
        items_a[key].get(field) != items_b[key].get(field) for field in ("test_outs", "test_prefix_outs"))]
    return {"n_items": len(keys), "only_a": [key for key in items_a if key not in items_b],
            "only_b": [key for key in items_b if key not in items_a], "failed_a": failed[0], "failed_b": failed[1],
            "stated_only_a": stated_only(items_a, items_b, keys), "stated_only_b": stated_only(items_b, items_a, keys),
            "largest_difference": table[table.same_prefix].difference.abs().max(), "usual_difference": usual,
            "steps": [step_summary(table, place, keys) for place in places],
            "margins_a": margins(table, "prob_a"), "margins_b": margins(table, "prob_b"),
            "n_answers_apart": len(apart), "n_one_longer": sum(part(items_a[key], items_b[key])[1] for key in keys),
            "flips": flips}, table


# --- Against what the program wrote ---

class Comparison:
    def __init__(self, tolerance):
        self.tolerance, self.n, self.largest, self.n_wrong = tolerance, 0, 0.0, 0

    def complain(self, place, found, expected):
        self.n_wrong += 1
        if self.n_wrong <= 20:
            print(f"{place}: found {found}, expected {expected}")

    def check(self, place, found, expected):
        if isinstance(expected, dict):
            if not isinstance(found, dict) or not set(expected) <= set(found):
                self.complain(place, found, f"the fields {', '.join(expected)}")
                return
            for name, value in expected.items():
                self.check(f"{place}.{name}", found[name], value)
        elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
            for i, value in enumerate(expected):
                self.check(f"{place}[{i}]", found[i], value)
        elif isinstance(expected, (float, np.floating)):
            difference = abs(found - expected)
            self.n, self.largest = self.n + 1, max(self.largest, difference)
            if not difference <= self.tolerance:
                self.complain(place, found, expected)
        elif found != expected:
            self.complain(place, found, expected)
        else:
            self.n += isinstance(expected, int)


def check_table(comparison, path, expected):
    found = pd.read_csv(path, dtype={"item": str, "step": str, "label": str}, keep_default_na=False)
    if list(found[["item", "step", "label"]].itertuples(index=False)) != \
            list(expected[["item", "step", "label"]].itertuples(index=False)):
        comparison.complain(path, f"{len(found)} rows", f"{len(expected)} others")
        return
    for column in ("prob_a", "prob_b", "difference", "logprob_difference"):
        differences = (pd.to_numeric(found[column]) - expected[column]).abs()
        comparison.n += len(differences)
        comparison.largest = max(comparison.largest, differences.max())
        for row in np.flatnonzero(~(differences <= comparison.tolerance)):
            comparison.complain(f"{path}:{row + 2}.{column}", found[column][row], expected[column][row])
    if not (found.same_prefix.astype(str).str.lower() == expected.same_prefix.astype(str).str.lower()).all():
        comparison.complain(f"{path}: same_prefix", "others", "those")


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
    for name in ("json", "csv", "run_a", "run_b"):
        parser.add_argument(name)
    parser.add_argument("--tolerance", type=float, default=1e-9)
    args = parser.parse_args()
    found = json.loads(pathlib.Path(args.json).read_text(encoding="utf-8"))
    found["flips"] = {flip["item"]: flip for flip in found["flips"]}
    found["largest_difference"] = found["largest"]["difference"] if found["largest"] else float("nan")
    expected, table = reference(args.run_a, args.run_b)
    comparison = Comparison(args.tolerance)
    comparison.check("", found, expected)
    if set(found["flips"]) != set(expected["flips"]):
        comparison.complain("flips", sorted(found["flips"]), sorted(expected["flips"]))
    check_table(comparison, args.csv, table)
    print(f"{comparison.n} numbers compared, largest difference {comparison.largest:.1e}, {comparison.n_wrong} wrong")
    return 1 if comparison.n_wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, KeyError, ValueError, yaml.YAMLError) as error:
        print(f"check_comparison.py: {type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(2)

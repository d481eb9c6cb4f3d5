#!/usr/bin/env python3
"""Reads log folders as the published readers do, with PyYAML, and checks that every documented field is there with the
documented type for its kind of run.

usage: check_logs.py FOLDER... [--experiment K] [--kind KIND]

FOLDER       an experiment folder (with indexed_metrics.yml), or one above such folders
--experiment only experiment_K; by default all of a folder
--kind       baseline, unary, binary, multilabel_ICL, verbalized, plain or pair; by default what params.yml says

Prints one line per experiment, and every mismatch as file/experiment/item/field. Exit code 0: all is as documented,
1: some is not, 2: wrong arguments or no log there. Needs PyYAML.
"""
import argparse
import collections
import math
import pathlib
import re
import sys

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
KINDS = ("baseline", "unary", "binary", "multilabel_ICL", "verbalized", "plain", "pair")
WORD_KINDS = ("unary", "binary", "pair")
MAX_SHOWN = 20


# What a field may hold: each returns what it expected, or None if the value is of that form.

def text(value):
    return None if isinstance(value, str) else "a string"


def text_or_null(value):
    return None if value is None or isinstance(value, str) else "a string or null"


def number(value):
    return None if isinstance(value, float) else "a float"


def integer(value):
    return None if type(value) is int else "an integer"


def truth(value):
    return None if isinstance(value, bool) else "true or false"


def zero(value):
    return None if isinstance(value, float) and value == 0.0 else "0.0"


def names(value):
    return None if isinstance(value, str) or (isinstance(value, list) and all(isinstance(v, str) for v in value)) \
        else "a label name or a list of them"


def names_or_null(value):
    return None if value is None else names(value)


def numbers_by_name(value):
    return None if isinstance(value, dict) and all(isinstance(k, str) and isinstance(v, float) for k, v in value.items()) \
        else "a mapping of names to floats"


def distribution(value):
    wrong = numbers_by_name(value)
    if wrong:
        return wrong
    is_sound = value and all(0 <= v <= 1 for v in value.values()) and math.isclose(sum(value.values()), 1, abs_tol=1e-4)
    return None if is_sound else "probabilities that sum to 1"


def distributions(value):
    if not isinstance(value, list):
        return "a list of mappings"
    return next((f"{wrong} in element {i}" for i, v in enumerate(value) if (wrong := distribution(v))), None)


def ids(value):
    return None if isinstance(value, list) and all(type(v) is int for v in value) else "a list of integers"


def tokens(value):
    is_sound = isinstance(value, list) and all(
        isinstance(v, list) and len(v) == 2 and isinstance(v[0], str) and isinstance(v[1], float) for v in value)
    return None if is_sound else "a list of [token, logit]"


def attention(value):
    parts = ("input", "prev_label", "only_label_token")
    is_sound = isinstance(value, dict) and set(value) >= set(parts) and all(
        isinstance(v, list) and len(v) == 2 and isinstance(v[0], float) for part in parts for v in value[part])
    return None if is_sound else "lists of [value, count] for input, prev_label and only_label_token"


def answers(value):
    """Ours: what the whole vocabulary makes of the answer words, at up to three positions."""
    if not isinstance(value, dict) or not set(value) <= {"greedy", "first", "healed"} or not value:
        return "a mapping with some of greedy, first and healed"
    for position, reading in value.items():
        if not isinstance(reading, dict) or set(reading) != {"bare", "spaced", "is_top"} or truth(reading["is_top"]):
            return f"bare, spaced and is_top for {position}"
        for probs in (reading["bare"], reading["spaced"]):
            if numbers_by_name(probs) or not all(0 <= v <= 1 for v in probs.values()) or sum(probs.values()) > 1.0001:
                return f"probabilities of the whole vocabulary for {position}"
    return None


def label_steps(value):
    """Ours: the raw logits, the vocabulary's log-sum-exp and, but for logs of earlier versions, its entropy at every label step."""
    if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
        return "a list of mappings"
    forms = {"index": integer, "space": text, "logits": numbers_by_name, "other_logits": numbers_by_name,
             "log_sum_exp": number, "top_tokens": tokens}
    for i, step in enumerate(value):
        for name, form in forms.items():
            if wrong := "this field" if name not in step else form(step[name]):
                return f"{wrong} for {name} of step {i}"
        if "entropy_vocab" in step and (number(step["entropy_vocab"]) or step["entropy_vocab"] < 0):
            return f"a number from 0 on for entropy_vocab of step {i}"
    return None


def stated(value):
    """Ours: what the numbers in an answer say of each label; labels without a readable number are missing."""
    readings = ("reported", "expected", "number_mass")
    is_sound = isinstance(value, dict) and value and set(value) <= set(readings) and all(
        not numbers_by_name(numbers) and all(0 <= v <= 1.0001 for v in numbers.values()) for numbers in value.values())
    return None if is_sound else "numbers from 0 to 1 by label, under some of reported, expected and number_mass"


def readouts(value):
    """Ours: what each readout makes of the item."""
    if not isinstance(value, list) or not value:
        return "a list of readouts"
    for readout in value:
        if not isinstance(readout, dict) or text(readout.get("name")) or readout.get("normalisation") not in ("vocab", "labelset", "answer"):
            return "mappings with a name and a normalisation"
        bounds = [readout.get(part) or readout["p"] for part in ("lower", "p", "upper")]
        if any(numbers_by_name(numbers) for numbers in bounds):
            return f"numbers by label for {readout['name']}"
        if any(not low[label] - 1e-6 <= p <= high[label] + 1e-6 for low, ps, high in [bounds] for label, p in ps.items()):
            return f"probabilities within their bounds for {readout['name']}"
        if sum(of_set["p"] for of_set in readout.get("sets", [])) > 1.0001:
            return f"sets with probabilities that add up to 1 at most for {readout['name']}"
        for slot in readout.get("slots", []) + readout.get("forced", []):
            if numbers_by_name(slot.get("q")) or set(slot["q"]) != set(readout["p"]):
                return f"slots with a number for every label for {readout['name']}"
            if len(slot.get("seen", [])) != slot["t"] - 1:
                return f"slots with t - 1 labels seen for {readout['name']}"
            if abs(slot["label_mass"] + slot.get("ends", 0) + slot["unclaimed"] - 1) > 2e-3:
                return f"slots whose label_mass, ends and unclaimed add up to 1 for {readout['name']}"
    return None


COMMON = {
    "test_gt": names, "test_preds": names, "test_outs": text, "test_residual_outs": text, "test_prefix_outs": text_or_null,
    "test_text": text, "test_classification_loss": zero, "test_regularization_loss": zero,
}
DISTRIBUTION = COMMON | {
    "test_scores": distribution, "test_all_scores": distributions, "test_logits": numbers_by_name, "test_top_token": text,
    "test_top_token_logit": number, "test_top_tokens": tokens, "test_outs_ids": ids, "test_outs_id_index": integer,
}
PLAIN = COMMON | {"test_scores": distributions}
# Checked where they stand. Attention, hidden states and semantic scores are computed on request or for some sets only.
OPTIONAL = {
    "test_label_v_input_attn": attention, "test_semantic_f1": number, "test_label_found": truth, "test_answers": answers,
    "test_label_steps": label_steps,
    "test_stated": stated, "test_readouts": readouts,
    "test_prompt_hash": text, "test_n_prompt_tokens": integer,
} | {name: form for name, form in DISTRIBUTION.items() if name not in COMMON and name != "test_all_scores"}
ABSENT = {"plain": ("test_all_scores",), "pair": ("test_all_scores",)}
FAILED = {"test_failure": text, "test_gt": names, "test_text": text}
KEY_FORMS = {
    "unary": r".+_unary_[^_]+", "binary": r".+_binary_[^_]+_[^_]+", "multilabel_ICL": r".+_ratio_[01]\.\d+",
}
ANSWER_WORDS = {"unary": {"reasonable", "unreasonable"}, "binary": {"a", "b"}}


def fields_of(kind):
    if kind == "pair":
        return PLAIN | {"test_preds": names_or_null, "test_checked_label": text}
    if kind == "plain":
        return PLAIN
    if kind == "verbalized":  # no label step
        return DISTRIBUTION | {"test_preds": names_or_null, "test_scores": numbers_by_name}
    return DISTRIBUTION | ({"test_preds": names_or_null} if kind in WORD_KINDS else {})


def load(path):
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, LOADER)


def load_data_from_yaml(data, index=0):
    """Item id -> entry of one experiment, `description` dropped; nothing where the experiment is absent."""
    experiment = dict(data.get(f"experiment_{max(index, 0)}") or {})
    experiment.pop("description", None)
    return experiment


class Findings:
    def __init__(self):
        self.by_place = []

    def add(self, place, what):
        self.by_place.append(f"{place}: {what}")


def found(value):
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."


def check_entry(place, kind, entry, findings):
    """Whether the entry is one of an item that ran."""
    if not isinstance(entry, dict):
        findings.add(place, f"expected a mapping, found {found(entry)}")
        return False
    is_failed = "test_failure" in entry
    fields = FAILED if is_failed else fields_of(kind)
    for name, form in fields.items():
        if name not in entry:
            findings.add(f"{place}/{name}", "expected this field, found none")
    for name, value in entry.items():
        form = fields.get(name) or OPTIONAL.get(name)
        if name in ABSENT.get(kind, ()):
            findings.add(f"{place}/{name}", "expected no such field in this kind of log")
        elif form and (expected := form(value)):
            findings.add(f"{place}/{name}", f"expected {expected}, found {found(value)}")
    return not is_failed


def check_scores(place, kind, entry, findings):
    """Relations between the fields of an entry whose types are right."""
    scores, steps = entry.get("test_scores"), entry.get("test_all_scores")
    if isinstance(scores, dict) and isinstance(steps, list) and steps and scores != steps[0]:
        findings.add(f"{place}/test_scores", "expected the first of test_all_scores")
    details = entry.get("test_label_steps")
    probs = steps if isinstance(steps, list) else scores
    if isinstance(details, list) and isinstance(probs, list) and len(details) != len(probs):
        findings.add(f"{place}/test_label_steps", f"expected {len(probs)} steps as there are probabilities, found {len(details)}")
    words = ANSWER_WORDS.get(kind)
    if words and isinstance(scores, dict) and set(scores) != words:
        findings.add(f"{place}/test_scores", f"expected {sorted(words)}, found {sorted(scores)}")
    if entry["test_preds"] is not None and isinstance(entry["test_gt"], list) != isinstance(entry["test_preds"], list):
        findings.add(f"{place}/test_preds", "expected a list where test_gt is one, a single name where it is one")
    if entry.get("test_label_found") is False and (steps if kind not in ("plain", "pair") else scores):
        findings.add(f"{place}/test_label_found", "expected no label step where none was found")


def check_items(place, kind, items, findings, n):
    for key, entry in items.items():
        here = f"{place}/{key}"
        if not isinstance(key, str) or "__aggregate" in key:
            findings.add(here, "expected an item id without __aggregate, as a string")
            continue
        if kind in KEY_FORMS and not re.fullmatch(KEY_FORMS[kind], key, re.DOTALL):
            findings.add(here, f"expected an id of the form {KEY_FORMS[kind]}")
        n_before = len(findings.by_place)
        is_whole = check_entry(here, kind, entry, findings)
        n["items"] += 1
        n["failed"] += isinstance(entry, dict) and "test_failure" in entry
        if is_whole and len(findings.by_place) == n_before:
            check_scores(here, kind, entry, findings)
            n["fields"] += len(entry)
            n["found"] += bool(entry.get("test_all_scores", entry["test_scores"]) or entry.get("test_stated"))


def kind_of(params, items):
    distribution_name = params.get("distribution")
    if distribution_name:
        return distribution_name
    return "pair" if any(isinstance(e, dict) and "test_checked_label" in e for e in items.values()) else "plain"


def check_numbers(place, block, findings):
    """metrics.yml, annotator_metrics.yml: floats, maybe below names, and a description."""
    if text(block.get("description")):
        findings.add(f"{place}/description", "expected a string")
    for name, value in block.items():
        if name != "description" and not isinstance(value, float) and numbers_by_name(value):
            findings.add(f"{place}/{name}", f"expected a float, or floats by name, found {found(value)}")


def check_aggregates(path, findings):
    def check(place, value):
        if isinstance(value, dict):
            for name, inner in value.items():
                check(f"{place}/{name}", inner)
            return
        if place.endswith("/n") and path.name == "aggregated_metrics.yml":
            if not isinstance(value, int) or value < 1:
                findings.add(place, f"expected the number of experiments counted, found {found(value)}")
            return
        parts = value.split("+-") if isinstance(value, str) else []
        try:
            is_sound = len(parts) == 2 and all(part == repr(float(part)) for part in parts)
        except ValueError:
            is_sound = False
        if not is_sound:
            findings.add(place, f"expected 'mean+-interval', found {found(value)}")
    check(path, load(path))


def check_other_files(folder, index, kind, has_run, findings):
    key = f"experiment_{index}"
    for path in sorted(folder.glob("*metrics.yml")):
        if path.name.startswith("aggregated_"):
            check_aggregates(path, findings)
        elif path.name != "indexed_metrics.yml":
            block = load(path).get(key)
            if isinstance(block, dict):
                check_numbers(f"{path}/{key}", block, findings)
            elif path.name == "metrics.yml" and kind in ("baseline", "verbalized", "plain", "pair") and has_run:
                findings.add(f"{path}/{key}", "expected the metrics of this experiment, found none")
    for name in ("params.yml", "names.txt", "steps.yml"):
        if not (folder / name).exists():
            findings.add(folder / name, "expected this file, found none")
    if (folder / "metrics.yml").exists() and kind in ("unary", "binary", "multilabel_ICL"):
        findings.add(folder / "metrics.yml", "expected no such file in this kind of log")
    if kind in ("plain", "pair"):
        for name in ("aggregated_metrics.yml", "aggregated_indexed_metrics.yml", "aggregated_annotator_metrics.yml"):
            if not (folder / name).exists():
                findings.add(folder / name, "expected this file, found none")


def check_folder(folder, wanted, given_kind, findings):
    """One row per experiment."""
    path = folder / "indexed_metrics.yml"
    data = load(path) or {}
    params = load(folder / "params.yml") if (folder / "params.yml").exists() else {}
    annotator_logs = [(p, load(p) or {}) for p in sorted(folder.glob("*annotator_preds.yml"))]
    rows = []
    for key in data:
        match = re.fullmatch(r"experiment_(\d+)", str(key))
        if not match:
            findings.add(f"{path}/{key}", "expected experiment_<number>")
            continue
        index = int(match[1])
        if wanted not in (None, index):
            continue
        if text((data[key] or {}).get("description")):
            findings.add(f"{path}/{key}/description", "expected a string")
        items = load_data_from_yaml(data, index)
        kind = given_kind or kind_of(params.get(key) or {}, items)
        if kind not in KINDS:
            findings.add(f"{folder / 'params.yml'}/{key}/distribution", f"expected one of {', '.join(KINDS)}, found {kind}")
            continue
        n = collections.Counter()
        check_items(f"{path}/{key}", kind, items, findings, n)
        n_aggregate = n["items"]
        for log_path, log in annotator_logs:
            for annotator, examples in load_data_from_yaml(log, index).items():
                check_items(f"{log_path}/{key}/{annotator}", kind, examples, findings, n)
        check_other_files(folder, index, kind, n_aggregate > n["failed"], findings)
        rows.append((str(folder), str(index), kind, str(n_aggregate), str(n["items"] - n_aggregate), str(n["found"]),
                     str(n["failed"]), str(n["fields"])))
    if not rows and wanted is not None:
        findings.add(path, f"expected experiment_{wanted}, found {', '.join(map(str, data)) or 'none'}")
    return rows


def print_table(rows):
    head = ("folder", "experiment", "kind", "items", "of annotators", "label found", "failed", "fields checked")
    widths = [max(map(len, column)) for column in zip(head, *rows)]
    for row in (head, *rows):
        print("  ".join(cell.ljust(width) if i in (0, 2) else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))).rstrip())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", metavar="FOLDER", type=pathlib.Path)
    parser.add_argument("--experiment", type=int)
    parser.add_argument("--kind", choices=KINDS)
    arguments = parser.parse_args()
    findings, rows = Findings(), []
    for top in arguments.folders:
        logs = sorted(top.rglob("indexed_metrics.yml"))
        if not logs:
            parser.error(f"{top}: no indexed_metrics.yml there or below")
        for log in logs:
            try:
                rows += check_folder(log.parent, arguments.experiment, arguments.kind, findings)
            except yaml.YAMLError as error:
                findings.add(log.parent, f"expected YAML: {error}")
    print_table(rows)
    for finding in findings.by_place[:MAX_SHOWN]:
        print(finding, file=sys.stderr)
    if len(findings.by_place) > MAX_SHOWN:
        print(f"... and {len(findings.by_place) - MAX_SHOWN} more", file=sys.stderr)
    return 1 if findings.by_place else 0


if __name__ == "__main__":
    sys.exit(main())

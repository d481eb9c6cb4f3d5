#!/usr/bin/env python3
"""Checks pages that `labelprobe report` writes: their data against the logs, their size, and how soon a browser shows them.

usage: check_report.py [--items N] [--inside] makes a run of N invented items (default 10000) with a tiny model, and its page; --inside
                                              with invented looks inside a model of 30 layers at every label step
       check_report.py PAGE.html RUN_FOLDER.. the runs that PAGE.html was made of, in that order

Compares every text and number of every item with indexed_metrics.yml as PyYAML reads it; numbers have four digits. With a
Chromium on this machine it tells when the first paint came, when the items were there, and what filters and orders take.
Ends with 1 if something differs, if 10,000 items take more than 20 MB or if the first paint takes a second.
"""
import argparse
import base64
import csv
import gzip
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
from random import Random

from browser import Browser, find_browser

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROGRAM = os.environ.get("LABELPROBE", str(ROOT / "build/labelprobe"))
MOST_MEGABYTES = 20.0  # of 10,000 items
MOST_MILLISECONDS = 1000.0  # until the first paint


# --- The page's data against the log ---

def read_page(path):
    """The data inside of a page."""
    text = pathlib.Path(path).read_text(encoding="utf-8")
    found = re.findall(r'<script type="application/octet-stream" id="data">([A-Za-z0-9+/=]*)</script>', text)
    if len(found) != 1:
        sys.exit(f"{path}: expected the data of a report once, found it {len(found)} times")
    return json.loads(gzip.decompress(base64.b64decode(found[0])))


def is_near(shown, logged):
    return shown is not None and math.isclose(shown, logged, rel_tol=6e-4, abs_tol=1e-12)


class Comparison:
    def __init__(self, run):
        self.run, self.problems, self.n_compared, self.place = run, [], 0, ""

    def same(self, what, shown, logged):
        self.n_compared += 1
        if shown != logged:
            self.problems.append(f"{self.place}: {what}: {shown!r} in the page, {logged!r} in the log")

    def near(self, what, shown, logged):
        self.n_compared += 1
        if logged is not None and not is_near(shown, logged):
            self.problems.append(f"{self.place}: {what}: {shown!r} in the page, {logged!r} in the log")

    def labels(self, what, shown, logged):
        """Numbers per label: [number of the labels' list, numbers..] against a mapping."""
        names = self.run["label_lists"][shown[0]] if shown else []
        self.same(f"{what}, labels", sorted(names), sorted(map(str, logged or {})))
        for name, number in zip(names, shown[1:] if shown else []):
            self.near(f"{what}, {name}", number, logged[name])

    def item(self, item, entry):
        self.place = f"{self.run['name']}: {item['id']}"
        self.same("text", item["text"], entry.get("test_text", ""))
        self.same("gold", item["gold"], as_list(entry.get("test_gt", [])))
        self.same("failure", item.get("failure"), entry.get("test_failure"))
        self.same("tokens of the prompt", item["n_prompt_tokens"], entry.get("test_n_prompt_tokens", 0))
        if "failure" in item:
            return
        self.same("predicted", item["predicted"], as_list(entry.get("test_preds", [])))
        for name, field in (("answer", "test_outs"), ("rest", "test_residual_outs"), ("reasoning", "test_prefix_outs")):
            self.same(name, item.get(name, ""), entry.get(field) or "")
        steps = entry.get("test_all_scores") or [] if entry.get("test_label_found") else []
        self.same("label steps", len(item["steps"]), len(steps))
        details = entry.get("test_label_steps") or [{}] * len(steps)
        for i, (step, probabilities, detail) in enumerate(zip(item["steps"], steps, details)):
            self.step(f"step {i + 1}", step, probabilities, detail)
        for place, reading in (entry.get("test_answers") or {}).items():
            self.labels(f"{place}, bare", item["words"][place]["bare"], reading["bare"])
            self.labels(f"{place}, spaced", item["words"][place]["spaced"], reading["spaced"])
        for name, stated in (entry.get("test_stated") or {}).items():
            self.labels(name, item["stated"][name], stated)
        self.same("readouts", [one["name"] for one in item.get("readouts", [])],
                  [one["name"] for one in entry.get("test_readouts") or []])
        for shown, logged in zip(item.get("readouts", []), entry.get("test_readouts") or []):
            self.readout(shown, logged)

    def step(self, what, step, probabilities, detail):
        self.labels(what, step["p"], probabilities)
        if "index" not in detail:
            return
        self.same(f"{what}, place", step["index"], detail["index"])
        if "log_sum_exp" in detail:
            # A token that labels share has one logit, and counts once.
            logits = {*detail["logits"].values(), *detail.get("other_logits", {}).values()}
            mass = math.fsum(math.exp(one - detail["log_sum_exp"]) for one in logits)
            self.near(f"{what}, mass", step["label_mass"], mass)
            for (text, p), (logged, logit) in zip(step["top_tokens"], detail["top_tokens"]):
                self.same(f"{what}, token", text, logged)
                self.near(f"{what}, token {text!r}", p, math.exp(logit - detail["log_sum_exp"]))

    def readout(self, shown, logged):
        for part, value in logged.items():
            what = f"{logged['name']}, {part}"
            if isinstance(value, dict):
                self.labels(what, shown.get(part), value)
            elif isinstance(value, float):
                self.near(what, shown.get(part), value)
            elif isinstance(value, (int, str)):
                self.same(what, shown.get(part), value)


def as_list(labels):
    return [labels] if isinstance(labels, str) else list(labels)


def compare_run(run, entries):
    """What of a run's page is not what its log has; and how many texts and numbers were compared."""
    comparison = Comparison(run)
    comparison.same("ids", [item["id"] for item in run["items"]], list(entries))
    for item in run["items"]:
        if item["id"] in entries:
            comparison.item(item, entries[item["id"]])
    return comparison.problems, comparison.n_compared


def read_log(folder):
    import yaml
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    log = yaml.load((pathlib.Path(folder) / "indexed_metrics.yml").read_text(encoding="utf-8"), loader)
    entries = {str(key): entry for key, entry in list(log.values())[-1].items() if isinstance(entry, dict)}
    of_annotators = pathlib.Path(folder) / "annotator_preds.yml"
    if of_annotators.exists():
        for annotator, items in list(yaml.load(of_annotators.read_text(encoding="utf-8"), loader).values())[-1].items():
            entries.update({f"{key}__{annotator}": entry for key, entry in items.items()})
    return entries


# --- A run of many items ---

WORDS = "we left the old house in March and nobody said a word about cats or the rain that fell on my new red coat for days".split()


def write_data(folder, n_items):
    """A data set in the format of GoEmotions: the example's demonstrations, and invented texts with three annotators each."""
    example = ROOT / "configs/example"
    for name in ("emotions.txt", "emotion_clustering.json", "train.tsv"):
        (folder / name).write_bytes((example / name).read_bytes())
    emotions = (example / "emotions.txt").read_text().split()
    n_emotions = len(emotions)
    with open(folder / "goemotions_1.csv", "w", encoding="utf-8", newline="") as raters, \
            open(folder / "test.tsv", "w", encoding="utf-8", newline="") as tests:
        header = (example / "goemotions_1.csv").read_text().splitlines()[0]
        rows = csv.writer(raters, lineterminator="\n")
        rows.writerow(header.split(","))
        for i in range(n_items):
            text = " ".join(WORDS[(i * k * k + k) % len(WORDS)] for k in range(1, 8 + i % 17)) + f" {i}."
            chosen = {(i + 7 * k * (i % 3)) % n_emotions for k in range(2)}
            tests.write(f"{text}\t{','.join(map(str, sorted(chosen)))}\tr{i:06d}\n")
            for rater in range(3):
                marks = [int(e in chosen and (rater + i + e) % 4 > 0) for e in range(n_emotions)]
                rows.writerow([text, f"r{i:06d}", "invented", "example", "t3", "t1", 1546960275.0, rater, False, *marks])
    for name in ("goemotions_2.csv", "goemotions_3.csv"):
        (folder / name).write_text(header + "\n")


def write_looks(path, entries):
    """What labelprobe inspect might have written of these items: numbers that wander from layer to layer."""
    random = Random(1)
    n_layers = 30

    def wander(n_rows, n):
        rows = [[0.0] * n]
        for _ in range(n_rows - 1):
            rows.append([round(value + random.gauss(0, 1), 6) for value in rows[-1]])
        return rows
    with open(path, "w", encoding="utf-8") as file:
        for key, entry in entries.items():
            steps = []
            for t, step in enumerate(entry["test_label_steps"]):
                labels = list(step["logits"])
                n = len(labels)
                parts = [{"name": name, "n_positions": 40, "attention": [random.random() / 5 for _ in range(n_layers)],
                          "adds": wander(n_layers, n), "knocked_out": wander(2, n)[1]}
                         for name in ("first_token", "instruction", "demonstrations", "input", "rest", "answer")]
                steps.append({"step": t + 1, "index": step["index"], "logits": list(step["logits"].values()), "log_sum_exp": 1.0,
                              "lens": wander(n_layers + 1, n), "parts": wander(2 * n_layers + 1, n), "text_parts": parts})
            labels = list(entry["test_label_steps"][0]["logits"]) if steps else []
            file.write(json.dumps({"id": key, "answer": entry["test_outs"], "labels": labels, "steps": steps}) + "\n")


def make_page(folder, n_items, is_inside):
    data = folder / "data"
    data.mkdir()
    write_data(data, n_items)
    command = [PROGRAM, "run", "GoEmotions", "--config", str(ROOT / "configs/example/config.yaml"), "--root-dir", str(data),
               "--emotion-clustering-json", str(data / "emotion_clustering.json"), "--test-splits", "test",
               "--model-name-or-path", str(ROOT / "tests/fixtures/e2e/model"), "--max-new-tokens", "16", "--shot", "3",
               "--log-root", str(folder / "logs"), "--alternative-experiment-name", "many", "--disable-tqdm", "--logging-level", "error"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    run, page = folder / "logs/GoEmotions/many_0", folder / "report.html"
    more = []
    if is_inside:
        write_looks(folder / "looks.jsonl", read_log(run))
        more = ["--inspection", str(folder / "looks.jsonl")]
    start = time.monotonic()
    subprocess.run([PROGRAM, "report", str(run), "--out", str(page), *more], check=True)
    print(f"labelprobe report: {time.monotonic() - start:.1f} s")
    return page, [run]


# --- What a browser takes ---

def measure(page):
    """Milliseconds until the first paint and until the items are there, from the start of loading; and of filters."""
    with Browser() as browser:
        browser.open(page)
        browser.wait_for("document.getElementById('filters').hidden === false")
        there = browser.run("performance.now()")
        paint = browser.wait_for("(performance.getEntriesByName('first-contentful-paint')[0] || {}).startTime")
        print(f"first paint after {paint:.0f} ms, items after {there:.0f} ms at most")
        browser.run("window.fill = (name, value, event) => { const field = document.getElementById('filters').elements[name]; "
                    "const start = performance.now(); field.value = value; field.dispatchEvent(new Event(event)); "
                    "return performance.now() - start; }")
        for title, code in (("a filter by words", "fill('text', 'house march', 'input')"),
                            ("an order by entropy", "fill('text', '', 'input'), fill('sort', 'entropy', 'change')")):
            print(f"{title}: {browser.run(code):.0f} ms; {browser.run('document.getElementById(`state`).textContent')}")
        for problem in browser.problems:
            print(f"the page complains: {problem}")
        return paint, bool(browser.problems)


def check(page, folders):
    data = read_page(page)
    is_wrong = False
    if len(data["runs"]) != len(folders):
        sys.exit(f"{page}: expected {len(folders)} runs, found {len(data['runs'])}")
    for run, folder in zip(data["runs"], folders):
        problems, n_compared = compare_run(run, read_log(folder))
        print(f"{run['name']}: {len(run['items'])} items, {n_compared} texts and numbers compared, {len(problems)} differ")
        print("\n".join(problems[:10]), end="\n" if problems else "")
        is_wrong = is_wrong or bool(problems)
    n_items = sum(len(run["items"]) for run in data["runs"])
    megabytes = pathlib.Path(page).stat().st_size / 1e6
    print(f"{page}: {megabytes:.1f} MB, {n_items} items")
    if n_items <= 10000 and megabytes > MOST_MEGABYTES:
        print(f"expected at most {MOST_MEGABYTES} MB")
        is_wrong = True
    if not find_browser():
        print("no Chromium is here (Debian: apt-get install chromium): paint and filters are not measured")
        return is_wrong
    paint, has_problems = measure(page)
    if paint >= MOST_MILLISECONDS:
        print(f"expected the first paint within {MOST_MILLISECONDS:.0f} ms")
    return is_wrong or has_problems or paint >= MOST_MILLISECONDS


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", nargs="?", metavar="PAGE.html")
    parser.add_argument("runs", nargs="*", metavar="RUN_FOLDER")
    parser.add_argument("--items", type=int, default=10000)
    parser.add_argument("--inside", action="store_true")
    arguments = parser.parse_args()
    if arguments.page:
        return check(arguments.page, arguments.runs)
    with tempfile.TemporaryDirectory() as folder:
        return check(*make_page(pathlib.Path(folder), arguments.items, arguments.inside))


if __name__ == "__main__":
    sys.exit(main())

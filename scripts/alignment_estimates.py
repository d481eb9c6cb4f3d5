"""Label distributions computed anew from the logs of runs, with numpy, scipy and PyYAML: for check_alignment.py."""
import functools
import math
import pathlib

import numpy as np
import yaml
from scipy.optimize import minimize, root
from scipy.special import expit, log_expit, softmax

EPSILON = 1e-8
LAMBDA = 0.01
EVEN = 1e-6  # closer numbers are equal: strengths from winners alone tie often, and rounding must not decide
WORDS = {"unary": ("reasonable", "unreasonable"), "binary": ("a", "b")}
# --- Logs ---

def number(value):
    """Logs hold float32 numbers in their shortest decimals."""
    return float(np.float32(value))


@functools.lru_cache(maxsize=None)
def load_log(folder, experiment):
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with open(pathlib.Path(folder) / "indexed_metrics.yml", encoding="utf-8") as file:
        entries = yaml.load(file, loader)[f"experiment_{experiment}"]
    return {str(key): entry for key, entry in entries.items() if isinstance(entry, dict)}


def last_experiment(folder):
    with open(pathlib.Path(folder) / "indexed_metrics.yml", encoding="utf-8") as file:
        return [int(line.split(":")[0].removeprefix("experiment_")) for line in file if line.startswith("experiment_")][-1]


def is_found(entry):
    return entry.get("test_label_found", bool(entry["test_all_scores"]))


def first_scores(entry):
    scores = entry["test_scores"]
    return scores[0] if isinstance(scores, list) else scores


def all_scores(entry):
    scores = entry["test_scores"]
    return scores if isinstance(scores, list) else entry["test_all_scores"]


def names(value):
    return [value] if isinstance(value, str) else value


# --- Estimators: {example: [probability per label]} and the statistics of the items ---

def baseline(entries, labels, is_multi, platt):
    probs = {}
    for key, entry in entries.items():
        scores, logits = first_scores(entry), entry.get("test_logits") or {}
        if not is_multi:
            probs[key] = [number(scores[label]) for label in labels]
            continue
        if logits:
            x = [number(logits[label]) - number(logits.get("none", 0)) for label in labels]
        elif "none" in scores:
            least = float(np.finfo(np.float32).smallest_subnormal)
            x = [math.log(max(number(scores[label]), least)) - math.log(max(number(scores["none"]), least))
                 for label in labels]
        else:
            x = [0.0] * len(labels)
        probs[key] = expit(platt["weight"] * np.array(x) + platt["bias"])
    return probs


def output(entries, labels):
    return {key: [1 - EPSILON if label in names(entry["test_preds"]) else EPSILON for label in labels]
            for key, entry in entries.items()}


def largest(entries, labels):
    probs = {}
    for key, entry in entries.items():
        most = [max([EPSILON] + [number(step[label]) for step in all_scores(entry)]) for label in labels]
        probs[key] = most if max(most) > EPSILON else [number(first_scores(entry)[label]) for label in labels]
    return probs


class WordReader:
    """The probabilities of the two answer words, and how well they could be read."""

    def __init__(self, words, position):
        self.words, self.position = words, position
        self.n_found, self.masses = 0, []

    def __call__(self, entry):
        reading = (entry.get("test_answers") or {}).get(self.position)
        held = [number(reading["bare"][w]) + number(reading["spaced"][w]) for w in self.words] if reading else [0.0, 0.0]
        if self.position == "greedy":
            self.n_found += is_found(entry)
            if is_found(entry) and reading:
                self.masses.append(sum(held))
            return [number(entry["test_scores"][w]) for w in self.words]
        if reading:
            self.masses.append(sum(held))
            self.n_found += bool(reading["is_top"]) and sum(held) > 0
        return [h / sum(held) for h in held] if sum(held) > 0 else [0.5, 0.5]

    def statistics(self):
        return {"n_answers_found": self.n_found, "mean_answer_mass": float(np.mean(self.masses)) if self.masses else None}


def unary(entries, labels, position):
    reader, by_example = WordReader(WORDS["unary"], position), {}
    for key, entry in entries.items():
        example, label = key.rsplit("_unary_", 1)
        by_example.setdefault(example, {})[label] = reader(entry)[0]
    probs = {e: [p[label] for label in labels] for e, p in by_example.items() if all(label in p for label in labels)}
    return probs, reader.statistics()


def bradley_terry(n, pairs):
    first, second, wins = (np.array(column) for column in zip(*pairs))

    def loss(s):
        d = s[first] - s[second]
        return -np.sum(wins * log_expit(d) + (1 - wins) * log_expit(-d)) + LAMBDA * np.sum(s * s)

    def gradient(s):
        slope, residual = 2 * LAMBDA * s, expit(s[first] - s[second]) - wins
        np.add.at(slope, first, residual)
        np.subtract.at(slope, second, residual)
        return slope

    near = minimize(loss, np.zeros(n), jac=gradient, method="BFGS", options={"gtol": 1e-7, "maxiter": 10000}).x
    found = root(gradient, near, options={"xtol": 1e-13}).x
    assert np.max(np.abs(gradient(found))) < 1e-8, "scipy found no minimum"
    return found


@functools.lru_cache(maxsize=None)
def binary_scores(folder, experiment, starred, position, is_outcome):
    reader, by_example = WordReader(WORDS["binary"], position), {}
    for key, entry in usable(load_log(folder, experiment)).items():
        example, pair = key.rsplit("_binary_", 1)
        a, b = reader(entry)
        i, j = (starred.index(label) for label in pair.split("_"))
        by_example.setdefault(example, []).append((i, j, float(a > b) if is_outcome else a))
    return {e: bradley_terry(len(starred), pairs) for e, pairs in by_example.items()}, reader.statistics()


def usable(entries):
    return {key: entry for key, entry in entries.items() if entry.get("test_failure") is None}


def estimate(row, source, labels, is_multi):
    """Probabilities by example, and what the row says about its items."""
    estimator, position = row["estimator"].removeprefix("SFT_"), row["answer"] or "greedy"
    platt = row["platt"] or {"weight": 1.0, "bias": 0.0}
    entries = usable(load_log(*source))
    statistics = {"n_items": len(entries), "n_failed": len(load_log(*source)) - len(entries)}
    if estimator in ("unary", "unary_normalized"):
        probs, words = unary(entries, labels, position)
        if estimator == "unary_normalized":
            probs = {e: np.array(p) / np.sum(p) if np.sum(p) > 0 else [1 / len(p)] * len(p) for e, p in probs.items()}
        elif not is_multi:
            probs = {e: softmax(p) for e, p in probs.items()}
        return probs, statistics | words
    if estimator in ("binary", "binary_outcome"):
        starred = tuple(labels) + (("none",) if is_multi else ())
        scores, words = binary_scores(*source, starred, position, estimator == "binary_outcome")
        squash = lambda s: expit(platt["weight"] * (s[:-1] - s[-1]) + platt["bias"]) if is_multi else softmax(s)
        return {e: squash(s) for e, s in scores.items()}, statistics | words
    statistics |= {"n_answers_found": sum(is_found(e) for e in entries.values()), "mean_answer_mass": None}
    probs = {"baseline": lambda: baseline(entries, labels, is_multi, platt), "output": lambda: output(entries, labels),
             "output_normalized": lambda: {e: np.array(p) / np.sum(p) for e, p in output(entries, labels).items()},
             "max": lambda: largest(entries, labels)}[estimator]()
    return probs, statistics


def fit_platt(row, source, votes, labels):
    """Weight and bias of a row, from the run they were fitted on."""
    unscaled, _ = estimate(row | {"platt": {"weight": 1.0, "bias": 0.0}}, source, labels, True)
    shared = [e for e in unscaled if e in votes]
    p = np.clip(np.concatenate([np.asarray(unscaled[e]) for e in shared]), 1e-300, 1)
    x = np.log(p) - np.log1p(-np.minimum(p, 1 - 1e-16))
    h = np.concatenate([votes[e]["shares"] for e in shared])

    def gradient(wb):
        residual = expit(wb[0] * x + wb[1]) - h
        return np.array([np.mean(residual * x), np.mean(residual)])

    loss = lambda wb: -np.mean(h * log_expit(wb[0] * x + wb[1]) + (1 - h) * log_expit(-wb[0] * x - wb[1]))
    found = root(gradient, minimize(loss, [0.0, 0.0], jac=gradient, method="BFGS").x, options={"xtol": 1e-13}).x
    return {"weight": float(found[0]), "bias": float(found[1])}


def load_scores(path, labels):
    with open(path, encoding="utf-8") as file:
        scores = yaml.load(file, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return {str(e).removesuffix("__aggregate"): [float({k.lower(): v for k, v in p.items()}[label]) for label in labels]
            for e, p in scores.items()}

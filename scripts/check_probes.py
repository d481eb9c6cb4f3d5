#!/usr/bin/env python3
"""Holds `labelprobe probes` against scikit-learn on states of a real size, and ends with 1 if a probability or a metric is off by more
than --most. Needs numpy, scikit-learn, safetensors and PyYAML in the Python that runs this.

The states are invented: one direction that all share, a spectrum that falls off, labels that follow from them with noise. Both sides
work in double precision, take the same rows in the same order and stop by the same rule. --ours makes the run and times the program
alone, for sizes at which scikit-learn takes hours.

  scripts/check_probes.py                                                   # 2,000 x 1,024: a minute
  scripts/check_probes.py --items 10000 --features 8192 --labels 8 --ours   # the shapes of a model of 70 B parameters
"""
import argparse
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
import yaml
from safetensors.numpy import save_file

ROOT = pathlib.Path(__file__).resolve().parents[1]
SEED = 3


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=2000, help="four fifths are trained on (default: 2000)")
    parser.add_argument("--features", type=int, default=1024, help="size of a state (default: 1024)")
    parser.add_argument("--labels", type=int, default=4, help="labels of an item at most (default: 4)")
    parser.add_argument("--epochs", type=int, default=1000, help="of SAGA at most (default: the published 1000)")
    parser.add_argument("--solver", choices=["saga", "exact"], default="saga", help="(default: saga)")
    parser.add_argument("--most", type=float, default=1e-6, help="largest difference of a probability (default: 1e-6)")
    parser.add_argument("--ours", action="store_true", help="run the program only")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/labelprobe")
    return parser.parse_args()


def make_run(folder, n_items, n_features, n_labels):
    rng = np.random.default_rng(SEED)
    labels = [f"label{chr(97 + i)}" for i in range(n_labels)]
    spread = (1 + np.arange(n_features)) ** -0.5
    states = (rng.normal(size=(n_items, n_features)) * spread @ np.linalg.qr(rng.normal(size=(n_features,) * 2))[0]
              + rng.normal(size=n_features)).astype(np.float32)
    strengths = (states - states.mean(0)) @ rng.normal(size=(n_features, n_labels))
    strengths /= strengths.std(0)
    gold, predicted = ((strengths + noise * rng.normal(size=strengths.shape) > 0.8).astype(int) for noise in (1.0, 0.7))
    keys = [f"item{i:05}" for i in range(n_items)]
    names = [[[label for label, is_there in zip(labels, row) if is_there] for row in matrix] for matrix in (gold, predicted)]
    lines = [f"  {key}: {{test_gt: [{', '.join(of_gold)}], test_outs: '{', '.join(of_model)}', test_preds: [{', '.join(of_model)}]}}"
             for key, of_gold, of_model in zip(keys, *names)]
    (folder / "indexed_metrics.yml").write_text("experiment_0:\n" + "\n".join(lines) + "\n")
    (folder / "params.yml").write_text("experiment_0: {task: GoEmotions}\n")
    save_file({"states": states[:, None], "item": np.arange(n_items), "step": np.ones(n_items, dtype=np.int64),
               "layer": np.array([-1])}, folder / "hidden_states_0.safetensors",
              metadata={"format": "labelprobe hidden states 1", "ids": json.dumps(keys)})
    return states, keys, labels, gold, predicted


def by_program(args, folder):
    command = [args.program, "probes", folder, "--eval-folder", folder, "--output-folder", folder / "out", "--solver", args.solver,
               "--seed", SEED, "--max-iter", args.epochs, "--disable-tqdm"]
    begin = time.time()
    subprocess.run([str(word) for word in command], check=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"labelprobe: {time.time() - begin:.1f} s, {used.ru_utime + used.ru_stime:.1f} s of processor time, "
          f"{used.ru_maxrss / 2**20:.1f} GiB")
    return [yaml.load((folder / "out" / name).read_text(), yaml.CSafeLoader)
            for name in ("eval_scores.yml", "metrics.yml", "metrics_model.yml")]


def by_scikit_learn(args, states, gold, predicted):
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler
    warnings.filterwarnings("ignore")
    begin = time.time()
    train, test = train_test_split(np.arange(len(states)), test_size=0.2, random_state=42)
    scaler = StandardScaler(with_mean=False).fit(states[train].astype(np.float64))
    k = max(states.shape[1] // 4, 512)
    components = np.linalg.svd(scaler.transform(states[train].astype(np.float64)), full_matrices=False)[2][:k]
    components *= np.sign(components[np.arange(k), np.abs(components).argmax(1)])[:, None]
    features = scaler.transform(states.astype(np.float64)) @ components.T

    def fitted(targets):
        if args.solver == "saga":
            model = LogisticRegression(C=np.inf, solver="saga", max_iter=args.epochs, tol=1e-4, random_state=SEED)
        else:
            model = LogisticRegression(C=1.0, solver="newton-cholesky", max_iter=1000, tol=1e-12)
        return model.fit(features[train], targets[train])
    probs = [np.stack([fitted(column).predict_proba(features)[:, 1] for column in matrix.T], 1) for matrix in (gold, predicted)]
    print(f"scikit-learn: {time.time() - begin:.1f} s")
    return probs[0], [f1_score(truth[test], probs_of[test] > 0.5, average="micro", zero_division=0)
                      for truth, probs_of in zip((gold, predicted), probs)]


def main():
    args = parsed()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        states, keys, labels, gold, predicted = make_run(folder, args.items, args.features, args.labels)
        scores, metrics, model_metrics = by_program(args, folder)
    if args.ours:
        return 0
    probs, micro_f1 = by_scikit_learn(args, states, gold, predicted)
    found = np.array([[scores[key][label] for label in labels] for key in keys])
    off = np.abs(found - probs).max()
    off_metrics = max(abs(metrics["micro_f1"] - micro_f1[0]), abs(model_metrics["micro_f1"] - micro_f1[1]))
    print(f"{found.size} probabilities, largest difference {off:.2g}; micro F1, largest difference {off_metrics:.2g}")
    return int(not (off <= args.most and off_metrics <= 1e-12))


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Asks the same prompts of a model in a file and of the same model behind a server, and ends with 1 if the logs differ by more
than the server's own precision. The server's numbers are log-probabilities; what it does not show is held against its bounds.

  scripts/check_server.py --model build/models/SmolLM2-135M-Instruct.Q4_1.gguf --address http://127.0.0.1:8000/v1
"""
import argparse
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]
UNSEEN = -200.0  # the logit of a label that the server has not shown


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True, help="folder or .gguf file")
    parser.add_argument("--address", required=True, help="of the server that has it")
    parser.add_argument("--served-model", help="its name there")
    parser.add_argument("--plans", nargs="+", default=["baseline", "unary"], help="distributions (default: baseline unary)")
    parser.add_argument("--limit", type=int, default=10, help="examples (default: 10)")
    parser.add_argument("--top-logprobs", type=int, default=20)
    parser.add_argument("--max-new-tokens", type=int, default=8)
    parser.add_argument("--most", type=float, default=0.1, help="largest difference of a label's probability (default: 0.1)")
    parser.add_argument("--program", default=os.environ.get("LABELPROBE", ROOT / "build/labelprobe"))
    return parser.parse_args()


def run(args, plan, logs, model):
    """The entries of the log, by item, and the seconds that it took."""
    command = [str(args.program), "run", "GoEmotions", "--config", "configs/example/config.yaml", "--distribution", plan,
               "--limit", str(args.limit), "--max-new-tokens", str(args.max_new_tokens), "--model-name-or-path", *model,
               "--log-root", str(logs), "--alternative-experiment-name", plan, "--quiet"]
    start = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}")
    folder = ROOT / done.stdout.split("\n")[0]
    entries = yaml.load((folder / "indexed_metrics.yml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["experiment_0"]
    entries.pop("description")
    return entries, time.monotonic() - start


def softmax(logits):
    most = max(logits.values())
    weights = {label: math.exp(logit - most) for label, logit in logits.items()}
    return {label: weight / sum(weights.values()) for label, weight in weights.items()}


class Differences:
    def __init__(self):
        self.n_items = self.n_same_text = self.n_steps = self.n_same_top = 0
        self.probs, self.outside, self.logprobs = [], [], []
        self.n_unseen = 0

    def add(self, here, there):
        self.n_items += 1
        self.n_same_text += here["test_outs"] == there["test_outs"]
        ours, theirs = here["test_label_steps"], there["test_label_steps"]
        if not ours or not theirs or here["test_outs"][:3] != there["test_outs"][:3]:
            return
        self.n_steps += 1
        local, served = ours[0], theirs[0]
        labels = softmax(local["logits"])
        bounds = next(values for values in there["test_readouts"] if values["name"] == "top_logprobs")
        for label, logit in local["logits"].items():
            seen = served["logits"][label] > UNSEEN
            self.n_unseen += not seen
            if seen:
                self.logprobs.append(abs(logit - local["log_sum_exp"] - served["logits"][label]))
            self.probs.append(abs(labels[label] - there["test_scores"][label] if isinstance(there["test_scores"], dict) else 0))
            outside = max(bounds["lower"][label] - labels[label], labels[label] - bounds["upper"][label], 0)
            self.outside.append(outside)


def main():
    args = parsed()
    served = [args.address] + (["--served-model", args.served_model] if args.served_model else [])
    is_off = False
    with tempfile.TemporaryDirectory() as folder:
        for plan in args.plans:
            here, seconds_here = run(args, plan, pathlib.Path(folder) / "here", [str(args.model)])
            there, seconds_there = run(args, plan, pathlib.Path(folder) / "there",
                                       [*served, "--top-logprobs", str(args.top_logprobs), "--max-concurrent", "1", "--request-timeout", "900"])
            found = Differences()
            for key, entry in here.items():
                found.add(entry, there[key])
            most = max(found.probs, default=0)
            is_off = is_off or most > args.most or max(found.outside, default=0) > args.most or not found.n_steps
            print(f"{plan}: {found.n_items} items, the same answer {found.n_same_text}, label steps compared {found.n_steps}")
            print(f"  label probabilities: largest difference {most:.4f}, mean {sum(found.probs) / max(1, len(found.probs)):.5f}; "
                  f"outside the bounds by at most {max(found.outside, default=0):.4f}")
            print(f"  log-probabilities that were shown: {len(found.logprobs)}, largest difference {max(found.logprobs, default=0):.4f}; "
                  f"labels not shown: {found.n_unseen}")
            print(f"  seconds: {seconds_here:.1f} here, {seconds_there:.1f} there")
    sys.exit(1 if is_off else 0)


if __name__ == "__main__":
    main()

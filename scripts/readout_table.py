#!/usr/bin/env python3
"""Times the readouts of `labelprobe ls readouts`, each alone beside the greedy answers, on the items of one data set, and prints a
Markdown table: tokens computed beside prompt and greedy answer, seconds, how many times the greedy run that is, and how wide the
bounds are where a readout has them.

  scripts/readout_table.py DATA_FOLDER ID_LIST --readouts slot_trie marginal_exact
"""
import argparse
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]
# What a readout cannot do without.
NEEDS = {"forced_prefix": ["--readout-forced-prefix", '{"label": ["']}


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path, metavar="DATA_FOLDER", help="published files of GoEmotions")
    parser.add_argument("ids", type=pathlib.Path, metavar="ID_LIST", help="one example id per line")
    parser.add_argument("--readouts", nargs="+", help="only these (default: all)")
    parser.add_argument("--items", type=int, default=0, help="the first so many (default: all)")
    parser.add_argument("--model", type=pathlib.Path, default=ROOT / "build/models/SmolLM2-135M-Instruct.Q4_1.gguf")
    parser.add_argument("--flags", default="", help="further flags of the runs with readouts, in one string")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/labelprobe")
    args = parser.parse_args()
    for path in (args.data / "emotions.txt", args.ids, args.model, args.program):
        if not path.exists():
            parser.error(f"{path}: expected a file, found none")
    return args


def run(args, logs, name, flags):
    command = [args.program, "run", "GoEmotions", "--config", ROOT / "configs/GoEmotions/pipeline.yaml", "--root-dir", args.data.resolve(),
               "--emotion-clustering-json", args.data.resolve() / "emotion_clustering.json", "--test-ids-filename", args.ids.resolve(),
               "--model-name-or-path", args.model, "--device", "cpu", "--log-root", logs, "--alternative-experiment-name", name,
               "--disable-tqdm", *flags]
    if args.items:
        command += ["--limit", args.items]
    done = subprocess.run([str(word) for word in command], text=True, capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"readout_table: {name}: {done.stderr.strip()}")
    seconds = re.search(r"(\d+) items in ([\d.]+) s", done.stderr)
    return int(seconds[1]), float(seconds[2]), pathlib.Path(done.stdout.split()[-1])


def readouts_of(folder):
    with open(folder / "indexed_metrics.yml", encoding="utf-8") as file:
        entries = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["experiment_0"]
    return [readout for entry in entries.values() if isinstance(entry, dict) for readout in entry.get("test_readouts", [])]


def row_of(name, n_items, seconds, greedy_seconds, readouts):
    widths = [max(r["upper"][label] - r["lower"][label] for label in r["p"]) for r in readouts if r.get("lower")]
    cells = [name, f"{statistics.mean(r['n_extra_tokens'] for r in readouts):.1f}", f"{seconds:.1f}", f"{seconds / greedy_seconds:.2f}"]
    if widths:
        widths.sort()
        cells += [f"{statistics.median(widths):.2g}", f"{widths[-1]:.2g}", f"{sum(w <= 1e-6 for w in widths)}/{n_items}"]
    else:
        cells += ["", "", ""]
    return "| " + " | ".join(cells) + " |"


def main():
    args = parsed()
    listed = subprocess.run([args.program, "ls", "readouts"], text=True, capture_output=True, check=True).stdout
    names = args.readouts or [line.split()[0] for line in listed.splitlines()]
    with tempfile.TemporaryDirectory() as logs:
        n_items, greedy_seconds, _ = run(args, logs, "greedy", [])
        print(f"{n_items} items; the greedy run takes {greedy_seconds:.1f} s\n")
        print("| readout | extra tokens an item | seconds | times greedy | widest bounds, median | largest | within 1e-6 |")
        print("|---|--:|--:|--:|--:|--:|--:|", flush=True)
        for name in names:
            _, seconds, folder = run(args, logs, name, ["--readouts", name, *NEEDS.get(name, []), *args.flags.split()])
            print(row_of(name, n_items, seconds, greedy_seconds, readouts_of(folder)), flush=True)


if __name__ == "__main__":
    main()

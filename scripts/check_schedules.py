#!/usr/bin/env python3
"""Runs the same items in many schedules and compares the logs byte by byte: batches of any size, prefixes shared or not, answers
guessed or not, any number of threads, fewer items, killed and taken up again. Slow; no part of test.sh.
Usage: scripts/check_schedules.py [OPTIONS] [-- FLAGS OF labelprobe run]

  --task NAME             the data set (default: GoEmotions)
  --config FILE           what is asked (default: configs/example/config.yaml, on the data beside it)
  --model M               folder or .gguf file (default: the small model of get_model.sh)
  --items N               the first N items (default: 4)
  --distributions LIST    separated by commas (default: baseline,unary,binary)
  --modes LIST            separated by commas, of float32, bfloat16, float16, fp4, fp4-bfloat16, nf4, int8
                          (default: float32,bfloat16,fp4)
  --schedules N           the first N of the 36 schedules (default: all)
  --kills N               runs of each kind that are killed (default: 2)
  --program P             the program (default: build/labelprobe)
  --json FILE             also writes the table there

Each run's own line says how many prompt tokens it was given and how many it computed: where prefixes are shared, the
second must be smaller, or nothing was shown. int8 is expected to differ: which columns stay out of the 8 bits depends on
the schedule. Exit code: 0 all logs are equal, 1 some are not, or a run failed.
"""
import argparse
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODES = {
    "float32": [],
    "bfloat16": ["--model-dtype", "bfloat16"],
    "float16": ["--model-dtype", "float16"],
    "fp4": ["--quant", "fp4"],
    "fp4-bfloat16": ["--quant", "fp4", "--model-dtype", "bfloat16"],
    "nf4": ["--quant", "nf4"],
    "int8": ["--quant", "int8"],
}
EFFORT = re.compile(r"(\d+) of (\d+) prompt tokens computed")


def schedules():
    """Named lists of flags: every batch size with sharing and drafts on and off, and the numbers of threads in turn."""
    threads = itertools.cycle([2, 1, 3])
    for batch, shared, drafted in itertools.product([0, 1, 2, 3, 5, 8, 13, 40, 1000], [True, False], [True, False]):
        flags = ["--batch-size", str(batch), "--threads", str(next(threads))]
        flags += [] if shared else ["--no-share-prefixes"]
        flags += [] if drafted else ["--no-drafts"]
        yield " ".join(flags), flags, shared


class Runner:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder

    def command(self, distribution, mode, logs, flags, items=None):
        options = self.options
        return [options.program, "run", options.task, "--config", options.config, "-m", options.model, "--distribution",
                distribution, "--limit", str(items or options.items), "--log-root", str(logs), *MODES[mode], *flags, *options.flags]

    def run(self, distribution, mode, flags, name, items=None):
        """The bytes of the log, and the numbers of tokens computed and given."""
        logs = self.folder / name
        started = time.monotonic()
        done = subprocess.run(self.command(distribution, mode, logs, flags, items), capture_output=True, text=True,
                              cwd=ROOT, check=False)
        if done.returncode != 0:
            sys.exit(f"check_schedules: run failed with {done.returncode}: {' '.join(flags)}\n{done.stderr[-2000:]}")
        log = self.bytes_of(logs)
        shutil.rmtree(logs)
        computed, given = map(int, EFFORT.search(done.stderr).groups())
        return log, computed, given, time.monotonic() - started

    @staticmethod
    def bytes_of(logs):
        (path,) = logs.glob("*/*/indexed_metrics.yml")
        return path.read_bytes()

    def run_killed(self, distribution, mode, flags, name, after):
        """Killed once `after` lines of its journal are on disk, and given again; None where it was too quick for that."""
        logs = self.folder / name
        command = self.command(distribution, mode, logs, flags)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT) as process:
            while process.poll() is None and self.journal_lines(logs) < after:
                time.sleep(0.005)
            was_running = process.poll() is None
            if was_running:
                process.send_signal(signal.SIGKILL)
            process.wait()
        subprocess.run(command, capture_output=True, check=True, cwd=ROOT)
        log = self.bytes_of(logs)
        shutil.rmtree(logs)
        return log if was_running else None

    @staticmethod
    def journal_lines(logs):
        lines = 0
        for path in logs.glob("*/*/*journal*"):
            try:
                lines += path.read_bytes().count(b"\n")
            except OSError:
                pass
        return lines


def entries(log):
    """The text of each item of a log, by its id."""
    parts = re.split(rb"(?m)^  (?=\S)", log)
    return dict((part.split(b":", 1)[0], part) for part in parts[1:])


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--task", default="GoEmotions")
    parser.add_argument("--config", default="configs/example/config.yaml")
    parser.add_argument("--model", default=str(ROOT / "build/models/SmolLM2-135M-Instruct.Q4_1.gguf"))
    parser.add_argument("--items", type=int, default=4)
    parser.add_argument("--distributions", default="baseline,unary,binary")
    parser.add_argument("--modes", default="float32,bfloat16,fp4")
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--program", default=str(ROOT / "build/labelprobe"))
    parser.add_argument("--json")
    parser.add_argument("flags", nargs="*")
    options = parser.parse_args()

    n_different = 0
    rows = []
    with tempfile.TemporaryDirectory() as name:
        runner = Runner(options, pathlib.Path(name))
        for mode, distribution in itertools.product(options.modes.split(","), options.distributions.split(",")):
            row = {"mode": mode, "distribution": distribution, "schedules": 0, "equal": 0, "shared": [], "killed": 0}
            expected = None
            for words, flags, is_shared in list(schedules())[:options.schedules]:
                log, computed, given, seconds = runner.run(distribution, mode, flags, "run")
                expected = expected or log
                is_equal = log == expected
                row["schedules"] += 1
                row["equal"] += is_equal
                if is_shared:
                    row["shared"].append(round(computed / given, 3))
                if is_shared == (computed == given):
                    sys.exit(f"check_schedules: {words}: {computed} of {given} prompt tokens computed")
                if not is_equal:
                    print(f"{mode} {distribution}: DIFFERENT with {words}", flush=True)
            fewer = max(1, options.items // 2)
            part, *_ = runner.run(distribution, mode, [], "run", fewer)
            whole = entries(expected)
            some = entries(part)
            row["fewer items equal"] = len(some) > 0 and all(whole.get(key) == text for key, text in some.items())
            for i in range(options.kills):
                killed = runner.run_killed(distribution, mode, ["--batch-size", str(i + 1)], "killed", i + 1)
                row["killed"] += killed is not None
                row["equal"] += killed == expected
                row["schedules"] += killed is not None
            shares = row.pop("shared")
            row["computed"] = f"{min(shares)} to {max(shares)}"
            n_different += row["schedules"] - row["equal"] + (not row["fewer items equal"])
            rows.append(row)
            print(json.dumps(row), flush=True)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print("all logs are equal" if n_different == 0 else f"{n_different} logs are DIFFERENT")
    return 1 if n_different else 0


if __name__ == "__main__":
    os.environ["PYTHONUNBUFFERED"] = "1"
    sys.exit(main())

#!/usr/bin/env python3
"""Lets every call to the system fail, of runs of a tiny model, and gives each run again: is there a message, the right exit code,
and a folder from which the same command ends in the same bytes? Slow; no part of test.sh, which tries a few of these.
Usage: scripts/check_faults.py [OPTIONS]

  --program P       the program (default: build/labelprobe)
  --library L       what makes calls fail (default: build/liblabelprobe_faults.so, which building the tests makes)
  --model M         folder of the model (default: tests/fixtures/e2e/model)
  --scenarios LIST  separated by commas, of new,seeds,retry,grid,merge (default: all): a folder that is made, one that has
                    another seed's experiment and means over both, a finished run with a failed item that is computed again, a grid
                    of two seeds, two finished shards that are merged
  --faults LIST     those whose name begins so, separated by commas (default: all)
  --every N         only each N-th call (default: 1)
  --jobs N          trials at a time (default: 2)
  --json FILE       also writes the table there
  --keep            leaves the folders of trials that do not survive

Each trial changes one thing at the n-th call that has to do with the logs (for changed models and data: with these, too), and
that for every n. It survives if the run ends with 0, or with 2, 3, 4 or 75 and a message (killed: at once), and if the same
command, given again with everything as it was, ends with 0 in the bytes of a run to which nothing happened. Exit code: 0 all
trials survive, 1 some do not.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = "GoEmotions/faults_0"

# Name -> what becomes of the n-th call.
CALLS = {
    "killed before the call": "{n}:kill",
    "EIO": "{n}:EIO",
    "EIO, though done": "{n}:late-EIO",
    "disk full, once": "{n}:ENOSPC",
    "disk full": "{n}+:ENOSPC",
    "quota": "{n}+:EDQUOT",
    "read-only": "{n}+:EROFS",
    "stale handle": "{n}+:ESTALE",
    "not permitted": "{n}+:EACCES",
    "half a write": "{n}:short",
}
# Name -> (a line for the shell, one that brings back what was there, whether another run may have been made of it).
CHANGES = {
    "folder removed": ("rm -rf {folder}", "true", False),
    "folder renamed": ("mv {folder} {logs}/away", "if [ -e {logs}/away ]; then rm -rf {folder}; mv {logs}/away {folder}; fi", False),
    "all logs removed": ("rm -rf {logs}", "true", False),
    "weights changed": ("cp {here}/other.safetensors {model}/model.safetensors", "cp -p {here}/kept.safetensors {model}/model.safetensors", True),
    "weights cut": ("truncate -s 5000 {model}/model.safetensors", "cp -p {here}/kept.safetensors {model}/model.safetensors", True),
    "weights removed": ("rm -f {model}/model.safetensors", "cp -p {here}/kept.safetensors {model}/model.safetensors", True),
    "tokenizer cut": ("truncate -s 100 {model}/tokenizer.json", "cp -p {here}/kept.json {model}/tokenizer.json", True),
    "data changed": ("cp {here}/other.tsv {data}/dev.tsv", "cp -p {here}/kept.tsv {data}/dev.tsv", True),
    "data cut": ("truncate -s 300 {data}/dev.tsv", "cp -p {here}/kept.tsv {data}/dev.tsv", True),
    "data removed": ("rm -f {data}/dev.tsv", "cp -p {here}/kept.tsv {data}/dev.tsv", True),
}


class Worker:
    """A place of its own for trials: logs, model and data have the same paths in all of them."""

    def __init__(self, options, number):
        self.options = options
        self.here = options.folder / f"worker{number}"
        self.logs, self.model, self.data = self.here / "logs", self.here / "model", self.here / "data"
        self.here.mkdir()
        shutil.copytree(options.model, self.model)
        shutil.copytree(ROOT / "configs/example", self.data)
        self.keep_files()
        self.references, self.others_of = {}, {}

    def keep_files(self):
        weights = (self.model / "model.safetensors").read_bytes()
        lines = (self.data / "dev.tsv").read_text().splitlines(keepends=True)
        lines[1] = "too long " * 3000 + lines[1]  # fails: it does not fit the model's context
        (self.data / "dev.tsv").write_text("".join(lines))
        other = [line.replace("e", "o", 3) for line in lines]
        (self.here / "kept.safetensors").write_bytes(weights)
        half = len(weights) // 2
        (self.here / "other.safetensors").write_bytes(weights[:half] + bytes(b ^ 1 if i % 4 == 2 else b for i, b in enumerate(weights[half:])))
        shutil.copy2(self.model / "tokenizer.json", self.here / "kept.json")
        (self.here / "kept.tsv").write_text("".join(lines))
        (self.here / "other.tsv").write_text("".join(other))

    def put_back(self):
        for kept, place in (("kept.safetensors", self.model / "model.safetensors"), ("kept.json", self.model / "tokenizer.json"),
                            ("kept.tsv", self.data / "dev.tsv")):
            shutil.copy2(self.here / kept, place)

    def command(self, scenario):
        if scenario == "merge":
            return [str(self.options.program), "merge", str(self.logs)]
        command = "classify" if scenario in ("seeds", "grid") else "run"
        flags = ["--retry-failed"] if scenario == "retry" else []
        seed = {"seeds": ["--seed", "1"], "grid": ["--seed", "0", "1"]}.get(scenario, [])
        return [str(self.options.program), command, "GoEmotions", "--config", "configs/example/config.yaml", "--root-dir",
                str(self.data), "--shot", "2", "--sampling-strategy", "multilabel", "--max-new-tokens", "8", "-m", str(self.model),
                "--log-root", str(self.logs), "--alternative-experiment-name", "faults", "--device", "cpu", "--limit", "5",
                "--batch-size", "2", "--disable-tqdm", *flags, *seed]

    def run(self, command, fault=None, line="", roots=(), calls=None):
        environment = dict(os.environ)
        if fault or calls:
            environment |= {"LD_PRELOAD": str(self.options.library), "LABELPROBE_FAULT_ROOTS": ":".join(map(str, roots)),
                            "LABELPROBE_FAULT": fault or "", "LABELPROBE_FAULT_COMMAND": line,
                            "LABELPROBE_FAULT_LIST": str(calls or "")}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, errors="replace")
        return done.returncode, done.stderr

    def prepare(self, scenario):
        """What is there before the run that something happens to."""
        shutil.rmtree(self.logs, ignore_errors=True)
        self.put_back()
        before = self.here / f"before_{scenario}"
        if before.exists():
            shutil.copytree(before, self.logs)
            return
        if scenario == "seeds":
            expect(self.run([*self.command(scenario)[:-1], "0"]), 1)
        elif scenario == "retry":
            expect(self.run(self.command("new")), 1)
        elif scenario == "merge":
            self.make_shards()
        else:
            self.logs.mkdir()
        shutil.copytree(self.logs, before)

    def make_shards(self):
        """Two shards, of which the second dies before it merges them."""
        first, second = ([*self.command("new"), "--shard", f"{i}/2"] for i in (1, 2))
        expect(self.run(first), 1)
        one, calls = self.here / "one_shard", self.here / "calls_of_shards"
        shutil.copytree(self.logs, one)
        expect(self.run(second, roots=[self.logs], calls=calls), 1)
        listed = [line for line in calls.read_text().splitlines() if not line.startswith("tell ")]
        merging = next(n for n, line in enumerate(listed) if ".merging" in line)
        shutil.rmtree(self.logs)
        shutil.move(one, self.logs)
        expect(self.run(second, f"any:{merging}:kill", roots=[self.logs]), -9)

    def contents(self):
        return {str(path.relative_to(self.logs)): path.read_bytes() for path in sorted(self.logs.rglob("*"))
                if path.is_file() and not path.name.startswith(".lock") and path.name != "log.txt"}

    def reference(self, scenario):
        """The bytes of a run to which nothing happens; a merge ends in those of one process."""
        if scenario not in self.references:
            alone = "new" if scenario == "merge" else scenario
            self.prepare(alone)
            expect(self.run(self.command(alone)), 1)
            self.references[scenario] = self.contents()
        return self.references[scenario]

    def others(self, scenario):
        """The items of runs with each changed file."""
        if scenario not in self.others_of:
            self.others_of[scenario] = []
            for line, _, makes_another in CHANGES.values():
                if makes_another:
                    self.prepare(scenario)
                    subprocess.run(["bash", "-c", self.fill(line)], check=True)
                    self.run(self.command(scenario))
                    self.others_of[scenario] += blocks(self.contents())
        return self.others_of[scenario]

    def fill(self, line):
        return line.format(folder=self.logs / FOLDER, logs=self.logs, model=self.model, data=self.data, here=self.here)

    def roots(self, name):
        return [self.logs, *([self.model, self.data] if name in CHANGES and CHANGES[name][2] else [])]

    def list_calls(self, scenario, name):
        self.prepare(scenario)
        calls = self.here / "calls"
        calls.unlink(missing_ok=True)
        expect(self.run(self.command(scenario), roots=self.roots(name), calls=calls), 1)
        return [line for line in calls.read_text().splitlines() if not line.startswith("tell ")]

    def attempt(self, scenario, name, n):
        """A trial: (exit code of the run it happened to, what is wrong or None)."""
        whole = self.reference(scenario)
        line, restore, makes_another = CHANGES.get(name, ("", "true", False))
        others = self.others(scenario) if makes_another else []
        self.prepare(scenario)
        fault = "any:" + CALLS.get(name, "{n}:run").format(n=n)
        code, said = self.run(self.command(scenario), fault, self.fill(line), self.roots(name))
        wrong = judge_end(name, code, said)
        subprocess.run(["bash", "-c", self.fill(restore)], check=True)
        if not wrong and code in (0, 1) and name in CALLS:
            wrong = compare(self.contents(), whole, "it ended well, but")
        again, said_again = self.run(self.command(scenario))
        is_merged = scenario == "merge" and ((again == 0 and "finished before" in said_again) or
                                             (again == 3 and "runs whose shards are merged have none left" in said_again))
        if not wrong and again != 1 and not is_merged:
            wrong = f"the same command ended with {again}: {said_again[-300:]}"
        if not wrong and makes_another:
            wrong = compare_blocks(blocks(self.contents()), blocks(whole), others)
        elif not wrong and scenario == "seeds" and "removed" in name:  # the other seed's log is lost with the folder
            wrong = compare_blocks(blocks(self.contents()), blocks(whole)[-1:], blocks(whole))
        elif not wrong:
            wrong = compare(self.contents(), whole, "the same command again:")
        if wrong and self.options.keep:
            shutil.copytree(self.logs, self.options.folder / f"kept_{scenario}_{name.replace(' ', '_')}_{n}", dirs_exist_ok=True)
        return code, wrong


def expect(ended, code):
    if ended[0] != code:
        sys.exit(f"check_faults: a run without faults ended with {ended[0]}, expected {code}:\n{ended[1][-2000:]}")


def judge_end(name, code, said):
    if name == "killed before the call":
        return None if code in (-9, 0, 1) else f"ended with {code}"
    if code in (0, 1):
        return None
    if code in (2, 3, 4, 75) and "labelprobe: " in said and "internal error" not in said:
        return None
    return f"ended with {code}: {said[-300:]}"


def compare(contents, whole, where):
    names = [name for name in sorted(contents.keys() | whole.keys()) if contents.get(name) != whole.get(name)]
    return f"{where} other bytes in {', '.join(names)}" if names else None


def blocks(contents):
    """The experiments of all logs, without their numbers."""
    found = []
    for name, text in contents.items():
        if name.endswith("indexed_metrics.yml") and "aggregated" not in name:
            found += [part for part in re.split(rb"^experiment_\d+:\n", text, flags=re.M) if part]
    return found


def compare_blocks(found, whole, others):
    if not all(block in found for block in whole):
        return "the run as it should be is not among the logs"
    return None if all(block in whole + others for block in found) else "items of two models or data sets in one log"


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/labelprobe")
    parser.add_argument("--library", type=pathlib.Path, default=ROOT / "build/liblabelprobe_faults.so")
    parser.add_argument("--model", type=pathlib.Path, default=ROOT / "tests/fixtures/e2e/model")
    parser.add_argument("--scenarios", default="new,seeds,retry,grid,merge")
    parser.add_argument("--faults", default="")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--help", "-h", action="store_true")
    options = parser.parse_args()
    if options.help:
        print(__doc__)
        return 0
    for path in (options.program, options.library):
        if not path.exists():
            sys.exit(f"check_faults: {path}: no such file; build the program and its tests first (scripts/build.sh)")
    wanted = tuple(options.faults.split(","))
    names = [name for name in [*CALLS, *CHANGES] if name.startswith(wanted)]
    options.folder = pathlib.Path(tempfile.mkdtemp(prefix="check_faults-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    try:
        return check(options, names)
    finally:
        if not options.keep:
            shutil.rmtree(options.folder, ignore_errors=True)


def check(options, names):
    numbers = iter(range(options.jobs))
    local = threading.local()
    lock = threading.Lock()

    def attempt(trial):
        if not hasattr(local, "worker"):
            with lock:
                local.worker = Worker(options, next(numbers))
        return local.worker.attempt(*trial[:3])

    rows = []
    lister = Worker(options, "_lister")
    n_bad = 0
    print(f"{'scenario':8}  {'fault':24}  {'call':8}  trials  survivors  exit codes")
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for scenario in options.scenarios.split(","):
            calls_of = {}
            for name in names:
                if scenario == "merge" and name in CHANGES:
                    continue  # without its shards there is nothing to merge, and it asks for neither model nor data
                roots = tuple(lister.roots(name))
                if roots not in calls_of:
                    calls_of[roots] = lister.list_calls(scenario, name)
                trials = [(scenario, name, n, call.split(" ")[0]) for n, call in enumerate(calls_of[roots])][::options.every]
                table = collections.defaultdict(lambda: [0, 0, collections.Counter()])
                for trial, (code, wrong) in zip(trials, pool.map(attempt, trials)):
                    entry = table[trial[3] if name in CALLS else "any"]
                    entry[0] += 1
                    entry[1] += wrong is None
                    entry[2][code] += 1
                    if wrong:
                        n_bad += 1
                        print(f"  not survived: {scenario}, {name}, call {trial[2]} ({calls_of[roots][trial[2]]}): {wrong}", flush=True)
                for call, (n, n_survived, codes) in sorted(table.items()):
                    told = " ".join(f"{code}:{count}" for code, count in sorted(codes.items()))
                    print(f"{scenario:8}  {name:24}  {call:8}  {n:6}  {n_survived:9}  {told}", flush=True)
                    rows.append({"scenario": scenario, "fault": name, "call": call, "trials": n, "survivors": n_survived,
                                 "exit_codes": dict(codes)})
    n_trials = sum(row["trials"] for row in rows)
    print(f"{n_trials} trials, {n_trials - n_bad} survivors")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0 if n_bad == 0 else 1


if __name__ == "__main__":
    sys.exit(main())

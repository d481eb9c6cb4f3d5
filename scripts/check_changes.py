#!/usr/bin/env python3
"""Kills a run of a tiny model in its midst, changes one thing, and gives the same command again: items of two models, two sets of
options or two data sets must never be in one log, and what decides no number must not cost the items that are there. Slow; no part
of test.sh.
Usage: scripts/check_changes.py [OPTIONS]

  --program P     the program (default: build/labelprobe)
  --library L     what kills it (default: build/liblabelprobe_faults.so, which building the tests makes)
  --model M       folder of the model (default: tests/fixtures/e2e/model)
  --changes LIST  those whose name begins so, separated by commas (default: all)

A trial is good if the command ends well, and its log has the bytes of a run that was made with the change from the beginning. Of a
change that decides no number the items from before the kill have to be taken up besides. Exit code: 0 all trials are good, 1 some
are not.
"""
import argparse
import json
import os
import pathlib
import shutil
import struct
import sys
import tempfile

import check_faults

KEPT = "took up experiment_0 with"


def edit_json(path, edit):
    tree = json.loads(path.read_text())
    edit(tree)
    path.write_text(json.dumps(tree))


def edit_lines(path, edit):
    path.write_text("".join(edit(path.read_text().splitlines(keepends=True))))


def zero_tensors(path):
    """As an incomplete download leaves it: of each tensor only the first 8 KiB are there."""
    whole = bytearray(path.read_bytes())
    begin = 8 + struct.unpack("<Q", whole[:8])[0]
    for name, tensor in json.loads(whole[8:begin]).items():
        if name != "__metadata__":
            first, last = (begin + at for at in tensor["data_offsets"])
            whole[min(first + 8192, last):last] = bytes(max(0, last - first - 8192))
    path.write_bytes(whole)


def set_byte(path, place):
    whole = bytearray(path.read_bytes())
    whole[place] ^= 1
    path.write_bytes(whole)


def set_key(name, file, **values):
    return name, lambda w: edit_json(w.model / file, lambda tree: tree.update(values)), []


def set_option(name, *flags):
    return name, lambda w: None, list(flags)


# (name, what it does to the files of a worker, flags of the second command besides)
DECIDING = [
    ("one bit of the weights", lambda w: set_byte(w.model / "model.safetensors", -5001), []),
    set_key("config.json: rope", "config.json", rope_parameters={"rope_theta": 500.0, "rope_type": "default"}),
    set_key("config.json: norm", "config.json", rms_norm_eps=1e-2),
    set_key("config.json: end", "config.json", eos_token_id=5),
    set_key("generation_config.json: end", "generation_config.json", eos_token_id=[0, 7]),
    set_key("generation_config.json: repetition", "generation_config.json", repetition_penalty=3.0),
    set_key("generation_config.json: suppressed", "generation_config.json", suppress_tokens=[3, 4, 5]),
    set_key("tokenizer_config.json: begin", "tokenizer_config.json", add_bos_token=True, bos_token="<|endoftext|>"),
    ("tokenizer.json: merges", lambda w: edit_json(w.model / "tokenizer.json", lambda t: t["model"]["merges"].pop(0)), []),
    ("a text of the data", lambda w: edit_lines(w.data / "dev.tsv", lambda l: [l[0], "Other words" + l[1], *l[2:]]), []),
    ("a gold label", lambda w: edit_lines(w.data / "dev.tsv", lambda l: [l[0], l[1], l[2].replace("\t11\t", "\t9\t"), *l[3:]]), []),
    ("order of the data", lambda w: edit_lines(w.data / "dev.tsv", lambda l: l[::-1]), []),
    ("an id of the data", lambda w: edit_lines(w.data / "dev.tsv", lambda l: [l[0].replace("\tx", "\ty"), *l[1:]]), []),
    ("a demonstration", lambda w: edit_lines(w.data / "train.tsv", lambda l: ["Once more, " + line for line in l]), []),
    set_option("other demonstrations (seed)", "--seed", "3"),
    set_option("number of demonstrations", "--shot", "3"),
    set_option("length of answers", "--max-new-tokens", "5"),
    set_option("number type", "--model-dtype", "bfloat16"),
    set_option("quantisation", "--quant", "nf4"),
    set_option("way of asking", "--distribution", "unary"),
    set_option("label format", "--label-format", "polysyndeton"),
    set_option("instruction", "--instruction-prompt", "Which of these? {labels}\n"),
    set_option("template", "--incontext-prompt", "Text: {text}\nLabels: {label}\n"),
    set_option("readouts", "--readouts", "slot_trie"),
]
KEEPING = [
    set_option("nothing"),
    set_option("threads", "--threads", "1"),
    set_option("logging level", "--logging-level", "debug"),
    set_option("description", "--description", "Other words"),
    set_option("no shared prefixes", "--no-share-prefixes"),
]


class Trial:
    def __init__(self, worker):
        self.worker = worker
        for path in (worker.model, worker.data):
            shutil.copytree(path, worker.here / f"kept_{path.name}")

    def put_back(self):
        shutil.rmtree(self.worker.logs, ignore_errors=True)
        self.worker.logs.mkdir()
        for path in (self.worker.model, self.worker.data):
            shutil.rmtree(path)
            shutil.copytree(self.worker.here / f"kept_{path.name}", path)

    def command(self, flags):
        command = self.worker.command("new")
        for flag in flags[::2] if len(flags) > 1 else []:
            if flag in command:
                at = command.index(flag)
                del command[at:at + 2]
        return command + flags

    def kill(self):
        """A run that dies before its last items are in the journal."""
        calls = self.worker.here / "calls_of_changes"
        calls.unlink(missing_ok=True)
        self.put_back()
        check_faults.expect(self.worker.run(self.command([]), roots=[self.worker.logs], calls=calls), 1)
        listed = [line for line in calls.read_text().splitlines() if not line.startswith("tell ")]
        last = max(n for n, line in enumerate(listed) if line.startswith("write") and "journal_0" in line)
        return lambda: check_faults.expect(
            self.worker.run(self.command([]), f"any:{last}:kill", roots=[self.worker.logs]), -9)

    def log(self):
        return check_faults.blocks(self.worker.contents())

    def attempt(self, kill, change, flags, keeps):
        """What is wrong, or None."""
        self.put_back()
        change(self.worker)
        code, said = self.worker.run(self.command(flags))
        if code not in (0, 1):
            return f"from the beginning the run ends with {code}: {said[-300:]}"
        wanted = self.log()
        self.put_back()
        kill()
        change(self.worker)
        code, said = self.worker.run(self.command(flags))
        if code not in (0, 1):
            return f"ended with {code}: {said[-300:]}"
        if self.log() != wanted:
            return "its log is not that of a run from the beginning"
        if (KEPT in said) != keeps:
            return "the items were not taken up" if keeps else "items of another run were taken up"
        return None

    def attempt_download(self, kill):
        """The weights were not whole when the run was killed, and are by now."""
        self.put_back()
        self.worker.run(self.command([]))
        wanted = self.log()
        self.put_back()
        zero_tensors(self.worker.model / "model.safetensors")
        kill()
        shutil.copy2(self.worker.here / f"kept_{self.worker.model.name}" / "model.safetensors", self.worker.model)
        code, said = self.worker.run(self.command([]))
        if code not in (0, 1):
            return f"ended with {code}: {said[-300:]}"
        return None if self.log() == wanted else "items of the incomplete weights are in the log"


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--program", type=pathlib.Path, default=check_faults.ROOT / "build/labelprobe")
    parser.add_argument("--library", type=pathlib.Path, default=check_faults.ROOT / "build/liblabelprobe_faults.so")
    parser.add_argument("--model", type=pathlib.Path, default=check_faults.ROOT / "tests/fixtures/e2e/model")
    parser.add_argument("--changes", default="")
    parser.add_argument("--help", "-h", action="store_true")
    options = parser.parse_args()
    if options.help:
        print(__doc__)
        return 0
    for path in (options.program, options.library):
        if not path.exists():
            sys.exit(f"check_changes: {path}: no such file; build the program and its tests first (scripts/build.sh)")
    wanted = tuple(options.changes.split(","))
    options.folder = pathlib.Path(tempfile.mkdtemp(prefix="check_changes-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    n = n_good = 0
    try:
        trial = Trial(check_faults.Worker(options, 0))
        kill = trial.kill()
        attempts = [(name, lambda c=change, f=flags, k=keeps: trial.attempt(kill, c, f, k))
                    for rows, keeps in ((DECIDING, False), (KEEPING, True)) for name, change, flags in rows]
        attempts.append(("weights that were not whole", lambda: trial.attempt_download(kill)))
        for name, attempt in attempts:
            if not name.startswith(wanted):
                continue
            wrong = attempt()
            n += 1
            n_good += wrong is None
            print(f"{name:36}  {wrong or 'good'}", flush=True)
    finally:
        shutil.rmtree(options.folder, ignore_errors=True)
    print(f"{n} trials, {n_good} good")
    return 0 if n == n_good else 1


if __name__ == "__main__":
    sys.exit(main())

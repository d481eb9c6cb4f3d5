#!/usr/bin/env python3
"""Computes the same prompts by one process and by several that share the model, and compares all logits: tiny models of every
family in every number type and quantisation, and where it is there the small real model, with the seconds and the largest
memory of each process. Then ends processes in the midst of their work and looks how the others end. Slow; no part of test.sh.
Usage: scripts/check_tensor_parallel.py [OPTIONS]

  --processes N     that share a model (default: 2)
  --modes LIST      separated by commas, of float32, bfloat16, fp4, nf4, nf4-double, int8 (default: all)
  --families LIST   parts of names, separated by commas (default: every family)
  --real PATH       a real model, or none (default: the small one of get_model.sh, where it is there)
  --program P       the program (default: build/labelprobe)
  --json FILE       also writes the table there

Exit code: 0 where float32 logits, those of 4-bit weights too, are within 1e-5 of one process's, equal from run to run, and
lost processes end the others within ten seconds; else 1.
"""
import argparse
import json
import math
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "tests" / "fixtures" / "model"
MODES = {
    "float32": [],
    "bfloat16": ["--model-dtype", "bfloat16"],
    "fp4": ["--quant", "fp4"],
    "nf4": ["--quant", "nf4"],
    "nf4-double": ["--quant", "nf4-double"],
    "int8": ["--quant", "int8"],
}
ALLOWED = 1e-5
EXACT = ("float32", "fp4", "nf4", "nf4-double")


def units(name, count):
    """The numbers of the rule of scripts/fixtures/tiny_model.py."""
    mask = 2**64 - 1
    start = 0xCBF29CE484222325
    for byte in name.encode():
        start = (start ^ byte) * 0x100000001B3 & mask
    for i in range(count):
        z = start + i + 0x9E3779B97F4A7C15 & mask
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & mask
        z = (z ^ z >> 27) * 0x94D049BB133111EB & mask
        yield 2 * (((z ^ z >> 31) >> 40) / 2**24) - 1


def tensor_bytes(name, count):
    if name.endswith("_scales"):
        return bytes(124 + (u > 0) for u in units(name, count))
    if name.endswith("_blocks"):
        return bytes(math.floor(128 * (u + 1)) for u in units(name, count))
    norm = "norm" in name
    return b"".join(struct.pack("<f", 1 + 0.2 * u if norm else 0.4 * u) for u in units(name, count))


def write_tiny_model(model, folder):
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(model["config"]))
    header, data = {}, b""
    for name, shape in model["tensors"].items():
        one = tensor_bytes(name, math.prod(shape))
        kind = "U8" if name.endswith(("_scales", "_blocks")) else "F32"
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(one)]}
        data += one
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


def read_logits(path):
    raw = path.read_bytes()
    n = struct.unpack("<Q", raw[:8])[0]
    numbers = []
    header = json.loads(raw[8:8 + n])
    for name in sorted(key for key in header if key != "__metadata__"):
        begin, end = header[name]["data_offsets"]
        numbers += struct.unpack(f"<{(end - begin) // 4}f", raw[8 + n + begin:8 + n + end])
    return numbers


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Processes:
    """One command as n processes; n = 1: alone."""

    def __init__(self, command, n, folder):
        self.began = time.monotonic()
        self.errors = [folder / f"err{rank}" for rank in range(n)]
        port = free_port()
        self.all = []
        for rank in range(n):
            env = dict(os.environ)
            if n > 1:
                env.update(RANK=str(rank), WORLD_SIZE=str(n), LOCAL_RANK=str(rank), MASTER_ADDR="127.0.0.1",
                           MASTER_PORT=str(port))
            with open(self.errors[rank], "wb") as err:
                self.all.append(subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=err))

    def finish(self):
        """Exit codes, seconds and MiB of each."""
        codes, seconds, memory = [], [], []
        for process in self.all:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            codes.append(process.returncode)
            seconds.append(time.monotonic() - self.began)
            memory.append(usage.ru_maxrss / 1024)
        return codes, seconds, memory

    def said(self, rank):
        return self.errors[rank].read_text(errors="replace").strip()


class Checker:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.rows, self.failures = [], []

    def command(self, model, prompts, n_new, flags, out):
        return [self.options.program, "generate", "-m", str(model), "--prompts", str(prompts), "--max-new-tokens", str(n_new),
                "--out", str(self.folder / "out"), "--logits-out", str(out), "--ignore-eos", "--device", "cpu", *flags]

    def compute(self, n, *arguments):
        out = self.folder / "logits"
        out.unlink(missing_ok=True)
        processes = Processes(self.command(*arguments, out), n, self.folder)
        codes, seconds, memory = processes.finish()
        if any(codes):
            return None, seconds, memory, processes.said(0)
        return read_logits(out), seconds, memory, ""

    def check(self, name, model, prompts, n_new, mode, repeats):
        arguments = (model, prompts, n_new, MODES[mode])
        alone, alone_s, alone_mib, why = self.compute(1, *arguments)
        if alone is None:
            print(f"{name:24} {mode:11} not computed by one process: {why}")
            return
        together, s, mib, why = self.compute(self.options.processes, *arguments)
        if together is None:
            refused = "expected" in why
            print(f"{name:24} {mode:11} {'refused' if refused else 'FAILED'}: {why}")
            if not refused:
                self.failures.append(f"{name} {mode}: {why}")
            return
        largest = max(abs(a - b) for a, b in zip(alone, together))
        again = self.compute(self.options.processes, *arguments)[0] if repeats else together
        row = {"model": name, "mode": mode, "numbers": len(alone), "largest_difference": largest,
               "different_bits": sum(a != b for a, b in zip(alone, together)), "same_again": again == together,
               "seconds_alone": alone_s[0], "seconds": s, "mib_alone": alone_mib[0], "mib": mib}
        self.rows.append(row)
        print(f"{name:24} {mode:11} largest difference {largest:.2e}, other bits {row['different_bits']} of {len(alone)}; "
              f"again {'equal' if row['same_again'] else 'OTHER BITS'}; {alone_s[0]:.1f} s and {alone_mib[0]:.0f} MiB alone, "
              f"{max(s):.1f} s and {' '.join(f'{m:.0f}' for m in mib)} MiB together", flush=True)
        if not row["same_again"] or (mode in EXACT and largest > ALLOWED):
            self.failures.append(f"{name} {mode}: {largest}, again {row['same_again']}")

    def end_one(self, model, prompts, rank, how):
        """Ends one process in the midst of the work; the others have ten seconds."""
        processes = Processes(self.command(model, prompts, 400, [], self.folder / "logits"), self.options.processes, self.folder)
        time.sleep(self.options.warm)
        if any(process.poll() is not None for process in processes.all):
            self.failures.append(f"process {rank} {how.name}: the work was over before")
        processes.all[rank].send_signal(how)
        began = time.monotonic()
        ends = {}
        while time.monotonic() - began < 30 and len(ends) < len(processes.all) - 1:
            for other, process in enumerate(processes.all):
                if other != rank and other not in ends and process.poll() is not None:
                    ends[other] = time.monotonic() - began
            time.sleep(0.05)
        for process in processes.all:
            if process.poll() is None:
                process.kill()
            process.wait()
        for other, process in enumerate(processes.all):
            if other == rank:
                continue
            seconds = ends.get(other, math.inf)
            print(f"process {rank + 1} {how.name}: process {other + 1} ended after {seconds:.1f} s with {process.returncode}: "
                  f"{processes.said(other)}", flush=True)
            if seconds > 10 or process.returncode != 4 or "has ended" not in processes.said(other):
                self.failures.append(f"process {rank + 1} {how.name}: process {other + 1} {seconds} s, {process.returncode}")


def write_prompts(path, prompts):
    path.write_text("".join(json.dumps({"id": str(i), "token_ids": ids}) + "\n" for i, ids in enumerate(prompts)))


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--modes", default=",".join(MODES))
    parser.add_argument("--families", default="")
    parser.add_argument("--real", default="")
    parser.add_argument("--program", default=str(ROOT / "build" / "labelprobe"))
    parser.add_argument("--warm", type=float, default=8)  # seconds until the processes are at work
    parser.add_argument("--json")
    options = parser.parse_args()
    if options.help:
        print(__doc__)
        return 0
    modes = options.modes.split(",")
    wanted = [part for part in options.families.split(",") if part]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        checker = Checker(options, folder)
        prompts = folder / "prompts"
        real = options.real or next(iter(sorted((ROOT / "build" / "models").glob("*.gguf"))), None)
        if real and options.real != "none":
            write_prompts(prompts, [[1 + (7 * i * k + 3) % 400 for i in range(200)] for k in range(1, 5)])
            for mode in modes:
                checker.check(pathlib.Path(real).name[:24], real, prompts, 8, mode, repeats=mode == "float32")
            for rank, how in ((1, signal.SIGKILL), (0, signal.SIGKILL), (1, signal.SIGSTOP), (0, signal.SIGSTOP)):
                checker.end_one(real, prompts, rank, how)
        else:
            print("no real model: scripts/get_model.sh fetches one")
        models = []  # name, folder and prompts
        for fixture in ("families.json", "attention_forms.json"):
            for model in json.loads((FIXTURES / fixture).read_text())["models"]:
                path = folder / f"{fixture[0]}_{model['name']}"
                write_tiny_model(model, path)
                models.append((model["name"], path, [prompt["prompt_ids"] for prompt in model["prompts"]]))
        for path in sorted(FIXTURES.glob("llama_*/model.safetensors")) + sorted(FIXTURES.glob("*2/model.safetensors")):
            models.append((path.parent.name, path.parent, [[18, 5, 5, 12, 42, 20, 12, 30], [18, 5, 5, 9, 11]]))
        for mode in modes:
            for name, path, ids in models:
                if wanted and not any(part in name for part in wanted):
                    continue
                write_prompts(prompts, ids)
                checker.check(name, path, prompts, 2, mode, repeats=mode == "float32")
        if options.json:
            pathlib.Path(options.json).write_text(json.dumps(checker.rows, indent=1))
        for failure in checker.failures:
            print(f"FAILED {failure}", file=sys.stderr)
        return 1 if checker.failures else 0


if __name__ == "__main__":
    sys.exit(main())

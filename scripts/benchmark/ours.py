"""Runs labelprobe as a user does, and notes when it had loaded its weights, when it had answered, and its memory."""
import contextlib
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import threading
import time

LOADED = re.compile(r"loaded in ([\d.]+) s: (.*)")
ANSWERED = re.compile(r"(\d+) items in [\d.]+ s.*; (\d+) of (\d+) prompt tokens computed, (\d+) tokens generated")


class GpuMemory:
    """Largest memory in use on a GPU while this is entered, above what was in use before; asked of nvidia-smi."""

    def __init__(self, device):
        self.number = device.partition(":")[2] or "0" if device != "cpu" else None
        self.before = self.largest = None
        self.over = threading.Event()

    def used(self):
        done = subprocess.run(["nvidia-smi", "-i", self.number, "--query-gpu=memory.used", "--format=csv,noheader,nounits"],
                              text=True, capture_output=True, check=False)
        return int(done.stdout.split()[0]) * 2**20 if done.returncode == 0 and done.stdout.split() else None

    def watch(self):
        while not self.over.wait(0.1):
            self.largest = max(self.largest, self.used() or 0)

    def __enter__(self):
        if self.number is not None:
            with contextlib.suppress(OSError, ValueError):
                self.before = self.largest = self.used()
        if self.before is not None:
            threading.Thread(target=self.watch, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.over.set()

    @property
    def bytes(self):
        return None if self.before is None else self.largest - self.before


def lines_of(process):
    """The lines of its messages; an interruption ends the process."""
    try:
        yield from process.stderr
    except KeyboardInterrupt:
        process.kill()
        raise


def run_ours(command, timeout, device="cpu"):
    """`command` and its figures; {"failure": why} if it did not end well. Seconds are ours, to the millisecond, by the
    moments at which its messages came."""
    figures, last_line = {}, ""
    with tempfile.TemporaryFile("w+") as out, GpuMemory(device) as gpu:
        begin = time.monotonic()
        try:
            process = subprocess.Popen([str(c) for c in command], stdout=out, stderr=subprocess.PIPE, text=True)
        except OSError as error:
            return {"failure": f"{command[0]}: {error.strerror}"}
        timer = threading.Timer(timeout, process.kill)
        timer.start()
        loaded = answered = None
        for line in lines_of(process):
            now = time.monotonic()
            last_line = line.strip() or last_line
            if found := LOADED.search(line):
                loaded = now
                figures["load_seconds"] = float(found[1])
                figures["backend"] = found[2].strip()
            elif found := ANSWERED.search(line):
                answered = now
                figures.update(zip(("n_items", "n_computed", "n_asked", "n_generated"), map(int, found.groups())))
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        figures["whole_seconds"] = time.monotonic() - begin
        timer.cancel()
        process.stderr.close()
        out.seek(0)
        figures["log"] = (out.read().strip().splitlines() or [""])[-1]
    if process.returncode == -9 and figures["whole_seconds"] >= timeout:
        return {"failure": f"stopped after {timeout:.0f} s by the time limit"}
    if process.returncode != 0:
        return {"failure": f"ended with code {process.returncode}: {last_line}"}
    if loaded is None or answered is None:
        return {"failure": "its messages do not say when it had loaded and answered"}
    figures["seconds"] = answered - loaded
    figures["peak_bytes"] = gpu.bytes if device != "cpu" else usage.ru_maxrss * 1024
    return figures


def logged(log):
    """The items of a run's log."""
    import yaml
    text = (pathlib.Path(log) / "indexed_metrics.yml").read_text()
    items = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["experiment_0"]
    return {key: item for key, item in items.items() if isinstance(item, dict)}


def numbers(item):
    """Every probability that an item says about labels, by name: at label steps, and of answer words at the first and the
    healed position. Label steps are compared as long as the answers are the same."""
    found = {}
    if "test_answers" in item:
        for position in ("first", "healed"):
            for variant in ("bare", "spaced"):
                for word, prob in item["test_answers"][position][variant].items():
                    found[position, variant, word] = prob
    elif item.get("test_label_found"):
        for step, probs in enumerate(item["test_all_scores"]):
            for label, prob in probs.items():
                found[step, label] = prob
    return found


def deviation(log, other_log):
    """How far the probabilities of two runs of the same items lie apart."""
    one, other = logged(log), logged(other_log)
    differences, n_equal = [], 0
    for key, item in one.items():
        if key not in other:
            continue
        is_equal = item["test_outs_ids"] == other[key]["test_outs_ids"]
        n_equal += is_equal
        if is_equal or "test_answers" in item:
            theirs = numbers(other[key])
            differences += [abs(prob - theirs[name]) for name, prob in numbers(item).items() if name in theirs]
    if not differences:
        return {"failure": "nothing to compare"}
    differences.sort()
    return {"n_items": len(one), "n_equal_answers": n_equal, "n_probabilities": len(differences), "largest": differences[-1],
            "mean": statistics.fmean(differences), "percentile_99": differences[int(0.99 * (len(differences) - 1))]}

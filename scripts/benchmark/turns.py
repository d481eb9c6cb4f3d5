"""The measurements of scripts/bench.py: what must be there, the pieces in their order, each in a process of its own, and the
figures that they leave."""
import dataclasses
import importlib.util
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time

from benchmark import report, work
from benchmark.ours import deviation, run_ours
from benchmark.work import Failure

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEERS = ("transformers", "llama.cpp")
# What a peer computes in each turn, by device kind and row: prompts, or for llama.cpp queries with all of their prompts.
SAMPLES = {
    "cpu": {"batch1": 5, "prefix": {"baseline": 8, "unary": 24, "binary": 24},
            "llama": {"baseline": 24, "unary": 8, "binary": 5}},
    "cuda": {"batch1": 10, "prefix": {"baseline": 20, "unary": 100, "binary": 100},
             "llama": {"baseline": 50, "unary": 20, "binary": 10}},
}
STOP = ["Input:", "Input: "]  # of the pipeline's template, as the program finds it



def physical_cores():
    allowed = os.sched_getaffinity(0)
    cores = set()
    for cpu in allowed:
        try:
            topology = pathlib.Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
            cores.add(topology.read_text())
        except OSError:
            return len(allowed)
    return len(cores)


@dataclasses.dataclass
class Piece:
    """Something that is measured in one go, in a process of its own."""
    name: str
    block: int
    run: object  # () -> None


class Bench:
    def __init__(self, args):
        self.args = args
        self.begin = time.monotonic()
        self.notes, self.ours, self.peers, self.gemm, self.scaling, self.deviations = [], {}, {}, [], [], {}
        self.works, self.shape, self.gguf, self.folder = {}, None, None, None
        self.spent = {}  # seconds that a piece of this name took last
        self.threads = args.threads or physical_cores()
        self.reasons = {}  # peer -> why it cannot be measured
        self.expected = {}  # (distribution, prompt) -> first token of ours

    def remaining(self):
        return self.args.time_limit * 60 - (time.monotonic() - self.begin)

    def say(self, text):
        print(f"bench: {(time.monotonic() - self.begin) / 60:5.1f} min: {text}", file=sys.stderr, flush=True)

    # What must be there

    def check(self):
        args = self.args
        for name in ("emotions.txt", "emotion_clustering.json", "train.tsv", "dev.tsv"):
            if not (args.data / name).is_file():
                raise Failure(f"{args.data}: expected the published files of GoEmotions, found no {name}; "
                              f"scripts/get_data.sh GoEmotions {args.data} gets them")
        if not args.ids.is_file():
            raise Failure(f"{args.ids}: expected an id list, found no such file")
        args.data, args.ids = args.data.resolve(), args.ids.resolve()
        model = args.model or (ROOT / "build/models/SmolLM2-135M-Instruct.Q4_1.gguf")
        if args.model and not ((model / "config.json").is_file() or (model.suffix == ".gguf" and model.is_file())):
            raise Failure(f"{model}: expected a Hugging Face folder or a .gguf file")
        self.gguf = None if args.shape or model.suffix != ".gguf" else model.resolve()
        self.folder = args.work / (args.shape or model.stem) if args.shape or self.gguf else model.resolve()
        self.model = self.gguf or self.folder
        modules = {"transformers": ("torch", "transformers"), "llama.cpp": ("llama_cpp", "numpy")}
        for peer in PEERS:
            missing = [m for m in modules[peer] if importlib.util.find_spec(m) is None]
            if peer not in args.peers:
                self.reasons[peer] = report.NOT_ASKED
            elif missing:
                self.reasons[peer] = f"no Python module {missing[0]} in {sys.executable}"
            elif peer == "llama.cpp" and self.gguf is None:
                self.reasons[peer] = "reads GGUF files only, and this model is none"
        if importlib.util.find_spec("torch") is None:
            self.reasons["gemm"] = f"no Python module torch in {sys.executable}"

    def n_listed(self):
        n = len(self.args.ids.read_text().split())
        return min(n, self.args.items or n)

    def flags(self):
        args = self.args
        flags = ["--config", ROOT / "configs/GoEmotions/pipeline.yaml", "--root-dir", args.data, "--emotion-clustering-json",
                 args.data / "emotion_clustering.json", "--test-ids-filename", args.ids]
        return flags + (["--limit", args.items] if args.items else [])

    def prepare(self):
        """Model files, prompts as tokens, and the first token of ours for every prompt that a peer answers."""
        args = self.args
        args.work.mkdir(parents=True, exist_ok=True)
        if args.shape and not (self.folder / "config.json").is_file():
            self.say(f"writing random weights in the shape {args.shape}")
            work.output_lines([args.program, "make-model", "--shape", args.shape, "--out", self.folder, "--tokenizer",
                               args.tokenizer or self.small_tokenizer()])
        if self.gguf and not (self.folder / "config.json").is_file() and "transformers" not in self.reasons:
            self.say("writing the GGUF file's weights as a Hugging Face folder")
            result = self.worker({"peer": "convert", "gguf": str(self.gguf), "to": str(self.folder), "with_weights": True},
                                 self.remaining())
            if result.get("failure"):
                self.reasons["transformers"] = f"the GGUF file could not be converted: {result['failure']}"
        if (self.folder / "config.json").is_file():
            self.shape = work.shape_of(json.loads((self.folder / "config.json").read_text()))
        else:
            self.reasons.setdefault("gemm", "the model's shape is known from a config.json only")
        n_queries = len(work.texts_of(args.program, self.flags(), "baseline"))
        for distribution in args.distributions:
            self.works[distribution] = work.work_of(args.program, self.model, self.flags(), distribution, 18, STOP, n_queries)
        self.find_first_tokens()

    def small_tokenizer(self):
        """The small model's, as a folder: few enough ids for every shape."""
        folder, small = self.args.work / "tokenizer", ROOT / "build/models/SmolLM2-135M-Instruct.Q4_1.gguf"
        result = self.worker({"peer": "convert", "gguf": str(small), "to": str(folder), "with_weights": False}, self.remaining())
        if result.get("failure"):
            raise Failure(f"no tokenizer for random weights: {result['failure']}; name a folder with one: --tokenizer")
        return folder

    def find_first_tokens(self):
        """One load for all of them."""
        wanted = sorted({(task["distribution"], i) for blocks in self.tasks().values() for tasks in blocks for task in tasks
                         for i in task["indices"]})
        if not wanted:
            return
        prompts = "".join(json.dumps({"id": f"{distribution} {i}", "token_ids": self.works[distribution].prompts[i]}) + "\n"
                          for distribution, i in wanted)
        lines = work.output_lines([self.args.program, "generate", "--model-name-or-path", self.model, "--prompts", "-",
                                   "--max-new-tokens", 1, "--model-dtype", self.args.dtype, "--device", self.args.device], prompts)
        for place, line in zip(wanted, lines):
            self.expected[place] = (json.loads(line).get("token_ids") or [None])[0]

    def tasks(self):
        """peer -> per block its tasks."""
        args, found = self.args, {}
        sizes = SAMPLES[args.kind]
        scaled = lambda n: max(1, round(n * args.sample))
        rows = {"transformers": ("batch1", "batched", "prefix"), "llama.cpp": ("llama",)}
        for peer in (p for p in args.peers if p not in self.reasons):
            found[peer] = []
            for block in range(args.blocks):
                tasks = []
                for row in rows[peer]:
                    for distribution, one in self.works.items():
                        kind = {"batched": "batch", "llama": "queries"}.get(row, "prompts")
                        size = args.batch if row == "batched" else sizes[row] if row == "batch1" else sizes[row][distribution]
                        indices = work.sample(one, kind, size if row == "batched" else scaled(size), block, args.blocks)
                        tasks.append({"row": row, "distribution": distribution, "indices": indices, "n_new": one.n_new,
                                      "stop": one.stop, "shared": one.shared})
                found[peer].append(tasks)
        return found

    # Pieces

    def worker(self, job, timeout):
        """One run of peers.py: its result, with `failure` where it did not end well."""
        with tempfile.TemporaryDirectory() as folder:
            job_file, result_file = pathlib.Path(folder, "job.json"), pathlib.Path(folder, "result.json")
            job_file.write_text(json.dumps({"threads": self.threads, "device": self.args.device, **job}))
            failure = None
            try:
                done = subprocess.run([sys.executable, ROOT / "scripts/benchmark/peers.py", job_file, result_file],
                                      text=True, capture_output=True, check=False, timeout=max(1, timeout))
                if done.returncode != 0:
                    failure = (done.stderr.strip().splitlines() or [f"ended with code {done.returncode}"])[-1]
            except subprocess.TimeoutExpired:
                failure = f"stopped after {timeout:.0f} s by the time limit"
            result = json.loads(result_file.read_text()) if result_file.is_file() else {}
        return {**result, "failure": failure} if failure else result

    def run_gemm(self, block):
        is_cuda = self.args.device != "cpu"
        result = self.worker({"peer": "gemm", "dtypes": ["bfloat16", "float32"], "shapes": self.shape.products,
                              "rows": [256, 1024, 4096, 8192] if is_cuda else [64, 128, 256, 512, 1024],
                              "seconds_each": 0.03}, self.remaining())
        if result.get("failure"):
            self.reasons["gemm"] = result["failure"]
        else:
            self.gemm.append(result)

    def run_peer(self, peer, block):
        tasks = self.tasks()[peer][block]
        job = {"peer": peer, "model": str(self.folder), "gguf": str(self.gguf), "dtype": self.args.dtype,
               "batch": self.args.batch,
               "tasks": [{**task, "prompts": [self.works[task["distribution"]].prompts[i] for i in task["indices"]]}
                         for task in tasks]}
        result = self.worker(job, self.remaining())
        if result.get("failure"):
            self.notes.append(f"{peer}, turn {block + 1}: {result['failure']}")
        for task, row in zip(tasks, result.get("rows", [])):
            if "failure" in row:
                self.notes.append(f"{peer} ({row['row']}), {row['distribution']}, turn {block + 1}: {row['failure']}")
                continue
            one = self.works[row["distribution"]]
            n_sample, n_all = len(task["indices"]), len(one.prompts)
            row.update(indices=task["indices"], n_sample=n_sample, load_seconds=result["load_seconds"],
                       packages=result["packages"],
                       all_seconds=row["once_seconds"] + row["seconds"] * n_all / n_sample,
                       all_computed=round(row["n_once"] + row["n_computed"] * n_all / n_sample))
            self.peers.setdefault((row["row"], row["distribution"]), []).append(row)

    def run_command(self, distribution, dtype, n_new):
        args = self.args
        log_root = tempfile.mkdtemp(prefix="log-", dir=args.work)
        command = [args.program, "run", "GoEmotions", *self.flags(), "--distribution", distribution, "--model-name-or-path",
                   self.model, "--model-dtype", dtype, "--device", args.device, "--max-new-tokens", n_new, "--log-root", log_root,
                   "--alternative-experiment-name", distribution, *args.extra]
        if args.threads:
            command += ["--threads", args.threads]
        return run_ours(command, max(1, self.remaining()), args.device), log_root

    def run_ours_row(self, row, distribution, block):
        one = self.works[distribution]
        dtype = "bfloat16" if row == "bf16" else self.args.dtype
        n_new = {"pipeline": one.n_new_pipeline, "prefill": 1}.get(row, one.n_new)
        figures, log_root = self.run_command(distribution, dtype, n_new)
        if "failure" in figures:
            self.notes.append(f"labelprobe ({row}), {distribution}, turn {block + 1}: {figures['failure']}")
        else:
            if self.shape:
                figures["flop"] = work.needed_flop(self.shape, one, figures["n_generated"])
            self.ours.setdefault((row, distribution), []).append(figures)
            if row == "bf16" and block == 0 and self.ours.get(("main", distribution)):
                self.deviations[distribution] = self.deviation(self.ours["main", distribution][0]["log"], figures["log"])
        if row != "main" or block > 0 or "failure" in figures:
            shutil.rmtree(log_root, ignore_errors=True)

    def deviation(self, log, other):
        try:
            return deviation(log, other)
        except Exception as error:
            return {"failure": f"{type(error).__name__}: {error}"}

    def run_scaling(self, distribution, name, n):
        """One point: the first n queries, or n shots."""
        one = self.works[distribution]
        flags = [str(f) for f in self.flags()]
        if name == "queries" and "--limit" in flags:
            del flags[flags.index("--limit"):flags.index("--limit") + 2]
        point = ["--limit", n] if name == "queries" else ["--shot", n]
        figures, log_root = {}, None
        if n != (one.n_queries if name == "queries" else 10):
            saved, self.flags = self.flags, lambda: [*flags, *point]
            try:
                figures, log_root = self.run_command(distribution, self.args.dtype, one.n_new)
                point_work = work.work_of(self.args.program, self.model, self.flags(), distribution, one.n_new_pipeline, STOP)
            finally:
                self.flags = saved
        elif self.ours.get(("main", distribution)):
            figures, point_work = report.median_of(self.ours["main", distribution], "seconds"), one
        else:
            figures = {"failure": "the row above has no figures"}
        if log_root:
            shutil.rmtree(log_root, ignore_errors=True)
        if "failure" in figures:
            self.notes.append(f"{name} {n}, {distribution}: {figures['failure']}")
            return
        self.scaling.append({"distribution": distribution, "against": name, "n": n, "n_prompts": len(point_work.prompts),
                             "n_tokens": point_work.n_asked_tokens, "seconds": figures["seconds"],
                             "n_distinct": work.tree_of(point_work.prompts + point_work.also).n_tokens,
                             "n_fed": max(0, figures["n_generated"] - len(point_work.prompts) - len(point_work.also))})

    def pieces(self):
        args, found = self.args, []
        add = lambda name, block, run, *values: found.append(Piece(name, block, lambda: run(*values)))
        has_bf16 = args.device == "cpu" and args.dtype == "float32"
        for block in range(args.blocks):
            if block == min(2, args.blocks):
                self.add_scaling(add)
            if "gemm" not in self.reasons and (self.shape or args.dry_run):
                add("GEMM peak", block, self.run_gemm, block)
            for distribution in args.distributions:
                add(f"labelprobe {args.dtype}, {distribution}", block, self.run_ours_row, "main", distribution, block)
            if "baseline" in args.distributions:
                add("labelprobe, baseline, one token", block, self.run_ours_row, "prefill", "baseline", block)
            if "transformers" not in self.reasons:
                add("transformers", block, self.run_peer, "transformers", block)
            if has_bf16:
                for distribution in args.distributions:
                    add(f"labelprobe bfloat16, {distribution}", block, self.run_ours_row, "bf16", distribution, block)
            if "llama.cpp" not in self.reasons:
                add("llama.cpp", block, self.run_peer, "llama.cpp", block)
            if block == 0:
                for distribution in (d for d in args.distributions if d != "baseline"):
                    add(f"labelprobe, {distribution}, 18 tokens", block, self.run_ours_row, "pipeline", distribution, block)
        if args.blocks <= 2:
            self.add_scaling(add)
        return found

    def add_scaling(self, add):
        args = self.args
        n_queries = next(iter(self.works.values())).n_queries if self.works else self.n_listed()
        for name, points in (("queries", args.queries), ("shots", args.shots)):
            own = n_queries if name == "queries" else 10  # is measured already
            points = [n for n in points if n != own and (name == "shots" or n < own)]
            for n in points and [own, *points]:
                for distribution in args.distributions:
                    add(f"{distribution}, {n} {name}", 0, self.run_scaling, distribution, name, n)

    def measure(self):
        pieces = self.pieces()
        for number, piece in enumerate(pieces):
            expected = self.spent.get(piece.name, 0.0)
            if self.remaining() <= max(1, expected):
                self.notes.append(f"left out for want of time: {piece.name}, turn {piece.block + 1}")
                continue
            self.say(f"{number + 1} of {len(pieces)}: {piece.name}, turn {piece.block + 1}")
            begin = time.monotonic()
            try:
                piece.run()
            except Failure as failure:
                self.notes.append(f"{piece.name}, turn {piece.block + 1}: {failure}")
            self.spent[piece.name] = time.monotonic() - begin

    # What came out

    def machine(self):
        cpu = next((line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                    if line.startswith("model name")), platform.machine())
        memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) / 2**20
        versions = {}
        for rows in self.peers.values():
            versions.update(rows[0]["packages"])
        if self.gemm:
            versions.update(self.gemm[0]["versions"])
        return {"cpu": cpu, "threads": self.threads, "memory_gib": round(memory, 1), "system": platform.platform(),
                "gpu": self.gemm[0]["gpu"] if self.gemm else "", "date": time.strftime("%Y-%m-%d"),
                "load_before": os.getloadavg()[0], "versions": versions}

    def figures(self, load_before):
        named = lambda table: [{"row": row, "distribution": distribution, "turns": turns}
                               for (row, distribution), turns in table.items()]
        args = self.args
        different = []
        for (row, distribution), turns in self.peers.items():
            for turn in turns:
                for i, first, margin in zip(turn["indices"], turn["first"], turn["margins"]):
                    if self.expected.get((distribution, i)) != first:
                        different.append({"row": row, "distribution": distribution, "prompt": i, "theirs": first,
                                          "ours": self.expected.get((distribution, i)), "their_margin": margin})
        works = {d: {"n_queries": w.n_queries, "n_prompts": len(w.prompts), "n_tokens": w.n_tokens, "n_new": w.n_new,
                     "n_new_pipeline": w.n_new_pipeline,
                     "n_distinct": work.tree_of(w.prompts).n_tokens, "n_asked_tokens": w.n_asked_tokens,
                     "n_asked_distinct": work.tree_of(w.prompts + w.also).n_tokens} for d, w in self.works.items()}
        return {"machine": {**self.machine(), "load_before": load_before}, "model": self.folder.name, "gguf": bool(self.gguf),
                "gguf_type": self.gguf.stem.rpartition(".")[2] if self.gguf else "",
                "random_weights": bool(args.shape), "device": args.device, "dtype": args.dtype, "batch": args.batch, "flags": args.extra,
                "id_list": args.ids.stem, "blocks": args.blocks, "minutes": (time.monotonic() - self.begin) / 60,
                "works": works, "ours": named(self.ours), "peers": named(self.peers), "gemm": self.gemm,
                "deviations": self.deviations, "different_first_tokens": different, "scaling": self.scaling,
                "reasons": self.reasons, "notes": self.notes}

    def describe(self):
        args = self.args
        has_program = shutil.which(str(args.program)) is not None
        print(f"device {args.device}, {args.dtype}, {self.threads} CPU threads, {args.blocks} turns, "
              f"at most {args.time_limit:g} minutes")
        print(f"program {args.program}{'' if has_program else ' (not there yet)'}")
        print(f"model {self.model}{'' if self.model.exists() else ' (not there yet)'}")
        print(f"data {args.data}, ids {args.ids}, {self.n_listed()} queries")
        for name, reason in self.reasons.items():
            print(f"not measured: {name}: {reason}")
        for name, module in (("plots", "matplotlib"), ("bfloat16's deviation", "yaml")):
            if importlib.util.find_spec(module) is None:
                print(f"not made: {name}: no Python module {module}")
        if has_program:
            for distribution in args.distributions:
                n_prompts = len(work.texts_of(args.program, self.flags(), distribution))
                print(f"{distribution}: {n_prompts} prompts")
        if args.kind == "cuda":
            for (shape, distribution), goal in report.GOALS.items():
                print(f"goal of {shape} on one H200, 200 queries, {distribution}: {goal} s")
        for number, piece in enumerate(self.pieces()):
            print(f"{number + 1:4} turn {piece.block + 1}: {piece.name}")

"""What labelprobe is measured against, each in a process of its own: transformers (one prompt at a time, padded batches,
cached prefix), llama.cpp through llama-cpp-python, and bare matrix products. scripts/bench.py starts it and reads the result.

usage: peers.py JOB.json RESULT.json

JOB has `peer` (transformers, llama.cpp, gemm, convert), what that one needs, and `tasks`: prompts as token ids, with
`n_new` tokens at most and `stop` strings. RESULT is written anew after every task, so a job that is ended early keeps what it
has measured. Loading and warming up are not in a task's seconds. The same code serves CPU and CUDA: they differ in the
name of the device and in that the clock waits for a GPU.
"""
import contextlib
import importlib.metadata
import json
import os
import pathlib
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))


def peak_bytes(device="cpu"):
    """Largest memory since forget_peak(): of the GPU where there is one, else resident."""
    if device != "cpu":
        import torch
        return torch.cuda.max_memory_allocated(device)
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None


def forget_peak(device="cpu"):
    if device != "cpu":
        import torch
        torch.cuda.reset_peak_memory_stats(device)
    else:
        with contextlib.suppress(OSError):
            pathlib.Path("/proc/self/clear_refs").write_text("5")


def clock(device="cpu"):
    if device != "cpu":
        import torch
        torch.cuda.synchronize(device)
    return time.monotonic()


def versions(*packages):
    found = {}
    for package in packages:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


class Transformers:
    """rows: batch1, batched, prefix. Every method returns seconds, and per prompt the generated ids and the first margin."""

    packages = ("torch", "transformers", "tokenizers")

    def __init__(self, job):
        import torch
        import transformers
        transformers.logging.set_verbosity_error()
        torch.set_grad_enabled(False)
        torch.set_num_threads(job["threads"])
        self.torch, self.device = torch, job["device"]
        folder = job["model"]
        try:
            self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        except Exception:  # a folder with nothing but tokenizer.json
            self.tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=f"{folder}/tokenizer.json")
        begin = time.monotonic()
        dtype = getattr(torch, job["dtype"])
        self.model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).to(self.device).eval()
        self.load_seconds = clock(self.device) - begin
        ends = self.model.generation_config.eos_token_id
        self.ends = ends if isinstance(ends, list) else [] if ends is None else [ends]
        self.pad = self.ends[0] if self.ends else 0
        self.batch = job["batch"]

    def generate(self, prompts, task):
        torch = self.torch
        longest = max(map(len, prompts))
        ids = torch.tensor([[self.pad] * (longest - len(p)) + p for p in prompts], device=self.device)
        mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts], device=self.device)
        out = self.model.generate(ids, attention_mask=mask, do_sample=False, max_new_tokens=task["n_new"],
                                  stop_strings=task["stop"] or None, tokenizer=self.tokenizer, pad_token_id=self.pad,
                                  return_dict_in_generate=True, output_logits=True)
        new = out.sequences[:, longest:]
        margins = torch.topk(out.logits[0].float(), 2).values.diff(dim=1).abs()[:, 0]
        return [(row, margin) for row, margin in zip(new.tolist(), margins.tolist())], longest, new.shape[1]

    def in_batches(self, task, size):
        results, seconds, n_computed = [], 0.0, 0
        for start in range(0, len(task["prompts"]), size):
            prompts = task["prompts"][start:start + size]
            begin = clock(self.device)
            answers, longest, n_steps = self.generate(prompts, task)
            seconds += clock(self.device) - begin
            results += answers
            n_computed += len(prompts) * (longest + n_steps - 1)
        return {"seconds": seconds, "once_seconds": 0.0, "n_computed": n_computed, "n_once": 0}, results

    def batch1(self, task):
        return self.in_batches(task, 1)

    def batched(self, task):
        return self.in_batches(task, self.batch)

    def forward(self, ids, cache):
        out = self.model(self.torch.tensor([ids], device=self.device), past_key_values=cache, use_cache=True,
                         logits_to_keep=1)
        return out.logits[0, -1].float()

    def prefix(self, task):
        """The prompts' common beginning is computed once; its cache is cut back to it after every prompt."""
        import transformers
        shared = task["shared"]
        begin = clock(self.device)
        cache = transformers.DynamicCache(config=self.model.config)
        if shared:
            self.forward(shared, cache)
        once = clock(self.device) - begin
        results, seconds, n_computed = [], 0.0, 0
        for prompt in task["prompts"]:
            begin = clock(self.device)
            logits, new = self.forward(prompt[len(shared):], cache), []
            margin = float(self.torch.topk(logits, 2).values.diff().abs())
            while True:
                new.append(int(logits.argmax()))
                text = self.tokenizer.decode(new)
                if len(new) == task["n_new"] or new[-1] in self.ends or any(s in text for s in task["stop"]):
                    break
                logits = self.forward(new[-1:], cache)
            n_computed += len(prompt) - len(shared) + len(new) - 1
            cache.crop(len(shared) - cache.get_seq_length())
            seconds += clock(self.device) - begin
            results.append((new, margin))
        return {"seconds": seconds, "once_seconds": once, "n_computed": n_computed, "n_once": len(shared)}, results

    def warm_up(self, task):
        self.in_batches({**task, "prompts": task["prompts"][:1], "n_new": 2}, 1)


class LlamaCpp:
    """row: llama. Llama.generate() keeps the keys and values of the longest beginning that a prompt shares with the one before."""

    packages = ("llama-cpp-python",)

    def __init__(self, job):
        import llama_cpp
        import numpy
        self.numpy, self.llama_cpp = numpy, llama_cpp
        if job["device"] != "cpu" and not llama_cpp.llama_supports_gpu_offload():
            raise RuntimeError("this llama-cpp-python was built without CUDA")
        longest = max(len(p) + task["n_new"] for task in job["tasks"] for p in task["prompts"])
        begin = time.monotonic()
        self.model = llama_cpp.Llama(job["gguf"], n_ctx=longest + 8, n_batch=512, n_threads=job["threads"],
                                     n_threads_batch=job["threads"], n_gpu_layers=-1 if job["device"] != "cpu" else 0,
                                     verbose=False)
        self.load_seconds = time.monotonic() - begin
        self.end = self.model.token_eos()

    def margin(self):
        logits = self.numpy.ctypeslib.as_array(self.llama_cpp.llama_get_logits_ith(self.model.ctx, -1),
                                               shape=(self.model.n_vocab(),))
        below, above = self.numpy.partition(logits, -2)[-2:]
        return float(above - below)

    def llama(self, task):
        model, shared = self.model, task["shared"]
        model.reset()
        begin = time.monotonic()
        if shared:
            model.eval(shared)
        once = time.monotonic() - begin
        before, results, seconds, n_computed = shared, [], 0.0, 0
        for prompt in task["prompts"]:
            n_kept = next((i for i, (a, b) in enumerate(zip(before, prompt)) if a != b), min(len(before), len(prompt)))
            begin, new = time.monotonic(), []
            for token in model.generate(prompt, temp=0.0, repeat_penalty=1.0):
                new.append(token)
                if len(new) == 1:
                    pause = time.monotonic()
                    margin = self.margin()
                    begin += time.monotonic() - pause
                text = model.detokenize(new)
                if len(new) == task["n_new"] or token == self.end or any(s.encode() in text for s in task["stop"]):
                    break
            seconds += time.monotonic() - begin
            results.append((new, margin))
            n_computed += len(prompt) - min(n_kept, len(prompt) - 1) + len(new) - 1
            before = prompt + new[:-1]
        return {"seconds": seconds, "once_seconds": once, "n_computed": n_computed, "n_once": len(shared)}, results

    def warm_up(self, task):
        self.llama({**task, "prompts": task["prompts"][:1], "n_new": 2, "shared": []})


def gemm(job):
    """Rates of torch's linear at the model's own shapes: {dtype: [[in, out, rows, FLOP per second]]}, best of three."""
    import torch
    torch.set_grad_enabled(False)
    torch.set_num_threads(job["threads"])
    device, rates = job["device"], {}
    for dtype in job["dtypes"]:
        rates[dtype] = []
        for n_in, n_out in job["shapes"]:
            weight = torch.randn(n_out, n_in, device=device).to(getattr(torch, dtype))
            for rows in job["rows"]:
                x = torch.randn(rows, n_in, device=device).to(weight.dtype)
                torch.nn.functional.linear(x, weight)
                best, spent = float("inf"), 0.0
                for _ in range(3):
                    n_runs, begin, seconds = 0, clock(device), 0.0
                    while seconds < job["seconds_each"]:
                        for _ in range(4):
                            torch.nn.functional.linear(x, weight)
                        n_runs += 4
                        seconds = clock(device) - begin
                    best, spent = min(best, seconds / n_runs), spent + seconds
                rates[dtype].append([n_in, n_out, rows, 2 * rows * n_in * n_out / best])
    return {"rates": rates, "versions": versions("torch"), "gpu": torch.cuda.get_device_name(device) if device != "cpu" else ""}


def convert(job):
    """A GGUF file as a Hugging Face folder with float32 weights, dequantised by transformers, and its tokenizer."""
    import torch
    import transformers
    from compare_transformers import gguf_tokenizer
    transformers.logging.set_verbosity_error()
    source, to = pathlib.Path(job["gguf"]), pathlib.Path(job["to"])
    if not job["with_weights"]:
        gguf_tokenizer(str(source)).save_pretrained(to)
        return {}
    part = to.with_name(to.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    model = transformers.AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.float32)
    model.hf_quantizer = None  # the weights are plain float32 now, which transformers does not believe
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(part)
    gguf_tokenizer(str(source)).save_pretrained(part)
    part.rename(to)  # the folder has its name only when it is complete
    return {}


def measure(kind, job, result_file):
    result = {"rows": [], "packages": versions(*kind.packages)}
    peer = kind(job)
    result["load_seconds"] = peer.load_seconds
    peer.warm_up(job["tasks"][0])
    for task in job["tasks"]:
        forget_peak(job["device"])
        try:
            figures, answers = getattr(peer, task["row"])(task)
            figures["first"] = [new[0] for new, _ in answers]
            figures["margins"] = [margin for _, margin in answers]
            figures["peak_bytes"] = peak_bytes(job["device"])
        except Exception as error:  # one row that fails, for want of memory say, stops no other
            figures = {"failure": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
        result["rows"].append({"row": task["row"], "distribution": task["distribution"], **figures})
        write(result_file, result)
    return result


def write(path, result):
    part = pathlib.Path(str(path) + ".part")
    part.write_text(json.dumps(result))
    os.replace(part, path)


def main():
    job_file, result_file = sys.argv[1:]
    job = json.loads(pathlib.Path(job_file).read_text())
    kinds = {"transformers": Transformers, "llama.cpp": LlamaCpp}
    if job["peer"] in kinds:
        write(result_file, measure(kinds[job["peer"]], job, result_file))
    else:
        write(result_file, {"gemm": gemm, "convert": convert}[job["peer"]](job))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Runs the same prompts through labelprobe and through Hugging Face transformers at batch size 1, in turn, and compares
wall time, greedy token ids and label probabilities. scripts/compare_transformers.sh sets up what this needs.

usage: compare_transformers.py --gguf MODEL.gguf --task TASK --max-new-tokens N [--blocks B] [--json F] -- FLAGS...

FLAGS are those of `labelprobe prompts TASK` (data and prompts). The reference side shares no code with labelprobe: the
tokenizer is built with the tokenizers library, weights are dequantised by transformers, label tokens and label steps
are found by the Python below from the incontext template.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import gguf
import tokenizers
import torch
import transformers
import yaml


def gguf_tokenizer(path):
    """Byte-level BPE of a GGUF file; `smollm` splits single digits off first, which transformers' own conversion ignores."""
    fields = gguf.GGUFReader(path).fields
    strings = lambda key: [bytes(fields[key].parts[i]).decode("utf-8") for i in fields[key].data]
    text = lambda key: bytes(fields[key].parts[-1]).decode("utf-8")
    tokens, merges = strings("tokenizer.ggml.tokens"), strings("tokenizer.ggml.merges")
    types = [int(fields["tokenizer.ggml.token_type"].parts[i][0]) for i in fields["tokenizer.ggml.token_type"].data]
    model = tokenizers.models.BPE({t: i for i, t in enumerate(tokens)}, [tuple(m.split(" ")) for m in merges])
    tokenizer = tokenizers.Tokenizer(model)
    byte_level = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    if text("tokenizer.ggml.pre") != "smollm":
        sys.exit(f"tokenizer.ggml.pre: expected smollm, found {text('tokenizer.ggml.pre')}")
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Sequence(
        [tokenizers.pre_tokenizers.Digits(individual_digits=True), byte_level])
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    control = [tokens[i] for i, kind in enumerate(types) if kind == 3]
    tokenizer.add_special_tokens([tokenizers.AddedToken(t, special=True, normalized=False) for t in control])
    eos = int(fields["tokenizer.ggml.eos_token_id"].parts[-1][0])
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=tokens[eos], pad_token=tokens[eos],
                                                clean_up_tokenization_spaces=False)


def first_tokens(tokenizer, template, label_format, names):
    """Per variant (bare, spaced) the first token of every name, and which variant the template has."""
    def at(text, begin):
        encoding = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        for token, (start, end) in zip(encoding["input_ids"], encoding["offset_mapping"]):
            if start <= begin < end:
                return token, start < begin
        raise ValueError(text)
    bare, spaced, context = [], [], None
    for name in names:
        formatted = json.dumps({"label": [name]}) if label_format == "json" else name
        text = template.replace("{label}", formatted).replace("{text}", "text").strip()
        token, has_space = at(text, text.rindex(name))
        context = has_space if context is None else context
        bare.append(at("\n" + name, 1)[0] if has_space else token)
        spaced.append(token if has_space else at("a " + name, 2)[0])
    return {False: bare, True: spaced}, context


def label_steps(tokenizer, ids, tokens, context, names):
    pieces = [tokenizer.decode([i]) for i in ids]
    seen, steps = set(), []
    for t, token in enumerate(ids):
        rest = "".join(pieces[t:]).lstrip(" \n\r\t")
        for variant in (context, not context):
            named = [n for n, first in zip(names, tokens[variant])
                     if first == token and rest and (rest.startswith(n) or n.startswith(rest))]
            if named:
                name = max(named, key=len)
                if name not in seen:
                    seen.add(name)
                    steps.append((t, variant))
                break
    return steps


def answer_length(tokenizer, ids, stop):
    """Number of tokens that begin before the stop string."""
    pieces = [tokenizer.decode([i]) for i in ids]
    cut = "".join(pieces).find(stop) if stop else -1
    return len(ids) if cut < 0 else next(n for n in range(len(ids)) if len("".join(pieces[:n])) >= cut)


def run_reference(model, tokenizer, prompts, stop, n_new):
    results = []
    for ids in prompts:
        out = model.generate(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long),
                             do_sample=False, max_new_tokens=n_new, stop_strings=stop, tokenizer=tokenizer,
                             return_dict_in_generate=True, output_logits=True)
        results.append((out.sequences[0, len(ids):].tolist(), [step[0] for step in out.logits]))
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gguf", required=True)
    parser.add_argument("--task", required=True)
    parser.add_argument("--max-new-tokens", type=int, required=True)
    parser.add_argument("--incontext", required=True, help="the incontext template of FLAGS")
    parser.add_argument("--label-format", default="default", choices=["default", "json"])
    parser.add_argument("--labels", required=True, help="label names in order, comma-separated, with none where it applies")
    parser.add_argument("--blocks", type=int, default=3, help="how often the two take turns")
    parser.add_argument("--program", default="build/labelprobe")
    parser.add_argument("--json", help="write the figures there too")
    parser.add_argument("flags", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    flags = [f for f in args.flags if f != "--"]
    names = args.labels.split(",")

    torch.set_grad_enabled(False)
    lines = subprocess.run([args.program, "prompts", args.task, *flags], capture_output=True, text=True, check=True).stdout
    prompts = [json.loads(line) for line in lines.splitlines()]
    tokenizer = gguf_tokenizer(args.gguf)
    ids = [tokenizer(p["text"])["input_ids"] for p in prompts]
    ours_ids = subprocess.run([args.program, "tokenize", "--model-name-or-path", args.gguf], text=True, check=True,
                              capture_output=True, input="".join(json.dumps(p["text"]) + "\n" for p in prompts)).stdout
    same_prompt_ids = [json.loads(line) for line in ours_ids.splitlines()] == ids
    folder = pathlib.Path(args.gguf).parent
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=pathlib.Path(args.gguf).name,
                                                              dtype=torch.float32).eval()
    before = args.incontext.split("{text}")[0]
    stop = sorted({before.strip(), before} - {""})
    run_reference(model, tokenizer, ids[:1], stop, 2)  # warm-up

    seconds_ours, seconds_theirs, reference = [], 0.0, []
    with tempfile.TemporaryDirectory() as logs:
        size = -(-len(ids) // args.blocks)
        for block in range(args.blocks):
            begin = time.monotonic()
            done = subprocess.run([args.program, "run", args.task, *flags, "--model-name-or-path", args.gguf,
                                   "--max-new-tokens", str(args.max_new_tokens), "--log-root", f"{logs}/{block}"],
                                  capture_output=True, text=True)
            seconds_ours.append(time.monotonic() - begin)
            if done.returncode != 0:
                sys.exit(done.stderr)
            begin = time.monotonic()
            reference += run_reference(model, tokenizer, ids[block * size:(block + 1) * size], stop, args.max_new_tokens)
            seconds_theirs += time.monotonic() - begin
            print(f"turn {block + 1}: ours (all {len(ids)}) {seconds_ours[-1]:.1f} s, transformers so far {seconds_theirs:.1f} s "
                  f"for {len(reference)}", flush=True)
        print("last lines of ours:\n  " + "\n  ".join(done.stderr.strip().splitlines()[-6:]))
        log = next(pathlib.Path(logs).rglob("indexed_metrics.yml"))
        entries = yaml.load(log.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["experiment_0"]

    tokens, context = first_tokens(tokenizer, args.incontext, args.label_format, names)
    differing, largest, n_steps = [], 0.0, 0
    for prompt, (theirs, logits) in zip(prompts, reference):
        key = prompt["id"].removesuffix("__aggregate")
        entry = entries[key]
        theirs = theirs[:answer_length(tokenizer, theirs, before.strip())]
        ours = entry["test_outs_ids"]
        if ours != theirs:
            t = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
            top = torch.topk(logits[min(t, len(logits) - 1)], 2).values
            differing.append({"id": key, "step": t, "margin": float(top[0] - top[1])})
            continue
        steps = label_steps(tokenizer, theirs, tokens, context, names)
        if len(steps) != len(entry["test_all_scores"]):
            differing.append({"id": key, "step": -1, "margin": float("nan")})
            continue
        for (t, variant), scores in zip(steps, entry["test_all_scores"]):
            probs = torch.softmax(logits[t][tokens[variant]].double(), 0)
            n_steps += 1
            largest = max(largest, max(abs(float(p) - scores[n]) for n, p in zip(names, probs)))
    figures = {
        "items": len(ids), "prompt_tokens": sum(map(len, ids)), "prompt_ids_equal": same_prompt_ids,
        "seconds_ours": seconds_ours, "seconds_ours_median": statistics.median(seconds_ours),
        "seconds_transformers": seconds_theirs, "ratio": seconds_theirs / statistics.median(seconds_ours),
        "items_with_equal_greedy_ids": len(ids) - len(differing), "differing": differing,
        "label_steps_compared": n_steps, "largest_probability_difference": largest,
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__,
                     "tokenizers": tokenizers.__version__, "gguf": getattr(gguf, "__version__", "")},
        "threads": torch.get_num_threads(),
    }
    print(json.dumps(figures, indent=1))
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(figures, indent=1) + "\n")
    good = same_prompt_ids and largest <= 1e-4 and all(d["margin"] < 1e-3 for d in differing)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()

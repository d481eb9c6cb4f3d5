#!/usr/bin/env python3
"""`labelprobe finetune` against transformers with peft: the same texts, order and first matrices, without dropout.

    check_finetuning.py MODEL FOLDER [--steps N] [--nf4] [--threads N] [--targets NAME,..] [-- FLAGS OF finetune]

MODEL is a GGUF file, or a folder of config.json, safetensors and tokenizer of any family that is trained.
Trains N steps with each and prints the losses step by step, the largest difference, tokens per second (without the first step) and
the peak of memory. FLAGS say what is trained on; without them it is configs/example. --nf4: weights in NF4 and bfloat16, layers computed
twice, as published; else float32. FOLDER, which must not exist, gets the base as transformers saves it, the texts and the adapter.
Tokens, packing, order and first matrices are made anew here. At the end transformers with peft loads the adapter that labelprobe
wrote, and its logits are held against those of `labelprobe generate`.

Needs torch, transformers, gguf, peft and, for --nf4, bitsandbytes.
"""
import argparse
import csv
import json
import math
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import time

import numpy as np
import torch

ROOT = pathlib.Path(__file__).resolve().parents[1]
BLOCK, BATCH, PASSES, RATE, MAX_NORM, RANK, ALPHA = 256, 4, 2, 2e-4, 0.3, 64, 16
MODULES = ["qkv_proj", "q_proj", "k_proj", "v_proj", "o_proj", "gate_up_proj", "gate_proj", "up_proj", "down_proj"]
WORD = 2**64 - 1


def mixed(seed, number):
    """SplitMix64's finaliser, as the program mixes seeds."""
    z = (seed + 0x9E3779B97F4A7C15 * (number + 1)) & WORD
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
    return z ^ (z >> 31)


def run_ours(arguments, folder):
    program = os.environ.get("LABELPROBE", str(ROOT / "build" / "labelprobe"))
    flags = arguments.flags or ["GoEmotions", "--config", "configs/example/config.yaml"]
    mode = ["--quant", "nf4-double", "--model-dtype", "bfloat16"] if arguments.nf4 else ["--quant", "none", "--model-dtype", "float32"]
    command = [program, "finetune", *flags, "--shot", "0", "--model-name-or-path", str(folder / "base"), *mode,
               "--gradient-checkpointing", "true" if arguments.nf4 else "false", "--lora-dropout", "0",
               "--per-device-train-batch-size", str(BATCH), "--gradient-accumulation-steps", str(PASSES), "--max-steps", str(arguments.steps),
               "--target-modules", *arguments.targets.split(","), "--eval-steps", "0", "--save-steps", "0", "--no-evaluation", "--threads", str(arguments.threads),
               "--output-dir", str(folder / "ours"), "--log-dir", str(folder / "log"), "--texts-out", str(folder / "texts.jsonl")]
    subprocess.run(command, check=True, cwd=ROOT)
    rows = list(csv.DictReader(open(folder / "ours" / "base" / "3" / "curve.csv")))
    return ([float(row["loss"]) for row in rows], [float(row["tokens per second"]) for row in rows],
            resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)


def blocks_of(folder, tokenizer):
    ids = []
    for line in open(folder / "texts.jsonl", encoding="utf-8"):
        ids += tokenizer(json.loads(line)["text"])["input_ids"] + [tokenizer.eos_token_id]
    n_blocks = len(ids) // BLOCK
    return torch.tensor(ids[:n_blocks * BLOCK]).view(n_blocks, BLOCK)


def passes_of(blocks, step):
    per_step = BATCH * PASSES
    per_epoch = math.ceil(len(blocks) / per_step)
    order = np.random.RandomState(step // per_epoch).permutation(len(blocks))
    taken = order[step % per_epoch * per_step:][:per_step]
    return [blocks[taken[i:i + BATCH]] for i in range(0, len(taken), BATCH)]


def set_first_matrices(model):
    """Those of seed 0. A layer's number counts matrices, one behind those before it."""
    number = 1
    for layer in model.base_model.model.model.layers:
        for name in MODULES:
            module = getattr(layer.self_attn, name, None) or getattr(layer.mlp, name, None)
            if not hasattr(module, "lora_A"):
                continue
            matrix = module.lora_A["default"].weight
            bound = 1 / math.sqrt(matrix.shape[1])
            generator = torch.Generator().manual_seed(mixed(0, number))
            with torch.no_grad():
                matrix.copy_(torch.empty(matrix.shape).uniform_(-bound, bound, generator=generator))
            number += 2


def run_theirs(arguments, folder):
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
    torch.set_num_threads(arguments.threads)
    tokenizer = AutoTokenizer.from_pretrained(folder / "base")
    blocks = blocks_of(folder, tokenizer)
    options = {"dtype": torch.float32}
    if arguments.nf4:
        options = {"dtype": torch.bfloat16, "quantization_config": BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=torch.bfloat16)}
    model = AutoModelForCausalLM.from_pretrained(folder / "base", **options)
    if arguments.nf4:
        model = prepare_model_for_kbit_training(model)
    model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", r=RANK, lora_alpha=ALPHA, lora_dropout=0.0, target_modules=arguments.targets.split(",")))
    set_first_matrices(model)
    model.train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=RATE, weight_decay=0.0)
    losses, speeds = [], []
    for step in range(arguments.steps):
        start = time.monotonic()
        passes = passes_of(blocks, step)
        n_blocks = sum(len(tokens) for tokens in passes)
        total = 0.0
        for tokens in passes:
            with torch.autocast("cpu", torch.bfloat16, enabled=arguments.nf4):
                loss = model(input_ids=tokens, labels=tokens).loss * len(tokens) / n_blocks
            loss.backward()
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(trained, MAX_NORM)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(total)
        speeds.append(n_blocks * BLOCK / (time.monotonic() - start))
    print(json.dumps({"losses": losses, "speeds": speeds, "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def check_logits(folder, n_threads):
    """The largest difference of logits between peft with our adapter and `labelprobe generate --adapter`, in float32."""
    from peft import PeftModel
    from safetensors.numpy import load_file
    from transformers import AutoModelForCausalLM
    prompts = [[1, 4, 100, 7, 300], list(range(50, 250))]
    with open(folder / "prompts.jsonl", "w") as file:
        file.writelines(json.dumps({"id": str(i), "token_ids": ids}) + "\n" for i, ids in enumerate(prompts))
    adapter = folder / "ours" / "base" / "3"
    program = os.environ.get("LABELPROBE", str(ROOT / "build" / "labelprobe"))
    subprocess.run([program, "generate", "--model-name-or-path", str(folder / "base"), "--adapter", str(adapter), "--prompts",
                    str(folder / "prompts.jsonl"), "--max-new-tokens", "1", "--out", str(folder / "answers.jsonl"), "--logits-out",
                    str(folder / "logits.safetensors"), "--threads", str(n_threads)], check=True, stderr=subprocess.DEVNULL)
    ours = load_file(folder / "logits.safetensors")
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(folder / "base", dtype=torch.float32), adapter).eval()
    largest = 0.0
    with torch.inference_mode():
        for i, ids in enumerate(prompts):
            theirs = model(torch.tensor([ids])).logits[0, -1].numpy()
            largest = max(largest, float(np.abs(theirs - ours[str(i)][0]).max()))
    return largest


def save_base(gguf, folder):
    from transformers import AutoModelForCausalLM, AutoTokenizer
    if gguf.is_dir():
        shutil.copytree(gguf, folder / "base")
        return
    where = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    read = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)
    if hasattr(read.config, "quantization_config"):
        del read.config.quantization_config  # it would not be saved
    plain = AutoModelForCausalLM.from_config(read.config, dtype=torch.float32)
    plain.load_state_dict(read.state_dict())
    plain.save_pretrained(folder / "base")
    AutoTokenizer.from_pretrained(**where).save_pretrained(folder / "base")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--nf4", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--targets", default="q_proj,v_proj", help="modules with LoRA matrices, by commas (default: %(default)s)")
    parser.add_argument("--theirs", action="store_true", help=argparse.SUPPRESS)  # in a process of its own, for its memory
    own, flags = sys.argv[1:], []
    if "--" in own:
        own, flags = own[:own.index("--")], own[own.index("--") + 1:]
    arguments = parser.parse_args(own)
    arguments.flags = flags
    if arguments.theirs:
        run_theirs(arguments, arguments.folder)
        return
    arguments.folder.mkdir(parents=True)
    save_base(arguments.model, arguments.folder)
    losses, speeds, mib = run_ours(arguments, arguments.folder)
    answer = subprocess.run([sys.executable, __file__, *own, "--theirs"], check=True, stdout=subprocess.PIPE, text=True)
    theirs = json.loads(answer.stdout.splitlines()[-1])
    for step, (a, b) in enumerate(zip(losses, theirs["losses"]), 1):
        print(f"step {step:2}  ours {a:.6f}  peft {b:.6f}  difference {a - b:+.6f}")
    print(f"largest difference of losses: {max(abs(a - b) for a, b in zip(losses, theirs['losses'])):.2e}")
    speed, their_speed = np.mean(speeds[1:]), np.mean(theirs["speeds"][1:])
    print(f"tokens per second: ours {speed:.0f}, peft {their_speed:.0f}: {speed / their_speed:.2f} times")
    print(f"peak of memory: ours {mib:.0f} MiB, peft {theirs['mib']:.0f} MiB")
    if not arguments.nf4:
        print(f"largest difference of logits, our adapter in peft: {check_logits(arguments.folder, arguments.threads):.2e}")


if __name__ == "__main__":
    main()

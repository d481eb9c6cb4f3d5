#!/usr/bin/env python3
"""Holds the answers of a finished unary or binary run against Hugging Face transformers: greedy token ids, the answer found,
and the vocabulary's probabilities of the answer words at the greedy, first and healed position.

usage: compare_words.py --gguf MODEL.gguf --run FOLDER --words reasonable,unreasonable --prompts FILE [--sample N]

FILE is what `labelprobe prompts` writes for the run's flags (JSON lines). The environment is that of
scripts/compare_transformers.sh; no code is shared with labelprobe. Ends with 1 if an answer differs where the two largest
logits are more than 1e-3 apart, or if a probability differs by more than 1e-4.
"""
import argparse
import json
import pathlib
import random
import sys

import torch
import transformers
import yaml

from compare_transformers import gguf_tokenizer


def first_token(tokenizer, before, word):
    encoding = tokenizer(before + word, add_special_tokens=False, return_offsets_mapping=True)
    return next(i for i, (a, b) in zip(encoding["input_ids"], encoding["offset_mapping"]) if a <= len(before) < b)


class Reference:
    def __init__(self, model, tokenizer, words, n_new):
        self.model, self.tokenizer, self.words, self.n_new = model, tokenizer, words, n_new
        self.tokens = {"bare": [first_token(tokenizer, "\n", w) for w in words],
                       "spaced": [first_token(tokenizer, "x ", w) for w in words]}

    def logits(self, ids):
        return self.model(torch.tensor([ids])).logits[0, -1].double()

    def reading(self, logits):
        probs = torch.softmax(logits, 0)
        return {variant: dict(zip(self.words, probs[tokens].tolist())) for variant, tokens in self.tokens.items()}

    def answer(self, text, stop):
        ids = self.tokenizer(text)["input_ids"]
        item = {"healed": self.reading(self.logits(self.tokenizer(text[:-1])["input_ids"])), "margins": []}
        generated = []
        while len(generated) < self.n_new:
            logits = self.logits(ids + generated)
            if not generated:
                item["first"] = self.reading(logits)
            item["margins"].append(float(torch.topk(logits, 2).values.diff().abs()))
            before = self.tokenizer.decode(generated[-1:])
            generated.append(int(logits.argmax()))
            is_inside = before[-1:].isalnum()
            if (generated[-1] in self.tokens["bare"] and not is_inside) or generated[-1] in self.tokens["spaced"]:
                item["greedy"] = self.reading(logits)
                break
            if generated[-1] == self.tokenizer.eos_token_id or stop in self.tokenizer.decode(generated):
                break
        return item | {"ids": generated}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gguf", required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--words", required=True)
    parser.add_argument("--prompts", required=True)
    parser.add_argument("--sample", type=int, default=40)
    parser.add_argument("--max-new-tokens", type=int, default=18)
    parser.add_argument("--stop", default="Input:")
    args = parser.parse_args()
    torch.set_grad_enabled(False)
    path = pathlib.Path(args.gguf)
    model = transformers.AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32).eval()
    reference = Reference(model, gguf_tokenizer(args.gguf), args.words.split(","), args.max_new_tokens)
    log = (pathlib.Path(args.run) / "indexed_metrics.yml").read_text()
    entries = yaml.load(log, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["experiment_0"]
    prompts = [json.loads(line) for line in pathlib.Path(args.prompts).read_text().splitlines()]
    prompts = random.Random(0).sample(prompts, min(args.sample, len(prompts)))
    n_equal, n_found, worst, far = 0, 0, 0.0, []
    for prompt in prompts:
        key = prompt["id"].replace("__aggregate", "")
        entry, wanted = entries[key], reference.answer(prompt["text"], args.stop)
        n_found += "greedy" in wanted
        positions = ["first", "healed"]
        if entry["test_outs_ids"] == wanted["ids"] and entry["test_label_found"] == ("greedy" in wanted):
            n_equal += 1
            positions += ["greedy"] if "greedy" in wanted else []
        elif min(wanted["margins"]) > 1e-3:
            far.append(key)
        for position in positions:
            for variant, probs in wanted[position].items():
                for word, prob in probs.items():
                    worst = max(worst, abs(prob - entry["test_answers"][position][variant][word]))
    print(f"{len(prompts)} prompts: {n_equal} with equal greedy ids and the same answer found ({n_found} found), "
          f"largest probability difference {worst:.1e}, differing beyond near-ties: {far}")
    sys.exit(1 if far or worst > 1e-4 else 0)


if __name__ == "__main__":
    main()

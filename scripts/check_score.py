#!/usr/bin/env python3
"""Holds `labelprobe score` against lm-eval on the requests of a multiple-choice task that lm-eval itself has logged, and ends with 1
if a log-probability is off by more than --most or a choice differs where it was not a tie. Needs lm-eval with its Hugging Face
back end, in the Python that runs this.

The task asks for the emotion of a comment, with demonstrations; its texts are those of a data file in the form of GoEmotions. Both
programs compute in float32 on the same number of threads. lm-eval's seconds are those of its evaluation, without start-up and
loading; ours are those of the whole process.

  scripts/check_score.py configs/example/test.tsv configs/example/emotions.txt --model build/models/SmolLM2-135M-Instruct.Q4_1.gguf
"""
import argparse
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", type=pathlib.Path, metavar="DATA.TSV", help="text, label numbers between commas, id")
    parser.add_argument("labels", type=pathlib.Path, metavar="LABELS.TXT", help="one label a line: the choices")
    parser.add_argument("--model", type=pathlib.Path, default=ROOT / "tests/fixtures/e2e/model", help="folder or .gguf file")
    parser.add_argument("--items", type=int, default=40, help="documents (default: 40)")
    parser.add_argument("--shots", type=int, default=5, help="demonstrations before each (default: 5)")
    parser.add_argument("--batch-size", type=int, default=16, help="of lm-eval (default: 16)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="CPU threads (default: all)")
    parser.add_argument("--most", type=float, default=1e-4, help="largest difference of a log-probability (default: 1e-4)")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/labelprobe")
    args = parser.parse_args()
    for path in (args.texts, args.labels, args.model, args.program):
        if not path.exists():
            parser.error(f"{path}: expected a file, found none")
    return args


def write_documents(args, folder):
    with open(args.texts, newline="", encoding="utf-8") as file:
        rows = [{"text": text, "label": int(labels.split(",")[0])} for text, labels, _ in csv.reader(file, delimiter="\t")]
    names = {"train": rows[:args.shots * 4], "test": rows[args.shots * 4:][:args.items] or rows[:args.items]}
    for split, documents in names.items():
        (folder / f"{split}.json").write_text("\n".join(json.dumps(document) for document in documents), encoding="utf-8")
    return {split: str(folder / f"{split}.json") for split in names}


def by_lm_eval(args, files, choices):
    import lm_eval
    import torch
    from lm_eval.models.huggingface import HFLM

    torch.set_num_threads(args.threads)
    place = {"pretrained": str(args.model)}
    if args.model.suffix == ".gguf":
        place = {"pretrained": str(args.model.parent), "gguf_file": args.model.name}
    model = HFLM(**place, device="cpu", dtype="float32", batch_size=args.batch_size)
    task = {"task": "emotions", "dataset_path": "json", "dataset_kwargs": {"data_files": files}, "test_split": "test",
            "fewshot_split": "train", "output_type": "multiple_choice", "doc_to_text": "Comment: {{text}}\nEmotion:",
            "doc_to_choice": choices, "doc_to_target": "label",
            "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True},
                            {"metric": "acc_norm", "aggregation": "mean", "higher_is_better": True}]}
    begin = time.monotonic()
    found = lm_eval.simple_evaluate(model=model, tasks=[task], num_fewshot=args.shots, log_samples=True, verbosity="ERROR")
    seconds = time.monotonic() - begin
    return found["samples"]["emotions"], found["results"]["emotions"], seconds, lm_eval.__version__


def by_labelprobe(args, requests):
    command = [args.program, "score", "--model-name-or-path", args.model, "--requests", requests, "--device", "cpu", "--threads",
               args.threads, "--no-special-tokens", "--disable-tqdm"]
    begin = time.monotonic()
    done = subprocess.run([str(word) for word in command], text=True, capture_output=True, check=False)
    seconds = time.monotonic() - begin
    if done.returncode != 0:
        sys.exit(f"check_score: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines()], seconds


def best(values):
    return max(range(len(values)), key=lambda i: values[i])


def compare(args, samples, scores):
    n_off, worst, n_other = 0, 0.0, 0
    for sample, score in zip(samples, scores):
        theirs = [float(response[0][0] if isinstance(response[0], (list, tuple)) else response[0]) for response in sample["resps"]]
        ours = [entry["logprob"] for entry in score["continuations"]]
        differences = [abs(a - b) for a, b in zip(theirs, ours, strict=True)]
        worst = max(worst, *differences)
        n_off += sum(difference > args.most for difference in differences)
        n_other += theirs[best(ours)] < max(theirs) - args.most
    return n_off, worst, n_other


def main():
    args = parsed()
    choices = args.labels.read_text(encoding="utf-8").split()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.environ.setdefault("HF_HOME", name)
        samples, results, their_seconds, version = by_lm_eval(args, write_documents(args, folder), choices)
        samples.sort(key=lambda sample: sample["doc_id"])
        requests = folder / "samples.jsonl"
        requests.write_text("\n".join(json.dumps(sample, default=str) for sample in samples), encoding="utf-8")
        scores, our_seconds = by_labelprobe(args, requests)
    n_off, worst, n_other = compare(args, samples, scores)
    right = sum(best([entry["logprob"] for entry in score["continuations"]]) == sample["target"]
                for sample, score in zip(samples, scores)) / len(samples)
    by_length = sum(best([entry["per_char"] for entry in score["continuations"]]) == sample["target"]
                    for sample, score in zip(samples, scores)) / len(samples)
    print(f"{len(samples)} documents of {len(choices)} choices, {args.shots} demonstrations; lm-eval {version}")
    print(f"log-probabilities: largest difference {worst:.2g}, {n_off} above {args.most:g}; other choices: {n_other}")
    print(f"acc {right:.4f} (lm-eval {results['acc,none']:.4f}), acc_norm {by_length:.4f} (lm-eval {results['acc_norm,none']:.4f})")
    print(f"seconds: lm-eval {their_seconds:.1f}, labelprobe {our_seconds:.1f}: {their_seconds / our_seconds:.1f} times as fast")
    sys.exit(1 if n_off or n_other else 0)


if __name__ == "__main__":
    main()

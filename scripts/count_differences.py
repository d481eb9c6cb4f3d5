#!/usr/bin/env python3
"""Answers that differ between two files of `labelprobe generate`. A different choice between tokens that are nearly as likely is
no error, so they are only counted; it is one if the files answer other prompts.
Usage: count_differences.py FILE.jsonl FILE.jsonl
"""
import json
import pathlib
import sys


def answers_of(path):
    return {answer["id"]: answer for answer in map(json.loads, pathlib.Path(path).read_text().splitlines())}


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    one, other = answers_of(sys.argv[1]), answers_of(sys.argv[2])
    n_same = sum(answer.get("token_ids") == other.get(key, {}).get("token_ids") for key, answer in one.items())
    print(f"{n_same} of {len(one)} answers have the same tokens")
    if one.keys() != other.keys():
        sys.exit(f"count_differences: {sys.argv[1]} answers {len(one)} prompts, {sys.argv[2]} {len(other)}, not the same ones")


if __name__ == "__main__":
    main()

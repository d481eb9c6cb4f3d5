#!/usr/bin/env python3
"""The published training command: tunes a model with LoRA and measures it, by `labelprobe finetune`.

    scripts/llm_finetuning.py TASK FLAGS

Takes the published flags: those of the data set, the prompts and the model, and --lora-r, --lora-alpha, --lora-dropout,
--per-device-train-batch-size, --learning-rate, --num-train-epochs, --output-dir, --log-dir, --cache-dir. In the release the LoRA flags,
the batch size and the rate never reach the trainer; here they do. --cache-dir becomes HF_HUB_CACHE. LABELPROBE names another program
than build/labelprobe.
"""
import os
import pathlib
import sys


def split_cache_dir(flags):
    """The flags without --cache-dir, and its value or None."""
    kept, cache_dir = [], None
    flags = iter(flags)
    for flag in flags:
        if flag == "--cache-dir":
            cache_dir = next(flags, None)
        elif flag.startswith("--cache-dir="):
            cache_dir = flag.partition("=")[2]
        else:
            kept.append(flag)
    return kept, cache_dir


def main():
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__.strip())
        return
    root = pathlib.Path(__file__).resolve().parents[1]
    program = os.environ.get("LABELPROBE", str(root / "build" / "labelprobe"))
    flags, cache_dir = split_cache_dir(sys.argv[1:])
    if cache_dir:
        os.environ["HF_HUB_CACHE"] = cache_dir
    try:
        os.execv(program, [program, "finetune", *flags])
    except OSError as error:
        sys.exit(f"{program}: expected the program, which scripts/build.sh makes: {error.strerror}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Makes the hidden states of a published run readable for `labelprobe probes`: FOLDER/last_hidden_state.pt, a pickle of
{"experiment_<i>": {"aggregate": {id: tensor}}}, becomes FOLDER/hidden_states_<i>.safetensors. Items whose tensor is not
one-dimensional named no label and get no row. Needs torch and safetensors; nothing in the pickle is run.

  scripts/convert_hidden_states.py logs/GoEmotions/meta-llama--Llama-3.1-8B-Instruct-lb-10-shot_0
"""
import argparse
import json
import pathlib

import torch
from safetensors.torch import save_file

FIRST_LABEL, LAST_LAYER = 1, -1


def convert(folder):
    held = torch.load(folder / "last_hidden_state.pt", map_location="cpu", weights_only=True)
    for name, annotators in held.items():
        states = annotators["aggregate"]
        rows = [i for i, state in enumerate(states.values()) if state.ndim == 1]
        kept = [list(states.values())[i].float() for i in rows]
        tensors = {"states": torch.stack(kept).unsqueeze(1), "item": torch.tensor(rows),
                   "step": torch.full((len(rows),), FIRST_LABEL), "layer": torch.tensor([LAST_LAYER])}
        path = folder / f"hidden_states_{name.removeprefix('experiment_')}.safetensors"
        save_file(tensors, path, metadata={"format": "labelprobe hidden states 1", "ids": json.dumps(list(states))})
        print(f"{path}: {len(rows)} of {len(states)} items have a state, {tensors['states'].shape[-1]} features")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=pathlib.Path, metavar="FOLDER", help="log folder of a published run")
    for folder in parser.parse_args().folders:
        convert(folder)


if __name__ == "__main__":
    main()

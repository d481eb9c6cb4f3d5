#!/usr/bin/env python3
"""Draws what `labelprobe inspect` has seen: means over all label steps, or the steps of one item.

Usage: draw_inspection.py LOOKS.jsonl --out FIGURE.pdf|.svg|.png [--item ID]   (needs matplotlib)

Above: the probability of labels, were the output head to follow each layer. Below: what each layer's attention and MLP add to the
written label, beyond the labels' mean; and what the written label's probability would lose without each part of the text.
"""
import argparse
import json
import pathlib

from draw_figure import BLUE, GREEN, GREY, MARKERS, ORANGE, PAGE, PURPLE, SKY, STYLE, VERMILLION, plt
import numpy as np

COLOURS = [BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, GREY, "#000000"]


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def read_steps(path, item):
    """Label steps as arrays, each with the label that is written there and the one after it."""
    steps, labels = [], []
    for text in path.read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        if "failure" in line or (item is not None and line["id"] != item):
            continue
        written = [int(np.argmax(step["logits"])) for step in line["steps"]]
        labels = line["labels"] or labels
        for t, step in enumerate(line["steps"]):
            steps.append({"number": step["step"], "lens": softmax(np.array(step["lens"])), "parts": np.array(step["parts"]),
                          "prob": softmax(np.array(step["logits"])), "written": written[t],
                          "next": written[t + 1] if t + 1 < len(written) else None,
                          "without": {p["name"]: softmax(np.array(p["knocked_out"])) for p in step.get("text_parts", [])
                                      if "knocked_out" in p}})
    if not steps:
        raise SystemExit(f"{path}: expected label steps{f' of item {item}' if item else ''}, found none")
    return steps, labels


def draw_lens(axis, steps, labels, is_item):
    layers = np.arange(len(steps[0]["lens"]))
    if is_item:
        for i, label in enumerate(labels):
            axis.plot(layers, steps[0]["lens"][:, i], color=COLOURS[i % len(COLOURS)], marker=MARKERS[i % len(MARKERS)], markevery=3,
                      linewidth=2 if i == steps[0]["written"] else 1, label=label)
        axis.set_title(f"Step {steps[0]['number']}: {labels[steps[0]['written']]}")
    else:
        axis.plot(layers, np.mean([s["lens"][:, s["written"]] for s in steps], axis=0), color=BLUE, marker="o", markevery=3,
                  label="written here")
        followed = [s for s in steps if s["next"] is not None]
        if followed:
            axis.plot(layers, np.mean([s["lens"][:, s["next"]] for s in followed], axis=0), color=VERMILLION, marker="s", markevery=3,
                      linestyle="--", label="written next")
        axis.set_title(f"Means over {len(steps)} label steps")
    axis.set(xlabel="Layer", ylabel="Probability among the labels", ylim=(0, 1))
    axis.grid(axis="y")
    axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def draw_parts(axis, steps):
    beyond = np.mean([s["parts"][:, s["written"]] - s["parts"].mean(axis=1) for s in steps], axis=0)
    layers = np.arange(1, (len(beyond) - 1) // 2 + 1)
    axis.bar(layers - 0.2, beyond[1::2], width=0.4, color=BLUE, label="attention")
    axis.bar(layers + 0.2, beyond[2::2], width=0.4, color=ORANGE, hatch="////", label="MLP")
    axis.axhline(0, color="black", linewidth=0.5)
    axis.set(xlabel="Layer", ylabel="Added to the written label")
    axis.legend(loc="best")


def draw_knockouts(axis, steps):
    names = list(dict.fromkeys(name for s in steps for name in s["without"]))
    changes = [np.mean([s["without"][name][s["written"]] - s["prob"][s["written"]] for s in steps if name in s["without"]])
               for name in names]
    axis.barh([name.replace("_", " ") for name in names], changes, color=GREEN)
    axis.axvline(0, color="black", linewidth=0.5)
    axis.invert_yaxis()
    axis.set(xlabel="Change of its probability without")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("looks", type=pathlib.Path, metavar="LOOKS.jsonl")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="file to write, .pdf, .svg or .png")
    parser.add_argument("--item", help="id of an item: one row for each of its label steps")
    arguments = parser.parse_args()
    if arguments.out.suffix not in (".pdf", ".svg", ".png"):
        raise SystemExit(f"--out {arguments.out}: expected a name that ends in .pdf, .svg or .png")
    steps, labels = read_steps(arguments.looks, arguments.item)
    rows = [[step] for step in steps] if arguments.item else [steps]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(2 * len(rows), 2, figsize=(PAGE, 4.2 * len(rows)), squeeze=False, constrained_layout=True)
        for r, row in enumerate(rows):
            grid = axes[2 * r][0].get_gridspec()
            for axis in axes[2 * r]:
                axis.remove()
            draw_lens(figure.add_subplot(grid[2 * r, :]), row, labels, arguments.item is not None)
            draw_parts(axes[2 * r + 1][0], row)
            if row[0]["without"]:
                draw_knockouts(axes[2 * r + 1][1], row)
            else:
                axes[2 * r + 1][1].set_axis_off()
        figure.savefig(arguments.out, metadata={"Date": None} if arguments.out.suffix == ".svg" else None)


main()

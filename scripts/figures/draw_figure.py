"""Draws a figure of `labelprobe figure` from its data, as PDF, SVG and PNG; the command calls it, and so can you.

Usage: draw_figure.py FIGURE.json OUT [--shape violin|box|both] [--no-legend] [--no-xtitle]   (needs matplotlib)

Writes OUT.pdf, OUT.svg and OUT.png. Colours are Okabe and Ito's, told apart with any colour vision; hatches, markers and line styles
say the same again for prints in grey. Equal data give equal bytes.
"""
import argparse
import itertools
import json
import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
from matplotlib.lines import Line2D  # noqa: E402
from matplotlib.patches import Patch  # noqa: E402

BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, GREY = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C8C8C")
SET_COLOURS = {"GoEmotions": BLUE, "MFRC": VERMILLION, "SemEval": GREEN, "Hatexplain": PURPLE, "MSPPodcast": ORANGE}
MODEL_LINES = [":", "--", "-.", "-", (0, (3, 1, 1, 1, 1, 1)), (0, (5, 3))]
MARKERS = ["o", "s", "^", "D", "v", "P"]
HATCHES = ["", "////", "....", "xxxx", "----"]
# Series of label steps: legend, colour, hatch.
SERIES = {"last": ("last", ORANGE, "\\\\\\\\"), "intermediate": ("intermediate", BLUE, "////"),
          "next": ("$r$+1 pred", GREEN, "xxxx"), "intermediate @ next": ("intermediate @ $r$+1", GREY, "----"),
          "next @ next": ("$r$+1 pred @ $r$+1", VERMILLION, "....")}
PANEL_TITLES = {"top": "Highest probability", "second": "Second highest probability", "entropy": "Entropy (bits)"}
COLUMN, PAGE = 3.3, 6.9  # widths of a paper's column and page, in inches
STYLE = {"font.family": "DejaVu Sans", "font.size": 8, "axes.titlesize": 8, "axes.labelsize": 8, "legend.fontsize": 6.5,
         "xtick.labelsize": 7, "ytick.labelsize": 7, "axes.linewidth": 0.6, "lines.linewidth": 1.2, "lines.markersize": 4,
         "grid.linewidth": 0.4, "grid.color": "#DDDDDD", "axes.axisbelow": True, "hatch.linewidth": 0.35, "pdf.fonttype": 42,
         "svg.hashsalt": "labelprobe", "savefig.dpi": 300, "legend.frameon": True, "legend.framealpha": 0.9,
         "legend.edgecolor": "#CCCCCC", "legend.handlelength": 1.6, "legend.columnspacing": 1.0, "legend.handletextpad": 0.5, "axes.spines.top": False, "axes.spines.right": False}


def distinct(rows, key):
    """The values of a key, each once, in the order of the rows."""
    return list(dict.fromkeys(row[key] for row in rows))


def colours_of(sets):
    free = itertools.cycle(colour for colour in (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, GREY)
                           if colour not in [SET_COLOURS.get(name) for name in sets])
    return {name: SET_COLOURS.get(name) or next(free) for name in sets}


def legend_columns(handles, width):
    """How many entries of a legend fit beside each other into so many inches."""
    longest = max(len(handle.get_label().replace("$", "")) for handle in handles)
    return max(1, min(len(handles), int((width - 0.2) / (0.42 + 0.055 * longest))))


# --- Label steps (Figures 2, 3, 8, 9) ---

def draw_distribution(axis, values, position, width, look, shape):
    """A violin, a box or both of one series at one step."""
    _, colour, hatch = look
    if shape != "box" and len(values) > 1:
        for body in axis.violinplot([values], [position], widths=width, showextrema=False)["bodies"]:
            body.set(facecolor=colour, edgecolor="black", alpha=0.6, hatch=hatch, linewidth=0.5)
    elif shape != "box":
        axis.plot([position], values, marker="_", color=colour, markersize=7)
    if shape != "violin":
        parts = axis.boxplot([values], positions=[position], widths=width * (0.5 if shape == "both" else 0.85),
                             patch_artist=True, showfliers=False, manage_ticks=False)
        for box in parts["boxes"]:
            box.set(facecolor=colour, alpha=0.75, hatch=hatch, linewidth=0.6)
        for line in [*parts["whiskers"], *parts["caps"], *parts["medians"]]:
            line.set(color="black", linewidth=0.7)


def draw_same(axis, share, left, right):
    """The arrow between two series, and in how many cases they are one label."""
    axis.annotate("", xy=(right, -0.03), xytext=(left, -0.03),
                  arrowprops={"arrowstyle": "<->", "linewidth": 0.6, "connectionstyle": "arc3,rad=0.25", "mutation_scale": 4,
                              "shrinkA": 0, "shrinkB": 0})
    axis.text((left + right) / 2, -0.08, f"same:\n{share:.1%}", ha="center", va="top", fontsize=5.5, linespacing=1.0,
              bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.9})


def draw_steps_panel(axis, rows, options, n_names):
    steps = sorted(set(distinct(rows, "step")))
    series = [name for name in SERIES if any(row["series"] == name for row in rows)]
    if n_names > 1 and "next @ next" in series:
        series.remove("next @ next")  # as published: only a single run has room for it
    gap = 0.3 if len(series) == 2 else 0.85 / len(series)
    offsets = {name: gap * (i - (len(series) - 1) / 2) for i, name in enumerate(series)}
    for at, step in enumerate(steps):
        for name in series:
            values = [row["value"] for row in rows if row["step"] == step and row["series"] == name]
            if values:
                draw_distribution(axis, values, at + offsets[name], gap * 0.9, SERIES[name], options.shape)
        for row in rows:
            if row["series"] == "same" and row["step"] == step:
                draw_same(axis, row["value"], at + offsets["intermediate"], at + offsets["next"])
    axis.set_xticks(range(len(steps)), [str(step) for step in steps])
    axis.set_xlim(-0.55, len(steps) - 0.45)
    axis.grid(axis="y")
    return series


def draw_steps(figure, options):
    rows = figure["rows"]
    names, panels = distinct(rows, "name"), distinct(rows, "panel")
    n_steps = max(len({row["step"] for row in rows if row["name"] == name}) for name in names)
    width = min(PAGE, max(COLUMN, len(names) * max(1.75, (0.75 if "second" in panels else 0.5) * n_steps)))
    fig, axes = plt.subplots(len(panels), len(names), figsize=(width, 1.75 * len(panels) + 0.55), squeeze=False, sharey="row",
                             sharex="col", layout="constrained")
    shown = []
    for (i, panel), (j, name) in itertools.product(enumerate(panels), enumerate(names)):
        of_panel = [row for row in rows if row["panel"] == panel and row["name"] == name]
        shown += draw_steps_panel(axes[i, j], of_panel, options, len(names))
        if panel != "entropy":
            axes[i, j].set_ylim(-0.3 if panel == "second" else -0.02, 1.02)
            axes[i, j].set_yticks([0, 0.25, 0.5, 0.75, 1])
    for i, panel in enumerate(panels):
        axes[i, 0].set_ylabel(PANEL_TITLES[panel])
    for j, name in enumerate(names):
        axes[0, j].set_title(name.replace("/", "\n"), fontsize=7)
        if not options.no_xtitle:
            axes[-1, j].set_xlabel("Prediction index $r$")
    looks = [SERIES[name] for name in SERIES if name in shown]
    handles = [Patch(facecolor=colour, edgecolor="black", hatch=hatch, label=label, alpha=0.7, linewidth=0.5)
               for label, colour, hatch in looks]
    return fig, handles, {"loc": "outside upper center", "ncols": legend_columns(handles, width)}


# --- When the second label comes later (Figure 10) ---

def draw_later(figure, options):
    rows = figure["rows"]
    names, steps = distinct(rows, "name"), sorted(set(distinct(rows, "step")))
    ends = range(min(row["predicted_at"] for row in rows), max(row["predicted_at"] for row in rows) + 1)
    width = COLUMN if len(names) == 1 else min(PAGE, max(COLUMN, 2.3 * len(names)))
    fig, axes = plt.subplots(1, len(names), figsize=(width, 2.2), squeeze=False, sharey=True, layout="constrained")
    bar = 0.8 / len(steps)
    colours = list(itertools.islice(itertools.cycle([BLUE, ORANGE, GREEN, PURPLE, VERMILLION, SKY]), len(steps)))
    for axis, name in zip(axes[0], names):
        for i, step in enumerate(steps):
            of_step = {row["predicted_at"]: row["share"] for row in rows if row["name"] == name and row["step"] == step}
            axis.bar([end + bar * (i - (len(steps) - 1) / 2) for end in of_step], of_step.values(), bar * 0.92, color=colours[i],
                     edgecolor="black", linewidth=0.4, hatch=HATCHES[i % len(HATCHES)])
        axis.set_title(name.replace("/", "\n"), fontsize=7)
        axis.set_xticks(ends)
        axis.set_xlim(ends[0] - 0.5, ends[-1] + 0.5)
        axis.set_ylim(0, 1)
        axis.grid(axis="y")
        if not options.no_xtitle:
            axis.set_xlabel("Predicted at step")
    axes[0, 0].set_ylabel("Share of second labels\nthat come later")
    handles = [Patch(facecolor=colours[i], edgecolor="black", hatch=HATCHES[i % len(HATCHES)], label=f"second at $r$ = {step}",
                     linewidth=0.5) for i, step in enumerate(steps)]
    return fig, handles, {"loc": "outside upper center", "ncols": legend_columns(handles, width)}


# --- Sorted probabilities (Figure 4) ---

def draw_spikiness(figure, options):
    rows = figure["rows"]
    sets = distinct(rows, "set")
    colours = colours_of(sets)
    fig, axis = plt.subplots(figsize=(COLUMN, 2.2), layout="constrained")
    jitter = np.random.default_rng(0)
    gap = 0.25 if len(sets) <= 3 else 0.75 / len(sets)
    for i, name in enumerate(sets):
        points = [(row["index"], row["prob"]) for row in rows if row["set"] == name]
        x = np.array([index for index, _ in points]) + gap * (i - (len(sets) - 1) / 2)
        y = [prob for _, prob in points]
        alpha = min(0.5, max(0.08, 30 * max(1, x.max()) / len(points)))
        axis.scatter(x + jitter.uniform(-0.06, 0.06, len(x)), y, s=9, color=colours[name], alpha=alpha, linewidths=0,
                     marker=MARKERS[i % len(MARKERS)], rasterized=True)
    axis.set(xlim=(-0.5, 6.5), ylim=(0, 1.01), xticks=range(7), ylabel="Label probability")
    if not options.no_xtitle:
        axis.set_xlabel("Sorted label index")
    axis.grid()
    handles = [Line2D([], [], color=colours[name], marker=MARKERS[i % len(MARKERS)], linestyle="", label=name)
               for i, name in enumerate(sets)]
    return fig, handles, {"loc": "upper right", "axis": axis}


# --- Lines per data set and model (Figures 5, 6) ---

def draw_lines(figure, options, x_key, y_key):
    rows = figure["rows"]
    sets, models = distinct(rows, "set"), distinct(rows, "model")
    colours = colours_of(sets)
    lines = {model: (MODEL_LINES[i % len(MODEL_LINES)], MARKERS[i % len(MARKERS)]) for i, model in enumerate(models)}
    fig, axis = plt.subplots(figsize=(COLUMN, 2.6), layout="constrained")
    for name, model in itertools.product(sets, models):
        points = sorted((row[x_key], row[y_key], row["deviation"]) for row in rows if row["set"] == name and row["model"] == model)
        if not points:
            continue
        x, y, deviation = map(np.array, zip(*points))
        axis.plot(x, y, color=colours[name], linestyle=lines[model][0], marker=lines[model][1], alpha=0.8, clip_on=False)
        axis.fill_between(x, y - deviation / 2, y + deviation / 2, color=colours[name], alpha=0.15, linewidth=0)
    axis.grid()
    handles = [Line2D([], [], color=colours[name], label=name) for name in sets]
    handles += [Line2D([], [], color="black", linestyle=lines[model][0], marker=lines[model][1], label=model) for model in models]
    return fig, axis, handles


def draw_label_order(figure, options):
    fig, axis, handles = draw_lines(figure, options, "position", "accuracy")
    lowest = min([0.2, *(row["accuracy"] - 0.05 for row in figure["rows"])])
    axis.set(xlim=(0.95, 2.05), ylim=(max(0, lowest), 1), xticks=[1, 2], yticks=[0.2, 0.4, 0.6, 0.8, 1], ylabel="Accuracy")
    if not options.no_xtitle:
        axis.set_xlabel("Label order")
    return fig, handles, {"loc": "outside upper center", "ncols": 2}


def draw_multilabel_icl(figure, options):
    fig, axis, handles = draw_lines(figure, options, "ratio", "share")
    ticks = [0, 0.2, 0.4, 0.6, 0.8, 1]
    axis.set(xlim=(-0.05, 1.05), ylim=(0, 1.01), xticks=ticks, yticks=ticks, ylabel="Share of multi-label outputs")
    if not options.no_xtitle:
        axis.set_xlabel("Share of multi-label demonstrations")
    return fig, handles, {"loc": "outside upper center", "ncols": 2}


# --- Metrics of methods (Figures 7, 11) ---

METRIC_TITLES = {"nll": "NLL (lower is better)", "l1": "L1 (lower is better)", "f1": "Example-F1 (higher is better)"}


def draw_metrics(figure, options):
    """A panel per metric. Binary comparisons: data sets and models along x, a bar per method; else methods along x, a bar per model."""
    rows = figure["rows"]
    by_method = figure["figure"] == "binary"
    for row in rows:
        row["run"] = f"{row['set']}\n{row['model']}"
    groups_key, bars_key = ("run", "method") if by_method else ("method", "run")
    if by_method and len(distinct(rows, "model")) == 1:
        groups_key = "set"
    if not by_method and len(distinct(rows, "set")) == 1:
        bars_key = "model"
    metrics, groups, bars = distinct(rows, "metric"), distinct(rows, groups_key), distinct(rows, bars_key)
    fig, axes = plt.subplots(1, len(metrics), figsize=(PAGE, 2.3), squeeze=False, layout="constrained")
    colours = list(itertools.islice(itertools.cycle([BLUE, ORANGE, GREEN, PURPLE, VERMILLION, SKY]), len(bars)))
    width = 0.8 / len(bars)
    for axis, metric in zip(axes[0], metrics):
        for i, bar in enumerate(bars):
            found = {row[groups_key]: row for row in rows if row["metric"] == metric and row[bars_key] == bar}
            x = [groups.index(name) + width * (i - (len(bars) - 1) / 2) for name in found]
            axis.bar(x, [row["value"] for row in found.values()], width * 0.92, color=colours[i], edgecolor="black", linewidth=0.4,
                     hatch=HATCHES[i % len(HATCHES)], yerr=[row["standard_error"] for row in found.values()],
                     error_kw={"elinewidth": 0.7, "capsize": 1.5, "capthick": 0.7})
        is_long = max(map(len, groups)) > 12 or len(groups) > 4
        axis.set_xticks(range(len(groups)), groups, **({"rotation": 35, "ha": "right"} if is_long else {}))
        axis.set_title(METRIC_TITLES[metric])
        axis.set_ylim(bottom=0)
        axis.grid(axis="y")
    handles = [Patch(facecolor=colours[i], edgecolor="black", hatch=HATCHES[i % len(HATCHES)], label=bar.replace("\n", " "),
                     linewidth=0.5) for i, bar in enumerate(bars)]
    return fig, handles, {"loc": "outside upper center", "ncols": legend_columns(handles, PAGE)}


DRAWINGS = {"steps": draw_steps, "later": draw_later, "spikiness": draw_spikiness, "label_order": draw_label_order,
            "multilabel_icl": draw_multilabel_icl, "metrics": draw_metrics}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("figure", type=pathlib.Path, help="the data, FIGURE.json")
    parser.add_argument("out", help="what the files are called, without ending")
    parser.add_argument("--shape", choices=["violin", "box", "both"], default="violin", help="how distributions are drawn")
    parser.add_argument("--no-legend", action="store_true")
    parser.add_argument("--no-xtitle", action="store_true")
    options = parser.parse_args()
    figure = json.loads(options.figure.read_text(encoding="utf-8"))
    with matplotlib.rc_context(STYLE):
        fig, handles, place = DRAWINGS[figure["drawing"]](figure, options)
        if not options.no_legend:
            place.pop("axis", fig).legend(handles=handles, **place)
        for ending, metadata in (("pdf", {"CreationDate": None}), ("svg", {"Date": None}), ("png", {})):
            fig.savefig(f"{options.out}.{ending}", metadata=metadata)


if __name__ == "__main__":
    main()

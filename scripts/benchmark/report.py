"""The benchmark's figures as Markdown tables (also what is printed) and plots."""
import pathlib
import statistics

# Seconds without loading that we want for 200 queries with bfloat16 weights on one H200.
GOALS = {("llama-3.1-8b", "baseline"): 0.45, ("llama-3.1-8b", "unary"): 0.9, ("llama-3.1-8b", "binary"): 2.6}
PEER_ROWS = {"batch1": "transformers, one at a time", "batched": "transformers, batches of {batch}",
             "prefix": "transformers, cached prefix", "llama": "llama.cpp, prefix reuse {gguf_type}"}
NOT_ASKED = "not asked for"
MARKS = ("<!-- bench: begin -->", "<!-- bench: end -->")


def median_of(turns, key):
    """The turn whose `key` is the (lower) median."""
    return sorted(turns, key=lambda turn: turn[key])[(len(turns) - 1) // 2]


def median(turns, key):
    return statistics.median(turn[key] for turn in turns)


def digits(number):
    """Three significant digits, none lost before the point."""
    if number is None:
        return "-"
    if number >= 100:
        return f"{number:,.0f}"
    return f"{number:.3g}" if number < 1 else f"{number:.{1 if number >= 10 else 2}f}"


def gib(n_bytes):
    return "-" if not n_bytes else f"{n_bytes / 2**30:.2f}"


def table(header, rows):
    """Markdown, columns aligned for people who read it as text; the first to the left, the others to the right."""
    cells = [header, *rows]
    widths = [max(len(str(row[i])) for row in cells) for i in range(len(header))]
    line = lambda row: "| " + " | ".join(str(c).ljust(w) if i == 0 else str(c).rjust(w)
                                         for i, (c, w) in enumerate(zip(row, widths))) + " |"
    rule = "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|"
    return [line(header), rule, *map(line, rows)]


def peaks(figures):
    """dtype -> the largest rate over shapes, rows and turns, and at which."""
    found = {}
    for turn in figures["gemm"]:
        for dtype, rates in turn["rates"].items():
            best = max(rates, key=lambda rate: rate[3])
            if dtype not in found or best[3] > found[dtype][3]:
                found[dtype] = best
    return found


def turns_of(figures, side, row, distribution):
    return next((e["turns"] for e in figures[side] if (e["row"], e["distribution"]) == (row, distribution)), [])


HEADER = ["", "seconds", "whole process", "prompts/s", "tokens computed", "time to ours", "of GEMM peak", "load, s",
          "memory, GiB", "measured", "same first token"]


def our_row(name, figures, turns, main, dtype, n_prompts):
    if not turns:
        return [name, *"-" * 10]
    without = median(turns, "seconds")
    computed = turns[0]["n_computed"] + max(0, turns[0]["n_generated"] - turns[0]["n_items"])
    best = peaks(figures).get(dtype)
    share = f"{turns[0]['flop'] / without / best[3]:.0%}" if best and "flop" in turns[0] else "-"
    return [name, digits(without), digits(median(turns, "whole_seconds")), digits(n_prompts / without), f"{computed:,}",
            f"{without / median(main, 'seconds'):.2f}" if main else "-", share, digits(median(turns, "load_seconds")),
            gib(max(turn["peak_bytes"] or 0 for turn in turns)), f"all, {len(turns)} turns" if len(turns) > 1 else "all, once", ""]


def reason_of(figures, row):
    return figures["reasons"].get("llama.cpp" if row == "llama" else "transformers")


def peer_row(row, figures, distribution, main, n_prompts):
    turns = turns_of(figures, "peers", row, distribution)
    name = PEER_ROWS[row].format(batch=figures["batch"], gguf_type=figures["gguf_type"]).rstrip()
    reason = reason_of(figures, row)
    if not turns:
        return [name, *"-" * 8, f"no: {reason}" if reason else "no: see below", ""]
    seconds, n_sample = median(turns, "all_seconds"), sum(turn["n_sample"] for turn in turns)
    n_different = sum(e["row"] == row and e["distribution"] == distribution for e in figures["different_first_tokens"])
    ratio = "-"
    if main:
        ratio = f"{seconds / median(main, 'seconds'):.1f} ({seconds / median(main, 'whole_seconds'):.1f})"
    return [name, digits(seconds), "-", digits(n_prompts / seconds), f"{median_of(turns, 'all_computed')['all_computed']:,}",
            ratio, "-", digits(median(turns, "load_seconds")), gib(max(turn["peak_bytes"] or 0 for turn in turns)),
            f"{n_sample} of {n_prompts}" if n_sample < n_prompts else "all", f"{n_sample - n_different} of {n_sample}"]


def distribution_table(figures, distribution):
    of, dtype, n = figures["works"][distribution], figures["dtype"], figures["works"][distribution]["n_prompts"]
    turns = lambda row: turns_of(figures, "ours", row, distribution)
    main = turns("main")
    rows = [our_row(f"**labelprobe**, {dtype}", figures, main, main, dtype, n)]
    if distribution == "baseline":
        rows.append(our_row(f"labelprobe, {dtype}, 1 new token (prefill)", figures, turns("prefill"), main, dtype, n))
    elif turns("pipeline"):
        rows.append(our_row(f"labelprobe, {dtype}, as the pipeline has it ({of['n_new_pipeline']} new tokens)", figures,
                            turns("pipeline"), main, dtype, n))
    if turns("bf16"):
        rows.append(our_row("labelprobe, bfloat16", figures, turns("bf16"), main, "bfloat16", n))
    rows += [peer_row(row, figures, distribution, main, n) for row in PEER_ROWS if reason_of(figures, row) != NOT_ASKED]
    lines = [f"**{distribution}**: {of['n_queries']} queries, {n:,} prompts of {of['n_tokens']:,} tokens, {of['n_distinct']:,} of "
             f"them distinct; {of['n_new']} new token{'s at most' if of['n_new'] > 1 else ''}"]
    goal = GOALS.get((figures["model"], distribution))
    if goal and figures["device"] != "cpu":
        lines[0] += f" (goal of ours on one H200 with 200 queries: {goal} s)"
    return [*lines, "", *table(HEADER, rows), ""]


def sentences(figures):
    machine, found = figures["machine"], peaks(figures)
    versions = ", ".join(f"{name} {version}" for name, version in sorted(machine["versions"].items()))
    backend = next((e["turns"][0]["backend"] for e in figures["ours"] if e["turns"]), "")
    where = machine["gpu"] or f"{'one core' if machine['threads'] == 1 else str(machine['threads']) + ' cores'} of an {machine['cpu']}"
    flags = f", {' '.join(figures['flags'])}" if figures["flags"] else ""
    weights = "random weights" if figures["random_weights"] else "weights of the GGUF file" if figures["gguf"] else "weights"
    lines = [f"Measured on {machine['date']} on {where}, {machine['memory_gib']:.0f} GiB of memory: {figures['model']} ({weights}), "
             f"GoEmotions, id list {figures['id_list']}, 10 shots, {figures['blocks']} turn{'s' if figures['blocks'] > 1 else ''} in {figures['minutes']:.0f} minutes; "
             f"{versions}; labelprobe with {backend}{flags}. The machine's load before was {machine['load_before']:.1f}."]
    if found:
        lines.append("GEMM peak in the same run, torch's `linear` at this model's shapes: " + "; ".join(
            f"{dtype} {rate[3] / 1e9:,.0f} GFLOP/s ({rate[2]} rows, {rate[0]} → {rate[1]})" for dtype, rate in found.items()) + ".")
    if figures["deviations"]:
        parts = []
        for distribution, one in figures["deviations"].items():
            if "failure" in one:
                parts.append(f"{distribution} not compared ({one['failure']})")
                continue
            main, low = (turns_of(figures, "ours", row, distribution) for row in ("main", "bf16"))
            parts.append(f"{distribution} {median(main, 'seconds') / median(low, 'seconds'):.2f} times as fast, probabilities at "
                         f"most {digits(one['largest'])} off, {digits(one['mean'])} in the mean, "
                         f"{one['n_equal_answers']} of {one['n_items']} answers equal")
        lines.append("bfloat16 against float32 on labelprobe's side: " + "; ".join(parts) + ".")
    return "\n\n".join(lines)


def scaling_table(figures):
    rows = []
    for point in sorted(figures["scaling"], key=lambda p: (p["distribution"], p["against"], p["n"])):
        n_computed = point["n_distinct"] + point["n_fed"]
        rows.append([f"{point['distribution']}, {point['n']} {point['against']}", f"{point['n_prompts']:,}",
                     f"{point['n_tokens']:,}", f"{point['n_distinct']:,}", f"{point['n_fed']:,}", digits(point["seconds"]),
                     digits(point["seconds"] / n_computed * 1e6)])
    header = ["labelprobe", "prompts", "their tokens", "distinct", "generated and fed back", "seconds", "µs per token computed"]
    return ["Time follows the distinct tokens, not prompts times shots (word prompts with their healed forms):", "",
            *table(header, rows), ""] if rows else []


def different_tokens(figures):
    lines = []
    for row in PEER_ROWS:
        for distribution in figures["works"]:
            all_of = [e for e in figures["different_first_tokens"] if (e["row"], e["distribution"]) == (row, distribution)]
            if all_of:
                listed = "; ".join(f"prompt {e['prompt'] + 1}: {e['theirs']} for {e['ours']} (their margin {e['their_margin']:.3g})"
                                   for e in all_of[:8])
                more = f"; {len(all_of) - 8} more" if len(all_of) > 8 else ""
                lines.append(f"- Other first tokens of {PEER_ROWS[row].format(**figures)}, {distribution}: {listed}{more}")
    return lines


READING = """*seconds* are without start-up and loading, medians of the turns; *whole process* is from start to exit. Peers answer
the stated number of prompts, spread over the list, and their time is scaled to all; what they compute once counts once. *time to
ours* divides by our seconds, in brackets by our whole process. *of GEMM peak*: the distinct tokens need 2 FLOP per weight of the
layers and token, 4 per head dimension, layer and pair of positions that attend to each other, and 2 per weight of the output
head and place that is read; this over seconds and over the peak. Runs of unary and binary also compute each prompt's healed form,
which the peers are spared."""


def markdown(figures):
    lines = [sentences(figures), ""]
    for distribution in figures["works"]:
        lines += distribution_table(figures, distribution)
    lines += [READING, ""]
    lines += scaling_table(figures)
    notes = different_tokens(figures) + [f"- Not measured: {name}: {reason}" for name, reason in figures["reasons"].items()
                                          if reason != NOT_ASKED]
    return "\n".join(lines + notes + [f"- {note}" for note in figures["notes"]]).rstrip() + "\n"


def write_markdown(path, text):
    """Into the file's bench marks where it has them, else as the whole file."""
    path = pathlib.Path(path)
    old = path.read_text() if path.is_file() else ""
    begin, end = old.find(MARKS[0]), old.find(MARKS[1])
    if 0 <= begin < end:
        text = old[:begin] + MARKS[0] + "\n" + text + old[end:]
    path.write_text(text)


def plots(figures, folder):
    """Time against queries, against shots and against distinct tokens; returns what it did."""
    try:
        import matplotlib
        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError as error:
        return f"bench: no plots: {error}"
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    panels = [("queries", "n", "queries"), ("shots", "n", "shots"), (None, "n_computed", "tokens computed: distinct, and fed back")]
    figure, axes = pyplot.subplots(1, 3, figsize=(13, 4.2), sharey=True, layout="constrained")
    for axis, (against, key, label) in zip(axes, panels):
        for distribution, marker in zip(figures["works"], "osD^"):
            points = sorted((p["n"] if key == "n" else p["n_distinct"] + p["n_fed"], p["seconds"]) for p in figures["scaling"]
                            if p["distribution"] == distribution and against in (None, p["against"]))
            if points:
                axis.plot(*zip(*points), marker=marker, label=distribution)
        axis.set(xlabel=label, xlim=(0, None), ylim=(0, None))
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("seconds without loading")
    if axes[0].lines or axes[1].lines:
        (axes[0] if axes[0].lines else axes[1]).legend()
    machine = figures["machine"]
    figure.suptitle(f"labelprobe, {figures['model']}, {figures['dtype']}, {machine['gpu'] or 'CPU, threads: ' + str(machine['threads'])}")
    for ending in ("png", "svg"):
        figure.savefig(folder / f"scaling.{ending}", dpi=110)
    pyplot.close(figure)
    return f"bench: plots are in {folder}"

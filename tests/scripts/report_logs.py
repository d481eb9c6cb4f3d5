"""Logs of invented items, hostile texts among them, and what labelprobe inspect would have written of them: for report_test.py."""
import json

import support

HOSTILE = ("</script><script>window.broken = 1</script><img src=x onerror='window.broken = 1'> "
           "\" ' & <!-- \u2028 {{data}} \U0001F600")
LABELS = ["joy", "optimism", "admiration", "surprise", "fear", "sadness", "anger", "none"]


def probabilities(place, step):
    """Numbers of which each item has others."""
    weights = [1 + (place * (k + 2) + 3 * step + k * k) % 11 for k in range(len(LABELS))]
    return {label: weight / sum(weights) for label, weight in zip(LABELS, weights)}


def make_entry(place, text):
    entry = {"test_text": text, "test_gt": LABELS[place % 7:place % 7 + 1], "test_preds": [LABELS[place % 5]], "test_outs": f"{text} !",
             "test_label_found": True, "test_all_scores": [probabilities(place, step) for step in range(1 + place % 3)],
             "test_n_prompt_tokens": 10 + place}
    if place == 3:
        entry["test_readouts"] = [{"name": "marginal_exact", "params": HOSTILE, "normalisation": "vocab", "n_extra_tokens": 5,
                                   **{part: {label: 0.1 * k + width for k, label in enumerate(LABELS[:7])}
                                      for part, width in (("lower", 0.0), ("p", 0.02), ("upper", 0.05))},
                                   "sets": [{"labels": ["joy"], "p": 0.5}, {"labels": [], "p": 0.1}]}]
    if place == 4:
        entry = {"test_text": text, "test_gt": [], "test_failure": HOSTILE}
    return entry


def as_yaml(value):
    """JSON as YAML reads it: characters beyond U+FFFF as they are, the line break that JSON takes for a letter escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\u2028", "\\u2028")


def write_log(folder, n_items):
    """A log of the example's items, as JSON, which is YAML too. Returns its entries."""
    ids = [line.rsplit("\t", 1)[1] for line in (support.ROOT / "configs/example/dev.tsv").read_text().splitlines()]
    texts = ["a plain text", HOSTILE, "tea, and a word " * 30, "short"]
    entries = {key: make_entry(place, texts[place % len(texts)]) for place, key in enumerate(sorted(ids)[:n_items])}
    folder.mkdir(parents=True)
    lines = ["experiment_0:", *(f"  {key}: {as_yaml(entry)}" for key, entry in entries.items())]
    (folder / "indexed_metrics.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    settings = {"distribution": "baseline", "model_name_or_path": HOSTILE, "test_splits": ["dev"], "shot": 0, "seed": 0,
                "root_dir": "configs/example",
                "emotion_clustering_json": "configs/example/emotion_clustering.json"}
    (folder / "params.yml").write_text(f"experiment_0: {as_yaml(settings)}\n", encoding="utf-8")
    return entries


def make_looks(entries):
    """Lines as labelprobe inspect writes them of these items, of a model of two layers: numbers of which each item has others."""
    labels = [*LABELS[:6], HOSTILE, "none"]

    def row(*seeds):
        return [((sum(seeds) + 3) * (k + 2) * 7 % 23 - 11) / 4 for k in range(len(labels))]
    lines = []
    for place, (key, entry) in enumerate(entries.items()):
        steps = [{"step": t + 1, "index": t, "logits": row(place, t, 2), "log_sum_exp": 9.0, "lens": [row(place, t, l) for l in range(3)],
                  "lens_log_sum_exp": [9.0] * 3, "lens_ranks": [[k + l + 1 for k in range(len(labels))] for l in range(3)],
                  "parts": [row(place, t, part, 5) for part in range(5)],
                  "text_parts": [{"name": name, "n_positions": 4, "attention": [0.25, 0.5], "adds": [row(place, 8), row(t, 9)],
                                  "knocked_out": row(place, t, len(name))} for name in ("first_token", "input")]}
                 for t in range(len(entry.get("test_all_scores", [])))]
        lines.append({"id": key, "answer": entry.get("test_outs"), "labels": labels, "steps": steps}
                     if "test_failure" not in entry else {"id": key, "failure": "too long"})
    return lines

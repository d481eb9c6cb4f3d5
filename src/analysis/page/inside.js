// What `labelprobe inspect` has seen inside the model at every label step of an item.

const kMostLines = 4;  // as many as there are marks
const kPartNames = {
  first_token: "first token",
  instruction: "instruction",
  demonstrations: "demonstrations",
  input: "the item's text",
  rest: "rest of the template",
  answer: "answer so far"
};

function insideView(run, item) {
  if (!item.inside || item.inside.length === 0) return null;
  const steps = item.inside.map(
      (step, i) =>
          [make("h4", {}, `Step ${i + 1}: ${writtenAt(run, step)}`),
           make("div", {class: "charts"}, lensChart(run, item.inside, i), layerChart(run, step)),
           ...textParts(run, step), rankTable(step)]);
  return folded("Inside the model", ...steps.flat());
}

function writtenAt(run, step) {
  return run.label_lists[step.labels][step.written];
}

// Probabilities among the labels, were the output head to follow each layer: of the label that is written here, the one
// that is written next, and the likeliest others.
function lensChart(run, steps, i) {
  const step = steps[i], labels = run.label_lists[step.labels];
  const next = i + 1 < steps.length ? labels.indexOf(writtenAt(run, steps[i + 1])) : -1;
  const last = step.lens.length - 1;
  const others = labels.map((_, label) => label).sort((a, b) => step.lens[last][b] - step.lens[last][a]);
  const chosen = [...new Set([step.written, next, ...others])].filter((label) => label >= 0).slice(0, kMostLines);
  const title = (label) => labels[label] +
      (label === step.written ? ", written here" :
           label === next     ? ", written next" :
                                "");
  const series =
      chosen.map((label) => ({
                   title: title(label),
                   points: step.lens.map(
                       (layer, l) => [l, layer[label] / 1000, l === 0 ? "behind the embedding" : `behind layer ${l}`])
                 }));
  return lineChart("Lens: probability among the labels, were the output head to follow each layer (untuned)", series, {
    xTitle: "layer",
    yTitle: "probability",
    xTicks: [0, 0.25, 0.5, 0.75, 1].map((part) => Math.round(part * last)),
    xRange: [0, Math.max(1, last)]
  });
}

// Bars up and down from a middle line, attention and MLP of each layer side by side.
function layerChart(run, step) {
  const title = `What each layer adds to ${writtenAt(run, step)}, beyond the mean over the labels`;
  const parts = [
    {title: "attention", values: step.attention.map((value) => value / 100)},
    {title: "MLP", values: step.mlp.map((value) => value / 100)}
  ];
  const largest = Math.max(0.01, ...parts.flatMap(({values}) => values.map(Math.abs)));
  const n = step.attention.length, width = (kWidth - kLeft - kRight) / n;
  const y = (value) => kTop + (1 - value / largest) / 2 * (kHeight - kTop - kBottom);
  const picture = draw("svg", {viewBox: `0 0 ${kWidth} ${kHeight}`, role: "img", "aria-label": title});
  for (const tick of [-largest, 0, largest]) {
    picture.append(
        draw("line", {class: "grid", x1: kLeft, x2: kWidth - kRight, y1: y(tick), y2: y(tick)}),
        draw("text", {x: kLeft - 6, y: y(tick) + 4, "text-anchor": "end"}, tick.toFixed(1)));
  }
  for (const layer of [1, Math.round((n + 1) / 2), n]) {
    picture.append(draw(
        "text", {x: kLeft + (layer - 0.5) * width, y: kHeight - kBottom + 18, "text-anchor": "middle"}, String(layer)));
  }
  picture.append(
      draw("text", {x: (kLeft + kWidth - kRight) / 2, y: kHeight - 8, "text-anchor": "middle"}, "layer"),
      ...parts.flatMap(
          ({values}, i) => values.map(
              (value, layer) => draw(
                  "rect", {
                    x: kLeft + (layer + 0.1 + 0.4 * i) * width,
                    width: 0.4 * width,
                    y: Math.min(y(0), y(value)),
                    height: Math.abs(y(value) - y(0)),
                    style: `fill: var(${kColours[i]})`
                  },
                  draw("title", {}, `${parts[i].title} of layer ${layer + 1}: ${signed(value)}`)))));
  const rows = step.attention.map((_, layer) => [layer + 1, ...parts.map(({values}) => signed(values[layer]))]);
  return make(
      "figure", {class: "chart"}, make("figcaption", {}, title), picture, legend(parts),
      folded("Numbers", table(title, ["layer", ...parts.map((part) => part.title)], rows)));
}

function signed(value) {
  return (value > 0 ? "+" : "") + shown(value);
}

function rankTable(step) {
  if (!step.ranks) return null;
  const rows = step.ranks.map((rank, layer) => [layer === 0 ? "embedding" : layer, rank]);
  return folded("Place of the written label's token among all tokens", table("Ranks", ["behind layer", "place"], rows));
}

// Attention to the parts of the text, and what the label would be without each.
function textParts(run, step) {
  if (step.parts.length === 0) return [];
  const label = writtenAt(run, step);
  const whole = step.lens[step.lens.length - 1][step.written] / 1000;
  const hasAttention = step.parts.some((part) => "attention" in part);
  const hasKnockouts = step.parts.some((part) => part.without);
  const rows = step.parts.map((part) => {
    const cells = [make("th", {scope: "row"}, kPartNames[part.name] || part.name), part.n_tokens];
    if (hasAttention) cells.push(barCell(part.attention), signed(part.adds));
    if (hasKnockouts && part.without) {
      const without = part.without[step.written] / 1000;
      const top = part.without.indexOf(Math.max(...part.without));
      cells.push(
          barCell(without), differenceCell(without - whole),
          top === step.written ? kBlank : run.label_lists[step.labels][top]);
    }
    return cells;
  });
  const headers = [
    "", "tokens", ...(hasAttention ? ["attention to it", `adds to ${label}`] : []),
    ...(hasKnockouts ? [`${label} without it`, "change", "other label first"] : [])
  ];
  return [
    make(
        "p", {class: "faint"},
        "Parts of the text: the attention they get (mean over layers and heads), and the label without it."),
    table("Parts of the text", headers, rows, "bars")
  ];
}

// The figures above the items: of the run that is chosen there.

function showFigures(box, run) {
  const parts = [labelFigure(run), stepFigure(run), calibrationFigure(run)].filter(Boolean);
  box.replaceChildren(
      make("p", {class: "faint"}, `Of ${run.short}, the items in this file.`),
      ...(parts.length > 0 ? parts : [make("p", {}, "There is nothing to draw.")]));
}

// How often labels are gold and predicted, chosen by people, and how probable they are.
function labelFigure(run) {
  const items = run.ownItems.filter((item) => !item.failure);
  if (run.words.length > 0 || items.length === 0) return null;
  const steps = items.map((item) => firstStep(run, item)).filter((step) => step.size > 0);
  const votes = [...run.votesOf.values()].filter(Boolean);
  const rows = run.labels.map((label) => {
    const place = run.set ? run.set.labels.indexOf(label) : -1;
    return [
      make("th", {scope: "row"}, label), barCell(mean(items.map((item) => item.gold.includes(label) ? 1 : 0)), "votes"),
      votes.length > 0 ? barCell(mean(votes.map((vote) => vote[place + 1])), "votes") : null,
      barCell(mean(items.map((item) => item.predicted.includes(label) ? 1 : 0))),
      steps.length > 0 ? barCell(mean(steps.map((step) => step.get(label)).filter(isNumber))) : null
    ].filter(Boolean);
  });
  const headers = [
    "", "gold", votes.length > 0 ? `${run.voted}, mean` : null, "predicted",
    steps.length > 0 ? "first step, mean" : null
  ];
  return make(
      "figure", {class: "chart wide"},
      make("figcaption", {}, `Labels: shares of items, ${run.voted} and probabilities`),
      table("Labels", headers.filter((header) => header !== null), rows, "bars"));
}

// The largest and the second probability, by the rank of the label step.
function stepFigure(run) {
  const atRank = [];
  for (const item of run.ownItems) {
    if (run.words.length > 0 || !item.steps) continue;
    item.steps.forEach((step, rank) => {
      const sorted = step.p.slice(1).filter(isNumber).sort((a, b) => b - a);
      (atRank[rank] ||= []).push(sorted);
    });
  }
  if (atRank.length < 2) return null;  // a point is no figure
  const line = (title, place) => ({
    title,
    points: atRank
                .map((all, rank) => {
                  const values = all.map((sorted) => sorted[place]).filter(isNumber);
                  return [rank + 1, mean(values), `${values.length} steps`];
                })
                .filter(([, value]) => isNumber(value))
  });
  const ranks = atRank.map((_, rank) => rank + 1);
  return lineChart(
      "Label steps: mean of the largest and of the second probability", [line("largest", 0), line("second", 1)],
      {xTitle: "label step", yTitle: "mean probability", xTicks: ranks, xRange: [0.5, ranks.length + 0.5]});
}

// Probabilities in tenths against the mean share of votes, or soft label, there.
function calibrationFigure(run) {
  const voted = run.set ? run.examples.map((id, i) => [i, run.votesOf.get(id)]).filter(([, votes]) => votes) : [];
  if (voted.length === 0) return null;
  const series = [];
  if (run.words.length === 0) {
    const pairs = [];
    for (const item of run.ownItems) {
      const votes = votesOf(run, item);
      if (item.failure || votes.size === 0) continue;
      for (const [label, value] of firstStep(run, item))
        if (votes.has(label) && isNumber(value)) pairs.push([value, votes.get(label)]);
    }
    series.push(binned("first label step", pairs));
  }
  for (const {title, of} of run.estimates.filter((estimate) => estimate.title !== "Hard Predictions")) {
    series.push(
        binned(title, voted.flatMap(([i, votes]) => of[i] ? of[i].map((value, k) => [value, votes[k + 1]]) : [])));
  }
  // Where an item has one label step, some estimates are the step itself.
  const spelled = series.map(({points}) => points.map(([x, y]) => `${x.toFixed(3)} ${y.toFixed(3)}`).join());
  const drawn =
      series.filter(({points}, i) => points.length > 0 && spelled.indexOf(spelled[i]) === i).slice(0, kColours.length);
  if (drawn.length === 0) return null;
  const against = run.set.are_shares ? "soft labels" : "shares of votes";
  return lineChart(`Calibration: probabilities against ${against}, in tenths`, drawn, {
    xTitle: "mean probability",
    yTitle: run.set.are_shares ? "mean soft label" : "mean share of votes",
    xTicks: [0, 0.25, 0.5, 0.75, 1],
    xRange: [0, 1],
    hasDiagonal: true
  });
}

function binned(title, pairs) {
  const bins = Array.from({length: 10}, () => []);
  for (const pair of pairs)
    if (isNumber(pair[0])) bins[Math.min(9, Math.max(0, Math.floor(pair[0] * 10)))].push(pair);
  return {
    title,
    points: bins.filter((bin) => bin.length > 0)
                .map(
                    (bin) =>
                        [mean(bin.map(([value]) => value)), mean(bin.map(([, share]) => share)),
                         `${bin.length} labels of examples`])
  };
}

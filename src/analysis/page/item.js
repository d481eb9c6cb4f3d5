// One item: its text, the votes beside the model's distributions, answer, readouts and prompt; alone or beside the
// same item of another run.

// Rows are labels, columns {title, kind, values}.
function labelTable(run, item, name, columns) {
  const filled = columns.filter(({values}) => values.size > 0);
  if (filled.length === 0) return null;
  const labels = inOrder(run, filled.flatMap(({values}) => [...values.keys()]));
  const rows = labels.map(
      (label) => [labelHead(item, label), ...filled.map(({values, kind}) => barCell(values.get(label), kind))]);
  return table(name, ["", ...filled.map(({title}) => title)], rows, "bars");
}

function labelHead(item, label) {
  const isNone = label === "none";
  const isGold = item.gold.includes(label) || (isNone && item.gold.length === 0);
  const isPredicted = (item.predicted || []).includes(label);
  const marks = [isGold ? "gold" : "", isPredicted ? "predicted" : ""].filter(Boolean).join(", ");
  return make(
      "th", {scope: "row", class: isGold ? "gold" : ""}, label,
      marks ? make("span", {class: "faint"}, ` (${marks})`) : null);
}

function itemBadges(run, item) {
  const badge = (text, isAlarm) => make("span", {class: isAlarm ? "badge alarm" : "badge"}, text);
  const right = isRight(run, item);
  return make(
      "p", {}, item.failure ? badge("failed", true) : null,
      right === null ? null : badge(right ? "right" : "not the gold labels", false),
      !item.failure && item.steps.length === 0 && !item.stated ? badge("no label in the answer", true) : null,
      item.source && item.source !== "listed" ?
          badge(item.source === "searched" ? "not in the format: labels searched for" : "answer says nothing", true) :
          null,
      item.cut_off ? badge("ends inside a label", true) : null);
}

function facts(pairs) {
  return make(
      "dl", {},
      pairs.filter(([, value]) => value !== null && value !== undefined && value !== "")
          .flatMap(([title, value]) => [make("dt", {}, title), make("dd", {}, value)]));
}

function answerFacts(run, item) {
  const votes = run.votesOf.get(item.example);
  return facts([
    ["asked about", item.asked && item.asked.join(" or ")], ["annotator", item.annotator], ["gold", listed(item.gold)],
    ["votes of", votes && !run.set.are_shares ? `${votes[0]} annotators` : null], ["failed", item.failure],
    ["predicted", item.failure ? null : listed(item.predicted)],
    [
      "answer",
      item.failure ? null : make("pre", {}, item.answer || "(nothing)", make("span", {class: "faint"}, item.rest || ""))
    ],
    ["reasoning", item.reasoning && make("pre", {}, item.reasoning)]
  ]);
}

// What the model says at every step, beside the votes.
function stepTable(run, item) {
  const columns = (item.steps || []).map((step, i) => ({title: `step ${i + 1}`, values: asMap(run, step.p)}));
  for (const place of ["greedy", "first", "healed"])
    columns.push({title: `${place}, of the vocabulary`, values: wordsAt(run, item, place)});
  for (const [name, values] of Object.entries(item.stated || {}))
    columns.push({title: name.replaceAll("_", " "), values: asMap(run, values)});
  if (run.words.length === 0) columns.unshift({title: run.voted, kind: "votes", values: votesOf(run, item)});
  const title = run.words.length > 0 ? "Answer words" : `${capitalized(run.voted)} and label steps`;
  const filled = labelTable(run, item, title, columns);
  return filled ? [make("h4", {}, title), filled] : [];
}

// What estimators make of the whole example, which may be of several items.
function estimateTable(run, item) {
  const at = run.placeOf.get(item.example);
  const columns = [{title: run.voted, kind: "votes", values: votesOf(run, item)}];
  for (const {title, of} of run.estimates) {
    columns.push({title, values: new Map(of[at] ? run.set.labels.map((label, i) => [label, of[at][i]]) : [])});
  }
  if (columns.length === 1 || columns.slice(1).every(({values}) => values.size === 0)) return [];
  const target = run.words.length === 0 ? item : {...item, gold: [], predicted: []};
  return [
    make("h4", {}, "Estimates of the example"), labelTable(run, target, "Estimates of the example", columns),
    metricTable(run, at)
  ];
}

// A row per method, a column per metric.
function metricTable(run, at) {
  const measures = run.measures.filter(({of}) => isNumber(of[at]));
  if (measures.length === 0) return null;
  const methods = [...new Set(measures.map(({method}) => method))],
        metrics = [...new Set(measures.map(({metric}) => metric))];
  const value = (method, metric) => measures.find((one) => one.method === method && one.metric === metric)?.of[at];
  return folded(
      "Metrics of the example",
      table(
          "Metrics of the example", ["", ...metrics],
          methods.map((method) => [method, ...metrics.map((metric) => shown(value(method, metric)))])));
}

function folded(title, ...content) {
  return make("details", {}, make("summary", {}, title), content);
}

function stepDetails(item) {
  if (!item.steps || item.steps.length === 0) return null;
  const rows = item.steps.map(
      (step, i) =>
          [`step ${i + 1}`, step.index ?? kBlank, step.space === "spaced" ? "space before" : step.space || kBlank,
           shown(step.label_mass ?? NaN),
           (step.top_tokens || [])
                   .map(([text, p]) => JSON.stringify(text) + (isNumber(p) ? ` ${shown(p)}` : ""))
                   .join("  ") ||
               kBlank]);
  return folded(
      "Steps: tokens and mass",
      table("Steps", ["", "token", "form", "label mass", "likeliest tokens of the vocabulary"], rows));
}

const kReadoutParts = new Set(["name", "params", "normalisation", "p", "lower", "upper", "stderr", "sets"]);
const kPartTitles = {
  empty: "the answer that lists nothing",
  off_format: "off format",
  unexplored: "unexplored",
  label_mass: "label mass",
  n_extra_tokens: "tokens computed for it",
  n_nodes: "beginnings looked at",
  n_samples: "answers drawn"
};
const kRelativeTo = {
  vocab: "everything the model may write",
  labelset: "the labels alone",
  answer: "the answers of the format"
};

function readoutView(run, item, readout) {
  const [p, lower, upper, errors] = ["p", "lower", "upper", "stderr"].map((part) => asMap(run, readout[part]));
  const headers = [
    "", "probability", lower.size > 0 ? "lower" : null, upper.size > 0 ? "upper" : null,
    errors.size > 0 ? "standard error" : null
  ];
  const rows =
      inOrder(run, [...p.keys()])
          .map(
              (label) => [labelHead(item, label),
                          barCell(p.get(label), "", lower.size > 0 ? [lower.get(label), upper.get(label)] : null),
                          lower.size > 0 ? shown(lower.get(label)) : null,
                          upper.size > 0 ? shown(upper.get(label)) : null,
                          errors.size > 0 ? shown(errors.get(label)) : null]
                             .filter((cell) => cell !== null));
  const numbers = Object.entries(readout).filter(
      ([part, value]) => !kReadoutParts.has(part) && typeof value !== "object" && value !== 0);
  const others =
      Object.entries(readout).filter(([part, value]) => !kReadoutParts.has(part) && typeof value === "object");
  return folded(
      `Readout ${readout.name}`, facts([
        ["relative to", kRelativeTo[readout.normalisation]], ["settings", readout.params],
        ...numbers.map(
            ([
              part, value
            ]) => [kPartTitles[part] || part.replaceAll("_", " "), isNumber(value) ? shown(value) : String(value)])
      ]),
      p.size > 0 ? table(readout.name, headers.filter((header) => header !== null), rows, "bars") : null,
      readout.sets ? table(
                         `${readout.name}: label sets`, ["label set", "probability"],
                         readout.sets.map((set) => [listed(set.labels), barCell(set.p)]), "bars") :
                     null,
      others.map(
          ([part, value]) => folded(part.replaceAll("_", " "), make("pre", {}, JSON.stringify(value, null, 1)))));
}

function promptView(run, item) {
  if (!item.prompt) return null;
  const lines = item.prompt.map((line) => run.lines[line]);
  const shared = lines.slice(0, run.n_shared).join("\n");
  return folded(
      `Prompt, ${item.n_prompt_tokens} tokens`,
      run.n_shared > 0 ? folded(
                             `The beginning that all prompts share: ${run.n_shared} lines, ${shared.length} characters`,
                             make("pre", {}, shared)) :
                         null,
      make("pre", {}, lines.slice(run.n_shared).join("\n")));
}

// The other questions about the item's example, of runs that ask several.
function siblings(run, item, onopen) {
  const items = run.byExample.get(item.example);
  if (items.length < 2) return null;
  const link = (one) => one === item || !onopen ? one.id :
                                                  make(
                                                      "td", {},
                                                      make(
                                                          "a", {
                                                            href: "#items",
                                                            onclick: (event) => {
                                                              event.preventDefault();
                                                              onopen(one.id);
                                                            }
                                                          },
                                                          one.id));
  const rows = items.map(
      (one) => [link(one), one.annotator || listed(one.asked), one.failure ? "failed" : listed(one.predicted)]);
  return folded(
      `All ${items.length} questions about this example`,
      table("Questions about this example", ["item", "asked about", "predicted"], rows));
}

function itemView(run, item, hasText, onopen) {
  return [
    itemBadges(run, item), hasText ? make("div", {class: "text"}, item.text || "(no text in the log)") : null,
    answerFacts(run, item), stepTable(run, item), estimateTable(run, item), stepDetails(item),
    (item.readouts || []).map((readout) => readoutView(run, item, readout)), insideView(run, item),
    siblings(run, item, onopen), promptView(run, item)
  ].flat();
}

function differenceTable(run, item, other, twin) {
  const ours = firstStep(run, item), theirs = firstStep(other, twin);
  const labels = inOrder(run, [...ours.keys()]).filter((label) => theirs.has(label));
  if (labels.length === 0) return [];
  const rows = labels.map(
      (label) =>
          [labelHead(item, label), barCell(ours.get(label)), barCell(theirs.get(label)),
           differenceCell(theirs.get(label) - ours.get(label))]);
  return [
    make("h4", {}, "First label step, both runs"),
    table("First label step, both runs", ["", "this run", "beside it", "difference"], rows, "bars")
  ];
}

// What the other run says of the same item, or of its example where it asks in another way.
function besideView(other, item) {
  const twin = other.byKey.get(item.id);
  if (twin) return itemView(other, twin, twin.text !== item.text);
  const items = other.byExample.get(item.example);
  if (!items) return [make("p", {class: "faint"}, "This run has nothing about the example.")];
  return [estimateTable(other, items[0]), siblings(other, items[0])].flat();
}

function showItem(box, data, state, run, other, item, onopen, onback) {
  const back = make("button", {type: "button", id: "back", onclick: onback}, "Back to the list");
  if (!item) {
    box.replaceChildren(make("p", {class: "faint"}, "No item is open. Choose one in the list."));
    return;
  }
  const title = make("h3", {}, item.id);
  if (!other) {
    box.replaceChildren(back, title, ...itemView(run, item, true, onopen).filter(Boolean));
    return;
  }
  const twin = other.byKey.get(item.id);
  const name = (one, place) => make("h4", {}, `Run ${Number(place) + 1}: ${one.short}`);
  box.replaceChildren(
      back, title, make("div", {class: "text"}, item.text || "(no text in the log)"),
      ...(twin ? differenceTable(run, item, other, twin) : []),
      make(
          "div", {class: "beside"}, make("div", {}, name(run, state.run), itemView(run, item, false, onopen)),
          make("div", {}, name(other, state.beside), besideView(other, item).filter(Boolean))));
}

// Every number that items can be filtered and sorted by: {key, group, title, of(item)}. Keys stand in links.

function numbersOf(run, other) {
  const numbers = [];
  const add = (group, key, title, of) => numbers.push({group, key, title, of});
  const has = (test) => run.items.some(test);
  addPlain(run, add, has);
  addFirstStep(run, add, has);
  addWords(run, add, has);
  addStated(run, add, has);
  addReadouts(run, add);
  addExamples(run, add);
  if (other) addDifferences(run, other, add);
  return numbers;
}

function addPlain(run, add, has) {
  add("Item", "place", "place in the log", (item) => item.place);
  add("Item", "length", "characters of the text", (item) => item.text.length);
  if (has((item) => item.n_prompt_tokens))
    add("Item", "prompt_tokens", "tokens of the prompt", (item) => item.n_prompt_tokens);
  add("Item", "answer_tokens", "tokens of the answer", (item) => item.n_answer_tokens);
  add("Item", "n_gold", "gold labels", (item) => item.gold.length);
  add("Item", "n_predicted", "predicted labels", (item) => item.predicted && item.predicted.length);
}

function addFirstStep(run, add, has) {
  if (!has((item) => item.steps && item.steps.length > 0)) return;
  const group = "First label step";
  const sorted = (item) => [...firstStep(run, item).values()].sort((a, b) => b - a);
  add(group, "n_steps", "number of label steps", (item) => item.steps && item.steps.length);
  add(group, "top", "largest probability", (item) => sorted(item)[0]);
  add(group, "margin", "largest minus second", (item) => {
    const p = sorted(item);
    return p.length > 1 ? p[0] - p[1] : NaN;
  });
  add(group, "entropy", "entropy, in nats", (item) => {
    const p = sorted(item);
    return p.length > 0 ? entropy(p) : NaN;
  });
  if (has((item) => item.steps && item.steps.some((step) => "label_mass" in step))) {
    add(group, "mass", "label mass, of the vocabulary",
        (item) => item.steps && item.steps.length > 0 ? item.steps[0].label_mass : NaN);
  }
  if (has((item) => item.steps && item.steps.some((step) => "index" in step))) {
    add(group, "first_token", "tokens before it",
        (item) => item.steps && item.steps.length > 0 ? item.steps[0].index : NaN);
  }
  for (const label of labelsIn(run, (item) => item.steps && item.steps.length > 0 ? [item.steps[0].p] : [])) {
    add(group, `p.${label}`, `probability of ${label}`, (item) => firstStep(run, item).get(label));
  }
  if (!has((item) => item.steps && item.steps.length > 1)) return;
  for (const label of labelsIn(run, (item) => item.steps ? item.steps.map((step) => step.p) : [])) {
    add("Largest over all label steps", `max.${label}`, `probability of ${label}`, (item) => {
      const values = (item.steps || []).map((step) => asMap(run, step.p).get(label)).filter(isNumber);
      return values.length > 0 ? Math.max(...values) : NaN;
    });
  }
}

// The labels that lists of numbers of any item are about.
function labelsIn(run, listsOf) {
  const used = new Set();
  for (const item of run.items)
    for (const list of listsOf(item))
      if (list) used.add(list[0]);
  return inOrder(run, [...used].flatMap((place) => run.label_lists[place]));
}

function addWords(run, add, has) {
  for (const place of ["greedy", "first", "healed"]) {
    if (!has((item) => item.words && item.words[place])) continue;
    const group = `Answer words, ${place}`;
    for (const word of run.words) {
      add(group, `${place}.${word}`, `share of ${word}`, (item) => {
        const words = wordsAt(run, item, place);
        return words.size > 0 ? words.get(word) / sum([...words.values()]) : NaN;
      });
    }
    add(group, `${place}.mass`, "mass of both, of the vocabulary", (item) => {
      const words = wordsAt(run, item, place);
      return words.size > 0 ? sum([...words.values()]) : NaN;
    });
  }
}

function addStated(run, add, has) {
  for (const name of ["reported", "expected", "number_mass"]) {
    if (!has((item) => item.stated && item.stated[name])) continue;
    for (const label of labelsIn(run, (item) => [item.stated && item.stated[name]])) {
      add(`Stated: ${name}`, `${name}.${label}`, label,
          (item) => asMap(run, item.stated && item.stated[name]).get(label));
    }
  }
}

function addReadouts(run, add) {
  const names = [...new Set(run.items.flatMap((item) => (item.readouts || []).map((readout) => readout.name)))];
  for (const name of names) {
    const of = (item) => (item.readouts || []).find((readout) => readout.name === name) || {};
    const group = `Readout ${name}`;
    for (const label of labelsIn(run, (item) => [of(item).p])) {
      add(group, `${name}.${label}`, `probability of ${label}`, (item) => asMap(run, of(item).p).get(label));
    }
    for (const part of ["empty", "off_format", "unexplored", "label_mass", "n_extra_tokens", "n_nodes"]) {
      if (run.items.some((item) => isNumber(of(item)[part]))) {
        add(group, `${name}.${part}`, kPartTitles[part], (item) => of(item)[part]);
      }
    }
  }
}

// What is known of the item's example: votes, estimates, metrics.
function addExamples(run, add) {
  if (run.set && run.votesOf.size > 0 && [...run.votesOf.values()].some((votes) => votes)) {
    const group = capitalized(run.voted);
    if (!run.set.are_shares) add(group, "annotators", "annotators", (item) => (run.votesOf.get(item.example) || [])[0]);
    add(group, "votes_entropy", "disagreement: entropy of the shares, in nats", (item) => {
      const votes = votesOf(run, item);
      return votes.size > 0 ? entropy([...votes.values()]) : NaN;
    });
    for (const label of run.set.labels)
      add(group, `votes.${label}`, `share of ${label}`, (item) => votesOf(run, item).get(label));
  }
  const at = (list, item) => list.of[run.placeOf.get(item.example)];
  for (const measure of run.measures) {
    const title = `${measure.method}: ${measure.metric}`;
    add("Metrics of the example", title, title, (item) => at(measure, item) ?? NaN);
  }
  for (const estimate of run.estimates) {
    run.set.labels.forEach((label, i) => {
      add(`Estimate ${estimate.title}`, `${estimate.title}.${label}`, label, (item) => (at(estimate, item) || [])[i]);
    });
  }
}

function addDifferences(run, other, add) {
  const differences = (item) => {
    const twin = other.byKey.get(item.id);
    const theirs = twin ? firstStep(other, twin) : new Map();
    const ours = firstStep(run, item);
    if (ours.size === 0 || theirs.size === 0) return [];
    return [...ours].filter(([label]) => theirs.has(label)).map(([label,
                                                                  value]) => Math.abs(value - theirs.get(label)));
  };
  const of = (reduce) => (item) => {
    const all = differences(item);
    return all.length > 0 ? reduce(all) : NaN;
  };
  add("Against the run beside it", "l1", "first step: sum of differences", of(sum));
  add("Against the run beside it", "most", "first step: largest difference", of((all) => Math.max(...all)));
}

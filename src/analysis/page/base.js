// Small helpers, and the data that the page carries. Texts of the data get into the page as text nodes only.

const kBlank = "–";

function find(id) {
  return document.getElementById(id);
}

// An element with attributes, listeners ("onclick") and children; children that are null are left out.
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on"))
      element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false)
      element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

function isNumber(value) {
  return typeof value === "number" && !Number.isNaN(value);
}

// A number as people read it: three digits behind the point, or a power of ten.
function shown(value) {
  if (!isNumber(value)) return kBlank;
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) < 0.0005 ? value.toExponential(1) : value.toFixed(3);
}

function listed(names) {
  return names && names.length > 0 ? names.join(", ") : "none";
}

function capitalized(word) {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

function mean(numbers) {
  return numbers.length === 0 ? NaN : sum(numbers) / numbers.length;
}

// In nats; the numbers need not sum to 1.
function entropy(numbers) {
  const total = sum(numbers);
  return total > 0 ? -sum(numbers.map((number) => number > 0 ? (number / total) * Math.log(number / total) : 0)) : NaN;
}

// A list of numbers per label, as the data have it: [number of the labels' list, numbers..].
function asMap(run, numbers) {
  return new Map(numbers ? run.label_lists[numbers[0]].map((label, i) => [label, numbers[i + 1]]) : []);
}

// Labels in the order of the data set where it is known, then what else there is.
function inOrder(run, labels) {
  const order = run.set ? run.set.labels : [];
  const place = (label) => order.includes(label) ? order.indexOf(label) : order.length;
  return [...new Set(labels)].sort((a, b) => place(a) - place(b) || (a < b ? -1 : a > b ? 1 : 0));
}

async function readData() {
  const text = find("data").textContent;
  const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return connect(JSON.parse(await new Response(stream).text()));
}

// Looks up once what the views ask for again and again.
function connect(data) {
  for (const run of data.runs) {
    run.set = run.votes === null ? null : data.votes[run.votes];
    run.voted = run.set && run.set.are_shares ? "soft labels" : "votes";
    run.placeOf = new Map(run.examples.map((id, i) => [id, i]));
    run.votesOf = new Map(run.set ? run.set.examples.map((id, i) => [id, run.set.of[i]]) : []);
    run.ownItems = run.items.filter((item) => !item.annotator);
    run.byKey = new Map(run.items.map((item) => [item.id, item]));
    run.byExample = new Map();
    run.items.forEach((item, i) => {
      item.place = i;
      item.haystack = `${item.id}\n${item.text}\n${item.answer || ""}`.toLowerCase();
      if (!run.byExample.has(item.example)) run.byExample.set(item.example, []);
      run.byExample.get(item.example).push(item);
    });
    const named = run.words.length > 0 ? run.items.flatMap((item) => item.asked || []) : run.label_lists.flat();
    run.labels = run.set ? run.set.labels : inOrder(run, [...named, ...run.items.flatMap((item) => item.gold)]);
  }
  shorten(data.runs);
  return data;
}

// Names of runs without the folders that all of them are in, and without the number of a first experiment.
function shorten(runs) {
  const parts = runs.map(({name}) => name.replace(/, experiment 0$/, "").split("/"));
  const isCommon = (i) => parts.every((one) => i < one.length - 1 && one[i] === parts[0][i]);
  let n = 0;
  while (isCommon(n)) n++;
  runs.forEach((run, i) => {
    run.short = parts[i].slice(n).join("/");
  });
}

// label -> share of the annotators of the item's example, or its soft label; empty where there is neither.
function votesOf(run, item) {
  const votes = run.votesOf.get(item.example);
  return new Map(votes ? run.set.labels.map((label, i) => [label, votes[i + 1]]) : []);
}

function firstStep(run, item) {
  return item.steps && item.steps.length > 0 ? asMap(run, item.steps[0].p) : new Map();
}

// What the answer words hold at a place of a unary or binary answer, with and without a space before them.
function wordsAt(run, item, place) {
  const reading = item.words && item.words[place];
  if (!reading) return new Map();
  const words = asMap(run, reading.bare);
  for (const [word, value] of asMap(run, reading.spaced)) words.set(word, (words.get(word) || 0) + value);
  return words;
}

// Whether what was predicted is the gold label set; unset where the answer is a word, whose truth is not of labels.
function isRight(run, item) {
  if (item.failure || run.words.length > 0) return null;
  return [...item.gold].sort().join("\n") === [...item.predicted].sort().join("\n");
}

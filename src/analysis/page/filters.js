// What is shown and in which order. The state is a plain object, and the link's fragment is its spelling:
// #items?run=0&beside=1&text=sad&label=joy&in=gold&show=wrong&where=entropy~1~2&sort=entropy&item=x1
// Without a value for a key its default holds.

const kDefaults = {run: "0", beside: "", text: "", label: "", in: "either", show: "all", where: [], sort: "place", down: "", item: ""};

const kPlaces = {
  either: "gold or predicted",
  gold: "gold",
  predicted: "predicted",
  both: "gold and predicted",
  missed: "gold, not predicted",
  invented: "predicted, not gold"
};

const kKinds = {
  all: ["all items", () => true],
  right: ["answers that are right", (item, run) => isRight(run, item) === true],
  wrong: ["answers that are wrong", (item, run) => isRight(run, item) === false],
  unfound: ["no label in the answer", (item) => !item.failure && item.steps.length === 0 && !item.stated],
  searched: ["not in the format asked for", (item) => item.source === "searched" || item.source === "nothing"],
  failed: ["failed items", (item) => Boolean(item.failure)],
  aggregate: ["items of the aggregate", (item) => !item.annotator],
  annotators: ["items of single annotators", (item) => Boolean(item.annotator)],
  inside: ["items seen inside the model", (item) => Boolean(item.inside)],
  differ: [
    "other predictions in the run beside",
    (item, run, other) => {
      const twin = other && other.byKey.get(item.id);
      return Boolean(twin) &&
          [...(twin.predicted || [])].sort().join("\n") !== [...(item.predicted || [])].sort().join("\n");
    }
  ],
};

function readLink() {
  const given = new URLSearchParams(location.hash.replace(/^#items\??/, ""));
  const state = {...kDefaults, where: []};
  if (!location.hash.startsWith("#items?")) return state;
  for (const key of Object.keys(kDefaults)) {
    if (key !== "where" && given.has(key)) state[key] = given.get(key);
  }
  for (const text of given.getAll("where")) {
    const parts = text.split("~");
    const most = parts.pop(), least = parts.pop();
    state.where.push({key: parts.join("~"), least, most});
  }
  return state;
}

function writeLink(state) {
  const given = new URLSearchParams();
  for (const [key, value] of Object.entries(state)) {
    if (key !== "where" && value !== kDefaults[key]) given.set(key, value);
  }
  for (const {key, least, most} of state.where) given.append("where", `${key}~${least}~${most}`);
  const text = given.toString();
  const hash = text ? `#items?${text}` : "#items";
  if (location.hash !== hash) history.replaceState(null, "", hash);
}

function hasLabel(item, label, where) {
  const isGold = item.gold.includes(label), isPredicted = (item.predicted || []).includes(label);
  const isAsked = (item.asked || []).includes(label);
  switch (where) {
    case "gold":
      return isGold;
    case "predicted":
      return isPredicted;
    case "both":
      return isGold && isPredicted;
    case "missed":
      return isGold && !isPredicted;
    case "invented":
      return isPredicted && !isGold;
    default:
      return isGold || isPredicted || isAsked;
  }
}

function isWithin(value, least, most) {
  return isNumber(value) && (least === "" || value >= Number(least)) && (most === "" || value <= Number(most));
}

// The items that the state asks for, in its order. Items without the number they are sorted by come last.
function choose(run, other, numbers, state) {
  const words = state.text.toLowerCase().split(/\s+/).filter(Boolean);
  const byKey = new Map(numbers.map((number) => [number.key, number]));
  const kind = (kKinds[state.show] || kKinds.all)[1];
  const where = state.where.filter(({key, least, most}) => byKey.has(key) && (least !== "" || most !== ""));
  const items = run.items.filter(
      (item) => words.every((word) => item.haystack.includes(word)) &&
          (state.label === "" || hasLabel(item, state.label, state.in)) && kind(item, run, other) &&
          where.every(({key, least, most}) => isWithin(byKey.get(key).of(item), least, most)));
  const number = byKey.get(state.sort) || byKey.get("place");
  const sign = state.down ? -1 : 1;
  const values = new Map(items.map((item) => [item, number.of(item)]));
  items.sort((a, b) => {
    const x = values.get(a), y = values.get(b);
    if (!isNumber(x) || !isNumber(y)) return isNumber(y) - isNumber(x) || a.place - b.place;
    return sign * (x - y) || a.place - b.place;
  });
  return {items, values, number};
}

// --- The form ---

function option(value, title, chosen) {
  return make("option", {value, selected: value === chosen}, title);
}

function select(name, options, onchange) {
  return make("select", {name, onchange}, options);
}

function labelled(title, control) {
  return make("label", {}, title, control);
}

function numberOptions(numbers, chosen) {
  const groups = new Map();
  for (const number of numbers) {
    if (!groups.has(number.group)) groups.set(number.group, make("optgroup", {label: number.group}));
    groups.get(number.group).append(option(number.key, number.title, chosen));
  }
  return [...groups.values()];
}

// One line of bounds for a number.
function boundsOf(condition, i, numbers, change) {
  const set = (key) => (event) => change((state) => {
    state.where[i] = {...state.where[i], [key]: event.target.value};
  });
  const bound = (key, title) => labelled(
      title,
      make("input", {type: "number", step: "any", name: `${key}${i}`, value: condition[key], oninput: set(key)}));
  return make(
      "fieldset", {"aria-label": "Bounds of a number"},
      labelled("number", select(`number${i}`, numberOptions(numbers, condition.key), set("key"))),
      bound("least", "at least"), bound("most", "at most"),
      make(
          "button", {
            type: "button",
            "aria-label": "Remove these bounds",
            onclick: () => change(
                (state) => {
                  state.where.splice(i, 1);
                },
                true)
          },
          "Remove"));
}

// Fills the form anew. `change(mutate, isNewForm)` applies a change of the state.
function fillForm(form, data, run, numbers, state, change) {
  const set = (key, isNewForm) => (event) => change((now) => {
    now[key] = event.target.value;
  }, isNewForm);
  const runs = data.runs.map((one, i) => option(String(i), `${i + 1}: ${one.short}`, state.run));
  const beside = [
    option("", "none", state.beside),
    ...data.runs.map((one, i) => option(String(i), `${i + 1}: ${one.short}`, state.beside))
        .filter((_, i) => String(i) !== state.run)
  ];
  const others = data.runs.length > 1 ? labelled("beside it", select("beside", beside, set("beside", true))) : null;
  const labels =
      [option("", "any label", state.label), ...run.labels.map((label) => option(label, label, state.label))];
  const isThere = {
    differ: state.beside !== "",
    aggregate: run.ownItems.length < run.items.length,
    annotators: run.ownItems.length < run.items.length,
    inside: run.items.some((item) => item.inside)
  };
  const kinds = Object.entries(kKinds).filter(([key]) => isThere[key] ?? true);
  form.replaceChildren(
      ...[data.runs.length > 1 ? labelled("run", select("run", runs, set("run", true))) : null, others,
          labelled(
              "words in text, answer or id",
              make("input", {type: "search", name: "text", value: state.text, oninput: set("text")})),
          labelled("label", select("label", labels, set("label"))),
          labelled(
              "where",
              select("in", Object.entries(kPlaces).map(([key, title]) => option(key, title, state.in)), set("in"))),
          labelled("which", select("show", kinds.map(([key, [title]]) => option(key, title, state.show)), set("show"))),
          labelled("sorted by", select("sort", numberOptions(numbers, state.sort), set("sort"))),
          labelled(
              "order",
              select(
                  "down", [option("", "smallest first", state.down), option("1", "largest first", state.down)],
                  set("down"))),
          ...state.where.map((condition, i) => boundsOf(condition, i, numbers, change)),
          make(
              "button", {
                type: "button",
                onclick: () => change(
                    (now) => {
                      now.where.push({key: state.sort, least: "", most: ""});
                    },
                    true)
              },
              "Add bounds of a number"),
          make(
              "button", {
                type: "button",
                onclick: () => change(
                    (now) =>
                        Object.assign(now, kDefaults, {run: now.run, beside: now.beside, item: now.item, where: []}),
                    true)
              },
              "Clear filters")]
          .filter(Boolean));
}

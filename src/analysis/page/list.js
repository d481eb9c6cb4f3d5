// The list of items. Only rows in sight, and a few around them, are in the page.

const kRowHeight = 76;  // pixels, as in the style
const kSpareRows = 6;

class ItemList {
  constructor(box, onchoose) {
    this.box = box;
    this.rows = make("div", {id: "rows"});
    this.onchoose = onchoose;
    this.chosen = {items: [], values: new Map(), number: {key: "place"}};
    this.at = -1;
    box.replaceChildren(this.rows);
    box.addEventListener("scroll", () => this.draw(), {passive: true});
    new ResizeObserver(() => this.draw()).observe(box);
  }

  // Shows what was chosen; `id` is the item that is open.
  show(run, other, chosen, id) {
    Object.assign(this, {run, other, chosen});
    this.rows.style.height = `${chosen.items.length * kRowHeight}px`;
    this.at = chosen.items.findIndex((item) => item.id === id);
    this.scrollToChosen();
    this.draw();
  }

  get item() {
    return this.chosen.items[this.at];
  }

  // Opens the item at a place, as far as there are places.
  go(place) {
    if (this.chosen.items.length === 0) return;
    this.at = Math.max(0, Math.min(place, this.chosen.items.length - 1));
    this.scrollToChosen();
    this.draw();
    this.onchoose(this.item);
  }

  scrollToChosen() {
    if (this.at < 0) return;
    const top = this.at * kRowHeight;
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    const hidden = top + kRowHeight - this.box.clientHeight;
    if (hidden > this.box.scrollTop) this.box.scrollTop = hidden;
  }

  draw() {
    const n = this.chosen.items.length;
    const first = Math.max(0, Math.floor(this.box.scrollTop / kRowHeight) - kSpareRows);
    const end = Math.min(n, Math.ceil((this.box.scrollTop + this.box.clientHeight) / kRowHeight) + kSpareRows);
    const places = Array.from({length: Math.max(0, end - first)}, (_, i) => first + i);
    // The open item stays in the page, so that what reads aloud finds it.
    if (this.at >= 0 && (this.at < first || this.at >= end)) places.push(this.at);
    this.rows.replaceChildren(...places.map((place) => this.row(place, n)));
    if (this.at >= 0)
      this.box.setAttribute("aria-activedescendant", `row-${this.at}`);
    else
      this.box.removeAttribute("aria-activedescendant");
  }

  row(place, n) {
    const item = this.chosen.items[place];
    const {values, number} = this.chosen;
    const value = number.key === "place" ? `${item.place + 1}` : shown(values.get(item));
    const asked = item.asked ? `${item.asked.join(" or ")}? ` : "";
    const answer = item.failure ? make("span", {class: "alarm"}, "failed") :
                                  `${asked}${listed(item.predicted)} (gold: ${listed(item.gold)})`;
    const twin = this.other && this.other.byKey.get(item.id);
    const beside = twin && !twin.failure && listed(twin.predicted) !== listed(item.predicted) ?
        `; beside: ${listed(twin.predicted)}` :
        "";
    return make(
        "div", {
          class: "row",
          id: `row-${place}`,
          role: "option",
          style: `top: ${place * kRowHeight}px`,
          "aria-selected": String(place === this.at),
          "aria-posinset": place + 1,
          "aria-setsize": n,
          onclick: () => this.go(place)
        },
        make("div", {class: "first"}, make("span", {}, item.id), make("span", {}, value)),
        make("div", {}, item.text || kBlank), make("div", {class: "last"}, answer, beside));
  }
}

// Brings data, link, form, list and item together.

class Page {
  constructor(data) {
    this.data = data;
    this.form = find("filters");
    this.box = find("item");
    this.list = new ItemList(find("list"), (item) => this.open(item.id));
    this.form.addEventListener("submit", (event) => event.preventDefault());
    document.addEventListener("keydown", (event) => this.onKey(event));
    addEventListener("hashchange", () => {
      if (location.hash.startsWith("#items?")) this.restart();
    });
    for (const id of ["filters", "panes", "keys"]) find(id).hidden = false;
    this.restart();
    if (location.hash.startsWith("#items?")) find("items").scrollIntoView();
  }

  // Everything anew from the link.
  restart() {
    this.state = readLink();
    if (!this.data.runs[Number(this.state.run)]) this.state.run = "0";
    if (!this.data.runs[Number(this.state.beside || NaN)] || this.state.beside === this.state.run)
      this.state.beside = "";
    this.refill();
  }

  // Runs may have changed: numbers, form, figures and all that follows.
  refill() {
    if (this.state.beside === this.state.run) this.state.beside = "";
    this.run = this.data.runs[Number(this.state.run)];
    this.other = this.state.beside === "" ? null : this.data.runs[Number(this.state.beside)];
    this.numbers = numbersOf(this.run, this.other);
    if (!this.numbers.some(({key}) => key === this.state.sort)) this.state.sort = "place";
    fillForm(
        this.form, this.data, this.run, this.numbers, this.state,
        (mutate, isNewForm) => this.change(mutate, isNewForm));
    if (this.drawn !== this.run) showFigures(find("charts"), this.drawn = this.run);
    this.refresh();
  }

  change(mutate, isNewForm) {
    mutate(this.state);
    if (isNewForm) {
      const focused = document.activeElement && document.activeElement.name;
      this.refill();
      const again = focused && this.form.elements[focused];
      if (again) again.focus();
    } else {
      this.refresh();
    }
    // Who filters or sorts wants to see what comes first, though another item is open.
    find("list").scrollTop = 0;
  }

  // The filters may have changed: list and item.
  refresh() {
    const chosen = choose(this.run, this.other, this.numbers, this.state);
    find("state").textContent = `${chosen.items.length} of ${this.run.items.length} items`;
    if (!this.run.byKey.has(this.state.item)) this.state.item = chosen.items.length > 0 ? chosen.items[0].id : "";
    this.list.show(this.run, this.other, chosen, this.state.item);
    this.showItem();
    this.isStarted = true;
  }

  showItem() {
    showItem(
        this.box, this.data, this.state, this.run, this.other, this.run.byKey.get(this.state.item),
        (id) => {
          this.open(id);
          this.list.show(this.run, this.other, this.list.chosen, id);
        },
        () => {
          find("list").focus();
          find("list").scrollIntoView();
        });
    // A page that nobody has touched keeps its plain address.
    if (this.isStarted) writeLink(this.state);
  }

  open(id) {
    this.state.item = id;
    this.showItem();
    // On narrow windows the item lies below the list.
    if (matchMedia("(max-width: 60rem)").matches) this.box.scrollIntoView();
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "Escape") {
      event.target.blur();
      find("list").focus();
    } else if (isTyping) {
      return;
    } else if (event.key === "/") {
      this.form.elements.text.focus();
    } else if (!this.onListKey(event)) {
      return;
    }
    event.preventDefault();
  }

  // Arrows belong to the list only where it has the focus, for they scroll the page elsewhere.
  onListKey({key, target}) {
    const last = this.list.chosen.items.length - 1, isInList = target === find("list");
    const page = Math.max(1, Math.floor(find("list").clientHeight / kRowHeight) - 1);
    if (key === "j" || (isInList && key === "ArrowDown"))
      this.list.go(this.list.at + 1);
    else if (key === "k" || (isInList && key === "ArrowUp"))
      this.list.go(this.list.at - 1);
    else if (isInList && key === "PageDown")
      this.list.go(this.list.at + page);
    else if (isInList && key === "PageUp")
      this.list.go(this.list.at - page);
    else if (isInList && key === "Home")
      this.list.go(0);
    else if (isInList && key === "End")
      this.list.go(last);
    else if (isInList && key === "Enter") {
      this.box.focus();
      this.box.scrollIntoView({block: "nearest"});
    } else
      return false;
    return true;
  }
}

// After the first paint, which needs none of the data.
requestAnimationFrame(() => setTimeout(async () => {
                        try {
                          new Page(await readData());
                        } catch (error) {
                          find("state").textContent =
                              `The items cannot be shown: ${error.message}. A browser of 2023 or newer is needed.`;
                          throw error;
                        }
                      }));

// The page of disagreements: how well the people of a session agree, and the items on which they differ.

class Compare {
  // `show(picture, name)` makes a node of a picture, `get(row)` returns one or undefined, `answer(position, v)` gives one's own answer.
  constructor(parent, { get, answer, closed }) {
    Object.assign(this, { get, answer, items: [], asked: false });
    this.box = make("div", "elsa-overlay elsa-compare", parent); this.box.hidden = true;
    this.box.setAttribute("role", "dialog"); this.box.setAttribute("aria-label", "Where people differ");
    const head = make("div", "elsa-head", this.box); make("strong", "", head, "Where people differ");
    const close = make("button", "", head, "Close"); close.type = "button"; close.addEventListener("click", () => { this.close(); closed(); });
    this.said = make("div", "", this.box);
    this.grid = make("div", "elsa-strip elsa-differ", this.box);
  }
  get open() { return !this.box.hidden; }
  close() { this.box.hidden = true; }
  receive({ pairs, items, n }) {
    if (!this.asked && !this.open) return;  // it was closed in the meantime
    this.items = items; this.box.hidden = this.asked = false;
    this.said.replaceChildren(...pairs.map((text) => make("p", "", null, text)));
    this.grid.replaceChildren(...items.map((each) => this.card(each)));
    make("p", "", this.said, n > items.length ? `Of ${n} items on which they differ, these are the first ${items.length}.` : n ? `They differ on ${n}.` : "They differ nowhere.");
    this.fill();
  }
  card({ row, item, labels, position }) {
    const node = make("div", "elsa-card"); node.dataset.row = row; node.title = item;
    make("div", "elsa-shown", node);
    for (const [who, label] of Object.entries(labels)) make("div", "elsa-foot", node, `${MARKS[label]} ${who}`).title = `${who}: ${WORDS[label]}`;
    if (position === null) return node;  // the others were asked this, the person at the screen was not
    const row_ = make("div", "", node);
    for (const [v, mark] of [[1, "✓"], [0, "✕"], [-1, "?"]]) {
      const b = make("button", "", row_, mark); b.type = "button"; b.title = `my answer: ${WORDS[v]}`;
      b.addEventListener("click", () => this.answer(position, v));
    }
    return node;
  }
  fill() {
    for (const node of this.grid.children) {
      const picture = this.get(Number(node.dataset.row));
      if (picture && node.picture !== picture) { node.picture = picture; node.firstChild.replaceChildren(show(picture, node.title)); }
    }
  }
}


// The cards on screen and the events that change it: cards.py, line by line, in the other language.
// Change both or neither: tests/label/test_cards.py puts the same random events to both.

const PASSED = -3, OPEN = -2, UNSURE = -1, NEGATIVE = 0, POSITIVE = 1;
const LABELS = [-1, 0, 1];
const SIZES = [12, 24, 36, 48, 60];

const weight = (position) => (position * 7919) % 1000003 + 1;

class Cards {
  constructor(size = 24) {
    Object.assign(this, { size, labels: [], rounds: [], overviews: [], history: [], undone: [], earlier: {}, later: {}, cursor: 0, open: 0, waiting: false, over: false, check: 0 });
  }

  get starts() {
    const ends = [...this.rounds.slice(1), this.labels.length], found = [];
    this.rounds.forEach((start, i) => { for (let p = start; p < ends[i]; p += this.overviews[i] ? ends[i] - start : this.size) found.push(p); });
    return found;
  }

  roundOf(position) {
    let low = 0, high = this.rounds.length;
    while (low < high) { const middle = (low + high) >> 1; if (this.rounds[middle] <= position) low = middle + 1; else high = middle; }
    return low - 1;
  }

  inOverview(position) { return this.overviews[this.roundOf(position)] ?? false; }

  page(position) {
    const which = this.roundOf(position), start = this.rounds[which], end = this.rounds[which + 1] ?? this.labels.length;
    if (this.overviews[which]) return [start, end];
    const first = start + Math.floor((position - start) / this.size) * this.size;
    return [first, Math.min(first + this.size, end)];
  }

  deal(n, known = [], overview = false, earlier = [], passed = []) {
    const start = this.labels.length;
    for (let i = 0; i < n; i++) this.labels.push(OPEN);
    this.rounds.push(start); this.overviews.push(overview); this.history.push(start); this.undone = []; this.open += n;
    earlier.forEach((card, i) => { this.earlier[start + i] = card; });
    passed.forEach(([position, offset]) => { this.later[position] = start + offset; });
    for (const [offset, label] of known) this.put(start + offset, label);
    this.waiting = this.over = false;
    this.cursor = this.firstOpen(start, start + n, start);
  }

  apply(event) {
    if (event.op === "undo") return this.undo();
    if (this.waiting || !this.labels.length) return [];
    if (Object.hasOwn(MOVES, event.op)) { MOVES[event.op](this, event); return []; }
    if (Object.hasOwn(ANSWERS, event.op)) {
      const changes = ANSWERS[event.op](this, event);
      if (changes.length) {
        if (event.op !== "redo") changes.push(...this.toldEarlier(changes));
        this.history.push(changes.map(([position, old]) => [position, old]));
        this.over = false;
        if (event.op !== "redo") this.undone = [];
      }
      return changes;
    }
    return [];
  }

  cardOf(position) { return this.later[position] ?? position; }

  answerAt(position) {  // what a card shows: for one that was passed, what was answered later
    const label = this.labels[this.cardOf(position)];
    return LABELS.includes(label) ? label : this.labels[position];
  }

  put(position, label) {
    const old = this.labels[position];
    this.labels[position] = label;
    this.open += (label === OPEN) - (old === OPEN);
    this.check += weight(position) * (label - old);
    return [position, old, label];
  }

  toldEarlier(changes) {  // an answer to an item seen again is that of its earlier card
    const told = changes.map(([position, , label]) => [this.earlier[position] ?? null, label]).filter(([p]) => p !== null);
    return told.map(([p, label]) => [this.cardOf(p), label]).map(([p, label]) => this.put(p, LABELS.includes(label) ? label : this.labels[p]));
  }

  putAll(from, to, label) {
    const changes = [];
    for (let i = from; i < to; i++) {
      const p = this.cardOf(i);
      if (this.labels[p] !== label) changes.push(this.put(p, label));
    }
    return changes;
  }

  firstOpen(start, end, otherwise) {
    for (let p = start; p < end; p++) if (this.labels[p] === OPEN) return p;
    return otherwise;
  }

  undo() {
    this.waiting = false;
    if (!this.history.some(Array.isArray)) return [];
    this.over = false;
    let entry;
    let withdrawn = false;
    while (!Array.isArray(entry = this.history.pop())) {
      withdrawn = true;
      for (let p = entry; p < this.labels.length; p++) { this.put(p, OPEN); delete this.earlier[p]; }
      for (const p of Object.keys(this.later)) if (this.later[p] >= entry) delete this.later[p];
      this.open -= this.labels.length - entry;
      this.labels.length = entry;
      this.rounds.pop(); this.overviews.pop();
    }
    this.cursor = entry[0][0];
    const changes = entry.toReversed().map(([position, old]) => this.put(position, old));
    if (withdrawn) this.undone = [];
    this.undone.push(changes.toReversed().map(([position, old]) => [position, old]));
    return changes;
  }
}

const MOVES = {
  move: (d, e) => { d.cursor = Math.max(0, Math.min(d.labels.length - 1, d.cursor + e.by)); },
  goto: (d, e) => { if (e.at >= 0 && e.at < d.labels.length) d.cursor = e.at; },
  turn: (d, e) => {
    const [first, end] = d.page(d.cursor);
    if (e.by > 0 && end < d.labels.length) d.cursor = end;
    else if (e.by < 0 && first > 0) d.cursor = d.page(first - 1)[0];
  },
  next: (d) => {
    const end = d.page(d.cursor)[1];
    if (end < d.labels.length) d.cursor = d.firstOpen(end, d.page(end)[1], end);
    else if (d.open) d.cursor = d.firstOpen(0, d.labels.length, d.cursor);
    else d.waiting = !d.over;
  },
  open: (d) => { d.cursor = d.firstOpen(0, d.labels.length, d.cursor); },
  size: (d, e) => { if (SIZES.includes(e.v)) d.size = e.v; },
};

const ANSWERS = {
  label: (d, e) => {
    if (!LABELS.includes(e.v)) return [];
    const at = d.cursor, changes = d.putAll(at, at + 1, e.v), [first, end] = d.page(at);
    const after = d.firstOpen(at + 1, end, -1);
    d.cursor = after >= 0 ? after : d.firstOpen(first, at, at);
    return changes;
  },
  set: (d, e) => {
    if (!LABELS.includes(e.v) || !(e.at >= 0 && e.at < d.labels.length)) return [];
    d.cursor = e.at;
    return d.putAll(e.at, e.at + 1, e.v);
  },
  toggle: (d, e) => {
    if (!(e.at >= 0 && e.at < d.labels.length)) return [];
    d.cursor = e.at;
    const at = d.cardOf(e.at), off = d.inOverview(at) && !Object.hasOwn(d.earlier, at) ? PASSED : NEGATIVE;
    return [d.put(at, d.labels[at] === POSITIVE ? off : POSITIVE)];
  },
  row: (d, e) => {
    if (!LABELS.includes(e.v) || e.columns < 1) return [];
    const [first, end] = d.page(d.cursor);
    const start = first + Math.floor((d.cursor - first) / e.columns) * e.columns;
    return d.putAll(start, Math.min(start + e.columns, end), e.v);
  },
  rest: (d, e) => {
    const [first, end] = d.page(d.cursor), unseen = Array.isArray(e.unseen) ? e.unseen : [], changes = [], passed = d.inOverview(d.cursor);
    for (let p = first; p < end; p++) if (d.labels[p] === OPEN) changes.push(d.put(p, passed ? PASSED : unseen.includes(p) ? UNSURE : NEGATIVE));
    return changes;
  },
  redo: (d) => {
    if (!d.undone.length) return [];
    const entry = d.undone.pop();
    d.cursor = entry[0][0];
    return entry.map(([position, label]) => d.put(position, label));
  },
};

export { Cards, OPEN, SIZES };

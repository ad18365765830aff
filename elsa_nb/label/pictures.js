// Pictures of cards by row: the least recently used are dropped, and what is on its way is not asked for twice.

const KEPT_PICTURES = 1500, RESEND_MS = 4000, RETRY_MS = 15000;  // pictures; milliseconds
const SIDES = [224, 512];  // pixels that the kernel scales a card's picture to

class Pictures {
  constructor(ask) { Object.assign(this, { kept: new Map(), asked: new Map(), ask, side: SIDES[0] }); }
  get(row) {
    const found = this.kept.get(row);
    if (found) { this.kept.delete(row); this.kept.set(row, found); }
    return found;
  }
  want(rows) {
    const now = performance.now();
    const coming = (asked) => asked && asked.side >= this.side && now - asked.since < RESEND_MS;
    const missing = [...new Set(rows)].filter((row) => this.lacks(this.kept.get(row), now) && !coming(this.asked.get(row)));
    missing.forEach((row) => this.asked.set(row, { since: now, side: this.side }));
    if (missing.length) this.ask(missing);
  }
  lacks(picture, now) {  // not there, too small for the cards as they are now, or could not be read a while ago
    if (!picture) return true;
    return picture.kind === "missing" ? now - picture.since > RETRY_MS : picture.kind === "image" && picture.side < this.side;
  }
  put({ row, kind, mime, text, side }, data) {
    const old = this.kept.get(row);
    if (side >= this.asked.get(row)?.side) this.asked.delete(row);
    if (old?.url && side <= old.side) return;  // it was on its way twice
    this.forget(row);
    this.kept.set(row, { kind, text, side, since: performance.now(), url: data ? URL.createObjectURL(new Blob([data], { type: mime })) : null });
    for (const old of this.kept.keys()) { if (this.kept.size <= KEPT_PICTURES) break; this.forget(old); }
  }
  again(row) { this.asked.set(row, { since: performance.now(), side: this.side }); this.ask([row]); }
  forget(row) { const old = this.kept.get(row); if (old?.url) URL.revokeObjectURL(old.url); this.kept.delete(row); }
  clear() { for (const row of [...this.kept.keys()]) this.forget(row); }
}

function make(tag, name, parent, text) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined) node.textContent = text;
  if (parent) parent.append(node);
  return node;
}

// A node of a picture as the kernel sent it. Whatever it says is set as text.
function show(picture, name) {
  if (picture.kind === "image") { const img = make("img"); img.alt = name; img.draggable = false; img.src = picture.url; return img; }
  if (picture.kind === "audio") { const audio = make("audio"); audio.controls = true; audio.src = picture.url; return audio; }
  return make("div", picture.kind === "missing" ? "elsa-missing" : "elsa-text", null, picture.kind === "missing" ? `⚠ ${picture.text}` : picture.text);
}


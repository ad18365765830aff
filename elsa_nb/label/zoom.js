// The larger view: the card under the cursor fills the window, and a key labels what is seen there.
//
// It follows the cursor. Until the large picture is there, the small one stands in for it, never the one before.

const KEPT_LARGE = 12, LARGE = 1200, LARGEST = 4096, MOST = 40;  // pictures; pixels; times

class Zoom {
  // `show(picture, name)` makes a node of a picture, `ask(row, side)` asks the kernel for a large one.
  constructor(parent, { show, ask, buttons }) {
    Object.assign(this, { show, ask, row: null, key: "", open: false, scale: 1, x: 0, y: 0, large: new Map(), asked: 0 });
    this.box = make("div", "elsa-overlay elsa-zoom", parent);
    Object.assign(this.box, { hidden: true, popover: "manual" });
    this.box.setAttribute("role", "dialog");
    this.box.setAttribute("aria-label", "Larger view");
    this.stage = make("div", "elsa-stage", this.box);
    const bar = make("div", "elsa-zoombar", this.box);
    this.mark = make("b", "elsa-answer", bar);
    this.name = make("span", "elsa-item", bar);
    this.where = make("span", "elsa-where", bar);
    const row = make("span", "elsa-zoombuttons", bar);
    for (const [text, hint, act] of [...buttons, ["−", "smaller (-)", () => this.magnify(1 / 1.5)], ["+", "larger (+), or the wheel", () => this.magnify(1.5)], ["Close", "close (F or Esc)", () => this.close()]]) {
      const b = make("button", "", row, text); b.type = "button"; b.title = hint; b.tabIndex = -1;
      b.addEventListener("click", () => { parent.focus({ preventScroll: true }); act(); });
    }
    this.listen(parent);
  }

  listen(parent) {
    const { stage } = this;
    stage.addEventListener("wheel", (e) => {
      if (!this.magnifies) return;  // a text scrolls
      e.preventDefault();
      this.magnify(Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.002)), e.clientX, e.clientY);
    }, { passive: false });
    stage.addEventListener("pointerdown", (e) => {
      parent.focus({ preventScroll: true });
      if (!this.magnifies || e.button) return;
      stage.setPointerCapture(e.pointerId);
      this.held = [e.clientX, e.clientY];
    });
    stage.addEventListener("pointermove", (e) => {
      if (!this.held) return;
      this.pan(e.clientX - this.held[0], e.clientY - this.held[1]);
      this.held = [e.clientX, e.clientY];
    });
    for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => { this.held = null; });
    stage.addEventListener("dblclick", (e) => { if (this.magnifies) this.magnify(this.scale > 1 ? 1 / this.scale : 3, e.clientX, e.clientY); });
  }

  get magnifies() { return this.stage.firstElementChild?.tagName === "IMG"; }

  // Whether the row is on view: nothing else may be answered.
  shows(row) { return row !== undefined && row === this.row && this.stage.childElementCount > 0; }

  start() {
    this.open = true;
    this.row = null; this.key = "";
    this.box.hidden = false;
    try { this.box.showPopover?.(); } catch { this.box.removeAttribute("popover"); }  // in the panel then, not over the window
  }

  close() {
    if (!this.open) return;
    this.open = false;
    try { this.box.hidePopover?.(); } catch { /* it was not shown */ }
    this.box.hidden = true;
  }

  // Show the card under the cursor: `small` is its picture on the page, undefined where that has not come yet.
  follow({ row, item, label, where, small, empty }) {
    this.box.dataset.label = label ?? "";
    this.mark.textContent = label === undefined ? "" : `${MARKS[label]} ${WORDS[label]}`;
    this.name.textContent = item ?? "";
    this.where.textContent = where;
    if (this.large.get(row)?.kind === "missing" && small && small.kind !== "missing") this.forget(row);  // it is there again
    const large = this.large.get(row), picture = large ?? small, key = `${row} ${large ? large.side : small ? 0 : empty}`;
    if (key === this.key) return;
    const same = row === this.row && row !== undefined && this.stage.childElementCount;
    this.key = key; this.row = row;
    if (same && picture.kind !== "audio") this.replace(picture, item);
    else if (!same) {
      this.fit();
      this.stage.replaceChildren(...(picture ? [this.show(picture, item)] : []));
      this.stage.dataset.empty = picture ? "" : empty;
      this.box.dataset.side = large?.side ?? 0;
    }
    this.box.dataset.row = row ?? "";
    this.place();
  }

  // The large picture takes the place of the small one once it is decoded, so that nothing flickers.
  async replace(picture, item) {
    const node = this.show(picture, item), row = this.row, key = this.key;
    if (node.decode) await node.decode().catch(() => {});
    if (row !== this.row || key !== this.key) return;
    this.stage.replaceChildren(node);
    this.box.dataset.side = picture.side;
    this.place();
  }

  // One is on its way at a time, so that the card on view never waits for those that were passed.
  want(row, side = LARGE) {
    if (row === undefined || (this.large.get(row)?.side ?? 0) >= side) return;
    if (this.asked && performance.now() - this.asked < RESEND_MS) return;
    this.asked = performance.now();
    this.ask(row, side);
  }

  wantMore(next) {  // what is on view first, then what comes after it
    if (this.stage.childElementCount) this.want(this.row, this.scale > 1.5 ? LARGEST : LARGE);
    this.want(next);
  }

  receive(m, buffers) {
    this.asked = 0;
    this.forget(m.row);
    this.large.set(m.row, { kind: m.content, text: m.text, side: m.side ?? LARGE, url: m.buffer < 0 ? null : URL.createObjectURL(new Blob([buffers[0]], { type: m.mime })) });
    for (const old of this.large.keys()) { if (this.large.size <= KEPT_LARGE) break; if (old !== this.row) this.forget(old); }
  }

  forget(row) { const old = this.large.get(row); if (old?.url) URL.revokeObjectURL(old.url); this.large.delete(row); }
  clear() { for (const row of [...this.large.keys()]) this.forget(row); }

  // --- magnification, about a point of the window (by default the middle), and pan
  fit() { this.scale = 1; this.x = this.y = 0; }

  magnify(factor, clientX, clientY) {
    if (!this.magnifies) return;
    const box = this.stage.getBoundingClientRect(), scale = Math.max(1, Math.min(MOST, this.scale * factor));
    const x = clientX === undefined ? box.width / 2 : clientX - box.left, y = clientY === undefined ? box.height / 2 : clientY - box.top;
    const by = scale / this.scale;
    this.x = x - (x - this.x) * by;
    this.y = y - (y - this.y) * by;
    this.scale = scale;
    this.wantMore();
    this.place();
  }

  pan(dx, dy) { this.x += dx; this.y += dy; this.place(); }

  place() {
    const node = this.stage.firstElementChild;
    if (!this.magnifies) { delete this.box.dataset.scale; return; }
    const { width, height } = this.stage.getBoundingClientRect();
    this.x = Math.min(0, Math.max(width * (1 - this.scale), this.x));
    this.y = Math.min(0, Math.max(height * (1 - this.scale), this.y));
    node.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    const dots = node.naturalWidth ? (Math.min(width / node.naturalWidth, height / node.naturalHeight) * this.scale) : 1;
    node.style.imageRendering = this.scale > 1 && dots > 3 ? "pixelated" : "auto";  // every dot as it is
    this.stage.dataset.magnified = this.scale > 1;
    this.box.dataset.scale = this.scale.toFixed(2);
  }
}


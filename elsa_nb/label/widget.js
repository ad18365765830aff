// The labelling panel in the browser. The other .js files of this folder stand above this text; anywidget loads all as
// one module.
//
// A key changes the local cards and the screen at once, then goes to the kernel with a sequence number. A card whose
// answer the kernel has not committed yet is marked as such; the mark goes when the acknowledgement comes.
// Everything from outside (file names, reasons, notices) is set as text, never as HTML.

const ALIVE_MS = 3000, UNSAVED_MS = 1000, SILENT_MS = 8000;  // milliseconds
const SILENT = "The kernel does not answer: it is busy with another cell, or gone. Everything that is not marked as unsaved is safe. If this stays, reload the page; in a notebook, restart the kernel and run the cell again.";
const GONE = "This panel is not connected any more: its kernel was restarted or shut down. Everything that is not marked as unsaved is safe. Run the cell again to go on.";
let views = 0;

function render({ model, el }) {
  const cards = new Cards(), contents = new Map(), pending = [], queue = [], unsaved = new Set(), nonce = newId(), client = `${storedClient()}:${views++}`;
  let seq = 0, ready = false, stale = false, active = false, refused = false, doors = false, holder = "", remark = "", shown = [], shownFirst = -1, seeds = [], detail = -1, sentAt = 0, silentSince = 0, waitingSince = 0;
  let gone = false;
  const say = (kind, more = {}) => {
    const before = gone;
    try { model.send({ kind, nonce, client, ...more }); gone = false; } catch { gone = true; }  // the channel of a kernel that is gone refuses
    if (gone !== before) paint();
  };
  const ownPage = !!document.body.dataset.voila;
  const pictures = new Pictures((rows) => say("want", { rows, positions: [], side: pictures.side }));

  // --- the page
  const root = make("div", "elsa-panel");
  root.tabIndex = 0;
  root.setAttribute("data-lm-suppress-shortcuts", "true");  // or `d d` deletes the notebook's cell
  root.setAttribute("role", "application");
  root.setAttribute("aria-label", "Labelling panel. Press H for the keys.");
  const banner = make("div", "elsa-banner", root); banner.setAttribute("role", "alert"); banner.hidden = true;
  const bannerText = make("span", "", banner), takeOver = make("button", "", banner, "Work here instead"), dismiss = make("button", "elsa-dismiss", banner, "Dismiss");
  const head = make("div", "elsa-head", root);
  const title = make("strong", "elsa-title", head);
  const naming = make("label", "elsa-class", head, "Looking for"), className = make("input", "", naming);
  Object.assign(className, { type: "text", maxLength: 200, placeholder: "give it a name", title: "the name of the class, which exports use", autocomplete: "off" });
  className.addEventListener("change", () => { if (active) say("name", { text: className.value.trim() }); });
  className.addEventListener("keydown", (e) => { if (e.key === "Enter") root.focus({ preventScroll: true }); });
  const where = make("span", "elsa-where", head), status = make("span", "elsa-status", head);
  const guide = make("div", "elsa-guide", root), guideText = make("span", "", guide), startButton = make("button", "elsa-start", guide, "Search now");
  guide.setAttribute("role", "status"); startButton.type = "button";
  const startNow = () => {
    root.focus({ preventScroll: true });
    if (!ready || !active || !startable) return;
    say("start");
    dispatch(restAndNext());
  };
  startButton.addEventListener("click", startNow);
  const againButton = make("button", "elsa-again", guide); againButton.type = "button"; againButton.hidden = true;
  againButton.addEventListener("click", () => { root.focus({ preventScroll: true }); if (ready && active) say("again"); });
  const body = make("div", "elsa-body", root), left = make("div", "elsa-left", body), side = make("aside", "elsa-side", body);
  const grid = make("div", "elsa-grid", left); grid.setAttribute("role", "listbox"); grid.setAttribute("aria-label", "Candidates");
  const rest = make("div", "elsa-overlay elsa-wait", left), restText = make("div", "", rest); rest.hidden = true;
  const bar = make("div", "elsa-bar", left);
  const button = (name, text, hint, act) => {
    const b = make("button", name, bar, text); b.type = "button"; b.title = hint;
    b.addEventListener("click", () => { root.focus({ preventScroll: true }); act(); });
    return b;
  };
  button("", "◀", "earlier page (Page Up)", () => dispatch([{ op: "turn", by: -1 }]));
  button("", "▶", "later page (Page Down)", () => dispatch([{ op: "turn", by: 1 }]));
  button("", "Undo", "take the last answer back (Z)", () => dispatch([{ op: "undo" }]));
  button("", "Redo", "do again what was undone (Y)", () => dispatch([{ op: "redo" }]));
  button("elsa-row", "Row ✓", "whole row positive (R)", () => dispatch([{ op: "row", columns: columns(), v: 1 }]));
  button("elsa-row", "Row ✕", "whole row negative (Shift+R)", () => dispatch([{ op: "row", columns: columns(), v: 0 }]));
  const onward = button("elsa-next", "", "rest of the page negative, next page (Enter)", () => dispatch(restAndNext()));
  const conclude = button("", "Final search now", "skip the rounds still to come: the next page shows what the classifier thinks most likely, best first", () => {
    if (!ready || !active) return;
    say("conclude");
    if (cards.page(cards.cursor)[1] === cards.labels.length) dispatch(restAndNext());
  });
  const sizes = make("select", "elsa-sizes", bar); sizes.title = "items per page"; sizes.setAttribute("aria-label", "items per page");
  SIZES.forEach((n) => { const o = make("option", "", sizes, `${n} per page`); o.value = n; });
  sizes.addEventListener("change", () => { dispatch([{ op: "size", v: Number(sizes.value) }]); root.focus({ preventScroll: true }); });
  button("", "−", "smaller cards (-)", () => enlarge(-1)).setAttribute("aria-label", "smaller cards");
  button("", "+", "larger cards (+)", () => enlarge(1)).setAttribute("aria-label", "larger cards");
  makeStretch(bar, root, () => root.focus({ preventScroll: true }));
  button("", "Larger view", "the card under the cursor, over the whole window (F)", () => openZoom());
  const comparing = button("", "Compare", "how well you agree with the others who answered in this session, and where you differ", () => { compare.asked = true; say("compare"); });
  comparing.hidden = true;
  button("", "Keys", "show the keys (H)", () => toggleHelp());
  const beside = new Beside(side, pictures), figures = make("section", "elsa-figures", side);
  const live = make("div", "elsa-live", root); live.setAttribute("aria-live", "polite");
  const help = makeHelp(root);
  const answers = [[1, "✓", "positive (1)"], [0, "✕", "negative (0)"], [-1, "?", "unsure (2)"]];
  const zoom = new Zoom(root, { show, ask: (row, side) => say("zoom", { row, side }), buttons: [
    ["◀", "the previous one (←)", () => dispatch([{ op: "move", by: -1 }])], ["▶", "the next one (→)", () => dispatch([{ op: "move", by: 1 }])],
    ...answers.map(([v, mark, hint]) => [mark, hint, () => answerInZoom([{ op: "label", v }])]),
  ] });

  const compare = new Compare(root, { get: (row) => pictures.get(row), closed: () => root.focus({ preventScroll: true }),
    answer: (at, v) => { root.focus({ preventScroll: true }); dispatch([{ op: "set", at, v }]); compareLater = true; } });
  let compareLater = false;  // once the answer is stored, the page of disagreements has changed

  // --- events out
  function dispatch(events) {
    if (!ready || !active || gone) return;
    for (const event of events) for (const [position] of cards.apply(event)) unsaved.add(position);
    queue.push(...events);
    flush();
    followCursor();
    paint();
  }

  function flush() {  // one message is on its way at a time; what is pressed meanwhile goes together in the next
    if (pending.length || !queue.length) return;
    seq += 1;
    pending.push({ seq, events: queue.splice(0) });
    say("events", pending[0]);
    sentAt = silentSince = performance.now();
  }

  function announce() {
    const card = contents.get(cards.cursor), label = cards.answerAt(cards.cursor);
    const text = label === undefined ? "" : `${cards.cursor - shownFirst + 1} of ${shown.length}: ${card ? card.item : ""} ${WORDS[label]}`;
    if (text !== spoken) live.textContent = spoken = text;
  }

  // --- messages in
  function receive(message, buffers) {
    const { kind, to } = message;
    if (to && to !== nonce && kind !== "ack") return;
    if (kind === "snapshot") adoptSnapshot(message, buffers);
    else if (kind === "ack" && to === nonce) acknowledge(message);
    else if (kind === "ack") { if (ready) { message.events.forEach((e) => cards.apply(e)); agree(message); paint(); } }
    else if (kind === "deal" || kind === "over") dealt(message);
    else if (kind === "cards") {
      message.cards.forEach((card) => contents.set(card.position, card));
      message.pictures.forEach((p) => pictures.put(p, p.buffer < 0 ? null : buffers[p.buffer]));
      fill(); paintSeeds(); paintWhy(); followCursor(); compare.fill();
      if (message.pictures.some((p) => p.kind === "missing")) paint();  // the button says how many
    } else if (kind === "zoom") { zoom.receive(message, buffers); followCursor(); }
    else if (kind === "roles") { active = message.active === nonce && message.held; holder = message.text || (active ? "" : message.other); refused = message.unsaved; remark = message.remark; paint(); }
    else if (kind === "compared") { compare.receive(message); pictures.want(message.items.map((each) => each.row)); }
    else if (kind === "named") { if (document.activeElement !== className) className.value = message.text; }
    else if (kind === "refused" || kind === "resend") resend(message);
    else if (kind === "trouble") { holder = message.text; say("sync"); paint(); }
  }

  function adoptSnapshot(m, buffers) {
    if ((pending.length || queue.length) && ready && !m.force) { stale = true; return; }  // answers of ours are still on their way; ask again later
    adopt(cards, m, buffers);
    seq = m.seq; pending.length = queue.length = 0; unsaved.clear(); contents.clear(); askedFor.since = 0; stale = false; ready = true; shownFirst = -1;
    active = m.active; holder = m.text; refused = m.unsaved; remark = m.remark; seeds = m.seeds; doors = m.doors;
    title.textContent = m.title; comparing.hidden = m.people < 2;
    className.value = m.sought; className.readOnly = !active;
    // On a page of its own the panel takes the keys at once; in a notebook they stay where the person works.
    if (ownPage && document.activeElement === document.body) root.focus({ preventScroll: true });
    paint();
  }

  function acknowledge(m) {
    while (pending.length && pending[0].seq <= m.seq) pending.shift();
    root.dataset.acked = m.seq;
    flush();
    if (!pending.length) { unsaved.clear(); agree(m); if (compareLater) { compareLater = false; say("compare"); } }
    paint();
  }

  function agree(m) {
    if (pending.length) return;
    if (stale || m.check !== cards.check || m.n !== cards.labels.length) { root.dataset.healed = Number(root.dataset.healed || 0) + 1; say("sync"); }
  }

  function dealt(m) {
    if (!ready) return;
    if (m.kind === "over") { cards.waiting = false; cards.over = true; }
    else if (cards.waiting || !active || !cards.labels.length) {
      cards.deal(m.n, m.known, m.overview, m.earlier, m.passed); cards.waiting = m.more;
      m.cards?.forEach((card) => contents.set(card.position, card));
    }
    else stale = true;
    if (stale && !pending.length) say("sync");
    paint();
  }

  function resend(m) {
    if (m.kind === "refused") { say("sync", { force: true }); return; }
    pending.filter((p) => p.seq >= m.from).forEach((p) => say("events", p));
  }

  // --- painting
  let across = 6, larger = stored("elsa-larger", 0), overview = false, blind = false, startable = false;
  const columns = () => across;
  function layOut() {
    const width = grid.clientWidth || 600;
    [across, larger] = columnsOf({ n: overview || blind ? shown.length : cards.size, width, height: globalThis.innerHeight, overview, uneven: overview || blind, larger });
    grid.style.gridTemplateColumns = `repeat(${across}, minmax(0, 1fr))`;
    root.dataset.across = across;
    pictures.side = SIDES.find((side) => (width / across) * (globalThis.devicePixelRatio || 1) <= 1.3 * side) ?? SIDES.at(-1);
  }
  function enlarge(by) {
    larger += by;
    layOut();
    store("elsa-larger", larger);
    fetchAround(shownFirst, shownFirst + shown.length);
  }

  let planned = false, spoken = "";
  function paint() {  // once a frame, however fast the keys come
    if (planned) return;
    planned = true;
    const now = () => { planned = false; paintNow(); };
    if (document.hidden) setTimeout(now); else requestAnimationFrame(now);
  }

  function lookSaid(first) {
    const [page, pages, shown] = lookOf(cards, first);
    return `first look, page ${page} of ${pages} · ${shown} shown so far`;
  }

  function paintNow() {
    const n = cards.labels.length;
    const [first, end] = n ? cards.page(cards.cursor) : [0, 0];
    if (first !== shownFirst || end - first !== shown.length) build(first, end);
    shown.forEach((node, i) => paintCard(node, first + i));
    const open = shown.reduce((sum, _, i) => sum + (cards.labels[first + i] === OPEN), 0);
    const [page, pages] = pageOf(cards, first);
    // By items, as the figures beside the cards have it: one that is seen again, or was carried over, has several cards.
    const { labels: answers = 0 } = model.get("figures");
    where.textContent = !n ? "" : overview ? lookSaid(first) : blind ? `${cards.earlier[first] === null ? "second opinion" : "seen again"} · ${shown.length - open} of ${shown.length} answered` : `page ${page} of ${pages} · round ${contents.get(first)?.round ?? cards.roundOf(first) + 1} · ${count(answers, "answer")}`;
    startButton.title = overview ? "search for more of what you have marked (S); what you left unmarked has no answer" : "count the rest of this page as a no, and search from the examples you have marked (S)";
    onward.disabled = cards.over && end === n && !open;
    sizes.value = cards.size;
    const { may_conclude, wishes = [], offer } = model.get("figures"), concluding = wishes.includes("conclude");
    conclude.hidden = !may_conclude || !n;
    conclude.disabled = concluding || cards.waiting;
    conclude.textContent = concluding ? "Final search comes next" : end === n ? "Final search now" : "Final search after this round";
    const coming = wishes.includes("again"), begun = cards.open && Array.isArray(cards.history.at(-1));
    againButton.hidden = !offer || blind || !active; againButton.disabled = coming || cards.waiting; againButton.title = offer?.why ?? "";
    againButton.textContent = coming ? "They come after this round" : `${offer?.button}${begun ? " after this round" : ""}`;
    const late = pending.length && performance.now() - sentAt > UNSAVED_MS;
    status.textContent = gone ? "not connected: answers are not saved" : !ready ? "connecting…" : !active ? "read only" : late ? "not saved yet" : pending.length ? "saving…" : refused ? "not saved" : "saved";
    status.dataset.state = gone || late || (refused && !pending.length) ? "late" : pending.length ? "saving" : "saved";
    const silent = active && pending.length && performance.now() - silentSince > SILENT_MS;
    banner.hidden = !gone && !(ready && (!active || holder || remark || silent));
    bannerText.textContent = gone ? GONE : silent ? SILENT : [holder, remark].filter(Boolean).join(" ");
    takeOver.hidden = active || gone;
    dismiss.hidden = !active || gone || silent || !remark;
    restText.textContent = !ready ? "Connecting to the kernel…" : !n ? "Nothing to show yet." : "Looking for the next round…";
    if (cards.waiting && !waitingSince) waitingSince = performance.now();
    if (!cards.waiting) waitingSince = 0;
    rest.hidden = ready && n > 0 && !(waitingSince && performance.now() - waitingSince > 150);
    paintGuide(end === n, open);
    Object.assign(root.dataset, { seq: seq + (queue.length > 0), cursor: cards.cursor, n, page, pages, rounds: cards.rounds.length,
      check: cards.check, waiting: cards.waiting, over: cards.over, active, ready, overview, blind, history: cards.history.length });
    grid.setAttribute("aria-activedescendant", shown[cards.cursor - first]?.id ?? "");
    paintWhy();
    followCursor();
    announce();
  }

  function paintGuide(last, open) {
    const { looking: wanted, statement, prices, round, seen, unasked } = model.get("figures"), tally = (counts) => cards.labels.reduce((sum, label, p) => sum + (cards.earlier[p] == null && counts(label)), 0);
    const shown = tally(() => true), marked = tally((label) => label === POSITIVE), answers = tally((label) => label >= UNSURE);
    const looking = overview || round === cards.rounds.length ? wanted : null;  // else the figures are those of the round before
    const brought = round === cards.rounds.length ? seen?.said : "", other = blind && cards.earlier[shownFirst] === null;
    const said = guideOf({ blind, other, brought, looking, statement, prices, over: cards.over, overview, doors, last, marked, shown, answers, open, unasked: round === cards.rounds.length ? unasked : undefined, unseen: unseen().length });
    startable = said.start && !cards.waiting;
    startButton.hidden = !startable || (overview && said.onward.startsWith(said.start));  // there the button below says it
    startButton.textContent = said.start;
    guideText.textContent = said.text;
    guide.hidden = !ready || !cards.labels.length;
    onward.textContent = said.onward;
    onward.title = blind ? "those you leave keep the answer they have (Enter)" : overview ? "show other pictures; what is not marked has no answer (Enter)" : "rest of the page negative, next page (Enter)";
  }

  function build(first, end) {
    shownFirst = first;
    blind = Object.hasOwn(cards.earlier, first);
    overview = end > first && cards.inOverview(first) && !blind;
    grid.replaceChildren();
    shown = [];
    for (let position = first; position < end; position++) {
      const node = makeCard(grid, `elsa-${nonce}-${position - first}`);
      shown.push(node);
    }
    layOut();
    fill();
    fetchAround(first, end);
  }

  function fill() {
    shown.forEach((node, i) => {
      const card = contents.get(shownFirst + i), picture = card && pictures.get(card.row);
      if (card) fillCard(node, card, picture);
    });
    shown.forEach((node, i) => paintCard(node, shownFirst + i));
  }

  // The rest of the page; a card that could not be shown is named, so that it never becomes negative.
  const restAndNext = () => [{ op: "rest", unseen: unseen() }, { op: "next" }];

  function unseen() {  // the cards of the page that have no answer and cannot be shown
    const [first, end] = cards.page(cards.cursor), found = [];
    for (let p = first; p < end; p++) if (cards.labels[p] === OPEN && pictures.get(contents.get(p)?.row)?.kind === "missing") found.push(p);
    return found;
  }

  function paintCard(node, position) {
    const card = contents.get(position);
    markCard(node, card, cards.answerAt(position), { cursor: position === cards.cursor, unsaved: unsaved.has(cards.cardOf(position)) });
  }

  let askedFor = { key: "", since: 0 };
  function fetchAround(first, end) {  // this page, the next two and the one before: turning a page then waits for nothing
    const from = Math.max(0, first - cards.size), to = Math.min(cards.labels.length, end + 2 * cards.size), missing = [];
    for (let p = first; p < to; p++) if (!contents.has(p)) missing.push(p);
    for (let p = from; p < first; p++) if (!contents.has(p)) missing.push(p);
    const key = `${missing[0]} ${missing.length}`, again = performance.now() - askedFor.since > RESEND_MS;
    if (missing.length && (key !== askedFor.key || again)) askedFor = { key, since: performance.now() };
    else missing.length = 0;
    if (missing.length) say("want", { positions: missing, rows: [], side: pictures.side });
    const rows = [];
    for (let p = from; p < to; p++) if (contents.has(p)) rows.push(contents.get(p).row);
    pictures.want(rows);
  }

  function paintWhy() {
    const at = detail >= 0 && detail < cards.labels.length ? detail : cards.cursor;
    beside.paintWhy(at, contents.get(at), cards.answerAt(at));
  }

  function paintSeeds() {
    const examples = model.get("figures").examples ?? [];
    if (examples.length) seeds = examples;
    beside.paintSeeds(seeds);
  }

  // --- larger view
  function openZoom() {
    if (!contents.has(cards.cursor)) return;
    zoom.start();
    followCursor();
  }

  function followCursor() {
    if (!zoom.open) return;
    const at = cards.cursor, card = cards.waiting ? undefined : contents.get(at), n = cards.labels.length, [first, end] = n ? cards.page(at) : [0, 0];
    const open = shown.length ? cards.labels.slice(first, end).filter((label) => label === OPEN).length : 0;
    zoom.follow({
      row: card?.row, item: card?.item, label: card && cards.answerAt(at), small: card && pictures.get(card.row),
      where: card ? `${at - first + 1} of ${end - first} · ${reason(card.component)} · ${overview || blind ? "nothing is negative unless you say so" : open ? `${open} of the page left` : "Enter: next page"}` : "",
      empty: cards.waiting ? "Looking for the next round…" : cards.over && !card ? "Nothing is left to ask." : "Loading…",
    });
    const next = contents.get(at + 1);
    zoom.wantMore(at + 1 < end ? next?.row : undefined);
  }

  function answerInZoom(events) {  // only what is on view is answered
    if (zoom.shows(contents.get(cards.cursor)?.row)) dispatch(events);
  }

  function onwardInZoom() {  // to what is still without an answer; nothing is made negative that was not on view
    const [first, end] = cards.page(cards.cursor), after = cards.firstOpen(cards.cursor + 1, end, -1);
    const at = after >= 0 ? after : cards.firstOpen(first, end, -1);
    dispatch(at >= 0 ? [{ op: "goto", at }] : [{ op: "next" }]);
  }

  function toggleHelp() {  // it has the focus while it is there: the arrows scroll it where the window is small
    zoom.close(); help.hidden = !help.hidden;
    (help.hidden ? root : help).focus({ preventScroll: true });
  }

  function closeOverlays() {
    if (!help.hidden) toggleHelp();
    zoom.close(); compare.close();
  }

  const covered = () => !help.hidden || compare.open;  // the cards are not on view, nor what a key would answer

  // --- keys and mouse
  const KEYS = {
    ArrowLeft: () => [{ op: "move", by: -1 }], ArrowRight: () => [{ op: "move", by: 1 }],
    ArrowUp: () => [{ op: "move", by: -columns() }], ArrowDown: () => [{ op: "move", by: columns() }],
    PageUp: () => [{ op: "turn", by: -1 }], PageDown: () => [{ op: "turn", by: 1 }],
    Home: () => [{ op: "goto", at: cards.page(cards.cursor)[0] }], End: () => [{ op: "goto", at: cards.page(cards.cursor)[1] - 1 }],
    1: () => [{ op: "label", v: 1 }], p: () => [{ op: "label", v: 1 }], 0: () => [{ op: "label", v: 0 }], n: () => [{ op: "label", v: 0 }],
    2: () => [{ op: "label", v: -1 }], u: () => [{ op: "label", v: -1 }], " ": () => [{ op: "toggle", at: cards.cursor }],
    r: () => [{ op: "row", columns: columns(), v: 1 }], R: () => [{ op: "row", columns: columns(), v: 0 }],
    Enter: restAndNext, z: () => [{ op: "undo" }], y: () => [{ op: "redo" }], o: () => [{ op: "open" }],
  };
  root.addEventListener("keydown", (e) => {
    const key = keyOf(e);
    if (!key) return;
    if (key === "h" || key === "?") toggleHelp();
    else if (key === "Escape") closeOverlays();
    else if (covered()) return;
    else if (key === "s") { if (zoom.open) return; startNow(); }
    else if (key === "f") { if (zoom.open) zoom.close(); else openZoom(); }
    else if (key === "+" || key === "=") { if (zoom.open) zoom.magnify(1.5); else enlarge(1); }
    else if (key === "-" || key === "_") { if (zoom.open) zoom.magnify(1 / 1.5); else enlarge(-1); }
    else if (zoom.open && e.shiftKey && Object.hasOwn(PANS, key)) zoom.pan(...PANS[key]);
    else if (zoom.open && key === "Enter") onwardInZoom();
    else if (zoom.open && "10pn2u ".includes(key)) answerInZoom(KEYS[key]());
    else if (zoom.open && "rR".includes(key)) { /* a whole row is not on view */ }
    else if (Object.hasOwn(KEYS, key)) { detail = -1; dispatch(KEYS[key]()); }
    else return;
    e.preventDefault(); e.stopPropagation();
  });
  grid.addEventListener("click", (e) => {
    const node = e.target.closest(".elsa-card");
    root.focus({ preventScroll: true });
    if (!node || e.target.closest("audio")) return;
    if (e.target.closest(".elsa-retry")) { pictures.again(Number(node.dataset.row)); return; }
    const at = shownFirst + shown.indexOf(node), quick = e.target.closest("button");
    if (quick?.dataset.larger) { dispatch([{ op: "goto", at }]); openZoom(); return; }
    dispatch([quick ? { op: "set", at, v: Number(quick.dataset.v) } : { op: "toggle", at }]);
  });
  grid.addEventListener("pointerover", (e) => {
    const node = e.target.closest(".elsa-card");
    detail = node ? shownFirst + shown.indexOf(node) : -1;
    paintWhy();
  });
  grid.addEventListener("pointerleave", () => { detail = -1; paintWhy(); });
  help.addEventListener("click", () => { closeOverlays(); root.focus({ preventScroll: true }); });
  dismiss.addEventListener("click", () => { say("dismiss"); remark = ""; paint(); root.focus({ preventScroll: true }); });
  takeOver.addEventListener("click", () => { say("take"); root.focus({ preventScroll: true }); });

  // --- life
  const onMessage = (message, buffers) => receive(message, buffers);
  const onFigures = () => { paintFigures(figures, model.get("figures")); paintSeeds(); paint(); };
  const leave = () => say("bye");
  model.on("msg:custom", onMessage);
  model.on("change:figures", onFigures);
  globalThis.addEventListener?.("pagehide", leave);
  const sizeWatch = new ResizeObserver(layOut);
  sizeWatch.observe(grid);
  let lastAlive = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    if (!ready || now - lastAlive > ALIVE_MS) { lastAlive = now; say(ready ? "alive" : "hello"); }
    if (pending.length && now - sentAt > RESEND_MS) { pending.forEach((p) => say("events", p)); sentAt = now - 1100; }
    if (pending.length || cards.waiting) paint();
    if (ready && shown.some((node) => !node.picture || pictures.lacks(node.picture, now))) { fill(); fetchAround(shownFirst, shownFirst + shown.length); }
  }, 300);
  // Voila's page is light whatever the system has; where no theme was asked for, it follows the system (widget.css).
  if (ownPage && !new URLSearchParams(location.search).has("theme")) document.body.classList.add("elsa-page");
  el.append(root);
  root.elsa = { cards, dispatch, pictures };  // for tests
  paint(); paintFigures(figures, model.get("figures"));
  say("hello"); lastAlive = performance.now();
  return () => {
    clearInterval(timer); sizeWatch.disconnect(); leave(); pictures.clear(); zoom.close(); zoom.clear();
    model.off("msg:custom", onMessage); model.off("change:figures", onFigures);
    globalThis.removeEventListener?.("pagehide", leave);
  };
}

export default { render };

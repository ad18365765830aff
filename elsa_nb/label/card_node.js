// The node of one card: made empty, filled when its picture is there, marked with its answer.

const WORDS = { [-3]: "not marked", [-2]: "no answer", [-1]: "unsure", 0: "negative", 1: "positive" };
const MARKS = { [-3]: "", [-2]: "", [-1]: "?", 0: "✕", 1: "✓" };

function makeCard(grid, id) {
  const node = make("div", "elsa-card", grid);
  node.id = id;
  node.setAttribute("role", "option");
  make("div", "elsa-shown", node);
  make("div", "elsa-mark", node).setAttribute("aria-hidden", "true");
  make("div", "elsa-foot", node);
  const quick = make("div", "elsa-quick", node);
  for (const [v, mark] of [[1, "✓"], [0, "✕"], [-1, "?"]]) {
    const b = make("button", "", quick, mark); b.type = "button"; b.tabIndex = -1; b.title = WORDS[v]; b.setAttribute("aria-label", WORDS[v]); b.dataset.v = v;
  }
  const look = make("button", "", quick, "⤢"); Object.assign(look, { type: "button", tabIndex: -1, title: "larger view (F)" }); look.dataset.larger = true;
  return node;
}

function fillCard(node, card, picture) {
  node.dataset.row = card.row;
  node.title = card.item;
  if (!picture || node.picture === picture) return;
  node.picture = picture;
  node.dataset.filled = card.row;
  node.dataset.kind = picture.kind;
  node.children[0].replaceChildren(show(picture, card.item));
  if (picture.kind === "missing") node.children[0].firstChild.prepend(make("button", "elsa-retry", null, "try again"));
  node.children[2].textContent = reason(card.component);  // the score has no room here: it is beside the cards
  node.children[2].title = `asked by ${card.component}${scoreText(card.score)}`;
}

function markCard(node, card, label, { cursor, unsaved }) {
  const data = node.dataset, key = `${label} ${cursor} ${unsaved} ${!!card}`;
  if (data.key === key) return;
  data.key = key;
  if (data.label !== String(label)) {
    data.label = label; node.children[1].textContent = MARKS[label];
  }
  data.cursor = cursor;
  data.unsaved = unsaved;
  node.setAttribute("aria-selected", label === POSITIVE);
  node.setAttribute("aria-label", `${card ? `${card.item}, ${card.component}, ` : ""}${WORDS[label]}`);
}

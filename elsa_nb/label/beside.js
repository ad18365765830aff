// Beside the cards: the card under the cursor with the find nearest to it, and the examples of what is looked for.

class Beside {
  constructor(parent, pictures) {
    Object.assign(this, { pictures, why: make("section", "elsa-why", parent), seedBox: make("section", "elsa-seeds", parent) });
  }

  paintWhy(at, card, label) {
    const { why, pictures } = this;
    const near = card && card.near !== null ? card.near : null;
    if (near !== null && !pictures.get(near)) pictures.want([near]);
    const key = card ? [at, label, !!pictures.get(card.row), near !== null && !!pictures.get(near)].join() : "";
    if (why.dataset.key === key) return;
    why.dataset.key = key;
    why.replaceChildren();
    if (!card) return;
    const pair = make("div", "elsa-pair", why);
    for (const [row, text] of [[card.row, "candidate"], [near, "your nearest find"]]) {
      const picture = row !== null && pictures.get(row);
      if (!picture) continue;
      const figure = make("figure", "", pair); figure.append(show(picture, text)); make("figcaption", "", figure, text);
    }
    make("div", "elsa-item", why, card.item);
    make("div", "", why, `${reason(card.component)}, round ${card.round}${scoreText(card.score)}`).title = `asked by ${card.component}`;
    make("div", "", why, `answer: ${WORDS[label]}`);
  }

  paintSeeds(seeds) {
    const { seedBox, pictures } = this;
    pictures.want(seeds);
    const there = seeds.filter((row) => pictures.get(row));
    if (seedBox.dataset.key === there.join()) return;
    seedBox.dataset.key = there.join();
    seedBox.replaceChildren();
    if (!seeds.length) return;
    make("h4", "", seedBox, `You are looking for more of these${seeds.length < 24 ? "" : " (the first 24 examples)"}`);
    const box = make("div", "elsa-strip", seedBox);
    there.forEach((row) => box.append(show(pictures.get(row), "example")));
  }
}

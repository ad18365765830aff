// Where the cards of a page stand: how many in a row, and which page of how many it is.

const COLUMNS = [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 16, 18, 20, 24];
const MANY_COLUMNS = Array.from({ length: 30 }, (_, i) => i + 1), LEAST_SMALL = 56, SMALL_ROOM = 190;  // the same of an overview, whose last row need not be whole
const ROOM = 300, FOOT = 31, LEAST_CARD = 86;  // pixels: what stands above and below the cards, below a picture, a card's least width

// Columns that divide the page, so that every row is whole. By default the page fills the window: cards as large as they
// may be with all of the page in sight. + and - make them `larger` and smaller. Returns [columns, larger as far as it goes].
function columnsOf({ n, width, height, overview, uneven, larger }) {
  const [foot, least, room] = overview ? [0, LEAST_SMALL, SMALL_ROOM] : [FOOT, LEAST_CARD, ROOM];
  const possible = (uneven ? MANY_COLUMNS : COLUMNS.filter((k) => n % k === 0)).filter((k) => k === 1 || width / k >= least);
  const high = Math.max(320, height - room);
  const fits = possible.findIndex((k) => Math.ceil(n / k) * (width / k + foot) <= high), auto = fits < 0 ? possible.length - 1 : fits;
  const most = Math.max(auto - possible.length + 1, Math.min(auto, larger));
  return [possible[auto - most], most];
}

function pageOf(cards, position) {  // [number of the page of a position, number of pages]
  let before = 0, all = 0;
  cards.rounds.forEach((start, i) => {
    const end = cards.rounds[i + 1] ?? cards.labels.length, size = cards.overviews[i] ? end - start : cards.size;
    if (end <= position) before += Math.ceil((end - start) / size);
    else if (start <= position) before += Math.floor((position - start) / size);
    all += Math.ceil((end - start) / size);
  });
  return [before + 1, all];
}

function lookOf(cards, position) {  // of the pages of a first look: [number of that of a position, number of pages, pictures on them]
  const looks = cards.rounds.map((start, i) => [start, cards.rounds[i + 1] ?? cards.labels.length]).filter(([start], i) => cards.overviews[i] && !Object.hasOwn(cards.earlier, start));
  return [looks.filter(([start]) => start <= position).length, looks.length, looks.reduce((sum, [start, end]) => sum + end - start, 0)];
}

// The figures beside the cards, in words for somebody who has not read the paper; the paper's words are in the tooltips.

// What proposed a card.
const REASONS = { NN: "like your finds", RandS: "near a guess", final: "a guess", probe: "a guess", line: "a guess", neighbourhood: "near your finds", sample: "a first look", earlier: "answered earlier", given: "given", audit: "drawn at random" };
const reason = (component) => REASONS[component] ?? component;

// Scores of the rare lie near 0: two digits that differ, and powers of ten where they would be far behind the point.
function scoreText(score) {
  if (score === null) return "";
  const rest = Math.min(score, 1 - score);
  if (rest > 0 && rest < 1e-4) return score < 0.5 ? `, score ${score.toExponential(1)}` : `, score 1 − ${rest.toExponential(1)}`;
  return `, score ${rest > 0 ? score.toFixed(Math.max(2, 1 - Math.floor(Math.log10(rest)))) : score}`;
}

function paintFigures(figures, f) {
  figures.replaceChildren();
  if (f.labels === undefined) return;
  const table = make("div", "elsa-pairs", figures);
  const line = (name, value, hint) => { make("span", "", table, name).title = hint ?? ""; make("b", "", table, value).title = hint ?? ""; };
  line("answers", f.labels.toLocaleString(), "labels spent");
  if (f.passed) line("only looked at", f.passed.toLocaleString(), "pictures of the first look that were not marked: they have no answer, and the search may ask about them");
  if (f.besides) line("known besides", f.besides.toLocaleString(), "answers from files or audits about items that the search has not come to: they are not asked about again");
  line(f.statement ? "new finds" : "found", f.positives.toLocaleString() + (f.seeds ? ` + ${f.seeds} given` : ""), "positives; those given are the seeds that the search began with");
  if (f.last_page) line("last page", f.last_page, "known finds are shown again, unmarked, to see how many you overlook");
  line("finds per answer", f.efficiency === null ? "–" : `${(100 * f.efficiency).toFixed(0)} %`, "labelling efficiency: positives per label spent");
  line("time per answer", f.seconds === null ? "–" : f.seconds < 0.095 ? "< 0.1 s" : `${f.seconds.toFixed(1)} s`);
  if (f.seen) line("seen again", f.seen.all.toLocaleString(), "answers to items that you or somebody else had answered before");
  if (f.left) missing(figures, line, f.left);
  if (f.offer) make("p", "elsa-small elsa-doubt", figures, f.offer.why);
  make("h4", "", figures, "found, by answers");
  figures.append(curve(f.curve));
  const parts = make("table", "", figures), top = make("tr", "", make("thead", "", parts));
  ["why shown", "answers", "found"].forEach((name) => make("th", "", top, name));
  const rows = make("tbody", "", parts);
  for (const [name, [labels, found]] of Object.entries(f.components)) {
    const row = make("tr", "", rows); [reason(name), labels, found].forEach((value) => make("td", "", row, value)); row.title = name;
  }
  make("h4", "", figures, "share found, page by page");
  const bars = make("div", "elsa-bars", figures); bars.setAttribute("role", "img"); bars.setAttribute("aria-label", "share of positives on each of the last pages");
  f.pages.forEach(([labels, found]) => { const b = make("i", "", bars); b.style.height = `${(100 * found) / labels}%`; b.title = `${found} of ${labels}`; });
}

// How many are missing is an estimate; below it stands what it rests on, what it cannot know and what going on costs.
function missing(figures, line, left) {
  const number = (x) => Math.round(x).toLocaleString(), said = left.middle !== null;
  const range = said && number(left.low) === number(left.high) ? number(left.low) : `${number(left.low)} to ${number(left.high)}`;
  line("missing, by an estimate", said ? range : "–", left.how);
  const note = make("div", "elsa-left", figures); note.setAttribute("role", "note");
  make("p", "elsa-small", note, left.how);
  if (left.advice) make("p", "elsa-advice", note, left.advice);
  if (said) make("p", "elsa-small", note, "An audit says what can be promised: after the search, look over random items (--audit).");
}

function curve(points) {
  const ns = "http://www.w3.org/2000/svg", svg = document.createElementNS(ns, "svg"), line = document.createElementNS(ns, "polyline");
  const [x, y] = points.at(-1);
  svg.setAttribute("viewBox", "0 0 200 80"); svg.setAttribute("role", "img"); svg.setAttribute("aria-label", `${y} positives after ${x} labels`);
  line.setAttribute("points", points.map(([a, b]) => `${(200 * a) / (x || 1)},${78 - (76 * b) / (y || 1)}`).join(" "));
  svg.append(line);
  return svg;
}


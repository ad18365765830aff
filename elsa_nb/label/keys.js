// The keys, listed in a box over the page.

const HELP = [
  ["← → ↑ ↓", "move"], ["1 or P", "positive"], ["0 or N", "negative"], ["2 or U", "unsure"], ["Space", "positive ↔ negative"],
  ["R / Shift+R", "whole row positive / negative"], ["Enter", "rest of the page negative (unsure where nothing could be shown), next page; on the first look: other pictures, and nothing becomes negative; where answers are seen again: those you leave keep the answer they have"], ["S", "start the search from what is marked"], ["Z or Ctrl+Z", "undo, as often as you like"], ["Y or Ctrl+Y", "redo"],
  ["Page Up / Down", "earlier / later page (any label can be changed)"], ["Home / End", "first / last card of the page"], ["O", "first card without an answer"], ["F", "larger view; there the wheel, + and - magnify, a drag or Shift+arrows move the picture"], ["+ / -", "larger / smaller cards"], ["H or ?", "this help"], ["Esc", "close"],
];

function makeHelp(root) {
  const help = make("div", "elsa-overlay elsa-help", root); help.hidden = true; help.tabIndex = -1; help.setAttribute("role", "dialog"); help.setAttribute("aria-label", "Keys");
  make("h3", "", help, "Keys"); const keys = make("div", "elsa-pairs", help);
  HELP.forEach(([key, what]) => { make("b", "", keys, key); make("span", "", keys, what); });
  make("p", "", help, "Mouse: click a picture for positive, again for negative; the small buttons on it set one answer; point at it to see it larger.");
  return help;
}

const PANS = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };

// What a key means here: its name, letters other than R in lower case; "" where the element with the focus takes it.
function keyOf(e) {
  if (e.target.closest("input") && e.key !== "Escape") return "";
  if (e.target.closest("select, button, audio") && [" ", "Enter", "Tab", "ArrowUp", "ArrowDown"].includes(e.key)) return "";
  const undo = (e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "z" && !e.shiftKey;
  const redo = (e.ctrlKey || e.metaKey) && (e.key.toLowerCase() === "y" || (e.shiftKey && e.key.toLowerCase() === "z"));
  if ((e.ctrlKey || e.metaKey || e.altKey) && !undo && !redo) return "";
  return undo ? "z" : redo ? "y" : e.key.length === 1 && e.key !== "R" ? e.key.toLowerCase() : e.key;
}

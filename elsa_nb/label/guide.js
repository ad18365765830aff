// What the page tells the person to do next, in words of somebody who has read nothing.

const count = (k, word) => `${k} ${word}${k === 1 ? "" : "s"}`;

// `looking`: how many examples begin the search (none: it has begun); `marked` of all `shown` cards; on the open page
// `open` are without an answer, `unseen` of them cannot be shown; `last`: no later page is there; `statement`: what a strategy wants said; `blind`: the open page
// asks about answers that were given before (by an `other` person); `unasked`: how many items are on no page; `doors`: there are other ways to begin; `brought`: what such a page, just closed, brought.
function guideOf({ blind, other, brought, looking, statement, over, overview, doors, last, marked, shown, answers, open, unasked, unseen }) {
  const more = (looking ?? 0) - marked, examples = count(marked, "example");
  const start = looking && marked && last ? `Start the search with ${examples}` : "";
  const told = (text, onward) => ({ text, onward, start });
  const rest = [open > unseen && `${open - unseen} left: negative`, unseen && `${unseen} not shown: unsure`].filter(Boolean).join(", ");
  const onward = open ? `${rest}, next page ⏎` : over && last ? "Finished" : "Next page ⏎";
  const left = open ? `${open} left as ${open === 1 ? "it is" : "they are"}, go on ⏎` : "Go on ⏎";
  if (blind && other) return told("Somebody answered these, and their other answers speak against it. What do you say? ✓ (1) it is what you look for, ✕ (0) it is not, ? (2) you cannot tell.", left);
  if (blind) return told("You answered these before, and your other answers speak against it. What do you say now? ✓ (1) it is what you look for, ✕ (0) it is not, ? (2) you cannot tell. What you leave stays as you answered it.", left);
  if (brought) return told(`${brought} ${over && last && !open ? "Nothing is left to ask." : "The search goes on."}`, onward);
  if (statement && over && last && !open) return told(`${statement} Nothing is left to ask.`, onward);
  if (statement) return told(`${statement} Mark those of the class; Enter takes all others for not.`, onward);
  const goOn = doors ? " To go on, open it again with a larger --budget or with none, or with --strategy harvest (in a notebook budget=, strategy=)." : "";
  if (over && last && !open && unasked) return told(`The search has ended: ${marked} found with ${count(answers, "answer")}, and ${count(unasked, "item")} not asked about.${goOn}`, onward);
  if (over && last && !open) return told(marked ? `Nothing is left to ask: ${marked} found with ${count(answers, "answer")}.` : `All ${shown} were shown, and none was marked.`, onward);
  if (overview && !(looking && last)) return told("An earlier first look. What is marked here is an example; what is not marked here has no answer.", "Next page ⏎");
  if (overview && !marked && doors && shown > open) return told(`${shown} shown, none marked yet. Click every picture of what you look for; what you leave is not counted as a no. If you have a picture, words or earlier labels for it, the search can begin from them: Import labels below, or start again with --like PICTURE, --text WORDS or --name FILE (in a notebook like=, text=, name=).`, "None of these: show others ⏎");
  if (overview && !marked) return told(`A first look: click every picture of what you look for (or arrow keys and 1). What you leave is not counted as a no. The search begins at ${count(looking, "example")}, or at your word from one on.`, "None of these: show others ⏎");
  if (overview && more > 0) return told(`${examples} marked. Mark ${more} more, or start the search now (S); Enter shows other pictures.`, "Show others ⏎");
  if (overview) return told(`${examples} marked: Enter starts the search for more of them. What you leave is not counted as a no.`, `${start} ⏎`);
  if (!looking) return told("Mark all that shows what you look for, then press Enter: what is left of the page counts as a no, and your answers decide what is shown next.", onward);
  if (!marked) return told(`Mark what you look for: click it, or press 1. Enter shows the next ones. The search begins at ${count(looking, "example")}.`, onward);
  if (more > 0) return told(`${examples} marked. Mark ${more} more, or search from what you have.`, onward);
  return told(`${examples} marked: the search begins with the next page.`, onward);
}

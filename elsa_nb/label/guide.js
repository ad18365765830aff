// What the page tells the person to do next, in words for somebody who has read nothing.

const count = (k, word) => `${k} ${word}${k === 1 ? "" : "s"}`;

// `looking`: how many examples the search needs to begin (null: it has begun); `marked` of all `shown` cards; `open`: how
// many cards of the open page have no answer, `unseen`: how many of those cannot be shown; `last`: there is no later page;
// `statement`: what a strategy has to say, and `prices`: what more would cost; `blind`: the open page asks about answers
// that were given before (by an `other` person); `brought`: what came of such a page that was just closed; `unasked`: how many items are on no page; `doors`:
// there are other ways to begin.
function guideOf({ blind, other, brought, looking, statement, over, overview, doors, last, marked, shown, answers, open, unasked, unseen, prices }) {
  const more = (looking ?? 0) - marked, examples = count(marked, "example");
  const start = looking && marked && last ? `Start the search with ${examples}` : "";
  const guide = (text, onward) => ({ text, onward, start });
  const rest = [open > unseen && `${open - unseen} left: negative`, unseen && `${unseen} not shown: unsure`].filter(Boolean).join(", ");
  const onward = open ? `${rest}, next page ⏎` : over && last ? "Finished" : "Next page ⏎";
  const left = open ? `${open} left as ${open === 1 ? "it is" : "they are"}, go on ⏎` : "Go on ⏎";
  if (blind && other) return guide("Somebody else answered these, and their other answers contradict that. What do you say? ✓ (1) it is what you are looking for, ✕ (0) it is not, ? (2) you cannot tell.", left);
  if (blind) return guide("You answered these before, and your other answers contradict that. What do you say now? ✓ (1) it is what you are looking for, ✕ (0) it is not, ? (2) you cannot tell. Those you leave keep the answer they have.", left);
  if (brought) return guide(`${brought} ${over && last && !open ? "Nothing is left to ask." : "The search goes on."}`, onward);
  if (statement && over && last && !open) return guide(`${statement} Nothing is left to ask.`, onward);
  if (statement) return guide(`${statement}${prices ? `\n${prices}\n` : " "}Mark those of the class; Enter marks all others as not of it.`, onward);
  const goOn = doors ? " To go on, open it again with a larger --budget or with none, or with --strategy harvest (in a notebook budget=, strategy=)." : "";
  if (over && last && !open && unasked) return guide(`The search has ended: ${marked} found with ${count(answers, "answer")}, and ${count(unasked, "item")} not asked about.${goOn}`, onward);
  if (over && last && !open) return guide(marked ? `Nothing is left to ask: ${marked} found with ${count(answers, "answer")}.` : `All ${shown} were shown, and none was marked.`, onward);
  if (overview && !(looking && last)) return guide("An earlier first look. What was answered since shows that answer, and a click corrects it; what has no mark has no answer.", "Next page ⏎");
  if (overview && unasked === 0) {  // nothing else is left to be shown: one example is enough, and none ends it
    if (!marked) return guide(`These are all ${shown > open ? "that are left" : "there are"}: click every picture of what you are looking for (or use the arrow keys and 1). Enter then starts the search; what you leave is not counted as a no.`, "None of these: finish ⏎");
    return guide(`${examples} marked, and there are no other pictures to show: Enter starts the search. What you leave is not counted as a no.`, `${start} ⏎`);
  }
  if (overview && !marked && doors && shown > open) return guide(`${shown} shown, none marked yet. Click every picture of what you are looking for; what you leave is not counted as a no. If you have a picture, words or earlier labels for it, the search can begin from them: Import labels below, or start again with --like PICTURE, --text WORDS or --name FILE (in a notebook like=, text=, name=).`, "None of these: show others ⏎");
  if (overview && !marked) return guide(`A first look: click every picture of what you are looking for (or use the arrow keys and 1). What you leave is not counted as a no. The search begins with ${count(looking, "example")}, or sooner if you press S: one is enough.`, "None of these: show others ⏎");
  if (overview && more > 0) return guide(`${examples} marked. Mark ${more} more, or start the search now (S); Enter shows other pictures.`, "Show others ⏎");
  if (overview) return guide(`${examples} marked: Enter starts the search for more of them. What you leave is not counted as a no.`, `${start} ⏎`);
  if (!looking) return guide("Mark everything that shows what you are looking for, then press Enter: the rest of the page counts as a no, and your answers decide what is shown next.", onward);
  if (!marked) return guide(`Mark what you are looking for: click it, or press 1. Enter shows the next ones. The search begins with ${count(looking, "example")}.`, onward);
  if (more > 0) return guide(`${examples} marked. Mark ${more} more, or search from what you have.`, onward);
  return guide(`${examples} marked: the search begins with the next page.`, onward);
}

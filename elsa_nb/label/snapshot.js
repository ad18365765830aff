// The cards as the kernel has them: its whole state, from a message and its buffers.

function adopt(cards, m, buffers) {
  const ints = (view, Type) => new Type(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
  const history = ints(buffers[1], Int32Array), undone = ints(buffers[2], Int32Array);
  Object.assign(cards, { size: m.size, rounds: m.rounds, overviews: m.overviews, cursor: m.cursor, waiting: m.waiting, over: m.over, check: m.check, open: m.open, earlier: Object.fromEntries(m.earlier), later: Object.fromEntries(m.later),
    labels: Array.from(ints(buffers[0], Int8Array)), history: [], undone: [] });
  const pairs = (flat, i) => Array.from({ length: flat[i] }, (_, k) => [flat[i + 1 + 2 * k], flat[i + 2 + 2 * k]]);
  for (let i = 0; i < history.length; i += history[i] < 0 ? 1 : 1 + 2 * history[i]) cards.history.push(history[i] < 0 ? -history[i] - 1 : pairs(history, i));
  for (let i = 0; i < undone.length; i += 1 + 2 * undone[i]) cards.undone.push(pairs(undone, i));
}

// Contrast and channel of the pictures, on this screen only: what the encoder saw stays.

// The filters are ours, with no text from outside in them.
const STRETCHES = { "contrast": "none", "darker": "brightness(0.55)", "brighter": "brightness(2)", "more contrast": "contrast(2.2)", "dark parts": "url(#elsa-dark)", "bright parts": "url(#elsa-bright)", "inverted": "invert(1)", "red": "url(#elsa-red)", "green": "url(#elsa-green)", "blue": "url(#elsa-blue)" };
const channel = (name, row) => `<filter id="elsa-${name}" color-interpolation-filters="sRGB"><feColorMatrix values="${row} ${row} ${row} 0 0 0 1 0"/></filter>`;
const curveOf = (name, values) => `<filter id="elsa-${name}" color-interpolation-filters="sRGB"><feComponentTransfer>${["R", "G", "B"].map((c) => `<feFunc${c} type="table" tableValues="${values}"/>`).join("")}</feComponentTransfer></filter>`;
const FILTERS = `<svg width="0" height="0" aria-hidden="true">${channel("red", "1 0 0 0 0")}${channel("green", "0 1 0 0 0")}${channel("blue", "0 0 1 0 0")}${curveOf("dark", "0 0.5 1 1 1")}${curveOf("bright", "0 0 0 0.5 1")}</svg>`;

// Put the choice into `bar`; what is chosen is a filter of the pictures below `root`.
function makeStretch(bar, root, chosen) {
  const stretch = make("select", "elsa-stretch", bar); stretch.title = "contrast and channel of the pictures, on this screen only"; stretch.setAttribute("aria-label", "contrast and channel");
  Object.keys(STRETCHES).forEach((name) => { make("option", "", stretch, name).value = name; });
  stretch.addEventListener("change", () => { root.style.setProperty("--stretch", STRETCHES[stretch.value]); root.dataset.stretch = stretch.value; chosen(); });
  make("div", "elsa-filters", root).innerHTML = FILTERS;
}

// The contrast (WCAG 2) of every text on screen to what is behind it, the worst first.
() => {
  const canvas = document.createElement('canvas'); canvas.width = canvas.height = 1;
  const pen = canvas.getContext('2d', {willReadFrequently: true});
  const rgba = (css) => { pen.clearRect(0, 0, 1, 1); pen.fillStyle = css; pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255]; };
  const over = ([r, g, b, a], under) => [r, g, b].map((v, i) => v * a + under[i] * (1 - a));
  const light = (rgb) => rgb.map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const behind = (node) => { const layers = []; for (let n = node; n; n = n.parentElement) layers.push(rgba(getComputedStyle(n).backgroundColor));
    return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]); };
  const clear = (node) => { let all = 1; for (let n = node; n; n = n.parentElement) all *= Number(getComputedStyle(n).opacity); return all; };
  const found = [];
  for (const node of document.querySelectorAll('.elsa-panel, .elsa-panel *, .widget-button, .widget-dropdown select')) {
    const own = [...node.childNodes].some((c) => c.nodeType === 3 && c.textContent.trim()) || node.value;
    const style = getComputedStyle(node);
    if (!own || !node.checkVisibility({visibilityProperty: true}) || node.closest('.elsa-live') || node.tagName === 'OPTION') continue;
    const back = behind(node), [r, g, b, a] = rgba(style.color);
    const seen = ratio(over([r, g, b, a * clear(node)], back), back);
    found.push([Math.round(100 * seen) / 100, node.className || node.tagName, (node.textContent || node.value).slice(0, 30)]);
  }
  return {worst: found.sort((p, q) => p[0] - q[0]).slice(0, 8), back: behind(document.querySelector('.elsa-panel')), all: found.length}; }

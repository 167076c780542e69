// Tables as CSV and LaTeX, as the command writes them, and figures as SVG and PNG, as they are drawn here: in the light
// colours, whatever the reader's are, and with the system's fonts. Nothing is asked of anybody.
{
const CLEAR = "rgba(0, 0, 0, 0)", SCALE = 3, MOST = 16000;  // the sides of a picture in pixels that browsers draw
const DRAWN = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "opacity", "vector-effect"];
const SIDES = {Top: [0, 0, 1, 0], Right: [1, 0, 1, 1], Bottom: [0, 1, 1, 1], Left: [0, 0, 0, 1]};

function keep(name, blob) {
  const link = make("a", {href: URL.createObjectURL(blob), download: name});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

// ---- from what the browser has laid out to a drawing of rectangles, lines and words

function light() {
  const root = document.documentElement.style, rules = [...document.styleSheets[0].cssRules];
  const names = [];
  for (const rule of rules.filter(one => one.selectorText === ":root")) for (const name of rule.style) if (name.startsWith("--")) {
    root.setProperty(name, rule.style.getPropertyValue(name));
    names.push(name);
  }
  return () => names.forEach(name => root.removeProperty(name));
}

let zoom = 1;  // by how much a drawing will be larger than here; lines that do not scale are made thicker instead

function picture(element, larger = 1) {
  zoom = larger;
  const dark = light();
  try {
    const place = element.getBoundingClientRect(), [width, height] = [place.width, place.height].map(one => Math.ceil(one) + 16);
    const paper = getComputedStyle(document.body).backgroundColor;
    const canvas = drawn("svg", {xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `0 0 ${width} ${height}`});
    canvas.append(drawn("rect", {width, height, fill: paper}));
    lay(element, canvas, place.left - 8, place.top - 8);
    return {text: new XMLSerializer().serializeToString(canvas), width, height};
  } finally { dark(); }
}

function lay(element, canvas, left, top) {
  const style = getComputedStyle(element);
  if (style.display === "none" || element.matches(".sr, .saving")) return;
  const place = element.getBoundingClientRect(), at = {x: place.left - left, y: place.top - top, width: place.width, height: place.height};
  if (element instanceof SVGElement) { canvas.append(copied(element, at)); return; }
  box(style, at, canvas);
  for (const child of element.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) { if (style.visibility !== "hidden") words(child, style, canvas, left, top); }
    else if (child.nodeType === Node.ELEMENT_NODE) lay(child, canvas, left, top);
  }
}

function box(style, {x, y, width, height}, canvas) {
  const rounded = parseFloat(style.borderTopLeftRadius) || 0;
  if (style.backgroundColor !== CLEAR) canvas.append(drawn("rect", {x, y, width, height, rx: rounded, fill: style.backgroundColor}));
  for (const [side, [x1, y1, x2, y2]] of Object.entries(SIDES)) {
    const thick = parseFloat(style[`border${side}Width`]), kind = style[`border${side}Style`];
    if (thick && kind !== "none") canvas.append(drawn("line", {x1: x + x1 * width, y1: y + y1 * height, x2: x + x2 * width, y2: y + y2 * height,
      stroke: style[`border${side}Color`], "stroke-width": thick, ...(kind === "dashed" ? {"stroke-dasharray": "3 3"} : {})}));
  }
  const line = parseFloat(style.outlineWidth), inner = parseFloat(style.outlineOffset) + line / 2;
  if (line && style.outlineStyle !== "none") canvas.append(drawn("rect", {x: x - inner, y: y - inner, width: width + 2 * inner, height: height + 2 * inner,
    rx: rounded, fill: "none", stroke: style.outlineColor, "stroke-width": line}));
}

function copied(element, {x, y, width, height}) {
  const copy = element.cloneNode(true), ours = [element, ...element.querySelectorAll("*")], theirs = [copy, ...copy.querySelectorAll("*")];
  ours.forEach((one, number) => {
    const style = getComputedStyle(one), other = theirs[number];
    if (number && one.tagName !== "svg" && one.tagName !== "title") {
      for (const name of DRAWN) other.setAttribute(name, style.getPropertyValue(name));
      if (style.vectorEffect !== "none") for (const name of ["stroke-width", "stroke-dasharray"]) {
        other.setAttribute(name, style.getPropertyValue(name).replace(/[\d.]+/g, number => number * zoom));
      }
    }
    for (const name of ["class", "style"]) other.removeAttribute(name);
  });
  for (const [name, value] of Object.entries({x, y, width, height, overflow: "visible"})) copy.setAttribute(name, value);
  return copy;
}

// The words of one text, those of a line together; they end or are centred where they do on the page, whatever font
// the reader of the file has.
function words(node, style, canvas, left, top) {
  const lines = [], range = document.createRange();
  for (const {index, 0: word} of node.data.matchAll(/\S+/g)) {
    range.setStart(node, index);
    range.setEnd(node, index + word.length);
    const place = range.getBoundingClientRect(), last = lines.at(-1);
    if (!place.width) continue;
    if (last && Math.abs(last.top - place.top) < 2) { last.text += ` ${word}`; last.right = place.right; }
    else lines.push({text: word, top: place.top, height: place.height, left: place.left, right: place.right});
  }
  const how = {end: "end", right: "end", center: "middle"}[style.textAlign] ?? "start";
  const size = parseFloat(style.fontSize);
  for (const line of lines) {
    const x = {start: line.left, end: line.right, middle: (line.left + line.right) / 2}[how] - left;
    const text = drawn("text", {x, y: line.top - top + line.height / 2 + size * .35, "text-anchor": how, fill: style.color, "font-size": size,
      "font-family": style.fontFamily, "font-weight": style.fontWeight, "font-style": style.fontStyle, style: `font-variant-numeric: ${style.fontVariantNumeric}`});
    text.append(line.text);
    canvas.append(text);
  }
}

function saveSvg(name, element) {
  keep(`${name}.svg`, new Blob([`<?xml version="1.0" encoding="utf-8"?>\n${picture(element).text}\n`], {type: "image/svg+xml"}));
}

async function savePng(name, element) {
  const place = element.getBoundingClientRect(), scale = Math.min(SCALE, MOST / Math.max(place.width, place.height));
  const {text, width, height} = picture(element, scale), image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = make("canvas", {width: Math.round(width * scale), height: Math.round(height * scale)});
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob(blob => keep(`${name}.png`, blob), "image/png");
}

// ---- the buttons

function offer(place, name, kinds) {
  const buttons = Object.entries(kinds).map(([kind, save]) => {
    const button = make("button", {type: "button", "aria-label": `Save ${name} as ${kind}`}, kind);
    button.addEventListener("click", save);
    return button;
  });
  place.append(make("details", {class: "saving"}, make("summary", {"aria-label": `Save ${name}`}, "Save"), ...buttons));
}

const texts = JSON.parse(document.getElementById("exports").textContent);  // file name, CSV and LaTeX of each table
document.querySelectorAll("main table").forEach((table, number) => {
  const [name, csv, latex] = texts[number], place = table.closest(".scroll") ?? table.parentNode;
  const figure = place.dataset.figure;
  offer(place, figure ?? name, {
    CSV: () => keep(`${name}.csv`, new Blob([csv], {type: "text/csv"})),
    LaTeX: () => keep(`${name}.tex`, new Blob([latex], {type: "application/x-tex"})),
    ...(figure ? {SVG: () => saveSvg(figure, table), PNG: () => savePng(figure, table)} : {}),
  });
});
for (const one of document.querySelectorAll("main figure[data-figure]")) {
  offer(one, one.dataset.figure, {SVG: () => saveSvg(one.dataset.figure, one), PNG: () => savePng(one.dataset.figure, one)});
}
}

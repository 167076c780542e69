// One clip as a page shows it; player.html makes the same of the same facts. Every text becomes a text node or an
// attribute of a fixed name, never markup.
const LEVELS = "{{ levels }}", COLUMNS = {{ columns }};

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

function drawn(name, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function player({kind, src, path, span = "", muted = false, note = "", poster = "", shape = [], strip = "", wave = "", seconds = 0}) {
  const name = span ? `${path}, ${span}` : path, box = make("div", {class: "clip"});
  // Only what a reader has opened is loaded; from a moment after its beginning, it shows a frame and no black box.
  if (kind === "video") {
    const film = make("video", {controls: true, preload: "auto", playsinline: true, poster: poster || null, width: shape[0], height: shape[1], src: poster || /[#]|^data:/.test(src) ? src : `${src}#t=0.001`, "aria-label": `Clip ${name}`});
    film.muted = Boolean(muted);  // the attribute says nothing to an element that a script makes
    box.append(film);
  } else if (kind === "audio") box.append(make("audio", {controls: true, preload: "metadata", src, "aria-label": `Sound ${name}`}));
  else if (kind === "image") box.append(make("img", {loading: "lazy", src, alt: `Picture ${name}`}));
  else if (kind === "link") box.append(make("p", {class: "small"}, make("a", {href: src}, make("bdi", {}, name)), " (browsers do not play this format)"));
  else box.append(make("p", {class: "missing"}, make("bdi", {}, name), ` ${note || "is not on this disk; name the folder of its corpus with --root"}`));
  if (strip) box.append(make("img", {class: "strip", src: strip, alt: `Frames of ${name} from beginning to end`}));
  if (wave) box.append(make("figure", {class: "sound"}, waveform(wave, seconds, name), make("figcaption", {}, `${seconds.toFixed(1)} s of sound`)));
  if (note && ["video", "audio", "image"].includes(kind)) box.append(make("p", {class: "small"}, note));
  attach(box);
  return box;
}

function said(text) { return make("blockquote", {class: "said", dir: "auto", tabindex: 0, title: "What is said"}, text); }

function waveform(levels, seconds, name) {
  const heights = [...levels].map(level => LEVELS.indexOf(level) / (LEVELS.length - 1));
  const ends = sign => heights.map((height, column) => `${(column * COLUMNS / Math.max(1, heights.length - 1)).toFixed(1)},${(1 + sign * height).toFixed(2)}`);
  const box = drawn("svg", {viewBox: `0 0 ${COLUMNS} 2`, preserveAspectRatio: "none", role: "img", "aria-label": `Waveform of ${name}`, "data-seconds": seconds});
  box.append(drawn("polygon", {points: [...ends(-1), ...ends(1).reverse()].join(" ")}));
  return box;
}

// A line in the waveform goes with what is heard, and a click leads there; the player's own keys do the same.
function attach(box) {
  const media = box.querySelector("video, audio"), wave = box.querySelector(".sound svg");
  if (!media || !wave) return;
  const line = drawn("line", {class: "now", x1: 0, x2: 0, y1: 0, y2: 2}), seconds = Number(wave.dataset.seconds);
  const start = Number(/#t=([\d.]+)/.exec(media.getAttribute("src").slice(-40))?.[1] ?? 0);
  wave.classList.add("follows");
  wave.append(line);
  media.addEventListener("timeupdate", () => {
    const x = COLUMNS * Math.min(1, Math.max(0, (media.currentTime - start) / seconds));
    line.setAttribute("x1", x);
    line.setAttribute("x2", x);
  });
  wave.addEventListener("click", event => {
    const place = wave.getBoundingClientRect();
    media.currentTime = start + seconds * (event.clientX - place.left) / place.width;
  });
}

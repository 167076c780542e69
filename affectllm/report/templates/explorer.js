{
// The list of all examples. What it shows lies in files beside the page, each a call of affectllmExamples; every text
// becomes a text node or an attribute of a fixed name, never markup.
const explorer = document.getElementById("examples");
const $ = name => explorer.querySelector(`[data-part="${name}"]`);
const OUTCOMES = ["correct", "wrong", "unreadable", "reply"];
const MARKS = {correct: "✓ correct", wrong: "✗ wrong", unreadable: "? unreadable", reply: "reply"};
const PAGE = 25, UNREAD = " unreadable";
const tasks = JSON.parse(explorer.dataset.tasks);  // [name, count] of each
const loaded = new Map();
let quiet = true, waiting = null, task = -1, index = null, matches = [], page = 0, turn = 0;

window.affectllmExamples = value => { waiting = value; };

function load(number, file) {
  const key = `${number}/${file}`;
  if (!loaded.has(key)) {
    loaded.set(key, new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `${explorer.dataset.base}/${number}/${file}.js`;
      // A script has run when its load event comes, and no other script runs between the two.
      script.onload = () => { const value = waiting; waiting = null; script.remove(); resolve(value); };
      script.onerror = () => { loaded.delete(key); script.remove(); reject(new Error(script.src)); };
      document.head.append(script);
    }));
  }
  return loaded.get(key);
}

// ---- what is asked for: the state of the controls, which is also what follows #examples? in the address

function controls() { return [...explorer.querySelectorAll("[data-key]")]; }

function wanted() {
  return Object.fromEntries(controls().filter(one => one.value).map(one => [one.dataset.key, one.value]));
}

function address() {
  const query = new URLSearchParams(wanted());
  if (page) query.set("page", page + 1);
  return `#examples?${query}`;
}

// Opening a page is nothing to remember; a filter is.
function remember() { if (!quiet) history.replaceState(null, "", address()); }

async function follow() {
  const [place, query] = location.hash.split("?");
  if (place !== "#examples") return;
  const asked = Object.fromEntries(new URLSearchParams(query || ""));
  await open(asked);
  explorer.scrollIntoView({behavior: "instant"});
  const first = $("list").querySelector("summary");
  if (first && query) { first.focus({preventScroll: true}); first.parentNode.open = true; }
}

// ---- one task

async function open(asked) {
  const number = Math.max(0, tasks.findIndex(([name]) => name === asked.task));
  const mine = ++turn;
  $("state").textContent = "Opening the examples …";
  let value;
  try { value = await load(number, "index"); }
  catch (error) {
    $("state").textContent = `The folder “${decodeURIComponent(explorer.dataset.base)}” is not beside this page, so its examples cannot be listed.`;
    $("body").hidden = true;
    return;
  }
  if (mine !== turn) return;
  if (number !== task) { task = number; index = value; build(); }
  for (const one of controls()) one.value = asked[one.dataset.key] ?? (one.dataset.key === "task" ? tasks[number][0] : one.dataset.key === "run" ? index.runs[0] : "");
  $("body").hidden = false;
  await find(Math.max(0, (parseInt(asked.page, 10) || 1) - 1));
}

function select(key, title, values, all) {
  const chosen = make("select", {"data-key": key}, ...(all ? [new Option(all, "")] : []), ...values.map(([text, value]) => new Option(text, value)));
  chosen.addEventListener("change", () => key === "task" ? open({task: chosen.value}) : find());
  return make("label", {}, title + " ", chosen);
}

function typed(key, title, values) {
  const list = make("datalist", {id: `values-${key}`}, ...values.slice(0, 2000).map(value => make("option", {value})));
  const input = make("input", {"data-key": key, list: list.id, autocomplete: "off"});
  input.addEventListener("change", () => find());
  return make("label", {}, title + " ", input, list);
}

function choice(key, title, values) {
  return values.length > 40 ? typed(key, title, values) : select(key, title, values.map(value => [value === UNREAD ? "none: unreadable" : value, value]), "all");
}

function build() {
  const several = index.runs.length > 1, labels = index.labels.map(label => [label, label]);
  const used = new Set(index.answers.flatMap(one => [...new Set(one.outcomes)]).filter(one => one !== "-"));
  const outcomes = OUTCOMES.filter((_, number) => used.has(String(number)));
  const main = [
    tasks.length > 1 ? select("task", "Task", tasks.map(([name]) => [name, name])) : "",
    several ? select("run", "Run", index.runs.map(name => [name, name])) : "",
    select("outcome", "Answer", [...outcomes.map(one => [MARKS[one], one]), ...(several ? [["runs differ", "differ"]] : [])], "all"),
    labels.length ? select("right", "Right label", labels, "all") : "",
    labels.length ? select("given", "Label given", [...labels, ["none: unreadable", UNREAD]], "all") : "",
    ...index.facts.filter(([key]) => key === "speaker" || key === "modality").map(([key, one]) => choice(key, one.title[0].toUpperCase() + one.title.slice(1), one.values)),
  ];
  const parts = one => one.parts ? [...new Set(one.parts.flat().map(([, value]) => value))] : [];
  const names = index.gold.parts ? [...new Set(index.gold.parts.flat().map(([name]) => name))] : [];
  const more = [
    ...(names.length && names.length <= 40 ? [choice("part", "part of the answer", names),
      choice("part-right", "right there", parts(index.gold)),
      choice("part-given", "given there", [...new Set(index.answers.flatMap(parts)), UNREAD])] : []),
    ...index.facts.filter(([key]) => key !== "speaker" && key !== "modality").map(([key, one]) => choice(`is:${key}`, one.title, one.values)),
    ...(index.answers.some(one => one.reasons.values.length) ? [choice("reason", "why unreadable", [...new Set(index.answers.flatMap(one => one.reasons.values))])] : []),
  ];
  $("filters").replaceChildren(...main.filter(Boolean));
  $("more").hidden = !more.length;
  $("facts").replaceChildren(...more);
}

// ---- filtering

function byLabel(answers, label) {
  const number = index.labels.indexOf(label), has = answers.labels.map(labels => labels.includes(number));
  return row => answers.rows[row] >= 0 && has[answers.rows[row]];
}

function byValue(column, value) {
  const number = column.values.indexOf(value);
  return row => number >= 0 && column.rows[row] === number;
}

function tests(asked) {
  const place = Math.max(0, index.runs.indexOf(asked.run)), answers = index.answers[place], checks = [];
  if (asked.outcome === "differ") {
    checks.push(row => new Set(index.answers.map(one => one.outcomes[row])).size > 1 || new Set(index.answers.map(one => one.values[one.rows[row]])).size > 1);
  } else if (asked.outcome) {
    const code = String(OUTCOMES.indexOf(asked.outcome));
    checks.push(row => answers.outcomes[row] === code);
  } else if (place) { checks.push(row => answers.outcomes[row] !== "-"); }
  if (asked.right) checks.push(byLabel(index.gold, asked.right));
  if (asked.given === UNREAD) checks.push(row => answers.outcomes[row] !== "-" && (answers.rows[row] < 0 || !answers.labels[answers.rows[row]].length));
  else if (asked.given) checks.push(byLabel(answers, asked.given));
  if (asked.part) {
    const part = (one, row) => (one.parts?.[one.rows[row]] ?? []).find(([name]) => name === asked.part)?.[1];
    if (asked["part-right"]) checks.push(row => part(index.gold, row) === asked["part-right"]);
    if (asked["part-given"] === UNREAD) checks.push(row => answers.outcomes[row] !== "-" && part(answers, row) === undefined);
    else if (asked["part-given"]) checks.push(row => part(answers, row) === asked["part-given"]);
  }
  if (asked.reason) checks.push(byValue(answers.reasons, asked.reason));
  for (const [key, column] of index.facts) {
    const value = asked[key === "speaker" || key === "modality" ? key : `is:${key}`];
    if (value) checks.push(byValue(column, value));
  }
  return checks;
}

async function find(start = 0) {
  const mine = ++turn, asked = wanted(), checks = tests(asked), rows = [];
  for (let row = 0; row < index.count; row++) if (checks.every(check => check(row))) rows.push(row);
  page = start;
  const words = (asked.words || "").trim().toLowerCase();
  if (!words) { matches = rows; show(); return; }
  matches = [];
  for (const [at, row] of rows.entries()) {
    const text = await textOf(row);
    if (mine !== turn) return;
    if (text.includes(words)) matches.push(row);
    if (at % 2000 === 1999) $("state").textContent = `${matches.length.toLocaleString("en")} found in ${(at + 1).toLocaleString("en")} of ${rows.length.toLocaleString("en")} …`;
  }
  show();
}

async function textOf(row) {
  const chunk = await load(task, Math.floor(row / index.chunk));
  chunk.lower ??= chunk.texts.map(text => text.toLowerCase());
  const [messages, prompt, gold, known, answers] = chunk.rows[row % index.chunk];
  const numbers = [prompt, gold, ...messages.flatMap(([, parts]) => parts), ...known.map(([, value]) => value), ...answers.flatMap(one => one ? [one[0], one[1]] : [])];
  const media = messages.flatMap(([, parts]) => parts.filter(Array.isArray).map(part => part[2].toLowerCase()));
  return [index.ids[row].toLowerCase(), ...media, ...numbers.filter(Number.isInteger).map(number => number < 0 ? "" : chunk.lower[number])].join("\n");
}

// ---- the list

function show() {
  const pages = Math.max(1, Math.ceil(matches.length / PAGE));
  page = Math.min(page, pages - 1);
  const first = page * PAGE, rows = matches.slice(first, first + PAGE);
  const total = index.count.toLocaleString("en"), found = matches.length.toLocaleString("en");
  $("state").textContent = matches.length ? `${first + 1}–${first + rows.length} of ${found}${matches.length < index.count ? ` (${total} in all)` : ""}` : `None of ${total} examples is like that.`;
  $("list").replaceChildren(...rows.map(item));
  $("pager").hidden = pages < 2;
  $("back").disabled = page === 0;
  $("on").disabled = page === pages - 1;
  remember();
  explorer.dataset.ready = String(matches.length);
}

function item(row) {
  const place = Math.max(0, index.runs.indexOf(wanted().run)), answers = index.answers[place];
  const kind = OUTCOMES[answers.outcomes[row]] || "reply", given = answers.values[answers.rows[row]];
  const wording = index.wordings && index.wordings[row] !== null ? ` · wording ${index.wordings[row] + 1}` : "";
  const summary = make("summary", {},
    make("span", {class: `badge ${kind}`}, MARKS[kind]), " ",
    make("span", {class: "pair"}, make("bdi", {class: "gold"}, index.gold.values[index.gold.rows[row]] ?? "–"), kind === "correct" ? "" : make("span", {}, " → ", make("bdi", {}, given ?? "–"))), " ",
    make("bdi", {class: "id"}, index.ids[row] + wording));
  const details = make("details", {class: `row ${kind}`}, summary);
  details.addEventListener("toggle", async () => {
    if (!details.open || details.children.length > 1) return;
    const chunk = await load(task, Math.floor(row / index.chunk));
    if (details.children.length === 1) details.append(body(chunk, chunk.rows[row % index.chunk], row));
  });
  return make("li", {}, details);
}

function body(chunk, [messages, prompt, gold, known, answers], row) {
  const text = number => chunk.texts[number];
  const box = make("div", {class: "full"});
  for (const [, parts] of messages) for (const part of parts) if (Array.isArray(part)) {
    const [kind, src, path, span, muted, wave, seconds] = part;
    box.append(player({kind, src, path, span, muted, wave, seconds}));
  }
  const facts = make("dl", {}, make("dt", {}, "right"), make("dd", {class: "gold", dir: "auto"}, text(gold)));
  answers.forEach((answer, place) => {
    if (!answer) return;
    const [reply, reading, likely] = answer, kind = OUTCOMES[index.answers[place].outcomes[row]];
    const reason = index.answers[place].reasons, why = reason.values[reason.rows[row]];
    const value = make("dd", {dir: "auto"}, why ? make("span", {class: "unread"}, "unreadable: ", make("code", {}, why)) : reading < 0 ? "–" : text(reading), " ", make("span", {class: `badge ${kind}`}, MARKS[kind]));
    if (reply >= 0 && text(reply) !== text(reading)) value.append(make("blockquote", {tabindex: 0}, text(reply) || "(an empty reply)"));
    if (likely.length) value.append(bars(likely.map(([choice, one]) => [text(choice), one])));
    facts.append(make("dt", {}, index.runs.length > 1 ? index.runs[place] : "given"), value);
  });
  box.append(facts, make("h3", {}, "What was asked"), dialogue(messages, prompt, text));
  if (known.length) {
    const list = make("dl", {class: "known"});
    for (const [name, value] of known) list.append(make("dt", {}, text(name)), make("dd", {dir: "auto"}, text(value)));
    box.append(make("h3", {}, "What the corpus knows"), list);
  }
  return box;
}

function dialogue(messages, prompt, text) {
  if (prompt >= 0) return make("div", {class: "asked", tabindex: 0, dir: "auto"}, text(prompt));
  const box = make("div", {class: "asked", tabindex: 0});
  for (const [role, parts] of messages) {
    const words = parts.map(part => Array.isArray(part) ? `[${part[0] === "link" || part[0] === "missing" ? "clip" : part[0]}: ${part[2]}${part[3] ? `, ${part[3]}` : ""}]` : text(part)).join("\n");
    box.append(make("p", {dir: "auto"}, make("b", {}, text(role)), "\n" + words));
  }
  return box;
}

function bars(likely) {
  const finite = likely.map(([, one]) => one).filter(one => one !== null), most = Math.max(...finite);
  const weights = likely.map(([, one]) => one === null ? 0 : Math.exp(one - most)), sum = weights.reduce((a, b) => a + b, 0) || 1;
  const list = make("dl", {class: "likely", title: "log-likelihoods of the choices, as shares of their sum"});
  likely.forEach(([name, one], place) => {
    const share = make("dd", {}, make("i", {}), `${(100 * weights[place] / sum).toFixed(1)} %`, make("span", {class: "small"}, one === null ? " –" : ` ${one.toFixed(2)}`));
    share.firstChild.style.setProperty("--p", `${100 * weights[place] / sum}%`);
    list.append(make("dt", {dir: "auto"}, name), share);
  });
  return list;
}

// ---- keys and beginning

function move(by) {
  const all = [...$("list").querySelectorAll("summary")], at = all.indexOf(document.activeElement);
  all[Math.min(all.length - 1, Math.max(0, at + by))]?.focus();
}

function turnPage(by) {
  page = Math.max(0, page + by);
  show();
  $("list").querySelector("summary")?.focus();
}

$("list").addEventListener("keydown", event => {
  if (event.target.tagName !== "SUMMARY" || event.ctrlKey || event.metaKey || event.altKey) return;
  const does = {ArrowDown: () => move(1), ArrowUp: () => move(-1), Home: () => move(-PAGE), End: () => move(PAGE),
    ArrowRight: () => $("on").disabled || turnPage(1), ArrowLeft: () => $("back").disabled || turnPage(-1)}[event.key];
  if (does) { event.preventDefault(); does(); }
});
$("back").addEventListener("click", () => turnPage(-1));
$("on").addEventListener("click", () => turnPage(1));
let pause = 0;
$("words").addEventListener("input", () => { clearTimeout(pause); pause = setTimeout(find, 250); });
$("form").addEventListener("submit", event => { event.preventDefault(); find(); });
$("clear").addEventListener("click", () => open({task: tasks[task][0]}));
addEventListener("hashchange", follow);
explorer.querySelector("noscript")?.remove();
(location.hash.startsWith("#examples?") ? follow() : open({})).then(() => { quiet = false; });
}

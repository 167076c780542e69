"use strict";
{% include "player.js" %}
const data = JSON.parse(document.getElementById("data").textContent);
const at = id => document.getElementById(id);
const key = "affectllm-rating-" + data.mark;
const state = { rater: "", ratings: {}, place: 0 };
try { Object.assign(state, JSON.parse(localStorage.getItem(key) || "{}")); } catch (error) { /* not kept here */ }
// An item may be called __proto__ or constructor, which are more than keys of a common object.
state.ratings = Object.assign(Object.create(null), state.ratings);
const keep = () => { try { localStorage.setItem(key, JSON.stringify(state)); } catch (error) { /* not kept here */ } };

function show() {
  const item = data.items[state.place], own = state.ratings[item.id] || {};
  const done = data.items.filter(one => state.ratings[one.id] && state.ratings[one.id].rating).length;
  at("place").textContent = `Item ${state.place + 1} of ${data.items.length}; ${done} rated`;
  at("text").textContent = item.text;
  at("question").textContent = data.question;
  at("remark").value = own.remark || "";
  at("media").replaceChildren(...item.media.map(player), ...(item.said ? [make("p", {class: "small"}, "What is said:"), said(item.said)] : []));
  at("scale").replaceChildren(...data.scale.map((value, number) => {
    const button = document.createElement("button");
    button.textContent = `${number + 1}: ${value}`;
    button.setAttribute("aria-pressed", String(own.rating === value));
    button.onclick = () => rate(value);
    return button;
  }));
}
function rate(value) {
  const item = data.items[state.place];
  state.ratings[item.id] = Object.assign(state.ratings[item.id] || {}, { rating: value });
  move(1);
}
function move(by) {
  state.place = Math.max(0, Math.min(data.items.length - 1, state.place + by));
  keep();
  show();
}
const cell = text => {
  const words = String(text ?? "");
  return /[",\r\n]/.test(words) ? `"${words.replaceAll('"', '""')}"` : words;
};
function table() {
  const rows = data.items.filter(one => (state.ratings[one.id] || {}).rating).map(one => {
    const own = state.ratings[one.id];
    return [one.id, state.rater, own.rating, own.remark || ""].map(cell).join(",");
  });
  return ["item,rater,rating,remark", ...rows].join("\n") + "\n";
}
function save() {
  if (!state.rater.trim()) { at("saved").textContent = "Write your name or number first."; at("rater").focus(); return; }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([table()], { type: "text/csv" }));
  link.download = `ratings-${data.name}-${state.rater.trim().replace(/[^\w.-]+/g, "_")}.csv`;
  link.click();
  at("saved").textContent = `Saved as ${link.download}`;
}
at("rater").value = state.rater;
at("rater").oninput = () => { state.rater = at("rater").value; keep(); };
at("remark").oninput = () => {
  const item = data.items[state.place];
  state.ratings[item.id] = Object.assign(state.ratings[item.id] || {}, { remark: at("remark").value });
  keep();
};
at("back").onclick = () => move(-1);
at("next").onclick = () => move(1);
at("save").onclick = save;
document.addEventListener("keydown", event => {
  if (event.target.tagName === "INPUT" || event.ctrlKey || event.metaKey || event.altKey) return;
  const number = Number(event.key);
  if (number >= 1 && number <= data.scale.length) rate(data.scale[number - 1]);
  else if (event.key === "ArrowLeft") move(-1);
  else if (event.key === "ArrowRight") move(1);
  else if (event.key.toLowerCase() === "s") save();
  else if (event.key === " ") {
    const clip = document.querySelector("#media video, #media audio");
    if (clip) clip.paused ? clip.play() : clip.pause();
  } else return;
  event.preventDefault();
});
show();

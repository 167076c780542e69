const words = document.getElementById("words");
const choices = [...document.querySelectorAll(".finder select")];
const cards = [...document.querySelectorAll(".sample")];
const texts = cards.map(card => (card.textContent + " " + (card.dataset.labels || "")).toLowerCase());
function find() {
  const wanted = words.value.trim().toLowerCase();
  let count = 0;
  cards.forEach((card, i) => {
    // One on each line; a label may itself have several.
    const has = choice => !choice.value || `\n${card.dataset[choice.id]}\n`.includes(`\n${choice.value}\n`);
    card.hidden = !(texts[i].includes(wanted) && choices.every(has));
    count += !card.hidden;
  });
  // A board of which no run is left is not shown either.
  document.querySelectorAll("#boards > section").forEach(board => {
    board.hidden = ![...board.querySelectorAll(".sample")].some(card => !card.hidden);
  });
  document.getElementById("shown").textContent = count;
}
words.addEventListener("input", find);
choices.forEach(choice => choice.addEventListener("change", find));
document.querySelector(".finder").addEventListener("submit", event => event.preventDefault());
// A browser that reloads a page keeps what was typed and chosen.
find();

// What the page does: which cards are shown, in which order, and what the keys do.

const byId = (id) => document.getElementById(id);
const [grid, search, least, sort, reverse] = ["cards", "search", "least", "sort", "reverse"].map(byId);
const [zoom, keys] = ["zoom", "keys"].map(byId);

// --- Summary ---

const { counts, changed, seconds } = report.summary;
const total = report.items.length;
const { output, began, ...others } = report.about;
byId("about").textContent = [output, began && began.replace("T", " ").replace("+00:00", " UTC"),
  `spnrefine ${report.version}`, ...Object.entries(others).map(([name, value]) => `${name} ${value}`)]
  .filter(Boolean).join(" · ");
byId("moved").hidden = atHome || !report.items.some((item) => item.links.length);

// Offered where some masks are new and others are not.
const newCount = report.items.filter((item) => item.new).length;
byId("new-chip").hidden = newCount === 0 || newCount === report.items.length;
byId("new-count").textContent = newCount.toLocaleString("en");
byId("meaning").append(...Object.entries(MEANING).map(([label, meaning]) =>
  element("div", {}, element("dt", { textContent: label }), element("dd", { textContent: meaning }))));
byId("figures").append(...[
  [total === 1 ? "mask" : "masks", total.toLocaleString("en")],
  ["median change", percent(changed)],
  ["refining time", duration(seconds)],
].map(([label, value]) => figure([label, value])));

for (const [status, count] of counts) {
  const part = element("span");
  part.dataset.status = status;
  part.style.flexGrow = count;
  byId("proportions").append(part);
  const box = element("input", { type: "checkbox", checked: true, value: status });
  const chip = element("label", { className: "chip" }, box, element("span", { textContent: status }),
    element("b", { textContent: count.toLocaleString("en") }));
  chip.dataset.status = status;
  byId("chips").append(chip);
}

// --- Cards ---

const names = report.items.map((item) => `${item.image || ""}\n${item.mask || ""}`.toLowerCase());
const cards = report.items.map((item, index) => {
  const card = element("li", { className: byId(`picture-${index}`) ? "card" : "card plain", index });
  card.dataset.status = item.status;
  return card;
});
const near = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) { fill(entry.target); near.unobserve(entry.target); }
}, { rootMargin: "800px 0px" });
cards.forEach((card) => near.observe(card));

let sorted = cards;
let shown = cards; // those of them that fit the filters
let current = -1; // place in shown

// Thousands of cards in the page would make every change slow: the first ones are, and more as the reader goes on.
const CHUNK = 96;
const rest = byId("rest");
const nearRest = new IntersectionObserver(([entry]) => entry.isIntersecting && attach(grid.childElementCount + CHUNK),
  { rootMargin: "2000px 0px" });

function attach(count) {
  grid.append(...shown.slice(grid.childElementCount, count));
  const lacking = shown.length - grid.childElementCount;
  nearRest.disconnect();
  if (lacking) nearRest.observe(rest);
  rest.style.height = `${lacking && lacking / grid.childElementCount * grid.offsetHeight}px`;
}

const largest = Math.max(0, ...report.items.map((item) => item.changed ?? 0));
// Small shares are the common ones: the slider gives them most of its length.
const leastShare = () => largest * (least.valueAsNumber / 100) ** 2;

function filter() {
  const wanted = new Set([...byId("chips").querySelectorAll(":checked")].map((box) => box.value));
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const share = leastShare();
  const chosen = shown[current];
  shown = sorted.filter(({ index }) => {
    const item = report.items[index];
    return wanted.has(item.status) && (item.new || !byId("only-new").checked) && (share === 0 || (item.changed !== null && item.changed >= share))
      && words.every((word) => names[index].includes(word));
  });
  current = shown.indexOf(chosen);
  grid.replaceChildren();
  attach(CHUNK);
  mark();
  const above = grid.parentElement.offsetTop - byId("toolbar").offsetHeight;
  if (scrollY > above) scrollTo(0, above);
  byId("least-value").textContent = share ? percent(share) : "0 %";
  const [some, all] = [shown.length, total].map((count) => count.toLocaleString("en"));
  byId("shown").textContent = some === all ? `All ${all} shown` : `${some} of ${all} shown`;
  byId("none").hidden = shown.length > 0;
}

function order() {
  const key = sort.value;
  sorted = [...cards];
  const compareNames = new Intl.Collator(undefined, { numeric: true }).compare;
  if (key === "name") sorted.sort((a, b) => compareNames(names[a.index], names[b.index]));
  else if (key !== "worst") {
    const value = (card) => report.items[card.index][key] ?? -Infinity;
    sorted.sort((a, b) => (value(b) > value(a)) - (value(b) < value(a)) || a.index - b.index);
  }
  if (reverse.getAttribute("aria-pressed") === "true") sorted.reverse();
  filter();
}

sort.addEventListener("change", order);
reverse.addEventListener("click", () => {
  reverse.setAttribute("aria-pressed", String(reverse.getAttribute("aria-pressed") !== "true"));
  order();
});
for (const control of [search, least, byId("chips"), byId("only-new")]) control.addEventListener("input", filter);
byId("toolbar").addEventListener("submit", (event) => event.preventDefault());
byId("clear").addEventListener("click", () => {
  for (const box of byId("chips").querySelectorAll("input")) box.checked = true;
  search.value = "";
  byId("only-new").checked = false;
  least.value = 0;
  filter();
});

// --- The chosen card ---

function mark() {
  for (const card of grid.querySelectorAll(".current")) card.classList.remove("current");
  shown[current]?.classList.add("current");
}

function choose(place) {
  if (!shown.length) return;
  current = Math.min(shown.length - 1, Math.max(0, place));
  const card = shown[current];
  if (!card.isConnected) attach(current + CHUNK);
  fill(card);
  mark();
  if (zoom.open) showZoom(card.index);
  card.scrollIntoView({ block: "nearest" });
  if (!zoom.open) card.handle.focus({ preventScroll: true });
}

grid.addEventListener("focusin", (event) => {
  current = shown.indexOf(event.target.closest(".card"));
  mark();
});

const firstInView = () => Math.max(0, shown.findIndex((card) => card.getBoundingClientRect().bottom > innerHeight / 3));
const step = (by) => choose(current < 0 ? firstInView() : current + by);

// The place of the card below (1) or above (-1): of the nearest row that way, the one most nearly straight.
function straight(by) {
  const from = shown[current];
  const aside = (place) => Math.abs(shown[place].offsetLeft - from.offsetLeft);
  let best = -1;
  for (let place = current + by; shown[place]; place += by) {
    if (shown[place].offsetTop === from.offsetTop) continue;
    if (best >= 0 && shown[place].offsetTop !== shown[best].offsetTop) break;
    if (best < 0 || aside(place) < aside(best)) best = place;
  }
  return best < 0 ? current : best;
}

// --- The enlarged picture ---

let zoomed = -1;

function showZoom(index) {
  zoomed = index;
  const item = report.items[index];
  const source = cards[index].stage;
  const picture = source && stage(index, source.querySelector(".slider").valueAsNumber);
  byId("zoom-name").textContent = nameOf(item);
  const main = figures(item).slice(0, 3).map((row) => row.join(" "));
  byId("zoom-figures").textContent = [item.status, ...main].join(" · ");
  const nothing = element("p", { className: "nothing", textContent: item.error || "No picture" });
  byId("zoom-picture").replaceChildren(picture || nothing);
  picture?.querySelector(".slider").focus();
}

function openZoom(index) {
  current = shown.indexOf(cards[index]);
  mark();
  zoom.showModal();
  showZoom(index);
}

zoom.addEventListener("close", () => choose(shown.indexOf(cards[zoomed])));
for (const dialog of [zoom, keys]) {
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}
byId("help").addEventListener("click", () => keys.showModal());

// --- Keys ---

const slide = (by) => (zoom.open ? byId("zoom-picture").firstChild : shown[current]?.stage)?.moveTo?.(
  (zoom.open ? byId("zoom-picture") : shown[current]).querySelector(".slider").valueAsNumber + by);

const actions = {
  j: () => step(1),
  k: () => step(-1),
  ArrowDown: () => current >= 0 && (choose(zoom.open ? current + 1 : straight(1)), true),
  ArrowUp: () => current >= 0 && (choose(zoom.open ? current - 1 : straight(-1)), true),
  ArrowLeft: (event) => slide(event.shiftKey ? -1 : -5),
  ArrowRight: (event) => slide(event.shiftKey ? 1 : 5),
  Home: () => current >= 0 && (slide(-100), true),
  End: () => current >= 0 && (slide(100), true),
  Enter: () => current >= 0 && !zoom.open && shown[current].stage ? (openZoom(shown[current].index), true) : false,
  "/": () => !zoom.open && (search.focus(), search.select(), true),
  "?": () => keys.showModal(),
};

document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
  const control = target.closest("input, select, textarea, button, a");
  if (control && !control.matches(".slider")) {
    const typing = control.matches("input, select, textarea") && !control.matches("[type=checkbox]");
    if (key === "Escape" && control === search) search.blur();
    if (typing || key === "Enter") return;
  }
  if (actions[key] && actions[key](event) !== false) event.preventDefault();
});

// On paper every card is there, with its picture.
addEventListener("beforeprint", () => {
  attach(shown.length);
  shown.forEach(fill);
  for (const picture of grid.querySelectorAll("img")) picture.decoding = "sync";
});

order();

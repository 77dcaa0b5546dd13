"use strict";
// What the page shows of one mask: its picture with the slider, its figures, its files. All text is set as text.

const report = JSON.parse(document.getElementById("report").textContent);

const SVG = "http://www.w3.org/2000/svg";
const baseName = (path) => (path || "").split(/[\\/]/).pop();
const parent = (path) => path.slice(0, path.length - baseName(path).length).replace(/[\\/]$/, "");
const stem = (path) => baseName(path).replace(/\.[^.]*$/, "");

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  Object.assign(made, properties);
  made.append(...children);
  return made;
}

function percent(share) {
  if (share === null) return "–";
  const value = 100 * share;
  if (value > 0 && value < 0.01) return "< 0.01 %";
  return `${value.toFixed(value === 0 || value >= 10 ? 0 : value < 1 ? 2 : 1)} %`;
}

function duration(seconds) {
  if (seconds < 10) return `${seconds.toFixed(seconds < 1 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  const parts = [[Math.floor(whole / 3600), "h"], [Math.floor(whole / 60) % 60, "min"], [whole % 60, "s"]];
  return parts.filter(([count]) => count).slice(0, 2).map(([count, unit]) => `${count} ${unit}`).join(" ");
}

const known = (value, digits, unit = "") => (value === null ? "–" : value.toFixed(digits) + unit);

const folderOfPage = () => location.pathname.split("/").slice(0, -1).map((part) => {
  try { return decodeURIComponent(part); } catch { return part; } // bytes that are no text
}).join("/");

// The folder that holds all photographs, which the cards need not repeat.
const roots = report.items.filter((item) => item.image).map((item) => parent(item.image).split("/"));
let shared = 0;
while (roots.length && roots.every((parts) => shared < parts.length && parts[shared] === roots[0][shared])) shared += 1;

const nameOf = (item) => baseName(item.image) || baseName(item.mask) || "standard input";

function placeOf(item) {
  const folder = item.image ? parent(item.image).split("/").slice(shared).join("/") : "";
  const mask = item.mask && stem(item.mask) !== stem(item.image) ? `mask ${baseName(item.mask)}` : "";
  return [folder, mask].filter(Boolean).join(" · ");
}

function pictureOf(index) {
  const holder = document.getElementById(`picture-${index}`);
  return holder && JSON.parse(holder.textContent);
}

function outline(picture, which) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${picture.width} ${picture.height}`);
  svg.setAttribute("class", which);
  svg.setAttribute("aria-hidden", "true");
  for (const layer of ["halo", "line"]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", picture[which]);
    path.setAttribute("class", layer);
    svg.append(path);
  }
  return svg;
}

// The photograph under both outlines, of which the slider shows one to its left and one to its right.
function stage(index, split) {
  const picture = pictureOf(index);
  if (!picture) return null;
  const name = nameOf(report.items[index]);
  const slider = element("input", { type: "range", min: 0, max: 100, step: "any", className: "slider" });
  slider.setAttribute("aria-label", `Coarse left, refined right: ${name}`);
  const photograph = element("img", {
    src: `data:image/jpeg;base64,${picture.jpeg}`, alt: `Photograph ${name}`, decoding: "async", draggable: false,
  });
  const made = element("div", { className: "stage" }, photograph,
    outline(picture, "coarse"), outline(picture, "refined"),
    element("span", { className: "tag left", textContent: "coarse" }),
    element("span", { className: "tag right", textContent: "refined" }),
    element("span", { className: "handle" }), slider);
  for (const end of made.querySelectorAll(".tag, .handle")) end.setAttribute("aria-hidden", "true");
  made.style.setProperty("--shape", picture.width / picture.height);
  made.classList.toggle("tall", picture.width / picture.height < 4 / 3);
  made.moveTo = (value) => {
    const place = Math.min(100, Math.max(0, value));
    slider.value = place;
    made.style.setProperty("--split", `${place}%`);
    made.classList.toggle("all-coarse", place > 80);
    made.classList.toggle("all-refined", place < 20);
    slider.setAttribute("aria-valuetext", `coarse left of ${Math.round(place)} %, refined right of it`);
  };
  slider.addEventListener("input", () => made.moveTo(slider.valueAsNumber));
  made.moveTo(split);
  return made;
}

// Whether the page lies where it was written: only then do its links lead to the files. FNV-1a, as Python has it.
function liesAtHome() {
  let total = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(folderOfPage())) total = Math.imul(total ^ byte, 0x01000193) >>> 0;
  return location.protocol === "file:" && total === report.home;
}

const atHome = liesAtHome();

// A place of the contour at the photograph's own resolution, under both outlines.
function spot(picture, name) {
  const image = element("img", {
    src: `data:image/jpeg;base64,${picture.jpeg}`, alt: `${name}, where the contour is ${picture.why}`,
    decoding: "async", draggable: false,
  });
  const view = element("div", { className: "spot" }, image, outline(picture, "coarse"), outline(picture, "refined"));
  view.style.setProperty("--shape", picture.width / picture.height);
  return element("figure", {}, view, element("figcaption", { textContent: picture.why }));
}

const MEANING = {
  "Expected error": "Share of the mask that may be wrong, 1 - IoU, as far as the program can tell: the judge's word, "
    + "or what the mask's own probabilities leave open. An order, not a measurement.",
  Changed: "Pixels that refining changed, as a share of the coarse mask's area.",
  Moved: "Mean distance from the refined contour to the coarse one, in pixels of the photograph.",
  Parts: "Connected parts, before and after.",
  Holes: "Holes, before and after.",
  Time: "Seconds of refining, without reading and writing.",
};

function figures(item) {
  const rows = [["Expected error", percent(item.expected)], ["Changed", percent(item.changed)],
    ["Moved", known(item.shift, item.shift < 10 ? 2 : 1, " px")]];
  for (const [label, counts] of [["Parts", item.components], ["Holes", item.holes]]) {
    if (counts) rows.push([label, counts[0] === counts[1] ? `${counts[0]}` : `${counts[0]} → ${counts[1]}`]);
  }
  if (item.seconds !== null) rows.push(["Time", duration(item.seconds)]);
  return rows.filter(([, value]) => value !== "–");
}

const figure = ([label, value]) =>
  element("div", { title: MEANING[label] || "" }, element("dt", { textContent: label }),
    element("dd", { textContent: value }));

const badge = (status) => {
  const made = element("span", { className: "badge", textContent: status });
  made.dataset.status = status;
  return made;
};

// A card is empty until it comes near the view; then its content is made once.
function fill(card) {
  if (card.filled) return;
  card.filled = true;
  const { index } = card;
  const item = report.items[index];
  const parts = [];
  const picture = stage(index, 50);
  if (picture) {
    const enlarge = element("button", { type: "button", className: "enlarge", title: "Enlarge (Enter)" });
    enlarge.setAttribute("aria-label", `Enlarge ${nameOf(item)}`);
    enlarge.addEventListener("click", () => openZoom(index));
    parts.push(element("div", { className: "frame" }, picture, enlarge));
    card.stage = picture;
    const spots = (pictureOf(index).places || []).map((each) => spot(each, nameOf(item)));
    if (spots.length) parts.push(element("div", { className: "spots" }, ...spots));
  } else card.tabIndex = 0;
  card.handle = picture ? picture.querySelector(".slider") : card;
  const title = element("div", { className: "title" },
    element("h2", { textContent: nameOf(item), title: item.image || item.mask || "" }), badge(item.status));
  const place = placeOf(item);
  if (place) title.append(element("p", { className: "place", textContent: place, title: item.mask || "" }));
  const details = element("div", { className: "details" });
  const rows = figures(item);
  if (rows.length) details.append(element("dl", { className: "numbers" }, ...rows.map(figure)));
  if (item.error) details.append(element("p", { className: "error", textContent: item.error }));
  if (item.notes.length) {
    const notes = item.notes.map((note) => element("li", { textContent: note }));
    details.append(element("ul", { className: "notes" }, ...notes));
  }
  const links = item.links.map(([label, href]) => (atHome
    ? element("a", { href, textContent: label, target: "_blank", rel: "noopener" })
    : element("span", { textContent: label, title: href })));
  const files = element("p", { className: "links" }, ...links);
  card.replaceChildren(...parts, element("div", { className: "body" }, title, details, files));
}

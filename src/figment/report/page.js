"use strict";

for (const chart of document.querySelectorAll(".chart")) readOut(chart);
for (const strip of document.querySelectorAll(".strip")) enlarge(strip);
themeSwitch();

// The values under the pointer, read back from the drawn paths: the page holds no number twice.
function readOut(chart) {
  const plot = chart.querySelector(".plot");
  if (!plot) return; // its figures stand in words
  const [left, right, low, high] = plot.dataset.range.split(" ").map(Number);
  const value = plot.dataset.scale === "log"
    ? (share) => high * (low / high) ** share
    : (share) => high - share * (high - low);
  const curves = [...plot.querySelectorAll("path.strong")].map((path) => ({
    name: path.dataset.name,
    colour: path.classList[1],
    points: [...path.getAttribute("d").matchAll(/(-?[\d.]+),(-?[\d.]+)/g)].map((pair) => [
      left + (pair[1] / 1000) * (right - left),
      value(pair[2] / 1000),
    ]),
  })).filter(({ points }) => points.length);
  if (!curves.length) return;
  const frame = chart.querySelector(".frame");
  const rule = frame.appendChild(element("div", "rule"));
  const box = frame.appendChild(element("div", "readout"));

  function show(event) {
    const area = plot.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - area.left) / area.width));
    const wanted = left + share * (right - left);
    const gap = (point) => Math.abs(point[0] - wanted);
    const near = curves.map(({ name, colour, points }) => ({
      name,
      colour,
      point: points.reduce((a, b) => (gap(b) < gap(a) ? b : a)),
    }));
    const closest = near.reduce((a, b) => (gap(b.point) < gap(a.point) ? b : a)).point;
    const at = (closest[0] - left) / (right - left);
    const start = plot.getBoundingClientRect().left - frame.getBoundingClientRect().left;
    rule.style.left = `${start + at * area.width}px`;
    box.replaceChildren(element("p", "", position(closest[0], right - left)));
    // A curve that ends long before the pointer has nothing to say there.
    for (const { name, colour, point } of near) {
      if (gap(point) > gap(closest) + 0.05 * (right - left)) continue;
      const line = box.appendChild(element("p", colour, `${name} `));
      line.append(element("b", "", Number(point[1].toPrecision(3)).toString()));
    }
    box.style.left = at > 0.5 ? "" : `${start + at * area.width + 10}px`;
    box.style.right =
      at > 0.5 ? `${frame.clientWidth - start - at * area.width + 10}px` : "";
    frame.classList.add("reading");
  }
  frame.addEventListener("pointermove", show);
  frame.addEventListener("pointerdown", show);
  frame.addEventListener("pointerleave", () => frame.classList.remove("reading"));
}

// A place on the axis: whole images, but minutes and hours with their fractions.
function position(value, span) {
  const digits = { maximumFractionDigits: span < 100 ? 2 : 0 };
  return value.toLocaleString("en", digits);
}

// A thumbnail that is pressed takes the place of the large picture; the one framed at first brings it back.
function enlarge(strip) {
  const figure = strip.parentElement.querySelector(".newest");
  if (!figure) return;
  const [newest, caption] = [figure.firstElementChild, figure.querySelector("b")];
  const words = caption.textContent;
  const moments = [...strip.children];
  const first = moments.find((moment) => moment.matches(".chosen")) ?? moments.at(-1);
  moments.forEach((moment) => {
    moment.tabIndex = 0;
    moment.setAttribute("role", "button");
    const choose = () => {
      const own = moment === first;
      const shown = own ? newest : moment.firstElementChild.cloneNode(true);
      if (shown.matches("img")) [shown.width, shown.height] = [newest.width, newest.height];
      figure.firstElementChild.replaceWith(shown);
      caption.textContent = own ? words : `after ${moment.querySelector("figcaption").textContent} images`;
      for (const other of moments) other.classList.toggle("chosen", other === moment);
    };
    moment.addEventListener("click", choose);
    moment.addEventListener("focus", choose);
  });
  first.classList.add("chosen");
}

// One media rule of the style sheet holds the dark colours: the switch turns it on or off.
function themeSwitch() {
  const rules = [...document.styleSheets[0].cssRules];
  const dark = rules.find((rule) => rule.media?.mediaText.includes("dark"));
  let on = matchMedia("(prefers-color-scheme: dark)").matches;
  const button = element("button", "theme", on ? "Light" : "Dark");
  button.addEventListener("click", () => {
    on = !on;
    dark.media.mediaText = on ? "all" : "not all";
    button.textContent = on ? "Light" : "Dark";
  });
  document.querySelector("header").prepend(button);
}

function element(tag, name, text = "") {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}

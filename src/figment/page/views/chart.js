// A line chart, small and without a script of its own.

import { element } from "../dom.js";
import { significant } from "../numbers.js";

const [WIDE, HIGH] = [300, 120];
const COLOURS = 8; // --series-1 ... of palette.css

/**
 * Returns a figure of curves over the images seen. What is no number is a gap.
 * @param {string} title
 * @param {{ name: string, x: (number | null)[], y: (number | null)[] }[]} curves
 */
export function chart(title, curves) {
  const values = curves.flatMap(({ y }) => y.filter((value) => value !== null));
  const [low, high] = range(values);
  const right = Math.max(1, ...curves.flatMap(({ x }) => x.filter((value) => value !== null)));
  const lines = curves.map(({ x, y }, number) =>
    drawn("path", {
      d: path(
        x,
        y,
        (image) => (WIDE * image) / right,
        (value) => HIGH * (1 - (value - low) / (high - low)),
      ),
      class: `series-${1 + (number % COLOURS)}`,
    }),
  );
  const picture = drawn(
    "svg",
    {
      viewBox: `-2 -4 ${WIDE + 4} ${HIGH + 8}`,
      role: "img",
      "aria-label": told(title, curves),
      preserveAspectRatio: "none",
    },
    ...lines,
  );
  return element(
    "figure.chart",
    {},
    element("figcaption", {}, title),
    picture,
    element(
      "p.legend",
      {},
      ...curves.map(({ name, y }, number) =>
        element(
          `span.series-${1 + (number % COLOURS)}`,
          {},
          `${curves.length > 1 || name !== title ? `${name} ` : ""}${short(last(y))}`,
        ),
      ),
    ),
  );
}

function path(x, y, across, up) {
  let pen = "M";
  let found = "";
  y.forEach((value, index) => {
    if (value === null || x[index] === null) {
      pen = "M";
      return;
    }
    found += `${pen}${across(x[index]).toFixed(1)},${up(value).toFixed(1)}`;
    pen = "L";
  });
  return found;
}

function range(values) {
  if (!values.length) return [0, 1];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

function told(title, curves) {
  return `${title}: ${curves.map(({ name, y }) => `${name} now ${short(last(y))}`).join(", ")}`;
}

function last(values) {
  return values.findLast((value) => value !== null);
}

function short(value) {
  return value === undefined ? "" : significant(value);
}

function drawn(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

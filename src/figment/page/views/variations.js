// More like this: relatives of the picture on show, as far from it as one likes.

import { button, element, slider } from "../dom.js";
import { between } from "../lineage.js";
import { seeds } from "../show.js";
import { Sheet } from "./sheet.js";

const COUNT = 8;
const NEAR = 0.3;

/** @param {import("../show.js").Show} show */
export function variations(show) {
  let distance = NEAR;
  let others = seeds(COUNT);
  const sheet = new Sheet(show, "four", "Pictures like this one");
  const draw = () => {
    const relatives = others.map((seed) => relativeOf(show, { seed }, distance));
    sheet.fill(relatives, (_, index) => `Relative ${index + 1}`);
  };
  const row = slider({
    label: "Distance",
    min: 0.05,
    max: 1,
    step: 0.05,
    value: distance,
    said: (value) => value.toFixed(2),
    oninput: (value) => {
      distance = value;
      draw();
    },
  });
  const another = () => {
    others = seeds(COUNT);
    draw();
  };
  return {
    title: "More like this",
    node: element("div", {}, row, sheet.node, button("Others", another, { className: "quiet" })),
    show: draw,
    hide: () => sheet.stop(),
  };
}

/** Returns the picture a share of the way from the one on show to another lineage; its class stays. */
function relativeOf({ picture, model }, lineage, share) {
  return {
    ...picture,
    lineage: between(model.lineageOf(picture), lineage, share),
    sliders: picture.sliders.map(() => 0),
  };
}

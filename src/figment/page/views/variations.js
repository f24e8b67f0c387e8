// More like this: relatives of the picture on show, as far from it as one likes.

import { button, element, slider } from "../dom.js";
import { between } from "../lineage.js";
import { anySeed } from "../show.js";
import { thumbnail } from "./thumbnail.js";

const COUNT = 8;

/** @param {import("../show.js").Show} show */
export function variations(show) {
  let distance = 0.3;
  let seeds = fresh();
  let drawing = new AbortController();
  const grid = element("div.grid.four", { role: "group", "aria-label": "Pictures like this one" });

  function fresh() {
    return Array.from({ length: COUNT }, anySeed);
  }

  function draw() {
    drawing.abort();
    drawing = new AbortController();
    const { signal } = drawing;
    grid.replaceChildren(
      ...seeds.map((seed, index) => {
        const relative = relativeOf(show, { seed }, distance);
        return thumbnail(show, relative, { label: `Relative ${index + 1}`, signal });
      }),
    );
  }

  return {
    title: "More like this",
    node: element(
      "div",
      {},
      slider({
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
      }),
      grid,
      button(
        "Others",
        () => {
          seeds = fresh();
          draw();
        },
        { className: "quiet" },
      ),
    ),
    show: draw,
    hide: () => drawing.abort(),
  };
}

/** Returns the picture a share of the way from the one on show to another lineage; its class stays. */
export function relativeOf(show, lineage, share) {
  const { picture, model } = show;
  return {
    ...picture,
    lineage: between(model.lineageOf(picture), lineage, share),
    sliders: picture.sliders.map(() => 0),
  };
}

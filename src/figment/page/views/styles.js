// Style mixing: the coarse layers follow the picture on show, the fine ones another (Karras et al. 2019).

import { button, element, slider } from "../dom.js";
import { anySeed } from "../show.js";
import { thumbnail } from "./thumbnail.js";

const COUNT = 8;

/** @param {import("../show.js").Show} show */
export function styles(show) {
  let layer = Math.ceil(show.model.layers / 2);
  let seeds = Array.from({ length: COUNT }, anySeed);
  let drawing = new AbortController();
  const grid = element("div.grid.four", {
    role: "group",
    "aria-label": "This picture in other styles",
  });

  function draw() {
    drawing.abort();
    drawing = new AbortController();
    const { signal } = drawing;
    grid.replaceChildren(
      ...seeds.map((seed, index) =>
        thumbnail(
          show,
          { ...show.picture, style: { lineage: { seed }, layer } },
          { label: `Style ${index + 1}`, signal },
        ),
      ),
    );
  }

  return {
    title: "Styles",
    node: element(
      "div",
      {},
      slider({
        label: "From layer",
        min: 1,
        max: show.model.layers - 1,
        step: 1,
        value: layer,
        oninput: (value) => {
          layer = value;
          draw();
          if (show.picture.style)
            show.change({ style: { ...show.picture.style, layer } }, { passing: true });
        },
      }),
      grid,
      element(
        "div.row",
        {},
        button(
          "Other styles",
          () => {
            seeds = Array.from({ length: COUNT }, anySeed);
            draw();
          },
          { className: "quiet" },
        ),
        button("Its own style", () => show.change({ style: null }), { className: "quiet" }),
      ),
    ),
    show: draw,
    hide: () => drawing.abort(),
  };
}

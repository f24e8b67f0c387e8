// Style mixing: the coarse layers follow the picture on show, the fine ones another (Karras et al. 2019).

import { button, element, slider } from "../dom.js";
import { seeds } from "../show.js";
import { Sheet } from "./sheet.js";

const COUNT = 8;

/** @param {import("../show.js").Show} show */
export function styles(show) {
  let layer = Math.ceil(show.model.layers / 2);
  let others = seeds(COUNT);
  const sheet = new Sheet(show, "four", "This picture in other styles");
  const draw = () => {
    const pictures = others.map((seed) => ({
      ...show.picture,
      style: { lineage: { seed }, layer },
    }));
    sheet.fill(pictures, (_, index) => `Style ${index + 1}`);
  };
  const from = slider({
    label: "From layer",
    min: 1,
    max: show.model.layers - 1,
    step: 1,
    value: layer,
    oninput: (value) => {
      layer = value;
      const { style } = show.picture;
      if (style) show.change({ style: { ...style, layer } }, { passing: true });
      else draw();
    },
  });
  const another = () => {
    others = seeds(COUNT);
    draw();
  };
  const acts = element(
    "div.row",
    {},
    button("Other styles", another, { className: "quiet" }),
    button("Its own style", () => show.change({ style: null }), { className: "quiet" }),
  );
  return {
    title: "Styles",
    node: element("div", {}, from, sheet.node, acts),
    show: draw,
    hide: () => sheet.stop(),
  };
}

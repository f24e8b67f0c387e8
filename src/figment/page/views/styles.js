// Style mixing: the coarse layers follow the picture on show, the fine ones another (Karras et al. 2019).

import { button, element, slider } from "../dom.js";
import { written } from "../lineage.js";
import { seeds } from "../show.js";
import { Sheet } from "./sheet.js";

const COUNT = 8;
const HINT =
  "Layers before it keep this picture's pose and shape; from it on they follow the other. " +
  "A low number changes more, a high one colours and texture only.";

/** @param {import("../show.js").Show} show */
export function styles(show) {
  let layer = Math.ceil(show.model.layers / 2);
  let others = chance();
  const sheet = new Sheet(show, "four", "This picture in other styles");
  const draw = () => {
    const { style } = show.picture;
    const chosen = style && written(style.lineage);
    if (style && !others.some((lineage) => written(lineage) === chosen))
      others = [style.lineage, ...others.slice(0, COUNT - 1)];
    if (style && style.layer !== layer) {
      layer = style.layer;
      from.set(layer);
    }
    const pictures = others.map((lineage) => ({ ...show.picture, style: { lineage, layer } }));
    sheet.fill(pictures, (_, index) => `Style ${index + 1}`);
    sheet.mark(others.findIndex((lineage) => written(lineage) === chosen));
    own.setAttribute("aria-pressed", String(!style));
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
  from.title = HINT;
  const another = () => {
    others = chance();
    draw();
  };
  const own = button("Its own style", () => show.change({ style: null }), { className: "quiet" });
  const acts = element(
    "div.row",
    {},
    button("Other styles", another, { className: "quiet" }),
    own,
  );
  return {
    title: "Styles",
    node: element("div", {}, from, element("p.note", {}, HINT), sheet.node, acts),
    show: draw,
    hide: () => sheet.stop(),
  };
}

function chance() {
  return seeds(COUNT).map((seed) => ({ seed }));
}

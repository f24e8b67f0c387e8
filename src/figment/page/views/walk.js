// A walk from the picture on show past others, and back.

import { button, element, slider } from "../dom.js";
import { wayPast } from "../film.js";
import { Player } from "./player.js";
import { Sheet } from "./sheet.js";

const STOPS = 3; // besides the picture on show
const FRAMES = 20; // from stop to stop

/** @param {import("../show.js").Show} show */
export function walk(show, stage) {
  const chosen = () => Array.from({ length: STOPS }, () => show.byChance());
  let frames = FRAMES;
  let others = chosen();
  const sheet = new Sheet(show, "four", "Stops of the walk");
  const stops = () => [show.picture, ...others];
  const film = new Player(show, stage, () => wayPast(show.model, stops(), frames));
  const draw = () => {
    film.stop();
    sheet.fill(stops(), (_, index) =>
      index ? `Stop ${index + 1}` : "Stop 1, the picture on show",
    );
  };
  const long = slider({
    label: "Frames a leg",
    min: 5,
    max: 60,
    step: 5,
    value: frames,
    oninput: (value) => {
      frames = value;
    },
  });
  const another = () => {
    others = chosen();
    draw();
  };
  const acts = element(
    "div.row",
    {},
    film.node,
    button("Other stops", another, { className: "quiet" }),
  );
  return {
    title: "Walk",
    node: element("div", {}, sheet.node, long, acts),
    show: draw,
    hide: () => {
      film.stop();
      sheet.stop();
    },
  };
}

// A walk from the picture on show past others, and back.

import { button, element, slider } from "../dom.js";
import { wayPast } from "../film.js";
import { player } from "./player.js";
import { thumbnail } from "./thumbnail.js";

const STOPS = 3; // besides the picture on show
const FRAMES = 20; // from stop to stop

/** @param {import("../show.js").Show} show */
export function walk(show, stage) {
  let frames = FRAMES;
  let others = chosen();
  let drawing = new AbortController();
  const strip = element("div.grid.four", { role: "group", "aria-label": "Stops of the walk" });
  const film = player(show, stage, () => wayPast(show.model, [show.picture, ...others], frames));

  function chosen() {
    return Array.from({ length: STOPS }, () => show.byChance());
  }

  function draw() {
    drawing.abort();
    drawing = new AbortController();
    const { signal } = drawing;
    strip.replaceChildren(
      ...[show.picture, ...others].map((stop, index) =>
        thumbnail(show, stop, {
          label: index ? `Stop ${index + 1}` : "Stop 1, the picture on show",
          signal,
        }),
      ),
    );
  }

  return {
    title: "Walk",
    node: element(
      "div",
      {},
      strip,
      slider({
        label: "Frames a leg",
        min: 5,
        max: 60,
        step: 5,
        value: frames,
        oninput: (value) => {
          frames = value;
        },
      }),
      element(
        "div.row",
        {},
        film.node,
        button(
          "Other stops",
          () => {
            film.stop();
            others = chosen();
            draw();
          },
          { className: "quiet" },
        ),
      ),
    ),
    show: () => {
      film.stop();
      draw();
    },
    hide: () => {
      film.stop();
      drawing.abort();
    },
  };
}

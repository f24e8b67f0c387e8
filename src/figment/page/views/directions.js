// Sliders along the directions that change the model's pictures most.

import { button, element, slider } from "../dom.js";

/** @param {import("../show.js").Show} show */
export function directions(show) {
  const rows = show.model.directions.map(({ name, range = 3 }, number) =>
    slider({
      label: /^\d+$/.test(name) ? `Direction ${name}` : name,
      min: -range,
      max: range,
      step: range / 30,
      value: show.picture.sliders[number],
      said: (value) => (value > 0 ? "+" : "") + value.toFixed(1),
      oninput: (value) => {
        const sliders = [...show.picture.sliders];
        sliders[number] = Math.round(value * 100) / 100;
        show.change({ sliders }, { passing: true });
      },
    }),
  );
  const follow = () => rows.forEach((row, number) => row.set(show.picture.sliders[number]));
  return {
    title: "Sliders",
    node: element(
      "div",
      {},
      ...rows,
      button(
        "Back to the middle",
        () => show.change({ sliders: show.picture.sliders.map(() => 0) }),
        { className: "quiet" },
      ),
    ),
    show: follow,
    hide() {},
  };
}

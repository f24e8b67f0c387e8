// The picture on show and another, and what lies between them.

import { button, element, slider } from "../dom.js";
import { mixed, wayPast } from "../film.js";
import { seedIn } from "./settings.js";
import { player } from "./player.js";
import { thumbnail } from "./thumbnail.js";

const FRAMES = 30; // of the film, there and as many back

/** @param {import("../show.js").Show} show */
export function mix(show, stage) {
  let first = show.picture;
  let second = show.byChance();
  let own = ""; // the link of the mixture on show
  let drawing = new AbortController();
  const pair = element("div.grid.two", { role: "group", "aria-label": "The two that are mixed" });
  const film = player(show, stage, () => wayPast(show.model, [first, second], FRAMES));
  const seed = element("input", { inputMode: "numeric", autocomplete: "off", maxLength: 19 });
  const share = slider({
    label: "Mixture",
    min: 0,
    max: 1,
    step: 0.02,
    value: 0,
    said: (value) => `${Math.round(100 * value)} %`,
    oninput: (value) => {
      const between = mixed(show.model, first, second, value);
      own = show.link(value > 0 ? between : first);
      show.set(value > 0 ? between : first, { passing: true });
    },
  });

  function draw() {
    drawing.abort();
    drawing = new AbortController();
    const { signal } = drawing;
    seed.value = String(second.lineage.seed);
    pair.replaceChildren(
      thumbnail(show, first, { label: "The first", signal }),
      thumbnail(show, second, { label: "The second", signal }),
    );
  }

  /** Takes the picture on show for the first, unless it is the mixture itself. */
  function follow() {
    film.stop();
    if (show.link() === own) return;
    first = show.picture;
    share.set(0);
    draw();
  }

  function take(other) {
    second = other;
    own = "";
    share.set(0);
    show.set(first, { passing: true });
    draw();
  }

  const form = element(
    "form.row",
    {},
    element("label", {}, element("span", {}, "Second seed"), seed),
    element("button.quiet", { type: "submit" }, "Take"),
    button("By chance", () => take(show.byChance()), { className: "quiet" }),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const typed = seedIn(seed);
    if (typed !== null) take({ ...show.byChance(), lineage: { seed: typed } });
  });
  return {
    title: "Mix",
    node: element("div", {}, pair, share, form, film.node),
    show: follow,
    hide: () => {
      film.stop();
      drawing.abort();
    },
  };
}

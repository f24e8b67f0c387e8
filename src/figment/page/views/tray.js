// The tray of favourites, and what is bred from two or more of them.

import { pictureOf } from "../address.js";
import { button, element } from "../dom.js";
import { between } from "../lineage.js";
import { anySeed } from "../show.js";
import { thumbnail } from "./thumbnail.js";

const CHILDREN = 8;
const MUTATION = 0.12; // how far a child lies from the way between its parents

/**
 * @param {import("../show.js").Show} show
 * @param {import("../favourites.js").Favourites} favourites
 */
export function tray(show, favourites) {
  const parents = new Set();
  const strip = element("div.strip", { role: "group", "aria-label": "Favourites" });
  const litter = element("div.grid.eight", { role: "group", "aria-label": "Children" });
  const breed = button("Breed", () => bear(), { className: "primary small" });
  const how = element("p.note");
  const section = element(
    "section.tray",
    { "aria-labelledby": "favourites" },
    element("h2", { id: "favourites" }, "Favourites"),
    how,
    strip,
    breed,
    litter,
  );

  function draw() {
    const kept = favourites.links
      .map((link) => ({ link, picture: pictureOf(link, show.model) }))
      .filter(({ picture }) => picture);
    for (const link of parents) if (!favourites.has(link)) parents.delete(link);
    how.textContent = kept.length
      ? "Tick two or more to breed from; without ticks all of them are parents. They stay in this browser."
      : "Press ♡ at a picture to keep it here, in this browser.";
    breed.hidden = kept.length < 2;
    strip.replaceChildren(
      ...kept.map(({ link, picture }, index) =>
        element(
          "div.kept",
          {},
          thumbnail(show, picture, { label: `Favourite ${index + 1}` }),
          element(
            "label",
            {},
            element("input", {
              type: "checkbox",
              checked: parents.has(link),
              "aria-label": `Favourite ${index + 1} is a parent`,
              onchange: (event) =>
                event.target.checked ? parents.add(link) : parents.delete(link),
            }),
            "parent",
          ),
          button("×", () => favourites.toggle(link), {
            className: "remove",
            "aria-label": `Remove favourite ${index + 1}`,
          }),
        ),
      ),
    );
    if (kept.length < 2) litter.replaceChildren();
  }

  /** Draws children of random pairs of parents: a point between them, and a little to the side. */
  function bear() {
    const links = parents.size > 1 ? [...parents] : favourites.links;
    const kept = links.map((link) => pictureOf(link, show.model)).filter(Boolean);
    litter.replaceChildren(
      ...Array.from({ length: CHILDREN }, (_, index) => {
        const one = Math.floor(Math.random() * kept.length);
        const other = (one + 1 + Math.floor(Math.random() * (kept.length - 1))) % kept.length;
        const child = childOf(show.model, kept[one], kept[other]);
        return thumbnail(show, child, { label: `Child ${index + 1}` });
      }),
    );
  }

  favourites.addEventListener("change", draw);
  draw();
  return section;
}

function childOf(model, mother, father) {
  const share = 0.3 + 0.4 * Math.random();
  const middle = between(model.lineageOf(mother), model.lineageOf(father), share);
  return {
    ...mother,
    class: model.classes.length ? model.classOf(share < 0.5 ? mother : father) : null,
    lineage: between(middle, { seed: anySeed() }, MUTATION),
    sliders: mother.sliders.map(() => 0),
  };
}

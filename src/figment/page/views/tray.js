// The tray of favourites, and what is bred from two or more of them.

import { pictureOf } from "../address.js";
import { childrenOf } from "../breeding.js";
import { button, element } from "../dom.js";
import { Sheet } from "./sheet.js";
import { thumbnail } from "./thumbnail.js";

const CHILDREN = 8;

export class Tray {
  /** Links of those that are ticked. */
  #parents = new Set();
  #strip = element("div.strip", { role: "group", "aria-label": "Favourites" });
  #breed = button("Breed", () => this.#bear(), { className: "primary small" });
  #how = element("p.note");

  /**
   * @param {import("../show.js").Show} show
   * @param {import("../favourites.js").Favourites} favourites
   */
  constructor(show, favourites) {
    this.show = show;
    this.favourites = favourites;
    this.children = new Sheet(show, "many", "Children");
    this.node = element(
      "section.tray",
      { "aria-labelledby": "favourites" },
      element("h2", { id: "favourites" }, "Favourites"),
      this.#how,
      this.#strip,
      this.#breed,
      this.children.node,
    );
    favourites.addEventListener("change", () => this.#draw());
    this.#draw();
  }

  #draw() {
    const kept = this.favourites.links
      .map((link) => ({ link, picture: pictureOf(link, this.show.model) }))
      .filter(({ picture }) => picture);
    for (const link of this.#parents) if (!this.favourites.has(link)) this.#parents.delete(link);
    this.#how.textContent = kept.length
      ? "Tick two or more to breed from; without ticks all are parents. They stay in this browser."
      : "Press ♡ at a picture to keep it here, in this browser.";
    this.#breed.hidden = kept.length < 2;
    if (kept.length < 2) this.children.clear();
    this.#strip.replaceChildren(
      ...kept.map(({ link, picture }, index) => this.#one(link, picture, `Favourite ${index + 1}`)),
    );
  }

  #one(link, picture, label) {
    const tick = element("input", {
      type: "checkbox",
      checked: this.#parents.has(link),
      "aria-label": `${label} is a parent`,
      onchange: () => (tick.checked ? this.#parents.add(link) : this.#parents.delete(link)),
    });
    const remove = button("×", () => this.favourites.toggle(link), {
      className: "remove",
      "aria-label": `Remove ${label.toLowerCase()}`,
    });
    const picked = thumbnail(this.show, picture, { label });
    return element("div.kept", {}, picked, element("label", {}, tick, "parent"), remove);
  }

  /** Draws children of pairs of those that are ticked, or of all. */
  #bear() {
    const links = this.#parents.size > 1 ? [...this.#parents] : this.favourites.links;
    const kept = links.map((link) => pictureOf(link, this.show.model)).filter(Boolean);
    const children = childrenOf(this.show.model, kept, CHILDREN);
    this.children.fill(children, (_, index) => `Child ${index + 1}`);
  }
}

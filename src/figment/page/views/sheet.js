// Several small pictures together, which give way to others: what is not yet drawn then is left undrawn.

import { element } from "../dom.js";
import { thumbnail } from "./thumbnail.js";

export class Sheet {
  #drawing = new AbortController();

  /**
   * @param {import("../show.js").Show} show
   * @param {string} columns a class of page.css: "two", "four", "many"
   * @param {string} label what the pictures are together
   */
  constructor(show, columns, label) {
    this.show = show;
    this.node = element(`div.grid.${columns}`, { role: "group", "aria-label": label });
  }

  /** Puts pictures in the place of those that are there; each leads to the large one. */
  fill(pictures, labelOf) {
    this.clear();
    this.add(pictures, labelOf);
  }

  add(pictures, labelOf) {
    const { signal } = this.#drawing;
    const made = pictures.map((picture, index) =>
      thumbnail(this.show, picture, { label: labelOf(picture, index), signal }),
    );
    this.node.append(...made);
  }

  /** Marks one picture as the one that is chosen, by its number; -1: none. */
  mark(chosen) {
    [...this.node.children].forEach((one, number) => {
      one.setAttribute("aria-pressed", String(number === chosen));
    });
  }

  clear() {
    this.stop();
    this.node.replaceChildren();
  }

  /** Draws no more of what waits to be drawn. */
  stop() {
    this.#drawing.abort();
    this.#drawing = new AbortController();
  }
}

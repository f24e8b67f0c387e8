// The picture on show and another, and what lies between them.

import { button, element, slider } from "../dom.js";
import { mixed, wayPast } from "../film.js";
import { Player } from "./player.js";
import { seedField, seedIn } from "./seed.js";
import { Sheet } from "./sheet.js";

const FRAMES = 30; // of the film, there and as many back

export class Mix {
  title = "Mix";
  /** The link of the mixture on show: "" if it is another picture that is on show. */
  #own = "";
  #seed = seedField();
  #share = slider({
    label: "Mixture",
    min: 0,
    max: 1,
    step: 0.02,
    value: 0,
    said: (value) => `${Math.round(100 * value)} %`,
    oninput: (value) => this.#mix(value),
  });

  /** @param {import("../show.js").Show} on */
  constructor(on, stage) {
    this.on = on;
    this.first = on.picture;
    this.second = on.byChance();
    this.pair = new Sheet(on, "two", "The two that are mixed");
    this.film = new Player(on, stage, () => wayPast(on.model, [this.first, this.second], FRAMES));
    this.node = element("div", {}, this.pair.node, this.#share, this.#form(), this.film.node);
  }

  /** Takes the picture on show for the first, unless it is the mixture itself. */
  show() {
    this.film.stop();
    if (this.on.link() === this.#own) return;
    this.first = this.on.picture;
    this.#draw();
  }

  hide() {
    this.film.stop();
    this.pair.stop();
  }

  #draw() {
    this.#own = "";
    this.#share.set(0);
    this.#seed.value = String(this.second.lineage.seed);
    this.#seed.setCustomValidity("");
    this.pair.fill([this.first, this.second], (_, index) => (index ? "The second" : "The first"));
  }

  #mix(share) {
    const picture = share > 0 ? mixed(this.on.model, this.first, this.second, share) : this.first;
    this.#own = this.on.link(picture);
    this.on.set(picture, { passing: true });
  }

  #take(other) {
    this.second = other;
    this.#own = "";
    this.on.set(this.first, { passing: true });
  }

  #form() {
    const form = element(
      "form.row",
      { noValidate: true },
      element("label", {}, element("span", {}, "Second seed"), this.#seed),
      element("button.quiet", { type: "submit" }, "Take"),
      button("By chance", () => this.#take(this.on.byChance()), { className: "quiet" }),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const seed = seedIn(this.#seed);
      if (seed !== null) this.#take({ ...this.on.byChance(), lineage: { seed } });
    });
    return form;
  }
}

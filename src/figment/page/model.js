// A model that is open: pictures in, canvases out. What is wanted soonest is drawn first.

import { addressOf } from "./address.js";
import { firstSeed, latentOf, movedBy } from "./lineage.js";
import { classOf } from "./stream.js";

const REMEMBERED = 400; // pictures that need not be drawn again
const TOGETHER = 4; // pictures drawn in one go, at most: between two, what is more urgent may come first

export class Model {
  /** @type {{ picture: object, resolve: Function, reject: Function, signal?: AbortSignal }[]} */
  #waiting = [];
  #drawing = false;
  #known = new Map();

  /**
   * @param {object} about model.json
   * @param {{ draw(request: object): Promise<Uint8ClampedArray[]> }} engine
   */
  constructor(about, engine) {
    this.about = about;
    this.engine = engine;
    this.classes = about.classes ?? [];
    this.directions = about.directions ?? [];
    this.truncation = about.truncation ?? { of: null };
    this.layers = about.styles?.layers ?? 0;
  }

  /** Returns the picture of a seed, as it comes. */
  plain(seed) {
    return {
      lineage: { seed },
      class: null,
      truncation: null,
      sliders: this.directions.map(() => 0),
      style: null,
    };
  }

  /** Returns the name of a picture's class, "" without classes. */
  classOf(picture) {
    if (!this.classes.length) return "";
    return picture.class ?? this.classes[this.#label(picture)];
  }

  /** Returns where a picture's latent comes from, its sliders taken in. */
  lineageOf(picture) {
    return movedBy(picture.lineage, picture.sliders);
  }

  /**
   * Returns the pixels of a picture, RGBA of `about.resolution` pixels a side.
   * @param {import("./address.js").Picture} picture
   * @param {{ urgent?: boolean, signal?: AbortSignal }} [how] urgent: before all that waits; a picture
   *   whose signal is aborted while it waits is not drawn, and its promise stays open
   * @returns {Promise<ImageData>}
   */
  draw(picture, { urgent = false, signal } = {}) {
    const known = this.#known.get(addressOf(picture));
    if (known) return Promise.resolve(known);
    return new Promise((resolve, reject) => {
      const wanted = { picture, resolve, reject, signal };
      if (urgent) this.#waiting.unshift(wanted);
      else this.#waiting.push(wanted);
      this.#work();
    });
  }

  #remember(picture, pixels) {
    this.#known.set(addressOf(picture), pixels);
    if (this.#known.size > REMEMBERED) this.#known.delete(this.#known.keys().next().value);
  }

  async #work() {
    if (this.#drawing) return;
    this.#drawing = true;
    for (let some = this.#next(); some.length; some = this.#next()) {
      try {
        const drawn = await this.engine.draw(this.#request(some.map(({ picture }) => picture)));
        const side = this.about.resolution;
        some.forEach(({ picture, resolve }, index) => {
          const pixels = new ImageData(drawn[index], side, side);
          this.#remember(picture, pixels);
          resolve(pixels);
        });
      } catch (error) {
        for (const { reject } of some) reject(error);
      }
    }
    this.#drawing = false;
  }

  /** Takes from those that wait the first few that can be drawn in one go. */
  #next() {
    this.#waiting = this.#waiting.filter(({ signal }) => !signal?.aborted);
    const kind = ({ picture }) =>
      `${picture.style?.layer} ${this.truncation.of === "styles" && picture.truncation}`;
    const first = this.#waiting[0];
    let count = 0;
    while (
      count < Math.min(TOGETHER, this.#waiting.length) &&
      kind(this.#waiting[count]) === kind(first)
    )
      count++;
    return this.#waiting.splice(0, count);
  }

  #request(pictures) {
    const latents = pictures.map((picture) => this.latentOf(this.lineageOf(picture), picture));
    const [first] = pictures;
    return {
      latents,
      labels: this.classes.length ? pictures.map((picture) => this.#label(picture)) : null,
      truncation: this.truncation.of === "styles" ? first.truncation : null,
      second: first.style && {
        latents: pictures.map((picture) => this.latentOf(picture.style.lineage, picture)),
        layer: first.style.layer,
      },
    };
  }

  /** Returns a lineage's latent, truncated as a picture is. */
  latentOf(lineage, picture) {
    const truncation = this.truncation.of === "latents" ? picture.truncation : null;
    return latentOf(lineage, {
      size: this.about.latent.size,
      truncation,
      directions: this.directions,
    });
  }

  #label(picture) {
    if (picture.class !== null) return this.classes.indexOf(picture.class);
    return classOf(firstSeed(picture.lineage), this.classes.length, this.about.class_ends);
  }
}

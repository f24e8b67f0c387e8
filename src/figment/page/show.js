// What is on show: one picture of one model, whose address is the page's.

import { addressOf, pictureOf } from "./address.js";
import { LARGEST_SEED } from "./stream.js";

const SEEDS = 1_000_000; // that chance picks from: short enough to be told to a friend

export class Show extends EventTarget {
  /** @type {import("./address.js").Picture} */
  picture;

  /**
   * @param {import("./model.js").Model} model
   * @param {string} prefix what each address begins with: the model's name where there are several
   */
  constructor(model, prefix) {
    super();
    this.model = model;
    this.prefix = prefix;
  }

  /** Shows the picture of an address, or one by chance where it names none. */
  open(address) {
    const named = pictureOf(address, this.model);
    this.#show(named ?? this.byChance());
    if (!named) history.replaceState(null, "", this.link());
  }

  /** Shows a picture; `passing` while a hand is still on a slider: no step for the browser's "back". */
  set(picture, { passing = false } = {}) {
    this.#show(picture);
    const link = this.link();
    if (passing || link === location.hash) history.replaceState(null, "", link);
    else history.pushState(null, "", link);
  }

  /** Changes something of the picture on show. */
  change(changes, how) {
    this.set({ ...this.picture, ...changes }, how);
  }

  /** Returns a picture by chance, of the class and the truncation that are chosen. */
  byChance() {
    const { class: kind = null, truncation = null } = this.picture ?? {};
    return { ...this.model.plain(anySeed()), class: kind, truncation };
  }

  /** Returns the part of a link that leads to a picture. */
  link(picture = this.picture) {
    return `#${this.prefix}${addressOf(picture)}`;
  }

  #show(picture) {
    this.picture = picture;
    this.dispatchEvent(new Event("picture"));
  }
}

/** Returns a seed by chance. */
export function anySeed() {
  return BigInt(crypto.getRandomValues(new Uint32Array(1))[0] % SEEDS);
}

/** Returns the seed that somebody has typed, or null where it is none. */
export function typedSeed(text) {
  const digits = text.trim();
  if (!/^\d{1,19}$/.test(digits) || BigInt(digits) > LARGEST_SEED) return null;
  return BigInt(digits);
}

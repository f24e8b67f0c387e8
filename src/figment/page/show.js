// What is on show: one picture of one model, whose address is the page's.

import { addressOf, pictureOf } from "./address.js";

const SEEDS = 1_000_000; // that chance picks from: short enough to be told to a friend

export class Show extends EventTarget {
  /** @type {import("./address.js").Picture} */
  picture;
  /** The picture that comes next, where it is chosen already. */
  #ahead = null;

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

  /** Shows the next picture. */
  next() {
    const { class: kind, truncation } = this.picture;
    const fits = this.#ahead?.class === kind && this.#ahead.truncation === truncation;
    const next = fits ? this.#ahead : this.byChance();
    this.#ahead = null;
    this.set(next);
  }

  /** Chooses the picture that comes next, and has it drawn before it is asked for. */
  prepare(signal) {
    this.#ahead = this.byChance();
    this.model.draw(this.#ahead, { signal }).catch(() => {}); // whoever asks for it is told
  }

  /** Returns a picture by chance, of the class and the truncation that are chosen. */
  byChance() {
    const { class: kind = null, truncation = null } = this.picture ?? {};
    return { ...this.model.plain(this.#seed()), class: kind, truncation };
  }

  /** Returns the part of a link that leads to a picture. */
  link(picture = this.picture) {
    return `#${this.prefix}${addressOf(picture)}`;
  }

  /** Returns a seed by chance; every second one has a known nearest training picture, if any has. */
  #seed() {
    const known = Object.keys(this.model.about.nearest?.seeds ?? {});
    return known.length && Math.random() < 0.5
      ? BigInt(known[Math.floor(Math.random() * known.length)])
      : anySeed();
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

/** Returns so many seeds by chance. */
export function seeds(count) {
  return Array.from({ length: count }, anySeed);
}

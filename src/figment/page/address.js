// A picture as the part of a link behind "#", so that every picture has one.

import { read, written } from "./lineage.js";

/**
 * @typedef {object} Picture
 * @property {import("./lineage.js").Lineage} lineage
 * @property {string | null} class null: the class that its seed comes with
 * @property {number | null} truncation null: none
 * @property {number[]} sliders how far along each direction
 * @property {{ lineage: import("./lineage.js").Lineage, layer: number } | null} style whose styles
 *   the layers from that one on have
 */

/**
 * Returns a picture's address, without "#": "seed=7&class=cat&truncation=0.7".
 * @param {Picture} picture
 * @returns {string}
 */
export function addressOf(picture) {
  const parts = [`seed=${written(picture.lineage)}`];
  if (picture.class !== null) parts.push(`class=${encodeURIComponent(picture.class)}`);
  if (picture.truncation !== null) parts.push(`truncation=${picture.truncation}`);
  if (picture.sliders.some((value) => value !== 0))
    parts.push(`sliders=${picture.sliders.join(",")}`);
  if (picture.style)
    parts.push(`style=${written(picture.style.lineage)}&layer=${picture.style.layer}`);
  return parts.join("&");
}

/**
 * Returns the picture of an address as a model can draw it, or null where it names none. What the model has
 * not, such as a class, is left out.
 * @param {string} address
 * @param {{ classes: string[], truncation: { of: string | null }, directions: object[],
 *   layers: number }} model
 * @returns {Picture | null}
 */
export function pictureOf(address, model) {
  const parts = partsOf(address);
  const lineage = read(parts.seed ?? "");
  if (!lineage) return null;
  const truncation = Number(parts.truncation);
  const sliders = (parts.sliders ?? "").split(",").map(Number);
  const second = read(parts.style ?? "");
  const layer = Number(parts.layer);
  return {
    lineage,
    class: model.classes.includes(parts.class) ? parts.class : null,
    truncation: model.truncation.of && truncation > 0 && truncation < 100 ? truncation : null,
    sliders: model.directions.map((_, index) =>
      Number.isFinite(sliders[index]) ? sliders[index] : 0,
    ),
    style: second && layer > 0 && layer < model.layers ? { lineage: second, layer } : null,
  };
}

/** Returns whether sliders or another style made of a picture what its seed alone does not. */
export function changed({ sliders, style }) {
  return Boolean(style) || sliders.some(Boolean);
}

/** Returns what an address says by name; text that is not encoded as it should be is left out. */
export function partsOf(address) {
  const found = {};
  for (const part of address.replace(/^#/, "").split("&")) {
    const [name, ...value] = part.split("=");
    try {
      found[name] = decodeURIComponent(value.join("="));
    } catch {
      continue;
    }
  }
  return found;
}

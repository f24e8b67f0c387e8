// A field for a seed, which says in its own words what a seed is.

import { element } from "../dom.js";
import { LARGEST_SEED } from "../stream.js";

const WANTED = `a whole number from 0 to ${LARGEST_SEED.toLocaleString("en")}`;

/** Returns an empty field for a seed. */
export function seedField() {
  const input = element("input", {
    inputMode: "numeric",
    autocomplete: "off",
    maxLength: 19,
    title: WANTED,
  });
  input.addEventListener("input", () => input.setCustomValidity(""));
  return input;
}

/** Returns the seed in a field, or null, of which the field then complains. */
export function seedIn(input) {
  const digits = input.value.trim();
  const seed = /^\d{1,19}$/.test(digits) ? BigInt(digits) : null;
  const good = seed !== null && seed <= LARGEST_SEED;
  input.setCustomValidity(good ? "" : `A seed is ${WANTED}.`);
  input.reportValidity();
  return good ? seed : null;
}

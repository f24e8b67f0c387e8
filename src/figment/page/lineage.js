// Where a latent comes from: a seed, or two others and how far it lies between them, or which numbers
// it has of which.
//
// As text: 7 is a seed's latent; 7~12:0.3 lies three tenths of the way from 7 to 12; 7x12:5 has each
// number of 7 or of 12, as seed 5 throws the coin; in brackets may stand another such; [0.5,-1] behind
// it is how far it is moved along the model's directions.

import { LARGEST_SEED, latentOf as drawn } from "./stream.js";

/**
 * @typedef {{ seed: bigint } | { from: Lineage, to: Lineage, share: number } |
 *   { mother: Lineage, father: Lineage, coin: bigint } | { of: Lineage, moves: number[] }} Lineage
 */

const DEEPEST = 64; // of brackets: a link is written by anybody

/**
 * Returns the latent of a lineage, float32 [L].
 * @param {Lineage} lineage
 * @param {{ size: number, truncation: number | null, directions: {vector: number[]}[] }} law
 * @returns {Float32Array}
 */
export function latentOf(lineage, law) {
  if ("seed" in lineage) return drawn(lineage.seed, law.size, law.truncation);
  if ("of" in lineage) return moved(latentOf(lineage.of, law), lineage.moves, law.directions);
  if ("coin" in lineage) {
    const [mother, father] = [latentOf(lineage.mother, law), latentOf(lineage.father, law)];
    return crossed(mother, father, drawn(lineage.coin, law.size));
  }
  return slerp(latentOf(lineage.from, law), latentOf(lineage.to, law), lineage.share);
}

/** Returns a lineage between two others; one that lies at an end is that end. */
export function between(from, to, share) {
  if (share <= 0) return from;
  return share >= 1 ? to : { from, to, share: rounded(share) };
}

/** Returns a lineage moved along the directions; the same where it is not moved. */
export function movedBy(of, moves) {
  return moves.some((move) => move !== 0) ? { of, moves: moves.map(rounded) } : of;
}

/** Returns the seed that a lineage begins with: its picture is of that seed's class. */
export function firstSeed(lineage) {
  if ("seed" in lineage) return lineage.seed;
  return firstSeed(lineage.of ?? lineage.mother ?? lineage.from);
}

/** Returns the latent with each number of the mother's or the father's, by the sign of the coins'. */
export function crossed(mother, father, coins) {
  return mother.map((value, index) => (coins[index] < 0 ? value : father[index]));
}

/**
 * Returns the point a share of the way from a to b over the sphere, as figment.sampling.walk has it:
 * directions turn along the great circle (Shoemake 1985), lengths change evenly.
 * @param {Float32Array} a
 * @param {Float32Array} b
 * @param {number} share from 0 to 1
 */
export function slerp(a, b, share) {
  const [longA, longB] = [Math.hypot(...a), Math.hypot(...b)];
  let product = 0;
  for (let index = 0; index < a.length; index++) product += a[index] * b[index];
  const omega = Math.acos(
    Math.min(1, Math.max(-1 + 1e-6, product / Math.max(longA * longB, 1e-12))),
  );
  const sine = Math.sin(omega);
  // A straight line, to rounding.
  const fromA = omega < 1e-4 ? 1 - share : Math.sin((1 - share) * omega) / sine;
  const fromB = omega < 1e-4 ? share : Math.sin(share * omega) / sine;
  const long = longA + share * (longB - longA);
  return a.map(
    (value, index) =>
      long *
      ((fromA * value) / Math.max(longA, 1e-12) + (fromB * b[index]) / Math.max(longB, 1e-12)),
  );
}

/** Returns a latent moved along each direction so far. */
export function moved(latent, moves, directions) {
  const found = latent.slice();
  directions.forEach(({ vector }, number) => {
    const move = moves[number] ?? 0;
    if (move)
      for (let index = 0; index < found.length; index++) found[index] += move * vector[index];
  });
  return found;
}

/** Returns a lineage as text, which `read` reads. */
export function written(lineage) {
  if ("seed" in lineage) return String(lineage.seed);
  if ("of" in lineage) return `${term(lineage.of)}[${lineage.moves.join(",")}]`;
  const first = lineage.mother ?? lineage.from;
  const before = "of" in first ? term(first) : written(first);
  return "coin" in lineage
    ? `${before}x${term(lineage.father)}:${lineage.coin}`
    : `${before}~${term(lineage.to)}:${lineage.share}`;
}

function term(lineage) {
  return "seed" in lineage ? written(lineage) : `(${written(lineage)})`;
}

/**
 * Returns the lineage that a text means, or null for one that means none.
 * @param {string} text
 * @returns {Lineage | null}
 */
export function read(text) {
  let at = 0;
  const take = (pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) at = pattern.lastIndex;
    return found;
  };
  const chain = (depth) => {
    let found = one(depth);
    for (let sign = found && take(/[~x]/y); sign; sign = found && take(/[~x]/y)) {
      const other = one(depth);
      const number = other && take(/:([\d.]+)/y);
      found = number && (sign[0] === "x" ? cross : way)(found, other, number[1]);
    }
    return found;
  };
  const one = (depth) => {
    let found = null;
    const digits = take(/\d{1,19}/y);
    const seed = digits && seedOf(digits[0]);
    if (digits) found = seed === null ? null : { seed };
    else if (depth < DEEPEST && take(/\(/y)) {
      found = chain(depth + 1);
      if (!take(/\)/y)) return null;
    }
    const moves = found && take(/\[(-?[\d.]+(?:,-?[\d.]+)*)\]/y);
    const numbers = moves && moves[1].split(",").map(Number);
    if (numbers && !numbers.every(Number.isFinite)) return null;
    return numbers ? { of: found, moves: numbers } : found;
  };
  const found = chain(0);
  return found && at === text.length ? found : null;
}

function way(from, to, text) {
  const share = Number(text);
  return share <= 1 ? { from, to, share } : null;
}

function cross(mother, father, text) {
  const coin = seedOf(text);
  return coin === null ? null : { mother, father, coin };
}

function seedOf(text) {
  const seed = /^\d{1,19}$/.test(text) ? BigInt(text) : null;
  return seed !== null && seed <= LARGEST_SEED ? seed : null;
}

function rounded(number) {
  return Math.round(number * 1e4) / 1e4;
}

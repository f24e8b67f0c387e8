// What a seed means: the latent and the class that figment.sampling.latents and GAN.labels_for give it.
//
// numpy's SeedSequence([crc32("latent"), seed]) and Philox4x64-10 (Salmon et al. 2011), bit for bit; seeds
// are BigInt, since a number of JavaScript is exact to 2^53 only.

import { ndtr, ndtri } from "./special.js";

export const LARGEST_SEED = 2n ** 63n - 1n;

const PURPOSES = { latent: 1827798387 }; // crc32 of the name
const WORD = 0xffffffffffffffffn;
const POOL = 4; // words of a SeedSequence

/**
 * Returns the latent of a seed, float32 [size], standard normal, cut off at ± truncation if it is given.
 * @param {bigint} seed
 * @param {number} size
 * @param {number | null} [truncation]
 * @returns {Float32Array}
 */
export function latentOf(seed, size, truncation = null) {
  const raw = philox(seedSequence([PURPOSES.latent, ...words(seed)], 4), size);
  const low = truncation === null ? 0 : ndtr(-truncation);
  const latent = new Float32Array(size);
  for (let index = 0; index < size; index++) {
    // 53 bits, in [0, 1)
    const uniform = Number(raw[index] >> 11n) * 2 ** -53;
    const inside = Math.min(Math.max(uniform, 2 ** -53), 1 - 2 ** -53);
    latent[index] = ndtri(truncation === null ? inside : low + inside * (1 - 2 * low));
  }
  return latent;
}

/**
 * Returns the number of the class that a seed's picture is of where nobody names one.
 * @param {bigint} seed
 * @param {number} count classes
 * @param {number[] | null} ends cumulative shares of the classes; null: classes come in turn
 * @returns {number}
 */
export function classOf(seed, count, ends) {
  if (!ends) return Number(seed % BigInt(count));
  const place = lowDiscrepancy(seed) * ends[count - 1];
  const above = ends.slice(0, -1).findIndex((end) => place < end);
  return above < 0 ? count - 1 : above;
}

/**
 * Returns where in [0, 1) a seed falls, so that any row of them falls evenly: randomness.low_discrepancy.
 * @param {bigint} seed
 * @returns {number}
 */
export function lowDiscrepancy(seed) {
  return Number(((seed * 0x9e3779b97f4a7c15n) & WORD) >> 11n) / 2 ** 53;
}

/** Returns a non-negative integer in words of 32 bits, the lowest first; 0 has one word. */
function words(integer) {
  const found = [];
  do {
    found.push(Number(integer & 0xffffffffn));
    integer >>= 32n;
  } while (integer > 0n);
  return found;
}

/**
 * Returns `count` words of 32 bits that numpy's SeedSequence makes of its entropy (O'Neill 2015).
 * @param {number[]} entropy words of 32 bits
 * @param {number} count
 * @returns {Uint32Array}
 */
export function seedSequence(entropy, count) {
  let constant = 0x43b0d7e5;
  const hash = (value) => {
    value ^= constant;
    constant = Math.imul(constant, 0x931e8875);
    value = Math.imul(value, constant);
    return (value ^ (value >>> 16)) >>> 0;
  };
  const mix = (x, y) => {
    const mixed = (Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y)) | 0;
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
  const pool = new Uint32Array(POOL);
  for (let index = 0; index < POOL; index++) pool[index] = hash(entropy[index] ?? 0);
  for (let from = 0; from < POOL; from++) {
    for (let to = 0; to < POOL; to++) if (from !== to) pool[to] = mix(pool[to], hash(pool[from]));
  }
  for (const word of entropy.slice(POOL)) {
    for (let to = 0; to < POOL; to++) pool[to] = mix(pool[to], hash(word));
  }
  constant = 0x8b51f9dd;
  const state = new Uint32Array(count);
  for (let index = 0; index < count; index++) {
    let value = pool[index % POOL] ^ constant;
    constant = Math.imul(constant, 0x58f38ded);
    value = Math.imul(value, constant);
    state[index] = value ^ (value >>> 16);
  }
  return state;
}

/**
 * Returns the first `count` words of 64 bits of numpy's Philox4x64-10, whose counter starts at 1.
 * @param {Uint32Array} key four words of 32 bits
 * @param {number} count
 * @returns {BigUint64Array}
 */
export function philox(key, count) {
  const found = new BigUint64Array(Math.ceil(count / 4) * 4);
  for (let block = 0; block * 4 < count; block++) {
    let [a, b, c, d] = [BigInt(block + 1), 0n, 0n, 0n];
    let left = BigInt(key[0]) | (BigInt(key[1]) << 32n);
    let right = BigInt(key[2]) | (BigInt(key[3]) << 32n);
    for (let round = 0; round < 10; round++) {
      const first = a * 0xd2e7470ee14c6c93n;
      const second = c * 0xca5a826395121157n;
      [a, b, c, d] = [
        (second >> 64n) ^ b ^ left,
        second & WORD,
        (first >> 64n) ^ d ^ right,
        first & WORD,
      ];
      left = (left + 0x9e3779b97f4a7c15n) & WORD;
      right = (right + 0xbb67ae8584caa73bn) & WORD;
    }
    found.set([a, b, c, d], block * 4);
  }
  return found.subarray(0, count);
}

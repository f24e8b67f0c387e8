// The files beside the page, or inside it where it is one file.

import { keep } from "./offline.js";

/**
 * Returns the bytes of a file, by its place in the site.
 * @param {string} name
 * @param {(done: number, all: number) => void} [progress] bytes so far, and in all if that is known, else 0
 * @param {string} [version] of a file that is kept for good: another version has another address
 * @returns {Promise<Uint8Array>}
 */
export async function bytesOf(name, progress = () => {}, version = "") {
  const inside = document.querySelector(`script[data-file="${CSS.escape(name)}"]`);
  if (inside) {
    const all = Number(inside.dataset.bytes);
    const packed = new Blob([decoded(inside.textContent)]);
    inside.remove(); // the text is no longer needed, and it is large
    return joined(packed.stream().pipeThrough(new DecompressionStream("gzip")), all, progress);
  }
  const query = version ? `?v=${version.slice(0, 16)}` : "";
  const address = new URL(name + query, document.baseURI);
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${name} could not be loaded (${answer.status})`);
  // Of a compressed answer the length is that of the packed bytes, which says little.
  const all = answer.headers.get("content-encoding")
    ? 0
    : Number(answer.headers.get("content-length"));
  const bytes = await joined(answer.body, all, progress);
  keep(address, bytes, answer.headers.get("content-type") ?? "");
  return bytes;
}

/** Returns the value of a JSON file, by its place in the site. */
export async function jsonOf(name) {
  return JSON.parse(new TextDecoder().decode(await bytesOf(name)));
}

async function joined(stream, all, progress) {
  const parts = [];
  let done = 0;
  const reader = stream.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    done += part.value.length;
    progress(done, all);
  }
  const whole = new Uint8Array(done);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Returns the bytes of base64 text. */
function decoded(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let index = 0; index < bytes.length; index++) bytes[index] = characters.charCodeAt(index);
  return bytes;
}

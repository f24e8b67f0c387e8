// Draws in the browser, by onnxruntime-web in a worker.

import { bytesOf } from "../resources.js";

/**
 * @typedef {object} Request
 * @property {Float32Array[]} latents one a picture
 * @property {number[] | null} labels the number of each picture's class
 * @property {number | null} truncation of styles; latents come truncated
 * @property {{ latents: Float32Array[], layer: number } | null} second what the layers from there on follow
 */

/**
 * Opens a model and returns what draws it. `progress` is told bytes so far and in all.
 * @param {{ at: string }} place
 * @param {object} about model.json
 * @param {object} config the page's
 * @param {(done: number, all: number) => void} progress
 * @returns {Promise<{ draw(request: Request): Promise<Uint8ClampedArray[]> }>}
 */
export async function open(place, about, config, progress) {
  const gpu = config.webgpu && (await hasGPU());
  const runtime = gpu ? config.webgpu : config.runtime;
  const wanted = [
    { name: runtime.wasm, version: runtime.version },
    ...[about.generator, about.mapping]
      .filter(Boolean)
      .map((part) => ({ name: place.at + part.file, version: part.sha256, bytes: part.bytes })),
  ];
  const [wasm, generator, mapping = null] = await Promise.all(withProgress(wanted, progress));
  const ask = asking(startedWorker());
  const module = await moduleOf(runtime.module);
  await ask({
    open: { module, wasm: wasm.buffer, generator, mapping, about, webgpu: Boolean(gpu) },
  });
  return {
    draw: async ({ latents, labels, truncation, second }) =>
      (
        await ask({
          request: {
            latents: joined(latents),
            labels: labels && BigInt64Array.from(labels, BigInt),
            truncation,
            second: second && { latents: joined(second.latents), layer: second.layer },
          },
        })
      ).drawn,
  };
}

/** Returns whether there is a GPU behind the interface: many browsers have the one without the other. */
async function hasGPU() {
  return Boolean(await navigator.gpu?.requestAdapter().catch(() => null));
}

/** Returns the loads of several files, which tell together how far they are. */
function withProgress(wanted, progress) {
  const done = wanted.map(() => 0);
  const all = wanted.map(({ bytes }) => bytes ?? 0);
  const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
  return wanted.map(({ name, version }, index) =>
    bytesOf(
      name,
      (so_far, length) => {
        done[index] = so_far;
        if (length) all[index] = length;
        progress(sum(done), all.every(Boolean) ? sum(all) : 0);
      },
      version,
    ),
  );
}

/** Returns the worker that draws; a page that is one file makes it of its own text. */
function startedWorker() {
  const inside = globalThis.figmentWorker?.("page/drawing/worker.js");
  return inside ?? new Worker(new URL("worker.js", import.meta.url), { type: "module" });
}

/** Returns the runtime's address, or its text where it has none. */
async function moduleOf(name) {
  return globalThis.figmentWorker ? bytesOf(name) : new URL(name, document.baseURI).href;
}

/** Returns a function that asks the worker and resolves to its answer. */
function asking(worker) {
  const waiting = new Map();
  let last = 0;
  const fail = (error) => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.onerror = (event) => {
    event.preventDefault();
    fail(new Error(event.message || "the browser does not start the part that draws"));
  };
  worker.onmessage = ({ data }) => {
    const { resolve, reject } = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.error) reject(new Error(data.error));
    else resolve(data);
  };
  return (message) =>
    new Promise((resolve, reject) => {
      waiting.set(++last, { resolve, reject });
      worker.postMessage({ id: last, ...message });
    });
}

function joined(rows) {
  const whole = new Float32Array(rows.length * rows[0].length);
  rows.forEach((row, index) => whole.set(row, index * row.length));
  return whole;
}

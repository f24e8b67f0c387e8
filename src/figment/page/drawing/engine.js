// A generator in onnxruntime-web: latents in, pixels out. Runs in a worker, so that the page stays quick.

import { pixelsOf } from "./pixels.js";

/**
 * Returns the function that draws, once the networks are open.
 * @param {{ module: string | Uint8Array, wasm: ArrayBuffer, generator: Uint8Array,
 *   mapping: Uint8Array | null, about: object, webgpu: boolean }} given
 */
export async function openEngine({ module, wasm, generator, mapping, about, webgpu }) {
  const ort = await import(typeof module === "string" ? module : blobOf(module));
  ort.env.wasm.wasmBinary = wasm;
  ort.env.wasm.numThreads = 1; // more need headers that a host of plain files does not send
  ort.env.logLevel = "error";
  const options = {
    executionProviders: [webgpu ? "webgpu" : "wasm"],
    logSeverityLevel: 3, // errors
    // int8 weights become float32 when the session begins, not in every picture.
    extra: { session: { disable_quant_qdq: "1" } },
  };
  const opened = await ort.InferenceSession.create(generator, options);
  const styles = mapping && (await ort.InferenceSession.create(mapping, options));

  const tensor = (values, ...shape) => new ort.Tensor(values, shape);
  const labelled = (labels) => (labels ? { labels: tensor(labels, labels.length) } : {});

  async function stylesOf(latents, labels, truncation) {
    const count = latents.length / about.latent.size;
    const given = { latents: tensor(latents, count, about.latent.size), ...labelled(labels) };
    const { data } = (await styles.run(given)).styles;
    return truncation === null ? data : truncated(data, about.styles.mean, truncation);
  }

  /**
   * Returns pictures as RGBA bytes, one array each. `second` has the latents [N * L] whose styles
   * the layers from `layer` on are given.
   */
  return async function draw({ latents, labels, truncation, second }) {
    const count = latents.length / about.latent.size;
    let inputs = { latents: tensor(latents, count, about.latent.size), ...labelled(labels) };
    if (styles) {
      const first = await stylesOf(latents, labels, truncation);
      const other = second && (await stylesOf(second.latents, labels, truncation));
      const { size, layers } = about.styles;
      inputs = {
        styles: tensor(layered(first, other, second?.layer, size, layers), count, layers, size),
      };
    }
    const wanted = Object.fromEntries(opened.inputNames.map((name) => [name, inputs[name]]));
    const { data, dims } = (await opened.run(wanted)).images;
    return pixelsOf(data, dims[1], dims[2]);
  };
}

function blobOf(text) {
  return URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
}

/** Returns styles [N, W] a share `truncation` of their way from the mean: torch's lerp. */
export function truncated(styles, mean, truncation) {
  return styles.map((value, index) => {
    const middle = mean[index % mean.length];
    const apart = value - middle;
    return truncation < 0.5 ? middle + truncation * apart : value - apart * (1 - truncation);
  });
}

/** Returns the styles [N, layers, W] of every layer: the first's, and the other's from a layer on. */
export function layered(first, other, from, size, layers) {
  const count = first.length / size;
  const found = new Float32Array(count * layers * size);
  for (let number = 0; number < count; number++) {
    for (let layer = 0; layer < layers; layer++) {
      const source = other && layer >= from ? other : first;
      found.set(
        source.subarray(number * size, (number + 1) * size),
        (number * layers + layer) * size,
      );
    }
  }
  return found;
}

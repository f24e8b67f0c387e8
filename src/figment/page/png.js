// PNG files that say what they show.

const AFTER_HEADER = 33; // signature and IHDR

/**
 * Returns a canvas as a PNG with words in tEXt chunks, or iTXt where they are not Latin-1.
 * @param {HTMLCanvasElement} canvas
 * @param {Record<string, string>} text
 * @returns {Promise<Blob>}
 */
export async function pngOf(canvas, text) {
  const drawn = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  const bytes = new Uint8Array(await drawn.arrayBuffer());
  const chunks = Object.entries(text).map(([key, value]) => textChunk(key, value));
  return new Blob([bytes.subarray(0, AFTER_HEADER), ...chunks, bytes.subarray(AFTER_HEADER)], {
    type: "image/png",
  });
}

/** Returns a chunk of text: PNG specification, 11.3.3. */
export function textChunk(key, value) {
  const latin = /^[\x20-\xff]*$/.test(value);
  const encoded = latin
    ? Uint8Array.from(value, (letter) => letter.charCodeAt(0))
    : new TextEncoder().encode(value);
  // iTXt has flags for compression, and a language and a translated key, all of them empty here.
  const between = new Uint8Array(latin ? 1 : 5);
  return chunk(latin ? "tEXt" : "iTXt", [new TextEncoder().encode(key), between, encoded]);
}

function chunk(type, parts) {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(12 + length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length);
  bytes.set(new TextEncoder().encode(type), 4);
  let at = 8;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  view.setUint32(at, crc32(bytes.subarray(4, at)));
  return bytes;
}

/** Returns the checksum of bytes, as PNG and zip have it. */
export function crc32(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return (sum ^ 0xffffffff) >>> 0;
}

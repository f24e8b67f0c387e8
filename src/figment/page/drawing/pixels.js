// From a network's numbers to pixels.

/**
 * Returns pictures [N, C, R, R] about in [-1, 1] as RGBA bytes, one array a picture; grey where C is 1.
 * The bytes are those of figment.pixels.to_uint8: float32 sums, halves to the even neighbour.
 * @param {Float32Array} images
 * @param {number} channels
 * @param {number} side
 * @returns {Uint8ClampedArray[]}
 */
export function pixelsOf(images, channels, side) {
  const area = side * side;
  return Array.from({ length: images.length / (channels * area) }, (_, number) => {
    const pixels = new Uint8ClampedArray(4 * area);
    const start = number * channels * area;
    for (let index = 0; index < area; index++) {
      for (let colour = 0; colour < 3; colour++) {
        pixels[4 * index + colour] = byteOf(images[start + (colour % channels) * area + index]);
      }
      pixels[4 * index + 3] = 255;
    }
    return pixels;
  });
}

/** Returns a float of [-1, 1] as a byte; what lies outside is cut off, and NaN is 0. */
export function byteOf(value) {
  const scaled = Math.fround(Math.fround(value + 1) * 127.5);
  const below = Math.floor(scaled);
  const rest = scaled - below;
  const rounded = rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
  return rounded > 255 ? 255 : rounded > 0 ? rounded : 0;
}

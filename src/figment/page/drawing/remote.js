// Draws on the server that the page comes from.

/**
 * Returns what draws a model there; see drawing/local.js for what it is asked.
 * @param {{ name: string }} place
 * @param {object} about model.json
 */
export async function open(place, about) {
  const address = new URL(`api/models/${encodeURIComponent(place.name)}/draw`, document.baseURI);
  return {
    async draw({ latents, labels, truncation, second }) {
      const body = { latents: latents.map((row) => [...row]), labels };
      if (truncation !== null) body.truncation = truncation;
      if (second)
        body.second = { latents: second.latents.map((row) => [...row]), layer: second.layer };
      const answer = await asked(address, body);
      return apart(new Uint8Array(await answer.arrayBuffer()), about.channels, about.resolution);
    },
  };
}

/** Asks, and where the server is busy, again when it says so. */
async function asked(address, body) {
  for (let attempt = 0; ; attempt++) {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/octet-stream" },
      body: JSON.stringify(body),
    });
    if (answer.ok) return answer;
    if (answer.status !== 503 || attempt >= 5) {
      const told = await answer.json().catch(() => null);
      throw new Error(told?.detail ?? `the server answered ${answer.status}`);
    }
    const pause = Number(answer.headers.get("retry-after")) || 1;
    await new Promise((resolve) => setTimeout(resolve, 1000 * pause));
  }
}

/** Returns bytes [N, R, R, C] as RGBA, one array a picture. */
function apart(bytes, channels, side) {
  const area = side * side;
  return Array.from({ length: bytes.length / (area * channels) }, (_, number) => {
    const pixels = new Uint8ClampedArray(4 * area).fill(255);
    for (let index = 0; index < area; index++) {
      for (let colour = 0; colour < 3; colour++) {
        pixels[4 * index + colour] =
          bytes[(number * area + index) * channels + (colour % channels)];
      }
    }
    return pixels;
  });
}

// The worker's side of drawing/local.js: opens an engine, then draws what it is asked for, in order.

import { openEngine } from "./engine.js";

let draw;

self.onmessage = async ({ data: { id, open, request } }) => {
  try {
    if (open) draw = await openEngine(open);
    const drawn = request ? await draw(request) : null;
    self.postMessage(
      { id, drawn },
      (drawn ?? []).map((pixels) => pixels.buffer),
    );
  } catch (error) {
    self.postMessage({ id, error: String(error?.message ?? error) });
  }
};

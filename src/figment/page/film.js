// Films of walks: which pictures lie on the way, and how a browser records them.

import { between } from "./lineage.js";

const SMALLEST = 512; // pixels a side: of a smaller film little is left after compression

/**
 * Returns the pictures on the way past stops and back to the first, so many a leg.
 * @param {import("./model.js").Model} model
 * @param {import("./address.js").Picture[]} stops
 * @param {number} frames
 */
export function wayPast(model, stops, frames) {
  return stops.flatMap((from, leg) => {
    const to = stops[(leg + 1) % stops.length];
    return Array.from({ length: frames }, (_, index) =>
      mixed(model, from, to, eased(index / frames)),
    );
  });
}

/** Returns the picture a share of the way from one to another; the class changes in the middle. */
export function mixed(model, from, to, share) {
  const near = share < 0.5 ? from : to;
  return {
    ...near,
    class: model.classes.length ? model.classOf(near) : null,
    lineage: between(model.lineageOf(from), model.lineageOf(to), share),
    sliders: from.sliders.map(() => 0),
  };
}

/** Returns a share that starts and stops gently. */
function eased(share) {
  return share * share * (3 - 2 * share);
}

/**
 * Records frames as a film, in the time that they take, and returns it.
 * @param {ImageData[]} frames
 * @param {number} rate frames a second
 * @param {(done: number) => void} progress
 * @returns {Promise<Blob>} WebM, or MP4 where a browser has only that
 */
export async function recorded(frames, rate, progress) {
  const type = ["video/webm;codecs=vp9", "video/webm", "video/mp4"].find((name) =>
    globalThis.MediaRecorder?.isTypeSupported(name),
  );
  if (!type) throw new Error("this browser records no films");
  const side = frames[0].width * Math.max(1, Math.ceil(SMALLEST / frames[0].width));
  const [small, large] = [canvas(frames[0].width), canvas(side)];
  const pen = large.getContext("2d");
  const stream = large.captureStream(0);
  const [track] = stream.getVideoTracks();
  const recorder = new MediaRecorder(stream, { mimeType: type, videoBitsPerSecond: 8_000_000 });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const stopped = new Promise((resolve) => {
    recorder.onstop = resolve;
  });
  recorder.start();
  for (const [index, frame] of frames.entries()) {
    small.getContext("2d").putImageData(frame, 0, 0);
    pen.drawImage(small, 0, 0, side, side);
    track.requestFrame();
    progress(index + 1);
    await new Promise((resolve) => setTimeout(resolve, 1000 / rate));
  }
  recorder.stop();
  await stopped;
  track.stop();
  return new Blob(parts, { type: type.split(";")[0] });
}

function canvas(side) {
  return Object.assign(document.createElement("canvas"), { width: side, height: side });
}

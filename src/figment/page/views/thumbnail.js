// A small picture that leads to the large one.

import { element } from "../dom.js";

/**
 * Returns a button with a picture, drawn when its turn comes.
 * @param {import("../show.js").Show} show
 * @param {import("../address.js").Picture} picture
 * @param {{ label: string, signal?: AbortSignal, onclick?: () => void }} how
 */
export function thumbnail(show, picture, { label, signal, onclick }) {
  const canvas = canvasOf(show, picture, { signal });
  const press =
    onclick ??
    (() => {
      show.set(picture);
      document.getElementById("picture").scrollIntoView({ block: "nearest" });
    });
  return element(
    "button.thumbnail",
    { type: "button", "aria-label": label, title: label, onclick: press },
    canvas,
  );
}

/** Returns a canvas with a picture, drawn when its turn comes. */
export function canvasOf(show, picture, how) {
  const side = show.model.about.resolution;
  const canvas = element("canvas.waiting", { width: side, height: side });
  show.model.draw(picture, how).then(
    (pixels) => {
      paint(canvas, pixels);
      canvas.classList.remove("waiting");
    },
    () => canvas.classList.add("failed"),
  );
  return canvas;
}

/** Puts pixels on a canvas; it is read again for a download. */
export function paint(canvas, pixels) {
  canvas.getContext("2d", { willReadFrequently: true }).putImageData(pixels, 0, 0);
}

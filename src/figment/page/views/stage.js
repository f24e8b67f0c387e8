// The large picture, what it is, and the button that shows the next one.

import { button, element, say, tell } from "../dom.js";
import { caption, sentence } from "./caption.js";
import { paint } from "./thumbnail.js";

const SWIPE = 45; // pixels
const REST = 250; // milliseconds after which a picture is told and the next one is prepared

/**
 * @param {import("../show.js").Show} show
 * @param {import("../favourites.js").Favourites} favourites
 */
export function stage(show, favourites) {
  const side = show.model.about.resolution;
  const canvas = element("canvas", {
    id: "picture",
    width: side,
    height: side,
    role: "img",
    tabIndex: -1,
  });
  const next = button("Next", () => show.next(), { className: "primary", id: "next" });
  next.append(element("kbd", { "aria-hidden": "true" }, "space"));
  let drawing = new AbortController();
  let rest = 0;

  async function draw() {
    const { picture } = show;
    delete canvas.dataset.address;
    drawing.abort();
    drawing = new AbortController();
    const { signal } = drawing;
    try {
      const pixels = await show.model.draw(picture, { urgent: true, signal });
      if (signal.aborted) return;
      paint(canvas, pixels);
    } catch (error) {
      if (!signal.aborted) say(`This picture could not be drawn: ${error.message}.`);
      return;
    }
    canvas.setAttribute("aria-label", sentence(show, picture));
    canvas.dataset.address = show.link();
    clearTimeout(rest);
    rest = setTimeout(() => {
      tell(sentence(show, picture));
      show.prepare(signal);
    }, REST);
  }

  swipes(canvas, show);
  show.addEventListener("picture", draw);
  return {
    /** Shows a frame of a film in the picture's place; null: the picture again. */
    frame(pixels) {
      if (pixels) paint(canvas, pixels);
      else draw();
    },
    node: element(
      "figure.stage",
      {},
      element("div.mat", {}, canvas),
      caption(show, favourites),
      next,
    ),
  };
}

/** A swipe to the left shows the next picture, one to the right the one before. */
function swipes(node, show) {
  let start = null;
  node.addEventListener(
    "touchstart",
    ({ touches: [{ clientX, clientY }] }) => {
      start = { x: clientX, y: clientY };
    },
    { passive: true },
  );
  node.addEventListener("touchend", ({ changedTouches: [{ clientX, clientY }] }) => {
    if (!start) return;
    const [across, down] = [clientX - start.x, clientY - start.y];
    start = null;
    if (Math.abs(across) < SWIPE || Math.abs(across) < 2 * Math.abs(down)) return;
    if (across < 0) show.next();
    else history.back();
  });
}

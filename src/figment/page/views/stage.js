// The large picture, and what one does with it: the next one, keep it, take it along.

import { button, download, element, say, tell } from "../dom.js";
import { written } from "../lineage.js";
import { pngOf } from "../png.js";
import { nearestOf } from "./nearest.js";
import { paint } from "./thumbnail.js";

const SWIPE = 45; // pixels

/**
 * @param {import("../show.js").Show} show
 * @param {import("../favourites.js").Favourites} favourites
 */
export function stage(show, favourites) {
  const side = show.model.about.resolution;
  const canvas = element("canvas", { id: "picture", width: side, height: side, role: "img", tabIndex: -1 });
  const seed = element("a.seed", { title: "Link to this picture" });
  const kind = element("span.class");
  const badge = element("span.badge", { hidden: true });
  const heart = button("", () => favourites.toggle(show.link()), { className: "icon heart" });
  const link = button("Copy link", () => copyLink(), { className: "quiet" });
  const save = button("Download", () => saveAs(show, canvas), { className: "quiet" });
  const next = button("Next", () => goOn(), { className: "primary", id: "next" });
  next.append(element("kbd", { "aria-hidden": "true" }, "space"));
  let ahead = null; // the picture that "next" shows, drawn before it is asked for
  let drawing = new AbortController();
  let wait = 0;

  function goOn() {
    const { class: kind, truncation } = show.picture;
    const fits = ahead?.class === kind && ahead.truncation === truncation;
    const next = fits ? ahead : show.byChance();
    ahead = null;
    show.set(next);
  }

  async function copyLink() {
    try {
      await navigator.clipboard.writeText(location.href);
      say("The link to this picture is copied.");
    } catch {
      say("The browser does not let a page copy: take the link from its address bar.");
    }
  }

  function loved() {
    const kept = favourites.has(show.link());
    heart.textContent = kept ? "♥" : "♡";
    heart.setAttribute("aria-pressed", String(kept));
    heart.setAttribute("aria-label", "Favourite");
    heart.title = kept ? "Remove from favourites" : "Add to favourites";
  }

  async function draw() {
    const { picture } = show;
    delete canvas.dataset.address;
    drawing.abort();
    drawing = new AbortController();
    const { signal } = drawing;
    seed.textContent = nameOf(picture);
    seed.href = show.link();
    kind.textContent = show.model.classOf(picture);
    nearestOf(show, badge);
    loved();
    try {
      const pixels = await show.model.draw(picture, { urgent: true, signal });
      if (signal.aborted) return;
      paint(canvas, pixels);
    } catch (error) {
      say(`This picture could not be drawn: ${error.message}`);
      return;
    }
    canvas.setAttribute("aria-label", sentence(show, picture));
    canvas.dataset.address = show.link();
    clearTimeout(wait);
    wait = setTimeout(() => {
      tell(sentence(show, picture));
      ahead = show.byChance();
      show.model.draw(ahead, { signal });
    }, 250);
  }

  swipes(canvas, goOn);
  show.addEventListener("picture", draw);
  favourites.addEventListener("change", loved);
  return {
    canvas,
    goOn,
    /** Shows a frame of a film in the picture's place; null: the picture again. */
    frame(pixels) {
      if (pixels) paint(canvas, pixels);
      else draw();
    },
    node: element("figure.stage", {},
      element("div.mat", {}, canvas),
      element("figcaption", {},
        element("p.name", {}, seed, kind, badge),
        element("p.acts", {}, heart, link, save)),
      next),
  };
}

/** Returns what a picture is called: its seed, or "from" several. */
function nameOf({ lineage }) {
  return "seed" in lineage ? `№ ${lineage.seed}` : "A relative";
}

/** Returns a picture in words. */
function sentence(show, picture) {
  const kind = show.model.classOf(picture);
  const name = "seed" in picture.lineage ? `Picture ${picture.lineage.seed}` : "A new relative";
  return `${name}${kind ? `, ${kind}` : ""}.`;
}

/** Saves the picture as a PNG of its own size, with its seed and its link in the file's text. */
async function saveAs(show, canvas) {
  const { picture, model } = show;
  const text = {
    Software: "made by figment",
    Title: show.model.about.title ?? show.model.about.name,
    Seed: written(picture.lineage),
    Model: model.about.name,
    Address: show.link(),
  };
  const kind = model.classOf(picture);
  if (kind) text.Class = kind;
  if (picture.truncation !== null) text.Truncation = String(picture.truncation);
  const pixels = await model.draw(picture, { urgent: true });
  paint(canvas, pixels); // not a frame of a film that plays
  const name = "seed" in picture.lineage ? picture.lineage.seed : "relative";
  download(await pngOf(canvas, text), `${model.about.name}-${name}.png`);
}

/** Calls back on a swipe to the left. */
function swipes(node, onswipe) {
  let start = null;
  node.addEventListener("touchstart", ({ touches: [{ clientX, clientY }] }) => {
    start = { x: clientX, y: clientY };
  }, { passive: true });
  node.addEventListener("touchend", ({ changedTouches: [{ clientX, clientY }] }) => {
    if (!start) return;
    const [across, down] = [clientX - start.x, clientY - start.y];
    if (Math.abs(across) > SWIPE && Math.abs(across) > 2 * Math.abs(down)) {
      if (across < 0) onswipe();
      else history.back();
    }
    start = null;
  });
}

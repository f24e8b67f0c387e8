// What the large picture is called, and what one does with it: keep it, pass it on, take it along.

import { changed } from "../address.js";
import { button, download, element, say } from "../dom.js";
import { written } from "../lineage.js";
import { pngOf } from "../png.js";
import { nearest } from "./nearest.js";
import { paint } from "./thumbnail.js";

/**
 * @param {import("../show.js").Show} show
 * @param {import("../favourites.js").Favourites} favourites
 */
export function caption(show, favourites) {
  const seed = element("a.seed", { title: "Link to this picture" });
  const kind = element("span.class");
  const heart = button("♡", () => favourites.toggle(show.link()), {
    className: "icon heart",
    "aria-label": "Favourite",
  });
  const follow = () => {
    const { picture, model } = show;
    seed.textContent =
      "seed" in picture.lineage
        ? `№ ${picture.lineage.seed}${changed(picture) ? ", changed" : ""}`
        : "A relative";
    seed.href = show.link();
    kind.textContent = model.classOf(picture);
    const kept = favourites.has(show.link());
    heart.textContent = kept ? "♥" : "♡";
    heart.setAttribute("aria-pressed", String(kept));
    heart.title = kept ? "Remove from favourites" : "Add to favourites";
  };
  show.addEventListener("picture", follow);
  favourites.addEventListener("change", follow);
  return element(
    "figcaption",
    {},
    element("p.name", {}, seed, kind, nearest(show)),
    element(
      "p.acts",
      {},
      heart,
      button("Copy link", copyLink, { className: "quiet" }),
      button("Download", () => save(show), { className: "quiet" }),
    ),
  );
}

/** Returns a picture in words. */
export function sentence(show, picture) {
  const kind = show.model.classOf(picture);
  const name = "seed" in picture.lineage ? `Picture ${picture.lineage.seed}` : "A new relative";
  return `${name}${changed(picture) ? ", changed" : ""}${kind ? `, ${kind}` : ""}.`;
}

async function copyLink() {
  try {
    await navigator.clipboard.writeText(location.href);
    say("The link to this picture is copied.");
  } catch {
    say("The browser does not let a page copy: take the link from its address bar.");
  }
}

/** Saves the picture as a PNG of its own size, with its seed and its link in the file's text. */
async function save(show) {
  const { picture, model } = show;
  const { name, title = name } = model.about;
  const text = {
    Software: "made by figment",
    Title: title,
    Seed: written(picture.lineage),
    Model: name,
  };
  const kind = model.classOf(picture);
  if (kind) text.Class = kind;
  if (picture.truncation !== null) text.Truncation = String(picture.truncation);
  text.Address = show.link();
  try {
    const pixels = await model.draw(picture, { urgent: true });
    const canvas = element("canvas", { width: pixels.width, height: pixels.height });
    paint(canvas, pixels);
    const seed = "seed" in picture.lineage ? picture.lineage.seed : "relative";
    const end = changed(picture) ? "-changed" : "";
    download(await pngOf(canvas, text), `${name}-${seed}${end}.png`);
  } catch (error) {
    say(`The picture could not be saved: ${error.message}.`);
  }
}

// Pictures without end: more come as one scrolls.

import { element } from "../dom.js";
import { thumbnail } from "./thumbnail.js";

const ROW = 12; // pictures that come at a time

/** @param {import("../show.js").Show} show */
export function gallery(show) {
  const wall = element("div.grid.wall", { role: "group", "aria-label": "Gallery" });
  const end = element("div.end", { "aria-hidden": "true" });
  const kindNow = () => `${show.picture.class} ${show.picture.truncation}`;
  let kind = kindNow();
  let drawing = new AbortController();

  function more() {
    const { signal } = drawing;
    for (let index = 0; index < ROW; index++) {
      const picture = show.byChance();
      wall.append(thumbnail(show, picture, { label: `Picture ${picture.lineage.seed}`, signal }));
    }
  }

  new IntersectionObserver(([{ isIntersecting }], watcher) => {
    if (!isIntersecting) return;
    more();
    // Ask again: the end may still be in sight.
    watcher.unobserve(end);
    setTimeout(() => watcher.observe(end), 200);
  }, { rootMargin: "200px" }).observe(end);

  // Another class or truncation: what hangs here is no longer what is asked for.
  show.addEventListener("picture", () => {
    if (kindNow() === kind) return;
    kind = kindNow();
    drawing.abort();
    drawing = new AbortController();
    wall.replaceChildren();
  });
  return element("section.gallery", { "aria-labelledby": "gallery" },
    element("h2", { id: "gallery" }, "Gallery"), wall, end);
}

// Pictures without end: more come as one scrolls.

import { element } from "../dom.js";
import { Sheet } from "./sheet.js";

const AT_A_TIME = 12;
const PAUSE = 200; // milliseconds, after which it is looked again whether the end is in sight

/** @param {import("../show.js").Show} show */
export function gallery(show) {
  const wall = new Sheet(show, "many", "Gallery");
  const end = element("div.end", { "aria-hidden": "true" });
  const kindNow = () => `${show.picture.class} ${show.picture.truncation}`;
  let kind = kindNow();

  const watcher = new IntersectionObserver(
    ([{ isIntersecting }]) => {
      if (!isIntersecting) return;
      const more = Array.from({ length: AT_A_TIME }, () => show.byChance());
      wall.add(more, ({ lineage }) => `Picture ${lineage.seed}`);
      watcher.unobserve(end);
      setTimeout(() => watcher.observe(end), PAUSE);
    },
    { rootMargin: "200px" },
  );
  watcher.observe(end);

  // Another class or truncation: what hangs here is no longer what is asked for.
  show.addEventListener("picture", () => {
    if (kindNow() === kind) return;
    kind = kindNow();
    wall.clear();
  });
  return element(
    "section.gallery",
    { "aria-labelledby": "gallery" },
    element("h2", { id: "gallery" }, "Gallery"),
    wall.node,
    end,
  );
}

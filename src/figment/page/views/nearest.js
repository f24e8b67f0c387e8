// The training picture that the picture on show is most like, where the model's card was made to know it.

import { element } from "../dom.js";

/**
 * Returns a badge that follows the picture on show, hidden where nothing is known of it.
 * @param {import("../show.js").Show} show
 */
export function nearest(show) {
  const { nearest: known } = show.model.about;
  const thumbnail = element("img", { alt: "" });
  const words = element("span");
  const badge = element("span.badge", { hidden: true }, thumbnail, words);
  if (known) {
    show.addEventListener("picture", () => {
      const found = plain(show.picture) && known.seeds[String(show.picture.lineage.seed)];
      badge.hidden = !found;
      if (!found) return;
      badge.classList.toggle("copy", found.copy);
      words.textContent = found.copy ? "nearly this training picture" : "nearest training picture";
      badge.title = `Likeness ${found.likeness} of 1`;
      thumbnail.hidden = !known.pictures;
      if (known.pictures) thumbnail.src = known.pictures[found.picture];
    });
  }
  return badge;
}

/** Returns whether a picture is that of a seed as it comes: of others nothing was measured. */
function plain({ lineage, class: kind, truncation, sliders, style }) {
  return (
    "seed" in lineage && kind === null && truncation === null && !style && !sliders.some(Boolean)
  );
}

// How near a picture comes to the training picture that is most like it, where the model knows.

import { element } from "../dom.js";

/** Fills the badge for the picture on show, and hides it where nothing is known of it. */
export function nearestOf(show, badge) {
  const { lineage, class: kind, truncation, sliders, style } = show.picture;
  const plain = "seed" in lineage && kind === null && truncation === null && !style && !sliders.some(Boolean);
  const found = plain ? show.model.about.nearest?.seeds?.[String(lineage.seed)] : null;
  badge.hidden = !found;
  if (!found) return;
  const text = found.copy ? "nearly a training picture" : "no training picture is near";
  const thumbnail = show.model.about.nearest.pictures?.[found.picture];
  badge.replaceChildren(...(thumbnail ? [element("img", { src: thumbnail, alt: "the nearest one" })] : []), text);
  badge.classList.toggle("copy", Boolean(found.copy));
}

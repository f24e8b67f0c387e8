// What holds for every picture: its class, and how far latents may lie out.

import { changed } from "../address.js";
import { element, slider } from "../dom.js";
import { seedField, seedIn } from "./seed.js";

const FEW = 12; // classes that are buttons; more are a list
const ALL = 3; // truncation at the right end of its slider, which means none

/** @param {import("../show.js").Show} show */
export function settings(show) {
  const { classes, truncation } = show.model;
  const parts = [];
  if (classes.length) parts.push(classes.length <= FEW ? chips(show) : list(show));
  if (truncation.of) parts.push(cut(show));
  parts.push(bySeed(show));
  return element("section.settings", { "aria-label": "Settings" }, ...parts);
}

function chips(show) {
  const choice = (value, words) => {
    const input = element("input", {
      type: "radio",
      name: "class",
      value: value ?? "",
      checked: show.picture.class === value,
      onchange: () => show.change({ class: value }),
    });
    show.addEventListener("picture", () => {
      input.checked = show.picture.class === value;
    });
    return element("label.chip", {}, input, words);
  };
  return element(
    "fieldset.chips",
    {},
    element("legend", {}, "Class"),
    choice(null, "any"),
    ...show.model.classes.map((name) => choice(name, name)),
  );
}

function list(show) {
  const select = element(
    "select",
    { id: "class", onchange: () => show.change({ class: select.value || null }) },
    element("option", { value: "" }, "any"),
    ...show.model.classes.map((name) => element("option", { value: name }, name)),
  );
  const follow = () => {
    select.value = show.picture.class ?? "";
  };
  show.addEventListener("picture", follow);
  follow();
  return element("label.row", {}, element("span", {}, "Class"), select);
}

/** How safe pictures are: styles are drawn to their mean, latents cut off. */
function cut(show) {
  const ofStyles = show.model.truncation.of === "styles";
  const most = ofStyles ? 1 : ALL;
  const row = slider({
    label: "Truncation",
    min: 0.1,
    max: most,
    step: 0.05,
    value: show.picture.truncation ?? most,
    said: (value) => (value >= most ? "none" : value.toFixed(2)),
    oninput: (value) =>
      show.change({ truncation: value >= most ? null : value }, { passing: true }),
  });
  row.title = "Lower: safer pictures, more alike";
  show.addEventListener("picture", () => row.set(show.picture.truncation ?? most));
  return row;
}

function bySeed(show) {
  const input = seedField();
  const hint = element("p.note.beside", { hidden: true });
  const form = element(
    "form.row",
    { noValidate: true }, // the field speaks for itself
    element("label", {}, element("span", {}, "Seed"), input),
    element("button.quiet", { type: "submit" }, "Show"),
    hint,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const seed = seedIn(input);
    if (seed !== null)
      show.change({ lineage: { seed }, sliders: show.picture.sliders.map(() => 0), style: null });
  });
  const follow = () => {
    const { lineage } = show.picture;
    input.value = "seed" in lineage ? String(lineage.seed) : "";
    input.setCustomValidity("");
    hint.hidden = !changed(show.picture) || !("seed" in lineage);
    hint.textContent = hint.hidden ? "" : `Changed: Show brings back № ${lineage.seed}.`;
  };
  show.addEventListener("picture", follow);
  follow();
  return form;
}

// What the model is, what it learned from, how good it was found to be.

import { element } from "../dom.js";
import { significant } from "../numbers.js";

/** @param {object} about model.json */
export function card(about) {
  const { card: told = {} } = about;
  const facts = {
    "Learned from":
      told.data &&
      (told.examples ? `${count(told.examples)} pictures (${told.data})` : told.data),
    "Pictures shown to it": told.images && `${count(told.images)} in all, repeats counted`,
    System: about.recipe,
    Parameters: told.parameters && count(told.parameters),
    Size: `${about.resolution} × ${about.resolution} pixels`,
    "Weights here": about.generator && weights(about),
    "Made with": about.figment && `figment ${about.figment}`,
    Licence: told.licence,
    Use: told.use,
  };
  const rows = Object.entries(facts)
    .filter(([, value]) => value)
    .map(([name, value]) =>
      element("div", {}, element("dt", {}, name), element("dd", {}, String(value))),
    );
  return element(
    "details.card",
    {},
    element("summary", {}, element("h2", {}, "About this model")),
    told.sentence && element("p.about", {}, told.sentence),
    element("dl.facts", {}, ...rows),
    told.scores?.length ? when(told) : null,
    scores(told.scores ?? []),
    list("Copies", told.copies ? [told.copies] : []),
    list(
      "What the doctor says",
      (told.doctor ?? []).map((found) => `${found.name}. ${found.evidence}`),
    ),
    list("What of its training data this page carries", about.carries ?? []),
  );
}

function count(number) {
  return number.toLocaleString("en");
}

function weights({ generator, mapping }) {
  const bytes = generator.bytes + (mapping?.bytes ?? 0);
  const off = generator.difference?.mean;
  const exact =
    off === undefined
      ? ""
      : `; pictures are ${Number(off.toPrecision(2))} of 255 off the original's on average`;
  return `${(bytes / 1e6).toFixed(1)} MB, ${generator.form}${exact}`;
}

/** Says of which moment the scores are, where that is another than that of the weights. */
function when({ scored_at: then, images }) {
  if (typeof then !== "number" || then === images) return null;
  const here = images ? `; the weights here are of ${count(images)}` : "";
  return element("p.note", {}, `Scores measured after ${count(then)} images${here}.`);
}

function scores(found) {
  if (!found.length) return null;
  const number = (value) => (typeof value === "number" ? significant(value) : "");
  return element(
    "div.sideways",
    { tabIndex: 0, role: "group", "aria-label": "Scores" },
    element(
      "table",
      {},
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          ...["Score", "Value", "95 % interval", "Floor", "Better", "Protocol"].map((name) =>
            element("th", { scope: "col" }, name),
          ),
        ),
      ),
      element(
        "tbody",
        {},
        ...found.map((one) =>
          element(
            "tr",
            {},
            element("th", { scope: "row" }, one.label),
            ...[
              number(one.value),
              one.low === null || one.low === undefined
                ? ""
                : `${number(one.low)} – ${number(one.high)}`,
              number(one.floor),
              one.better ?? "",
              one.protocol ?? "",
            ].map((text) => element("td", {}, text)),
          ),
        ),
      ),
    ),
  );
}

function list(title, lines) {
  if (!lines.length) return null;
  return element(
    "div.told",
    {},
    element("h3", {}, title),
    ...lines.map((line) => element("p", {}, line)),
  );
}

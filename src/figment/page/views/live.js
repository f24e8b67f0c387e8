// A run as it stands: how far it is, its curves, its samples and what the doctor says, as they come.

import { element } from "../dom.js";
import { chart } from "./chart.js";

const EVERY = 3_000; // milliseconds between two looks
const TITLES = {
  loss: "Loss",
  score: "The discriminator's answers",
  jsd: "Divergence, estimate",
  gradient: "Gradient norms",
  speed: "Images a second",
};

/**
 * Returns the section of a run that is in training, or null where there is nothing to tell.
 * @param {string} name the model's
 * @param {{ always: boolean }} how also of a run that has ended
 */
export async function live(name, { always }) {
  const address = new URL(`api/models/${encodeURIComponent(name)}/live`, document.baseURI);
  const first = await state(address);
  if (!first || (first.state !== "training" && !always)) return null;
  const section = element("section.live", { "aria-labelledby": "live" });
  show(section, first);
  follow(section, address);
  return section;
}

/** Looks again and again, while the section is on the page and somebody sees it. */
async function follow(section, address) {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, EVERY));
    if (!section.isConnected) return;
    if (document.hidden) continue;
    const now = await state(address);
    if (!now) continue;
    show(section, now);
    if (now.state !== "training") return;
  }
}

async function state(address) {
  try {
    const answer = await fetch(address);
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // the server is away for a moment
  }
}

function show(section, now) {
  const newest = now.samples.at(-1);
  const address = newest && new URL(newest.url, document.baseURI).href;
  const words = {
    training: "In training",
    stopped: "Training stopped",
    finished: "Training finished",
  };
  section.replaceChildren(
    element("h2", { id: "live" }, words[now.state] ?? "Training"),
    element("p.note", { role: "status" }, far(now)),
    now.total &&
      element("progress", { max: now.total, value: now.images, "aria-label": "Training" }),
    element(
      "div.charts",
      {},
      address &&
        element(
          "figure.chart",
          {},
          element("figcaption", {}, `Samples after ${count(newest.images)} images`),
          element("img", { src: address, alt: `Samples after ${count(newest.images)} images` }),
        ),
      ...grouped(now.curves).map(([title, curves]) => chart(title, curves)),
    ),
    ...now.doctor.map(({ severity, name, evidence, advice }) =>
      element(
        `div.finding.${severity}`,
        {},
        element("h3", {}, name),
        element("p", {}, `${evidence} ${advice ?? ""}`),
      ),
    ),
  );
}

/** Returns curves by what they measure, each a chart; a score has one of its own. */
function grouped(curves) {
  const groups = new Map();
  for (const curve of curves) {
    const [group, ...rest] = curve.name.split("/");
    const title = TITLES[group] ?? group.replaceAll("_", " ");
    const part = { ...curve, name: rest.join(" ").replaceAll("_", " ") || title };
    groups.set(title, [...(groups.get(title) ?? []), part]);
  }
  return [...groups];
}

function far({ images, total, left }) {
  const share = total ? ` of ${count(total)}` : "";
  const rest = left === null || left === undefined ? "" : `, about ${time(left)} left`;
  return `${count(images)}${share} images${rest}.`;
}

function time(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} seconds`;
  return seconds < 5_400
    ? `${Math.round(seconds / 60)} minutes`
    : `${(seconds / 3600).toFixed(1)} hours`;
}

function count(number) {
  return number.toLocaleString("en");
}

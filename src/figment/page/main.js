// The page begins here: what it was given to show, and who draws its pictures.

import { partsOf } from "./address.js";
import { element, say } from "./dom.js";
import * as local from "./drawing/local.js";
import * as remote from "./drawing/remote.js";
import { Favourites } from "./favourites.js";
import { Model } from "./model.js";
import { followKeys } from "./keys.js";
import { keepSite } from "./offline.js";
import { jsonOf } from "./resources.js";
import { Show } from "./show.js";
import { card } from "./views/card.js";
import { directions } from "./views/directions.js";
import { front } from "./views/front.js";
import { gallery } from "./views/gallery.js";
import { live } from "./views/live.js";
import { Mix } from "./views/mix.js";
import { settings } from "./views/settings.js";
import { stage } from "./views/stage.js";
import { styles } from "./views/styles.js";
import { tabs } from "./views/tabs.js";
import { themeSwitch } from "./views/theme.js";
import { Tray } from "./views/tray.js";
import { variations } from "./views/variations.js";
import { walk } from "./views/walk.js";

const config = JSON.parse(document.getElementById("figment").textContent);
const drawing = config.host === "server" ? remote : local;
const main = document.getElementById("main");
const LOOK = 10_000; // milliseconds between two looks for the first weights of a run
let shown = null; // the name of the model on show
let show = null;

addEventListener("hashchange", follow);
addEventListener("popstate", follow);
followKeys(() => show);
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // what stands behind "#" is the picture
  main.focus();
});
keepSite(config);
document.querySelector(".top").append(themeSwitch());
follow();

/** Shows what the address says. */
async function follow() {
  const several = config.models.length > 1;
  const wanted = several ? partsOf(location.hash).model : config.models[0]?.name;
  const place = config.models.find(({ name }) => name === wanted);
  if (!place) {
    shown = show = null;
    frontPage();
  } else if (shown === place.name) {
    if (show && show.link() !== location.hash) show.open(location.hash);
  } else {
    shown = place.name;
    await openModel(place, several).catch((error) => failed(error));
  }
}

function frontPage() {
  title(config.title ?? "Generators", "Each draws pictures that nobody has taken.");
  document.getElementById("home").hidden = true;
  main.replaceChildren(front(config.models));
  ready();
  if (!config.models.length) say("There is no generator here.");
}

async function openModel(place, several) {
  document.documentElement.dataset.state = "loading";
  document.getElementById("home").hidden = !several;
  const meter = element("progress", { max: 1, "aria-label": "Loading the generator" });
  main.replaceChildren(element("div.loading", {}, meter));
  say("Loading …");
  const run = config.host === "server" ? await served(place) : null;
  if (run && !run.version) {
    await showTraining(place);
    return;
  }
  const about = await jsonOf(config.host === "server" ? modelAt(place) : `${place.at}model.json`);
  title(about.title ?? place.title ?? about.name, about.card?.sentence ?? "");
  const engine = await drawing.open(place, about, config, (done, all) => {
    if (all) meter.value = done / all;
    say(`Loading ${(done / 1e6).toFixed(0)}${all ? ` of ${(all / 1e6).toFixed(0)}` : ""} MB …`);
  });
  if (shown !== place.name) return;
  build(new Model(about, engine), several ? `model=${encodeURIComponent(place.name)}&` : "");
  if (run?.training) {
    const section = await live(place.name, { always: false });
    if (section) main.querySelector(".tray")?.before(section);
  }
}

/** Shows the run of a model that cannot draw yet, until it can. */
async function showTraining(place) {
  const run = await live(place.name, { always: true });
  title(
    place.title ?? place.name,
    "A generator in training: its first pictures are still to come.",
  );
  main.replaceChildren(...(run ? [run] : []));
  ready();
  const look = setInterval(async () => {
    if (run && !run.isConnected) return clearInterval(look);
    if (!(await served(place))?.version) return undefined;
    clearInterval(look);
    shown = null;
    return follow();
  }, LOOK);
}

/** Returns what the server says of a model: "version", once there are weights, and "training". */
async function served({ name }) {
  const { models } = await jsonOf("api/models");
  return models.find((model) => model.name === name);
}

function modelAt({ name }) {
  return `api/models/${encodeURIComponent(name)}`;
}

function build(model, prefix) {
  show = new Show(model, prefix);
  const favourites = new Favourites(model.about.name);
  const large = stage(show, favourites);
  show.open(location.hash);
  const ways = [
    variations(show),
    ...(model.directions.length ? [directions(show)] : []),
    walk(show, large),
    new Mix(show, large),
    ...(model.layers ? [styles(show)] : []),
  ];
  main.replaceChildren(
    element("div.first", {}, large.node, element("div.side", {}, settings(show), tabs(show, ways))),
    new Tray(show, favourites).node,
    card(model.about),
    gallery(show),
  ); // has no end, so it comes last
  ready();
}

function ready() {
  document.documentElement.dataset.state = "ready";
  say("");
}

function title(words, sentence) {
  document.title = words;
  document.getElementById("title").textContent = words;
  document.getElementById("lead").textContent = sentence;
}

function failed(error) {
  shown = null;
  document.documentElement.dataset.state = "failed";
  main.replaceChildren();
  say(`This page could not load its generator: ${error.message}.`);
}

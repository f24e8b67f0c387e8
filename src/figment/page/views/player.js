// Draws the frames of a film, plays them in the large picture's place, and saves them.

import { button, download, element, say } from "../dom.js";
import { recorded } from "../film.js";

const RATE = 20; // frames a second

/**
 * Returns the buttons of a film. `frames` gives the pictures of it as they are to be at that moment.
 * @param {import("../show.js").Show} show
 * @param {{ frame(pixels: ImageData | null): void }} stage
 * @param {() => import("../address.js").Picture[]} frames
 */
export function player(show, stage, frames) {
  let playing = null; // the controller of what plays
  const play = button("Play", () => (playing ? stop() : start()), { className: "primary small" });
  const save = button("Save film", () => saveFilm(), { className: "quiet" });
  const meter = element("progress", { max: 1, value: 0, hidden: true, "aria-label": "Film" });

  function begin() {
    stop();
    playing = new AbortController();
    play.textContent = "Stop";
    meter.hidden = false;
    return playing.signal;
  }

  function stop() {
    if (!playing) return;
    playing.abort();
    playing = null;
    play.textContent = "Play";
    meter.hidden = true;
    stage.frame(null);
  }

  /** Plays round and round; the first time as quickly as frames are drawn. */
  async function start() {
    const signal = begin();
    const wanted = frames().map((picture) => ({ picture }));
    say("The walk plays.");
    for (let index = 0; !signal.aborted; index = (index + 1) % wanted.length) {
      const began = performance.now();
      for (const ahead of wanted.slice(index, index + 8))
        ahead.pixels ??= show.model.draw(ahead.picture, { signal });
      let pixels;
      try {
        pixels = await wanted[index].pixels;
      } catch (error) {
        say(`The walk stops: ${error.message}`);
        return stop();
      }
      if (signal.aborted) return;
      stage.frame(pixels);
      meter.value = (index + 1) / wanted.length;
      await new Promise((resolve) =>
        setTimeout(resolve, Math.max(0, 1000 / RATE - (performance.now() - began))),
      );
    }
  }

  async function saveFilm() {
    const signal = begin();
    save.disabled = true;
    try {
      const wanted = frames();
      say("The frames of the film are drawn …");
      const drawn = [];
      for (const picture of wanted) {
        drawn.push(await show.model.draw(picture, { signal }));
        if (signal.aborted) return;
        stage.frame(drawn.at(-1));
        meter.value = drawn.length / (2 * wanted.length);
      }
      say("The film is recorded …");
      const film = await recorded(drawn, RATE, (done) => {
        meter.value = 0.5 + done / (2 * wanted.length);
      });
      download(film, `${show.model.about.name}-walk.${film.type.endsWith("mp4") ? "mp4" : "webm"}`);
      say("The film is saved.");
    } catch (error) {
      say(`The film could not be saved: ${error.message}`);
    } finally {
      save.disabled = false;
      if (!signal.aborted) stop();
    }
  }

  return { node: element("div.player", {}, play, save, meter), stop };
}

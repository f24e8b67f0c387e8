// Draws the frames of a film, plays them in the large picture's place, and saves them.

import { button, download, element, say } from "../dom.js";
import { recorded } from "../film.js";

const RATE = 20; // frames a second
const AHEAD = 8; // frames that are asked for before they are due

export class Player {
  /** @type {AbortController | null} of what plays */
  #playing = null;
  #play = button("Play", () => (this.#playing ? this.stop() : this.#start()), {
    className: "primary small",
  });
  #save = button("Save film", () => this.#saveFilm(), { className: "quiet" });
  #meter = element("progress", { max: 1, value: 0, hidden: true, "aria-label": "Film" });

  /**
   * @param {import("../show.js").Show} show
   * @param {{ frame(pixels: ImageData | null): void }} stage
   * @param {() => import("../address.js").Picture[]} frames the pictures of the film as it is to be now
   */
  constructor(show, stage, frames) {
    this.show = show;
    this.stage = stage;
    this.frames = frames;
    this.node = element("div.player", {}, this.#play, this.#save, this.#meter);
  }

  stop() {
    if (!this.#playing) return;
    this.#playing.abort();
    this.#playing = null;
    this.#play.textContent = "Play";
    this.#meter.hidden = true;
    this.stage.frame(null);
  }

  #begin() {
    this.stop();
    this.#playing = new AbortController();
    this.#play.textContent = "Stop";
    this.#meter.hidden = false;
    return this.#playing.signal;
  }

  /** Plays round and round; the first time as quickly as frames are drawn. */
  async #start() {
    const signal = this.#begin();
    try {
      await this.#goRound(signal);
    } catch (error) {
      say(`The film stops: ${error.message}.`);
      this.stop();
    }
  }

  async #goRound(signal) {
    const frames = this.frames().map((picture) => ({ picture, pixels: null }));
    for (let index = 0; !signal.aborted; index = (index + 1) % frames.length) {
      const began = performance.now();
      for (const frame of frames.slice(index, index + AHEAD)) {
        frame.pixels ??= this.show.model.draw(frame.picture, { signal });
      }
      const pixels = await frames[index].pixels;
      if (signal.aborted) return;
      this.stage.frame(pixels);
      this.#meter.value = (index + 1) / frames.length;
      await pause(1000 / RATE - (performance.now() - began));
    }
  }

  async #saveFilm() {
    const signal = this.#begin();
    this.#save.disabled = true;
    try {
      const frames = await this.#drawn(signal);
      if (signal.aborted) return;
      say("The film is recorded …");
      const film = await recorded(frames, RATE, (done) => {
        this.#meter.value = 0.5 + done / (2 * frames.length);
      });
      const ending = film.type.endsWith("mp4") ? "mp4" : "webm";
      download(film, `${this.show.model.about.name}-walk.${ending}`);
      say("The film is saved.");
    } catch (error) {
      say(`The film could not be saved: ${error.message}.`);
    } finally {
      this.#save.disabled = false;
      if (!signal.aborted) this.stop();
    }
  }

  /** Returns all frames, drawn, and shows them as they come. */
  async #drawn(signal) {
    say("The frames of the film are drawn …");
    const wanted = this.frames().map((picture) => this.show.model.draw(picture, { signal }));
    const found = [];
    for (const pixels of wanted) {
      found.push(await pixels);
      if (signal.aborted) break;
      this.stage.frame(found.at(-1));
      this.#meter.value = found.length / (2 * wanted.length);
    }
    return found;
  }
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)));
}

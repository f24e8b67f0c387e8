// Links to pictures that somebody likes, kept by the browser and by nobody else.

export class Favourites extends EventTarget {
  /** @param {string} name the model's */
  constructor(name) {
    super();
    this.key = `figment favourites ${name}`;
    this.links = this.#load();
    // Another tab has changed them.
    addEventListener("storage", (event) => {
      if (event.key !== this.key) return;
      this.links = this.#load();
      this.dispatchEvent(new Event("change"));
    });
  }

  has(link) {
    return this.links.includes(link);
  }

  toggle(link) {
    this.links = this.has(link)
      ? this.links.filter((other) => other !== link)
      : [link, ...this.links];
    try {
      localStorage.setItem(this.key, JSON.stringify(this.links));
    } catch {
      // A browser that keeps nothing has them until the page is closed.
    }
    this.dispatchEvent(new Event("change"));
  }

  #load() {
    try {
      const found = JSON.parse(localStorage.getItem(this.key) ?? "[]");
      return Array.isArray(found) ? found.filter((link) => typeof link === "string") : [];
    } catch {
      return [];
    }
  }
}

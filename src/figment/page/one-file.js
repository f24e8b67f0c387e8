"use strict";
// Everything is in this file: each module becomes a blob, once those that it imports have theirs.
(() => {
  const say = (words) => {
    document.getElementById("status").textContent = words;
    document.documentElement.dataset.state = "failed";
  };
  if (!("DecompressionStream" in window)) {
    say("This page needs a newer browser: Chrome 105, Firefox 121 or Safari 16.4.");
    return;
  }
  const modules = JSON.parse(document.getElementById("modules").textContent);

  function linked(texts) {
    const places = {};
    for (const [name, text] of Object.entries(texts)) {
      const whole = text.replace(
        /(from |import\()"(\.[^"]+)"/g,
        (_, before, to) =>
          `${before}"${places[new URL(to, `http://page/${name}`).pathname.slice(1)]}"`,
      );
      places[name] = URL.createObjectURL(new Blob([whole], { type: "text/javascript" }));
    }
    return places;
  }

  // A page from a disk and its worker have no origin in common, so the worker makes blobs of its own.
  // What it is told before its module is there waits.
  window.figmentWorker = (name) =>
    new Worker(
      URL.createObjectURL(
        new Blob(
          [
            `${linked}
    const early = [];
    self.onmessage = (event) => early.push(event);
    import(linked(${JSON.stringify(modules)})[${JSON.stringify(name)}])
      .then(() => early.forEach((event) => self.onmessage(event)))
      .catch((error) => early.forEach(({ data }) =>
        self.postMessage({ id: data.id, error: String(error) })));`,
          ],
          { type: "text/javascript" },
        ),
      ),
    );

  import(linked(modules)["page/main.js"]).catch((error) =>
    say(`This page could not start: ${error.message}`),
  );
})();

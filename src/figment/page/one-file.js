"use strict";
// Everything is in this file: each module becomes a blob, once those that it imports have theirs.
(() => {
  const say = (words) => {
    document.getElementById("status").textContent = words;
    document.documentElement.dataset.state = "failed";
  };
  if (!("DecompressionStream" in window)) {
    say("This page needs a newer browser: Chrome 80, Firefox 113 or Safari 16.4.");
    return;
  }
  const modules = JSON.parse(document.getElementById("modules").textContent);
  const places = {};
  for (const [name, text] of Object.entries(modules)) {
    const linked = text.replace(/(from |import\()"(\.[^"]+)"/g, (_, before, to) =>
      `${before}"${places[new URL(to, `http://page/${name}`).pathname.slice(1)]}"`);
    places[name] = URL.createObjectURL(new Blob([linked], { type: "text/javascript" }));
  }
  window.figmentModules = places;
  import(places["page/main.js"]).catch((error) => say(`This page could not start: ${error.message}`));
})();

"use strict";
// Runs before any module, so that a browser which forbids modules says so rather than show nothing.
(() => {
  const say = (words) => {
    document.getElementById("status").textContent = words;
    document.documentElement.dataset.state = "failed";
  };
  if (location.protocol === "file:") {
    say(
      "This page is made of several files, which a browser does not load from a disk. Put the folder " +
        "on any web server (python3 -m http.server in this folder is one), or export with --single-file.",
    );
    return;
  }
  const main = document.createElement("script");
  main.type = "module";
  main.src = "page/main.js";
  main.onerror = () => say("A part of this page could not be loaded. Please load it again.");
  if (!("noModule" in main)) say("This page needs a newer browser.");
  document.body.append(main);
})();

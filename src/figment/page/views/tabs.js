// One of several panels at a time, by the pattern of the ARIA authoring practices.

import { element } from "../dom.js";

/**
 * @param {import("../show.js").Show} show
 * @param {{ title: string, node: Element, show(): void, hide(): void }[]} panels `show` when a panel comes
 *   into view and whenever the picture changes while it is there
 */
export function tabs(show, panels) {
  let chosen = 0;
  const heads = panels.map(({ title }, index) =>
    element(
      "button",
      {
        type: "button",
        role: "tab",
        id: `tab-${index}`,
        "aria-controls": `panel-${index}`,
        onclick: () => choose(index),
      },
      title,
    ),
  );
  const bodies = panels.map(({ node }, index) =>
    element(
      "div.panel",
      {
        role: "tabpanel",
        id: `panel-${index}`,
        "aria-labelledby": `tab-${index}`,
      },
      node,
    ),
  );

  function choose(index) {
    if (index !== chosen) panels[chosen].hide();
    chosen = index;
    heads.forEach((head, number) => {
      head.setAttribute("aria-selected", String(number === index));
      head.tabIndex = number === index ? 0 : -1;
      bodies[number].hidden = number !== index;
    });
    if (show.picture) panels[index].show();
  }

  const list = element(
    "div.tabs",
    {
      role: "tablist",
      "aria-label": "Ways on from this picture",
      onkeydown: (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        event.stopPropagation();
        choose((chosen + step + panels.length) % panels.length);
        heads[chosen].focus();
      },
    },
    ...heads,
  );
  show.addEventListener("picture", () => panels[chosen].show());
  choose(0);
  return element("section.ways", { "aria-label": "Ways on from this picture" }, list, ...bodies);
}

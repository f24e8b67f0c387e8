// The front page of several models.

import { element } from "../dom.js";

/** @param {{ name: string, title?: string, sentence?: string, cover?: string }[]} models */
export function front(models) {
  return element(
    "section.front",
    { "aria-label": "Generators" },
    ...models.map((model) => {
      const title = model.title ?? model.name;
      return element(
        "a.model",
        { href: `#model=${encodeURIComponent(model.name)}` },
        model.cover
          ? element("img", {
              src: new URL(model.cover, document.baseURI).href,
              alt: "",
              loading: "lazy",
            })
          : element("span.initial.serif", { "aria-hidden": "true" }, title[0]),
        element("h2", {}, title),
        model.sentence && element("p.note", {}, model.sentence),
      );
    }),
  );
}

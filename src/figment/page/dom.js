// Elements in one call each.

/**
 * Returns a new element. Properties that start with "on" are listeners, those with a dash attributes, the
 * others are set as they are.
 * @param {string} tag its name, and classes after dots: "div.tray.small"
 * @param {Record<string, any>} [properties]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {any}
 */
export function element(tag, properties = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const made = document.createElement(name);
  if (classes.length) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key.includes("-") || key === "role" || key === "for") made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(
    ...children.filter((child) => child !== null && child !== undefined && child !== false),
  );
  return made;
}

/**
 * Returns a labelled slider with its value beside it; `said` makes words of the value.
 * @param {{label: string, min: number, max: number, step: number, value: number,
 *   said?: (value: number) => string, oninput: (value: number) => void}} options
 */
export function slider({ label, min, max, step, value, said = String, oninput }) {
  const output = element("output", {}, said(value));
  const input = element("input", { type: "range", min, max, step, value });
  const show = () => {
    output.textContent = said(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", () => {
    show();
    oninput(Number(input.value));
  });
  const row = element("label.slider", {}, element("span", {}, label), input, output);
  row.set = (changed) => {
    input.value = changed;
    show();
  };
  show();
  return row;
}

/** Returns a button. */
export function button(words, onclick, properties = {}) {
  return element("button", { type: "button", onclick, ...properties }, words);
}

/** Has the browser save bytes under a name. */
export function download(blob, name) {
  const address = URL.createObjectURL(blob);
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

let over = 0;

/** Says a sentence to all who see or listen; once the page is ready it goes after a while. */
export function say(words) {
  const status = document.getElementById("status");
  status.textContent = words;
  clearTimeout(over);
  over = setTimeout(() => {
    if (document.documentElement.dataset.state === "ready") status.textContent = "";
  }, 4000);
}

/** Says a sentence to those who listen: what others see. */
export function tell(words) {
  document.getElementById("heard").textContent = words;
}

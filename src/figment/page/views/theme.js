// The switch between light and dark, for those whose system says the other.

import { button } from "../dom.js";

const KEY = "figment theme";

/** Returns the switch. One media rule of palette.css holds the dark colours: it is turned on or off. */
export function themeSwitch() {
  const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]);
  const dark = rules.find((rule) => rule.media?.mediaText.includes("prefers-color-scheme: dark"));
  let on = kept() ?? matchMedia("(prefers-color-scheme: dark)").matches;
  const turn = button(
    "",
    () => {
      on = !on;
      keep(on);
      apply();
    },
    { className: "quiet theme" },
  );

  function apply() {
    dark.media.mediaText = on ? "all" : "not all";
    turn.textContent = on ? "Light" : "Dark";
  }

  turn.textContent = on ? "Light" : "Dark";
  if (kept() !== null) apply();
  return turn;
}

function kept() {
  try {
    const found = localStorage.getItem(KEY);
    return found === null ? null : found === "dark";
  } catch {
    return null;
  }
}

function keep(dark) {
  try {
    localStorage.setItem(KEY, dark ? "dark" : "light");
  } catch {
    // A browser that keeps nothing has it until the page is closed.
  }
}

// Keys: space and the right arrow show the next picture, the left arrow goes back.

const FIELDS = "input, select, textarea, [role=tablist]";
const BUTTONS = "button:not(#next), a, summary, label, .sideways";

/** What has the focus because a pointer pressed it; space was not meant for that. */
let pressed = null;

/**
 * Follows the keys, unless they mean something where the focus is.
 * @param {() => import("./show.js").Show | null} showNow
 */
export function followKeys(showNow) {
  addEventListener("pointerdown", ({ target }) => {
    pressed = target.closest("button, a, summary");
  });
  addEventListener("focusin", ({ target }) => {
    if (target !== pressed) pressed = null; // somebody went there by keys
  });
  addEventListener("keydown", (event) => {
    if (!showNow() || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.defaultPrevented || event.target.closest(FIELDS)) return;
    if (event.key === " ") space(event);
    else if (event.key === "ArrowRight") next(event);
    else if (event.key === "ArrowLeft") history.back();
  });
}

/** Space presses the button that somebody went to by keys, and else shows the next picture. */
function space(event) {
  const button = event.target.closest(BUTTONS);
  if (button && button !== pressed) return;
  button?.blur(); // Firefox presses it when the key comes up, though its going down was taken
  pressed = null;
  next(event);
}

function next(event) {
  event.preventDefault();
  document.getElementById("next").click();
}

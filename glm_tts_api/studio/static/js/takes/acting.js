// A button that takes its time.

import { announce, h } from "../dom.js";
import { sayError } from "../errors.js";

const SAID_MS = 2500;

/**
 * While `act` is at work a press does nothing; what that returns, or what went wrong, the button says for a moment.
 * It stays enabled, for a disabled one would lose the focus.
 */
export function createActing(props, act) {
  let busy = false;
  const button = h("button", { type: "button", ...props });
  button.addEventListener("click", async () => {
    if (busy) return;
    busy = true;
    button.setAttribute("aria-busy", true);
    const said = await act().catch(sayError);
    button.removeAttribute("aria-busy");
    if (said) await sayFor(button, said);
    busy = false;
  });
  return button;
}

async function sayFor(button, words) {
  const before = [...button.childNodes];
  announce(words);
  button.replaceChildren(words);
  await new Promise((resolve) => setTimeout(resolve, SAID_MS));
  button.replaceChildren(...before);
}

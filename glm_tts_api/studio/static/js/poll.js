// Asking the server now and again.

/**
 * Calls `ask()` now and again, each time after as many milliseconds as its last answer says, and never while the
 * page is hidden. Returns a function that has it asked at once, and resolves when it was.
 */
export function poll(ask) {
  let timer = null;
  let asking = null; // a promise
  let again = false;

  async function round() {
    clearTimeout(timer);
    let delay;
    do {
      again = false;
      delay = await ask();
    } while (again);
    asking = null;
    timer = setTimeout(askNow, delay);
  }

  async function askNow() {
    if (document.hidden) return;
    if (asking) again = true;
    else asking = round();
    await asking;
  }

  document.addEventListener("visibilitychange", askNow);
  askNow();
  return askNow;
}

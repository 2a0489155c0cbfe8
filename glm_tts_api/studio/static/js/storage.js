// Where the browser keeps a few words for the page: for good, and until the tab is closed.

export const local = storage("localStorage");
export const session = storage("sessionStorage");

/** A browser may refuse it, as it does when it blocks all cookies: then it lasts as long as the page. */
function storage(name) {
  try {
    return window[name] ?? inMemory();
  } catch {
    return inMemory();
  }
}

function inMemory() {
  const items = new Map();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => items.set(key, value),
    removeItem: (key) => items.delete(key),
  };
}

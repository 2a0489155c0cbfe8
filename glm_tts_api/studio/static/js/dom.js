// Making and finding elements. Data becomes text nodes and attributes, never HTML.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

/**
 * An element: `props` are properties where it has them, else attributes; `on` its listeners, `style` an object.
 * Children may be nodes, strings, or null for none.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  const { on = {}, style = {}, class: className = "", ...others } = props;
  if (className) element.className = className;
  for (const [name, listener] of Object.entries(on)) element.addEventListener(name, listener);
  for (const [name, value] of Object.entries(style)) element.style.setProperty(name, value);
  for (const [name, value] of Object.entries(others)) setProp(element, name, value);
  element.append(
    ...children.flat().filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

function setProp(element, name, value) {
  if (value === null || value === undefined) return;
  if (name in element && !name.startsWith("aria")) element[name] = value;
  else element.setAttribute(name, value);
}

/** One of the drawings at the end of index.html. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(SVG, "use"));
  svg.firstChild.setAttribute("href", `#icon-${name}`);
  return svg;
}

/** To be awaited before elements are shown that css/`name`.css is for, which the page does not open with. */
export function needStyle(name) {
  const href = `studio/css/${name}.css`;
  if (document.querySelector(`link[href="${href}"]`)) return null;
  const link = h("link", { rel: "stylesheet", href });
  document.head.append(link);
  return new Promise((resolve) => (link.onload = link.onerror = resolve));
}

/** Says it to those who listen to the page rather than look at it. */
export function announce(words) {
  byId("announcer").textContent = words;
}

/** 32 hexadecimal digits; crypto.randomUUID exists over https and on localhost alone. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Plays it; that it is paused before it has begun is no fault. */
export async function play(audio) {
  await audio.play().catch((error) => {
    if (error.name !== "AbortError") throw error;
  });
}

/** Calls `fn` once it has not been asked for during `waitMs`. */
export function debounce(fn, waitMs) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(fn, waitMs, ...args);
  };
}

/** 75.4 seconds as 1:15. */
export function clockTime(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

// Two takes side by side: one is heard, and a key changes over to the other at the same part of the text.

import { announce, clockTime, h, icon, play } from "../dom.js";
import { onLanguage, t } from "../i18n.js";

const SIDES = ["a", "b"];
const KEY = "x";

/**
 * @param onChange called when another take stands on a side, or none
 * @param onPlay called when it begins to sound
 */
export function createCompare({ onChange, onPlay }) {
  const sides = { a: createSide(), b: createSide() };
  let heard = "a";
  const toggle = h("button", { type: "button", class: "button round", on: { click: playOrPause } });
  const buttons = SIDES.map((side) => h("button", { type: "button", on: { click: () => hear(side) } }));
  const seek = h("input", { type: "range", min: 0, max: 1, step: "any", value: 0, class: "compare-seek" });
  const clock = h("output", { class: "clock" });
  const hint = h("p", { class: "hint" });
  const close = h(
    "button",
    { type: "button", class: "button small quiet icon-only", on: { click: clear } },
    icon("close"),
  );
  const group = h("div", { class: "segmented compare-sides", role: "group" }, buttons);
  const element = h(
    "section",
    { class: "card compare", hidden: true },
    h("div", { class: "compare-row" }, toggle, group, clock, close),
    seek,
    hint,
  );

  seek.addEventListener("input", () => move(seek.valueAsNumber));
  for (const side of SIDES) {
    const { audio } = sides[side];
    audio.addEventListener("play", onPlay);
    audio.addEventListener("timeupdate", () => side === heard && showPlace());
    for (const event of ["play", "pause", "ended"]) audio.addEventListener(event, showPlay);
  }
  onLanguage(show);

  /** Puts a take on a side; the same once more takes it off. */
  function choose(side, take) {
    const off = sides[side].take?.id === take.id;
    sides[side].load(off ? null : take);
    show();
    onChange();
  }

  function clear() {
    for (const side of SIDES) sides[side].load(null);
    show();
    onChange();
  }

  /** A take that is gone stands on no side. */
  function forget(id) {
    for (const side of SIDES) if (sides[side].take?.id === id) sides[side].load(null);
    show();
  }

  function playOrPause() {
    const { audio } = sides[heard];
    if (audio.paused) play(audio);
    else audio.pause();
  }

  function pause() {
    sides[heard].audio.pause();
  }

  function hear(side) {
    if (side === heard || element.hidden) return;
    const [from, to] = [sides[heard], sides[side]];
    const plays = !from.audio.paused;
    to.place = from.place;
    from.audio.pause();
    heard = side;
    if (plays) play(to.audio);
    show();
    announce(t("takes.hears", { side: side.toUpperCase(), ...to.take.options, voice: to.take.voice }));
  }

  function move(place) {
    sides[heard].place = place;
    showPlace();
  }

  /** Whether the key was the one that changes over. */
  function pressed(event) {
    if (event.key.toLowerCase() !== KEY || event.ctrlKey || event.metaKey || event.altKey || element.hidden)
      return;
    event.preventDefault();
    hear(heard === "a" ? "b" : "a");
  }

  function show() {
    element.hidden = !SIDES.every((side) => sides[side].take);
    if (element.hidden) {
      for (const side of SIDES) sides[side].audio.pause();
      return;
    }
    SIDES.forEach((side, i) => {
      const { voice, options } = sides[side].take;
      buttons[i].textContent = t("takes.side", { side: side.toUpperCase(), voice, seed: options.seed });
      buttons[i].setAttribute("aria-pressed", side === heard);
    });
    group.setAttribute("aria-label", t("takes.compare"));
    seek.setAttribute("aria-label", t("takes.seek"));
    close.title = t("takes.endCompare");
    close.setAttribute("aria-label", close.title);
    hint.textContent = t("takes.compare.hint", { key: KEY.toUpperCase() });
    showPlay();
    showPlace();
  }

  function showPlay() {
    const { paused } = sides[heard].audio;
    toggle.replaceChildren(icon(paused ? "play" : "pause"));
    toggle.setAttribute("aria-label", t(paused ? "player.play" : "player.pause"));
  }

  function showPlace() {
    const side = sides[heard];
    seek.value = side.place;
    clock.textContent = `${clockTime(side.audio.currentTime)} / ${clockTime(side.take.seconds)}`;
  }

  return { element, choose, forget, pause, pressed, on: (side, id) => sides[side].take?.id === id };
}

/** A take and its sound; `place` is where it is, from 0 to 1. */
function createSide() {
  const audio = new Audio();
  return {
    audio,
    take: null,
    load(take) {
      if (this.take) URL.revokeObjectURL(audio.src);
      this.take = take;
      if (take) audio.src = URL.createObjectURL(take.audio);
      else audio.removeAttribute("src");
    },
    get place() {
      return Math.min(audio.currentTime / this.take.seconds, 1);
    },
    set place(place) {
      audio.currentTime = place * this.take.seconds;
    },
  };
}

// One take of the history.

import { h, icon } from "../dom.js";
import { duration, getLanguage, t } from "../i18n.js";
import { GOING } from "../store.js";
import { createMore } from "./more.js";
import { speakersOf } from "../voices/moods.js";

const SHOWN_CHARS = 200; // of its one line
const SIDES = ["a", "b"];

/**
 * `actions`: play(take), again(take, {seed} or {voice}), compare(side, take), isOn(side, id), remove(take).
 * `show` writes the row anew, for another language, voice or comparison; `showState` what changes while one listens.
 */
export function createRow(take, { store, api }, actions) {
  const play = h("button", {
    type: "button",
    class: "button icon-only quiet",
    on: { click: () => actions.play(take) },
  });
  const facts = h("p", { class: "hint ellipsis" });
  const seed = h("button", {
    type: "button",
    class: "button small",
    on: { click: () => actions.again(take, {}) },
  });
  const voice = h("button", { type: "button", class: "button small", on: { click: inOtherVoice } });
  const sides = SIDES.map((side) =>
    h("button", { type: "button", on: { click: () => actions.compare(side, take) } }, side.toUpperCase()),
  );
  const more = createMore(take, { api, store }, () => actions.remove(take));
  const what = h(
    "div",
    { class: "take-what" },
    h("p", { class: "ellipsis", title: take.text }, take.text.slice(0, SHOWN_CHARS)),
    facts,
  );
  const group = h("div", { class: "segmented", role: "group" }, sides);
  const buttons = h("div", { class: "take-do" }, seed, voice, group, more.button);
  const element = h("li", { class: "take" }, play, what, buttons, more.panel);

  function next() {
    return otherVoice(take, store.get().voice, speakersOf(store.get().voices));
  }

  function inOtherVoice() {
    actions.again(take, { voice: next() });
  }

  function show() {
    facts.textContent = factsOf(take);
    seed.textContent = t("takes.otherSeed");
    voice.hidden = next() === null;
    voice.textContent = t("takes.inVoice", { voice: next() });
    group.setAttribute("aria-label", t("takes.compare"));
    SIDES.forEach((side, i) => {
      sides[i].setAttribute("aria-pressed", actions.isOn(side, take.id));
      sides[i].setAttribute("aria-label", t("takes.toSide", { side: side.toUpperCase() }));
    });
    more.show();
    showState();
  }

  function showState() {
    const { playing, take: shown, speaking } = store.get();
    const sounds = playing && shown?.id === take.id;
    play.replaceChildren(icon(sounds ? "pause" : "play"));
    play.setAttribute(
      "aria-label",
      t(sounds ? "player.pause" : "takes.playTake", { text: take.text.slice(0, 60) }),
    );
    seed.disabled = voice.disabled = GOING.includes(speaking.state);
  }

  show();
  return { element, show, showState };
}

function factsOf({ voice, options, seconds, createdAt, complete }) {
  const facts = [voice, t("takes.seed", { seed: options.seed })];
  if (options.speed !== 1) facts.push(`${options.speed}×`);
  if (!complete) facts.push(t("takes.stopped"));
  return [...facts, duration(seconds, 1), when(createdAt)].join(" · ");
}

/** The time, and before today the day. */
function when(ms) {
  const date = new Date(ms);
  const isToday = date.toDateString() === new Date().toDateString();
  const format = isToday ? { timeStyle: "short" } : { dateStyle: "short", timeStyle: "short" };
  return date.toLocaleString(getLanguage(), format);
}

/** In which voice a take is made again: the one that is chosen now, or else the next one of the list. */
export function otherVoice(take, chosen, voices) {
  const others = voices.filter((voice) => voice !== take.voice);
  if (others.includes(chosen)) return chosen;
  return others.find((voice) => voices.indexOf(voice) > voices.indexOf(take.voice)) ?? others[0] ?? null;
}

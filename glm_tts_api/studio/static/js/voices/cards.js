// The list of voices: one is chosen, each can be heard.

import { clockTime, h, icon } from "../dom.js";
import { sayError, t } from "../i18n.js";
import { hush, listen, secondsOf } from "./listening.js";
import { toast } from "./toast.js";

/** `onChoose` gets a voice's name, `onEdit` the voice as the server lists it; `onPlay` is called as one is heard. */
export function createCards({ api, onChoose, onEdit, onPlay }) {
  const element = h("div", { class: "voice-list", role: "radiogroup", "aria-labelledby": "voices-title" });
  const observer = new IntersectionObserver(onSeen, { rootMargin: "64px" });
  let recordings = new Map(); // by name: fetched once, until the list is shown anew

  function recordingOf(index) {
    if (!recordings.has(index)) recordings.set(index, api.voices.audio(index));
    return recordings.get(index);
  }

  async function onSeen(entries) {
    for (const { target: card } of entries.filter(({ isIntersecting }) => isIntersecting)) {
      observer.unobserve(card);
      const blob = await recordingOf(card.dataset.index).catch(() => null); // told when it is to be heard
      const seconds = blob && (await secondsOf(blob));
      if (seconds) card.querySelector(".voice-seconds").textContent = clockTime(Math.round(seconds));
    }
  }

  async function play({ index }, button) {
    if (button.hasAttribute("data-playing")) return hush();
    try {
      const blob = await recordingOf(index);
      onPlay();
      listen(blob, { onEnd: () => showPlaying(button, index, false) });
      showPlaying(button, index, true);
    } catch (error) {
      recordings.delete(index);
      toast(sayError(error));
    }
  }

  function show(voices, chosen) {
    hush();
    observer.disconnect();
    recordings = new Map();
    const cards = (voices ?? []).map((voice) => cardOf(voice, { onChoose, onEdit, onPlay: play }));
    const none = voices?.length === 0 ? [h("p", { class: "hint" }, t("voices.none"))] : [];
    const hadFocus = element.contains(document.activeElement);
    element.replaceChildren(...none, ...cards);
    element.setAttribute("aria-busy", voices === null);
    for (const card of cards) observer.observe(card);
    choose(chosen);
    if (hadFocus) element.querySelector("input:checked")?.focus({ preventScroll: true });
  }

  function choose(index) {
    for (const radio of element.querySelectorAll("input")) radio.checked = radio.value === index;
    const card = element.querySelector(".voice:has(:checked)");
    if (card) element.scrollTop = scrolledTo(card, element);
  }

  return { element, show, choose };
}

/** How far the list is to be scrolled to show the card; the page stays where it is. */
function scrolledTo({ offsetTop, offsetHeight }, { scrollTop, clientHeight }) {
  return Math.min(offsetTop, Math.max(scrollTop, offsetTop + offsetHeight - clientHeight));
}

function cardOf(voice, { onChoose, onEdit, onPlay }) {
  const { index, prompt_text: transcript } = voice;
  const on = { change: () => onChoose(index) };
  const radio = h("input", { type: "radio", name: "voice", value: index, class: "visually-hidden", on });
  const play = iconButton((event) => onPlay(voice, event.currentTarget));
  showPlaying(play, index, false);
  const edit = iconButton(() => onEdit(voice));
  label(edit, t("voices.edit", { index }), "edit");
  return h(
    "div",
    { class: "voice", "data-index": index },
    h(
      "label",
      { class: "voice-choice" },
      radio,
      h("span", { class: "voice-name" }, index),
      h("span", { class: "voice-seconds" }),
      h("span", { class: "voice-text ellipsis", title: transcript }, transcript),
    ),
    play,
    edit,
  );
}

function iconButton(click) {
  return h("button", { type: "button", class: "button quiet small icon-only", on: { click } });
}

function label(button, words, iconName) {
  button.title = words;
  button.setAttribute("aria-label", words);
  button.replaceChildren(icon(iconName));
}

function showPlaying(button, index, isPlaying) {
  button.toggleAttribute("data-playing", isPlaying);
  label(button, t(isPlaying ? "voices.stop" : "voices.play", { index }), isPlaying ? "stop" : "play");
}

// The list of voices: one is chosen, each can be heard.

import { clockTime, h, icon } from "../dom.js";
import { sayError, t } from "../i18n.js";
import { hush, listen, pressed, secondsOf } from "./listening.js";
import { voiceOf } from "./moods.js";
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

  async function play(voice, button, kind) {
    const { index } = voice;
    if (button.hasAttribute("data-playing")) return hush();
    const name = speakerOf(button.closest(".voice"));
    button.disabled = true;
    const audio = pressed();
    try {
      const { spoken } = kind === "say" && (await import("./notes.js")); // now and then
      const blob = await (spoken ? spoken(api, voice, name) : recordingOf(name));
      onPlay();
      listen(blob, { audio, onEnd: () => showPlaying(button, kind, index, false) });
      showPlaying(button, kind, index, true);
    } catch (error) {
      recordings.delete(name);
      toast(sayError(error));
    } finally {
      button.disabled = false;
    }
  }

  /** `notes`: the module of what a card says of its voice beside its words, where there is any. */
  function show(voices, chosen, notes = null) {
    hush();
    observer.disconnect();
    recordings = new Map();
    const cards = (voices ?? []).map((voice) => cardOf(voice, notes, { onChoose, onEdit, onPlay: play }));
    const none = voices?.length === 0 ? [h("p", { class: "hint" }, t("voices.none"))] : [];
    const hadFocus = element.contains(document.activeElement);
    element.replaceChildren(...none, ...cards);
    element.setAttribute("aria-busy", voices === null);
    for (const card of cards) observer.observe(card);
    choose(chosen);
    if (hadFocus) element.querySelector("input:checked")?.focus({ preventScroll: true });
  }

  /** `name`: of a voice, perhaps in a mood. */
  function choose(name) {
    for (const radio of element.querySelectorAll("input")) radio.checked = radio.value === voiceOf(name);
    for (const mood of element.querySelectorAll("[data-speaker]")) {
      mood.setAttribute("aria-pressed", mood.dataset.speaker === name);
    }
    const card = element.querySelector(".voice:has(:checked)");
    if (card) element.scrollTop = scrolledTo(card, element);
  }

  return { element, show, choose };
}

/** How far the list is to be scrolled to show the card; the page stays where it is. */
function scrolledTo({ offsetTop, offsetHeight }, { scrollTop, clientHeight }) {
  return Math.min(offsetTop, Math.max(scrollTop, offsetTop + offsetHeight - clientHeight));
}

function cardOf(voice, notes, { onChoose, onEdit, onPlay }) {
  const { index, prompt_text: transcript } = voice;
  const on = { change: () => onChoose(index) };
  const radio = h("input", { type: "radio", name: "voice", value: index, class: "visually-hidden", on });
  const [play, say] = ["play", "say"].map((kind) => {
    const button = iconButton((event) => onPlay(voice, event.currentTarget, kind));
    showPlaying(button, kind, index, false);
    return button;
  });
  const said = notes?.notesOf(voice);
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
      said && h("span", { class: "voice-text ellipsis", title: said }, said),
    ),
    play,
    say,
    edit,
    notes?.moodRow(voice, onChoose),
  );
}

/** What is to be heard of a card: its voice in the mood that is chosen. */
const speakerOf = (card) =>
  card.querySelector("[data-speaker][aria-pressed=true]")?.dataset.speaker ?? card.dataset.index;

function iconButton(click) {
  return h("button", { type: "button", class: "button quiet small icon-only", on: { click } });
}

function label(button, words, iconName) {
  button.title = words;
  button.setAttribute("aria-label", words);
  button.replaceChildren(icon(iconName));
}

function showPlaying(button, kind, index, isPlaying) {
  const act = isPlaying ? "stop" : kind;
  button.toggleAttribute("data-playing", isPlaying);
  label(button, t(`voices.${act}`, { index }), act);
}

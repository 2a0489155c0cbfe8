// A new voice: a recording is made or chosen, looked at, and saved.

import { h, icon } from "../dom.js";
import { getLanguage, t } from "../i18n.js";
import { createCheck } from "./check.js";
import { ask, foot, textButton, troubleLine } from "./dialog.js";
import { createRecord, hasMicrophone } from "./record.js";
import { mixed } from "./samples.js";

const MOST_BYTES = 20 * 2 ** 20; // decoded, an hour of mp3 would fill the memory
const DECODED_RATE = 48000;

// What to read aloud: each some six seconds long, with many of its language's sounds.
const SENTENCES = {
  zh: [
    "清晨的阳光照进厨房，我泡了一壶热茶，慢慢翻开昨晚没有读完的那本书。",
    "周末我们坐火车去了海边，孩子们在沙滩上追着浪花跑，笑声传得很远。",
    "请把窗户打开一点，雨已经停了，空气里有青草和泥土的味道。",
  ],
  en: [
    "The early train was almost empty, so I took a seat by the window and watched the quiet fields go by.",
    "She poured two cups of coffee, opened the garden door, and asked me how the journey had been.",
    "After the rain stopped, the whole street smelled of fresh bread, wet leaves and a little smoke.",
  ],
};

/** Resolves to the new voice's name once the server has it, or to null. `names`: those that are taken. */
export function openAdd({ api, names }) {
  const room = h("div");
  let step = null;

  function enter(next) {
    step?.close();
    step = next;
    room.replaceChildren(step.element);
    step.element.querySelector("[autofocus]")?.focus();
  }

  function build(answer) {
    const begin = () => enter(createSource({ onRecording: look, onLeave: () => answer(null) }));
    const look = (recording) =>
      enter(createCheck({ api, names, recording, onSaved: answer, onAgain: begin }));
    begin();
    return [room];
  }

  return ask(t("voices.newTitle"), build, { onClosed: () => step.close() });
}

/** Where it comes from: the microphone, or a file. `onRecording` gets {samples, sampleRate, transcript, name}. */
function createSource({ onRecording, onLeave }) {
  const trouble = troubleLine();
  const prompt = createPrompt();
  const record = createRecord({
    onRecording: (sound) => onRecording({ ...sound, transcript: prompt.sentence(), name: "my-voice" }),
    onTrouble: trouble.say,
  });

  async function take(file) {
    if (!file) return;
    trouble.say("");
    try {
      onRecording({ ...(await decoded(file)), transcript: "", name: file.name.replace(/\.[^.]*$/, "") });
    } catch {
      trouble.say(t("voices.notAudio", { name: file.name }));
    }
  }

  const noMicrophone = hasMicrophone() ? null : h("p", { class: "hint" }, t("voices.noMicrophone"));
  const element = h(
    "div",
    { class: "voice-form", on: dropping(take) },
    h("p", { class: "hint" }, t("voices.newHint")),
    h("div", { class: "card" }, prompt.element, record.element, noMicrophone),
    trouble.element,
    foot(filePicker(take), null, textButton("button quiet", "voices.cancel", onLeave)),
  );
  return { element, close: record.close };
}

function filePicker(take) {
  const input = h("input", {
    type: "file",
    class: "visually-hidden",
    on: { change: () => take(input.files[0]) },
  });
  input.accept = "audio/*,.wav,.mp3,.flac,.ogg,.opus,.m4a,.aac,.webm";
  return h("label", { class: "button file-button" }, input, icon("upload"), t("voices.upload"));
}

function dropping(take) {
  return {
    dragover: (event) => event.preventDefault(),
    drop(event) {
      event.preventDefault();
      take(event.dataTransfer.files[0]);
    },
  };
}

/** A file's sound as one channel. Throws if it is too large, or if the browser cannot read it. */
async function decoded(file) {
  if (file.size > MOST_BYTES) throw new RangeError("too large");
  const context = new OfflineAudioContext(1, 1, DECODED_RATE);
  const buffer = await context.decodeAudioData(await file.arrayBuffer());
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, i) => buffer.getChannelData(i));
  return { samples: mixed(channels), sampleRate: buffer.sampleRate };
}

/** What is to be read aloud, in either language, and another in its place. */
function createPrompt() {
  let language = getLanguage();
  let turn = 0;
  const words = h("p", { class: "prompt-words" });
  const choices = ["zh", "en"].map((code) => {
    const on = { click: () => show(code, turn) };
    return h("button", { type: "button", lang: code, on }, t(`voices.in.${code}`));
  });

  function show(nextLanguage, nextTurn) {
    [language, turn] = [nextLanguage, nextTurn];
    words.textContent = sentence(language, turn);
    words.lang = language;
    for (const choice of choices) choice.setAttribute("aria-pressed", choice.lang === language);
  }

  show(language, turn);
  const head = h(
    "div",
    { class: "prompt-head" },
    h("h3", {}, t("voices.readAloud")),
    h("div", { class: "segmented", role: "group", "aria-label": t("voices.promptLanguage") }, choices),
    textButton("button quiet small", "voices.another", () => show(language, turn + 1)),
  );
  return { element: h("div", { class: "prompt" }, head, words), sentence: () => sentence(language, turn) };
}

/** The sentence number `turn` in `language` (zh or en); they come round. */
function sentence(language, turn) {
  const all = SENTENCES[language];
  return all[turn % all.length];
}

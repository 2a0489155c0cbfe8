// A new voice: a recording is made or chosen, looked at, and saved.

import { h, icon, needStyle } from "../dom.js";
import { getLanguage, needTexts, sayError, t } from "../i18n.js";
import { createCheck } from "./check.js";
import { ask, foot, textButton, troubleLine } from "./dialog.js";
import { inMood, moodsOf } from "./moods.js";
import { createRecord, hasMicrophone } from "./record.js";
import { mixed } from "./samples.js";
import { toast } from "./toast.js";

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

const isArchive = ({ name, type }) => name.endsWith(".zip") || type === "application/zip";

/** A new voice; where `index` names a voice, moods of that, one after the other until the person has had enough. */
export async function addVoices({ api, store, load, index }) {
  const styles = [needStyle("recording"), needStyle("edit_voice")];
  await Promise.all([needTexts("new_voice"), needTexts("voice_notes"), ...styles]);
  for (;;) {
    const voices = store.get().voices ?? [];
    const voice = voices.find((each) => each.index === index) ?? null;
    const names = voice ? moodsOf(voice) : voices.map((each) => each.index);
    const name = await openAdd({ api, names, voice });
    if (!name) return;
    if (name.brought) return showBrought(name.brought, load);
    const speaker = voice ? inMood(index, name) : name;
    await load(speaker);
    if (store.get().voice === speaker) toast(t("voices.added", { index: speaker }));
    if (!voice) return;
  }
}

/** Voices that came as a file: the first of those that are there now speaks. */
async function showBrought(prompts, load) {
  const there = prompts.filter(({ result }) => result !== "taken");
  await load(there[0]?.index);
  const named = (result) => prompts.filter((each) => each.result === result).map(({ index }) => index);
  const said = ["added", "there", "taken"].filter((result) => named(result).length);
  toast(said.map((result) => t(`voices.brought.${result}`, { names: named(result).join(", ") })).join(" "));
}

/**
 * Resolves to the name of the new voice once the server has it, or to null; where `voice` is given, to the name of a
 * new mood of it; or to { brought } where voices came as a file. `names`: those that are taken.
 */
function openAdd({ api, names, voice = null }) {
  const room = h("div");
  let step = null;

  function enter(next) {
    step?.close();
    step = next;
    room.replaceChildren(step.element);
    step.element.querySelector("[autofocus]")?.focus();
  }

  function build(answer) {
    const onLeave = () => answer(null);
    const bring = async (archive) => answer({ brought: await api.voices.bring(archive) });
    const begin = () => enter(createSource({ mood, bring, onRecording: look, onLeave }));
    const look = (recording) => enter(createCheck({ ...told, recording, onSaved: answer, onAgain: begin }));
    begin();
    return [room];
  }

  const mood = voice && nextMood(names);
  const fullName = (name) => (voice ? inMood(voice.index, name) : name);
  const nameLabel = t(voice ? "voices.mood" : "voices.name");
  const told = { api, names, nameLabel, fullName, hasNotes: !voice };
  const title = voice ? t("voices.newMood", { index: voice.index }) : t("voices.new");
  return ask(title, build, { onClosed: () => step.close() });
}

/** The first that is usual and not there yet, else the last of the usual ones. */
function nextMood(names) {
  const usual = t("voices.someMoods").split(" ");
  return usual.find((mood) => !names.includes(mood)) ?? usual.at(-1);
}

/**
 * Where it comes from: the microphone, or a file. `onRecording` gets {samples, sampleRate, transcript, name}, `bring` a
 * file of voices. `mood`: the one that is likely, if it is to be of one.
 */
function createSource({ mood, bring, onRecording, onLeave }) {
  const trouble = troubleLine();
  const prompt = createPrompt();
  const record = createRecord({
    onRecording: (sound) =>
      onRecording({ ...sound, transcript: prompt.sentence(), name: mood ?? "my-voice" }),
    onTrouble: trouble.say,
  });

  async function take(file) {
    if (!file) return;
    trouble.say("");
    if (isArchive(file)) return bring(file).catch((error) => trouble.say(sayError(error)));
    try {
      const name = mood ?? file.name.replace(/\.[^.]*$/, "");
      onRecording({ ...(await decoded(file)), transcript: "", name });
    } catch {
      trouble.say(t("voices.notAudio", { name: file.name }));
    }
  }

  const noMicrophone = hasMicrophone() ? null : h("p", { class: "hint" }, t("voices.noMicrophone"));
  const element = h(
    "div",
    { class: "voice-form", on: dropping(take) },
    h("p", { class: "hint" }, mood ? t("voices.moodHint", { mood }) : t("voices.newHint")),
    h("div", { class: "card" }, prompt.element, record.element, noMicrophone),
    trouble.element,
    h("p", { class: "hint" }, t("voices.fileHint")),
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
  input.accept = "audio/*,.wav,.mp3,.flac,.ogg,.opus,.m4a,.aac,.webm,.zip";
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

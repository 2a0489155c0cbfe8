// Where a new voice's recording comes from: the microphone, or a file.

import { h, icon } from "../dom.js";
import { t } from "../i18n.js";
import { foot, textButton, troubleLine } from "./dialog.js";
import { createPrompt } from "./prompt.js";
import { createRecord } from "./record.js";
import { hasMicrophone } from "./recorder.js";
import { mixed } from "./samples.js";

const MOST_BYTES = 20 * 2 ** 20; // decoded, an hour of mp3 would fill the memory
const DECODED_RATE = 48000;

/** `onRecording` gets {samples, sampleRate, transcript, name}. */
export function createSource({ onRecording, onLeave }) {
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

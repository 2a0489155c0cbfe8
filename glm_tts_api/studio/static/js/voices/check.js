// A recording before it is saved: trimmed, judged, given its words and its name.

import { debounce, h, icon } from "../dom.js";
import { sayError, t } from "../i18n.js";
import { wavBlob } from "../sound/pcm.js";
import { foot, textButton, troubleLine } from "./dialog.js";
import { LIMITS, bestRange, judge } from "./judge.js";
import { hush, listen } from "./listening.js";
import { createNoteFields } from "./note_fields.js";
import { cut, toPcm16 } from "./samples.js";
import { createTrim } from "./trim.js";

const JUDGE_AFTER_MS = 150;
const ASK_AFTER_MS = 700;
const MOST_NAME = 64; // characters, as the server takes them

/**
 * `recording`: {samples, sampleRate, transcript, name}. `onSaved` gets the voice's name once the server has it;
 * `onAgain` is called if the person wants another recording. `fullName`: of what is saved, by the name that the
 * person gives it. `hasNotes`: a new voice may be described; a mood of one is not.
 */
export function createCheck({ api, names, nameLabel, fullName, hasNotes, recording, onSaved, onAgain }) {
  const trouble = troubleLine();
  const verdict = h("ul", { class: "verdict", "aria-live": "polite" });
  const words = recording.transcript;
  const transcript = h("textarea", { rows: 3, required: true, value: words, autofocus: !words });
  const name = nameField(freeName(recording.name, names));
  const notes = hasNotes && createNoteFields({});
  const save = h("button", { class: "button primary" }, t("voices.saveNew"));
  const judgeSoon = debounce(showVerdict, JUDGE_AFTER_MS);
  const askSoon = debounce(askServer, ASK_AFTER_MS);
  let asked = 0;
  let writtenDown = null;
  const cutting = createCutting(recording, { onChange: judgeSoon, onAgain });
  transcript.addEventListener("input", judgeSoon);
  showVerdict();

  function showVerdict() {
    const { samples, sampleRate } = cutting.kept();
    const findings = judge(samples, sampleRate, transcript.value);
    save.disabled = findings.some(({ isBad }) => isBad);
    asked++; // an answer that is still to come is about what was there before
    verdict.replaceChildren(...(findings.length ? findings.map(findingLine) : [nothingFound("mic")]));
    if (findings.every(({ code }) => code === "noTranscript")) askSoon();
  }

  /**
   * Whether the words are those of the recording, the server's recogniser alone hears. It also writes down words
   * that are missing; the person then judges them.
   */
  async function askServer() {
    const turn = ++asked;
    const promptText = transcript.value;
    const sent = { promptText, audio: wavOf(cutting.kept()) };
    const { checks, heard } = await api.voices.check(sent).catch(() => ({ checks: [] }));
    if (turn !== asked) return;
    if (!promptText.trim()) return heard && writeDown(heard);
    const doubts = checks.filter(({ status }) => status !== "ok");
    const fits = checks.some(({ name, status }) => name === "words" && status === "ok");
    if (doubts.length) verdict.replaceChildren(...doubts.map(doubtLine));
    else if (promptText === writtenDown)
      verdict.replaceChildren(lineOf("is-doubtful", t("judge.writtenDown")));
    else if (fits) verdict.replaceChildren(nothingFound("check", "is-good", t("judge.wordsFit")));
    else verdict.replaceChildren(nothingFound("mic", "", t("judge.wordsNotChecked")));
  }

  function writeDown(heard) {
    writtenDown = heard;
    transcript.value = heard;
    showVerdict();
  }

  async function onSubmit(event) {
    event.preventDefault();
    save.disabled = true;
    trouble.say("");
    try {
      const audio = wavOf(cutting.kept());
      const fields = { promptText: transcript.value, audio, notes: notes ? notes.changed() : {} };
      await api.voices.add({ index: fullName(name.value), ...fields });
      onSaved(name.value);
    } catch (error) {
      trouble.say(sayError(error));
      save.disabled = false;
    }
  }

  const element = h(
    "form",
    { class: "voice-form", on: { submit: onSubmit } },
    cutting.element,
    verdict,
    h("label", { class: "field" }, t("voices.transcript"), transcript),
    h("label", { class: "field" }, nameLabel, name),
    notes && h("details", {}, h("summary", {}, t("voices.notes")), notes.element),
    trouble.element,
    foot(h("p", { class: "hint" }, t("voices.onlyConsent")), save),
  );
  return { element, close: cutting.close };
}

/** The waveform with its handles, and what is kept between them, to be heard. */
function createCutting(recording, { onChange, onAgain }) {
  const best = bestRange(recording.samples, recording.sampleRate);
  const length = h("output", { class: "clock" });
  const play = h("button", { type: "button", class: "button small", on: { click: onPlay } });
  play.autofocus = Boolean(recording.transcript);
  const trim = createTrim(recording, best, onTrim);
  showPlay(false);

  function onTrim([from, to]) {
    hush();
    length.textContent = t("voices.seconds", { seconds: (to - from).toFixed(1) });
    onChange();
  }

  function kept() {
    return cut(recording, ...trim.range());
  }

  function onPlay() {
    if (play.hasAttribute("data-playing")) return hush();
    const [from] = trim.range();
    listen(wavOf(kept()), {
      onTime: (seconds) => trim.showPlayed(from + seconds),
      onEnd() {
        showPlay(false);
        trim.showPlayed(null);
      },
    });
    showPlay(true);
  }

  function showPlay(isPlaying) {
    play.toggleAttribute("data-playing", isPlaying);
    play.replaceChildren(icon(isPlaying ? "stop" : "play"), t(isPlaying ? "voices.stopIt" : "voices.hearIt"));
  }

  function close() {
    hush();
    trim.close();
  }

  const silence = textButton("button quiet small", "voices.trimSilence", () => trim.setRange(best));
  const again = textButton("button quiet small", "voices.again", onAgain);
  const row = h(
    "div",
    { class: "trim-row" },
    play,
    length,
    h("span", { class: "trim-tools" }, silence, again),
  );
  return { element: h("div", { class: "cutting" }, trim.element, row), kept, close };
}

const wavOf = ({ samples, sampleRate }) => wavBlob([toPcm16(samples)], sampleRate);

function nameField(value) {
  const field = h("input", {
    required: true,
    maxLength: MOST_NAME,
    autocomplete: "off",
    spellcheck: false,
    value,
  });
  field.pattern = "[\\p{L}\\p{M}\\p{Nd}_\\-]+";
  field.title = t("voices.nameRule");
  return field;
}

function findingLine({ code, isBad, values }) {
  const shown = Object.entries(values).map(([key, value]) => [key, value.toFixed(1)]);
  const what = t(`judge.${code}`, Object.fromEntries(shown));
  const className = isBad ? "is-bad" : "is-doubtful";
  return lineOf(className, h("strong", {}, what), " ", t(`judge.${code}.do`, LIMITS));
}

const doubtLine = ({ status, message }) => lineOf(status === "error" ? "is-bad" : "is-doubtful", message);

function lineOf(className, ...words) {
  return h(
    "li",
    { class: className },
    icon(className === "is-bad" ? "close" : "warn"),
    h("span", {}, ...words),
  );
}

const nothingFound = (iconName, className = "", more = "") =>
  h("li", { class: className }, icon(iconName), h("span", {}, t("judge.good"), " ", more));

/** `wanted` in letters that a name may have, with a number if it is taken. */
export function freeName(wanted, taken) {
  const base =
    wanted
      .normalize("NFC")
      .replace(/[^\p{L}\p{M}\p{Nd}_-]+/gu, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, MOST_NAME - 4) || "my-voice";
  for (let n = 1; ; n++) {
    const name = n === 1 ? base : `${base}-${n}`;
    if (!taken.includes(name)) return name;
  }
}

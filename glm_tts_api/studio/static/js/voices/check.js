// A recording before it is saved: trimmed, judged, given its words and its name.

import { debounce, h, icon } from "../dom.js";
import { sayError, t } from "../i18n.js";
import { wavBlob } from "../sound/pcm.js";
import { foot, textButton, troubleLine } from "./dialog.js";
import { LIMITS, bestRange, judge } from "./judge.js";
import { hush, listen } from "./listening.js";
import { cut, toPcm16 } from "./samples.js";
import { createTrim } from "./trim.js";

const JUDGE_AFTER_MS = 150;
const MOST_NAME = 64; // characters, as the server takes them

/**
 * `recording`: {samples, sampleRate, transcript, name}. `onSaved` gets the voice's name once the server has it;
 * `onAgain` is called if the person wants another recording.
 */
export function createCheck({ api, names, recording, onSaved, onAgain }) {
  const trouble = troubleLine();
  const verdict = h("ul", { class: "verdict", "aria-live": "polite" });
  const words = recording.transcript;
  const transcript = h("textarea", { rows: 3, required: true, value: words, autofocus: !words });
  const name = nameField(freeName(recording.name, names));
  const save = h("button", { class: "button primary" }, t("voices.saveNew"));
  const judgeSoon = debounce(showVerdict, JUDGE_AFTER_MS);
  const cutting = createCutting(recording, { onChange: judgeSoon, onAgain });
  transcript.addEventListener("input", judgeSoon);
  showVerdict();

  function showVerdict() {
    const { samples, sampleRate } = cutting.kept();
    const findings = judge(samples, sampleRate, transcript.value);
    save.disabled = findings.some(({ isBad }) => isBad);
    verdict.replaceChildren(...(findings.length ? findings.map(findingLine) : [praise()]));
  }

  async function onSubmit(event) {
    event.preventDefault();
    save.disabled = true;
    trouble.say("");
    try {
      await api.voices.add({ index: name.value, promptText: transcript.value, audio: wavOf(cutting.kept()) });
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
    h("label", { class: "field" }, t("voices.name"), name),
    trouble.element,
    foot(h("p", { class: "hint" }, t("voices.consent")), save),
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
  return h(
    "li",
    { class: isBad ? "is-bad" : "is-doubtful" },
    icon(isBad ? "close" : "warn"),
    h("span", {}, h("strong", {}, what), " ", t(`judge.${code}.do`, LIMITS)),
  );
}

const praise = () => h("li", { class: "is-good" }, icon("check"), h("span", {}, t("judge.good")));

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

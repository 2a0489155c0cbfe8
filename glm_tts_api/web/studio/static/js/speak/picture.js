// The picture of a sound: its waveform, or its spectrogram once it is whole.

import { h } from "../dom.js";
import { onLanguage, t } from "../i18n.js";
import { PEAKS_A_SECOND } from "../sound/peaks.js";
import { createSpectrogram, drawSpectrogram } from "../sound/spectrogram.js";
import { drawWaveform } from "../sound/waveform.js";

const KINDS = ["waveform", "spectrogram"];

export function createPicture(canvas, choice) {
  let kind = KINDS[0];
  let spectrogram = null; // of `take`
  let last = null;

  const button = (name) =>
    h("button", { type: "button", "aria-pressed": String(name === kind), on: { click: () => choose(name) } }, t(`player.${name}`));
  const showChoice = () => choice.replaceChildren(...KINDS.map(button));
  onLanguage(showChoice);

  function choose(name) {
    kind = name;
    showChoice();
    choice.children[KINDS.indexOf(name)].focus();
    if (last) draw(...last);
  }

  async function prepare(take) {
    spectrogram = { take, columns: null };
    spectrogram.columns = await createSpectrogram(take.audio, take.sampleRate);
    if (last?.[0].take === take) draw(...last);
  }

  /** `sound`: seconds, expected, peaks, take (null while it is being made); `at`: the moment that is heard. */
  function draw(sound, at) {
    last = [sound, at];
    const wantsSpectrogram = kind === "spectrogram" && sound.take;
    if (wantsSpectrogram && spectrogram?.take !== sound.take) prepare(sound.take);
    const length = sound.expected * PEAKS_A_SECOND;
    const played = sound.expected ? at / sound.expected : 0;
    if (wantsSpectrogram && spectrogram.columns) drawSpectrogram(canvas, spectrogram.columns, played);
    else drawWaveform(canvas, sound.peaks, { played, length });
  }

  return { draw };
}

// The picture of a sound: its waveform, or its spectrogram once it is whole.

import { h } from "../dom.js";
import { onLanguage, t } from "../i18n.js";
import { PEAKS_A_SECOND, drawWaveform } from "../sound/waveform.js";

const KINDS = ["waveform", "spectrogram"];

export function createPicture(canvas, choice) {
  let kind = KINDS[0];
  let spectrogram = { take: null, draw: null };
  let last = null;

  const button = (name) =>
    h(
      "button",
      { type: "button", "aria-pressed": String(name === kind), on: { click: () => choose(name) } },
      t(`player.${name}`),
    );
  const showChoice = () => choice.replaceChildren(...KINDS.map(button));
  onLanguage(showChoice);

  function choose(name) {
    kind = name;
    showChoice();
    choice.children[KINDS.indexOf(name)].focus();
    if (last) draw(...last);
  }

  async function prepare(take) {
    spectrogram = { take, draw: null };
    const { createSpectrogram, drawSpectrogram } = await import("../sound/spectrogram.js");
    const columns = await createSpectrogram(take.audio, take.sampleRate);
    if (spectrogram.take !== take) return; // another is wanted by now
    spectrogram.draw = (played) => drawSpectrogram(canvas, columns, played);
    draw(...last);
  }

  /** `sound`: seconds, expected, peaks, take (null while it is being made); `at`: the moment that is heard. */
  function draw(sound, at) {
    last = [sound, at];
    const { take, expected, peaks } = sound;
    const played = expected ? at / expected : 0;
    const wantsSpectrogram = kind === "spectrogram" && take;
    if (wantsSpectrogram && spectrogram.take !== take) prepare(take);
    if (wantsSpectrogram && spectrogram.draw) spectrogram.draw(played);
    else drawWaveform(canvas, peaks, { played, length: expected * PEAKS_A_SECOND });
  }

  return { draw };
}

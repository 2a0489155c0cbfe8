// A waveform with two handles, each a slider of its own: what lies between them is kept.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { drawWaveform, peaksOf } from "../sound/waveform.js";

const STEP_S = 0.02;
const LEAST_S = 0.3; // what stays between the handles

/**
 * @param recording {samples, sampleRate}
 * @param range [from, to] in seconds, where the handles stand at first
 * @param onChange called with the range as it is moved
 */
export function createTrim(recording, range, onChange) {
  const seconds = recording.samples.length / recording.sampleRate;
  const peaks = peaksOf(recording.samples, recording.sampleRate);
  const canvas = h("canvas", { class: "trim-wave", "aria-hidden": "true" });
  const outside = [h("div", { class: "trim-out before" }), h("div", { class: "trim-out after" })];
  const head = h("div", { class: "trim-head", hidden: true });
  const handles = ["voices.trimStart", "voices.trimEnd"].map((label) =>
    h("input", {
      type: "range",
      min: 0,
      max: seconds,
      step: STEP_S,
      "aria-label": t(label),
      on: { input: (event) => move(handles.indexOf(event.target)) },
    }),
  );
  const stage = h("div", { class: "trim-stage" }, canvas, outside, head);
  const element = h("div", { class: "trim" }, stage, handles);
  const observer = new ResizeObserver(() => drawWaveform(canvas, peaks));
  observer.observe(canvas);

  /** A handle does not pass the other. */
  function move(which) {
    const [from, to] = handles.map((handle) => handle.valueAsNumber);
    setRange(which === 0 ? [Math.min(from, to - LEAST_S), to] : [from, Math.max(to, from + LEAST_S)]);
  }

  function setRange([from, to]) {
    range = [Math.max(0, from), Math.min(seconds, to)];
    handles.forEach((handle, i) => {
      handle.value = range[i];
      handle.setAttribute("aria-valuetext", t("voices.seconds", { seconds: range[i].toFixed(2) }));
    });
    outside[0].style.width = `${(100 * range[0]) / seconds}%`;
    outside[1].style.width = `${100 - (100 * range[1]) / seconds}%`;
    onChange(range);
  }

  setRange(range);
  return {
    element,
    setRange,
    range: () => range,
    /** Shows how far it has been played; null: it is not. */
    showPlayed(at) {
      head.hidden = at === null;
      head.style.left = `${(100 * (at ?? 0)) / seconds}%`;
    },
    close: () => observer.disconnect(),
  };
}

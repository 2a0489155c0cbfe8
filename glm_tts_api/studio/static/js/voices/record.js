// Recording, from the press of the button to the end: a count-down, then a meter and a clock; and the microphone.

import { clockTime, h, icon } from "../dom.js";
import { t } from "../i18n.js";
import { LIMITS } from "./judge.js";
import { joined, meterOf, peakOf, rmsDb } from "./samples.js";

const COUNT_DOWN = 3;
const TOO_LOUD = 0.98;
const SLACK_S = 0.5; // it ends by itself this much before the most that the server takes
const TROUBLE = { NotAllowedError: "voices.microphoneRefused", NotFoundError: "voices.microphoneMissing" };
const HEARD_AS_IT_IS = {
  channelCount: 1,
  echoCancellation: false, // each of these would change the voice
  noiseSuppression: false,
  autoGainControl: false,
};

const LABELS = {
  idle: () => [icon("mic"), t("voices.record")],
  opening: () => [t("voices.opening")],
  counting: (left) => [t("voices.countDown", { left })],
  recording: () => [icon("stop"), t("voices.stopRecording")],
};

/** `onRecording` gets {samples, sampleRate}, `onTrouble` words; empty words take them away. */
export function createRecord({ onRecording, onTrouble }) {
  const meter = createMeter();
  const presses = { idle: open, opening() {}, counting: close, recording: end };
  const on = { click: () => presses[state]() };
  const button = h("button", { type: "button", class: "button primary record", autofocus: true, on });
  button.disabled = !hasMicrophone();
  let state = "";
  let microphone = null;
  let stopCounting = () => {};
  enter("idle");

  function enter(next, left) {
    state = next;
    button.dataset.state = next;
    button.replaceChildren(...LABELS[next](left));
  }

  async function open() {
    enter("opening");
    onTrouble("");
    try {
      const opened = await openMicrophone(hear);
      if (state !== "opening") return opened.stop(); // the person has left meanwhile
      microphone = opened;
      stopCounting = countDown(COUNT_DOWN, (left) => enter("counting", left), begin);
    } catch (error) {
      onTrouble(t(TROUBLE[error.name] ?? "voices.microphoneFailed"));
      enter("idle");
    }
  }

  function begin() {
    microphone.keep();
    enter("recording");
  }

  function hear(block) {
    meter.show(block);
    if (state !== "recording") return;
    meter.time(microphone.seconds());
    if (microphone.seconds() > LIMITS.most - SLACK_S) end();
  }

  function end() {
    onRecording(close());
  }

  /** Lets the microphone go; what it has kept. */
  function close() {
    stopCounting();
    const recording = microphone?.stop();
    microphone = null;
    enter("idle");
    return recording;
  }

  return { element: h("div", { class: "record-row" }, button, meter.element), close };
}

/** Calls `onTick` each second with what is left of them, then `onEnd`. Returns how to stop it. */
function countDown(seconds, onTick, onEnd) {
  let left = seconds;
  const timer = setInterval(() => {
    left -= 1;
    if (left > 0) return onTick(left);
    clearInterval(timer);
    onEnd();
  }, 1000);
  onTick(left);
  return () => clearInterval(timer);
}

function createMeter() {
  const fill = h("div", { style: { width: "0" } });
  const bar = h("div", { class: "bar level", role: "meter", "aria-valuenow": 0 }, fill);
  bar.setAttribute("aria-label", t("voices.level"));
  const clock = h("span", { class: "clock" }, clockTime(0));
  return {
    element: h("div", { class: "meter" }, bar, clock),
    show(block) {
      const level = Math.round(100 * meterOf(rmsDb(block)));
      fill.style.width = `${level}%`;
      bar.setAttribute("aria-valuenow", level);
      bar.classList.toggle("is-too-loud", peakOf(block) >= TOO_LOUD);
    },
    time(seconds) {
      clock.textContent = clockTime(seconds);
    },
  };
}

/** Browsers give the microphone to pages over https, and on localhost. */
export const hasMicrophone = () => Boolean(navigator.mediaDevices?.getUserMedia);

/**
 * Asks the person for the microphone. `onBlock` gets each block of samples that it hears, kept or not.
 * Throws a DOMException: NotAllowedError if it was refused, NotFoundError if there is none.
 */
async function openMicrophone(onBlock) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: HEARD_AS_IT_IS });
  const context = new AudioContext();
  let source = null; // held, so that it is not collected
  let kept = null;

  function close() {
    source?.disconnect();
    for (const track of stream.getTracks()) track.stop();
    if (context.state !== "closed") context.close();
  }

  try {
    await context.audioWorklet.addModule(new URL("./capture_worklet.js", import.meta.url));
    await context.resume();
    const capture = new AudioWorkletNode(context, "capture", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
    });
    capture.port.onmessage = ({ data }) => {
      kept?.push(data);
      onBlock(data);
    };
    source = context.createMediaStreamSource(stream);
    source.connect(capture);
  } catch (error) {
    close();
    throw error;
  }

  return {
    /** From now on. */
    keep() {
      kept = [];
    },
    /** How much is kept so far. */
    seconds: () => (kept ?? []).reduce((sum, block) => sum + block.length, 0) / context.sampleRate,
    /** Lets the microphone go; what was kept. */
    stop() {
      close();
      return { samples: joined(kept ?? []), sampleRate: context.sampleRate };
    },
  };
}

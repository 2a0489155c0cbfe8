// One utterance, from the press of the button to its end.
//
// store.speaking is { state } and what belongs to it:
//   idle
//   waiting    utterance; place in the line (null: not known); retryInS: seconds until it is asked for again;
//              segment, segments (of an answer that comes as a whole)
//   speaking   utterance; segment, segments (null: not known)
//   done       utterance; seconds, firstSoundS
//   stopped    utterance
//   failed     utterance; error

import { ApiError, readingFields, speechFields } from "../api.js";
import { newId } from "../dom.js";
import { createPcmReader, createRecording } from "../sound/pcm.js";
import { createPeaks } from "../sound/waveform.js";
import { drawSeed } from "../store.js";
import { createLiveAudio } from "./live_audio.js";
import { makeTake } from "./take.js";

const FOLLOW_MS = 600;

export function createSpeaking({ store, api }) {
  let going = null; // the AbortController of what is being said

  const show = (speaking) => store.set({ speaking });
  store.on("text", () => store.get().speaking.state === "failed" && show({ state: "idle" })); // it was another text's
  const update = (patch) => show({ ...store.get().speaking, ...patch });

  async function start() {
    if (going || !store.get().text.trim() || !store.get().voice) return;
    drawSeed(store);
    const { text, voice, options } = store.get();
    const { signal } = (going = new AbortController());
    const following = new AbortController();
    const utterance = createUtterance({ text, voice, options });
    signal.addEventListener("abort", () => utterance.audio.stop());
    show({ state: "waiting", utterance, place: null, retryInS: null });
    follow(utterance.id, { api, signal: following.signal, onNews: (listed) => heardOf(utterance, listed) });
    try {
      await say(utterance, signal);
    } catch (error) {
      if (!utterance.recording) utterance.audio.stop();
      if (error.keyRefused) store.set({ needsKey: {}, speaking: { state: "idle" } });
      else show(signal.aborted ? { state: "stopped", utterance } : { state: "failed", utterance, error });
    } finally {
      following.abort();
      going = null;
    }
  }

  async function say(utterance, signal) {
    const { wanted, id } = utterance;
    const pressedAt = performance.now();
    const reading = readingOf(wanted).then((known) => (utterance.reading = known));
    const speech = await accepted(wanted, id, signal);
    utterance.begin(speech.sampleRate);
    const broken = await receive(speech.body, utterance, () => firstSound(utterance, pressedAt)).then(
      () => null,
      (error) => error,
    );
    utterance.audio.end();
    await reading;
    if (utterance.recording.seconds()) await keep(utterance, !broken);
    if (broken) throw new ApiError({ status: 0, code: "cut", message: broken.message });
    const { recording, firstSoundS } = utterance;
    show({ state: "done", utterance, seconds: recording.seconds(), firstSoundS });
  }

  /** Asks again for as long as the server says when to come back. */
  async function accepted(wanted, id, signal) {
    for (;;) {
      try {
        return await api.speak(speechFields(wanted), { signal, requestId: id });
      } catch (error) {
        if (!error.retryAfterS) throw error;
        for (let left = error.retryAfterS; left > 0; left--) {
          update({ retryInS: left, error });
          await pause(1000, signal);
        }
        update({ retryInS: null, error: null });
      }
    }
  }

  /** The reading that stands below the text, if it is of this text; else one that is asked for. */
  async function readingOf(wanted) {
    const { reading, text } = store.get();
    if (reading && reading.marked === wanted.text && text === wanted.text) return reading;
    return api.normalize(readingFields(wanted)).catch(() => null);
  }

  function firstSound(utterance, pressedAt) {
    utterance.firstSoundS = (performance.now() - pressedAt) / 1000;
    update({ state: "speaking", segment: null, segments: null });
  }

  function heardOf(utterance, { state, place, segments, segments_done: nDone, ends }) {
    utterance.ends = ends ?? [];
    const made = segments && { segment: Math.min(segments, nDone + 1), segments };
    if (store.get().speaking.state !== "waiting") update(made);
    else if (state === "waiting") update({ place });
    else update({ place: null, ...(!speechFields(utterance.wanted).stream && made) });
  }

  async function keep(utterance, complete) {
    const ended = await lookBack(utterance.id, { api });
    if (ended?.ends || utterance.wanted.options.duration) utterance.ends = ended?.ends ?? null;
    const made = makeTake({ ...utterance, complete });
    store.set(store.get().take ? { made } : { made, take: made }); // whoever hears another by now hears it to its end
  }

  return { start, stop: () => going?.abort() };
}

/** What is known of something that is being said; the player draws it while it grows. */
function createUtterance(wanted) {
  const utterance = {
    id: newId(),
    wanted,
    reading: null,
    ends: null,
    firstSoundS: null,
    sampleRate: wanted.options.sampleRate,
  };
  utterance.audio = createLiveAudio(utterance.sampleRate, () => utterance.onChange?.());
  utterance.begin = (sampleRate) => {
    utterance.sampleRate = sampleRate;
    utterance.recording = createRecording(sampleRate);
    utterance.peaks = createPeaks(sampleRate);
    utterance.onChange?.();
  };
  return utterance;
}

async function receive(body, { recording, peaks, audio }, onFirst) {
  const samplesOf = createPcmReader();
  const reader = body.getReader();
  for (let first = true; ; first = false) {
    const { done, value } = await reader.read();
    if (done) return;
    const samples = samplesOf(value);
    audio.add(samples);
    recording.add(samples);
    peaks.add(samples);
    if (first) onFirst();
  }
}

function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}

/**
 * How far the server is with a request, by the id that we gave it. Asks until the signal is aborted, and tells `onNews`
 * what is listed of that request; another replica may answer, which lists nothing.
 */
async function follow(requestId, { api, signal, onNews }) {
  while (!signal.aborted) {
    const stats = await api.stats({ signal }).catch(() => null);
    const listed = stats?.active.find((request) => request.request_id === requestId);
    if (listed && !signal.aborted) onNews(listed);
    await new Promise((resolve) => setTimeout(resolve, FOLLOW_MS));
  }
}

/** The same of a request that has ended; null if nothing is listed of it. */
async function lookBack(requestId, { api }) {
  const stats = await api.stats().catch(() => null);
  return stats?.recent?.find((request) => request.request_id === requestId) ?? null;
}

// Plays a sound while it is still being made.

import { createSchedule } from "./pcm_schedule.js";

const AHEAD_S = 4; // placed in the audio graph; the rest waits as 16 bit samples
const FADE_S = 0.015;

/**
 * To be called while a press or key is handled: browsers let a page begin to sound there alone. The context has
 * the sound's own rate, so that pieces need no resampling and meet without a seam.
 *
 * @param onChange called when it starts or pauses, and when it is over: stopped, or heard to its end.
 */
export function createLiveAudio(sampleRate, onChange) {
  const context = new AudioContext({ sampleRate });
  context.onstatechange = onChange;
  const volume = new GainNode(context);
  volume.connect(context.destination);
  const schedule = createSchedule(sampleRate);
  const queue = [];
  let nSounding = 0;
  let complete = false;
  let over = false;

  function fill() {
    while (queue.length && schedule.aheadS(context.currentTime) < AHEAD_S) sound(queue.shift());
    if (complete && !queue.length && !nSounding) close();
  }

  function sound(samples) {
    const buffer = context.createBuffer(1, samples.length, sampleRate);
    buffer.copyToChannel(
      Float32Array.from(samples, (sample) => sample / 32768),
      0,
    );
    const source = new AudioBufferSourceNode(context, { buffer });
    source.connect(volume);
    source.onended = () => {
      nSounding -= 1;
      if (!over) fill();
    };
    source.start(schedule.place(context.currentTime, samples.length));
    nSounding += 1;
  }

  function close() {
    if (over) return;
    over = true;
    queue.length = 0;
    onChange();
    setTimeout(() => context.close(), 10 * 1000 * FADE_S);
  }

  return {
    /** `samples`: Int16Array, which is not copied. */
    add(samples) {
      if (over || !samples.length) return;
      queue.push(samples);
      fill();
    },
    /** No more will come. */
    end() {
      complete = true;
      if (!over) fill();
    },
    stop() {
      volume.gain.setTargetAtTime(0, context.currentTime, FADE_S);
      close();
    },
    pause: () => context.suspend(),
    resume: () => context.resume(),
    isOver: () => over,
    isPlaying: () => !over && context.state === "running",
    /** Seconds of the sound that have been heard. */
    position: () => schedule.position(context.currentTime - (context.outputLatency || 0)),
  };
}

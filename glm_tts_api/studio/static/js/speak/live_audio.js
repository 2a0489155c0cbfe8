// Plays a sound while it is still being made.

const AHEAD_S = 4; // placed in the audio graph; the rest waits as 16 bit samples
const FADE_S = 0.015;
const FIRST_LEAD_S = 0.06;
const SECOND_LEAD_S = 0.3;
const LONGEST_LEAD_S = 2.4;

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

/**
 * When each piece is played, and which moment of the sound is heard. Knows numbers alone: seconds on the player's
 * clock, and samples. Pieces are laid end to end, to the sample. If the sound runs dry, the next piece starts a new
 * stretch, and a little later each time, so that a slow server makes few long gaps rather than many short ones.
 */
export function createSchedule(sampleRate) {
  let leadS = FIRST_LEAD_S;
  let nPlaced = 0; // samples of the sound
  let endsAt = 0; // samples on the clock
  let stretches = []; // where the sound began and went on; the last two, since no more are audible
  let nDry = 0;

  function begin(now) {
    if (nPlaced) {
      nDry += 1;
      leadS = Math.min(LONGEST_LEAD_S, Math.max(SECOND_LEAD_S, 2 * leadS));
    }
    endsAt = Math.ceil((now + leadS) * sampleRate);
    stretches = [...stretches.slice(-1), { at: endsAt, from: nPlaced }];
  }

  return {
    /** Places the next piece, handed over at `now`. Returns when it starts. */
    place(now, nSamples) {
      if (!nPlaced || endsAt < now * sampleRate) begin(now);
      const at = endsAt;
      nPlaced += nSamples;
      endsAt += nSamples;
      return at / sampleRate;
    },

    /** Seconds that are placed and not yet heard. */
    aheadS: (now) => Math.max(0, endsAt / sampleRate - now),

    /** The moment of the sound that is heard at `now`, in seconds from its start. */
    position(now) {
      const at = now * sampleRate;
      const i = stretches.findLastIndex((stretch) => stretch.at <= at);
      if (i < 0) return (stretches[0]?.from ?? 0) / sampleRate;
      const until = stretches[i + 1]?.from ?? nPlaced;
      return Math.min(until, stretches[i].from + at - stretches[i].at) / sampleRate;
    },

    /** How often it ran dry. */
    nDry: () => nDry,
  };
}

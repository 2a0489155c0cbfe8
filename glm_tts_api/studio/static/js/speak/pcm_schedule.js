// When each piece of a sound that is still being made is played, and which moment of it is heard. Knows numbers
// alone: seconds on the player's clock, and samples.
//
// Pieces are laid end to end, to the sample. If the sound runs dry, the next piece starts a new stretch, and a
// little later each time, so that a slow server makes few long gaps rather than many short ones.

const FIRST_LEAD_S = 0.06;
const SECOND_LEAD_S = 0.3;
const LONGEST_LEAD_S = 2.4;

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

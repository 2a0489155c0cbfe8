// How loud a sound is, moment by moment: what a waveform is drawn from.

export const PEAKS_A_SECOND = 100;

/** Collects the peaks of samples that come piece by piece, each from 0 to 1; `scale` is a sample's loudest value. */
export function createPeaks(sampleRate, scale = 32768) {
  const nEach = sampleRate / PEAKS_A_SECOND;
  let peaks = new Float32Array(1024);
  let nSamples = 0;

  return {
    add(samples) {
      const nAfter = Math.ceil((nSamples + samples.length) / nEach);
      if (nAfter > peaks.length) peaks = grown(peaks, nAfter);
      for (const sample of samples) {
        const at = Math.floor(nSamples++ / nEach);
        const loud = Math.abs(sample) / scale;
        if (loud > peaks[at]) peaks[at] = loud;
      }
    },
    /** Those so far; a view that later pieces may change. */
    all: () => peaks.subarray(0, Math.ceil(nSamples / nEach)),
  };
}

function grown(peaks, least) {
  const larger = new Float32Array(Math.max(least, 2 * peaks.length));
  larger.set(peaks);
  return larger;
}

/** The peaks of a whole sound, such as an AudioBuffer's channel, which has samples from -1 to 1. */
export function peaksOf(samples, sampleRate, scale = 1) {
  const peaks = createPeaks(sampleRate, scale);
  peaks.add(samples);
  return peaks.all();
}

// How loud a sound is, moment by moment, and that drawn as bars.

export const PEAKS_A_SECOND = 100;
const BAR = 2; // CSS pixels
const GAP = 1;

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

/**
 * Draws the peaks over the whole canvas, in its CSS color; what is `played` (0 to 1) in full, the rest paler.
 * `length`: how many peaks the width stands for, if more are still to come.
 */
export function drawWaveform(canvas, peaks, { played = 1, length = peaks.length } = {}) {
  const { context, width, height } = cleared(canvas);
  const nBars = Math.floor(width / (BAR + GAP));
  const known = Math.min(1, peaks.length / Math.max(1, length));
  context.fillStyle = getComputedStyle(canvas).color;
  for (let i = 0; i < nBars; i++) {
    const loud = i / nBars < known ? loudest(peaks, (i * length) / nBars, ((i + 1) * length) / nBars) : 0;
    const tall = Math.max(BAR, loud ** 0.7 * height);
    context.globalAlpha = i / nBars < played ? 1 : i / nBars < known ? 0.4 : 0.2;
    context.beginPath();
    context.roundRect(i * (BAR + GAP), (height - tall) / 2, BAR, tall, BAR / 2);
    context.fill();
  }
}

/** The canvas as large as its pixels on the screen, and empty. Sizes in CSS pixels. */
export function cleared(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = window.devicePixelRatio;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  return { context, width, height };
}

function loudest(peaks, from, to) {
  let most = 0;
  for (let i = Math.floor(from); i < Math.min(peaks.length, Math.max(to, from + 1)); i++) {
    if (peaks[i] > most) most = peaks[i];
  }
  return most;
}

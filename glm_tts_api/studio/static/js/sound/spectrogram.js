// The spectrogram of a WAV Blob, as one picture of which only the opacity says anything: it takes the canvas's color.

import { pcmOf } from "./pcm.js";
import { cleared } from "./waveform.js";

const N_COLUMNS = 900;
const N_ROWS = 128;
const N_FFT = 512;
const AT_ONCE = 50; // columns; between these the page may do other things
const TOP_DB = -20; // what is as loud is drawn in full
const RANGE_DB = 70;

/** Reads the Blob piece by piece, so that a long one does not fill the memory. Returns a canvas. */
export async function createSpectrogram(wav, sampleRate) {
  const pcm = pcmOf(wav);
  const nSamples = pcm.size / 2;
  const nColumns = Math.max(1, Math.min(N_COLUMNS, Math.floor(nSamples / 64)));
  const image = new ImageData(nColumns, N_ROWS);
  const spectrum = createSpectrum(N_FFT);
  const bins = melBins(sampleRate);
  const place = (column) => Math.floor((column / nColumns) * Math.max(0, nSamples - N_FFT));
  for (let first = 0; first < nColumns; first += AT_ONCE) {
    const last = Math.min(nColumns, first + AT_ONCE) - 1;
    const from = 2 * place(first);
    const piece = new Int16Array(
      await pcm.slice(from, from + 2 * (place(last) - place(first) + N_FFT)).arrayBuffer(),
    );
    for (let column = first; column <= last; column++) {
      const start = place(column) - place(first);
      paintColumn(image, column, spectrum(piece.subarray(start, start + N_FFT)), bins);
    }
  }
  const canvas = new OffscreenCanvas(nColumns, N_ROWS);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

function paintColumn(image, column, power, bins) {
  for (let row = 0; row < N_ROWS; row++) {
    let most = 0;
    for (let bin = bins[row]; bin <= Math.max(bins[row], bins[row + 1] - 1); bin++)
      most = Math.max(most, power[bin]);
    const level = 1 + (10 * Math.log10(most + 1e-12) - TOP_DB) / RANGE_DB;
    image.data[4 * ((N_ROWS - 1 - row) * image.width + column) + 3] =
      255 * Math.min(1, Math.max(0, level)) ** 1.5;
  }
}

/** The first bin of each row, from low to high as one hears it, and the end. */
function melBins(sampleRate) {
  const mel = (hertz) => 2595 * Math.log10(1 + hertz / 700);
  const hertz = (mels) => 700 * (10 ** (mels / 2595) - 1);
  const highest = Math.min(12000, sampleRate / 2);
  return Array.from({ length: N_ROWS + 1 }, (_, row) =>
    Math.min(N_FFT / 2, Math.round((hertz((mel(highest) * row) / N_ROWS) / sampleRate) * N_FFT)),
  );
}

/** Draws it over the whole canvas in its CSS color; what is `played` (0 to 1) in full, the rest paler. */
export function drawSpectrogram(canvas, spectrogram, played) {
  const { context, width, height } = cleared(canvas);
  context.drawImage(spectrogram, 0, 0, width, height);
  context.globalCompositeOperation = "source-in";
  context.fillStyle = getComputedStyle(canvas).color;
  context.fillRect(0, 0, width, height);
  context.globalCompositeOperation = "source-over";
  context.fillRect(Math.round(played * (width - 1)), 0, 1, height);
}

/**
 * The power spectrum of a frame of samples, by a Hann window and a radix-2 FFT: a function from `n` samples of 16 bit
 * to the power of bins 0 to n/2, of which a full-scale sine reaches 1.
 */
export function createSpectrum(n) {
  const window = Float64Array.from({ length: n }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / n));
  const order = bitReversed(n);
  const re = new Float64Array(n);
  const im = new Float64Array(n);
  const scale = 32768 * (n / 4); // a full-scale sine under this window

  return (samples) => {
    for (let i = 0; i < n; i++) {
      const from = order[i];
      re[i] = (samples[from] ?? 0) * window[from];
      im[i] = 0;
    }
    transform(re, im);
    return Float64Array.from({ length: n / 2 + 1 }, (_, bin) => (re[bin] ** 2 + im[bin] ** 2) / scale ** 2);
  };
}

function bitReversed(n) {
  const order = new Uint16Array(n);
  for (let i = 1; i < n; i++) order[i] = (order[i >> 1] >> 1) | (i & 1 ? n >> 1 : 0);
  return order;
}

/** In place, of values in bit-reversed order. */
function transform(re, im) {
  const n = re.length;
  for (let half = 1; half < n; half *= 2) {
    for (let k = 0; k < half; k++) {
      const cos = Math.cos((Math.PI * k) / half);
      const sin = -Math.sin((Math.PI * k) / half);
      for (let a = k; a < n; a += 2 * half) {
        const b = a + half;
        const [x, y] = [re[b] * cos - im[b] * sin, re[b] * sin + im[b] * cos];
        re[b] = re[a] - x;
        im[b] = im[a] - y;
        re[a] += x;
        im[a] += y;
      }
    }
  }
}

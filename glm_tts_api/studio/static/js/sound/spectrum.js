// The power spectrum of a frame of samples: a Hann window and a radix-2 FFT.

/** A function from `n` samples of 16 bit to the power of bins 0 to n/2, of which a full-scale sine reaches 1. */
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

// Runs beside the sound card: hands on what the microphone hears, in blocks.

/* global AudioWorkletProcessor, registerProcessor */

const BLOCK = 2048; // samples; sound comes 128 at a time

class Capture extends AudioWorkletProcessor {
  #block = new Float32Array(BLOCK);
  #filled = 0;

  process([[channel]]) {
    if (!channel) return true; // no microphone is joined to it yet
    this.#block.set(channel, this.#filled);
    this.#filled += channel.length;
    if (this.#filled === BLOCK) {
      this.port.postMessage(this.#block);
      this.#filled = 0;
    }
    return true;
  }
}

registerProcessor("capture", Capture);

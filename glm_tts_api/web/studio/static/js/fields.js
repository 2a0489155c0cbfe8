// What the page's choices are called on the server.

/** The fields of POST /tts for the page's state, or for a take. */
export function speechFields({ text, inputType, voice, options }) {
  return {
    input_text: text,
    input_type: inputType,
    index: voice,
    seed: options.seed,
    speed: options.speed,
    sample_rate: options.sampleRate,
    sample_method: options.sampleMethod,
    sampling: options.sampling,
    beam_size: options.beamSize,
    use_phoneme: options.usePhoneme,
  };
}

/** Those of POST /text/normalize. */
export function readingFields({ text, inputType, options }) {
  return { input_text: text, input_type: inputType, use_phoneme: options.usePhoneme };
}

// What the page's choices are called on the server.

/** The fields of POST /tts for the page's state, or for a take. */
export function speechFields({ text, voice, options }) {
  return {
    input_text: text,
    input_type: inputType(text),
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
export function readingFields({ text, options }) {
  return { input_text: text, input_type: inputType(text), use_phoneme: options.usePhoneme };
}

/** Whoever pastes SSML means it as such. */
export const isSsml = (text) => /^\s*(<\?xml[^>]*>\s*)?<speak[\s>]/.test(text);

const inputType = (text) => (isSsml(text) ? "ssml" : "text");

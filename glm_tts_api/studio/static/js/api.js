// The only file that calls the server, and that knows the server's names.

import { session } from "./storage.js";

const KEY = "glm-tts-key"; // kept until the tab is closed

/**
 * What went wrong: the server's answer, or `status` 0 and `code` "unreachable" if none came. `keyRefused`: a key was
 * wanted and not sent, or another one than was sent; the key's dialog tells of it.
 */
export class ApiError extends Error {
  constructor({ status, code, message, retryAfterS = null, keyRefused = false }) {
    super(message);
    this.name = "ApiError";
    Object.assign(this, { status, code, retryAfterS, keyRefused });
  }

  /** Whether the same may succeed now, by what the server says of itself. */
  passesWith(health) {
    return [0, 503].includes(this.status) && ["healthy", "idle"].includes(health?.status);
  }
}

/** @param onKeyRefused called when the server asks for a key, or refuses the one it was sent. */
export function createApi(onKeyRefused = () => {}) {
  async function call(path, { base = "api/v1/", method = "GET", json, form, signal, headers = {} } = {}) {
    const sent = { ...headers };
    const key = session.getItem(KEY);
    if (key) sent["X-API-Key"] = key;
    if (json) sent["Content-Type"] = "application/json";
    const body = json ? JSON.stringify(json) : form;
    const url = new URL(base + path, document.baseURI);
    const response = await fetch(url, { method, headers: sent, body, signal }).catch(unreachable);
    if (response.ok) return response;
    const mayBeForbidden = path.startsWith("prompts") && method !== "GET"; // whatever the key
    const keyRefused = response.status === 401 || (response.status === 403 && key && !mayBeForbidden);
    if (keyRefused) onKeyRefused();
    throw await errorOf(response, keyRefused);
  }

  const answer = async (...request) => (await call(...request)).json();
  const post = (path, fields) => answer(path, { method: "POST", form: formOf(fields) });

  return {
    /** Speech as it is made: raw PCM (16 bit, little-endian, mono), unless the fields name another format. */
    async speak(fields, { signal, requestId } = {}) {
      const response = await call("tts", {
        method: "POST",
        json: { response_format: "pcm", ...fields },
        headers: requestId ? { "X-Request-Id": requestId } : {},
        signal,
      });
      return {
        sampleRate: Number(response.headers.get("X-Sample-Rate")),
        body: response.body,
      };
    },

    heardIn: (id) => answer(`audio/${id}/verified`),

    /** `pcm`, a Blob of 16 bit samples, as a file of that format. */
    async encode(pcm, { format, sampleRate }) {
      const form = formOf({ pcm, response_format: format, sample_rate: sampleRate });
      return (await call("encode", { base: "studio/", method: "POST", form })).blob();
    },

    normalize: (fields, { signal } = {}) =>
      answer("text/normalize", { method: "POST", json: fields, signal }),
    /** [{ character, readings }], the readings in pinyin. */
    readings: async (word) => (await answer(`text/readings?word=${encodeURIComponent(word)}`)).characters,
    stats: ({ signal } = {}) => answer("stats/concurrency", { signal }),

    /** How the server is; also while it loads or drains, when the status is 503. */
    async health() {
      const response = await fetch(new URL("api/v1/health", document.baseURI)).catch(unreachable);
      return response.json();
    },

    voices: {
      list: () => answer("prompts"),
      /** `audio`: a File or Blob; `notes`: those of its fields that are known. */
      add: ({ index, promptText, audio, notes }) =>
        post("prompts", { index, prompt_text: promptText, prompt_audio: audio, ...notes }),
      /** What is good and doubtful in a recording: { checks: [{ name, status, message }], heard }. */
      check: ({ promptText, audio }) =>
        post("prompts/check", { prompt_text: promptText, prompt_audio: audio }),
      /** Its recording stays, and so does each field that is not among these. */
      change: (index, fields) => answer(voicePath(index), { method: "PUT", json: fields }),
      remove: (index) => answer(voicePath(index), { method: "DELETE" }),
      audio: async (index) => (await call(`${voicePath(index)}/audio`)).blob(),
      /** The voice with its moods as one file, for `bring` of this server or another. */
      file: async (index) => (await call(`prompts.zip?index=${encodeURIComponent(index)}`)).blob(),
      /** What became of each voice of such a file: [{ index, result }]. */
      bring: async (archive) => (await post("prompts/import", { archive })).prompts,
    },

    jobs: {
      list: async () => (await answer("jobs")).jobs,
      /** With its chapters, which the list has not. */
      get: (id) => answer(`jobs/${id}`),
      /** `file`: a File, or null where the fields have the text. */
      begin: (fields, file) =>
        answer("jobs", {
          method: "POST",
          ...(file ? { form: formOf({ ...fields, file }) } : { json: fields }),
        }),
      /** `act`: pause, resume or cancel. */
      change: (id, act) => answer(`jobs/${id}/${act}`, { method: "POST" }),
      remove: (id) => answer(`jobs/${id}`, { method: "DELETE" }),
      /** [{ startTime, endTime, title }] of the sound that there is. */
      chapters: async (id) => (await answer(`jobs/${id}/chapters.json`)).chapters,
      /** How the speech of each subtitle fits, as far as it is spoken. */
      cues: async (id) => (await answer(`jobs/${id}/cues`)).cues,
      /** Of `name`: audio?format=mp3, subtitles.srt. Waits while the server puts it together. */
      async file(id, name) {
        for (;;) {
          try {
            return await (await call(`jobs/${id}/${name}`)).blob();
          } catch (error) {
            if (error.status !== 503 || !error.retryAfterS) throw error;
            await new Promise((resolve) => setTimeout(resolve, 1000 * error.retryAfterS));
          }
        }
      },
      /** Its address, for a player, which sends no key. */
      async address(id, name) {
        const url = new URL(`api/v1/jobs/${id}/${name}`, document.baseURI);
        if (session.getItem(KEY))
          url.searchParams.set("link", (await answer(`jobs/${id}/link`, { method: "POST" })).link);
        return url.href;
      },
    },

    hasKey: () => session.getItem(KEY) !== null,
    setKey: (key) => session.setItem(KEY, key),
    forgetKey: () => session.removeItem(KEY),
  };
}

const voicePath = (index) => `prompts/${encodeURIComponent(index)}`;

function formOf(fields) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return form;
}

/** A fetch that was aborted stays an AbortError. */
function unreachable(error) {
  if (error.name === "AbortError") throw error;
  throw new ApiError({ status: 0, code: "unreachable", message: error.message });
}

async function errorOf(response, keyRefused) {
  const body = await response.json().catch(() => ({}));
  return new ApiError({
    status: response.status,
    code: body.code ?? "unknown",
    message: body.message ?? response.statusText,
    retryAfterS: Number(response.headers.get("Retry-After")) || null,
    keyRefused,
  });
}

/** The fields of POST /tts for the page's state, or for a take. A length and a loudness need the whole answer. */
export function speechFields({ text, voice, options }) {
  const { speed, duration, fit, loudness } = options;
  return {
    input_text: text,
    input_type: isSsml(text) ? "ssml" : "text",
    index: voice,
    seed: options.seed,
    ...(duration ? { duration, ...(fit !== "refuse" && { fit }) } : { speed }),
    ...(loudness && { loudness }),
    stream: !duration && !loudness,
    sample_rate: options.sampleRate,
    sample_method: options.sampleMethod,
    sampling: options.sampling,
    beam_size: options.beamSize,
    use_phoneme: options.usePhoneme,
    verify: options.verify ?? false,
  };
}

/** Those of POST /text/normalize. */
export function readingFields(state) {
  const { input_text, input_type, index, use_phoneme } = speechFields(state);
  return { input_text, input_type, index, use_phoneme };
}

/** Whoever pastes SSML means it as such. */
export const isSsml = (text) => /^\s*(<\?xml[^>]*>\s*)?<speak[\s>]/.test(text);

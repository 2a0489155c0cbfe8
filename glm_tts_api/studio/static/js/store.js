// The page's state: one flat object, of which each key can be watched.

/**
 * @template {object} State
 * @param {State} initial
 */
export function createStore(initial) {
  let state = { ...initial };
  const watchers = new Map(Object.keys(initial).map((key) => [key, new Set()]));

  return {
    get: () => state,

    /** Changes some keys, then tells who watches those that have another value now. */
    set(patch) {
      const changed = Object.keys(patch).filter((key) => !Object.is(state[key], patch[key]));
      state = { ...state, ...patch };
      for (const key of changed) {
        for (const watcher of [...watchers.get(key)]) watcher(state[key]);
      }
    },

    /** Calls `watcher` with the key's value, now and whenever it changes. Returns how to stop that. */
    on(key, watcher) {
      watchers.get(key).add(watcher);
      watcher(state[key]);
      return () => watchers.get(key).delete(watcher);
    },
  };
}

const BOOK_CHARS = 2000;
export const FORMATS = ["wav", "flac", "mp3", "opus", "aac", "pcm", "mulaw", "alaw"];

/** The state of a page that has just been opened. */
export const INITIAL = {
  text: "",
  voice: null, // its index
  options: {
    seed: 42,
    seedLocked: true, // unlocked, each press draws another
    speed: 1,
    duration: null, // seconds of the whole, in place of a speed
    fit: "refuse",
    loudness: null, // LUFS
    sampleRate: 24000,
    format: "wav", // of files that are saved, and of commands that are copied
    sampleMethod: "ras",
    sampling: 25,
    beamSize: 1,
    usePhoneme: false,
    verify: false,
  },
  health: null, // GET /health
  voices: null, // GET /prompts, as a list
  mayWrite: null, // whether it lets the person change them; null while that is not known
  stats: null, // GET /stats/concurrency
  reading: null, // POST /text/normalize of the text as it stands; null while it is not known
  speaking: { state: "idle" }, // see speak/speaking.js
  made: null, // the take that was made last: see speak/take.js
  take: null, // the one in the player
  playing: false,
  needsKey: false, // or an object, of its own each time that the person is to be asked for a key, or for another
  theme: "auto",
};

/** Whether the text is so long that it becomes a book: a job of the server, which whoever may write sees. */
export const isBook = ({ text, mayWrite }) => Boolean(mayWrite) && text.length > BOOK_CHARS;

/** The states of an utterance that is not over. */
export const GOING = ["waiting", "speaking"];

/** Another seed for what is spoken next, unless it is locked. */
export function drawSeed(store) {
  const { options } = store.get();
  if (!options.seedLocked) store.set({ options: { ...options, seed: drawnSeed() } });
}

/** At most six digits: one that a person can say and type. */
export function drawnSeed() {
  return Math.floor(Math.random() * 1_000_000);
}

// A voice's moods are other recordings of it: `me:glad` is the voice me in its mood glad.

const SIGN = ":";

export const inMood = (index, mood) => (mood ? index + SIGN + mood : index);

/** The voice's own name, of one that may be in a mood. */
export const voiceOf = (name) => name?.split(SIGN)[0] ?? null;

export const moodsOf = ({ moods = [] }) => moods.map(({ name }) => name);

/** The names of everything that can speak, in the order of the list. */
export const speakersOf = (voices) =>
  (voices ?? []).flatMap((voice) => ["", ...moodsOf(voice)].map((mood) => inMood(voice.index, mood)));

/** The notes about a voice that have choices; the server finds the language in the words where none is noted. */
export const CHOICES = { language: ["zh", "en"], gender: ["none", "female", "male", "other"] };
export const notedOf = (voice) => Object.keys(CHOICES).filter((note) => note !== "language" && voice[note]);

// Options, in English: loaded when they are opened.

export default {
  "control.seed": "Seed",
  "control.seed.hint": "The same text, voice and options with the same seed sound the same.",
  "control.dice": "Draw another seed",
  "control.lock": "Keep this seed; unlocked, each press of Speak draws another",
  "control.speed": "Speed",
  "control.speed.hint": "Faster or slower at the same pitch.",
  "control.duration": "Duration",
  "control.duration.hint":
    "In seconds, in place of a speed; empty: as long as it takes. The sound then comes when it is whole. Not for books.",
  "control.fit": "If it does not fit",
  "control.fit.hint": "What happens when the duration would sound unnaturally fast or slow.",
  "control.fit.refuse": "Say which durations do",
  "control.fit.pad": "If short, add silence",
  "control.fit.cut": "If long, end at a word",
  "control.loudness": "Loudness",
  "control.loudness.hint":
    "In LUFS, -31 to -14: -16 for podcasts, -23 for broadcasts; empty: as it comes. Of saved books too.",
  "control.sampleRate": "Sample rate",
  "control.sampleRate.hint": "24 and 32 kHz have a vocoder each; the others are resampled from 24 kHz.",
  "control.format": "Format",
  "control.format.hint":
    "Of the file that Save makes, and of copied commands. μ-law and A-law are for telephones: 8 kHz.",
  "control.sampleMethod": "Sampling",
  "control.sampleMethod.hint": "How the model chooses among likely sounds.",
  "control.sampleMethod.ras": "Repetition-aware",
  "control.sampleMethod.topk": "Top k",
  "control.sampling": "k",
  "control.sampling.hint": "Of how many sounds top k chooses one, 1 to 100.",
  "control.beamSize": "Candidates",
  "control.beamSize.hint":
    "So many are made side by side, and the likeliest is kept, 1 to 5. More take longer.",
  "control.usePhoneme": "Phoneme mode",
  "control.usePhoneme.hint": "Polyphones and rare characters go to the model with their reading.",
  "control.verify": "Have it heard",
  "control.verify.hint":
    "A recogniser on the server writes down what it hears and compares it with the text. In a book, pieces with other words are spoken anew.",
  "control.reset": "Back to the defaults",
};

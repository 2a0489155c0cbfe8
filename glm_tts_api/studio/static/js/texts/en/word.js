// What is said in the panel that asks for a reading, in English.

export default {
  "control.wordIsSaid": "How is “{word}” said? A tone stands behind each syllable.",
  "control.englishIsSaid": "How is “{word}” said? Write it as it sounds: engine x for nginx.",
  "control.noWord": "Put the cursor into a word, or select one, then press Pronounce again.",
  "control.apply": "Apply",
  "control.unmark": "As usual",
  "control.cancel": "Cancel",
};

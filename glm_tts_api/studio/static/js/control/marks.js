// The marks that a text may have for pauses, voices and readings (docs/pronunciation.md). Positions are those of
// JavaScript's strings.

const MARK = /\[\[([^[\]|\n]+)\|([^[\]|\n]*)\]\]/g;
const UNMARKABLE = /[[\]|\n]/;

/**
 * The word that a selection means, or the caret in it: `{start, end, word, reading}`, where `start` and `end` hold
 * the whole mark if it has one already. null where there is none.
 */
export function wordAt(text, start, end, language) {
  const mark = [...text.matchAll(MARK)].find((m) => m.index <= start && end <= m.index + m[0].length);
  if (mark) {
    return { start: mark.index, end: mark.index + mark[0].length, word: mark[1], reading: mark[2] };
  }
  const span = start === end ? segmentAt(text, start, language) : trimmed(text, start, end);
  const word = span && text.slice(...span);
  if (!word || UNMARKABLE.test(word)) return null;
  return { start: span[0], end: span[1], word, reading: "" };
}

function segmentAt(text, caret, language) {
  // Its line is enough, and a text may be long.
  const begin = text.lastIndexOf("\n", caret - 1) + 1;
  const line = text.slice(begin).split("\n", 1)[0];
  const words = [...new Intl.Segmenter(language, { granularity: "word" }).segment(line)]
    .filter(({ isWordLike }) => isWordLike)
    .map(({ index, segment }) => [begin + index, begin + index + segment.length]);
  // The caret may stand right behind the word: that is where typing leaves it.
  return words.find(([from, to]) => from <= caret && caret < to) ?? words.find(([, to]) => to === caret);
}

function trimmed(text, start, end) {
  const selected = text.slice(start, end);
  const from = start + selected.length - selected.trimStart().length;
  return [from, from + selected.trim().length];
}

export function readingMark(word, reading) {
  return `[[${word}|${reading.trim()}]]`;
}

export function pauseMark(seconds) {
  return `[[pause ${seconds}]]`;
}

export function voiceMark(name) {
  return `[[voice ${name}]]`;
}

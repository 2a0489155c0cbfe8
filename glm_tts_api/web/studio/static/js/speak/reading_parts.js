// Where in the segments that will be spoken lie the places that are said otherwise than they are written.
//
// The server says where a change stands in the written text, and gives the segments in spoken words. Between two
// changes both have the same words, and differ in marks, width and case at most: so as many letters and digits
// as lie between two changes are passed over in the segments.

const WORD_CHAR = /[\p{L}\p{N}]/u;

const count = (text) => Array.from(text).filter((char) => WORD_CHAR.test(char)).length;

/**
 * The segments of a reading (POST /text/normalize), each a list of parts: `{ text }`, or `{ said, written, rule }`
 * for a change; what is dropped has an empty `said`.
 */
export function readingParts({ marked, segments, changes }) {
  const written = Array.from(marked);
  const walk = createWalk(segments.map((segment) => Array.from(segment.text)));
  let at = 0;
  for (const change of changes) {
    walk.pass(count(written.slice(at, change.start).join("")));
    walk.mark(count(change.said), change);
    at = change.start + Array.from(change.written).length;
  }
  return walk.rest();
}

/** Goes through the segments' characters, and cuts them into parts. */
function createWalk(segments) {
  const parts = segments.map(() => []);
  let i = 0; // segment
  let from = 0; // where the part that is being collected begins
  let at = 0;

  const flush = () => {
    if (at > from) parts[i].push({ text: segments[i].slice(from, at).join("") });
    from = at;
  };
  const nextSegment = () => {
    flush();
    i += 1;
    from = at = 0;
  };
  /** Moves on until just behind the nth letter or digit, at most to the end of this segment. Returns how many. */
  const step = (n) => {
    let nPassed = 0;
    while (nPassed < n && at < segments[i].length) nPassed += WORD_CHAR.test(segments[i][at++]) ? 1 : 0;
    return nPassed;
  };
  const skipMarks = () => {
    while (at < segments[i].length && !WORD_CHAR.test(segments[i][at])) at += 1;
  };
  const atEnd = () => i >= segments.length - 1 && at >= (segments[i]?.length ?? 0);

  return {
    pass(n) {
      while (n > 0 && !atEnd()) {
        n -= step(n);
        if (n > 0 && i < segments.length - 1) nextSegment();
      }
    },
    /** The next n are what a change says; where a segment ends among them, the rest is the next one's. */
    mark(n, { written, rule }) {
      if (n === 0) {
        flush();
        parts[i]?.push({ said: "", written, rule });
      }
      let left = n;
      while (left > 0 && !atEnd()) {
        skipMarks();
        flush();
        const nSaid = step(left);
        if (nSaid)
          parts[i].push({
            said: segments[i].slice(from, at).join(""),
            written: left === n ? written : "",
            rule,
          });
        left -= nSaid;
        from = at;
        if (left > 0 && i < segments.length - 1) nextSegment();
      }
    },
    rest() {
      for (; i < segments.length; i += 1, from = 0) {
        at = segments[i].length;
        flush();
      }
      return parts;
    },
  };
}

// What a recogniser hears.

export default {
  "hearing.ok": "Heard as it is written.",
  "hearing.drift": "Segment {n} should say “{said}”, but “{heard}” is heard.",
  "hearing.inconclusive":
    "Segment {n} should say “{said}”. The recogniser is not sure, and writes “{heard}”.",
};

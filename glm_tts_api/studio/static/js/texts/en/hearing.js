// What a recogniser hears.

export default {
  "hearing.verify": "Have it heard",
  "hearing.verify.hint":
    "A recogniser on the server writes down what it hears and compares it with the text. In a book, pieces with other words are spoken anew.",
  "hearing.ok": "Heard as it is written.",
  "hearing.drift": "Segment {n} should say “{said}”, but “{heard}” is heard.",
  "hearing.inconclusive":
    "Segment {n} should say “{said}”. The recogniser is not sure, and writes “{heard}”.",
};

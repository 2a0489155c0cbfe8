"""The published rules (docs/model.md 9.1), with their mistakes: the model was trained on texts that they
read."""

from __future__ import annotations

from collections.abc import Iterable

from speech_text import signs
from speech_text.cut.pieces import Check, sentences, unwatched
from speech_text.places import Placed
from speech_text.published import steps
from speech_text.published.chinese import published_chinese
from speech_text.published.english import published_english
from speech_text.wetext import TextNormalizer


class PublishedRules:
    def __init__(self, chinese: TextNormalizer, english: TextNormalizer) -> None:
        self._chinese = chinese
        self._english = english

    def forget(self) -> None:
        """Empties the transducers' caches of earlier results."""
        self._chinese.forget()
        self._english.forget()

    def fold(self, text: Placed) -> Placed:
        """Returns `text` without halves of surrogate pairs; the published rules read all other characters."""
        return text.sub("[\ud800-\udfff]", "")

    def speak(
        self,
        text: Placed,
        replacements: Iterable[tuple[str, str]],
        check: Check = unwatched,
        _transcript: str = "",
    ) -> Placed:
        """Returns `text` as it is spoken: its numbers and signs are written as words. Returns a full stop if
        nothing is left to speak. `replacements` are the user's pairs of old and new text, which hold in
        Chinese text alone. `check` is called before each piece of the text."""
        text = steps.part_hyphenated_words(steps.drop_emoji(steps.join_lines(text)))
        if signs.has_hanzi(text.text):
            words = published_chinese(
                text, lambda part: spoken_in_pieces(self._chinese, part, check), replacements
            ).lower()
        else:
            words = published_english(text, lambda part: spoken_in_pieces(self._english, part, check))
        return signs.closed(steps.tidy_spaces(words))

    def speak_segment(self, segment: Placed, replacements: Iterable[tuple[str, str]]) -> Placed:
        """Reads `segment`, a part of a result of `speak`, a second time, as the published front end does
        (docs/model.md 9)."""
        return self.speak(segment, replacements)


def spoken_in_pieces(normalizer: TextNormalizer, text: Placed, check: Check = unwatched) -> Placed:
    """Returns `text` as `normalizer` reads it, piece by piece. `check` is called before each piece. A piece
    that the normaliser cannot read stays as it is."""
    spoken = list[Placed]()
    for piece in text.parts(sentences(text.text, max_digits=normalizer.max_digits)):
        check()
        words = normalizer(piece.text)
        if words is not None:  # the English transducers drop outer spaces, which would join two words
            first = " " * (piece.text.startswith(" ") and bool(spoken) and not words.startswith(" "))
            last = " " * (piece.text.endswith(" ") and not words.endswith(" "))
            piece = piece.rewritten(first + words + last)
        spoken.append(piece)
    return Placed.join(spoken)

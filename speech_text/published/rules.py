"""The published rules (docs/model.md 9.1), with their mistakes: the model was trained on texts that they
read."""

from __future__ import annotations

import re
from collections.abc import Iterable

import emoji

from speech_text import signs
from speech_text.cut.pieces import Check, sentences, unwatched
from speech_text.places import Edit, Placed
from speech_text.published.chinese import published_chinese
from speech_text.published.english import published_english
from speech_text.wetext import TextNormalizer

_LINE_ENDS = ".!?;:。！？；，"


class PublishedRules:
    def __init__(self, chinese: TextNormalizer, english: TextNormalizer) -> None:
        self._chinese = chinese
        self._english = english

    def forget(self) -> None:
        """Empties the transducers' caches of earlier results."""
        self._chinese.remembered.cache_clear()
        self._english.remembered.cache_clear()

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
        text = _join_lines(text)
        found = emoji.emoji_list(text.text)
        text = text.edited(Edit(one["match_start"], one["match_end"], "") for one in found)
        text = text.sub("(?<=[a-zA-Z])-(?=[a-zA-Z])", " ")
        if signs.has_hanzi(text.text):
            words = published_chinese(
                text, lambda part: spoken_in_pieces(self._chinese, part, check), replacements
            ).lower()
        else:
            words = published_english(text, lambda part: spoken_in_pieces(self._english, part, check))
        # A space stays between two ASCII letters or digits, and before one of them behind a mark.
        words = words.sub(" +", " ").sub("(?<![A-Za-z0-9.,!?;:]) | (?![A-Za-z0-9])", "")
        return signs.closed(words)

    def speak_segment(self, segment: Placed, replacements: Iterable[tuple[str, str]]) -> Placed:
        """Reads `segment`, a part of a result of `speak`, a second time, as the published front end does
        (docs/model.md 9)."""
        return self.speak(segment, replacements)


def _join_lines(text: Placed) -> Placed:
    """Writes the dot of a list number at the start of `text` as 。, and turns a written-out newline
    (backslash and n) into a line end. Then joins the lines that are not empty. A line that does not end with
    a mark gets a full stop."""
    text = text.sub(r"^(\d+)\. ", r"\1。").sub(r"\\n", "\n")
    closed = []
    for found in re.finditer(r"\S(?:.*\S)?", text.text):
        end = "" if found[0][-1] in _LINE_ENDS else "。" if signs.has_hanzi(found[0]) else ". "
        closed.append(text[slice(*found.span())].sub(r"\Z", end))
    return Placed.join(closed, "" if signs.has_hanzi(text.text) else " ")


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

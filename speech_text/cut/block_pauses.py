"""The seconds of silence after a block of a text (a heading, paragraph, list item or line of verse).

Fast readers of Lithuanian pause 0.4 to 1.34 s between paragraphs and 0.2 to 0.98 s between sentences; slow
readers pause 0.75 to 1.8 s and 0.34 to 1.36 s (Kazlauskienė and Kalašinskaitė 2020,
doi:10.15388/RESPECTUS.2019.37.42.37). A part that stands higher in the structure of a text has a longer pause
after it (den Ouden, Noordman and Terken 2009, doi:10.1016/j.specom.2008.06.003).

Here the pause after a paragraph is within the range of both groups. The pauses after an item and a verse,
and between two pieces of a block, are within the range for sentences. The pauses after a heading and a
chapter are longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from speech_text.blocks import ENDED, VERSE, BlockKind, columns, paragraphs

_CLOSING = "\"'”’)]）】」』》*_ "
_SENTENCE_ENDS = tuple("。！？!?….")
_CLAUSE_ENDS = tuple("，、；：,;:—–")


@dataclass(frozen=True, slots=True)
class Pauses:
    """Seconds of silence after a block of each kind. `sentence` is the pause between two pieces of one
    block, where the first piece ends with a sentence. `chapter` is the pause after the last block of a
    chapter."""

    heading: float = 1.0
    paragraph: float = 0.8
    item: float = 0.5
    verse: float = 0.4
    sentence: float = 0.4
    chapter: float = 2.0
    LONGEST_S: ClassVar = 10.0

    def after(self, kind: BlockKind, *, ends_chapter: bool = False) -> float:
        return self.chapter if ends_chapter else float(getattr(self, kind))

    def within(self, piece: str) -> float:
        """Returns the seconds of pause after `piece`, which is a part of a block and not its last. The pause
        is `sentence` after the end of a sentence and half of `sentence` after the end of a clause. The pause
        is 0 where the block was cut between words."""
        end = piece.rstrip().rstrip(_CLOSING)
        if end.endswith(_SENTENCE_ENDS):
            return self.sentence
        return self.sentence / 2 if end.endswith(_CLAUSE_ENDS) else 0.0

    def behind(self, piece: str) -> float:
        """Returns the seconds of pause after `piece`, which is one piece of a text that arrives in pieces.
        The pause is the one that follows the last block of `piece` in a text that is read at once.

        The pause is 0 if `piece` does not end with a line end, if it has no letter, digit or Hanzi, and if
        its last line ends with a mark [[...]]. It is also 0 after a line of at most 50 columns without
        punctuation at its end, unless a blank line follows, since such a line is probably verse.
        """
        said = piece.rstrip()
        n_ends = piece.count("\n", len(said))
        blocks = list(paragraphs(said))
        if not n_ends or not blocks or said.endswith("]]"):
            return 0.0
        last = blocks[-1]
        is_prose = last.kind in ("heading", "item") or columns(last.text) > VERSE or ENDED.search(last.text)
        return self.after(last.kind) if is_prose or n_ends > 1 else 0.0

"""The silence behind a block of a text, by its kind.

Readers of Lithuanian pause 0.4 to 1.34 s between paragraphs and 0.2 to 0.98 s between sentences if they are
fast, 0.75 to 1.8 s and 0.34 to 1.36 s if they are slow (Kazlauskienė and Kalašinskaitė 2020,
doi:10.15388/RESPECTUS.2019.37.42.37). The pause is the longer the higher a part stands in the text (den
Ouden, Noordman and Terken 2009, doi:10.1016/j.specom.2008.06.003). The pause of a paragraph is within the
range of both groups, those of an item and of a verse are within that of sentences; a heading's and a
chapter's are set above them. The pause between two pieces of a block is within the range of sentences.
"""

from __future__ import annotations

from dataclasses import dataclass

from glm_tts_api.text.cut.paragraphs import ENDED, VERSE, BlockKind, columns, paragraphs

LONGEST_S = 10.0
_CLOSING = "\"'”’)]）】」』》*_ "
_SENTENCE_ENDS = tuple("。！？!?….")
_CLAUSE_ENDS = tuple("，、；：,;:—–")


@dataclass(frozen=True, slots=True)
class Pauses:
    """Seconds behind a block of each kind; `sentence`: between two pieces of one block, which end with a
    sentence; `chapter`: behind the last block of a chapter."""

    heading: float = 1.0
    paragraph: float = 0.8
    item: float = 0.5
    verse: float = 0.4
    sentence: float = 0.4
    chapter: float = 2.0

    def after(self, kind: BlockKind, *, ends_chapter: bool = False) -> float:
        return self.chapter if ends_chapter else float(getattr(self, kind))

    def within(self, piece: str) -> float:
        """Behind a `piece` of a block that goes on: half of `sentence` where it ends with a clause, nothing
        where it was cut between words."""
        end = piece.rstrip().rstrip(_CLOSING)
        if end.endswith(_SENTENCE_ENDS):
            return self.sentence
        return self.sentence / 2 if end.endswith(_CLAUSE_ENDS) else 0.0


def pause_behind(piece: str) -> float:
    """Behind a piece of a text that comes in pieces, by the block that ends with its line: as in a text that
    is there as a whole. A short line without a mark at its end, with no blank line behind, is taken for
    verse, which goes on; a mark at the end is taken for a pause of its own."""
    said = piece.rstrip()
    n_ends = piece.count("\n", len(said))
    blocks = list(paragraphs(said))
    if not n_ends or not blocks or said.endswith("]]"):
        return 0.0
    last = blocks[-1]
    is_prose = last.kind in ("heading", "item") or columns(last.text) > VERSE or ENDED.search(last.text)
    return Pauses().after(last.kind) if is_prose or n_ends > 1 else 0.0

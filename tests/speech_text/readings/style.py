"""Sentences of other projects' sets, which know one style of reading: differences of style do not count."""

from __future__ import annotations

import re
from pathlib import Path

from tests.speech_text.readings.accepted import Sentence, sentences

_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_ONES = "one|two|three|four|five|six|seven|eight|nine"
_TENS = "ten|eleven|twelve|twenty|fourteen|forty|(?:thir|fif|six|seven|eigh|nine)t(?:een|y)"
_HANZI = str.maketrans("幺两〇号至", "一二零日到", "杠")
_TITLES = {"mr": "mister", "mrs": "missus", "dr": "doctor", "st": "saint", "no": "number", "vol": "volume"}
_STYLE = (  # patterns, each with what stands for all of its matches
    ("零下|减", "负"),
    ("大约", "约"),
    (rf"\bthe (\w+(?: \w+)?) of ({_MONTHS})\b", r"\2 \1"),
    (rf"\b({'|'.join(_TITLES)})\b", lambda title: _TITLES[title[1]]),
    (r"\b(\w+)our(s|ed|ing|ite|ites|able)?\b", r"\1or\2"),
    ("(cent|met|lit)re", r"\1er"),
    ("(dollar|kilometer)s", r"\1"),
    (r"\bnegative\b", "minus"),
    (r"\boh?\b", "zero"),
    (r"\bzero point\b", "point"),
    ("[-‐–—]", " "),
    (r"\b(?:and|the|a|an|oclock|dash|br)\b", " "),
    (rf"\btwo\s+thousand\s+(?=(?:{_TENS})\b)", "twenty "),
    (rf"\btwo\s+thousand\s+(?=(?:{_ONES})\b)", "twenty zero "),
    (r"摄氏|\W", ""),
)


class PublicSentence(Sentence):
    def is_read_well(self, spoken: str) -> bool:
        several = re.fullmatch(r"\(([^(]*)\)", self.accepted)
        accepted = several[1].split("|") if several else [self.accepted]
        return without_style(spoken) in map(without_style, accepted) or super().is_read_well(spoken)


def public_sentences(path: Path) -> list[PublicSentence]:
    """The sentences of a public set that have a letter or Hanzi. Their kind is the name of the set."""
    return [
        PublicSentence(path.stem, one.language, one.domain, one.text, one.accepted)
        for one in sentences(path)
        if re.search("[A-Za-z\u4e00-\u9fff]", one.text)
    ]


def without_style(text: str) -> str:
    """`text` without case, marks, spaces and `and`, and with one way to write a word, to order a date,
    and to say a year, zero, one or a minus."""
    text = text.lower().translate(_HANZI)
    for pattern, same in _STYLE:
        text = re.sub(pattern, same, text)
    return text

"""Text in the teacher's letters, with the place of each letter in the text.

English is read by espeak-ng clause by clause, in the letters that misaki maps it to; Mandarin by jieba and
pypinyin, syllable by syllable, in misaki's letters.
"""

import re
import subprocess
from collections.abc import Container
from dataclasses import dataclass

_ENGLISH = {
    "ʔˌn\u0329": "ʔn", "ʔn\u0329": "ʔn", "a^ɪ": "I", "a^ʊ": "W", "d^ʒ": "ʤ", "e^ɪ": "A", "t^ʃ": "ʧ",
    "ɔ^ɪ": "Y", "ə^l": "ᵊl", "ʲo": "jo", "ʲə": "jə", "e": "A", "ʲ": "",
    "ɚ": "əɹ", "r": "ɹ", "x": "k", "ç": "k", "ɐ": "ə",
    "ɬ": "l", "\u0303": "",
}  # fmt: skip
_ENGLISH_AFTER = (
    ("o^ʊ", "O"), ("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ɪə", "iə"), ("ː", ""), ("o", "ɔ"), ("ɾ", "T"), ("ʔ", "t"),
    ("^", ""),
)  # fmt: skip
_MARKS = {"，": ",", "。": ".", "、": ",", "？": "?", "！": "!", "：": ":", "；": ";"}
_CLAUSE = re.compile(r"[^,.;:!?，。、？！：；]+|[,.;:!?，。、？！：；]+")
PAUSES = ",.;:!?"


@dataclass(frozen=True)
class Reading:
    """`places`: (index of a letter, index of the character that starts there), both rising."""

    letters: str
    places: tuple[tuple[int, int], ...]


class Reader:
    """Reads normalised text: words, no figures. `alphabet`: the letters that the teacher knows."""

    def __init__(self, alphabet: Container[str]) -> None:
        self._alphabet = alphabet

    def read(self, text: str, language: str) -> Reading:
        """`language`: "en" or "zh"."""
        letters, places = "", []
        for clause in _CLAUSE.finditer(text):
            part = clause[0]
            if part[0] in PAUSES or part[0] in _MARKS:
                places.append((len(letters), clause.start()))
                letters += _MARKS.get(part[0], part[0]) + " "
                continue
            for spoken, place in (_english if language == "en" else _mandarin)(part):
                known = "".join(letter for letter in spoken if letter in self._alphabet)
                if place is not None:
                    places.append((len(letters), clause.start() + place))
                letters += known
        return Reading(letters.rstrip(), tuple(places))


def _english(clause: str) -> list[tuple[str, int | None]]:
    """Words in letters with their places. espeak-ng joins some: then only the clause's start is known."""
    words = [(word[0], word.start()) for word in re.finditer(r"\S+", clause)]
    if not words:
        return []
    done = subprocess.run(
        ["espeak-ng", "-q", "-v", "en-us", "--ipa", "--tie=^"],
        input=clause.strip(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    spoken = [english_letters(word) for word in done.stdout.split()]
    places: list[int | None] = [place for _, place in words]
    if len(spoken) != len(words):
        places = [words[0][1], *[None] * (len(spoken) - 1)]
    joined = [word + " " * (i + 1 < len(spoken)) for i, word in enumerate(spoken)]
    return list(zip(joined, places, strict=True))


def english_letters(ipa: str) -> str:
    """espeak-ng's IPA with ties as ^, in the teacher's letters."""
    for old in sorted(_ENGLISH, key=len, reverse=True):
        ipa = ipa.replace(old, _ENGLISH[old])
    ipa = re.sub("(\\S)\u0329", r"ᵊ\1", ipa).replace("\u0329", "")
    for old, new in _ENGLISH_AFTER:
        ipa = ipa.replace(old, new)
    return ipa


def _mandarin(clause: str) -> list[tuple[str, int | None]]:
    """Syllables in letters, a space after each word."""
    import jieba
    from misaki.zh import ZHG2P
    from pypinyin import Style, lazy_pinyin

    result: list[tuple[str, int | None]] = []
    place = 0
    for word in jieba.cut(clause):
        syllables = lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True)
        if len(syllables) == len(word):
            spoken = [ZHG2P.py2ipa(syllable) for syllable in syllables]
            result += [(letters + " " * (i + 1 == len(word)), place + i) for i, letters in enumerate(spoken)]
        place += len(word)
    if result:
        letters, last = result[-1]
        result[-1] = (letters.rstrip(), last)
    return result

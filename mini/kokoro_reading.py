"""Converts text to Kokoro's letters (phoneme symbols), with the place in the text at which they begin.

espeak-ng reads English clause by clause; its IPA is mapped to letters as the package misaki does. jieba and
pypinyin read Mandarin syllable by syllable, in misaki's letters.
"""

import re
import subprocess
from collections.abc import Container, Iterator
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
    """A text in Kokoro's letters.

    `places` holds pairs (index of a letter, index of the text's character that begins there), in rising
    order.
    """

    letters: str
    places: tuple[tuple[int, int], ...]


class Reader:
    """Converts normalised text (words, no figures) to letters.

    `alphabet` has the letters that Kokoro knows.
    """

    def __init__(self, alphabet: Container[str]) -> None:
        self._alphabet = alphabet

    def read(self, text: str, language: str) -> Reading:
        """Converts `text` to letters, and returns them with their places in the text.

        `language` is "en" or "zh". Letters that are not in the alphabet are left out.
        """
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
    """Returns (letters, place) for each English word of a clause.

    espeak-ng joins some words. In such a clause only the place of the first word is known, and the other
    places are None.
    """
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
    """Converts espeak-ng's IPA, in which a tie is written as ^, to Kokoro's letters."""
    for old in sorted(_ENGLISH, key=len, reverse=True):
        ipa = ipa.replace(old, _ENGLISH[old])
    ipa = re.sub("(\\S)\u0329", r"ᵊ\1", ipa).replace("\u0329", "")
    for old, new in _ENGLISH_AFTER:
        ipa = ipa.replace(old, new)
    return ipa


def _mandarin(clause: str) -> list[tuple[str, int | None]]:
    """Returns (letters, place) for each Mandarin syllable of a clause.

    A word's last syllable ends with a space.
    """
    from misaki.zh import ZHG2P

    result: list[tuple[str, int | None]] = []
    for place, syllables in _words(clause):
        spoken = [ZHG2P.py2ipa(syllable) for syllable in syllables]
        result += [(letters + " " * (i + 1 == len(spoken)), place + i) for i, letters in enumerate(spoken)]
    if result:
        letters, last = result[-1]
        result[-1] = (letters.rstrip(), last)
    return result


def _words(clause: str) -> Iterator[tuple[int, list[str]]]:
    """Yields (place, pinyin syllables with tone numbers) for each word whose readings are known."""
    import jieba
    from pypinyin import Style, lazy_pinyin

    place = 0
    for word in jieba.cut(clause):
        syllables = lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True)
        if len(syllables) == len(word):
            yield place, syllables
        place += len(word)


def character_tones(text: str) -> dict[int, int]:
    """Returns the tone (1 to 5) of each Mandarin character, by the character's index in the text."""
    return {
        clause.start() + place + i: int(syllable[-1])
        for clause in _CLAUSE.finditer(text)
        if clause[0][0] not in PAUSES and clause[0][0] not in _MARKS
        for place, syllables in _words(clause[0])
        for i, syllable in enumerate(syllables)
        if syllable[-1].isdigit()
    }

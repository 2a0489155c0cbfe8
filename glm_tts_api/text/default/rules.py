"""The default rules: the published path, put right where a listener would call it wrong (docs/text.md).

Every line is read in its own language; only pieces that have figures in them go through the transducers, some
hundred characters at a time, so that a long text neither takes long nor holds other threads up.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from glm_tts_api.text import marks
from glm_tts_api.text.chinese import replace_words, spell_first_power, tidy_chinese
from glm_tts_api.text.default.characters import clean
from glm_tts_api.text.default.chinese_rules import normalize_chinese
from glm_tts_api.text.default.english_rules import normalize_english
from glm_tts_api.text.default.lines import spoken_lines
from glm_tts_api.text.default.spelling import CHINESE_DIGITS
from glm_tts_api.text.english import spell_digits
from glm_tts_api.text.pieces import Check, pieces, unwatched
from glm_tts_api.text.wetext import TextNormalizer, latin_units, simplified_characters

_MAX_PART = 1000  # characters of a line that go through the tables of rules at once
_FIGURES = re.compile(r"[0-9$€£¥￥%℃]")
_ENGLISH_FIGURES = re.compile(r"[0-9$€£¥￥%]|[A-Z]{2}|\w[./]\w")
_HALF_WIDTH = str.maketrans("！？", "!?")  # as the transducer leaves them, and the model heard them
_PARTING, _INNER_APOSTROPHE = "\ue000", "\ue001"  # private characters, which no cleaned text has
_COUNTED_WORD = re.compile(r"(\d%?)( ?[A-Za-z]{2,})")
_KEPT_MARKS = set("，。？?.,!！:;'")
_EXCITED = re.compile("[!！?？]+")
_APOSTROPHE = re.compile(r"(?<![^\W\d_])'|'(?![^\W\d_])")


class DefaultRules:
    def __init__(self, chinese: TextNormalizer, english: TextNormalizer) -> None:
        self._chinese = chinese
        self._english = english
        self._simplified = simplified_characters()
        self._units = latin_units()

    def fold(self, text: str) -> str:
        """`text` in plain characters."""
        return clean(text)

    def speak(self, text: str, replacements: Iterable[tuple[str, str]], check: Check = unwatched) -> str:
        """A folded text in words; `check` is called between two pieces of it."""
        lines = spoken_lines(replace_words(text, replacements))
        chinese = any(marks.has_hanzi(line) for line in lines)
        spoken = []
        for line in lines:
            in_chinese = marks.has_hanzi(line) or (chinese and not _has_words(line))
            read = self._read_chinese if in_chinese else self._read_english
            spoken.append("".join(read(part, check) for part in pieces(line, _MAX_PART, _MAX_PART)))
        return _finish(("" if chinese else " ").join(spoken))

    def _read_chinese(self, line: str, check: Check) -> str:
        text = normalize_chinese(spell_first_power(line).translate(self._simplified), check)
        text = _COUNTED_WORD.sub(self._parted, text)
        text = "".join(_normalized(self._chinese, _FIGURES, text, check))
        text = text.translate(CHINESE_DIGITS).translate(_HALF_WIDTH)
        text = re.sub(r"(?<=[A-Za-z])'(?=[A-Za-z])", _INNER_APOSTROPHE, text)
        text = re.sub(r"[()\[\]{}\"“”'](?=[A-Za-z0-9])", " ", text)
        return tidy_chinese(text).replace(_PARTING, "").replace(_INNER_APOSTROPHE, "'")

    def _read_english(self, line: str, check: Check) -> str:
        # The transducer takes the typographic apostrophe only.
        text = normalize_english(line, check).replace("'", "’")
        text = "".join(_normalized(self._english, _ENGLISH_FIGURES, text, check, after=" ")).replace("’", "'")
        text = re.sub(r"\d+", lambda run: f" {spell_digits(run.group())} ", text)
        text = text.replace("-", " ").replace("²", " squared").replace("³", " cubed")
        return re.sub(r"(?:(?<!\s)\s+)?([.,!?:;…])\s*", r"\1 ", text.replace("…", ". "))

    def _parted(self, counted: re.Match[str]) -> str:
        """ "5 mango" must not become five metres and an ango."""
        word = counted[2].strip()
        is_unit = word in self._units or word.lower() in self._units or word[1:] in self._units
        return counted.group() if is_unit else counted[1] + _PARTING + counted[2]


def _normalized(
    normalizer: TextNormalizer, figures: re.Pattern[str], text: str, check: Check, *, after: str = ""
) -> Iterator[str]:
    """Piece by piece; only those that have `figures` in them go through the transducer, and have `after`
    behind them."""
    for piece in pieces(text, max_digits=normalizer.max_digits):
        if figures.search(piece):
            check()
            spoken = normalizer(piece)
            piece = (piece if spoken is None else spoken) + after
        yield piece


def _has_words(line: str) -> bool:
    return sum(char.isalpha() for char in line) > 1


def _finish(text: str) -> str:
    """Lower case, speakable characters and plain marks only, spaces between words that need them."""
    text = _APOSTROPHE.sub(" ", text.lower())
    text = "".join(char if _is_kept(char) else " " for char in text)
    text = re.sub(r"\s+", " ", unicodedata.normalize("NFC", text))
    text = re.sub("(?<=[\u4e00-\u9fff。，？！]) | (?=[\u4e00-\u9fff。，？！.,!?:;])", "", text).strip()
    text = _EXCITED.sub(lambda run: "?" if set(run.group()) & {"?", "？"} else run.group(), text)
    return marks.close_sentence(marks.tidy_punctuation(text).lstrip(marks.PUNCTUATION + " "))


def _is_kept(char: str) -> bool:
    return char.isalnum() or char in _KEPT_MARKS or unicodedata.category(char).startswith("M")

"""The default rules: the published path, put right where a listener would call it wrong (docs/text.md).

Every line is read in its own language, by that language's table of rules.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from itertools import groupby

from glm_tts_api.text import signs
from glm_tts_api.text.changes import Use
from glm_tts_api.text.chinese import replace_words, tidy_chinese
from glm_tts_api.text.cut.pieces import Check, pieces, unwatched
from glm_tts_api.text.default.characters import clean
from glm_tts_api.text.default.chinese.rules import RULES as CHINESE
from glm_tts_api.text.default.english.rules import RULES as ENGLISH
from glm_tts_api.text.default.english.short_forms import SHORT_FORMS
from glm_tts_api.text.default.figures import Figures
from glm_tts_api.text.default.lines import spoken_lines
from glm_tts_api.text.default.spelling import CHINESE_DIGITS
from glm_tts_api.text.default.table import Rule, alternatives, apply_rules
from glm_tts_api.text.english import spell_digits
from glm_tts_api.text.wetext import simplified_characters

_MAX_PART = 1000  # characters of a line that go through the tables of rules at once
_HEARD = str.maketrans("!？", "！?")  # in Chinese the model was given ? as it is, and 。 for each ！
_INNER_APOSTROPHE = "\ue001"  # a private character, which no cleaned text has
_CHINESE_MARKS = re.compile("[，。、；：？！]")
_WORD = re.compile(
    r"(?!(?<![a-z])(?:sin|cos|tan|cot|log|lim|max|min|exp|mod)x?(?![a-z]))[^\W\d_A-Z²³¹⁰-⁹]{3}|[A-Z][a-z]"
)
_FOREIGN = re.compile("[^\u4e00-\u9fff，。、；：？！“”《》（）\n]{8,400}")
_SENTENCE = re.compile(
    r"\b(?:the|a|an|is|are|was|were|am|has|have|had|will|would|can|do|does|did|to|of|in|at|on|for|with|my|your|his|her"
    r"|its|our|their|this|that|I|I'm|you|we|they|it|It|he|she|The|You|We|They|He|She|This|There|My)"
    r" (?=[A-Za-z]{2}|\d)"
)
_DOUBTFUL = re.compile("[^\\w，。？?.,!！:;' ]|_")  # neither a letter nor a digit nor a mark that stays
_CHINESE_SENTENCE = re.compile("[^。！？；]*[。！？；]*")
_PLAIN_CHINESE = re.compile("[\u4e00-\u9fffa-z，。、？！：；“”《》 ]*")
_ENGLISH_SENTENCE = re.compile("(?<=[a-z]{5}[.!?] )(?=[A-Z])")
_PLAIN_ENGLISH = re.compile("[A-Za-z ,;:']*[.!?]?[ ]*")
_SHORTENED = re.compile(rf"[A-Z]{{2}}|(?i:\b(?:[ivx]{{1,5}}|{alternatives(SHORT_FORMS)})\b)")
_MARKS = re.compile(f"[{re.escape(signs.PUNCTUATION)}]{{2,}}")
_APOSTROPHE = re.compile(r"(?<![^\W\d_])'|'(?![^\W\d_])")


class DefaultRules:
    def __init__(self) -> None:
        self._simplified = simplified_characters()

    def forget(self) -> None:
        """These rules remember nothing."""

    def fold(self, text: str) -> str:
        """`text` in plain characters."""
        return clean(text)

    def speak(
        self, text: str, replacements: Iterable[tuple[str, str]], uses: list[Use], check: Check = unwatched
    ) -> str:
        """A folded text in words; `check` is called between two pieces of it. Each use of a rule is added to
        `uses`."""
        lines = spoken_lines(replace_words(text, replacements))
        chinese = any(signs.has_hanzi(line) for line in lines)
        spoken = []
        for line in lines:
            by_marks = chinese or _CHINESE_MARKS.search(line)
            in_chinese = signs.has_hanzi(line) or (by_marks and not _has_words(line))
            read = self._read_chinese if in_chinese else self._read_english
            spoken.append("".join(read(part, uses, check) for part in pieces(line, _MAX_PART, _MAX_PART)))
        return _finish(("" if chinese else " ").join(spoken))

    def speak_segment(self, segment: str, _replacements: Iterable[tuple[str, str]]) -> str:
        """A part of a spoken text, which has nothing left to read."""
        return _finish(segment)

    def _read_chinese(self, line: str, uses: list[Use], check: Check) -> str:
        line = _FOREIGN.sub(lambda run: self._foreign(run.group(), uses, check), line)
        sentences = _CHINESE_SENTENCE.findall(line.translate(self._simplified))
        text = _apply_where_needed(CHINESE, sentences, is_plain_chinese, uses, check)
        text = text.translate(CHINESE_DIGITS).translate(_HEARD)
        text = re.sub(r"(?<=[A-Za-z])'(?=[A-Za-z])", _INNER_APOSTROPHE, text)
        text = re.sub(r"[()\[\]{}\"“”'](?=[A-Za-z0-9])", " ", text)
        return tidy_chinese(text).replace(_INNER_APOSTROPHE, "'")

    def _foreign(self, run: str, uses: list[Use], check: Check) -> str:
        """A run between Hanzi: a sentence with figures in English is read in English."""
        has_words = _SENTENCE.search(run) and len(re.findall("[A-Za-z]+", run)) > 1
        is_english = has_words and any(map(str.isdigit, run))
        return self._read_english(run, uses, check) if is_english else run

    def _read_english(self, line: str, uses: list[Use], check: Check) -> str:
        text = _apply_where_needed(ENGLISH, _ENGLISH_SENTENCE.split(line), is_plain_english, uses, check)
        text = re.sub(r"\d+", lambda run: f" {spell_digits(run.group())} ", text)
        text = text.replace("-", " ").replace("²", " squared").replace("³", " cubed")
        return re.sub(r"(?:(?<!\s)\s+)?([.,!?:;…])\s*", r"\1 ", text.replace("…", ". "))


def _apply_where_needed(
    rules: list[Rule | Figures],
    sentences: Iterable[str],
    is_plain: Callable[[str], bool],
    uses: list[Use],
    check: Check,
) -> str:
    """Neighbours together; sentences that are plain, with nothing to be read otherwise, as they are."""
    runs = ((plain, "".join(run)) for plain, run in groupby(sentences, is_plain))
    return "".join(run if plain else apply_rules(rules, run, check, uses) for plain, run in runs)


def is_plain_chinese(sentence: str) -> bool:
    """Hanzi, small letters and marks: no rule finds anything there."""
    return _PLAIN_CHINESE.fullmatch(sentence) is not None


def is_plain_english(sentence: str) -> bool:
    """Words and marks without a short form: no rule finds anything there."""
    return _PLAIN_ENGLISH.fullmatch(sentence) is not None and not _SHORTENED.search(sentence)


def _has_words(line: str) -> bool:
    return _WORD.search(line) is not None


def _strongest(run: str) -> str:
    """Of marks at one place, as round a closing quote, the question mark or else the exclamation mark."""
    return next((mark for mark in "?？！!" if mark in run), run)


def _finish(text: str) -> str:
    """Lower case, speakable characters and plain marks only, spaces between words that need them. One mark
    at one place."""
    text = _APOSTROPHE.sub(" ", text.lower())
    text = _DOUBTFUL.sub(lambda char: char[0] if unicodedata.category(char[0])[0] == "M" else " ", text)
    text = re.sub(r"\s+", " ", unicodedata.normalize("NFC", text))
    text = re.sub("(?<=[\u4e00-\u9fff。，？！]) | (?=[\u4e00-\u9fff。，？！.,!?:;])", "", text).strip()
    text = _MARKS.sub(lambda run: _strongest(run.group()), text)
    return signs.close_sentence(signs.tidy_punctuation(text).lstrip(signs.PUNCTUATION + " "))

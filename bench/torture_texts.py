"""Makes texts that take long to process (for bench/text_torture.py).

Each text repeats a unit.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from speech_text import LexiconEntry

_BLANKS = ["  ", " ", "\n", "\t", "\u3000", "\u00a0", "\u200b", "\x00", "\u2028", "\r\n", "\ufeff", "\u202e"]
_ITEMS = (
    "1 0 7 12 2024 3.5 1,234 0.1 10:30 3/4 1-2 2024-01-05 13812345678",
    r"/ // - -- — – _ ~ = -> <- | \ * ** # ^ + & @ ` \n",
    ". , ... ! ? ?! : ; ' \" 。 ， 、 ！ ？ ： ； … · “",
    "( ) () [ ] [] { } < > </ （ ） 【 《 ]( [x] <a>",
    "\u0301 e\u0301 \u0323\u0302 \u0e48 \u093f \u20e3 \u200d \ufe0f \u3099 \u0345 \uff9e\u0301",
    "a I A. km no. www. http:// .com x@y.z é ß ﬁ word M.V.P QQ per",
    "中 一 亿 第 年 月 儿 咯 比分 电话 时长 行 长 𠮷 㐂 约",
    "か 한 ю Ω ا अ ก ① ½ Ⅳ ９ １ ㎡ ² ℃ ￥ \ufdfa ｈ",
    "$ € ¥ % ‰ ° µ ± × ÷ √ ≤ → ★ 😀 1️⃣ 👨\u200d👩\u200d👧 🇨🇳",
)
_POOLS = (*map(str.split, _ITEMS), _BLANKS)

_MARKS = (
    "[[ ]] [[[ [[]] ]][[ [[| [[a| [[|]] [[a|b|]] [[的|a1]] [[a|zhong1guo2]] [[重庆|chong2 [[speed [[voice "
    "[[pause]] [[speed]] [[voice]] [[voice] [[x]] [[1,2]]"
)
_BLANK_MARKS = [
    f"[[{command}{blank * 190}{end}]]"
    for command in ("pause", "speed", "voice", "pause 1", "")
    for blank in (" ", "\t", "\u3000", "a ", "1", ".")
    for end in ("", "|", "||")
]
_LONG_MARKS = [
    "[[的|" + "a1 " * 60 + "]]",
    "[[" + "的" * 200,
    "[[" + "的" * 201 + "]]",
    "[[" + "|" * 190 + "]]",
    "[[pause 0.05]]",
    "[[speed 2]]a",
    "[[voice b]]的",
    "[[pause 0.05]][[speed 2]][[voice b]]的[[的|de5]]",
]
_TAGS = (
    "<p>的</p>",
    "<s/>",
    "<break time='0ms'/>",
    "<break time='50ms'/>",
    "<x>a</x>",
    "<phoneme alphabet='x-pinyin' ph='a1'>的</phoneme>",
    "<phoneme alphabet='x-pinyin' ph='[[|]]'>[[|]]</phoneme>",
    "<sub alias='的'>a</sub>",
    "<say-as interpret-as='digits'>12</say-as>",
    "<say-as interpret-as='cardinal'>12</say-as>",
    "<say-as interpret-as='characters'>a b</say-as>",
    "<prosody rate='fast' pitch='high'>a</prosody>",
    "<voice name='b'>的</voice>",
    "<voice name='b'><prosody rate='slow'>的<break/></prosody></voice>",
    "<p>" * 20 + "a" + "</p>" * 20,
    "<!-- a -->",
    "<![CDATA[a]]>",
    "&amp;",
    "&#8364;",
)
_KINDS = ("digits", "cardinal", "number", "ordinal", "telephone", "characters", "date", "time", "currency")
_AROUND = [
    *((f"<say-as interpret-as='{kind}'>{before}", "</say-as>") for kind in _KINDS for before in ("", "的")),
    ("<sub alias='", "'>a</sub>"),
    ("<phoneme alphabet='x-pinyin' ph='", "'>的</phoneme>"),
    ("<phoneme alphabet='x-pinyin' ph='a1'>", "</phoneme>"),
    ("<voice name='", "'>a</voice>"),
    ("<prosody rate='", "'>a</prosody>"),
    ("<break time='", "'/>"),
]
_INNER = ("1", "1 ", "1,", "-1", "0.1 ", "的", "a ", "[[|]]", " ")


@dataclass(frozen=True, slots=True)
class Torture:
    """A text, the lexicon to read it with, and whether the text is SSML."""

    text: str
    lexicon: tuple[LexiconEntry, ...] = ()
    ssml: bool = False

    def __str__(self) -> str:
        how = f" (lexicon of {len(self.lexicon)})" if self.lexicon else " (SSML)" * self.ssml
        return f"{self.text[:40]!a} ... {self.text[-12:]!a}{how}"


def tortures(seed: int, count: int, length: int) -> Iterator[Torture]:
    """Yields all texts of `length` characters: `count` random ones by `seed`, and a fixed number of others.
    Another length gives texts of the same units in the same order."""
    for text in torture_texts(seed, count, length):
        yield Torture(text)
    for unit in [*_MARKS.split(), *_BLANK_MARKS, *_LONG_MARKS, *pages()]:
        yield Torture(_repeated(unit, length))
    for unit in _TAGS:
        yield Torture(_spoken("", unit, "", length), ssml=True)
    for begin, end in _AROUND:
        for unit in _INNER:
            yield Torture(_spoken(begin, unit, end, length), ssml=True)
    for unit, words in _lexicons().items():
        yield Torture(_repeated(unit, length), tuple(words))


def torture_texts(seed: int, count: int, length: int) -> Iterator[str]:
    """Yields `count` random texts of `length` characters.

    A text repeats a unit. In at most half of the texts the unit is a single item of the pools, and otherwise
    several items. Most texts begin with another word, since rules look at the characters before a figure. A
    fifth of the texts ends with a second unit.
    """
    draw = random.Random(seed)
    singles = [item for pool in _POOLS for item in pool]
    draw.shuffle(singles)
    for number in range(count):
        if number < min(len(singles), count // 2):
            unit = singles[number]
        else:
            pools = draw.choices(_POOLS, k=draw.randint(1, 3))
            unit = "".join(draw.choice(draw.choice(pools)) for _ in range(draw.randint(1, 6)))
        start = draw.choice(("", "", "中", "a ", "1", "$", "第", "I am ", "比分", "\n"))
        if draw.random() < 0.2:
            half = length // 2 // len(unit) * unit
            other = "".join(draw.choice(draw.choice(_POOLS)) for _ in range(draw.randint(1, 3)))
            yield (start + half + other * length)[:length]
        else:
            yield (start + unit * (length // len(unit) + 1))[:length]


def pages() -> Iterator[str]:
    """Yields for each block of 256 code points a string of its characters. Blocks without characters are left
    out. Of neighbouring blocks of one kind (Hanzi, Hangul, private use) only the first is taken."""
    last: set[tuple[str, str]] = set()
    for start in range(0, 0x110000, 256):
        chars = [char for char in map(chr, range(start, start + 256)) if _is_character(char)]
        kinds = {(unicodedata.category(char), unicodedata.name(char, "").split(" ")[0]) for char in chars}
        if chars and (len(kinds) > 1 or kinds != last):
            yield "".join(chars)
        last = kinds


def _is_character(char: str) -> bool:
    return unicodedata.category(char) not in ("Cn", "Cs")


def _lexicons() -> dict[str, list[LexiconEntry]]:
    """Returns lexicon entries, by the unit of the text in which the entries are looked up."""
    lengths = range(1, 51)
    return {
        "的": [LexiconEntry("的" * n, replacement="地", context="银") for n in lengths],
        "的的": [LexiconEntry("的" * n + "地", replacement="地") for n in lengths],
        "的。": [LexiconEntry("的", replacement="地", context="的" * n) for n in lengths],
        "的 ": [LexiconEntry("的", reading="a1 " * 66)],
        "地": [LexiconEntry("地", replacement="字" * 200)],
        "a 的": [LexiconEntry("a" + " 的a" * n, replacement="b", context="的 a" * 12) for n in range(17)],
        "".join(map(chr, range(0x4E00, 0x4E00 + 500))): [
            LexiconEntry(chr(0x4E00 + n), replacement="地", context=f"{chr(0x4E00 + 499 - n)}银")
            for n in range(500)
        ],
    }


def _repeated(unit: str, length: int) -> str:
    return (unit * (length // len(unit) + 1))[:length]


def _spoken(begin: str, unit: str, end: str, length: int) -> str:
    """Returns SSML of at most `length` characters with as many units as fit between `begin` and `end`."""
    begin, end = f"<speak>{begin}", f"{end}</speak>"
    return begin + unit * max(1, (length - len(begin) - len(end)) // len(unit)) + end

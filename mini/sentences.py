"""Makes random training texts in the form that the front end gives to the model (normalised, lower case).

Words are drawn from frequency lists, so that every GB2312 Hanzi and some 25,000 English words occur. Function
words, numbers, templates and several clauses give the rhythm of real requests. A text has 2 to about 60
units.
"""

import random
import re
from dataclasses import dataclass
from pathlib import Path

import jieba
import numpy as np
import numpy.typing as npt


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_TEMPLATES = (
    "the {} is {}", "i want to {} the {}", "please {} the {} in the {}", "do you {} {}?",
    "this is a {} for the {}", "we {} to {} and {}", "it was {} in the {}", "hello, {}",
    "{} and {} are {}", "he said that the {} would {}", "you can {} it with a {}",
    "there is no {} in {}", "what is the {} of {}?", "she has a {} {}", "they will be {} at the {}",
    "thank you for the {}", "where is the {} {}?", "i don't {} it", "let's {} now", "how {} is the {}?",
    "my {} was {} yesterday", "it's a {} {} and i like it", "if you {}, we will {} them",
    "when the {} came, everyone was {}", "because of the {}, nobody could {}",
    "she told me about her {}", "one of the {} is {} than the other", "i have never {} such a {}",
    "good morning, {}", "what a {} {}",
)  # fmt: skip
_FUNCTION_WORDS = _words(
    "the a an of in to and that it is was for on with as at by from his her their our this these which but "
    "or not be are were have has had will would can could should may might about into over after before "
    "between under he she they we you i who what when where how there here if because while than then so "
    "very more most some any all no out up down only just also now still even much "
    "many other such own same too"
)
_EN_NUMBERS = _words(
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
)
_EN_UNITS = _words(
    "dollars percent years days hours minutes kilometers people times meters o'clock euros pounds"
)
_MONTHS = _words("january february march april may june july august september october november december")
_ZH_DIGITS = "零一二三四五六七八九"
_ZH_UNITS = "年月日号点分秒个块元岁人次米天倍件本名层楼"
_ZH_TEMPLATES = (
    "我想{}{}", "请问{}在哪里", "今天{}很{}", "{}和{}都是{}", "他们正在{}", "这是{}的{}", "你有没有{}",
    "因为{}，所以{}", "虽然{}，但是{}", "我们一起{}吧", "为什么{}不{}", "如果{}，就{}", "{}已经{}了",
    "他把{}{}了", "谢谢你的{}", "你好，{}", "{}怎么样", "昨天我在{}看到了{}", "明天要去{}",
    "她说{}是{}", "不要{}", "一边{}一边{}", "大家好，我是{}", "{}吗",
)  # fmt: skip


@dataclass(frozen=True)
class Sentence:
    text: str
    language: str  # "zh" or "en"; mixed text is "zh"


def is_hanzi(char: str) -> bool:
    return "\u4e00" <= char <= "\u9fff"


def _in_gb2312(word: str) -> bool:
    try:
        word.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return all(is_hanzi(c) for c in word)


class _Lexicon:
    """A list of words that are drawn in proportion to frequency^power.

    A part is drawn evenly, for rare words.
    """

    def __init__(self, words: list[str], frequency: npt.NDArray[np.float64], power: float) -> None:
        self.words = words
        self.frequency = frequency
        weight = frequency**power
        self._cumulative = (0.88 * weight / weight.sum() + 0.12 / len(words)).cumsum()

    def pick(self, rng: random.Random) -> str:
        return self.words[min(int(np.searchsorted(self._cumulative, rng.random())), len(self.words) - 1)]


def chinese_lexicon() -> _Lexicon:
    words, frequency = [], []
    for line in (Path(jieba.__file__).parent / "dict.txt").read_text(encoding="utf8").splitlines():
        word, count, _ = line.split(" ")
        if len(word) <= 4 and int(count) >= 3 and _in_gb2312(word):
            words.append(word)
            frequency.append(float(count))
    return _Lexicon(words, np.array(frequency), 0.6)


def english_lexicon() -> _Lexicon:
    from wordfreq import top_n_list, word_frequency  # takes a second; most importers do not need it

    pattern = re.compile(r"[a-z]+('[a-z]+)?")
    words = [w for w in top_n_list("en", 25000) if pattern.fullmatch(w) and (len(w) > 1 or w in "ai")]
    return _Lexicon(words, np.array([word_frequency(w, "en") for w in words]), 0.55)


class SentenceMaker:
    """Makes random texts. The same state of the random generator gives the same texts."""

    def __init__(self) -> None:
        self.chinese = chinese_lexicon()
        self.english = english_lexicon()
        self.hanzi = sorted({c for word in self.chinese.words for c in word})

    def make(self, rng: random.Random) -> Sentence:
        """Returns a text of 2 to about 60 units: 47 % are Chinese, 47 % English, and 6 % mixed."""
        target = self._target_units(rng)
        kind = rng.random()
        if kind < 0.47:
            return Sentence(self._chinese_text(rng, target, mixed=False), "zh")
        if kind < 0.53:
            return Sentence(self._chinese_text(rng, target, mixed=True), "zh")
        return Sentence(self._english_text(rng, target), "en")

    @staticmethod
    def _target_units(rng: random.Random) -> int:
        kind = rng.random()
        if kind < 0.45:
            return rng.randint(1, 12)
        return rng.randint(10, 30) if kind < 0.75 else rng.randint(30, 58)

    # ---- Chinese

    def _chinese_text(self, rng: random.Random, target: int, *, mixed: bool) -> str:
        text = ""
        while True:
            text += self._chinese_clause(
                rng, min(rng.randint(3, 16), max(1, target - len(text))), mixed=mixed
            )
            if len(text) >= target:
                return text.rstrip("，。？") + rng.choice("。。。。。？")
            text = text.rstrip("，。？") + rng.choice("，，，。？")

    def _chinese_clause(self, rng: random.Random, units: int, *, mixed: bool) -> str:
        kind = rng.random()
        if kind < 0.2 and units > 4:
            text = rng.choice(_ZH_TEMPLATES)
            while "{}" in text:
                text = text.replace("{}", self._chinese_word(rng), 1)
        else:
            text = ""
            while len(text) < units:
                text += self._chinese_word(rng)
                if rng.random() < 0.12:
                    text += rng.choice(("的", "了", "是", "在", "和", "不", "也", "就", "我", "你", "他"))
        if mixed:
            words = " ".join(self.english.pick(rng) for _ in range(rng.choice((1, 1, 2))))
            cut = rng.randint(0, len(text))
            text = text[:cut] + words + text[cut:]
        return text

    def _chinese_word(self, rng: random.Random) -> str:
        kind = rng.random()
        if kind < 0.88:
            return self.chinese.pick(rng)
        if kind < 0.94:
            return rng.choice(self.hanzi)
        return self._chinese_number(rng) + (rng.choice(_ZH_UNITS) if rng.random() < 0.7 else "")

    @staticmethod
    def _chinese_number(rng: random.Random) -> str:
        kind = rng.random()
        if kind < 0.3:
            return "".join(rng.choice(_ZH_DIGITS) for _ in range(rng.randint(1, 5)))
        text = ""
        for unit, chance in (("千", 0.25), ("百", 0.4), ("十", 0.8)):
            if rng.random() < chance:
                text += rng.choice(_ZH_DIGITS[1:]) + unit
        text = text.removeprefix("一") if text.startswith("一十") else text
        text += rng.choice(_ZH_DIGITS[1:])
        if rng.random() < 0.1:
            text += rng.choice(("万", "亿"))
        if rng.random() < 0.15:
            text += "点" + rng.choice(_ZH_DIGITS) + rng.choice(_ZH_DIGITS)
        return "百分之" + text if rng.random() < 0.15 else text

    # ---- English

    def _english_text(self, rng: random.Random, target: int) -> str:
        clauses: list[str] = []
        words = 0
        limit = max(1, round(target * 0.62))  # words; a word has about 1.6 syllables
        while words < limit:
            clause = self._english_clause(rng, limit - words)
            words += clause.count(" ") + 1
            if not clause.endswith("?"):
                clause += rng.choice((",", ",", ".", ".", ".", ";", ":")) if words < limit else "."
            clauses.append(clause)
        last = clauses[-1]
        if last.endswith(".") and rng.random() < 0.12:
            clauses[-1] = last[:-1] + "?"
        return " ".join(clauses)

    def _english_clause(self, rng: random.Random, limit: int) -> str:
        kind = rng.random()
        if kind < 0.25 and limit > 3:
            text = rng.choice(_TEMPLATES)
            while "{}" in text:
                text = text.replace("{}", self.english.pick(rng), 1)
            return text
        words: list[str] = []
        target = rng.randint(1, min(12, limit)) if limit > 1 else 1
        natural = kind < 0.7
        while len(words) < target:
            roll = rng.random()
            if roll < 0.05:
                words += self._english_number(rng)
            elif natural and roll < 0.5:
                words.append(rng.choice(_FUNCTION_WORDS))
            else:
                words.append(self.english.pick(rng))
        return " ".join(words)

    @staticmethod
    def _english_number(rng: random.Random) -> list[str]:
        kind = rng.random()
        if kind < 0.2:
            return [rng.choice(_MONTHS), rng.choice(_EN_NUMBERS)]
        if kind < 0.4:
            return ["twenty", rng.choice(_EN_NUMBERS[:30]), rng.choice(_EN_UNITS)]
        words = [rng.choice(_EN_NUMBERS)]
        if rng.random() < 0.3:
            words += [rng.choice(("hundred", "thousand", "million", "point")), rng.choice(_EN_NUMBERS)]
        return [*words, rng.choice(_EN_UNITS)] if rng.random() < 0.6 else words

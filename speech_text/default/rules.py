"""The default rules: they read a text as the published rules do, and correct the readings that a listener
would call wrong (docs/text.md).

Each line is read by the table of rules of its language.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial

from speech_text import signs
from speech_text.chinese import replace_words, tidy_chinese
from speech_text.cut.pieces import Check, pieces, unwatched
from speech_text.default.characters import COMPOSABLE, clean, composed
from speech_text.default.chinese import rules as chinese_rules
from speech_text.default.data import Word, Words, either
from speech_text.default.english import rules as english_rules
from speech_text.default.lines import spoken_lines
from speech_text.default.spelling import CHINESE_DIGITS
from speech_text.default.table import Rules, apply_rules
from speech_text.places import Placed
from speech_text.wetext import simplified_characters

_MAX_PART = 1000  # characters of a line that go through the tables of rules at once
# In the Chinese texts that the model learned a question ends with ?, and ！ was replaced by 。
_HEARD = str.maketrans("!？", "！?")
_INNER_APOSTROPHE = "\ue001"  # a private character, which no cleaned text has
_CHINESE_MARKS = re.compile("[，。、；：？！]|……")
_WORD = re.compile(
    r"(?!(?<![a-z])(?:sin|cos|tan|cot|log|lim|max|min|exp|mod)x?(?![a-z])|[mnpμµ]?mol(?![a-z]))"
    r"[^\W\d_A-Z²³¹⁰-⁹]{3}|[A-Z][a-z](?![\d²³⁺⁻(=+]|[ -]\d)"
)
_MEASURE = re.compile(f"[0-9] ?(?:{either(Words().names('unit', 'chinese'))})(?![A-Za-z])")
_FIGURE = re.compile("[0-9]")
_FOREIGN = re.compile("[^\u4e00-\u9fff，。、；：？！“”《》（）\n]{8,400}")
_SENTENCE = re.compile(
    r"\b(?:the|a|an|is|are|was|were|am|has|have|had|will|would|can|do|does|did|to|of|in|at|on|for|with|my|your|his|her"
    r"|its|our|their|this|that|I|I'm|you|we|they|it|It|he|she|The|You|We|They|He|She|This|There|My)"
    r" (?=[A-Za-z]{2}|\d)"
)
_DOUBTFUL = re.compile("[^\\w，。？?.,!！:;' ]|_")  # neither a letter nor a digit nor a mark that stays
_MARKS = re.compile(f"[{re.escape(signs.PUNCTUATION)}]{{2,}}")
_LEAD = re.compile(f"^[{re.escape(signs.PUNCTUATION)} ]+")
_APOSTROPHE = re.compile(r"(?<![^\W\d_])'|'(?![^\W\d_])")


class DefaultRules:
    fold = staticmethod(clean)

    def __init__(self, own_words: Callable[[], tuple[Word, ...]] = tuple) -> None:
        """`own_words` returns the user's words for units, currencies and teams."""
        # Mainland print keeps these in names.
        self._simplified = simplified_characters() | {ord(kept): kept for kept in "潟祐霑"}
        self._own_words = own_words
        _tables(own_words())

    def speak(
        self,
        text: Placed,
        replacements: Iterable[tuple[str, str]],
        check: Check = unwatched,
        transcript: str = "",
    ) -> Placed:
        """Returns `text`, a result of `fold`, as it is spoken: its numbers and signs are written as words.
        Returns "." if nothing is left to speak. `replacements` are the user's pairs of old and new text,
        which are applied first. `check` is called repeatedly during the work. A text of figures without a
        word is Chinese if `transcript`, which the voice has said, is Chinese."""
        lines = spoken_lines(replace_words(text, replacements))
        chinese = any(signs.has_hanzi(line.text) for line in lines) or (
            signs.has_hanzi(transcript)
            and bool(_FIGURE.search(text.text))
            and not any(_has_word(line.text) for line in lines)
        )
        _, english = _tables(self._own_words())
        spoken, seen = list[Placed](), dict[tuple[bool, str], Placed | None]()
        for line in lines:
            by_marks = bool(chinese or _CHINESE_MARKS.search(line.text))
            in_chinese = signs.has_hanzi(line.text) or (by_marks and not _has_word(line.text))
            read = self._read_chinese if in_chinese else partial(apply_rules, english)
            cuts = pieces(line.text, _MAX_PART, _MAX_PART) if len(line.text) > _MAX_PART else [line.text]
            said = list[Placed]()
            for part in line.parts(cuts):
                key = in_chinese, part.text
                if key not in seen:
                    seen[key] = None
                    said.append(read(part, check))
                else:  # it is read once more, for all places at which it comes again
                    again = seen[key] = seen[key] or read(Placed.written(part.text), check)
                    said.append(part.retraced(again))
            spoken.append(Placed.join(said))
        return self.speak_segment(Placed.join(spoken, "" if chinese else " "))

    @staticmethod
    def speak_segment(text: Placed, _replacements: Iterable[tuple[str, str]] = ()) -> Placed:
        """Returns `text`, words that the rules have written, tidied: in lower case, with only letters, digits
        and plain marks, with blanks only between words that need them, and with one mark at a place. It ends
        with a full stop or a question mark; an empty text becomes "."."""
        text = text.lower().sub(_APOSTROPHE, " ")
        text = text.sub(_DOUBTFUL, lambda char: char[0] if unicodedata.category(char[0])[0] == "M" else " ")
        text = text.sub(COMPOSABLE, composed).sub(r"[^\S ]\s*|\s{2,}", " ")
        text = text.sub("(?<=[\u4e00-\u9fff。，？！]) | (?=[\u4e00-\u9fff。，？！.,!?:;])|^ | $", "")
        return signs.closed(text.sub(_MARKS, _strongest).sub(_LEAD, ""))

    def _read_chinese(self, line: Placed, check: Check) -> Placed:
        chinese, english = _tables(self._own_words())
        line = Placed.join(self._foreign_read(line, english, check)).translate(self._simplified)
        text = apply_rules(chinese, line, check).translate(CHINESE_DIGITS).translate(_HEARD)
        text = text.sub(r"(?<=[A-Za-z])'(?=[A-Za-z])", _INNER_APOSTROPHE)
        text = text.sub(r"[()\[\]{}\"“”'](?=[A-Za-z0-9])", " ")
        return tidy_chinese(text).sub(_INNER_APOSTROPHE, "'")

    @staticmethod
    def _foreign_read(line: Placed, english: Rules, check: Check) -> Iterator[Placed]:
        """Yields the parts of `line`. English sentences with digits between Hanzi are written as English
        words by the rules `english`, and all other parts stay."""
        done = 0
        for run in _FOREIGN.finditer(line.text):
            has_words = _SENTENCE.search(run[0]) and len(re.findall("[A-Za-z]+", run[0])) > 1
            if has_words and any(map(str.isdigit, run[0])):
                yield line[done : run.start()]
                yield apply_rules(english, line[run.start() : run.end()], check)
                done = run.end()
        yield line[done:]


@lru_cache(maxsize=2)
def _tables(own: tuple[Word, ...]) -> tuple[Rules, Rules]:
    """Returns the rules for Chinese and the rules for English, both with the user's words `own`."""
    words = Words(own)
    return chinese_rules.rules(words), english_rules.rules(words)


def _has_word(text: str) -> bool:
    return _WORD.search(_MEASURE.sub("", text)) is not None


def _strongest(run: re.Match[str]) -> str:
    """Returns the text that replaces `run`, a run of several marks, such as those on both sides of a closing
    quote. It is the question mark if there is one, otherwise the exclamation mark, otherwise the whole
    run."""
    return next((mark for mark in "?？！!" if mark in run[0]), run[0])

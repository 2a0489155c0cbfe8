r"""A table of reading rules, and how it is applied (docs/text.md says how to add a rule).

A row has the kind of thing that is read, a pattern, and the text that is said instead: a string for `re.sub`,
or a function from the match to words. The rows are applied in order, each row to the whole line, so a
rule sees the words that earlier rules have written.

A rule must take linear time. A pattern that has a run of digits or letters begins with a look-behind, which
keeps the pattern from starting inside the run; every other repetition is bounded. The look-behind stands
after the first character, as in \d(?<![\d.].)\d{0,3}: `re` finds a digit, a letter or a mark several times
faster than a place after a certain text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from speech_text.cut.pieces import Check
from speech_text.default.data import Kind
from speech_text.default.needs import needed
from speech_text.default.number_tagger import NumberTagger
from speech_text.places import Placed

Match = re.Match[str]
Row = tuple[str | None, str | re.Pattern[str], str | Callable[[Match], str]]
Rules = list["Rule | NumberTagger"]
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


class Rule(NamedTuple):
    kind: str | None
    pattern: re.Pattern[str]
    say: str | Callable[[Match], str]
    needs: tuple[frozenset[str], ...]


def table(*parts: Iterable[Row] | NumberTagger) -> Rules:
    """Returns the rules of all `parts` in order: one rule for each row, and each NumberTagger as it is. In
    the pattern of a row, digits and letters are those of ASCII."""
    rules: Rules = []
    for part in parts:
        if isinstance(part, NumberTagger):
            rules.append(part)
            continue
        for kind, pattern, say in part:
            compiled = re.compile(pattern, re.ASCII) if isinstance(pattern, str) else pattern
            named = Kind(kind, compiled.pattern) if kind and not isinstance(kind, Kind) else kind
            rules.append(Rule(named, compiled, say, needed(compiled)))
    return rules


def apply_rules(rules: Rules, text: Placed, check: Check) -> Placed:
    """Returns `text` after all `rules`, applied one after another. A rule is left out if the text has none of
    the characters that it needs. `check` is called before each rule."""
    chars = set(text.text)
    for rule in rules:
        check()
        if not any(map(chars.isdisjoint, rule.needs)):
            read = text.sub(*rule[1:3], rule.kind) if isinstance(rule, Rule) else rule.read(text)
            if read is not text:
                text, chars = read, set(read.text)
    return text


def before(match: Match, length: int = 12) -> str:
    """Returns the text before `match`: the last `length` characters, or fewer where the text begins."""
    return match.string[max(0, match.start() - length) : match.start()]


def after(match: Match, length: int = 12) -> str:
    """Returns the text after `match`: the next `length` characters, or fewer where the text ends."""
    return match.string[match.end() : match.end() + length]


def beside(match: Match, length: int) -> str:
    """Returns the texts of up to `length` characters before and after `match`, joined."""
    return before(match, length) + after(match, length)


def behind(words: str) -> str:
    r"""Returns a regular expression for the place behind one of `words` and a blank: behind("in|of") ->
    (?:(?<=\bin )|(?<=\bof ))."""
    places = "|".join(rf"(?<=\b{word} )" for word in words.split("|"))
    return f"(?:{places})"


def roman(numeral: str) -> int:
    """Returns the value of a Roman numeral in capitals: "XIV" -> 14."""
    values = [_ROMAN[letter] for letter in numeral]
    return sum(
        -value if value < following else value
        for value, following in zip(values, [*values[1:], 0], strict=True)
    )

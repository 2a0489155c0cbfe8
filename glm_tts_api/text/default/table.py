r"""A table of reading rules and how it is applied (docs/text.md says how to add a rule).

A row is the kind of thing that is read, a pattern, and what is said instead: a string for `re.sub`, or a
function from the match to words. Rows are applied in order, each to the whole line, so a rule sees what those
before it have made words of. A rule must take linear time: begin a pattern that holds a run of digits or
letters with a look-behind that keeps it from starting inside the run, and bound every other repetition.
Write the look-behind after the first character, as in \d(?<![\d.].)\d{0,3}: `re` finds a digit, a letter or
a mark several times faster than a place behind which something stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from glm_tts_api.text.changes import Use
from glm_tts_api.text.cut.pieces import Check
from glm_tts_api.text.default.figures import Figures

Match = re.Match[str]
Row = tuple[str, str | re.Pattern[str], str | Callable[[Match], str]]
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


class Rule(NamedTuple):
    kind: str
    pattern: re.Pattern[str]
    say: str | Callable[[Match], str]

    def read(self, text: str, uses: list[Use]) -> str:
        return self.pattern.sub(partial(_say, self, uses), text)


def table(*parts: Iterable[Row] | Figures) -> list[Rule | Figures]:
    """The rows of all `parts` in order. In a pattern, digits and letters are those of ASCII."""
    rules: list[Rule | Figures] = []
    for part in parts:
        if isinstance(part, Figures):
            rules.append(part)
            continue
        for kind, pattern, say in part:
            compiled = re.compile(pattern, re.ASCII) if isinstance(pattern, str) else pattern
            rules.append(Rule(kind, compiled, say))
    return rules


def apply_rules(rules: Iterable[Rule | Figures], text: str, check: Check, uses: list[Use]) -> str:
    """`text` after each rule in its turn; `check` is called before each. Their changes are added to
    `uses`."""
    for rule in rules:
        check()
        text = rule.read(text, uses)
    return text


def _say(rule: Rule, uses: list[Use], match: Match) -> str:
    said = match.expand(rule.say) if isinstance(rule.say, str) else rule.say(match)
    if said != match.group():
        uses.append(Use(rule.kind, match.group(), said))
    return said


def before(match: Match, length: int = 12) -> str:
    """The text before `match`, at most `length` characters of it."""
    return match.string[max(0, match.start() - length) : match.start()]


def after(match: Match, length: int = 12) -> str:
    """The text behind `match`, at most `length` characters of it."""
    return match.string[match.end() : match.end() + length]


def alternatives(words: Iterable[str]) -> str:
    """A pattern that matches one of `words`, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def names(rows: str) -> dict[str, str]:
    """ "km=kilometer; m=meter;" as a dictionary."""
    return dict(row.strip().split("=") for row in rows.split(";") if row.strip())


def roman(numeral: str) -> int:
    """The value of a Roman numeral."""
    values = [_ROMAN[letter] for letter in numeral]
    return sum(
        -value if value < following else value
        for value, following in zip(values, [*values[1:], 0], strict=True)
    )

"""Rules for words and signs: the rows of tokens_*.tsv before the numbers are read, of signs_*.tsv afterwards.

A row has the kind of a token, the words that are said for it (`said`) and the pattern of the token
(`text`). `left` and `right` tell the texts that stand beside the token. `near` is a pattern that is found
in the 60 characters to either side, with _ in the token's place. A cell that begins with ! tells what does
not stand there. The left cell lists texts of a fixed length with | between them. (?i) before them says that
capitals do not matter, and a word with a blank begins at a word. A name in braces stands for a pattern of
the language's Vocabulary.

`said` is the name of a function, or = and words. In the words, \\1 is a group of the pattern. The slot
{1:name} is the word for the group, by a function of the Vocabulary. A slot without a number, such as {stop},
is what one of its `ends` returns for the token. The rows are applied in order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from speech_text.default.data import READINGS, rows
from speech_text.default.table import Match, Row, after, before

_NAME = re.compile(r"\{([a-z_]+)\}")
_SLOT = re.compile(r"\{(?:(\d):)?([a-z_]+)\}")
_WORD = re.compile(r"(?:\[[A-Z][a-z]\])?[A-Za-z][\w. ]* ").fullmatch
_NEAR = 60  # characters to either side


class Vocabulary(NamedTuple):
    """The names in a language's tables of tokens, each with its pattern or function. `functions` say a token,
    `words` say a group of it, and `ends` say how it ends."""

    patterns: Mapping[str, str]
    functions: Mapping[str, Callable[[Match], str]]
    words: Mapping[str, Callable[[str], str]]
    ends: Mapping[str, Callable[[Match], str]] = MappingProxyType({})


def token_rules(table: str, names: Vocabulary) -> Iterator[Row]:
    """Yields the rows of `table`, a file of tokens, as rules."""
    for row in rows(READINGS / table):
        said = row.pop("said")
        say = _template(said[1:], names) if said[0] == "=" else names.functions[said]
        cells = {name: _NAME.sub(lambda m: names.patterns[m[1]], cell) for name, cell in row.items()}
        text = f"(?i:{text[4:]})" if (text := cells["text"]).startswith("(?i)") else f"(?:{text})"
        pattern = _left(cells["left"]) + text + _right(cells["right"])
        yield row["kind"], pattern, _if_near(cells["near"], say) if cells["near"] else say


def _template(said: str, names: Vocabulary) -> Callable[[Match], str] | str:
    """Returns `said`, or a function that fills the slots that it has, such as {1:title}."""
    if "{" not in said:
        return said

    def word(match: Match, slot: Match) -> str:
        group, name = slot.groups()
        if group is None:
            return names.ends[name](match)
        return names.words[name](match[int(group)]) if match[int(group)] else ""

    return lambda match: _SLOT.sub(partial(word, match), match.expand(said))


def _if_near(cell: str, say: Callable[[Match], str] | str) -> Callable[[Match], str]:
    """Returns a function that says a match as `say` does if what `cell` asks is near, and else leaves it."""
    wanted, pattern = cell[0] != "!", re.compile(cell.removeprefix("!"))

    def said(match: Match) -> str:
        if bool(pattern.search(f"{before(match, _NEAR)}_{after(match, _NEAR)}")) != wanted:
            return match[0]
        return match.expand(say) if isinstance(say, str) else say(match)

    return said


def _left(cell: str) -> str:
    if not cell:
        return ""
    if cell[0] == "!":
        return f"(?<!{cell[1:]})"
    texts = cell.removeprefix("(?i)")
    places = "|".join(rf"(?<={_boundary(text)}{text})" for text in texts.split("|"))
    blank = "(?<= )" * all(text.endswith(" ") for text in texts.split("|"))  # fails at once at most places
    return f"{blank}({'?i' * (texts != cell) or '?'}:{places})"


def _right(cell: str) -> str:
    if not cell:
        return ""
    return f"(?!{cell[1:]})" if cell[0] == "!" else f"(?={cell})"


def _boundary(text: str) -> str:
    return r"\b" if _WORD(text) else ""

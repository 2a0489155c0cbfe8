"""English: the dot of a short form that ends its sentence as well (at 5 p.m.). Strings only."""

from __future__ import annotations

import re
from collections.abc import Callable

from glm_tts_api.text.default.english.short_forms import MONTH, WEEKDAYS
from glm_tts_api.text.default.table import Match, alternatives

_BEHIND = r"""["”’')\]]*(?:\s+["“‘'(\[]*(?=[A-Z])|\s*$)"""
SENTENCE_MAY_END = f"(?={_BEHIND})"
_ENDS_HERE = re.compile(_BEHIND)
# Words that begin a sentence and hardly a name: the U.S. Then, but the U.S. Senate.
STARTERS = (
    r"A(?= [a-z])|After|All|Also|Although|An?d?|Any|Are|As|At|Because|Before|Both|But|By|Can|Could|Despite"
    r"|Did|Do|Does|During|Each|Even|Every|Everybody|Everyone|Few|Finally|For|From|Had|Has|Have|He|Her|Here|His"
    r"|How|However|I|If|In|Instead|Is|It|Its|Later|Let|Like|Many|Maybe|Meanwhile|Most|Much|Must|My|No(?!\.)"
    r"|Nobody|Not|Nothing|Now|On|Once|Only|Or|Others?|Otherwise|Our|Perhaps|Please|She|Should|Since|So|Some"
    r"|Someone|Soon|Still|Suddenly|Thanks?|That|The|Their|Then|There|These|They|This|Those|Though|To|Today"
    r"|Tomorrow|Unless|Unlike|Until|Was|We|Well|Were|What|When|Where|Which|While|Who|Why|With|Without|Would"
    r"|Yes|Yesterday|Yet|You|Your|(?:Are|Could|Did|Do|Does|Is|Should|Was|Were|Would)n't|Can't|Won't"
)
A_NAME = re.compile(rf"(?!(?:{STARTERS})\b)")
# 5 p.m. Monday, 8 a.m. EST, 9 p.m. New York time.
A_TIME = re.compile(
    rf"(?:{MONTH}|{alternatives(WEEKDAYS)}|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?|Eastern|Pacific|Central"
    r"|Mountain|[A-Z]{1,4}T|UTC)\b|[A-Z][a-z]+(?: [A-Z][a-z]+)? [Tt]ime\b"
)
ANYTHING = re.compile("")


def with_stop(say: Callable[[Match], str], goes_on: re.Pattern[str] = A_NAME) -> Callable[[Match], str]:
    """`say`, with the full stop of a sentence that ends with the match (`stop`)."""
    return lambda match: say(match) + stop(match, goes_on)


def stop(match: Match, goes_on: re.Pattern[str] = A_NAME) -> str:
    """A full stop where `match` ends in a dot that also ends the sentence: at the end of the text, and before
    a capital letter at which `goes_on` does not match."""
    end = _ENDS_HERE.match(match.string, match.end()) if match.group().endswith(".") else None
    if end is None:
        return ""
    at_the_end = end.end() == len(match.string)
    return "." if at_the_end or not goes_on.match(match.string, end.end()) else ""

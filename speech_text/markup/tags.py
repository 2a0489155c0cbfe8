"""Finds what only marks up a text and is never said: tags and comments of HTML, and the references of
Markdown's links. Works on strings only.

A tag that ends a line of the page (<br>, </p>, <li>) is read as a line end. A word in angle brackets that is
no element of HTML is text (press <Enter>), and so is an element of _WORDS without a closing tag (type
<code>).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from heapq import merge

from speech_text.marks import Part

_INLINE = (
    "a|abbr|b|big|center|cite|del|em|font|i|img|ins|kbd|picture|q|rp|rt|ruby|s|samp|small|span|strike|strong"
    "|sub|sup|tt|u"
)
_ENDING = "blockquote|br|dd|details|div|dl|dt|h[1-6]|hr|li|ol|p|pre|table|tbody|td|tfoot|th|thead|tr|ul"
_WORDS = "button|caption|code|figure|footer|form|header|label|main|mark|nav|section|summary|title|var|video"
_WITH = r"\s[^<>]{1,500}=[^<>]{1,2000}"  # attributes
_MARKUP = re.compile(
    r"(?P<unseen><!--.{0,5000}?-->|<(?P<body>script|style)\b[^<>]{0,1000}>.{0,20000}?</(?P=body)>)"
    rf"|(?P<ending></?(?:{_ENDING})(?:{_WITH})?\s?/?>)"
    rf"|</?(?:{_INLINE})(?:{_WITH})?\s?/?>|<(?:{_WORDS}){_WITH}>|</(?:{_WORDS})>"
    rf"|<(?P<word>{_WORDS})>(?=[^<>]{{0,2000}}</(?P=word)>)"
    r"|(?<=\])(?<![A-Za-z0-9_)]\[[A-Za-z0-9_]\])(?<![A-Za-z0-9_)]\[[A-Za-z0-9_]{2}\])\[[^\[\]\n]{0,80}\]"
    r"|^[ ]{0,3}\[[^\]^\n][^\]\n]{0,80}\]:[ ]+<?\S*[./#]\S*>?(?:[ ]+[\"'(][^\n]*)?$",
    re.IGNORECASE | re.DOTALL | re.MULTILINE,
)


def markup_parts(text: str) -> Iterator[Part]:
    """Yields the markup of `text`, in order, each with the text that is read in its place."""
    if "<" not in text and "][" not in text and "]:" not in text:
        return
    for found in _MARKUP.finditer(text):
        yield Part(found.start(), found[0], "\n" if found["ending"] else "", rule="verbatim")


def outermost(*layers: Iterable[Part]) -> Iterator[Part]:
    """Yields the parts of all `layers`, in order, but for those that begin inside the one before."""
    done = 0
    for part in merge(*layers, key=lambda part: part.start):
        if part.start >= done:
            yield part
            done = part.end

"""Checks the links in Markdown pages: the linked file and the linked heading must exist.

    python -m scripts.checks.links [FILE ...]

Without FILE the check reads all pages of the project's root, docs/ and speech_text/. Links to other hosts
are not checked.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_LINK = re.compile(r"\]\(([^()\s]+)\)")
_CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_NO_ANCHOR = re.compile(r"[^\w\- ]")


@cache
def _anchors(page: Path) -> frozenset[str]:
    """The anchors that GitHub makes from the page's headings: lower case, hyphens, no punctuation."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = _HEADING.findall(text)
    return frozenset(_NO_ANCHOR.sub("", heading.lower()).replace(" ", "-") for heading in headings)


def faults(page: Path) -> Iterator[str]:
    """Yields a line `file:line: fault` for each link whose file or heading does not exist."""
    text = _CODE.sub(lambda code: re.sub(r"[^\n]", " ", code.group()), page.read_text("utf-8"))
    for link in _LINK.finditer(text):
        target, _, anchor = link.group(1).partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        path = (page.parent / target) if target else page
        where = f"{page}:{text.count(chr(10), 0, link.start()) + 1}"
        if not path.exists():
            yield f"{where}: there is no {target}"
        elif anchor and anchor not in _anchors(path):
            yield f"{where}: {path} has no heading #{anchor}"


def main(files: list[str]) -> int:
    every = (page for folder in (".", "docs", "speech_text") for page in Path(folder).glob("*.md"))
    pages = [Path(name) for name in files] or list(every)
    found = [fault for page in sorted(pages) for fault in faults(page)]
    print("\n".join(found) or f"{len(pages)} pages read.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Finds prose that is hard to read, in the docs and in the docstrings and comments of the packages.

    python -m scripts.checks.prose [FILE ...]

The faults are:

- a sentence over 35 words, or a paragraph over 8 lines of 120 characters,
- a line of the docs over 400 characters,
- "what" or "who" at a clause's beginning without a noun ("What a client sends", "for who asks"),
- a retired phrase, or a retired name (also in the tests and tools),
- a function's docstring that begins without its noun ("Of the first rows", "It has ended").

The check skips code, tables and headings. In Chinese pages it checks only that each line has at most 400
characters, and that each paragraph stands on one line.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

MOST_WORDS, MOST_CHARACTERS, MOST_COLUMNS = 35, 8 * 120, 400

_SENTENCE_END = re.compile(r"(?<=[.!?;])[\"')*`]*\s+(?=[A-Za-z0-9`\"(\[*])")
_QUOTED = re.compile(r"`[^`]*`|\([^)]*\)")  # counts as one word
_WORD = re.compile(r"[A-Za-z0-9][\w'/.-]*")
_NO_PROSE = re.compile(r"\s*(?:[|#>├└│]|```)| {4}|\s*\S.* {3}\S")
_ITEM = re.compile(r"\s*(?:[-*]|\d+\.) ")
_HEADLESS = re.compile(r"(?:Of|In|By|Behind|It|They|Those)\b")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_WORDS = {
    "a relative word without its noun": re.compile(
        r"^[`*\"(]*(?:what|who|whoever|whatever|whichever|whose)\b(?!.*\?$)"
        r"|\b(?:by|for|from|of|than|to|with|and|or) who(?:ever)?\b",
        re.IGNORECASE,
    ),
    "a retired phrase": re.compile(r"\b(?:told of|in charge|one too many)\b", re.IGNORECASE),
}
_RETIRED = re.compile(
    r"RequestListener|ToldTimings|figures_of|figures\.py|\bFigures\(|let_rest|\.rests\b|_is_at_rest|NO_PROGRESS"
    r"|\bgives_way|SparePlaces|\bbeside_speech|(state|pools)\.beside|\bheard_from|tokenizer\.hear\b"
    r"|\bBegun\b|ResumedStream|messages\.(Heard|Forget|Took|Leave|Freed|Beat)|fewer_slots|fit_slots|on_slots|SideBySide"
)
_ONLY_NAMES = ("tests", "scripts", "bench", "mini")  # folders whose prose is not checked


def _blocks(text: str, first_line: int = 1) -> Iterator[tuple[int, str]]:
    """Yields each paragraph and list item of `text`, joined into one line, with its first line number."""
    start, lines, in_code = 0, list[str](), False
    for number, line in enumerate([*text.splitlines(), ""], first_line):
        in_code ^= line.lstrip().startswith("```")
        item = _ITEM.match(line)
        is_prose = not in_code and line.strip() and not _NO_PROSE.match(line)
        if lines and (item or not is_prose):
            yield start, " ".join(lines)
            lines = []
        if is_prose:
            start = start if lines else number
            lines.append(line[item.end() :] if item else line.strip())


def _blocks_of_code(source: str) -> Iterator[tuple[int, str]]:
    """Yields the paragraphs of the docstrings and comments in Python `source`, each with its line number."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            yield from _blocks(ast.get_docstring(node) or "", node.body[0].lineno)
    comments = [""] * len(source.splitlines())
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        text = token.string.lstrip("# ")
        if token.type == tokenize.COMMENT and token.line.lstrip().startswith("#"):
            comments[token.start[0] - 1] = text
        elif token.type == tokenize.COMMENT:
            yield token.start[0], text
    yield from _blocks("\n".join(comments))


def _headless(source: str) -> Iterator[tuple[int, str]]:
    """Yields the line number and text of each function docstring that begins with a word of `_HEADLESS`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, _FUNCTIONS) and _HEADLESS.match(docstring := ast.get_docstring(node) or ""):
            yield node.body[0].lineno, docstring


def _faults_of_lines(path: Path, text: str) -> Iterator[str]:
    """Yields a long line of a page, a retired name, and a paragraph of a Chinese page that is broken."""
    lines, in_code = text.splitlines(), False
    for number, (line, after) in enumerate(pairwise([*lines, ""]), 1):
        in_code ^= line.startswith("```")
        is_prose = not in_code and line.strip() and (_ITEM.match(line) or not _NO_PROSE.match(line))
        is_broken = is_prose and after.strip() and not _ITEM.match(after) and not _NO_PROSE.match(after)
        if is_broken and path.stem.endswith("_zh"):
            yield f"{path}:{number}: a line break shows as a blank"
        if path.suffix == ".md" and len(line) > MOST_COLUMNS and not line.startswith("|"):
            yield f"{path}:{number}: a line of {len(line)} characters"
        if name := _RETIRED.search(line):
            yield f"{path}:{number}: a retired name: {name[0]}"


def faults(path: Path) -> Iterator[str]:
    """Yields each fault of a Markdown or Python file as `file:line: fault`."""
    text, is_page = path.read_text(encoding="utf-8"), path.suffix == ".md"
    yield from _faults_of_lines(path, text)
    if path.stem.endswith("_zh") or path.parts[0] in _ONLY_NAMES:
        return
    if not is_page:
        for number, docstring in _headless(text):
            yield f"{path}:{number}: a docstring without its noun: {docstring[:60]}"
    for number, block in _blocks(text) if is_page else _blocks_of_code(text):
        if len(block) > MOST_CHARACTERS:
            yield f"{path}:{number}: a paragraph of {len(block)} characters: {block[:60]}"
        for sentence in _SENTENCE_END.split(block):
            found = [name for name, words in _WORDS.items() if words.search(sentence)]
            if (n_words := len(_WORD.findall(_QUOTED.sub("x", sentence)))) > MOST_WORDS:
                found.append(f"a sentence of {n_words} words")
            yield from (f"{path}:{number}: {fault}: {sentence[:60]}" for fault in found)


def main(files: list[str]) -> int:
    pages = (page for folder in (".", "docs", "speech_text") for page in Path(folder).glob("*.md"))
    folders = ("glm_tts_api", "speech_text", *_ONLY_NAMES)
    modules = (path for folder in folders for path in Path(folder).rglob("*.py") if path.stem != "prose")
    paths = [Path(name) for name in files] or [*pages, *modules]
    found = [fault for path in sorted(paths) for fault in faults(path)]
    print("\n".join(found) or f"{len(paths)} files read.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Copies docs/ to build/docs in the form that mkdocs and its plugin for languages expect.

    python -m scripts.make.site_pages

A page such as settings_zh.md becomes settings.zh.md. A link to a Chinese page becomes a link to settings.md,
since the site chooses the page of the reader's language. A link whose text is a page's file name gets the
page's title as its text. A link to a file outside docs/ leads to the repository if GITHUB_REPOSITORY
(owner/name) is set, and becomes plain text otherwise.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
_LANGUAGE_LINE = re.compile(
    r"^(?:中文：?)?\[(?:中文|English|[\w-]+\.md)\]\([\w-]+\.md\)[。.]?\n\n", re.MULTILINE
)
_TWIN = re.compile(r"(\]\([\w-]+)_zh\.md")
_SPECIAL_CODE = re.compile(r"(?<!`)`([^`\n]*(?:<!\[|\\\|)[^`\n]*)`(?!`)")
_FILE_NAME = re.compile(r"\[([\w-]+\.md)\](?=\()")
_OUTSIDE = re.compile(r"\[([^\]]*)\]\(\.\./([^)]+)\)")


def page(text: str, titles: dict[str, str], repository: str) -> str:
    """Converts the text of a page of docs/ to its form for the site.

    `titles` maps the file name of each page to its title. `repository` is the address of the project's files,
    or "".
    """
    text = _FILE_NAME.sub(lambda link: f"[{titles.get(link[1], link[1])}]", text)
    text = _TWIN.sub(r"\1.md", _LANGUAGE_LINE.sub("", text))
    text = _SPECIAL_CODE.sub(_spelled, text)
    return _OUTSIDE.sub(rf"[\1]({repository}/\2)" if repository else r"\1", text)


def _spelled(code: re.Match[str]) -> str:
    """Returns a piece of inline code as a <code> element in which each character is an HTML reference.

    The site needs this for code that Python's Markdown reads differently from GitHub. Python 3.11 takes `<![`
    for a declaration, and would show the backslash of an escaped bar in a table.
    """
    characters = code[1].replace("\\|", "|")
    return "<code>" + "".join(f"&#{ord(character)};" for character in characters) + "</code>"


def main() -> None:
    target = PROJECT / "build" / "docs"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    project = os.environ.get("GITHUB_REPOSITORY")
    repository = f"https://github.com/{project}/blob/main" if project else ""
    texts = {source.name: source.read_text(encoding="utf-8") for source in (PROJECT / "docs").glob("*.md")}
    titles = {name: text.splitlines()[0].removeprefix("# ") for name, text in texts.items()}
    for name, text in texts.items():
        copy = target / name.replace("_zh.md", ".zh.md")
        copy.write_text(page(text, titles, repository), encoding="utf-8")
    for source in (PROJECT / "docs").iterdir():
        if source.suffix in (".png", ".css"):
            shutil.copy(source, target)


if __name__ == "__main__":
    main()

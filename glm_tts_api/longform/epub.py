"""EPUB 2 and 3 to a Book. Knows bytes and strings: nothing is unpacked to a disk, and no more is read than a
book of the allowed length can need."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from glm_tts_api.errors import TextTooLong, UnparsableBody
from glm_tts_api.longform.chapters import Found, book_of
from glm_tts_api.longform.markup import Tag, page_blocks, tokens, with_title
from glm_tts_api.longform.script import Book

_MOST_FILES = 20_000
_BYTES_PER_CHARACTER = 20  # of markup and text
_FRONT_MATTER = frozenset(
    ("cover", "toc", "title-page", "titlepage", "copyright-page", "copyright", "index", "lot")
)
_FRONT_NAMES = re.compile(
    r"(?:cover|title-?_?page|copyright|toc|nav|contents|cip)(?:[-_]?page)?\d?\.x?html?", re.I
)
# Of texts alone. Python has others: the time of punycode grows with the square of the page, and UTF-7 gives
# half characters, which no file can hold.
_ENCODING = re.compile(
    rb"""<\?xml[^>]{0,100}encoding=["']((?:utf[-_]?(?:8|16|32)|us-ascii|iso|latin|windows|cp|koi8|gb|big5|euc|shift)[\w.-]{0,30})["']""",
    re.I,
)
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    RuntimeError,
    NotImplementedError,
    ValueError,
    OverflowError,
    KeyError,
    OSError,
)


def read_epub(data: bytes, max_characters: int) -> Book:
    """The pages of the spine; without cover, contents, title page, copyright page and notes. Raises
    UnparsableBody, and TextTooLong above `max_characters`."""
    if data.count(b"PK\x01\x02") > _MOST_FILES:
        raise _unreadable(f"it has more than {_MOST_FILES} files")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _book(_Archive(archive, _BYTES_PER_CHARACTER * max_characters), max_characters)
    except _BROKEN as error:
        raise _unreadable(str(error) or type(error).__name__) from None


@dataclass(slots=True)
class _Archive:
    """The files of an EPUB; `left`: how many bytes may still be read."""

    archive: zipfile.ZipFile
    left: int

    def text(self, path: str) -> str:
        """Raises KeyError where it is missing."""
        entry = self.archive.getinfo(path)
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # all that EPUB allows
            raise zipfile.BadZipFile(f"{path} is packed in a way that EPUB does not allow")
        with self.archive.open(entry) as file:
            data = file.read(self.left + 1)
        self.left -= len(data)
        if self.left < 0:
            raise TextTooLong("The pages of the .epub are too long: cut the book into parts.")
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16", "replace")
        named = _ENCODING.match(data.removeprefix(b"\xef\xbb\xbf")[:200])
        try:
            return data.decode(named[1].decode() if named else "utf-8", "replace").removeprefix("\ufeff")
        except LookupError:
            return data.decode("utf-8", "replace")

    def has(self, path: str) -> bool:
        return path in self.archive.NameToInfo


@dataclass(frozen=True, slots=True)
class _Package:
    """`pages`: the paths of the spine; `contents`: those of the tables of contents."""

    title: str
    author: str
    pages: list[str]
    contents: list[str]
    unspoken: set[str]


def _book(archive: _Archive, max_characters: int) -> Book:
    package = _package(archive)
    if archive.has("META-INF/encryption.xml"):
        locked = {_path("", tag.get("uri")) for tag in _tags(archive.text("META-INF/encryption.xml"))}
        if locked.intersection(package.pages):
            raise _unreadable("its pages are encrypted (DRM)")
    titles: dict[str, str] = {}
    for path in package.contents:
        titles |= {page: title for page, title in _titles(archive.text(path), path) if page not in titles}
    found, n_characters = list[Found](), 0
    for path in package.pages:
        if path in package.unspoken or not archive.has(path):
            continue
        blocks = page_blocks(archive.text(path))
        n_characters += sum(len(block.text) for block in blocks)
        if n_characters > max_characters:
            raise TextTooLong(f"The book has more than {max_characters} characters: cut it into parts.")
        found += with_title(blocks, titles.get(path, ""))
    return book_of(found, package.title, package.author)


def _package(archive: _Archive) -> _Package:
    roots = [
        tag.get("full-path")
        for tag in _tags(archive.text("META-INF/container.xml"))
        if tag.name == "rootfile"
    ]
    if not roots:
        raise _unreadable("META-INF/container.xml names no package")
    folder = posixpath.dirname(roots[0])
    paths, spine, unspoken = dict[str, str](), dict[str, None](), set[str]()
    contents, said, inside = list[str](), {"title": "", "creator": ""}, ""
    for token in tokens(archive.text(roots[0])):
        if isinstance(token, str):
            if inside in said and not said[inside]:
                said[inside] = " ".join(token.split())
            continue
        name = token.name.rpartition(":")[2]
        inside = name if token.opens and not token.closes else ""
        path = _path(folder, token.get("href"))
        if name == "item" and path:
            paths[token.get("id")] = path
            is_ncx = token.get("media-type") == "application/x-dtbncx+xml"
            if is_contents := is_ncx or "nav" in token.get("properties").split():
                contents.append(path)
            if is_contents or _FRONT_NAMES.fullmatch(posixpath.basename(path)):
                unspoken.add(path)
        elif name == "itemref" and token.get("linear") != "no":
            spine[token.get("idref")] = None
        elif name == "reference" and token.get("type") in _FRONT_MATTER:
            unspoken.add(path)
    pages = [paths[page] for page in spine if page in paths]
    return _Package(
        said["title"], said["creator"], pages, [path for path in contents if archive.has(path)], unspoken
    )


def _titles(text: str, path: str) -> Iterator[tuple[str, str]]:
    """The pages that a table of contents names (EPUB 3's nav, EPUB 2's NCX), with the first title of each."""
    folder = posixpath.dirname(path)
    said, page = "", ""
    for token in tokens(text):
        if isinstance(token, str):
            said += token
        elif token.name == "a" and token.opens:
            said, page = "", _path(folder, token.get("href"))
        elif token.name in ("navlabel", "navpoint") and token.opens:
            said = ""
        elif token.name == "content":
            yield _path(folder, token.get("src")), " ".join(said.split())
        elif token.name == "a":
            yield page, " ".join(said.split())


def _tags(text: str) -> Iterator[Tag]:
    return (token for token in tokens(text) if isinstance(token, Tag))


def _path(folder: str, link: str) -> str:
    """Where a link from a file of `folder` leads, in the archive."""
    return posixpath.normpath(posixpath.join(folder, unquote(link.partition("#")[0]))) if link else ""


def _unreadable(fault: str) -> UnparsableBody:
    return UnparsableBody(f"The .epub cannot be read: {fault}.", param="file")

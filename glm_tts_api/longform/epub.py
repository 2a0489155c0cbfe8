"""Reads EPUB 2 and 3 files into a Book. Works on bytes and strings: nothing is unpacked to the disk. The
number of bytes that are unpacked is limited by the allowed length of the book."""

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
_BYTES_PER_CHARACTER = 20  # the most bytes of pages that are read for each allowed character of the book
_FRONT_MATTER = frozenset(
    ("cover", "toc", "title-page", "titlepage", "copyright-page", "copyright", "index", "lot")
)
_FRONT_NAMES = re.compile(
    r"(?:cover|title-?_?page|copyright|toc|nav|contents|cip)(?:[-_]?page)?\d?\.x?html?", re.I
)
# The text encodings that an XML declaration may name. Python has more codecs, which are refused: punycode
# takes time that grows with the square of the page, and UTF-7 can give lone surrogates, which no file holds.
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
    """Reads the EPUB `data` into a Book: the pages of its spine in order, without cover, table of contents,
    title page, copyright page and notes. Raises UnparsableBody for a file that is damaged or encrypted, and
    TextTooLong where the book has more than `max_characters` characters."""
    if data.count(b"PK\x01\x02") > _MOST_FILES:
        raise _unreadable(f"it has more than {_MOST_FILES} files")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _book(_Archive(archive, _BYTES_PER_CHARACTER * max_characters), max_characters)
    except _BROKEN as error:
        raise _unreadable(str(error) or type(error).__name__) from None


@dataclass(slots=True)
class _Archive:
    """The files of an EPUB. `left` is the number of unpacked bytes that may still be read."""

    archive: zipfile.ZipFile
    left: int

    def text(self, path: str) -> str:
        """Returns the file at `path` in the archive as text, and subtracts its bytes from `left`. Bytes that
        cannot be decoded become U+FFFD. Raises KeyError where the archive has no such file, BadZipFile for a
        compression that EPUB does not allow, and TextTooLong where the file has more than `left` bytes."""
        entry = self.archive.getinfo(path)
        if entry.compress_type not in (
            zipfile.ZIP_STORED,
            zipfile.ZIP_DEFLATED,
        ):  # the only two that EPUB allows
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
    """The content of an EPUB's package document. `pages` are the paths of the pages in reading order, and
    `contents` the paths of the tables of contents. `unspoken` are the paths of pages that are not read aloud,
    such as the cover."""

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
    """Yields the links of a table of contents (EPUB 3's nav or EPUB 2's NCX), each as the path of a page and
    the title that the link shows. `text` is the table's markup, and `path` is the path of the table in the
    archive."""
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
    """Returns the path in the archive to which `link` leads from a file in `folder`. The fragment of the link
    (#...) is removed. An empty link gives an empty path."""
    return posixpath.normpath(posixpath.join(folder, unquote(link.partition("#")[0]))) if link else ""


def _unreadable(fault: str) -> UnparsableBody:
    return UnparsableBody(f"The .epub cannot be read: {fault}.", param="file")

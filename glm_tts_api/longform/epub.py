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
from zipfile import BadZipFile

from lxml import etree

from glm_tts_api.errors import TextTooLong, UnparsableBody
from glm_tts_api.longform.markup import elements, page_blocks, with_title
from glm_tts_api.longform.script import Book, Found, book_of

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
    BadZipFile,
    zlib.error,
    EOFError,
    RuntimeError,
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
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BadZipFile(f"{path} is packed in a way that EPUB does not allow")
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
        locked = {_path("", tag.get("uri", "")) for tag in elements(archive.text("META-INF/encryption.xml"))}
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
    roots = elements(archive.text("META-INF/container.xml"))
    root = next((tag.get("full-path", "") for tag in roots if tag.tag == "rootfile"), None)
    if root is None:
        raise _unreadable("META-INF/container.xml names no package")
    paths, spine, unspoken = dict[str, str](), dict[str, None](), set[str]()
    contents, said = list[str](), {"title": "", "creator": ""}
    for tag in elements(archive.text(root)):
        name = tag.tag.rpartition(":")[2]
        path = _path(posixpath.dirname(root), tag.get("href", ""))
        if name in said:
            said[name] = said[name] or _said(tag)
        elif name == "item" and path:
            paths[tag.get("id", "")] = path
            is_ncx = tag.get("media-type") == "application/x-dtbncx+xml"
            if is_contents := is_ncx or "nav" in tag.get("properties", "").split():
                contents.append(path)
            if is_contents or _FRONT_NAMES.fullmatch(posixpath.basename(path)):
                unspoken.add(path)
        elif name == "itemref" and tag.get("linear") != "no":
            spine[tag.get("idref", "")] = None
        elif name == "reference" and tag.get("type") in _FRONT_MATTER:
            unspoken.add(path)
    pages = [paths[page] for page in spine if page in paths]
    contents = [path for path in contents if archive.has(path)]
    return _Package(said["title"], said["creator"], pages, contents, unspoken)


def _titles(text: str, path: str) -> Iterator[tuple[str, str]]:
    """Yields the links of a table of contents (EPUB 3's nav or EPUB 2's NCX), each as the path of a page and
    the title that the link shows. `text` is the table's markup, and `path` is the path of the table in the
    archive."""
    folder, label = posixpath.dirname(path), ""
    for tag in elements(text):
        if tag.tag == "navlabel":
            label = _said(tag)
        elif tag.tag == "content":
            yield _path(folder, tag.get("src", "")), label
        elif tag.tag == "a":
            yield _path(folder, tag.get("href", "")), _said(tag)


def _said(tag: etree._Element) -> str:
    return " ".join("".join(tag.itertext()).split())


def _path(folder: str, link: str) -> str:
    """Returns the path in the archive to which `link` leads from a file in `folder`. The fragment of the link
    (#...) is removed. An empty link gives an empty path."""
    return posixpath.normpath(posixpath.join(folder, unquote(link.partition("#")[0]))) if link else ""


def _unreadable(fault: str) -> UnparsableBody:
    return UnparsableBody(f"The .epub cannot be read: {fault}.", param="file")

"""Reads EPUB 2 and 3 files into a Book. Works on bytes and strings: nothing is unpacked to the disk. The
number of bytes that are unpacked is limited by the allowed length of the book."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote
from zipfile import BadZipFile

from lxml import etree

from glm_tts_api.errors import TextTooLong, UnparsableBody
from glm_tts_api.longform.markup import elements, page_blocks
from glm_tts_api.longform.script import Block, Book, book_of

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
_BROKEN = (BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OverflowError, KeyError, OSError)


def read_epub(data: bytes, max_characters: int) -> Book:
    """Reads the EPUB `data` into a Book: the pages of its spine in order, without cover, table of contents,
    title page, copyright page and notes. Raises UnparsableBody for a file that is damaged or encrypted, and
    TextTooLong where the book has more than `max_characters` characters."""
    if data.count(b"PK\x01\x02") > _MOST_FILES:
        raise _unreadable(f"it has more than {_MOST_FILES} files")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _Epub(archive, max_characters).book()
    except _BROKEN as error:
        raise _unreadable(str(error) or type(error).__name__) from None


class _Epub:
    """The files of an EPUB. `pages` are the paths of its pages in reading order."""

    def __init__(self, archive: zipfile.ZipFile, max_characters: int) -> None:
        self._archive, self._max_characters = archive, max_characters
        self._n_bytes_left = _BYTES_PER_CHARACTER * max_characters
        roots = self._elements("META-INF/container.xml")
        root = next((tag.get("full-path", "") for tag in roots if tag.tag == "rootfile"), None)
        if root is None:
            raise _unreadable("META-INF/container.xml names no package")
        paths, spine, folder = dict[str, str](), dict[str, None](), posixpath.dirname(root)
        self._contents, self._unspoken = list[str](), set[str]()
        self._said = {"title": "", "creator": ""}
        for tag in self._elements(root):
            name = tag.tag.rpartition(":")[2]
            path = _path(folder, tag.get("href", ""))
            if name in self._said:
                self._said[name] = self._said[name] or _said(tag)
            elif name == "item" and path:
                paths[tag.get("id", "")] = path
                is_ncx = tag.get("media-type") == "application/x-dtbncx+xml"
                if is_contents := is_ncx or "nav" in tag.get("properties", "").split():
                    self._contents.append(path)
                if is_contents or _FRONT_NAMES.fullmatch(posixpath.basename(path)):
                    self._unspoken.add(path)
            elif name == "itemref" and tag.get("linear") != "no":
                spine[tag.get("idref", "")] = None
            elif name == "reference" and tag.get("type") in _FRONT_MATTER:
                self._unspoken.add(path)
        self.pages = [paths[page] for page in spine if page in paths]

    def book(self) -> Book:
        if self._has(encryption := "META-INF/encryption.xml"):
            locked = {_path("", tag.get("uri", "")) for tag in self._elements(encryption)}
            if locked.intersection(self.pages):
                raise _unreadable("its pages are encrypted (DRM)")
        titles: dict[str, str] = {}
        for path in filter(self._has, self._contents):
            titles |= {page: title for page, title in self._titles(path) if page not in titles}
        found, n_characters = list[Block](), 0
        for path in filter(self._has, self.pages):
            if path in self._unspoken:
                continue
            blocks = page_blocks(self._text(path))
            n_characters += sum(len(block.text) for block in blocks)
            if n_characters > self._max_characters:
                most = self._max_characters
                raise TextTooLong(f"The book has more than {most} characters: cut it into parts.")
            found += _with_title(blocks, titles.get(path, ""))
        return book_of(found, self._said["title"], self._said["creator"])

    def _has(self, path: str) -> bool:
        return path in self._archive.NameToInfo

    def _elements(self, path: str) -> Iterator[etree._Element]:
        return elements(self._text(path))

    def _text(self, path: str) -> str:
        """Returns the file at `path` as text, with U+FFFD for bytes that cannot be decoded. Raises KeyError
        where there is no such file, and BadZipFile for a compression that EPUB does not allow. Raises
        TextTooLong once the files have more bytes than a book of the allowed length needs."""
        entry = self._archive.getinfo(path)
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BadZipFile(f"{path} is packed in a way that EPUB does not allow")
        with self._archive.open(entry) as file:
            data = file.read(self._n_bytes_left + 1)
        self._n_bytes_left -= len(data)
        if self._n_bytes_left < 0:
            raise TextTooLong("The pages of the .epub are too long: cut the book into parts.")
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16", "replace")
        named = _ENCODING.match(data.removeprefix(b"\xef\xbb\xbf")[:200])
        try:
            return data.decode(named[1].decode() if named else "utf-8", "replace").removeprefix("\ufeff")
        except LookupError:
            return data.decode("utf-8", "replace")

    def _titles(self, path: str) -> Iterator[tuple[str, str]]:
        """Yields the links of the table of contents at `path` (EPUB 3's nav or EPUB 2's NCX), each as the
        path of a page and the title that the link shows."""
        folder, label = posixpath.dirname(path), ""
        for tag in self._elements(path):
            if tag.tag == "navlabel":
                label = _said(tag)
            elif tag.tag == "content":
                yield _path(folder, tag.get("src", "")), label
            elif tag.tag == "a":
                yield _path(folder, tag.get("href", "")), _said(tag)


def _with_title(blocks: list[Block], title: str) -> list[Block]:
    """Returns the `blocks` of a page with their first block marked as the beginning of a chapter named
    `title`, the page's title in the table of contents. A first block that has this text becomes a heading."""
    if not blocks or not title:
        return blocks
    first = replace(blocks[0], chapter=title)
    if not first.rank and first.text.split() == title.split():
        first = replace(first, kind="heading", rank=1)
    return [first, *blocks[1:]]


def _said(tag: etree._Element) -> str:
    return " ".join("".join(tag.itertext()).split())


def _path(folder: str, link: str) -> str:
    """Returns the path in the archive to which `link` leads from a file in `folder`. The fragment of the link
    (#...) is removed. An empty link gives an empty path."""
    return posixpath.normpath(posixpath.join(folder, unquote(link.partition("#")[0]))) if link else ""


def _unreadable(fault: str) -> UnparsableBody:
    return UnparsableBody(f"The .epub cannot be read: {fault}.", param="file")

"""EPUB files: chapters, what is not spoken, files that are made to do harm, and the process of its own in
which a book is read."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import zipfile
from typing import Any

import pytest

from glm_tts_api.errors import TextTooLong, UnparsableBody
from glm_tts_api.longform import epub
from glm_tts_api.longform.markup import page_blocks
from glm_tts_api.longform.reading import read_apart, read_book
from glm_tts_api.longform.script import Book
from tests.longform.test_reading import kinds, titles

CONTAINER = '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
PACKAGE = """<?xml version="1.0"?><package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>
<dc:title>风 &amp; 雨</dc:title><dc:creator>某人</dc:creator></metadata><manifest>
<item id="nav" href="nav.xhtml" properties="nav"/><item id="cover" href="cover.xhtml"/>
<item id="a" href="text/a%20b.xhtml"/><item id="b" href="text/b.xhtml"/><item id="c" href="text/c.xhtml"/>
<item id="gone" href="gone.xhtml"/></manifest><spine><itemref idref="cover"/><itemref idref="nav"/>
<itemref idref="a"/><itemref idref="a"/><itemref idref="b"/><itemref idref="c"/>
<itemref idref="gone"/>
</spine></package>"""
NAV = """<html><nav epub:type="toc"><ol><li><a href="text/a%20b.xhtml#x">起风</a></li>
<li><a href="text/c.xhtml">下雨</a></li></ol></nav></html>"""
PAGE = """<?xml version="1.0"?><!DOCTYPE html><html><head><title>not this</title></head><body>
<h1>第一章&nbsp;起风<a epub:type="noteref" href="#n">1</a></h1>
<p>　　今天<em>我们</em>去<ruby>重庆<rt>c</rt></ruby>。<sup><a href="n.xhtml#n2">[2]</a></sup>
10<sup>3</sup>
人。</p>
<p style="display: none">hidden</p><script>if (a < b) {}</script><!-- <p>comment</p> -->
<ul><li>苹果</li><li>梨</li></ul>
<div class="poem">床前明月光，<br/>疑是地上霜。</div>
<pre><code>code()</code></pre>
<aside epub:type="footnote">a note</aside><p><a href="#r2">[2]</a> another note</p>
<p>unclosed &lt;tag&gt; &#x4f60;<p>next"""


def packed(**changed: str | bytes | None) -> bytes:
    files: dict[str, str | bytes | None] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "OEBPS/book.opf": PACKAGE,
        "OEBPS/nav.xhtml": NAV,
        "OEBPS/cover.xhtml": "<p>cover</p>",
        "OEBPS/text/a b.xhtml": PAGE,
        "OEBPS/text/b.xhtml": "<p>goes on</p>",
        "OEBPS/text/c.xhtml": "<p>下雨</p><p>好。</p>",
        **changed,
    }
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            if content is not None:
                archive.writestr(name, content)
    return data.getvalue()


def test_an_epub_is_read_by_its_spine_without_cover_contents_and_notes() -> None:
    book = read_book(packed(), "book.epub")
    assert (book.title, book.author, titles(book)) == ("风 & 雨", "某人", ["起风", "下雨"])
    assert kinds(book) == [
        ("heading", "第一章 起风"),
        ("paragraph", "今天我们去重庆。 103 人。"),
        ("item", "苹果"),
        ("item", "梨"),
        ("verse", "床前明月光，"),
        ("verse", "疑是地上霜。"),
        ("paragraph", "unclosed <tag> 你"),
        ("paragraph", "next"),
        ("paragraph", "goes on"),
        ("heading", "下雨"),
        ("paragraph", "好。"),
    ]


def test_numbers_of_lists_and_rows_of_tables_are_said_as_in_markdown() -> None:
    page = """<ol><li>One<ul><li>inner</li></ul></li><li><p>Two</p><p>and more</p></li></ol>
    <ol start="7"><li>Seven</li><li value="9">9) Nine</li></ol>
    <table><tr><th>From</th><th>Km</th></tr><tr><td>码头</td><td></td><td>0.51</td></tr>
    <tr><td><p>A paragraph.</p><p>Another.</p></td></tr></table>"""
    assert [block.text for block in page_blocks(page)] == [
        "1. One",
        "inner",
        "2. Two",
        "and more",
        "7. Seven",
        "9) Nine",
        "From, Km",
        "码头，0.51",
        "A paragraph.",
        "Another.",
    ]


def test_the_contents_of_epub_2() -> None:
    ncx = '<navPoint><navLabel><text>一</text></navLabel><content src="text/b.xhtml"/></navPoint>'
    package = PACKAGE.replace(
        'href="nav.xhtml" properties="nav"', 'href="t.ncx" media-type="application/x-dtbncx+xml"'
    )
    book = read_book(packed(**{"OEBPS/book.opf": package, "OEBPS/t.ncx": ncx}), "a.epub")
    assert titles(book) == ["第一章 起风", "一"]


DTD = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'


def test_entities_of_a_document_are_not_resolved() -> None:
    book = read_book(packed(**{"OEBPS/text/b.xhtml": f"{DTD}<p>&b; and &c;</p>"}), "a.epub")
    assert ("paragraph", "&b; and &c;") in kinds(book)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"no zip", "not a zip"),
        (packed()[:-200], "cannot be read"),
        (packed(**{"META-INF/container.xml": None}), "container.xml"),
        (packed(**{"META-INF/container.xml": "<x/>"}), "names no package"),
        (packed(**{"META-INF/container.xml": CONTAINER.replace("OEBPS", "../..")}), "book.opf"),
        (packed(**{"META-INF/encryption.xml": '<CipherReference URI="OEBPS/text/b.xhtml"/>'}), "encrypted"),
    ],
)
def test_what_is_no_epub_is_said(data: bytes, says: str) -> None:
    with pytest.raises(UnparsableBody, match=says):
        read_book(data, "a.epub")


def test_no_more_is_unpacked_than_a_book_needs() -> None:
    """40 kB that would be 40 MB."""
    bomb = packed(**{"OEBPS/text/b.xhtml": b"<" * 40_000_001})
    assert len(bomb) < 60_000
    with pytest.raises(TextTooLong):
        epub.read_epub(bomb, 2_000_000)
    with pytest.raises(TextTooLong, match="more than 2500 characters"):
        epub.read_epub(packed(**{"OEBPS/text/b.xhtml": "字" * 2501}), 2500)


@pytest.mark.parametrize(
    ("page", "heard"),
    [
        ('<a ">"' * 100_000 + "b", '"' * 100_000 + "b"),
        (f"<p><a>{'<b> ' * 20_000}x</a></p>", "x"),
        (f"<p {'a' * 10**6} class='note'>b</p>", "b"),
        (f"<p>{'字' * 100_000}。" + '<a href="#n">1</a>' * 20_000, f"{'字' * 100_000}。"),
    ],
    ids=["quotes", "blanks", "tag", "notes"],
)
def test_a_hostile_page_takes_no_longer_than_others(page: str, heard: str) -> None:
    """Where the time would grow with the square, each of these takes a minute or more."""
    assert [block.text for block in page_blocks(page)] == [heard]


def test_a_cdata_section_that_does_not_end_loses_nothing() -> None:
    assert [block.text for block in page_blocks("<p>one <![CDATA[two]]> <![CDATA[three")] == ["one two three"]


@pytest.mark.parametrize(("encoding", "text"), [("punycode", "一-kba"), ("utf-7", "a+2AA-")])
def test_an_encoding_that_is_none_of_texts_is_not_used(encoding: str, text: str) -> None:
    page = f'<?xml version="1.0" encoding="{encoding}"?><p>{text}</p>'
    assert ("paragraph", text) in kinds(read_book(packed(**{"OEBPS/text/b.xhtml": page}), "a.epub"))


def test_a_page_that_is_packed_in_another_way_is_refused() -> None:
    with io.BytesIO() as out:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as archive:
            archive.writestr("META-INF/container.xml", CONTAINER)
        with pytest.raises(UnparsableBody, match="does not allow"):
            read_book(out.getvalue(), "a.epub")


READ = """
import asyncio, sys
from glm_tts_api.errors import UnparsableBody
from glm_tts_api.longform.reading import read_apart
try:
    asyncio.run(read_apart(sys.stdin.buffer.read(), "a.epub"))
except UnparsableBody as error:
    print(error.message)
"""


def read(*args: Any, **options: Any) -> tuple[Book, list[str]]:
    return asyncio.run(read_apart(*args, **options))


def test_a_book_is_the_same_and_the_cast_has_its_lines() -> None:
    book, warnings = read("# 一\n\n小王：你好。\n".encode(), "a.md", cast={"小王": "exampleB"})
    assert kinds(book) == [("heading", "一"), ("paragraph", "你好。")]
    assert [block.voice for block in book.chapters[0].blocks] == [None, "exampleB"]
    assert not warnings
    book, warnings = read("<speak>好<audio src='x'/></speak>", "", is_ssml=True)
    assert kinds(book) == [("paragraph", "好")]
    assert "audio" in warnings[0]


@pytest.mark.parametrize(
    ("limit", "page"),
    [("-t 1", "<p>" * 10**6 + "a"), ("-v 100000", "<!--" + "a" * 39 * 10**6)],
    ids=["time", "memory"],
)
def test_a_book_that_takes_too_much_ends_its_process_alone(limit: str, page: str) -> None:
    """The limits of the shell that begins the reader are lower than its own, for the test to be short."""
    ended = subprocess.run(
        ["bash", "-c", f'ulimit {limit}; exec "$@"', "bash", sys.executable, "-c", READ],
        input=packed(**{"OEBPS/text/b.xhtml": page}),
        capture_output=True,
        check=True,
    )
    assert b"more time or memory" in ended.stdout

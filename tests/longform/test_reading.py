"""Text files to books: encodings, chapters, blocks, and what is refused."""

from __future__ import annotations

import pytest

from glm_tts_api import errors
from glm_tts_api.longform import reading
from glm_tts_api.longform.reading import read_book
from glm_tts_api.longform.script import Block, Book


def kinds(book: Book) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for chapter in book.chapters for block in chapter.blocks]


def titles(book: Book) -> list[str]:
    return [chapter.title for chapter in book.chapters]


NOVEL = """目录
第一章 起风
第二章 下雨
尾声

第一章 起风

　　今天我们去了一个很远的地方，看见了许多以前从来没有见过的东西。
　　大家都非常高兴。
小王：你好！
小李：早。

床前明月光，
疑是地上霜。

* * *
1. 苹果
- 梨
第二章 下雨
第二章里他写道：很好。第一回见到他，
尾声
再见。
"""


def test_a_chinese_novel_has_chapters_paragraphs_dialogue_verse_and_items() -> None:
    book = read_book(NOVEL, "novel.txt")
    assert titles(book) == ["第一章 起风", "第二章 下雨", "尾声"]
    assert kinds(book) == [
        ("heading", "第一章 起风"),
        ("paragraph", "今天我们去了一个很远的地方，看见了许多以前从来没有见过的东西。"),
        ("paragraph", "大家都非常高兴。"),
        ("paragraph", "小王：你好！"),
        ("paragraph", "小李：早。"),
        ("verse", "床前明月光，"),
        ("verse", "疑是地上霜。"),
        ("item", "1. 苹果"),
        ("item", "梨"),
        ("heading", "第二章 下雨"),
        ("paragraph", "第二章里他写道：很好。第一回见到他，"),
        ("heading", "尾声"),
        ("paragraph", "再见。"),
    ]


def test_a_heading_that_stood_before_is_kept_among_headings_in_a_row() -> None:
    """The three headings below the preface are no table of contents: only one of them comes again."""
    book = read_book("前言\n好。\n第一卷 风\n前言\n第一章 起\n好。\n第二章 落\n好。", "a.txt")
    assert [text for kind, text in kinds(book) if kind == "heading"].count("前言") == 2


def test_hard_wrapped_lines_are_joined() -> None:
    english = (
        "CHAPTER I. Down the Hole\n\n"
        "The committee was beginning to get very tired of sitting by the fire in\n"
        "the hall, and of having nothing to decide: once or twice it had looked\n"
        "at the papers on the table.\n"
        '"Well!" said the chair.\n'
    )
    book = read_book(english, "a.txt")
    assert [kind for kind, _ in kinds(book)] == ["heading", "paragraph", "paragraph"]
    assert "tired of sitting by the fire in the hall, and" in kinds(book)[1][1]
    chinese = (
        "今天我们去了一个很远的地方，看见了许多以前从来没有见过的东西，大家\n都非常高兴，但是天气不太好。\n"
    )
    assert kinds(read_book(chinese, "a.txt")) == [("paragraph", chinese.replace("\n", ""))]


def test_a_volume_and_its_first_chapter_begin_one_chapter() -> None:
    book = read_book("第一卷 风\n第一章 起\n好。\n第二章 落\n好。\n第二卷 雨\n第三章 停\n好。", "")
    assert titles(book) == ["第一卷 风 第一章 起", "第二章 落", "第二卷 雨 第三章 停"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
def test_encodings(encoding: str) -> None:
    assert read_book(NOVEL.encode(encoding), "a.txt") == read_book(NOVEL, "a.txt")


MARKDOWN = """---
title: "My book"
author: Me
---
# Part

Text with **bold**, [link](http://a.b), `code` and ![an image](x.png) a note[^1]. [[voice exampleB]] \\*

<!-- not
this -->
## First

- item one
  goes on
  \\
- [ ] item *two*
1. three

```py
code()
```

    indented code

| a | b |
|---|---|
| 1 | 2 |

Second
------
> 小王：你好。
> 小李：好。

One line  
and another

[^1]: a footnote
"""  # noqa: W291


def test_markdown_is_read_without_its_signs() -> None:
    book = read_book(MARKDOWN, "a.md")
    assert (book.title, book.author, titles(book)) == ("My book", "Me", ["Part", "First", "Second"])
    assert kinds(book) == [
        ("heading", "Part"),
        ("paragraph", "Text with bold, link, code and a note. [[voice exampleB]] *"),
        ("heading", "First"),
        ("item", "item one goes on"),
        ("item", "item two"),
        ("item", "1. three"),
        ("item", "a, b"),
        ("item", "1, 2"),
        ("heading", "Second"),
        ("paragraph", "小王：你好。"),
        ("paragraph", "小李：好。"),
        ("verse", "One line"),
        ("verse", "and another"),
    ]


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("<i>Don’t</i>\n{\\an8}{y:i}<s>go</s> &amp;", [("Don’t go &", 1, 3, "")]),
        ("- ANN: Hello\n- Bob (softly):\nHi.", [("Hello", 1, 1.74, "Ann"), ("Hi.", 1.74, 3, "Bob")]),
        ("- 12\n- Hi.", [("- 12 - Hi.", 1, 3, "")]),
        ("…… ...", []),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "cp1252"])
def test_a_cue_of_subtitles_is_a_block(text: str, heard: list[tuple[object, ...]], encoding: str) -> None:
    end = "2\n0:00:05,0 --> 0:00:06,0\nThe end, after a long while."
    srt = f"1\n00:00:01,000 --> 00:00:03,000\n{text}\n\n{end}\n".replace("\n", "\r\n")
    (chapter,) = read_book(srt.encode(encoding, "ignore"), "a.SRT", {"Ann": "a", "Bob": "b"}).chapters
    assert [(block.text, *times_of(block)) for block in chapter.blocks[:-1]] == heard


VTT = """\
WEBVTT

STYLE
::cue { color: red }

NOTE 1 remark
of two lines

greeting
00:01.000 --> 00:02.500 align:start
<v.loud Ann>Hello &amp; <i>bye</i></v>
again

00:00:03.000 --> 00:00:04.000
Ann: 12
"""
ASS = """\
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,{\\b1}Ann:{\\b0}\\h12
Dialogue: 0,0:00:01.00,0:00:02.50,Default,Ann,0,0,0,,{\\i1}Hello & bye{\\i0}\\Nagain
Comment: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,a remark
Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\p1}m 0 0 l 100 0{\\p0}
"""


@pytest.mark.parametrize(("text", "name"), [(VTT, "a.vtt"), (ASS, "a.ass")])
def test_subtitles_have_times_and_speakers(text: str, name: str) -> None:
    (chapter,) = read_book(text, name, {"Ann": "exampleB"}).chapters
    said = [(block.text, block.voice, *times_of(block)) for block in chapter.blocks]
    assert said == [("Hello & bye again", "exampleB", 1.0, 2.5, "Ann"), ("12", "exampleB", 3.0, 4.0, "Ann")]


def times_of(block: Block) -> tuple[float, float, str]:
    assert block.cue is not None
    return block.cue.start_s, block.cue.end_s, block.cue.speaker


@pytest.mark.parametrize(
    ("data", "name", "error", "says"),
    [
        (b"text", "a.pdf", errors.InvalidField, "A .pdf is no book: send a .txt, .md, .epub, .srt, .vtt"),
        (b"RIFF\x24\0\0\0WAVE", "a.wav", errors.InvalidField, "A .wav is no book"),
        (b"RIFF\x24\0\0\0WAVE", "a.txt", errors.UnparsableBody, "a book is a .txt, .md, .epub, .srt"),
        (
            "[Events]\nDialogue: 0,25:00:00.00,25:00:01.00,a,b,0,0,0,,hi",
            "a.ass",
            errors.UnparsableBody,
            "24 hours",
        ),
        (b"caf\xe9 et \xe9s", "a.txt", errors.UnparsableBody, "save it as UTF-8"),
        ("1\n100:00:01,0 --> 100:00:02,0\nhi", "a.srt", errors.UnparsableBody, "up to 24 hours"),
        ("1\n00:10,500 --> 00:12,500\nhi", "a.srt", errors.UnparsableBody, "00:00:01,000 --> "),
        ("hi", "a.srt", errors.UnparsableBody, "no .srt"),
        ("文字".encode("utf-16-le") + b"\n\0", "a.txt", errors.UnparsableBody, "save a text as UTF-8"),
        ("。…\n", "a.txt", errors.NothingToSay, "nothing to say"),
        ("字" * 2_000_001, "", errors.TextTooLong, "2000001 characters"),
    ],
)
def test_what_cannot_be_read_is_said(
    data: bytes | str, name: str, error: type[errors.ServiceError], says: str
) -> None:
    with pytest.raises(error, match=says):
        read_book(data, name)


def test_a_book_of_too_many_paragraphs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_BLOCKS", 2)
    read_book("one\n\ntwo", "a.txt")
    with pytest.raises(errors.TextTooLong, match="more than 2 paragraphs"):
        read_book("one\n\ntwo\n\nthree", "a.txt")


def test_a_bullet_inside_an_item_stays() -> None:
    book = read_book("1. 苹果 - 红色\n\n- 梨 - 黄色\n", "a.txt")
    assert kinds(book) == [("item", "1. 苹果 - 红色"), ("item", "梨 - 黄色")]


LONG = 200_000  # where the time would grow with the square, each of these takes a minute or more


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        (f"a{' ' * LONG}b\nc", [("paragraph", "a b c")]),
        (f"# x{' #' * LONG}y", [("heading", f"x{' #' * LONG}y")]),
        (f"---\ntitle: x{' ' * LONG}y\n---\na", [("paragraph", "a")]),
        (f"{'~' * LONG}`", []),
        (f"a &#{'1' * 5000};", [("paragraph", f"a &#{'1' * 5000};")]),
    ],
    ids=["blanks", "heading", "front", "fence", "character"],
)
def test_a_hostile_line_of_markdown_takes_no_longer_than_others(
    text: str, heard: list[tuple[str, str]]
) -> None:
    assert kinds(read_book(f"{text}\n\nb\n", "a.md")) == [*heard, ("paragraph", "b")]

"""How much is said of addresses, paths and code."""

from __future__ import annotations

import pytest

from speech_text import LexiconEntry, ReadingOptions, TextFrontend, Verbatim

LONG = "这里的每一句话都要读出来。" * 50
BLOCK = "先看例子。\n```python\nfor n in range(3):\n    print(n)\n```\n然后运行它。"


@pytest.mark.parametrize(
    ("text", "short", "skip"),
    [
        ("请访问https://www.github.com/zai-org/GLM-TTS?tab=1#top。", "请访问github点com。", "请访问。"),
        ("See https://docs.rs/3/re.html, please.", "see docs dot rs, please.", "see, please."),
        ("Mail me@example.com today.", "mail me at example dot com today.", "mail today."),
        ("链接在[项目主页](https://example.com/a/b)里。", "链接在项目主页里。", "链接在项目主页里。"),
        ("Open /usr/local/share/voices.txt now.", "open voices dot txt now.", "open now."),
        (r"文件在C:\Users\me\读书.txt里。", "文件在读书点txt里。", "文件在读书点txt里。"),
        ("放到./out/你好.wav。", "放到你好点wav。", "放到你好点wav。"),
        ("Run `pip install x` first.", "run pip install x first.", "run first."),
        (BLOCK, "先看例子。然后运行它。", "先看例子。然后运行它。"),
        ("A fence that\n```\nis not closed.", "a fence that. is not closed.", "a fence that. is not closed."),
        ("他/她 and/or 3/4 km/h", None, None),
        ("[[重庆|chong2 qing4]]在http://a.cn/x上。", "重庆在a点cn上。", "重庆在上。"),
    ],
)  # fmt: skip
def test_short_and_skip(frontend: TextFrontend, text: str, short: str | None, skip: str | None) -> None:
    """None: as with "read"."""
    whole = said(frontend, text, "read")
    assert said(frontend, text, "short") == (whole if short is None else short)
    assert said(frontend, text, "skip") == (whole if skip is None else skip)


def said(frontend: TextFrontend, text: str, verbatim: Verbatim | None = None) -> str:
    return frontend.read(text, ReadingOptions(verbatim=verbatim)).text


def test_a_long_text_is_shortened_where_nobody_says_otherwise(frontend: TextFrontend) -> None:
    address = "请访问https://github.com/zai-org。"
    assert said(frontend, address) == "请访问https冒号斜杠斜杠github点com斜杠zai杠org。"
    assert said(frontend, LONG + address).endswith("请访问github点com。")
    assert said(frontend, LONG + address, "read").endswith("斜杠zai杠org。")


def test_what_is_shortened_is_shown_as_a_change(frontend: TextFrontend) -> None:
    reading = frontend.read("看https://github.com/zai-org，再看。", ReadingOptions(verbatim="short"))
    (change,) = reading.changes
    assert (change.written, change.said, change.start) == ("https://github.com/zai-org", "github点com", 1)
    assert change.rule == "verbatim"


def test_a_word_of_the_lexicon_is_not_looked_for_in_what_is_left_out(frontend: TextFrontend) -> None:
    options = ReadingOptions(verbatim="short", lexicon=[LexiconEntry("zai", replacement="质谱")])
    assert frontend.read("看https://github.com/zai，zai。", options).text == "看github点com，质谱。"

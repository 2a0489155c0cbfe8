"""Tags of HTML and the references of Markdown's links are markup, and never said."""

import pytest

from speech_text import TextFrontend


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("Click <b>here</b> now.<br>Then wait.", ["click here now. then wait."]),
        ("<p>One day</p><p>it rained.</p>", ["one day. it rained."]),
        ("<ul><li>milk</li><li>bread</li></ul>", ["milk. bread."]),
        ('See <a href="https://a.example/b?c=1&d=2" title="x">the guide</a>.', ["see the guide."]),
        ('<img src="logo.png" width="201px"> Welcome home.', ["welcome home."]),
        ("It works. <!-- not yet, 42 --> Really.", ["it works. really."]),
        ("<style>p { margin: 0 }</style>A plain line.", ["a plain line."]),
        ("点击<b>这里</b>，<br>然后等一下。", ["点击这里，然后等一下。"]),
        ("Press <Enter>, then type <code>.", ["press enter, then type code."]),
        ("Type <code>ls</code> and wait.", ["type ls and wait."]),
        ("It holds if a <b and c> d.", ["it holds if a b and c d."]),
    ],
)
def test_tags_are_not_said(frontend: TextFrontend, text: str, segments: list[str]) -> None:
    assert frontend.prepare(text) == segments


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("See [the guide][1] first.\n\n[1]: https://a.example/guide", ["see the guide first."]),
        ("[![a badge][svg]][page] for you.\n\n[svg]: a.svg\n[page]: /b 'title'", ["a badge for you."]),
        ("见[指南][1]。\n[1]: https://a.example/c", ["见指南。"]),
        ("A row is t[1][2] here.", ["a row is t one two here."]),
        ("It was so.[^1]\n\n[^1]: But only once.", ["it was so. one.", "one: but only once."]),
        ("[note]: this is a line of text", ["note: this is a line of text."]),
    ],
)
def test_references_of_links_are_not_said(frontend: TextFrontend, text: str, segments: list[str]) -> None:
    assert frontend.prepare(text) == segments


def test_a_tag_is_told_as_a_change(frontend: TextFrontend) -> None:
    changes = frontend.read("Click <b>here</b> now.").changes
    assert [(change.said, change.rule) for change in changes] == [("here", "verbatim")]

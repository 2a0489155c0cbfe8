"""[[mood glad]] in a text: which voice speaks behind it, in a request and in the units of a book."""

from __future__ import annotations

from glm_tts_api.contracts import ReadingOptions
from glm_tts_api.longform.plan import plan
from glm_tts_api.longform.script import Block, Book, Chapter
from glm_tts_api.longform.voices import unit_voices
from speech_text.cut.block_pauses import Pauses
from speech_text.frontend import TextFrontend
from speech_text.markup.marks import voices_in, without_marks

TEXT = "一。[[mood glad]]二。[[mood]]三。[[voice me]][[mood sad]]四。[[mood]]五。[[voice]]六。"


def test_a_mood_is_one_of_the_voice_that_speaks(frontend: TextFrontend) -> None:
    segments = frontend.read(TEXT, ReadingOptions()).segments
    assert [one.voice for one in segments] == [None, ":glad", None, "me:sad", "me", None]
    assert voices_in(TEXT) == [":glad", ":", "me", "me:sad", "me", ""]
    assert voices_in("[[mood glad]]", "me:sad") == ["me:glad"]
    assert without_marks(TEXT) == "一。二。三。四。五。六。"


def test_a_mood_holds_in_a_book_and_to_the_end_of_a_speakers_line() -> None:
    long = "这一句话相当长，这样一段话就会分成几个部分来说了。" * 3
    blocks = (
        Block("[[mood glad]]一段。"),
        Block(f"[[mood sad]]{long}{long}", voice="王"),
        Block("三段。"),
        Block("[[mood]]四段。"),
        Block("五段。"),
    )
    units = [*plan(Book((Chapter("", blocks),)), seed=1, pauses=Pauses())]
    texts = [unit.text for unit in units]
    spoken = texts.index("[[voice :glad]]三段。")
    assert texts[0] == "[[mood glad]]一段。"
    assert spoken > 2
    assert all(text.startswith("[[voice :sad]]") for text in texts[2:spoken])
    assert texts[spoken + 1 :] == ["[[voice :glad]][[mood]]四段。", "五段。"]
    assert unit_voices(texts[2], "王") == {"王:sad": ":sad"}
    assert unit_voices(texts[spoken], None) == {":glad": ":glad"}

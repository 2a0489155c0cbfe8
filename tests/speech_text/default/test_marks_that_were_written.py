"""The mark that ends a sentence is heard as it was written, whatever closes behind it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from speech_text import TextFrontend
from tests.speech_text.readings.accepted import sentences
from tests.speech_text.test_spoken import texts_of

SPOKEN_ENGLISH = [
    *texts_of("the mark in English")[:18],
    "She packed the tent, the stove, the maps and the torches (had she forgotten anything?).",
    "He climbed the stairs every evening with his lamp and his dog, and asked: “Who is there?”",
    "“Where did you put the keys?” Anna asked, looking under the sofa and in every coat.",
]
SPOKEN_CHINESE = [
    *texts_of("the mark in Chinese")[:14],
    "“昨天晚上我在门口等了你整整两个小时，你到底去哪儿了，为什么连一个电话都不打给我？”",
    "妈妈站在门口，手里还拿着那把旧雨伞，生气地问：“你知道我有多担心你吗？”",
    "「春天來了，花園裡的花都開了，小貓蜷縮在沙發上睡著了，」她說，「你看見了嗎？」",
]


@given(st.lists(st.sampled_from(SPOKEN_ENGLISH), min_size=2, max_size=8).map(" ".join))
def test_no_mark_of_an_english_dialogue_changes_where_a_segment_ends(
    frontend: TextFrontend, text: str
) -> None:
    assert " ".join(frontend.prepare(text)) == frontend.normalize(text)


@given(st.lists(st.sampled_from(SPOKEN_CHINESE), min_size=2, max_size=8).map("".join))
def test_no_mark_of_a_chinese_dialogue_changes_where_a_segment_ends(
    frontend: TextFrontend, text: str
) -> None:
    heard, written = "".join(frontend.prepare(text)), frontend.normalize(text)
    assert heard == written


def test_the_end_of_a_sentence_is_heard_whatever_the_sentence_holds(frontend: TextFrontend) -> None:
    lost = []
    for one in sentences()[::5]:
        text = one.text.rstrip(".。!?！？")
        if "\n" in text or not text[-1].isalnum():
            continue
        wanted = (
            {f'"{text}?"': "?", f"{text}. Then he left.": ". then he left."}
            if one.language == "en"
            else {f"“{text}？”": "?", f"{text}。然后他走了。": "。然后他走了。"}
        )
        lost += [written for written, end in wanted.items() if not frontend.normalize(written).endswith(end)]
    assert lost == []

"""The mark that ends a sentence is heard as it was written, whatever closes behind it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech_text import TextFrontend
from tests.speech_text.readings.accepted import sentences

ENGLISH = {
    '"Is it there?"': "is it there?",
    "'Really?'": "really?",
    "“Are you sure?”": "are you sure?",
    "(Is anybody home?)": "is anybody home?",
    "**Is it done?**": "is it done?",
    '- "Where to?"': "where to?",
    "«Ist es da?»": "ist es da?",
    "Vraiment ?": "vraiment?",
    '"You did what?!"': "you did what?",
    '"Stop!"': "stop.",
    '"Wait…"': "wait.",
    '"Is it there?" she asked.': "is it there? she asked.",
    '"Is that all?", she wondered.': "is that all? she wondered.",
    '"Go!", he said.': "go. he said.",
    '"Fine", he said.': "fine, he said.",
    'Did he really say "never"?': "did he really say never?",
    'Did he really say "why?"?': "did he really say why?",
    'He asked me "why?".': "he asked me why?",
    '"But I thought—" "You thought what?"': "but i thought, you thought what?",
    'She looked up ("Who\'s there?") and smiled.': "she looked up who's there? and smiled.",
    '"How?"\n"Magic."': "how? magic.",
    "Really‽ He did.": "really? he did.",
    "هل أنت هناك؟": "هل أنت هناك?",
}
CHINESE = {
    "“你怎么知道？”": "你怎么知道?",
    "「今天會下雨嗎？」老師問。": "今天会下雨吗?老师问。",
    "『真的吗？』": "真的吗?",
    "‘你没骗我吧？’": "你没骗我吧?",
    "（你确定吗？）": "你确定吗?",
    "《你好吗？》": "你好吗?",
    "他问：“你怎么知道？”": "他问，你怎么知道?",
    "她问我“为什么”？": "她问我为什么?",
    "她问我“为什么？”。": "她问我为什么?",
    "“真的吗？”，她问。": "真的吗?她问。",
    "“走吧！”，他说。": "走吧。他说。",
    "走吧！快走！": "走吧。快走。",
    "你好!今天天气不错!": "你好。今天天气不错。",
    "他喊了一声Stop!大家都停下了。": "他喊了一声stop。大家都停下了。",
    "第三章　雪夜": "第三章，雪夜。",
    "第12章 风起": "第十二章，风起。",
    "他走进来　看了看": "他走进来，看了看。",
    "目　录": "目录。",
    "　　他来了。　　她走了。": "他来了。她走了。",
    "J. K. 罗琳写的。": "j k罗琳写的。",
    "“走吧！”": "走吧。",
    "“好吧……”": "好吧。",
    "什么……？": "什么?",
    "“你说什么？！”": "你说什么?",
    "真的吗⁇": "真的吗?",
    "你好︖": "你好?",
    "好吧⋯⋯我走了": "好吧。我走了。",
    "“你是谁？”——“我是你的邻居。”": "你是谁?我是你的邻居。",
    "他自言自语（“这可能吗？”），然后走了。": "他自言自语这可能吗?然后走了。",
    '老板说:"明天来,行吗?"': "老板说，明天来，行吗?",
}
SHORT_FORMS = {
    "We meet at 5:30 p.m.": "we meet at five thirty pm.",
    "We meet at 5:30 p.m. Then we go.": "we meet at five thirty pm. then we go.",
    "We left at 5 p.m.\nIt rained.": "we left at five pm. it rained.",
    '"We close at 9 p.m." She left.': "we close at nine pm. she left.",
    "We close at 9pm. Tom left.": "we close at nine pm. tom left.",
    "Is it 5:30 p.m.?": "is it five thirty pm?",
    "We meet at 5 p.m. tomorrow.": "we meet at five pm tomorrow.",
    "We meet at 5 p.m. Monday.": "we meet at five pm monday.",
    "We call at 8 p.m. EST daily.": "we call at eight pm est daily.",
    "At 7 p.m. Maria called.": "at seven pm maria called.",
    "I live in the U.S. It is big.": "i live in the u s. it is big.",
    "The U.S. Senate voted.": "the u s senate voted.",
    "The U.S. No. 1 seed won.": "the u s number one seed won.",
    "She has a Ph.D. He has none.": "she has a p h d. he has none.",
    "He works at Acme Inc. She does not.": "he works at acme incorporated. she does not.",
    "I read Inc. Magazine.": "i read incorporated magazine.",
    "It was Smith vs. The State.": "it was smith versus the state.",
    "Bring pens, etc. Lunch is at noon.": "bring pens, et cetera. lunch is at noon.",
    "They live on Elm Dr. Nobody visits.": "they live on elm drive. nobody visits.",
    "We came on 5 March. Tom was late.": "we came on the fifth of march. tom was late.",
    "It was J. H. Marsh who wrote.": "it was j h marsh who wrote.",
    "J. R. R. Tolkien and C. S. Lewis met.": "j r r tolkien and c s lewis met.",
    "George W. Bush met John F. Kennedy Jr.": "george w bush met john f kennedy junior.",
    "Dr. J. Smith saw Mr. T. Jones.": "doctor j smith saw mister t jones.",
    "Plan A. Plan B. I like it.": "plan a. plan b. i like it.",
    "Take Vitamin C. It helps.": "take vitamin c. it helps.",
    "It is I. He knows.": "it is i. he knows.",
    "A. Apples are red.": "a. apples are red.",
    "She sat in Row C. Tom sat in Row D.": "she sat in row c. tom sat in row d.",
}


@pytest.mark.parametrize(("text", "spoken"), [*ENGLISH.items(), *CHINESE.items(), *SHORT_FORMS.items()])
def test_the_mark_that_was_written_is_heard(frontend: TextFrontend, text: str, spoken: str) -> None:
    assert " ".join(frontend.prepare(text)) == spoken


SPOKEN_ENGLISH = [
    *[*ENGLISH][:18],
    "She packed the tent, the stove, the maps and the torches (had she forgotten anything?).",
    "He climbed the stairs every evening with his lamp and his dog, and asked: “Who is there?”",
    "“Where did you put the keys?” Anna asked, looking under the sofa and in every coat.",
]
SPOKEN_CHINESE = [
    *[*CHINESE][:14],
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
    for one in sentences():
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

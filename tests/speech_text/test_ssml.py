"""SSML becomes a text with marks."""

from __future__ import annotations

import pytest

from speech_text import TextError, TextFrontend, with_marks


@pytest.mark.parametrize(
    ("ssml", "text"),
    [
        ("你好<break time='500ms'/>再<break time='1.5s'/>见", "你好[[pause 0.5]]再[[pause 1.5]]见"),
        ("a<break/>b<break strength='strong'/>c<break strength='none'/>d", "a[[pause 0.4]]b[[pause 0.7]]cd"),
        ("<phoneme alphabet='x-pinyin' ph='chong2 qing4'>重庆</phoneme>", "[[重庆|chong2 qing4]]"),
        ("<sub alias='World Wide Web'>WWW</sub>", "World Wide Web"),
        ("验证码<say-as interpret-as='digits'>2024</say-as>", "验证码二零二四"),
        ("code <say-as interpret-as='digits'>2024</say-as>", "code two zero two four"),
        ("共<say-as interpret-as='cardinal'>-12.5</say-as>", "共负十二点五"),
        ("<say-as interpret-as='ordinal'>21</say-as> place", "twenty first place"),
        ("获<say-as interpret-as='ordinal'>2</say-as>", "获第二"),
        ("拨<say-as interpret-as='telephone'>110-12</say-as>", "拨幺幺零，幺二"),
        ("<say-as interpret-as='characters'>A1b</say-as>", "A 1 b"),
        ("<say-as interpret-as='date'>2024-01-05</say-as>", "2024-01-05"),
        ("一<prosody rate='fast'>二<prosody rate='80%'>三</prosody></prosody>", None),
        ("一<voice name='exampleB'>二</voice>三", "一[[voice exampleB]]二[[voice]]三"),
        ("<p>一。</p><p><s>二</s><s>a?</s><s>b</s></p>", "一。\n\n二。 a? b."),
        ("a &lt; b &amp; c", "a < b & c"),
    ],
)
def test_tags_become_marks(ssml: str, text: str | None) -> None:
    expected = text or "一[[speed 1.25]]二[[speed 0.8]]三[[speed 1.25]][[speed 1]]"
    assert with_marks(f"<speak xmlns='http://www.w3.org/2001/10/synthesis'>{ssml}</speak>") == (expected, [])


def test_it_is_read_as_its_marks(frontend: TextFrontend) -> None:
    text, _ = with_marks("<speak><voice name='b'>你好<break time='1s'/></voice>再见</speak>")
    segments = frontend.read(text).segments
    assert [(one.text, one.voice, one.pause_s) for one in segments] == [
        ("你好。", "b", 0.0),
        ("再见。", None, 1.0),
    ]


def test_an_unknown_tag_is_warned_of_and_read() -> None:
    text, warnings = with_marks("<speak>很<emphasis>好</emphasis><prosody pitch='high'>的</prosody></speak>")
    assert text == "很好的"
    assert [warning.partition(" is ")[0] for warning in warnings] == ["<emphasis>", "<prosody pitch>"]


@pytest.mark.parametrize(
    ("ssml", "names"),
    [
        ("<speak>\n<p>你好</speak>", "line 2, column 7"),
        ("你好", "line 1"),
        ("<p>你好</p>", "<speak>"),
        ("<!DOCTYPE speak [<!ENTITY a 'b'>]><speak>&a;</speak>", "no entities"),
        ("<!DOCTYPE speak SYSTEM 'file:///etc/passwd'><speak/>", "no document type"),
        ("<speak>" + "<p>" * 5000 + "</p>" * 5000 + "</speak>", "nested deeper"),
        ("<speak><break time='20s'/></speak>", "0.05 s to 10 s"),
        ("<speak><break strength='odd'/></speak>", "medium"),
        ("<speak><phoneme alphabet='ipa' ph='a'>a</phoneme></speak>", "x-pinyin"),
        ("<speak><phoneme alphabet='x-arpabet' ph='L AY1 V'>live</phoneme></speak>", "Mandarin alone"),
        ("<speak><say-as interpret-as='odd'>1</say-as></speak>", "cardinal"),
        ("<speak><prosody rate='900%'>1</prosody></speak>", "25% to 400%"),
        ("<speak><voice>1</voice></speak>", "registered voice"),
    ],
)
def test_what_cannot_be_meant_is_named(ssml: str, names: str) -> None:
    with pytest.raises(TextError) as refused:
        with_marks(ssml)
    assert names in str(refused.value)
    assert refused.value.code == "invalid_ssml"

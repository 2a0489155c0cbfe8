"""Figures that are of a class of assets/readings/figures*.tsv, and the places where they are none."""

from __future__ import annotations

import pytest

from glm_tts_api.text.default.figures import groups
from glm_tts_api.text.frontend import TextFrontend


def test_a_telephone_number_is_said_in_groups() -> None:
    assert groups("13812345678") == ["138", "1234", "5678"]
    assert groups("4006279152转8") == ["400", "627", "9152", "8"]


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("打138 1234 5678给我", "打幺三八，幺二三四，五六七八给我。"),
        ("卡号6222 0200 1234 5678", "卡号六二二二，零二零零，幺二三四，五六七八。"),
        ("(010) 12345678转801", "零幺零，幺二三四五六七八，转八零幺。"),
        ("1201~1203室", "幺二零幺到幺二零三室。"),
        ("从v2.3.10-91升级", "从v二点三点十杠九十一升级。"),
        ("B737-800和F-16", "b七三七八百和f十六。"),
        ("RTX4070和3080比，3080元", "rtx四零七零和三零八零比，三千零八十元。"),
    ],
)
def test_chinese_figures_of_a_class(frontend: TextFrontend, text: str, spoken: str) -> None:
    assert frontend.normalize(text) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Call 1-800-FLOWERS.", "call one eight hundred, flowers."),
        ("Rooms 304 and 305.", "rooms three oh four and three oh five."),
        ("Room 304 and 305 people.", "room three oh four and three hundred and five people."),
        ("Two F-16s and an Airbus A320neo.", "two f sixteens and an airbus a three twenty neo."),
        ("Your code is 480 193.", "your code is four eight zero, one nine three."),
    ],
)
def test_english_figures_of_a_class(frontend: TextFrontend, text: str, spoken: str) -> None:
    assert frontend.normalize(text) == spoken


def test_the_kind_of_a_class_is_shown(frontend: TextFrontend) -> None:
    reading = frontend.read("请拨打138-1234-5678")
    assert [change.rule for change in reading.changes] == ["telephone"]

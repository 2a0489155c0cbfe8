"""The measure of a drift: the longest run of wrong sounds, whatever the recogniser's spelling."""

from __future__ import annotations

import pytest

from glm_tts_api.recognition.comparison import compare, verdict_of


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("他在北京银行工作。", "她再北京银行工作"),  # homophones
        ("湿度百分之三十到百分之四十，记得多喝水。", "濕度30%到40%,記得多喝水"),  # figures, old characters
        ("it costs twenty five dollars in twenty twenty five.", "It costs $25 in 2025."),
        ("their new house is over there.", "There new house is over their"),
        ("重庆的银行行长。", "重慶的銀行行長。"),  # characters of several readings
        ("the g l m model reads c s v files.", "The GLM model reads CSV files."),
        ("打开wifi再连接打印机。", "打開 WiFi 再連接打印機"),
    ],
)
def test_the_same_words_in_another_spelling_are_right(said: str, heard: str) -> None:
    found = compare(said, heard)
    assert (found.longest, found.wrong) == (0, 0)


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("the weather is nice today and we go outside.", "The weather is and we go outside."),  # dropped
        ("今天天气很好，我们一起出去玩。", "今天天气很好我们玩。"),
        ("please call me back tomorrow.", "Please call me back please call me back tomorrow."),  # said twice
        ("我明天上午给你打电话。", "我明天上午明天上午给你打电话"),
        ("my brother bought apples at the market.", "My brother stole seven bicycles at the market."),
        ("他买了七个苹果。", "他卖了三辆自行车。"),
        ("the last words are missing here.", ""),
    ],
)
def test_words_that_are_dropped_repeated_or_others_are_a_drift(said: str, heard: str) -> None:
    assert verdict_of(compare(said, heard), is_sure=True) == "drift"
    assert verdict_of(compare(said, heard), is_sure=False) == "inconclusive"


def test_single_sounds_that_are_misheard_here_and_there_are_no_drift() -> None:
    said = "the ship leaves the harbour at ten and comes back in the evening."
    heard = "The sheep leaves the harbor at tan and comes bag in the evening."
    found = compare(said, heard)
    assert found.wrong >= 3
    assert verdict_of(found, is_sure=True) == "ok"
    assert verdict_of(compare("请把窗户关上再走。", "请把床户关上再揍。"), is_sure=True) == "ok"


def test_a_right_sound_by_chance_does_not_end_a_wrong_run() -> None:
    assert compare("一二三四五六七八九。", "一马马四马马七八九。").longest == 6.0  # 4 - 2 + 4

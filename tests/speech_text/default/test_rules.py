"""The default rules against the published ones, as docs/text.md promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech_text.cut.pieces import unwatched
from speech_text.default.chinese import rules as chinese_rules
from speech_text.default.data import Words
from speech_text.default.english import rules as english_rules
from speech_text.default.rules import DefaultRules, is_plain_chinese, is_plain_english
from speech_text.default.table import Rule, apply_rules
from speech_text.frontend import TextFrontend
from tests.speech_text.readings.accepted import sentences

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "text.md"


def documented_deviations() -> list[tuple[str, str, str]]:
    rows = []
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)]
        if len(cells) == 6 and re.fullmatch("`.*`", cells[2]):
            rows.append((cells[2].strip("`").replace("⏎", "\n"), cells[3], cells[4]))
    return rows


def test_a_name_that_begins_like_a_numeral_is_a_name(frontend: TextFrontend) -> None:
    """John L... is no king of a number."""
    assert frontend.normalize("John Lennon was born in 1940.") == "john lennon was born in nineteen forty."
    assert frontend.normalize("George C. Scott won in 1971.").startswith("george c scott won in")


def test_the_document_lists_deviations() -> None:
    assert len(documented_deviations()) > 60


@pytest.mark.parametrize(("text", "before", "after"), documented_deviations())
def test_each_documented_deviation(
    frontend: TextFrontend, published: TextFrontend, text: str, before: str, after: str
) -> None:
    assert before != after
    assert published.normalize(text) == before
    assert frontend.normalize(text) == after


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("今天是2024年1月5日，气温3.5度。", "今天是二零二四年一月五日，气温三点五度。"),
        ("他跑了34.5公里，用时6小时09分。", "他跑了三十四点五公里，用时六小时零九分。"),
        ("GDP增长5.2%", "gdp增长百分之五点二。"),
        ("版本v40.8.8发布，修复了40个bug。", "版本v四十点八点八发布，修复了四十个bug。"),
        ("请说Hello World三遍", "请说hello world三遍。"),
        ("银行行长？", "银行行长?"),
        ("周三9:00开会", "周三，九点开会。"),
        ("输出5V2A", "输出五伏二安。"),
        ("log₂8等于3", "log以二为底八的对数等于三。"),
        ("We know log₂8 is 3.", "we know log base two of eight is three."),
        ("走！我们出发", "走。我们出发。"),
        ("繁體中文測試", "繁体中文测试。"),
        ("二〇二四年", "二零二四年。"),
        ("1. 首先打开门", "一。首先打开门。"),
        ("- 第一\n- 第二", "第一。第二。"),
        ("3kg、5km和100ml", "三千克，五公里和一百毫升。"),
        ("3月5日-8日", "三月五日到八日。"),
        ("10:00-12:00营业", "十点到十二点营业。"),
        ("比赛于15:30:45结束", "比赛于十五点三十分四十五秒结束。"),
        ("房间3-201", "房间三杠二零幺。"),
        ("路径C:\\new\\test", "路径c，new test。"),
        ("阈值大于 0、不超过 5。", "阈值大于零，不超过五。"),  # 0 is no item of a list
    ],
)
def test_chinese_is_read_as_one_speaks(frontend: TextFrontend, text: str, spoken: str) -> None:
    assert frontend.normalize(text) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("It's 3:30 PM.", "it's three thirty pm."),
        ("See you at 8:05 pm.", "see you at eight oh five pm."),
        ("On January 5th, 2024, we won.", "on january fifth, twenty twenty four, we won."),
        ("2024-01-05", "january fifth, twenty twenty four."),
        ("The year 1984 and 2005.", "the year nineteen eighty four and two thousand five."),
        (
            "1,234,567 people",
            "one million two hundred and thirty four thousand five hundred and sixty seven people.",
        ),
        ("$3.5B or £5.50", "three point five billion dollars or five pounds and fifty p."),
        ("Call +1 (415) 555-2671.", "call plus one, four one five, five five five, two six seven one."),
        ("Dr. Smith met Mr. Jones", "doctor smith met mister jones."),
        ("MS Office and Gen Z", "ms office and gen z."),
        ("10 km/h, 5 kg, 20°C", "ten kilometers per hour, five kilograms, twenty degrees celsius."),
        ("What?! Wait!!!", "what? wait."),
        ("Lunch is at 12:00 pm, dinner at 7:00.", "lunch is at twelve pm, dinner at seven o'clock."),
        ("x² + y² = 25", "x squared plus y squared equals twenty five."),
        ("Visit example.org/about!", "visit example dot org slash about."),
    ],
)
def test_english_is_read_as_one_speaks(frontend: TextFrontend, text: str, spoken: str) -> None:
    assert frontend.normalize(text) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("0, 19, 20, 21, 99 and 100", "zero, nineteen, twenty, twenty one, ninety nine and one hundred."),
        ("101, 110 and 999", "one hundred and one, one hundred and ten and nine hundred and ninety nine."),
        ("1000 and 12,345", "one thousand and twelve thousand three hundred and forty five."),
        ("2,000,001 or 5,000,000,000,000", "two million and one or five trillion."),
        (
            "in 1900, 1905, 1910 and 1984",
            "in nineteen hundred, nineteen oh five, nineteen ten and nineteen eighty four.",
        ),
        ("in 2000, 2005, 2010", "in two thousand, two thousand five, twenty ten."),
        ("1984 books", "one thousand nine hundred and eighty four books."),
        ("It is 1:00, 1:01 and 1:10.", "it is one o'clock, one oh one and one ten."),
        ("1/2, 3/4 and 2 1/3", "one half, three quarters and two and one third."),
        ("2^-3, 7^5, y^3", "two to the power of minus three, seven to the power of five, y cubed."),
        ("1st, 2nd, 3rd, 21st", "first, second, third, twenty first."),
        ("€2.50, £0.05 and $1", "two euros and fifty cents, five p and one dollar."),
        (
            "融资$3 trillion，$2.5T，$4k，$6m，$7bn，$8 thousand",
            "融资三万亿美元，二点五万亿美元，四千美元，六百万美元，七十亿美元，八千美元。",
        ),
        ("时长0:01:30", "时长零小时一分三十秒。"),
        ("3:00 pm见，10:05开会", "下午三点见，十点零五分开会。"),
        (
            "3 am和12 am，12 pm，8 pm，9 am",
            "凌晨三点和凌晨十二点，中午十二点，晚上八点，上午九点。",
        ),
        ("凌晨3 am", "凌晨三点。"),
        ("拨打13812345678或4006279152", "拨打幺三八，幺二三四，五六七八或四零零，六二七，九幺五二。"),
        ("2024-05发布", "二零二四年五月发布。"),
        ("北纬39°54'20\"，东经116°23'", "北纬三十九度五十四分二十秒，东经一百一十六度二十三分。"),
        ("约3.5e10个，3e-5米，10⁻³", "约三点五乘以十的十次方个，三乘以十的负五次方米，十的负三次方。"),
        ("100元/月，苹果/梨", "每月一百元，苹果，梨。"),
        (
            "1.5e10 or 3e-5",
            "one point five times ten to the power of ten or three times ten to the power of minus five.",
        ),
        ("It took 1:02:01.", "it took one hour two minutes and one second."),
        (
            "the 80s, the 1900s and the 2000s",
            "the eighties, the nineteen hundreds and the two thousands.",
        ),
    ],
)
def test_numbers_of_every_size_and_kind(frontend: TextFrontend, text: str, spoken: str) -> None:
    assert frontend.normalize(text) == spoken


@pytest.mark.parametrize("text", [row[0] for row in documented_deviations()])
def test_normalising_a_normalised_text_changes_nothing(frontend: TextFrontend, text: str) -> None:
    once = frontend.normalize(text)
    assert frontend.normalize(once) == once


LIKELY = """no. etc. vs. st. dr. approx. fig. i.e. e.g. a.m. u.s. foot feet noon o'clock half past to of
by and point dollars page chapter monday jan. may example.com www.a .net main.py it's 'a' don.
Jan. Sept. to Mar revenue grew QoQ in Gary, Ind. Miss. each mo. per gal. lb. oz. second ed.
Bb major aka hundred km Part L
零 一 二 两 十 百 千 万 亿 半 多 年 月 日 号 点 分 秒 元 块 度 比 分之 第 至 到 个 楼 路 负 周 验证码"""

FULLY_READ = {
    "Revenue grew QoQ.": "revenue grew quarter over quarter.",
    "We live in Gary, Ind.": "we live in gary, indiana.",
    "See you in Feb.": "see you in february.",
    "You pay twice each mo.": "you pay twice each month.",
    "It costs two per gal.": "it costs two per gallon.",
    "She has the second ed.": "she has the second edition.",
    "He played in Bb major.": "he played in b flat major.",
    "William Bonney, aka Billy.": "william bonney, a k a billy.",
    "It is two hundred km.": "it is two hundred kilometers.",
    "They like Part L.": "they like part l.",
    "The foot xylophone is loud.": "the foot xylophone is loud.",
}


@pytest.mark.parametrize(("text", "spoken"), FULLY_READ.items())
def test_a_sentence_without_a_digit_is_read_as_beside_a_number(
    frontend: TextFrontend, text: str, spoken: str
) -> None:
    assert frontend.normalize(text) == spoken
    assert frontend.normalize(f"There were 5. {text}").endswith(spoken)


def test_no_reading_changes_where_the_rules_are_applied_to_plain_sentences_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules = DefaultRules()
    texts = [*FULLY_READ, *(rules.fold(one.text) for one in sentences() if not re.search(r"\d", one.text))]
    as_used = [rules.speak(text, (), []) for text in texts]
    for name in ("is_plain_chinese", "is_plain_english"):
        monkeypatch.setattr(f"speech_text.default.rules.{name}", lambda _: False)
    assert as_used == [rules.speak(text, (), []) for text in texts]


IN_CHINESE, IN_ENGLISH = chinese_rules.rules(Words()), english_rules.rules(Words())


@given(st.lists(st.sampled_from([*LIKELY.split(), *"abkm.,?:;'，。？ 行"])), st.sampled_from(["", " "]))
def test_the_rules_find_nothing_in_a_sentence_that_is_left_out_as_plain(
    words: list[str], between: str
) -> None:
    text = between.join(words)
    if is_plain_chinese(text):
        assert apply_rules(IN_CHINESE, text, unwatched, []) == text
    if is_plain_english(text):
        assert apply_rules(IN_ENGLISH, text, unwatched, []) == text


NEIGHBORS = ("We saw {}.", "the second {}.", "Gary, {}.", "per {} now", "in {}, one", "two hundred {}.")


def test_the_rules_find_none_of_their_words_in_a_sentence_that_is_left_out_as_plain() -> None:
    patterns = [rule.pattern.pattern for rule in IN_ENGLISH if isinstance(rule, Rule)]
    words = {word for pattern in patterns for word in re.findall("[A-Za-z]{2,12}", pattern)}
    assert words > {"oz", "Ind", "mtg", "hundred"}
    texts = [form.format(word) for form in NEIGHBORS for word in words]
    plain = filter(is_plain_english, texts)
    assert [
        text for text in plain if apply_rules(IN_ENGLISH, text, unwatched, []).lower() != text.lower()
    ] == []

"""Figures that are of a class of assets/readings/figures*.tsv, and the places where they are none."""

from __future__ import annotations

import pytest

from speech_text.default.figures import groups
from speech_text.frontend import TextFrontend


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
        ("9:00～11:30开会，9-11点半吃饭。", "九点到十一点三十分开会，九到十一点半吃饭。"),
        ("早上8 am起，8:05 pm到。", "早上八点起，晚上八点零五分到。"),
        ("¥39.8元，1.5万USD，$5-$10，$5 million。", "三十九点八元，一点五万美元，五到十美元，五百万美元。"),
        ("重-5kg，温度-10~25℃，车速60km/h", "重五千克，温度负十到二十五摄氏度，车速每小时六十公里。"),
        ("5%~10%，油耗7L/100km，3万元/月", "百分之五到百分之十，油耗七升每百公里，每月三万元。"),
        (
            "血压120/80mmHg，1/3-1/2，1.2×10^5",
            "血压一百二十，八十毫米汞柱，三分之一到二分之一，一点二乘以十的五次方。",
        ),
        (
            "2-3个，第2-3名，5-3=2，图5-3；住5-1801",
            "两到三个，第二到三名，五减三等于二，图五杠三，住五杠幺八零幺。",
        ),
        ("抢七7-5，6-7、7-6，1:500，4-3-3阵型", "抢七七比五，六比七，七比六，一比五百，四三三阵型。"),
        ("8m 30s跑完，5'30\"的配速，身高6'2\"。", "八分三十秒跑完，五分三十秒的配速，身高六英尺二英寸。"),
        ('他说"好看"，这台显示器是27"的。', "他说好看，这台显示器是二十七英寸的。"),
        ('他说"买27"，我买了。', "他说买二十七，我买了。"),
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
        (
            "Class of '05, at 2021/12/25 10:00.",
            "class of oh five, at december twenty fifth, twenty twenty one ten o'clock.",
        ),
        ("9am-5pm, 5:30-7 p.m. Then we left.", "nine am to five pm, five thirty to seven pm. then we left."),
        (
            "It is $5.05, €3-4bn or 100 THB.",
            "it is five dollars and five cents, three to four billion euros or one hundred baht.",
        ),
        ("It was ¥500 in Tokyo.", "it was five hundred yen in tokyo."),
        (
            "A 5 km race, 5-10 kg, 2°-8°C.",
            "a five kilometer race, five to ten kilograms, two to eight degrees celsius.",
        ),
        (
            "A 27\" TV is 6' tall, 12 ft × 15 ft.",
            "a twenty seven inch tv is six feet tall, twelve feet by fifteen feet.",
        ),
        (
            "It fell 5%-10%, ±2%, to 60 mi/h.",
            "it fell five percent to ten percent, plus or minus two percent, to sixty miles per hour.",
        ),
        (
            "3/4 tsp, 1 1/2 cups, rated 4.5/5.",
            "three quarters of a teaspoon, one and a half cups, rated four point five out of five.",
        ),
        ("Rest for 80s, no 80s kids.", "rest for eighty seconds, no eighties kids."),
        (
            "The 7.42 from Leeds is in at 10.15am, doors open at 7.30.",
            "the seven forty two from leeds is in at ten fifteen am, doors open at seven thirty.",
        ),
        (
            "Open 9.30am–5.30pm, shares closed at 12.50 on Friday.",
            "open nine thirty am to five thirty pm, shares closed at twelve point five zero on friday.",
        ),
        (
            "Ring (01632) 960 002 or 07700 900142.",
            "ring zero one six three two, nine six zero, zero zero two or zero seven seven zero zero, "
            "nine zero zero one four two.",
        ),
        (
            "India were 312-8 at stumps, with Kohli 98*.",
            "india were three hundred and twelve for eight at stumps, with kohli ninety eight not out.",
        ),
        (
            "The Bulls won 102-9 in a 5* hotel.",
            "the bulls won one hundred and two to nine in a five star hotel.",
        ),
        (
            "A 7/2 favourite beat a 100/1 shot by 3/4 of a length.",
            "a seven to two favourite beat a one hundred to one shot by three quarters of a length.",
        ),
        (
            "Two 400mg capsules, 9V batteries, and 10mg helps.",
            "two four hundred milligram capsules, nine volt batteries, and ten milligrams helps.",
        ),
        (
            "A 2in gap, 6in apart, 1in below; a 10kΩ ¼W resistor.",
            "a two inch gap, six inches apart, one inch below; a ten kilohm one quarter watt resistor.",
        ),
        (
            "They wed on 5/6/1998, in June, and split on 3/4/2010.",
            "they wed on the fifth of june nineteen ninety eight, in june, and split on march fourth, "
            "twenty ten.",
        ),
        (
            "From 3/4/2023 to 25/4/2023.",
            "from the third of april twenty twenty three to april twenty fifth, twenty twenty three.",
        ),
        ("She ran a 10k, he has a 10k loan.", "she ran a ten k, he has a ten thousand loan."),
        ("It leaves at 00:05.", "it leaves at twelve oh five am."),
        ("It costs €40 or ¥600.", "it costs forty euros or six hundred yen."),
        ("A 6005-2RS, 40 ac of land.", "a sixty oh five two rs, forty acres of land."),
    ],
)
def test_english_figures_of_a_class(frontend: TextFrontend, text: str, spoken: str) -> None:
    assert frontend.normalize(text) == spoken


def test_the_kind_of_a_class_is_shown(frontend: TextFrontend) -> None:
    reading = frontend.read("请拨打138-1234-5678")
    assert [change.rule for change in reading.changes] == ["telephone"]

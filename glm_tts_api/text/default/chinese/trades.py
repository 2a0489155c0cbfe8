"""Chinese rules for the signs of trades and pastimes: chemistry, geometry, music, cards, optics, printing."""

from __future__ import annotations

import re
from collections.abc import Callable

from glm_tts_api.text.default.characters import CARD, plain_exponent, rank_and_suit
from glm_tts_api.text.default.chinese.numbers import counted
from glm_tts_api.text.default.table import Match, Row, before, beside

_SUITS = {"♤": "黑桃", "♡": "红桃", "♢": "方块", "♧": "梅花"}


def card(match: Match) -> str:
    """Returns a playing card in Chinese: ♤10 -> 黑桃10."""
    rank, suit = rank_and_suit(match)
    return _SUITS[suit] + rank


def near(words: str, said: str) -> Callable[[Match], str]:
    """Returns a function that returns `said` for a match with one of `words` in the 40 characters to either
    side, and any other match as it is."""
    found = re.compile(words).search
    return lambda match: match.expand(said) if found(beside(match, 40)) else match[0]


def shillings(match: Match) -> str:
    """Returns an amount of British money from before 1971 in words: £2 10s 6d -> 两英镑十先令六便士."""
    names = ("英镑", "先令", "便士")
    return "".join(
        counted(number, "个") + name for number, name in zip(match.groups(), names, strict=True) if number
    )


TRADES: list[Row] = [
    ("cards", CARD, card),
    ("isotope", r"(?<![A-Za-z\d])C-(1[34])(?!\d)", near("测[定年]|断代|年代|同位素|放射|呼气|标记", r"碳\1")),
    ("ion", r"(?<![A-Za-z])(OH|Cl|Br|SCN|ClO|MnO4|H?[NCS]O[34]|Cr2O7)(2?)-(?![\w-])", r"\1 \2负"),
    (
        "result",
        r"(?<=[血白原体糖酮验菌征酸超gbA-Z\d])[（(]([+-])[)）]",
        lambda m: "阳性" if m[1] == "+" else "阴性",
    ),
    ("orbital", r"(?<![A-Za-z])sp([²³])", lambda m: f"sp{plain_exponent(m[1])}"),
    ("turn", r"(?<![A-Za-z])([RULDFB])'(?![A-Za-z])", near("魔方|公式|顺时针|逆时针|复原", r"\1撇 ")),
    ("derivative", r"['′](?<=[A-Za-z].)(?<![A-Za-z]{2}.)(?<!'[A-Za-z].)(?=[(（=+])", "撇 "),
    ("derivative", r"(?:″(?<=[A-Za-z]″)|(?:''|′′)(?<=[A-Za-z]..))(?=[(（=+])", "两撇 "),
    ("reaction", r" ?→(?<=[\w) ]→) ?(?=[A-Z][a-z\d]|[1-9][A-Z])", near("反应|方程式|燃烧|分解|CO2", "生成")),
    ("limit", r" ?→(?:(?<=[a-z\d)θ]→)|(?=[+-]?[∞\d])) ?", near("∞|lim|极限|当 ?Δ?[a-zθ]→?[0-9+-]", "趋于")),
    ("infinity", r"(?<!\d)[+-](?=∞)", lambda m: "正" if m[0] == "+" else "负"),
    ("pulse", r"([次拍转滴])/分(?![钟之])", r"\1/分钟"),
    ("geometry", "∽", "相似于"),
    ("geometry", "[≌≅]", "全等于"),
    ("geometry", r"[φΦøØ⌀] ?(?=\d)", "直径"),
    ("key", r"([A-Ga-g](?<![A-Za-z].))♭", r"降\1"),
    ("key", r"([A-Ga-g](?<![A-Za-z].))♯", r"升\1"),
    ("key", r"♭ ?(?=[A-Ga-g1-7])", "降"),
    ("key", r"♯ ?(?=[A-Ga-g1-7])", "升"),
    ("statistics", r"[χΧ](?:²|\^?2(?![\d.]))", "卡方"),
    ("old money", r"£ ?(\d{1,4})[ .]{1,2}(1?\d)s\.?(?: ?(1[01]|\d)d\.?)?(?![A-Za-z\d])", shillings),
    ("exposure", r"(?<![\dA-Za-z])-(?=\d/\d ?(?:EV|档))", "负"),
    ("knots", r"(?<=\d) ?kt(?![A-Za-z/])", near("风[速力向]|[阵侧顺逆大强台]风|METAR|[航空表地]速", "节")),
    ("weeks", r"[wW](?:(?<=孕\d.)|(?<=孕\d\d.)|(?=\+[0-6](?![\d.kwKW万])))", near("孕|胎|产检|剖", "周")),
    ("age", r"(?<![\w.])(\d{1,2})m ?\+ ?(\d{1,2})(?:d(?![A-Za-z])|天)", r"\1个月加\2天"),
    (
        "masked",
        r"×{2,18}|×(?:(?=[年月日县村市省路号条区])(?<![\d)]×)|(?<=[李张王刘陈赵孙吴郑黄徐朱杨]×)(?! ?\d))",
        lambda m: "*某"[not re.search(r"\d{3}$", before(m))] * len(m[0]),
    ),
    ("chord", r"-? ?([1-7]) m-?(?![A-Za-z]|\d\d)", near("走向|和弦|[大小]调", r"，\1小")),
    ("shots", r"((?:三分|罚|[两二]分)球?)(\d{1,2})-(?=\d{1,2}(?![\d-]))", r"\1\2中"),
    ("clearance", r"/\(?min[·/]1\.73 ?m²\)?", "每分钟每1.73平方米"),
    ("temperatures", r"/(?<=\d/)(?=-?\d{1,3}(?:\.\d)? ?°C)", "~"),
    ("number sign", r"#(?<=\d{4}#)", near("密码|门禁", "井号")),
    ("formulas", r"[（(](?<=[式图表题项程].)(\w{1,3})[)）] ?[-~～] ?[(（](\w{1,3})[)）]", r"\1到\2"),
    (
        "compound",
        r"-(?:(?<=\d-)(?=[羟氨硝氯溴碘氟巯羧]|[甲乙丙丁戊己庚辛苯萘][基烷烯炔醇醛酮酸酯醚胺酚])|(?<=[基烯炔]-)(?=\d-))",
        "",
    ),
    ("watts", r"(?<![\d/])(\d/\d) ?W(?![A-Za-z])", r"\1瓦"),
    ("paper", r"(\d{3,4}[×xX*]\d{3,4}(?:mm|毫米)?) ?1/(\d{1,2})(?!\d)", r"\1，\2开"),
    ("network address", r"((?:\d{1,3}\.){3}\d{1,3})/(\d{1,2})(?![\d/])", r"\1斜杠\2"),
]

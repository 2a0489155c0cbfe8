"""Chinese rules for the signs of trades and pastimes: chemistry, geometry, music, cards, optics, printing."""

from __future__ import annotations

import re
from collections.abc import Callable

from speech_text.default.characters import CARD, plain_exponent, rank_and_suit
from speech_text.default.chinese.numbers import cardinal, counted, digits
from speech_text.default.table import Match, Row, before, beside

_BIDDING = re.compile("[开争应再]叫|叫[到牌品]|定约|成局|满贯|加到|桥牌|\\dNT")
_SUITS = {"♤": "黑桃", "♡": "红桃", "♢": "方块", "♧": "梅花"}
_SIGNS = {"∽": "相似于", "≌": "全等于", "≅": "全等于", "∀": "任意", "∃": "存在", "⇔": "等价于"}
_TERM = "(?:π?[xyznabrαβθλ]|π)[²³]?"
_END = r"([-+]?[\w√π∞/.]{1,6})"  # of an interval


def card(match: Match) -> str:
    """Returns a playing card in Chinese: ♤10 -> 黑桃10. Where bids are told, 2♡ -> 2红桃."""
    rank, suit = rank_and_suit(match)
    bid = match[1] and _BIDDING.search(beside(match, 40))
    return rank + _SUITS[suit] if bid else _SUITS[suit] + rank


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


def quotient(match: Match) -> str:
    """Returns a fraction with a letter or a root in Chinese: 4x/3 -> 三分之4x, 1/n² -> n²分之一."""
    minus, above, below, factor, number, term = match.groups("")
    said = f"{cardinal(below)}{factor}分之{above}" if above else f"{term}分之{cardinal(number)}"
    return ("减" if minus else "") + said


def absolute(match: Match) -> str:
    """Returns an absolute value in Chinese: |x-1| -> x减1的绝对值. In a text about complex numbers or vectors
    |z| is z的模. A minus sign within, before or behind it is said as well."""
    name = "模" if re.search("复数|向量", before(match, 40)) else "绝对值"
    outer = match[1] and ("减" if re.match(r"[A-Za-z\d)]", before(match, 1)) else "负")
    inner = re.sub("^-", "负", re.sub(r"(?<=[\w²³)])-", "减", match[2]))
    return f"{outer}{inner}的{name}{'减' * bool(match[3])}"


def integral(match: Match) -> str:
    """Returns the sign of an integral and its bounds in Chinese: ∫₀¹ -> 积分从0到1，."""
    return f"积分从{match[1]}到{plain_exponent(match[2])}，" if match[1] else "积分"


TRADES: list[Row] = [
    ("cards", CARD, card),
    (
        "cards",
        r"([♤♡♢♧])((?:10|[2-9AKQJTx]){2,13})",
        lambda m: _SUITS[m[1]] + digits(m[2].replace("10", "十")),
    ),
    ("isotope", r"(?<![A-Za-z\d])C-(1[34])(?!\d)", near("测[定年]|断代|年代|同位素|放射|呼气|标记", r"碳\1")),
    ("ion", r"(?<![A-Za-z])(OH|Cl|Br|SCN|ClO|MnO4|H?[NCS]O[34]|Cr2O7)(2?)-(?![\w-])", r"\1 \2负"),
    (
        "result",
        r"(?<=[血白原体糖酮验菌征酸超试查gbphA-Z\d])[（(]([+-])[)）]",
        lambda m: "阳性" if m[1] == "+" else "阴性",
    ),
    ("pace", r"/ ?(?<=[\"″”'’]/) ?km(?![A-Za-z/])", "每公里"),
    ("plus or minus", r"[（(](\d[\d.]{0,9} ?± ?\d[\d.]{0,9})[)）] ?(?=[A-Za-zμµΩ])", r"\1"),
    (
        "key",
        r"#(?<![\w]#)(?=[A-G](?![A-Za-z\d]))",
        near("[大小]调|和弦|小节|[半全]音|升号|[弹吹唱谱琴]|指法", "升"),
    ),
    ("orbital", r"(?<![A-Za-z])sp([²³])", lambda m: f"sp{plain_exponent(m[1])}"),
    ("turn", r"(?<![A-Za-z])([RULDFB])'(?![A-Za-z])", near("魔方|公式|顺时针|逆时针|复原", r"\1撇 ")),
    ("derivative", r"['′](?<=[A-Za-z].)(?<![A-Za-z]{2}.)(?<!'[A-Za-z].)(?=[(（=+])", "撇 "),
    ("derivative", r"(?:″(?<=[A-Za-z]″)|(?:''|′′)(?<=[A-Za-z]..))(?=[(（=+])", "两撇 "),
    ("reaction", r" ?→(?<=[\w) ]→) ?(?=[A-Z][a-z\d]|[1-9][A-Z])", near("反应|方程式|燃烧|分解|CO2", "生成")),
    ("limit", r" ?→(?:(?<=[a-z\d)θ]→)|(?=[+-]?[∞\d])) ?", near("∞|lim|极限|当 ?Δ?[a-zθ]→?[0-9+-]", "趋于")),
    (
        "interval",
        rf"[\[(](?:(?<=[∈间在].)|(?=[^\])]{{1,12}}(?:[\])](?:[上内段组](?!方)|的[有人频])|∞)))"
        rf"{_END}[,，] ?{_END}[\])](?![处点班])",
        r"\1到\2",
    ),
    (
        "absolute value",
        r"(-?)\|(?<![A-Za-z|模]\|)([\w.α-ω√²³()+*/-]{1,14})\|(?=[-+=<>≤≥×÷*/²的,，。；、和与等]|表示|$)(-?)",
        absolute,
    ),
    (
        "quotient",
        rf"((?<=[\w²³)])-)?(?<![A-Za-z\d./$¥￥€£])(?:(\d{{0,3}}{_TERM}|√(?:\d{{1,3}}|{_TERM}))/(\d{{1,3}})({_TERM})?"
        rf"|(\d{{1,3}})/({_TERM}|(?<==\d/)[A-Z]))(?![A-Za-z\d./²³])",
        quotient,
    ),
    ("integral", r"∫(?:_?(-?\d|(?<=_)[a-z])\^?([⁰¹²³⁴-⁹]|(?<=\^)[\da-z]))?", integral),
    (
        "move",
        r"(?<![\w.])(\d{1,3})\.{1,3} ?"
        r"(?=[KQRBN]?[a-h]?x?[a-h][1-8](?!\d)|O-O|[车马炮兵卒相象士仕][一二三四五六七八九1-9][进退平])",
        r"，\1，",
    ),
    ("item", r" (?<=[\u4e00-\u9fff\d] )(\d{1,2})[.．] ?(?=[\u4e00-\u9fff])", r"，\1，"),
    ("move", r" (?<=[进退平][1-9一二三四五六七八九] )", "，"),
    (
        "choice",
        r"(?:^|(?<=[\s）)。：；]))([A-D])[.．] ?(?=[-√\d])",
        lambda m: f"，{m[1]}，" if re.search(r"[\s）)。：；][A-D][.．] ?[-√\d]", beside(m, 40)) else m[0],
    ),
    ("difference", r"-(?:(?<=/\d-)|(?<=/\d\d-))(?=\d{1,2}/\d{1,2}[)）]? ?[=×÷+*])", "减"),
    ("minute", r"['′](?:(?<=第\d.)|(?<=第\d\d.))(?=[\u4e00-\u9fff，])", "分钟"),
    ("hardness", r"-(?:(?<=HR[ABC]\d\d-)|(?<=HB\d{3}-))(?=\d{2,3}(?!\d))", "到"),
    ("parallel", r"((?<![A-Za-z])[A-Z]?[A-Za-z]) ?// ?(?=[A-Z]?[A-Za-z](?![A-Za-z]))", r"\1平行"),
    ("distribution", r"(?<=[A-ZξηY]) ?[~～] ?(?=[NBUPEtF][(（])", "服从"),
    ("reaction", " ?[⇌⇋] ?", "可逆生成"),
    (
        "thread",
        r"(?<![A-Za-z])(M\d{1,3}(?:[×x]\d(?:\.\d{1,2})?)?)-(\d)([A-Za-z]{1,2})(?![A-Za-z])",
        lambda m: f"{m[1]}杠{cardinal(m[2])}{m[3]}",
    ),
    ("tolerance", r"(?<=\d)[)）] ?(?=[cm]?m(?![A-Za-z²³]))", " "),
    ("fit", r"[φΦøØ⌀] ?(\d{1,3})([a-z]{1,2}\d)", lambda m: f"直径{cardinal(m[1])}{m[2]}"),
    ("clotting", r"INR(?=[值为是：: ]{0,2}\d\.\d{1,2}(?!\d))", "inr"),
    ("weeks", r"⁺([⁰¹²³⁴-⁶])(?=周)", lambda m: f"加{plain_exponent(m[1])}"),
    ("basis points", r"(?<=\d)bps(?![A-Za-z])", near("[利汇费净]率|收益|利差|[同环]比|[降加]息", "个基点")),
    ("times", r"(?<=\d)[xX](?![A-Za-z\d])", near("估值|P/?[EBS]|EV/|市[盈销净]率|杠杆", "倍")),
    ("infinity", r"(?<!\d)[+-](?=∞)", lambda m: "正" if m[0] == "+" else "负"),
    ("pulse", r"([次拍转滴])/分(?![钟之])", r"\1/分钟"),
    ("geometry", "[∽≌≅∀∃⇔]", lambda m: _SIGNS[m[0]]),
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

"""Default rules for Chinese: figures that the published rules misread, in a form that is read rightly.

What comes out goes through the same transducer and tidying as the published path, so a rule here only has to
leave something those read well: mostly numbers without ambiguous marks beside them. docs/text.md lists them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from glm_tts_api.text.default import chinese_numbers as say
from glm_tts_api.text.default.characters import plain_exponent
from glm_tts_api.text.default.spelling import EMAIL, URL
from glm_tts_api.text.pieces import Check, unwatched

Replacement = str | Callable[[re.Match[str]], str]

_NUMBER = r"\d+(?:\.\d+)?"
_AMOUNT = r"\d+(?:,\d{3})*(?:\.\d+)?"
_HAN = "\u4e00-\u9fff"
_CURRENCY = "|".join(re.escape(sign) for sign in sorted(say.CURRENCIES, key=len, reverse=True))
_SCALE = r"(?:[kmbt]|mn|bn|thousand|million|billion|trillion)\b|万亿|[十百千]?[万亿]|千"
_MONEY_NOUN = "美元|美金|欧元|英镑|日元|日币|港元|港币|台币|元|块钱?|人民币|RMB|USD|EUR"
_ID_WORDS = (
    "电话|手机|号码|拨打|致电|热线|客服|传真|QQ|微信|群号|账号|帐号|卡号|单号|编号|身份证号?|证号|学号|工号"
    "|邮编|密码|验证码|代码|车牌|房号|房间|尾号|序列号|编码|航班|车次"
)
_TITLES = "Mr|Mrs|Ms|Dr|Prof|St|vs|etc|No|Jr|Sr|Inc|Ltd|Co|Vol|Fig"

_DIALLED: list[tuple[str, Replacement]] = [
    (r"(?<![\d.])\+\d{1,3}[ -]?\(?\d{1,4}\)?(?:[ -]?\d{2,4}){1,4}(?!\d)", say.dialled),
    (r"(?<![\d.-])1[3-9]\d([ -]?)\d{4}\1\d{4}(?![\d-])", say.dialled),
    (r"(?<![\d.-])(?:0\d{2,3}[ -]|\(0\d{2,3}\)[ -]?)\d{7,8}(?:-\d{1,5})?(?![\d-])", say.dialled),
    (r"(?<![\d.-])[48]00-?\d{3,4}-?\d{3,4}(?![\d-])", say.dialled),
    (r"(?<![\d.-])\d{3,4}-\d{3,4}-\d{4}(?![\d-])", say.dialled),
    (rf"(?i)({_ID_WORDS})([^\d\n]{{0,4}})(?<![\d.-])(\d{{3,}}(?:-\d+)*)(?![\d.,])", say.identifier),
]
_DATES: list[tuple[str, Replacement]] = [
    (r"(\d{4}-\d\d-\d\d)T(?=\d\d:\d\d)", r"\1 "),
    (r"(?<![\d.-])(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?![\d-])", say.date),
    (r"(?<![\d.-])(\d{4})-(0[1-9]|1[012])(?![\d年月-])", say.year_month),
    (r"(?<![\d.])(\d{4})(年?) ?[-~—至到]+ ?(\d{4}) ?年", say.year_range),
    (r"(?<![\d.])((?:19|20)\d\d)(?= ?[QH][1-4]\b)", say.one_by_one),
    (r"(?<!\d)'?((?:\d\d)?\d0)'?s\b", say.decade),
    (r"(时长|用时|历时|耗时|片长|长达)[^\d\n]{0,2}(\d{1,3}:[0-5]\d(?::[0-5]\d)?)", say.duration),
    (
        r"(?<![\d:.])(?<!比)([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?(?![\d:])(?: ?([AaPp])\.?[Mm]\b\.?)?",
        say.clock,
    ),
    (r"(?<![\d.])(0?[1-9]|1[0-2]) ?([AaPp])\.?[Mm]\b\.?", say.whole_hour),
    (rf"(?<=[点分]) ?[-~—]+ ?(?=[{_HAN}]{{1,4}}点)", "到"),
    (r"(?<![\d:])(\d{1,5}):(\d{1,5})(?![\d:])", r"\1比\2"),
]
_NUMBERS: list[tuple[str, Replacement]] = [
    (r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?![\d.]*\d)", say.host_address),
    (r"(?<![\d.])\d+(?:\.\d+){2,}", lambda m: m.group().replace(".", "点")),
    (
        rf"(?i)({_CURRENCY}) ?({_AMOUNT})(?: ?[-~—]+ ?(?:{_CURRENCY})? ?({_AMOUNT}))?(?: ?({_SCALE}))?"
        rf"(?: ?({_MONEY_NOUN}))?",
        say.money,
    ),
    (r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])", lambda m: m.group().replace(",", "")),
    (r"(?<![\d.])(?:0\d+|\d{12,})(?![\d.]*\d)", say.one_by_one),
    (r"(?<![\w.])(\d(?:\.\d+)?)[eE]([+-]?\d{1,3})\b", say.scientific),
    (r"(?<!\d)(\d{1,3})° ?(\d{1,2})['′] ?(?:(\d{1,2}(?:\.\d+)?)[\"″])?", say.arc),
    (r"(?<!\d)(\d)['′] ?(\d{1,2})(?:[\"″]|(?!\w))", r"\1英尺\2英寸"),
    (r"(?<!\d)(\d+)(?:st|nd|rd|th)\b", r"第\1"),
    (r"\b[Nn][Oo]\. ?(?=\d)", "第"),
    (r"\b24/7\b", "24小时7天"),
    (r"(?<![\d/.])(?:([1-9]\d?) )?([1-9]\d{0,2})/([1-9]\d{0,2})(?![\d/.]) ?", say.fraction),
]
_HYPHENS: list[tuple[str, Replacement]] = [
    (r"≤|<=(?!=)", "小于等于"),
    (r"≥|>=(?!=)", "大于等于"),
    (rf"(?<=[\w{_HAN}]) ?[→➜⇒⟶] ?(?=[\w{_HAN}])", "到"),
    (r"[-=~]{0,3}[→➜⇒⟶]|[-=]{1,3}>|<[-=]{1,3}(?!\d)|[←↑↓↔]", "，"),
    (rf"(?<![\w.])({_NUMBER})(?:-{_NUMBER}){{2,}}", lambda m: m.group().replace("-", "杠")),
    (
        rf"(?<![\w.])({_NUMBER})( ?(?:%|‰|°C?|[{_HAN}]{{1,3}}|[A-Za-z]{{1,3}}))?"
        rf" ?([-~]|—+) ?({_NUMBER})(?![A-Za-z-])",
        say.number_range,
    ),
    (r"\b([A-Za-z])(\d+)-(?=\1\d+\b)", r"\1\2到"),
    (r"(?<=[一二三四五六七八九十日号月年]) ?[-~] ?(?=[周星期一二三四五六七八九十今明上下])", "到"),
    (r"(?<=\d)-(?=\d)", "杠"),
    (r"(?<![\w%°)-])- ?(?=\.?\d)", "负"),
    (r"± ?(?=\d)", "正负"),
    (rf"(?<=[{_HAN}]) ?-+ ?(?=[{_HAN}])", "，"),
    (r"-+", " "),
]
_SUMS: list[tuple[str, Replacement]] = [
    (r"(\w) ?\^ ?(负?)(\w+)", r"\1的\2\3次方"),
    (r"(\w)([⁰¹⁴-⁹⁺⁻][⁰¹²³⁴-⁹⁺⁻]*)", lambda m: f"{m[1]}的{_power(m[2])}次方"),
    (r"(?<=\d)²", "的平方"),
    (r"(?<=\d)³", "的立方"),
    *(
        (rf"(?<![A-Za-z\d] )(?<![A-Za-z\d]){unit}{power}", shape + name)
        for unit, name in (("km", "千米"), ("cm", "厘米"), ("mm", "毫米"), ("m", "米"))
        for power, shape in (("²", "平方"), ("³", "立方"))
    ),
    (r"(?<=\d) ?k?Ω", lambda m: ("千" if "k" in m.group() else "") + "欧姆"),
    (r"(?<=\d) ?[µμ]m\b", "微米"),
    (r"\+\+", "加加"),
    (r"\+", "加"),
    (r"={1,3}", "等于"),
    (r"(?<=[\w)]) ?[*×] ?(?=[\d(])|(?<=[\d)]) ?[*×] ?(?=\w)", "乘"),
    (r"×", "乘"),
    (r"÷", "除以"),
    (r"≈", "约等于"),
    (r"√", "根号"),
    (r"∞", "无穷大"),
    (r"(?<=约)~(?=\d)", ""),
    (r"(?<![\w.])~ ?(?=\d)", "约"),
]
_SIGNS: list[tuple[str, Replacement]] = [
    (r"(?<!\d)°C", "摄氏度"),
    (r"°F", "华氏度"),
    (r"(?<!\d)%(?!\d)", "百分号"),
    (rf"(?<!\d)({_NUMBER})‰", r"千分之\1"),
    (r"(?<=[A-Za-z]) ?& ?(?=[A-Za-z])", " and "),
    (r"&", "和"),
    (r"@", "艾特"),
    (r"(?<=\b[A-G])#", " sharp "),
    (rf"([\d一二三四五六七八九十百千万亿] ?)?([{_HAN}]{{0,3}}) ?/ ?(?=[{_HAN}])", say.hanzi_apart),
    (r"\|", "，"),
    (r"(\d ?)?\b([A-Za-z]+)/(?=[A-Za-z])", say.words_apart),
    (rf"(?<![\dA-Za-z{_HAN}])/|/(?![\dA-Za-z{_HAN}])|(?<=[A-Za-z])/(?=\d)", " "),
    (r"(?<=\d) (?=\d)", "，"),
]
_DOTS: list[tuple[str, Replacement]] = [
    (r"://", "冒号斜杠斜杠"),
    (rf"(?<=[{_HAN}])\.(?=(?:com|cn|net|org)\b)", "点"),
    (r"\b((?:[A-Za-z]\.){2,})", lambda m: m[1].replace(".", " ")),
    (rf"\b({_TITLES})\.(?= ?[A-Za-z{_HAN}])", r"\1 "),
    (r"(?<=[a-z])\.(?=[A-Z][a-z])", "。"),
    (r"(?<=[A-Za-z])\.(?=[A-Za-z0-9])|(?<=\d)\.(?=[A-Za-z])", "点"),
    (r"(?<![\w.])\.(?=\d)", "0."),
    (r"(?<![\w.])\.(?=[A-Za-z])", "点"),
    (r"_", " "),
]
_WIDE: list[tuple[str, Replacement]] = [
    (r"(?<=\d)：(?=\d)", ":"),
    (r"(?<![\d，])\d{1,3}(?:，\d{3}){2,}(?![\d，])", lambda m: m.group().replace("，", ",")),
    (r"(?<![\d，])(\d{1,3})，(\d{3})(?=[元块万亿个人名])", r"\1\2"),
]


def _power(superscripts: str) -> str:
    return plain_exponent(superscripts).replace("-", "负").replace("+", "")


_TABLE = [*_WIDE, *_DIALLED, *_DATES, *_NUMBERS, *_HYPHENS, *_SUMS, *_SIGNS, *_DOTS]
_RULES: list[tuple[re.Pattern[str], Replacement]] = [
    (EMAIL, say.address),
    (URL, say.address),
    *((re.compile(pattern, re.ASCII), replacement) for pattern, replacement in _TABLE),
]


def normalize_chinese(text: str, check: Check = unwatched) -> str:
    """One line; each rule in its turn over the whole of it, `check` before each."""
    for pattern, replacement in _RULES:
        check()
        text = pattern.sub(replacement, text)
    return text

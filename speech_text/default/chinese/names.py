"""Chinese rules for web and e-mail addresses, and for names that consist of letters and digits."""

from __future__ import annotations

from speech_text.default.chinese.numbers import dialled, digits
from speech_text.default.spelling import CHINESE_DIGITS, CHINESE_MARKS, EMAIL, URL, spell_address
from speech_text.default.table import Match, Row

_DIGIT_NAMES = {chr(code): name for code, name in CHINESE_DIGITS.items()}
_CODE_WORDS = (
    "[单证税牌编账帐会员订卡款货机利]号|快递单号|订单号|车牌号?|序列号"
    "|车架号|发动机号|(?:CN|ZL)(?=20\\d{10})|验证码|激活码|兑换码|邀请码|提取码|SN|密码"
)


def address(match: Match) -> str:
    return spell_address(match.group(), CHINESE_MARKS, _DIGIT_NAMES)


ADDRESSES: list[Row] = [
    ("e-mail address", EMAIL, address),
    ("web address", URL, address),
]
LETTERED: list[Row] = [
    ("weekday", r"((?:周|星期|礼拜)[一二三四五六](?:[、和][一二三四五六])*)[)）]? ?(?=\d\d?[:点])", r"\1，"),
    (
        "plate",
        r"([A-Z](?<=[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼].))([·• ]?)"
        r"([A-Z\d]{5,6})(?![A-Za-z\d])",
        lambda m: m[1] + digits(m[3]),
    ),
    (
        "code",
        rf"(?:{_CODE_WORDS})[：:为是 ]{{0,2}}[A-Z\d-]{{5,24}}(?:\.[\dX])?(?![A-Za-z\d*])",
        lambda m: dialled(m.group().replace("-", "").replace(".", "点")),
    ),
    (
        "password",
        r"((?:口令|(?:密|激活|兑换|邀请|验证|提取)码|账号|用户名|微信号?|[Vv]x?(?=[:：])) ?(?:[是为:：] ?)?)"
        r"(?=[\w@-]{0,23}[A-Za-z])(?=[A-Za-z_@-]{0,23}\d)([\w@-]{3,24})(?![\w@-])",
        lambda m: m[1] + dialled(m[2]).replace("-", "杠").replace("_", "下划线"),
    ),
]

"""Chinese words for a number: as a cardinal, before a measure word, digit by digit, or as it is dialled.
Works on strings only."""

from __future__ import annotations

import re

from speech_text.default.spelling import CHINESE_DIGITS, PHONE_DIGITS

_LARGE = ("", "万", "亿", "万亿", "亿亿")
_SMALL = ("", "十", "百", "千")
_MOST_DIGITS = 4 * len(_LARGE)
_EMPTY_GROUP = re.compile("(?<=[万亿])零{4}[万亿]*")
_LIANG = re.compile("二(?=千)|^二(?=[百万亿])")

# Measure words: before these a single 2 is 两. Before other nouns (月, 号, 日, 级, 班, 楼 ...) a 2 is 二.
_OF_ONE_HANZI = (
    "万亿百千个位名只条张件次遍倍种份天年周岁米吨克斤升亩里尺寸丈元块毛角分秒人口家本册部辆台架艘列匹头棵株朵根支枝把间座栋幢套双对副群批堆排串"
    "瓶杯碗盘盒箱包袋桶罐壶勺匙片粒颗滴层段节篇首句字页门道项场局轮届回趟顿声步笔组队类样股束团枚发封幅面则款起桩例成度者国地省市县州校院厂所处"
    "室厅卫晚夜站代码车板顶扇堂期集季档叠卷捆扎剂针管味尊脚圈轴轨刻餐席盏阵筐篮锅炉缸坛瓣幕床通具盆笼屉帮伙宗格帧波招柄碟泡筒听挂沓枪刀侧端边辈兆毫"
)
MEASURES = (
    f"[{_OF_ONE_HANZI}]|小时|钟头|星期|礼拜|世纪|[厘微纳平]米|英[里尺寸镑]|公[里斤升顷]|海里|平方|加仑|光年|马赫|摩尔|焦耳|牛顿"
    "|[美欧日港韩加澳]元|港币|美[金分]|卢[布比]|泰铢|新台币|[大小整][勺匙碗杯块片把盒袋包瓶段份类天件题]|[汤茶]匙|班倒|居室"
    "|打(?![不开])|贴(?![吧子纸水])|行(?![业政动程李走驶为星长者])|任(?![务何意])|票(?![据价房务])|单(?![元词人身号据打独双车位价间])|梯(?=\\d户)"
    "|户(?![口型外主籍])|桌(?![面子上])|下(?=[，。！？、就才]|$)|色(?![号彩系])|球(?![员队迷场权衣鞋馆星门])"
    "|[房菜荤素](?=\\d)|[男女](?![子足篮排单双儿])|[死伤胜负](?=[\\d，。、制]|$)"
)
MEASURE = re.compile(MEASURES)
# Words that begin like a measure word, but are none: 2分之一, 2季度, 2年级, 2手 ...
_NO_MEASURE = re.compile(
    "代(?!人|同堂|单传|际)|类(?:疫苗|账|户|卡)|支[持付援]|把[握手]|对[应于比手]|面[对向积临前]|节[目日]|台[湾风]|本[身地次科]|部署|发布|道[路理]|场[景馆地]|成[为功立绩员]|样[子本]|格式|根[号据]"
    "|人转|家[电庭]|条件|名[单字称校]|地[区点铁]|处[理于]|包[含括邮]|国[际家]|[省厅年]级|首[席先都]|听[力说]|具[体有]|通[过信]|升[级到至高温]"
    "|口[味红]|打[\\d到]|分[别之]|季度|度(?:烧|近|对)|年[度生]|期(?:间|末|工程)|号|站台|世纪|晚上(?!海)|次[方元函曲项日]|起[步飞]|回到|幅度|例如|锅炉"
)
# A number (_) between these is an ordinal: 住2层, 挂2档, 考上2本.
_RANKED = re.compile(
    "[住在到去楼座元栋]_层(?!小?[楼高])|[挂换踩]到?_档|考[上取]_本|[东西南北]_[门区]|次_车|[1一]到_节(?!课)"
)
_ORDINAL = re.compile(
    "(?:第 ?|科目|方案|附件|阶段|步骤|选项|[图表例卷]|等级|类型|模式|任务"
    "|[\\d一二三四五六七八九十][加点]|[师旅军团营连] ?|负|地下|[A-Za-z] ?|农历"
    "|(?<![每一1])(?:星期|周|礼拜)|第[一二三四五六七八九十百零0-9]{1,4}[、，和至到或-])$"
)


def cardinal(number: str) -> str:
    """Returns a number as a Chinese cardinal: "1205.50" -> "一千二百零五点五零". A "-" before the number is
    负; a "+" and commas are not said. A number of more than 20 digits is read digit by digit."""
    if number[0] in "-+":
        return ("负" if number[0] == "-" else "") + cardinal(number[1:])
    whole, _, decimals = number.replace(",", "").partition(".")
    words = _whole(whole)
    return f"{words}点{digits(decimals)}" if decimals else words


def counted(number: str, noun: str, before: str = "") -> str:
    """Returns `number` in Chinese words as it is said before `noun`, which is the text that follows. A 2 is
    两 if it counts one of MEASURES. `before` is the text in front of the number: the 2 of an ordinal stays
    二, also in 第二百."""
    if number.lstrip("-+") != "2":
        said = cardinal(number)
        return f"二{said[1:]}" if said.startswith("两百") and _ORDINAL.search(before) else said
    if _ORDINAL.search(before) or _RANKED.search(f"{before[-2:]}_{noun[:3]}") or not takes_liang(noun):
        return cardinal(number)
    return ("负" if number[0] == "-" else "") + "两"


def takes_liang(noun: str) -> bool:
    return bool(MEASURE.match(noun)) and not _NO_MEASURE.match(noun)


def digits(number: str) -> str:
    """Returns `number` with its digits in Chinese, one by one: "2024" -> "二零二四". Other characters
    stay."""
    return number.translate(CHINESE_DIGITS)


def dialled(number: str) -> str:
    """Returns `number` with its digits in Chinese as telephone, room and flight numbers are said, with 幺 for
    1: "110" -> "幺幺零". Other characters stay."""
    return number.translate(PHONE_DIGITS)


def named(number: str) -> str:
    """Returns the number of a model (737, 320) in Chinese words. A number of up to two digits, or with 00 at
    its end, is read as a cardinal. Other numbers, and all that begin with 0, are read digit by digit."""
    if number[0] == "0" or (len(number) > 2 and not number.endswith("00")):
        return digits(number)
    return cardinal(number)


def _whole(number: str) -> str:
    significant = number.lstrip("0")
    if len(significant) > _MOST_DIGITS:
        return digits(number)
    words = ""
    for place, digit in enumerate(reversed(significant)):
        large = "" if place % 4 else _LARGE[place // 4]
        words = digits(digit) + _SMALL[place % 4] * (digit != "0") + large + words
    words = re.sub("零+", "零", _EMPTY_GROUP.sub("零", words))
    return re.sub("零(?=[万亿]|$)|^一(?=十)", "", _LIANG.sub("两", words)) or "零"

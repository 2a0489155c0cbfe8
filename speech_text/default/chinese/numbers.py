"""Chinese words for a number: as a cardinal, before a measure word, digit by digit, or as it is dialled.
Works on strings only."""

from __future__ import annotations

import re

from speech_text.default.spelling import CHINESE_DIGITS, PHONE_DIGITS

_LARGE = ("", "万", "亿", "万亿", "亿亿")
_SMALL = ("", "十", "百", "千")
_MOST_DIGITS = 4 * len(_LARGE)

# Measure words: before these a single 2 is 两. Before other nouns (月, 号, 日, 级, 班, 楼 ...) a 2 is 二.
MEASURES = (
    "个月|小时|钟头|分钟|秒钟|星期|礼拜|世纪|年半|年多|年内|年前"
    "|年后|年来|年间|周年|公里|千米|厘米|毫米|微米|纳米"
    "|英里|英尺|英寸|海里|平方|立方|公斤|千克|毫克|微克|毫升|公升"
    "|加仑|公顷|光年|兆|千瓦|马赫|摩尔|焦耳|牛顿"
    "|美元|欧元|英镑|日元|港元|港币|美金|美分|卢布|韩元|卢比|泰铢|新台币|加元|澳元|瑞郎"
    "|万|亿|百|千|个|位|名|只|条|张|件|次|遍|倍|种|份|天|年|周|岁"
    "|米|吨|克|斤|升|亩|里|尺|寸|丈|元|块|毛|角|分|秒"
    "|人|口|家|本|册|部|辆|台|架|艘|列|匹|头|棵|株|朵|根|支|枝|把"
    "|间|座|栋|幢|套|双|对|副|群|批|堆|排|串|瓶"
    "|杯|碗|盘|盒|箱|包|袋|桶|罐|壶|勺|片|粒|颗|滴|层|段|节|篇|首"
    "|句|字|页|门|道|项|场|局|盘|轮|届|回|趟|顿"
    "|声|步|笔|组|队|类|样|股|束|团|枚|发|封|幅|面|则|款|起|桩|例"
    "|成|度|者|国|地|省|市|县|州|校|院|厂|所|处"
    "|室|厅|卫|晚|夜|站|代|码|车|板|顶|扇|堂|期|集|季|档|打(?![不开])|叠|卷"
    "|捆|扎|剂|针|管|味|尊|脚|圈|轴|轨|刻|餐|席|名"
    "|盏|缕|阵|筐|篮|锅|炉|缸|坛|瓣|丛|幕|尾|床|通|堵|具|盆|笼|屉|撮|捧|拨|帮|伙|宗|格|帧|波|招|摞|"
    "[大小整][勺匙碗杯块片把盒袋包瓶段份类天件题]|[汤茶]?匙|柄|盅|碟|串|泡|窝|筒|听|挂|帖|丸|沓|拳(?!头)|枪|刀|贴(?![吧子纸水])"
    "|[侧端边茬辈摊坨]|行(?![业政动程李走驶为星长者])|注(?![意册明入释])|票(?![据价房务])|任(?![务何意])|记(?![者录忆得住])"
    "|单(?![元词人身号据打独双车位价间])|梯(?=\\d户)|户(?![口型外主籍])|桌(?![面子上])|下(?=[，。！？、就才]|$)"
    "|色(?![号彩系])|球(?![员队迷场权衣鞋馆星门])|平米|[房菜荤素](?=\\d)|[男女](?![子足篮排单双儿])|[死伤胜负](?=[\\d，。、制]|$)|班倒|居室"
)
MEASURE = re.compile(MEASURES)
# Words that begin like a measure word, but are none: 2分之一, 2季度, 2年级, 2手 ...
_NO_MEASURE = re.compile(
    "根号|代(?!人|同堂|单传|际)|类(?:疫苗|账户|户|卡|会员)|人转|支持|支付|支援|家电|本身|本地|本次|本科|部署|台湾|台风|根据"
    "|把握|层面|节目|节日|场景|道路|条件|名单|对比|对应|对于|面向"
    "|面对|面积"
    "|类似|样子|成为|成功|成立|地区|地点|发布|天猫|年度|处理|处于"
    "|代表|代替|期间|包括|包含|包邮|厅级|地铁|国际|国家|省级|起步"
    "|起飞|名校|口红|面前|首席|首先|首次|首个|首批|首届|首都|听力|听说|帮助|具体|具有|波段|招生|格式|伙伴|幕后|通过|"
    "通信|升级|升[到至高温降值]|对手|口味|家[庭长]|分别|成[绩本员长]|回[到来家]|道理|场[馆地]|期[待望货]|局面"
    "|名[字称]|幅度|面临|例如|样[本品]|次日|锅炉|挂号|炉石|阵营|泡沫"
    "|季度|打[\\d到]|度烧伤|度近视|对\\d|年级|年生|分之|代目|期工程|级|期末|号|把手"
    "|周目|站台|世纪|晚上(?!海)|代人|面体|字头|次方|次元|次函|次曲|次项"
)
_SCHOOLS = ("初", "高", "大", "小", "专")
# A number (_) between these is an ordinal: 住2层, 挂2档, 考上2本.
_RANKED = re.compile(
    "[住在到去楼座元栋]_层(?!小?[楼高])|[挂换踩]到?_档|考[上取]_本|[东西南北]_[门区]|次_车|[1一]到_节(?!课)"
)
_ORDINAL = re.compile(
    "(?:第 ?|科目|方案|附件|阶段|问题|步骤|选项|[图表例卷]|等级|类型|模式|任务|案例|实验|样本|情况"
    "|[\\d一二三四五六七八九十][加点]|[师旅军团营连] ?|负|地下|[A-Za-z] ?|农历|(?<![每一1])(?:星期|周|礼拜)"
    "|第[一二三四五六七八九十百零0-9]{1,4}[、，和至到或-])$"
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
    named = _ORDINAL.search(before) or (
        before.endswith(_SCHOOLS) and not re.match("岁|个|倍|[公英]?[斤尺寸米]|圈|码", noun)
    )
    if named or _RANKED.search(f"{before[-2:]}_{noun[:3]}") or not takes_liang(noun):
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
    if not significant:
        return "零"
    if len(significant) > _MOST_DIGITS:
        return digits(number)
    groups = [significant[max(0, end - 4) : end] for end in range(len(significant), 0, -4)]
    words, gap = "", False
    for place in range(len(groups) - 1, -1, -1):
        group = groups[place].lstrip("0")
        if not group:
            gap = True
            continue
        if words and (gap or len(group) < 4):
            words += "零"
        words += _group(group, first=not words, last=place == 0) + _LARGE[place]
        gap = False
    return words[1:] if words.startswith("一十") else words


def _group(group: str, *, first: bool, last: bool) -> str:
    """Returns a group of up to four digits in Chinese words, without 万 or 亿. `first` and `last` say whether
    the group is the first or the last of its number. A 2 at the start of the group is 两 before 千, and in
    the first group before 百. A first group that is 2 alone is 两, unless it is also the last."""
    words, zero = "", False
    for at, digit in enumerate(group):
        unit = len(group) - 1 - at
        if digit == "0":
            zero = bool(words)
            continue
        liang = digit == "2" and not words and (unit == 3 or (first and unit == 2))
        liang = liang or (group == "2" and first and not last)
        words += ("零" if zero else "") + ("两" if liang else digits(digit)) + _SMALL[unit]
        zero = False
    return words

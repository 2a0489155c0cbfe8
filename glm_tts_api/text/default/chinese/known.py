"""Chinese: numbers that are known as names, and the words that tell them from amounts."""

from __future__ import annotations

import re

from glm_tts_api.text.default.chinese import numbers
from glm_tts_api.text.default.table import Match, Row, after, before

_HAN = "\u4e00-\u9fff"
# Numbers, and what stands near them (before or behind) where they are names.
_KNOWN = {
    "400|401|403|404|405|408|409|410|413|415|418|422|429|451|499|500|501|502|503|504": (
        "报[了错]?|页面?|错误?|接口|网[页站址关]|返回|状态码?|HTTP|[Ee]rror|[Nn]ginx|请求|服务[器端]|"
        "打不开|刷新|跳转|响应"
        "|链接|API|日志|浏览器|网关|超时|显示|出现|变成|[Bb]ug|调用"
    ),
    "301|302|304": "跳转|重定向|状态码?|HTTP|缓存|返回码",
    "996|955|965|715": (
        "天天|每天|工作|加班|上班|公司|大厂|拒绝|福报|打工|周末|作息|程序员|双休|身体|互联网|模式|"
        "辞|干活|熬|下班"
    ),
    "798|751": "逛|艺术|园区|画廊|展|酒仙桥|打卡|拍照|北京|周末|咖啡",
    "731": "部队|日军|细菌|罪|遗址|鼠疫|侵华",
    "318|219|109|317|214|331": "川藏|进藏|西藏|拉萨|骑行|自驾|国道|新藏|青藏|此生必驾|沿着|滇藏|318",
    "863|973|211|985|111|2011|101|305": "计划|高校|名校|双一流|首席|项目|本科|考研|院校|学历",
    "737|747|757|767|777|787|320|330|350|380|319|321": (
        "飞机|客机|机型|波音|空客|[南东国海川厦深春吉]航|航空|执飞|机队|宽体|窄体|坠机|停飞"
    ),
    "316|304|201|430": "不锈钢|保温杯|钢|材质|食品级|内胆",
    "196|214|405|999|525|720|740|1966|212|215|313|316": (
        "口红|色号|唇釉|唇膏|唇泥|显白|迪奥|阿玛尼|圣罗兰|YSL|MAC|香奈儿|纪梵希"
    ),
    "315|618|818|1111|1212|911|520|1314": (
        "晚会|大促|活动|购物|预售|尾款|优惠|囤货|剁手|情人|表白|恐袭|袭击|打假|维权|曝光"
    ),
    "500|501|505|511|574|990|991|993|327|530|550|1460|350|700|1906": (
        "New Balance|NB|新百伦|Levi|李维斯|椰子|Yeezy|牛仔裤|马丁靴"
    ),
    "360|163|126|139|189|4399|1688|2345|5173|17173|8684|12580": (
        "邮箱|小游戏|杀毒|卫士|浏览器|批发|网站|平台|搜索|导航|软件|游戏网"
    ),
    "1573": "国窖|泸州",
    "2077": "赛博|朋克",
    "3310|1110|8210|5300|1100": "诺基亚|摩托罗拉|小灵通|老人机|手机",
    "718|911|918|488|458|720|570|530|520|525|320|330|730|740|760|430|206|207|308|408|508|3008|4008|5008": (
        "保时捷|法拉利|迈凯伦|宝马|BMW|标致|奔驰|帕拉梅拉|跑车|轿车|Porsche"
    ),
}
_TOLD_BY = {
    number: re.compile("|".join(words for group, words in _KNOWN.items() if number in group.split("|")))
    for number in {number for group in _KNOWN for number in group.split("|")}
}
_IS_AMOUNT = re.compile(
    " ?(?:[多余来几%％‰°℃日月号级路床栋]|分之|起|"
    "以[上下内]|[A-Za-z]*/|[kKwWMGT](?![A-Za-z])"
    "|ms|km|mm|cm|kg|ml|mL|mg|RMB|VS|左右|毫|平方|立方|出头|大卡|千|字|元|积分|用户|QPS)"
)
_ANNOUNCED = re.compile(
    r"(?:[共约票价量数额格¥￥$€=×+*/<>≥≤满减超近达增降涨跌省赚付卖售价花给补奖罚]|[近超高]过|不[足到]"
    r"|多达|只要|"
    r"仅|总计|合计|[到下]手)[了约近到达出至为]? ?$"
)
_FORCES = (
    "部队|中学(?!生)|兵工厂|医院|高地|研究所|专案|大院|艺术区|艺术园|文创园|创意园|"
    "团(?![队购员圆体结伙])|[旅师](?![游行客程长傅生资范父姐兄弟妹])|空降师|集团军|装甲|所(?=[的院、，。研])|厂(?![家商区房])"
)


def known(match: Match) -> str:
    """404, 985, 996: digit by digit where a word near it tells the kind and nothing makes it an amount."""
    number, rest = match.group(), after(match, 14)
    lead = before(match, 18)
    if (
        number not in _TOLD_BY
        or numbers.takes_liang(rest.lstrip())
        or _IS_AMOUNT.match(rest)
        or _ANNOUNCED.search(lead)
    ):
        return number
    return numbers.digits(number) if _TOLD_BY[number].search(f"{lead} {rest}") else number


def route(match: Match) -> str:
    """602路: a bus, unless it is a path of signals."""
    return (
        match.group()
        if re.match("路(?:视频|信号|摄像|音频|数据|并发|通道|人马|诸侯|电话)", after(match))
        else numbers.dialled(match.group())
    )


KNOWN: list[Row] = [
    ("bus", rf"[1-9](?<![\d.,~～-].)(?<![共约有].)\d{{2,3}}(?=路[{_HAN}，。！？、])", route),
    (
        "institution",
        rf"\d(?<![\d.,共约有建第近超增达到开办设入]\d)\d[1-9](?=(?:{_FORCES}))",
        lambda m: numbers.digits(m.group()),
    ),
    ("class", r"[1-9](?<![\d.,].)\d?0[1-9](?=班(?!次|车|机|列))", lambda m: numbers.dialled(m.group())),
    ("institution", r"\d(?<![\d.,]\d)\d{3,4}(?=部队)", lambda m: numbers.digits(m.group())),
    (
        "brand",
        r"[359](?<![\d.].)(?:61(?=度[^角])|8(?=同城|到家)|1(?=job|Job|JOB|Talk|talk)|99(?=感冒|皮炎|胃)"
        r"|M(?=胶带|胶|口罩|公司|净水|耳塞|双面))",
        lambda m: numbers.digits(m.group()),
    ),
    (
        "known number",
        r"[1-9](?<![\d.,A-Za-z¥￥$€/~～-].)(?<![A-Z] .)\d{2,4}(?![\d:/～~%A-Za-z-]|[.,]\d)",
        known,
    ),
]

"""Chinese: the names of currencies and units, as `sign=name;`. Strings only."""

from __future__ import annotations

from glm_tts_api.text.default.table import alternatives, names

CURRENCIES = names("""
    JP¥=日元; CN¥=元; US$=美元; HK$=港元; NT$=新台币; A$=澳元; C$=加元; S$=新加坡元; $=美元;
    R$=巴西雷亚尔; €=欧元; £=英镑; ¥=元; ￥=元; ₩=韩元; ₹=印度卢比; ₽=卢布; ฿=泰铢; ₫=越南盾;
    ₱=菲律宾比索; ₺=里拉; ₴=格里夫纳; ₦=奈拉; ₪=谢克尔;
""")
CODES = names("""
    USD=美元; EUR=欧元; GBP=英镑; JPY=日元; HKD=港元; RMB=元; CNY=元; AUD=澳元; CAD=加元; SGD=新加坡元;
    KRW=韩元; TWD=新台币; CHF=瑞士法郎; THB=泰铢; VND=越南盾; MYR=林吉特; IDR=印尼盾; INR=印度卢比;
    RUB=卢布; BRL=雷亚尔; MXN=墨西哥比索; ZAR=兰特; SEK=瑞典克朗; NOK=挪威克朗; DKK=丹麦克朗; NZD=新西兰元;
    AED=迪拉姆; PLN=兹罗提; ILS=谢克尔; MOP=澳门元; NTD=新台币; CNH=元; CZK=捷克克朗; HUF=福林;
""")
SCALES = {
    **{"k": (1000, ""), "thousand": (1000, ""), "m": (100, "万"), "mn": (100, "万"), "million": (100, "万")},
    **{"b": (10, "亿"), "bn": (10, "亿"), "billion": (10, "亿"), "t": (1, "万亿"), "trillion": (1, "万亿")},
}
# As they are written; other spellings are looked up in lower case, too.
_SINGLE = names("""
    km=公里; m=米; dm=分米; cm=厘米; mm=毫米; μm=微米; µm=微米; um=微米; nm=纳米; kg=千克; g=克;
    mg=毫克; μg=微克; µg=微克; ug=微克; ng=纳克; L=升; l=升; dL=分升; mL=毫升; ml=毫升; cc=毫升;
    μL=微升; µL=微升; h=小时; hr=小时; hrs=小时; min=分钟; mins=分钟; s=秒; sec=秒; ms=毫秒; μs=微秒;
    µs=微秒; ns=纳秒; km²=平方公里; m²=平方米; cm²=平方厘米; mm²=平方毫米; m³=立方米; cm³=立方厘米;
    mm³=立方毫米; km2=平方公里; m2=平方米; m3=立方米; cm2=平方厘米; cm3=立方厘米; ha=公顷; hm²=公顷;
    in=英寸; ft=英尺; lb=磅; lbs=磅; oz=盎司; mi=英里; mph=英里每小时; W=瓦; kW=千瓦; MW=兆瓦; GW=吉瓦;
    Wh=瓦时; kWh=千瓦时; MWh=兆瓦时; GWh=吉瓦时; V=伏; kV=千伏; mV=毫伏; A=安; mA=毫安; mAh=毫安时;
    Ah=安时; Hz=赫兹; kHz=千赫兹; MHz=兆赫兹; GHz=吉赫兹; Pa=帕; kPa=千帕; MPa=兆帕; hPa=百帕;
    mmHg=毫米汞柱; J=焦耳; kJ=千焦; MJ=兆焦; cal=卡; kcal=千卡; N=牛; kN=千牛; N·m=牛米; Nm=牛米;
    mol=摩尔; mmol=毫摩尔; μmol=微摩尔; µmol=微摩尔; dB=分贝; Ω=欧姆; kΩ=千欧; MΩ=兆欧; IU=国际单位;
    U=单位; lm=流明; lx=勒克斯; rpm=转每分钟; r=转; bps=比特每秒; kbps=千比特每秒; Kbps=千比特每秒;
    Mbps=兆比特每秒; Gbps=吉比特每秒; KB=kb; kB=kb; MB=mb; GB=gb; TB=tb; PB=pb; fps=帧每秒; ppm=ppm;
    bp=个基点; cd=坎德拉; sr=球面度; t=吨; a=年; d=天; yr=年; °C=摄氏度; ℃=摄氏度; °F=华氏度; ℉=华氏度; °=度;
    yd=码; gal=加仑; pt=磅; T=t; kt=千吨; Mt=百万吨; cmH2O=厘米水柱; mEq=毫当量; mm/Hg=毫米汞柱;
""")
# A prefix before these makes a unit, too.
_PREFIXES = names("p=皮; n=纳; μ=微; µ=微; m=毫; c=厘; d=分; h=百; k=千; M=兆; G=吉; T=太;")
_PREFIXED = {
    **{"W": "瓦", "V": "伏", "A": "安", "Hz": "赫兹", "Pa": "帕", "J": "焦", "N": "牛", "mol": "摩尔"},
    **{
        "Wh": "瓦时",
        "VA": "伏安",
        "var": "乏",
        "eV": "电子伏",
        "Sv": "希沃特",
        "Bq": "贝克勒尔",
        "Gy": "戈瑞",
    },
    **{
        "F": "法",
        "H": "亨",
        "Wb": "韦伯",
        "Ω": "欧姆",
        "cal": "卡",
        "bps": "比特每秒",
        "pc": "秒差距",
        "IU": "国际单位",
    },
}
# With the prefixes of small things and kilo alone: MV, TF, pH and others are no units.
UNITS = {
    **{
        prefix + unit: name + rest
        for prefix, name in _PREFIXES.items()
        for unit, rest in _PREFIXED.items()
        if len(unit) > 1 or prefix in "nμµmk"
    },
    **names("pF=皮法; mH=毫亨; eV=电子伏; Sv=希沃特; Bq=贝克勒尔; VA=伏安; ly=光年"),
    **_SINGLE,
}
# Capitals, as shops write them.
_SHOUTED = ("kg", "km", "cm", "mm", "mL", "kW", "kWh", "mAh", "Hz", "kHz", "MHz", "GHz", "dB", "min")
UNITS |= {spelled: UNITS[unit] for unit in _SHOUTED for spelled in (unit.upper(), unit.capitalize())}
# Behind a slash, beside UNITS.
PER = UNITS | names("""
    day=天; 分=分钟; week=周; month=月; year=年; person=人; 人=人; s²=二次方秒; HP=hp;
    kg²=平方千克; A²=平方安; V²=平方伏; K=开尔文; 次=次; rev=转; sec=秒; head=头;
""")
# Letters that are words or names more often than units, unless a slash follows them.
ONLY_BEFORE_SLASH = {"a", "d", "yr", "pt", "cd", "sr", "um", "ug", "mi", "hr"}
_LOWER = {name.lower(): spoken for name, spoken in UNITS.items() if len(name) > 1}


_PRODUCT = rf"(?:{alternatives(PER)})(?:·(?:{alternatives(PER)}))*"
PER_PATTERN = rf"/(?:\({_PRODUCT}\)|{_PRODUCT})"


def unit_name(unit: str) -> str | None:
    if "·" in unit and unit not in UNITS:
        return "".join(UNITS[name] for name in unit.split("·"))
    return UNITS.get(unit) or _LOWER.get(unit.lower())


def per_name(units: str) -> str:
    """ "/m³" -> "立方米", "/(kg·K)" -> "千克开"."""
    return "每".join(
        "".join(PER.get(name) or unit_name(name) or name for name in product.strip("()").split("·"))
        for product in units.strip("/ ").split("/")
    )

"""English: the names of currencies and units, as `sign=name;`. Strings only."""

from __future__ import annotations

from glm_tts_api.text.default.table import names

# The currency and its hundredth part.
CURRENCIES = {
    "US$": ("dollar", "cent"),
    "HK$": ("hong kong dollar", "cent"),
    "A$": ("australian dollar", "cent"),
    "C$": ("canadian dollar", "cent"),
    "S$": ("singapore dollar", "cent"),
    "$": ("dollar", "cent"),
    "NT$": ("taiwan dollar", "cent"),
    "R$": ("real", "centavo"),
    "€": ("euro", "cent"),
    "£": ("pound", "p"),
    "¥": ("yuan", "fen"),
    "￥": ("yuan", "fen"),
    "₩": ("won", "jeon"),
    "₹": ("rupee", "paisa"),
    "₽": ("rouble", "kopeck"),
    "฿": ("baht", "satang"),
    "₫": ("dong", "xu"),
}
CODES = names("""
    USD=u s dollar; EUR=euro; GBP=pound; JPY=yen; CNY=yuan; RMB=yuan; HKD=hong kong dollar;
    AUD=australian dollar; CAD=canadian dollar; CHF=swiss franc; SGD=singapore dollar; NZD=new zealand dollar;
    KRW=won; INR=rupee; THB=baht; RUB=rouble;
    MXN=mexican peso; BRL=real; SEK=swedish krona; NOK=norwegian krone; DKK=danish krone; ZAR=rand;
    TWD=taiwan dollar; AED=dirham; PLN=zloty; VND=dong; IDR=rupiah; MYR=ringgit; ILS=shekel;
""")
SCALES = names("""
    k=thousand; m=million; mn=million; b=billion; bn=billion; t=trillion; tn=trillion;
    mm=million; mil=million; hundred=hundred; thousand=thousand; million=million; billion=billion;
    trillion=trillion;
""")
UNITS = names("""
    km=kilometer; m=meter; dm=decimeter; cm=centimeter; mm=millimeter; nm=nanometer; μm=micrometer;
    µm=micrometer; um=micrometer; kg=kilogram; g=gram; mg=milligram; μg=microgram; µg=microgram;
    mcg=microgram; ng=nanogram; kgs=kilogram; L=liter; l=liter; mL=milliliter; ml=milliliter;
    dL=deciliter; μL=microliter; µL=microliter; cc=c c; h=hour; hr=hour; hrs=hour; min=minute;
    mins=minute; s=second; sec=second; secs=second; ms=millisecond; μs=microsecond; µs=microsecond;
    ns=nanosecond; yr=year; yrs=year; mo=month; mos=month; wk=week; wks=week; km²=square kilometer;
    m²=square meter; cm²=square centimeter; mm²=square millimeter; m³=cubic meter; cm³=cubic centimeter;
    mm³=cubic millimeter; ft²=square foot; km2=square kilometer; m2=square meter; m3=cubic meter;
    cm2=square centimeter; cm3=cubic centimeter; ft2=square foot; ft³=cubic foot; in²=square inch;
    ha=hectare; ac=acre; sqft=square foot; sq ft=square foot; sq. ft.=square foot; sq m=square meter;
    sq mi=square mile; sq km=square kilometer; ft=foot; lb=pound; lbs=pound; oz=ounce;
    fl oz=fluid ounce; yd=yard; yds=yard; mi=mile; mph=mile per hour; kph=kilometer per hour;
    kmh=kilometer per hour; mpg=mile per gallon; tsp=teaspoon; tbsp=tablespoon; Tbsp=tablespoon;
    pt=pint; qt=quart; gal=gallon; psi=p s i; W=watt; kW=kilowatt; MW=megawatt; GW=gigawatt;
    Wh=watt hour; kWh=kilowatt hour; MWh=megawatt hour; V=volt; kV=kilovolt; mV=millivolt; A=amp;
    mA=milliamp; mAh=milliamp hour; Ah=amp hour; Hz=hertz; kHz=kilohertz; MHz=megahertz; GHz=gigahertz;
    Pa=pascal; kPa=kilopascal; MPa=megapascal; hPa=hectopascal; mmHg=millimeter of mercury; J=joule;
    kJ=kilojoule; cal=calorie; kcal=kilocalorie; N=newton; kN=kilonewton; mol=mole; mmol=millimole;
    dB=decibel; Ω=ohm; kΩ=kilohm; IU=international unit; rpm=r p m; bps=bit per second;
    kbps=kilobit per second; Mbps=megabit per second; Gbps=gigabit per second; KB=kilobyte; kB=kilobyte;
    MB=megabyte; GB=gigabyte; TB=terabyte; PB=petabyte; fps=frame per second; °C=degree celsius;
    °F=degree fahrenheit; °=degree; ℃=degree celsius; ℉=degree fahrenheit; hp=horsepower;
    ppm=part per million; bpm=beat per minute; MP=megapixel; px=pixel; Mb=megabit; Gb=gigabit; ct=carat;
    pts=point; reb=rebound; ast=assist; blk=block; stl=steal; kt=knot; kts=knot; lux=lux; lm=lumen;
    eV=electron volt; lb-ft=pound foot; ft-lb=foot pound; ft-lbs=foot pound; Nm=newton meter;
    N·m=newton meter; cwt=hundredweight; rad=radian; K=kelvin; t=ton;
""")
_PREFIXES = names("p=pico; n=nano; μ=micro; µ=micro; m=milli; k=kilo; M=mega; G=giga; T=tera;")
_PREFIXED = names("""
    W=watt; V=volt; A=amp; J=joule; F=farad; H=henry; mol=mole; Hz=hertz; Pa=pascal; Wh=watt hour;
    VA=volt amp; eV=electron volt; Sv=sievert; Bq=becquerel; Gy=gray; Ω=ohm; cal=calorie;
""")
# A prefix before a unit makes another; with most prefixes single letters are rather names: MA, TV, GF.
UNITS = {
    prefix + unit: name + rest
    for prefix, name in _PREFIXES.items()
    for unit, rest in _PREFIXED.items()
    if len(unit) > 1 or prefix in "nμµ"
} | UNITS
# Behind a slash, beside UNITS.
PER = UNITS | names("""
    day=day; week=week; month=month; year=year; hour=hour; minute=minute; second=second; person=person;
    head=head; piece=piece; user=user; mile=mile; kilometer=kilometer; night=night; liter=liter;
    gallon=gallon; pound=pound; unit=unit; session=session; item=item; seat=seat; s²=second squared;
    d=day; y=year; ea=each;
""")
# Letters that are words, sizes or names more often than units: units only where they touch the number.
ONLY_JOINED = {"A", "t", "N", "J", "MP", "px", "ct", "pt", "ac", "mo", "PB", "Mb", "Gb"}
_NEVER_IN_LOWER_CASE = {"MP", "PB", "Mb", "Gb"}
_LOWER = {
    name.lower(): spoken
    for name, spoken in UNITS.items()
    if len(name) > 1 and name not in _NEVER_IN_LOWER_CASE
}


def unit_name(unit: str) -> str | None:
    return UNITS.get(unit) or _LOWER.get(unit.lower())

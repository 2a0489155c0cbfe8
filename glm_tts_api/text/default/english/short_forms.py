"""English: short forms and the words they stand for, as `short=words;`. Strings only."""

from __future__ import annotations

from glm_tts_api.text.default.table import names

TITLES = names("""
    Mr=mister; Mrs=missus; Ms=miss; Dr=doctor; Prof=professor; St=saint; Gov=governor; Sen=senator;
    Gen=general; Capt=captain; Sgt=sergeant; Lt=lieutenant; Col=colonel; Rev=reverend; Hon=honorable;
    Rep=representative; Pres=president; Fr=father; Mt=mount; Ft=fort; Cpl=corporal; Maj=major;
    Adm=admiral; Cmdr=commander; Pvt=private; Supt=superintendent; Amb=ambassador; Atty=attorney;
    Det=detective; Insp=inspector; Messrs=messieurs; Mme=madame; Pt=point; Asst=assistant;
""")
# Abbreviations before figures, spelled as here; their full stop ends no sentence.
ABBREVIATIONS = names("""
    etc=et cetera; vs=versus; approx=approximately; dept=department; jr=junior; sr=senior; vol=volume;
    fig=figure; inc=incorporated; ltd=limited; corp=corporation; govt=government; ave=avenue;
    blvd=boulevard; rd=road; hwy=highway; figs=figures; assn=association; bros=brothers; cf=compare;
    co=company; incl=including; excl=excluding; misc=miscellaneous; temp=temperature; avg=average;
    qty=quantity; mgr=manager; mtg=meeting; appt=appointment; univ=university; natl=national;
    intl=international; assoc=association; bldg=building; dist=district; attn=attention; encl=enclosed;
    esp=especially; viz=namely; vols=volumes; eqs=equations; chs=chapters; mgmt=management; rte=route;
    acct=account; ca=circa;
""")
BEFORE_FIGURES = names("""
    est=established; apt=apartment; ste=suite; ext=extension; tel=telephone; min=minutes; max=maximum;
    temp=temperature; pp=pages; eq=equation; ch=chapter; sec=section; ed=edition; para=paragraph;
    art=article; pop=population; elev=elevation; ver=version; fl=floor; rm=room; bldg=building; pt=part;
    rte=route; hwy=highway; ex=example; vit=vitamin; dia=diameter; c=circa; op=opus;
""")
# Before a figure without a full stop as well.
LABELS = names("""
    Apt=apartment; Ste=suite; Bldg=building; Rte=route; Hwy=highway; Fig=figure; Figs=figures; Vol=volume;
    Eq=equation; Ext=extension; ext=extension; Cat=category; Vit=vitamin; Ch=chapter; Qty=quantity;
""")
# Whole words of chats, notes and labels, with or without a full stop.
NOTES = names("""
    ppl=people; pls=please; plz=please; thx=thanks; tmrw=tomorrow; bday=birthday; b-day=birthday;
    qty=quantity; approx=approximately; dept=department; govt=government; appt=appointment;
    mtg=meeting; hwy=highway;
    avg=average; msg=message; b/c=because; c/o=care of; w/c=week commencing; attn=attention;
    asst=assistant; mgmt=management; b4=before; gr8=great; l8r=later; pgs=pages;
""")
# The same where no figure stands before them; behind one they are units.
NOTED_UNITS = names("""
    yr=year; yrs=years; hr=hour; hrs=hours; wk=week; wks=weeks; mins=minutes; secs=seconds; mos=months;
    lbs=pounds; pts=points; qts=quarts; mph=miles per hour; kph=kilometers per hour; tbsp=tablespoon;
    tsp=teaspoon;
""")
WEEKDAYS = names("""
    Mon=monday; Tue=tuesday; Tues=tuesday; Wed=wednesday; Thu=thursday; Thur=thursday; Thurs=thursday;
    Fri=friday; Sat=saturday; Sun=sunday;
""")
MONTH = (
    "(?:January|February|March|April|May|June|July|August|September"
    "|October|November|December|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept"
    "|Sep|Oct|Nov|Dec)"
)
STREETS = names("""
    Ave=avenue; Blvd=boulevard; Rd=road; Ln=lane; Hwy=highway; Pkwy=parkway; Ct=court; Pl=place; Sq=square;
    Ter=terrace;
""")
STATES = names("""
    AL=alabama; AK=alaska; AZ=arizona; AR=arkansas; CA=california; CO=colorado; CT=connecticut;
    DE=delaware; FL=florida; GA=georgia; HI=hawaii; ID=idaho; IL=illinois; IN=indiana; IA=iowa;
    KS=kansas; KY=kentucky; LA=louisiana; ME=maine; MD=maryland; MA=massachusetts; MI=michigan;
    MN=minnesota; MS=mississippi; MO=missouri; MT=montana; NE=nebraska; NV=nevada; NH=new hampshire;
    NJ=new jersey; NM=new mexico; NY=new york; NC=north carolina; ND=north dakota; OH=ohio; OK=oklahoma;
    OR=oregon; PA=pennsylvania; RI=rhode island; SC=south carolina; SD=south dakota; TN=tennessee;
    TX=texas; UT=utah; VT=vermont; VA=virginia; WA=washington; WV=west virginia; WI=wisconsin;
    WY=wyoming; DC=d c;
""")
# These are words as well.
WORDS_TOO = {
    "AL",
    "CO",
    "DC",
    "DE",
    "HI",
    "IA",
    "ID",
    "IN",
    "LA",
    "MA",
    "MD",
    "ME",
    "MO",
    "MS",
    "MT",
    "OH",
    "OK",
    "OR",
    "PA",
    "SC",
}
SHORT_FORMS = frozenset(
    {*TITLES, *ABBREVIATIONS, *BEFORE_FIGURES, *WEEKDAYS, *STREETS, *NOTES, *NOTED_UNITS, *LABELS}
)

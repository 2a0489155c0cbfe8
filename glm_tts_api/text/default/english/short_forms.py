"""English short forms and the words that they stand for, as `short=words;`. Works on strings only."""

from __future__ import annotations

from glm_tts_api.text.default.table import names

TITLES = names("""
    Mr=mister; Mrs=missus; Ms=miss; Dr=doctor; Prof=professor; St=saint; Gov=governor; Sen=senator;
    Gen=general; Capt=captain; Sgt=sergeant; Lt=lieutenant; Col=colonel; Rev=reverend; Hon=honorable;
    Rep=representative; Pres=president; Fr=father; Mt=mount; Ft=fort; Cpl=corporal; Maj=major;
    Adm=admiral; Cmdr=commander; Pvt=private; Supt=superintendent; Amb=ambassador; Atty=attorney;
    Det=detective; Insp=inspector; Messrs=messieurs; Mme=madame; Pt=point; Asst=assistant;
""")
# Abbreviations with a full stop, which may also end the sentence.
ABBREVIATIONS = names("""
    etc=et cetera; vs=versus; approx=approximately; dept=department; jr=junior; sr=senior; vol=volume;
    fig=figure; inc=incorporated; ltd=limited; corp=corporation; govt=government; ave=avenue;
    blvd=boulevard; rd=road; hwy=highway; figs=figures; assn=association; bros=brothers; cf=compare;
    co=company; incl=including; excl=excluding; misc=miscellaneous; temp=temperature; avg=average;
    qty=quantity; mgr=manager; mtg=meeting; appt=appointment; univ=university; natl=national;
    intl=international; assoc=association; bldg=building; dist=district; attn=attention; encl=enclosed;
    esp=especially; viz=namely; vols=volumes; eqs=equations; chs=chapters; mgmt=management; rte=route;
    acct=account; ca=circa; jct=junction; pkg=package; ded=deductible;
""")
# Abbreviations that count only before a figure or Roman numeral; their full stop ends no sentence.
BEFORE_FIGURES = names("""
    est=established; apt=apartment; ste=suite; ext=extension; tel=telephone; min=minutes; max=maximum;
    temp=temperature; pp=pages; eq=equation; ch=chapter; sec=section; ed=edition; para=paragraph;
    art=article; pop=population; elev=elevation; ver=version; fl=floor; rm=room; bldg=building; pt=part;
    rte=route; hwy=highway; ex=example; vit=vitamin; dia=diameter; c=circa; op=opus; ps=Psalm; rt=route;
    ref=reference; alt=altitude; mag=magnitude;
    ll=lines; sc=scene; nr=number; cl=clause; amend=amendment; ser=series; fn=footnote; bk=book; pl=plate;
    cap=chapter; dep=departing; arr=arriving; mvt=movement;
    bks=books;
    exh=exhibit; thm=theorem; tbl=table; def=definition; tab=table;
    app=appendix; lvl=level; reg=regulation; sched=schedule; sch=schedule;
""")
# Short forms that follow an ordinal: 3rd ed.
BEHIND_ORDINALS = names("""
    Cir=circuit; c=century; cent=century; Amend=amendment; Amends=amendments; Fl=floor; fl=floor; ed=edition;
    Ed=edition; mvt=movement; lvl=level; Dist=district; Div=division; Cong=congress; Sess=session;
    qtr=quarter; gen=generation; gr=grade; yr=year; Bn=battalion; ser=series; prtg=printing; cl=class;
""")
# Short forms before a capital letter: App. B.
BEFORE_LETTERS = names("""
    App=appendix; Fig=figure; Bldg=building; Ste=suite; Rm=room; Apt=apartment; Tab=table; Exh=exhibit;
    Sec=section; Pt=part; Vol=volume; Eq=equation; Sched=schedule; Bk=book;
""")
# Short forms before a figure, with or without a full stop.
LABELS = names("""
    Apt=apartment; Ste=suite; Bldg=building; Rte=route; Hwy=highway; Fig=figure; Figs=figures; Vol=volume;
    Eq=equation; Ext=extension; ext=extension; Cat=category; Vit=vitamin; Ch=chapter; Qty=quantity;
    lvl=level; Lvl=level;
""")
# Whole words of chats, notes and labels, with or without a full stop.
NOTES = names("""
    ppl=people; pls=please; plz=please; thx=thanks; tmrw=tomorrow; bday=birthday; b-day=birthday;
    qty=quantity; approx=approximately; dept=department; govt=government; appt=appointment;
    mtg=meeting; hwy=highway;
    avg=average; msg=message; b/c=because; b/w=between; c/o=care of; w/c=week commencing; attn=attention;
    asst=assistant; mgmt=management; b4=before; ea=each; gr8=great; l8r=later; l8=late; h8=hate;
    w8=wait; m8=mate; str8=straight; 2nite=tonight; 2day=today; 2moro=tomorrow; 2morrow=tomorrow; pgs=pages;
    h/t=hat tip; w/in=within;
""")
# Words of chats and notes, unless a figure stands before them: then they are units.
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
# The states of the USA as newspapers and law reports shorten them.
SHORT_STATES = names("""
    Ala=alabama; Ariz=arizona; Ark=arkansas; Cal=california; Calif=california; Colo=colorado;
    Conn=connecticut; Del=delaware; Fla=florida; Ga=georgia; Ill=illinois; Ind=indiana; Kan=kansas;
    Ky=kentucky; La=louisiana; Mass=massachusetts; Md=maryland; Mich=michigan; Minn=minnesota;
    Miss=mississippi; Mo=missouri; Mont=montana; Neb=nebraska; Nev=nevada; Okla=oklahoma; Ore=oregon;
    Pa=pennsylvania; Tenn=tennessee; Tex=texas; Va=virginia; Vt=vermont; Wash=washington; Wis=wisconsin;
    Wyo=wyoming;
""")
# Codes of states that are also words.
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
    {
        *(*TITLES, *ABBREVIATIONS, *BEFORE_FIGURES, *BEHIND_ORDINALS, *WEEKDAYS, *STREETS, *SHORT_STATES),
        *(*NOTES, *NOTED_UNITS, *LABELS, "aka", "gal", "lb", "mi", "mo", "oz", "qt"),
    }
)

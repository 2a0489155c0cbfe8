"""Short forms of English titles, weekdays, months, streets and states, and the words that they stand for, as
`short=words;`. The other short forms are in a table (shortened.py). Works on strings only."""

from __future__ import annotations

from speech_text.default.table import names

TITLES = names("""
    Mr=mister; Mrs=missus; Ms=miss; Dr=doctor; Prof=professor; St=saint; Gov=governor; Sen=senator;
    Gen=general; Capt=captain; Sgt=sergeant; Lt=lieutenant; Col=colonel; Rev=reverend; Hon=honorable;
    Rep=representative; Pres=president; Fr=father; Mt=mount; Ft=fort; Cpl=corporal; Maj=major;
    Adm=admiral; Cmdr=commander; Pvt=private; Supt=superintendent; Amb=ambassador; Atty=attorney;
    Det=detective; Insp=inspector; Messrs=messieurs; Mme=madame; Pt=point; Asst=assistant; Drs=doctors;
    Gens=generals; Govs=governors; Profs=professors; Reps=representatives; Revd=reverend; Revs=reverends;
    Sens=senators; Cdr=commander; Msgr=monsignor; Ald=alderman; Sec=secretary; Treas=treasurer;
    Brig=brigadier; Bp=bishop; Abp=archbishop; Ven=venerable; Mlle=mademoiselle; Emp=emperor; Jn=john;
    Regt=regiment; Bn=battalion;
""")
WEEKDAYS = names("""
    Mon=monday; Tu=tuesday; Tue=tuesday; Tues=tuesday; Wed=wednesday; Weds=wednesday; Thu=thursday;
    Thur=thursday; Thurs=thursday; Fri=friday; Sat=saturday; Sun=sunday;
""")
SHORT_MONTH = "(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)"
MONTH = (
    f"(?:January|February|March|April|May|June|July|August|September|October|November|December|{SHORT_MONTH})"
)
STREETS = names("""
    Ave=avenue; Blvd=boulevard; Rd=road; Ln=lane; Pkwy=parkway; Ct=court; Pl=place; Sq=square;
    Ter=terrace; Terr=terrace; Cl=close; Gro=grove; Pk=park;
    St=street; Dr=drive; Hwy=highway;
""")
STATES = names("""
    AL=alabama; AK=alaska; AZ=arizona; AR=arkansas; CA=california; CO=colorado; CT=connecticut;
    DE=delaware; FL=florida; GA=georgia; HI=hawaii; ID=idaho; IL=illinois; IN=indiana; IA=iowa;
    KS=kansas; KY=kentucky; LA=louisiana; ME=maine; MD=maryland; MA=massachusetts; MI=michigan;
    MN=minnesota; MS=mississippi; MO=missouri; MT=montana; NE=nebraska; NV=nevada; NH=new hampshire;
    NJ=new jersey; NM=new mexico; NY=new york; NC=north carolina; ND=north dakota; OH=ohio; OK=oklahoma;
    OR=oregon; PA=pennsylvania; RI=rhode island; SC=south carolina; SD=south dakota; TN=tennessee;
    TX=texas; UT=utah; VT=vermont; VA=virginia; WA=washington; WV=west virginia; WI=wisconsin;
    WY=wyoming; DC=d c; AB=alberta; BC=british columbia; MB=manitoba; NB=new brunswick; NL=newfoundland;
    NS=nova scotia; ON=ontario; PE=prince edward island; QC=quebec; SK=saskatchewan; YT=yukon;
""")
# The states of the USA as newspapers and law reports shorten them.
SHORT_STATES = names("""
    Ala=alabama; Ariz=arizona; Ark=arkansas; Cal=california; Calif=california; Colo=colorado;
    Conn=connecticut; Del=delaware; Fla=florida; Ga=georgia; Ill=illinois; Ind=indiana; Kan=kansas;
    Ky=kentucky; La=louisiana; Mass=massachusetts; Md=maryland; Mich=michigan; Minn=minnesota;
    Miss=mississippi; Mo=missouri; Mont=montana; Neb=nebraska; Nev=nevada; Okla=oklahoma; Ore=oregon;
    Pa=pennsylvania; Tenn=tennessee; Tex=texas; Va=virginia; Vt=vermont; Wash=washington; Wis=wisconsin;
    Wyo=wyoming; N.C=north carolina; N.D=north dakota; N.H=new hampshire; N.J=new jersey; N.M=new mexico;
    N.Y=new york; R.I=rhode island; S.C=south carolina; S.D=south dakota; W.Va=west virginia;
""")
# Codes of states that are also words or other short forms.
_WORDS_TOO = "AL AR CO CT DC DE HI IA ID IN LA MA MB MD ME MO MS MT NB OH OK ON OR PA PE SC SD VA"
WORDS_TOO = {*_WORDS_TOO.split()}

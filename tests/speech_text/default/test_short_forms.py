"""English short forms stand for their words only in the places that their table names."""

from __future__ import annotations

import pytest

from speech_text.frontend import TextFrontend


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("The mtg is in Rm 412, see ch. 3.", "the meeting is in room four twelve, see chapter three."),
        ("Dept. of Energy, Acme Ltd, thx.", "department of energy, acme limited, thanks."),
        ("Wait 2 yrs, or 3 yr. later.", "wait two years, or three years later."),
        ("It took yrs to win.", "it took years to win."),
        ("The 9th Cir. and the 3rd ed. agree.", "the ninth circuit and the third edition agree."),
        ("App. B, Fig. C and Sec. IV.", "appendix b, figure c and section four."),
        ("Sens. Lee and Hall (D-N.M.) met.", "senators lee and hall d new mexico met."),
        ("HR met the PTS team.", "hr met the pts team."),
        ("It is an apt name for art.", "it is an apt name for art."),
        ("The cap fits, the tab is paid.", "the cap fits, the tab is paid."),
        ("She had 20 pts. 10 of them late.", "she had twenty points. ten of them late."),
        ("Add 500 gr. 2 eggs.", "add five hundred gr. two eggs."),
        ("He works for Sun Microsystems. Do it for Mon.", "he works for sun microsystems. do it for monday."),
        ("The court wrote cert. denied.", "the court wrote cert. denied."),
    ],
)
def test_the_place_tells_what_a_short_form_is(frontend: TextFrontend, text: str, spoken: str) -> None:
    assert " ".join(frontend.prepare(text)) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Evens, or 11/4 at Cheltenham.", "evens, or eleven to four at cheltenham."),
        ("In 1960 it cost 1s 8d.", "in nineteen sixty it cost one shilling eight pence."),
        ("The room is 4.7m x 3m.", "the room is four point seven meters by three meters."),
        ("A 6,200-sq.-ft. house.", "a six thousand two hundred square foot house."),
        ("Cut it to 6' 3½\".", "cut it to six feet three and a half inches."),
        ("A 2:1 from Durham, a 2:1 lead.", "a two one from durham, a two to one lead."),
        ("In Warwick on a 2:1 basis.", "in warwick on a two to one basis."),
        ("She led the last 100m of the race.", "she led the last one hundred meters of the race."),
        ("A 501(c)(3) and #s 1-5.", "a five oh one c three and numbers one to five."),
        (
            "It has 500k users, 550b in all.",
            "it has five hundred thousand users, five hundred and fifty b in all.",
        ),
        (
            "The council signed it on 1-12-24.",
            "the council signed it on january twelfth, twenty twenty four.",
        ),
        ("The council carried it 12-7-2.", "the council carried it twelve to seven to two."),
        ("Grades K-5, closed Sun.", "grades k to five, closed sunday."),
        ("On 1/9/1962, in September.", "on the first of september nineteen sixty two, in september."),
    ],
)
def test_notations_of_trades_and_schools(frontend: TextFrontend, text: str, spoken: str) -> None:
    assert " ".join(frontend.prepare(text)) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("嬴政（前259—前210）", "嬴政公元前二五九年到公元前二一零年。"),
        ("985/211毕业，不用996。", "九八五，二幺幺毕业，不用九九六。"),
        ("这赛季打了127场。", "这赛季打了一百二十七场。"),
        ("课本P15-18。", "课本p十五到十八。"),
        ("米:水=1:1.2。", "米比水等于一比一点二。"),
        ("1.82m/75kg/本科。", "一点八二米，七十五千克，本科。"),
    ],
)
def test_chinese_notations(frontend: TextFrontend, text: str, spoken: str) -> None:
    assert "".join(frontend.prepare(text)) == spoken

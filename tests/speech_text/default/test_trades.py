"""English short forms and signs of trades and pastimes, and the places where they are none."""

from __future__ import annotations

import pytest

from speech_text.frontend import TextFrontend


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        (
            "£550 pcm, £130pw or £12 pp.",
            "five hundred and fifty pounds per calendar month, one hundred and thirty pounds per week or "
            "twelve pounds per person.",
        ),
        ("It has 48 pp. and is up 2 pp.", "it has forty eight pages and is up two percentage points."),
        ("A house nr. Bath, avail. now.", "a house near bath, available now."),
        ("It was to no avail. 5 men left.", "it was to no avail. five men left."),
        ("2 lg. eggs at lvl 60 w/ +5 STR.", "two large eggs at level sixty with plus five str."),
        (
            "A s.21 notice under s 8 of the Act, and ss. 12–14.",
            "a section twenty one notice under section eight of the act, and sections twelve to fourteen.",
        ),
        ("It took 3 s 21 times.", "it took three seconds twenty one times."),
        ("She got A*AA, and 3 A*s.", "she got a star a a, and three a stars."),
        ("That is *Plan A* for 2.", "that is plan a for two."),
        ("It scored 98+/100.", "it scored ninety eight plus out of one hundred."),
        ("The height is √3/2.", "the height is square root of three over two."),
        (
            "450 W m⁻², 4.18 J g⁻¹ K⁻¹ and 3 × 10⁸ m s⁻¹.",
            "four hundred and fifty watts per square meter, four point one eight joules per gram per kelvin "
            "and three times ten to the power of eight meters per second.",
        ),
        ("A charge of 2 × 10⁻¹⁹ C.", "a charge of two times ten to the power of minus nineteen coulombs."),
        ("#LoveIsland is #1.", "hashtag love island is number one."),
        ("Rep from * to last 2 sts, k2tog.", "repeat from star to last two stitches, knit two together."),
        (
            "At GR SK 123 845, S33 8WP.",
            "at grid reference s k one two three, eight four five, s thirty three, eight w p.",
        ),
        ("An M1 8GB laptop.", "an m one eight gigabytes laptop."),
        ("Winds S or SE 3 to 5, W 6 later.", "winds south or southeast three to five, west six later."),
        ("The W wind is cold.", "the west wind is cold."),
        ("She lives in SW 7.", "she lives in sw seven."),
        ("Sat 4th Oct, in Sept!", "saturday the fourth of october, in september."),
        ("Jan came in Jan.", "jan came in january."),
    ],
)
def test_forms_of_trades(frontend: TextFrontend, text: str, spoken: str) -> None:
    assert frontend.normalize(text) == spoken

"""Formulas of LaTeX, as language models write them, are read as mathematics."""

import pytest

from speech_text.frontend import TextFrontend
from speech_text.markup.formulas import plain


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        (r"The area is $A = \pi r^2$.", "the area is a equals pi r squared."),
        (r"We get \( \frac{1}{2} \) of it.", "we get one half of it."),
        (r"So \[ E = mc^2 \] holds.", "so e equals m c squared holds."),
        (
            r"Solve $x = \frac{-b \pm \sqrt{b^2-4ac}}{2a}$.",
            "solve x equals minus b plus or minus square root of b squared minus four a c divided by two a.",
        ),
        (r"for all $x \in A \cup B$", "for all x in a union b."),
        (r"at $25^\circ$C and $50\%$ more", "at twenty five degrees celsius and fifty percent more."),
        (r"the terms $a_1$ to $a_{n+1}$", "the terms a one to a n plus one."),
        (r"where $v = 3 \text{ apples}$", "where v equals three apples."),
        (r"价格是$5$元，面积$S=\pi r^2$。", "价格是五元，面积s等于派r的平方。"),
        (r"所以 $\frac{a+b}{2} \geq \sqrt{ab}$，$x=-b$。", "所以a加b除以二大于等于根号a b，x等于负b。"),
    ],
)
def test_formulas_are_read(frontend: TextFrontend, text: str, spoken: str) -> None:
    assert " ".join(frontend.prepare(text)) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("It costs $5 and $6, or $5-$6.", "it costs five dollars and six dollars, or five to six dollars."),
        ("a $20 bill = good, $30 too", "a twenty dollar bill equals good, thirty dollars too."),
        ("It is in C:\\temp now.", "it is in c: temp now."),
    ],
)
def test_money_and_paths_are_no_formulas(frontend: TextFrontend, text: str, spoken: str) -> None:
    assert " ".join(frontend.prepare(text)) == spoken


def test_a_formula_of_many_braces_is_written_in_time() -> None:
    assert plain("{" * 400 + "x" + "}" * 400) == "x"
    assert plain(r"\frac{" * 60 + "1" + "}{2}" * 60).count("÷") == 59

r"""Finds formulas of LaTeX in a text, and writes them with plain signs, which the rules read: \frac{1}{2} as
1/2. Works on strings only.

A formula stands between \( and \), \[ and \], $$ and $$, or $ and $. Between two single signs of dollars it
has a backslash, a power, an index or an equals sign, or it is a letter or a number; $5 and $6 are money.
Between two double ones it may also have another sign of sums; $$ and $$ are money.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from html.entities import html5

from speech_text.marks import Part

_FORMULA = re.compile(
    r"\\\((?P<round>.{1,1000}?)\\\)|\\\[(?P<square>.{1,1000}?)\\\]"
    r"|(?<!\$)\$\$(?=[^$]{0,999}[\\^_=+*/<>]|\s?(?:\w|\d{1,9})\s?\$)(?P<block>[^$]{1,1000})\$\$(?!\$)"
    r"|(?<![\\$A-Za-z0-9_])\$(?P<inline>(?=[^$\n]*[\\^_=]|[A-Za-z]\$|\d{1,9}\$)[^\s$](?:[^$\n]{0,300}[^\s$])?)\$(?![\d$])",
    re.DOTALL,
)
# Signs that HTML names as LaTeX does.
_NAMES = (
    "times|div|pm|leq|le|geq|ge|ne|approx|rightarrow|sum|int|in|cup|cap|perp|parallel|angle|because|lt|gt"
)
_SIGNS = {name: html5[f"{name};"] for name in [*_NAMES.split("|"), "therefore"]} | {
    **{"cdot": "×", "neq": "≠", "infty": "∞", "to": "→", "triangle": "△", "circ": "°", "degree": "°"},
    **dict.fromkeys(("ldots", "cdots", "dots"), "…"),
}
_WORDS = "sin|cos|tan|cot|log|ln|exp|lim|max|min|mod|deg"
_TEXT = re.compile(
    r"\\(?:text(?:bf|it|rm)?|mathrm|mathbf|mathit|mathbb|operatorname|boldsymbol)\s*\{([^{}]*)\}"
)
_FRACTION = re.compile(r"\\[dtc]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_ROOT = re.compile(r"\\sqrt\s*(?:\[[^\]]{1,9}\]\s*)?\{([^{}]*)\}")
_RAISED = re.compile(r"\^\s*\{\s*([^{}]*?)\s*\}")
_LOWERED = re.compile(r"_\s*(?:\{([^{}]*)\}|(\w))")
_SPACING = re.compile(
    r"\\(?:left|right|[bB]igg?[lr]?|displaystyle|limits|q?quad|(?:begin|end)\{\w+\*?\})(?![A-Za-z])"
    r"|\\[,;:! ]|&"
)
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_PRODUCT = re.compile(rf"(?<![A-Za-z])(?!(?:{_WORDS})(?![a-z]))[A-Za-z]{{2,4}}(?![A-Za-z])")
_SIMPLE = re.compile(r"\s*[\w.]+\s*")


def formula_parts(text: str) -> Iterator[Part]:
    """Yields the formulas of `text`, in order, each as it is read."""
    if "$" not in text and "\\" not in text:
        return
    for found in _FORMULA.finditer(text):
        said = plain(next(filter(None, found.groups())))
        yield Part(found.start(), found[0], said, rule="verbatim")


def plain(formula: str) -> str:
    """Returns a formula of LaTeX with plain signs: x_1 = \\sqrt{2} -> x 1 = √2."""
    words: list[str] = []

    def kept(match: re.Match[str]) -> str:
        words.append(match[1])
        return f" \ue000{len(words) - 1}\ue001 "

    formula = re.sub(r"\^\s*\{?\s*\\circ\s*\}?", "°", formula)
    formula = _SPACING.sub(" ", _TEXT.sub(kept, formula)).replace("\\\\", ", ").replace("\\%", "%")
    before = ""
    while before != formula:  # from the inner braces to the outer ones
        before = formula
        formula = _LOWERED.sub(lambda m: f" {m[1] or m[2]} ", formula)
        formula = _RAISED.sub(lambda m: f"^{_grouped(m[1])}", formula)
        formula = _ROOT.sub(lambda m: f"√{_grouped(m[1])}", _FRACTION.sub(_fraction, formula))
    formula = re.sub(r"[{}\\]", "", _COMMAND.sub(_sign, formula))
    formula = _PRODUCT.sub(lambda m: " ".join(m[0]), formula)
    formula = re.sub("\ue000(\\d+)\ue001", lambda m: words[int(m[1])], formula)
    return re.sub(r"\s+", " ", formula).strip()


def _grouped(part: str) -> str:
    return part.strip() if _SIMPLE.fullmatch(part) else f"({part.strip()})"


def _fraction(match: re.Match[str]) -> str:
    above, below = match[1].strip(), match[2].strip()
    if above.isdigit() and below.isdigit():
        return f" {above}/{below} "
    return f" {_grouped(above)} ÷ {_grouped(below)} "


def _sign(match: re.Match[str]) -> str:
    name = match[1]
    if name in _SIGNS:
        return f" {_SIGNS[name]} " if name not in ("circ", "degree") else "°"
    if re.fullmatch(_WORDS, name):
        return f" {name} "
    kind = "CAPITAL" if name[0].isupper() else "SMALL"
    try:
        return f" {unicodedata.lookup(f'GREEK {kind} LETTER {name.upper()}')} "
    except KeyError:
        return " "

"""Texts that people would say, from the templates in texts/: talk, questions, news, stories, numbers.

A template file has sections. `[slots]` holds lines `name: one | two | three`; every other section is a kind
of text, a template a line. `{name}` stands for one entry of a slot, which may name slots itself. The texts
are normalised: numbers in words, English in lower case. Their marks are as people write them, for the
teacher's melody; `prepared` gives those that the front end hands to the model.
"""

import random
import re
from pathlib import Path

from scripts.mini.sentences import Sentence

FOLDER = Path(__file__).parent / "texts"
_SLOT = re.compile(r"\{(\w+)\}")
_A_BEFORE_VOWEL = re.compile(r"\ba (?!use|uni|one)(?=[aeiou])")
_LONGEST = {"en": 150, "zh": 56}
_MARKS = {"en": str.maketrans("!", "."), "zh": str.maketrans("！？：、", "。?，，")}


def prepared(sentence: Sentence) -> str:
    """The text, as long as before, in the marks that the front end hands to the model."""
    return sentence.text.translate(_MARKS[sentence.language])


class Grammar:
    """The templates of one language."""

    def __init__(self, text: str) -> None:
        self.slots: dict[str, list[str]] = {}
        self.kinds: dict[str, list[str]] = {}
        kind = ""
        for line in filter(None, map(str.strip, text.splitlines())):
            if line.startswith("["):
                kind = line.strip("[]")
            elif kind == "slots":
                name, _, entries = line.partition(":")
                self.slots.setdefault(name, []).extend(entry.strip() for entry in entries.split("|"))
            else:
                self.kinds.setdefault(kind, []).append(line)

    def fill(self, template: str, rng: random.Random) -> str:
        """No slot is filled twice alike in one template, where it has enough entries."""
        used: set[str] = set()

        def entry(match: re.Match[str]) -> str:
            entries = self.slots[match[1]]
            value = rng.choice([e for e in entries if e not in used] or entries)
            used.add(value)
            return value

        while _SLOT.search(template):
            template = _SLOT.sub(entry, template)
        return _A_BEFORE_VOWEL.sub("an ", template)


class SayingMaker:
    """Random texts; the same Random gives the same texts. Half of them are English, half Chinese."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.grammars = {name: Grammar((folder / f"{name}.txt").read_text("utf8")) for name in _LONGEST}

    def make(self, rng: random.Random) -> Sentence:
        """One to three sentences of a kind."""
        language = rng.choice(("en", "zh"))
        grammar = self.grammars[language]
        templates = grammar.kinds[rng.choice(sorted(grammar.kinds))]
        between = " " if language == "en" else ""
        text = ""
        for template in rng.sample(templates, rng.choice((1, 1, 1, 2, 2, 3))):
            longer = between.join(filter(None, (text, grammar.fill(template, rng).lower())))
            if not text or len(longer) <= _LONGEST[language]:
                text = longer
        return Sentence(text, language)

"""Makes texts that people would say from the templates in texts/: talk, questions, news, stories, numbers.

A template file has sections. The section `[slots]` holds lines `name: one | two | three`. Every other section
is a kind of text with one template on each line. `{name}` stands for one entry of a slot, and entries may
contain slots too. The texts are normalised: numbers in words, English in lower case. Their punctuation is
natural, since Kokoro needs it for the melody. `prepared` converts it to the punctuation that the model gets.
"""

import random
import re
from pathlib import Path

from mini.sentences import Sentence

FOLDER = Path(__file__).parent / "texts"
_SLOT = re.compile(r"\{(\w+)\}")
_A_BEFORE_VOWEL = re.compile(r"\ba (?!use|uni|one)(?=[aeiou])")
_LONGEST = {"en": 150, "zh": 56}
_MARKS = {"en": str.maketrans("!", "."), "zh": str.maketrans("！？：、", "。?，，")}


def prepared(sentence: Sentence) -> str:
    """Returns the sentence's text with the punctuation that the front end gives to the model; same length."""
    return sentence.text.translate(_MARKS[sentence.language])


class Grammar:
    """The slots and templates of one language, read from the text of a template file."""

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
        """Replaces each slot of `template` by a random entry.

        Within one template no entry is used twice, unless a slot has too few entries.
        """
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
    """Makes random texts, half of them English, half Chinese, from the templates in `folder`.

    The same state of the random generator gives the same texts.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self.grammars = {name: Grammar((folder / f"{name}.txt").read_text("utf8")) for name in _LONGEST}

    def make(self, rng: random.Random) -> Sentence:
        """Returns a random text: one to three sentences from templates of the same kind, in one language."""
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

"""Turns pinyin as a person types it into the names of the model's phonemes (docs/model.md 9.3)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import cache, partial

from speech_text.errors import TextError, quote

# The phones of the CMU dictionary, none of which the model knows.
_ARPABET = re.compile(
    r"(?:(?:AA|AE|AH|AO|AW|AY|EH|ER|EY|IH|IY|OW|OY|UH|UW)[012]?"
    r"|B|CH|D|DH|F|G|HH|JH|K|L|M|N|NG|P|R|S|SH|T|TH|V|W|Y|Z|ZH)"
)
_TONES = {"\u0304": "1", "\u0301": "2", "\u030c": "3", "\u0300": "4"}

Phonemes = tuple[str, ...]
Syllable = tuple[str, ...]
"""A syllable: its initial, if it has one, and its final with the tone: ("x", "ing2") or ("iang1",)."""


def phoneme_names(reading: str, inventory: Collection[str]) -> list[Phonemes]:
    """Returns the phonemes of each syllable of `reading`: "chong2 qing4" -> [("CH", "ONG2"), ("Q", "ING4")].

    A tone is a digit (5 or 0 for the neutral tone) or an accent, and ü may be written v. `inventory` has the
    names of the model's phonemes; an empty one allows all phonemes. Raises TextError for invalid pinyin and
    for a phoneme that the model lacks; the message is the end of a sentence and says what is wrong.
    """
    syllables = reading.replace("'", " ").split()
    if not syllables:
        raise _bad("there is no reading in it")
    if all(map(_ARPABET.fullmatch, syllables)):
        raise _bad(
            f"'{quote(reading)}' is ARPAbet, and the model has phonemes for Mandarin alone: spell the word "
            "as it should sound, or give it a replacement"
        )
    return [_names(syllable, inventory) for syllable in syllables]


def known_readings(word: str, inventory: Collection[str]) -> list[list[str]]:
    """Returns, for each character of `word`, the pinyin readings that the dictionary has, in the form that
    `phoneme_names` takes. The reading that the character has in `word` comes first. A reading whose phonemes
    are not in `inventory` is left out. A character that is no Hanzi gets an empty list."""
    from pypinyin import Style, pinyin

    # errors=list: unknown characters come back unchanged, one by one. The type hints of pypinyin lack this.
    read = partial(pinyin, style=Style.TONE3, neutral_tone_with_five=True, errors=list)  # type: ignore[arg-type]
    in_the_word = read(word)
    alone = [readings for char in word for readings in read(char, heteronym=True)]
    every = (dict.fromkeys([*first, *others]) for first, others in zip(in_the_word, alone, strict=True))
    return [[reading for reading in readings if _is_reading(reading, inventory)] for readings in every]


def _is_reading(text: str, inventory: Collection[str]) -> bool:
    try:
        return len(phoneme_names(text, inventory)) == 1
    except TextError:
        return False


def _names(syllable: str, inventory: Collection[str]) -> Phonemes:
    from pypinyin.contrib.tone_convert import to_finals, to_initials

    base, tone = _base_and_tone(syllable)
    if base not in _known_syllables():
        raise _bad(f"'{quote(syllable)}' is no pinyin: write syllables with their tones, as in chong2 qing4")
    if tone is None:
        raise _bad(f"'{quote(syllable)}' has no tone: write 1 to 4 behind it, or 5 for none")
    initial, final = to_initials(base, strict=True), to_finals(base, strict=True, v_to_u=False)
    names = tuple(part.upper() for part in named_syllable(initial, final + tone))
    if inventory and not set(names) <= set(inventory):
        raise _bad(f"the model has no phonemes for '{quote(syllable)}'")
    return names


def _bad(why: str) -> TextError:
    return TextError("malformed_pronunciation", why)


def _base_and_tone(syllable: str) -> tuple[str, str | None]:
    """Splits `syllable` into the syllable without its tone, with v for ü, and the tone ("1" to "5"). The tone
    is None if the syllable has no tone or several."""
    plain = unicodedata.normalize("NFD", syllable.lower().replace("u:", "v"))
    accents = [_TONES[char] for char in plain if char in _TONES]
    base = "".join(char for char in plain.replace("u\u0308", "v") if char not in _TONES)
    digit = re.fullmatch("(.*?)([0-5])", base)
    if digit is not None and not accents:
        return digit[1], digit[2].replace("0", "5")
    return base, accents[0] if len(accents) == 1 else None


@cache
def _known_syllables() -> frozenset[str]:
    """Returns all pinyin syllables of the dictionary, without tones."""
    from pypinyin.constants import PINYIN_DICT

    readings = {reading for entry in PINYIN_DICT.values() for reading in entry.split(",")}
    bases = {_base_and_tone(reading)[0] for reading in readings}
    return frozenset(base for base in bases if set(base) & set("aeiouv"))


def named_syllable(initial: str, final: str) -> Syllable:
    """Returns a syllable in the names of the model: its initial, unless that is empty, and its final with the
    tone. The vowels of 知 and 资, i in pinyin, are named iii and ii."""
    if final.startswith("i"):
        if initial in ("zh", "ch", "sh", "r"):
            final = "ii" + final
        elif initial in ("z", "c", "s"):
            final = "i" + final
    return tuple(part for part in (initial, final) if part)

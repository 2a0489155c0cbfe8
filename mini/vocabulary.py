"""The text tokenizer of the mini model, and the readings of Hanzi by the names of its phoneme tokens."""

import base64
import json
import re

from pypinyin import Style, pinyin

from glm_tts_api.model.tokenizer import TextTokenizer
from glm_tts_api.settings import BUNDLED_MODEL

_FOLDER = BUNDLED_MODEL / "vq32k-phoneme-tokenizer"
_PHONEME = re.compile(r"<\|[A-Z]+[1-5]?\|>")


def readings(char: str) -> list[tuple[str, str]]:
    """Returns all readings of a Hanzi, the usual one first: (initial, final with tone digit)."""
    initials = pinyin(char, style=Style.INITIALS, strict=True, heteronym=True)[0]
    result = []
    finals = pinyin(char, style=Style.FINALS_TONE3, strict=True, heteronym=True, neutral_tone_with_five=True)[
        0
    ]
    if len(initials) == len(finals):
        pairs = list(zip(initials, finals, strict=True))
    else:  # pypinyin has dropped repeated initials, so whole syllables are split instead
        pairs = [
            (_split(syllable, Style.INITIALS), _split(syllable, Style.FINALS_TONE3))
            for syllable in pinyin(char, style=Style.TONE, heteronym=True)[0]
        ]
    for initial, final in pairs:
        if final and final[-1] in "12345":
            result.append(_named(initial, final))
    return list(dict.fromkeys(result))


def _split(syllable: str, style: Style) -> str:
    from pypinyin.style import convert

    return str(convert(syllable, style, strict=True, neutral_tone_with_five=True))


def _named(initial: str, final: str) -> tuple[str, str]:
    if final[:-1] == "i" and initial in ("zh", "ch", "sh", "r"):
        final = "ii" + final
    elif final[:-1] == "i" and initial in ("z", "c", "s"):
        final = "i" + final
    return initial.upper(), final.replace("ü", "v").upper()


def word_readings(word: str) -> list[tuple[str, str]]:
    """Returns (initial, final with tone digit) for each Hanzi of a word, ("", "") where unknown."""
    initials = pinyin(word, style=Style.INITIALS, strict=True)
    finals = pinyin(word, style=Style.FINALS_TONE3, strict=True, neutral_tone_with_five=True)
    if not len(initials) == len(finals) == len(word):
        return [("", "")] * len(word)
    return [
        _named(i[0], f[0]) if f[0] and f[0][-1] in "12345" else ("", "")
        for i, f in zip(initials, finals, strict=True)
    ]


class Vocabulary:
    """The ids of the bundled model's text tokenizer: ordinary tokens first (`ranks`), then those of `added`.

    Every GB2312 Hanzi is one token, and so is every common English word. Rarer words are split into pieces of
    about a syllable. Letters would be too fine, since the server demands at least two speech tokens for each
    text token. Speech codes have the ids from `audio_start` to `audio_end` - 1, after all text ids.
    """

    def __init__(self) -> None:
        lines = (_FOLDER / "tokenizer.model").read_bytes().splitlines()
        self.ranks = tuple(base64.b64decode(line.split()[0]) for line in lines)
        entries = json.loads((_FOLDER / "tokenizer_config.json").read_bytes())["added_tokens_decoder"]
        self.added: dict[str, int] = {entry["content"]: int(number) for number, entry in entries.items()}
        self._tokenizer = TextTokenizer.from_dir(_FOLDER)
        self.encode = self._tokenizer.encode
        self.audio_start, self.audio_end = self._tokenizer.audio_start, self._tokenizer.audio_end
        self.begin, self.end = self._tokenizer.begin_of_audio, self._tokenizer.end_of_audio

    @property
    def codes(self) -> range:
        return range(self.audio_start, self.audio_end)

    @property
    def phonemes(self) -> dict[str, int]:
        """The id of each phoneme token, by the name of the initial or of the final with its tone."""
        return {name[2:-2]: token for name, token in self.added.items() if _PHONEME.fullmatch(name)}

    def encode_with_characters(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Returns the ids of a text, and for each id its characters (start, end).

        An id that covers a part of a character counts as covering the whole character.
        """
        ids, _ = self.encode(text)
        owner = [i for i, char in enumerate(text) for _ in char.encode()]
        spans, position = [], 0
        for token in ids:
            size = len(self.ranks[token])
            spans.append((owner[position], owner[position + size - 1] + 1))
            position += size
        return ids, spans

"""The text tokenizer of the mini model: byte-pair ranks in the official format, and special tokens.

Every GB2312 Hanzi is one token, and so is every common English word. Rarer words are split into pieces of
about a syllable. Letters would be too fine, since the server demands at least two speech tokens for each text
token.
"""

import base64
import json
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import tiktoken
from pypinyin import Style, pinyin
from pypinyin.constants import PINYIN_DICT

from mini.sentences import SentenceMaker

PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_PUNCTUATION = "，。？！、：；"
_SPECIAL = (
    "<|endoftext|>", "[MASK]", "[gMASK]", "[sMASK]", "<sop>", "<eop>", "<|system|>", "<|user|>",
    "<|assistant|>",
    "<|observation|>", "<|begin_of_audio|>", "<|end_of_audio|>",
)  # fmt: skip
_LAST_AUDIO = "<|audio_32767|>"


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


def phoneme_names() -> list[str]:
    """Returns every initial, then every final with tone digit, that occurs in a character's readings."""
    initials, finals = set(), set()
    for code in PINYIN_DICT:
        if 0x4E00 <= code <= 0x9FFF:
            for initial, final in readings(chr(code)):
                initials.add(initial)
                finals.add(final)
    finals |= {"IO1", "EI5"}  # these occur only inside some phrases
    return sorted(initials - {""}) + sorted(f for f in finals if f.isascii())


def train_merges(words: dict[bytes, float], n_merges: int) -> list[bytes]:
    """Runs byte-pair encoding on weighted words. Returns up to `n_merges` tokens in order of creation."""
    splits = {word: [bytes([b]) for b in word] for word in words}
    pairs: defaultdict[tuple[bytes, bytes], float] = defaultdict(float)
    where: dict[tuple[bytes, bytes], set[bytes]] = defaultdict(set)
    for word, parts in splits.items():
        for pair in pairwise(parts):
            pairs[pair] += words[word]
            where[pair].add(word)
    merges: list[bytes] = []
    known: set[bytes] = set()
    while len(merges) < n_merges and pairs:
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        token = best[0] + best[1]
        if token not in known:
            known.add(token)
            merges.append(token)
        for word in list(where.pop(best, ())):
            weight, parts = words[word], splits[word]
            for pair in pairwise(parts):
                pairs[pair] -= weight
            merged: list[bytes] = []
            for part in parts:
                if merged and (merged[-1], part) == best:
                    merged[-1] = token
                else:
                    merged.append(part)
            splits[word] = merged
            for pair in pairwise(merged):
                pairs[pair] += weight
                where[pair].add(word)
        pairs.pop(best, None)
    return merges


@dataclass(frozen=True)
class Vocabulary:
    """The token ids: ordinary tokens first (`ranks`), then added tokens.

    Speech code k has id audio_start + k.
    """

    ranks: tuple[bytes, ...]
    phonemes: tuple[str, ...]
    n_codes: int

    @cached_property
    def added(self) -> dict[str, int]:
        names = [
            *_SPECIAL,
            *(f"<|{name}|>" for name in self.phonemes),
            *(f"<|audio_{k}|>" for k in range(self.n_codes)),
            _LAST_AUDIO,
        ]
        return {name: len(self.ranks) + i for i, name in enumerate(names)}

    @cached_property
    def _encoding(self) -> tiktoken.Encoding:
        return tiktoken.Encoding(
            "mini",
            pat_str=PATTERN,
            mergeable_ranks={t: i for i, t in enumerate(self.ranks)},
            special_tokens={},
        )

    @property
    def audio_start(self) -> int:
        return self.added["<|audio_0|>"]

    @property
    def n_text(self) -> int:
        """The number of text, special and phoneme tokens, whose ids come before those of the speech codes."""
        return self.audio_start

    def __len__(self) -> int:
        return len(self.ranks) + len(self.added)

    def encode(self, text: str) -> list[int]:
        """Returns the ids of plain text.

        Names of added tokens in the text are read as ordinary characters.
        """
        return self._encoding.encode_ordinary(text)

    def encode_with_characters(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Returns the ids of a text, and for each id its characters (start, end).

        An id that covers a part of a character counts as covering the whole character.
        """
        ids = self.encode(text)
        owner = [i for i, char in enumerate(text) for _ in char.encode()]
        spans, position = [], 0
        for token in ids:
            size = len(self.ranks[token])
            spans.append((owner[position], owner[position + size - 1] + 1))
            position += size
        return ids, spans

    def phoneme_ids(self, initial: str, final: str) -> list[int]:
        """Returns the ids of the phoneme tokens of a syllable. An empty initial has no id."""
        return [self.added[f"<|{name}|>"] for name in (initial, final) if name]

    def save(self, folder: Path) -> None:
        """Writes tokenizer.model and tokenizer_config.json in the official format to `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        lines = (f"{base64.b64encode(token).decode()} {rank}\n" for rank, token in enumerate(self.ranks))
        (folder / "tokenizer.model").write_text("".join(lines))
        added = {
            str(i): {"content": name, "lstrip": False, "rstrip": False, "normalized": False,
                     "single_word": False, "special": True}
            for name, i in self.added.items()
        }  # fmt: skip
        config = {
            "added_tokens_decoder": added,
            "tokenizer_class": "ChatGLM4Tokenizer",
            "pad_token": "<|endoftext|>",
        }
        (folder / "tokenizer_config.json").write_text(json.dumps(config, separators=(",", ":")) + "\n")

    @classmethod
    def load(cls, folder: Path) -> "Vocabulary":
        lines = (folder / "tokenizer.model").read_text().splitlines()
        config = json.loads((folder / "tokenizer_config.json").read_text())
        names = [entry["content"] for entry in config["added_tokens_decoder"].values()]
        audio = sum(name.startswith("<|audio_") for name in names) - 1
        phonemes = names[len(_SPECIAL) : len(names) - audio - 1]
        ranks = tuple(base64.b64decode(line.split(" ")[0]) for line in lines)
        return cls(ranks, tuple(name[2:-2] for name in phonemes), audio)


def _stems(maker: SentenceMaker) -> dict[str, float]:
    """Returns the English words without endings such as 's or 't, and their weights, sorted by weight."""
    weights: defaultdict[str, float] = defaultdict(float)
    for word, frequency in zip(maker.english.words, maker.english.frequency, strict=True):
        weights[word.partition("'")[0]] += frequency**0.6
    return dict(sorted(weights.items(), key=lambda item: -item[1]))


def build(maker: SentenceMaker, *, n_words: int, n_first: int, n_pieces: int, n_codes: int) -> Vocabulary:
    """Makes the vocabulary from the word lists of `maker`.

    The `n_words` most frequent English words are tokens of their own, so that their sound is certain. The
    first `n_first` of them are also tokens without a space before them, as a text's first word. Other words
    are split into `n_pieces` pieces. `n_codes` is the number of speech codes.

    tiktoken looks up a whole word before it merges bytes, so these words need no tokens for their parts.
    """
    hanzi = [c.encode() for c in [*maker.hanzi, *_PUNCTUATION]]
    stems = _stems(maker)
    words = list(stems)[:n_words]
    tails = {word[word.index("'") :].encode() for word in maker.english.words if "'" in word}
    whole = [b" " + word.encode() for word in words] + [word.encode() for word in words[:n_first]]
    rest: defaultdict[bytes, float] = defaultdict(float)
    for word in list(stems)[n_words:]:
        rest[b" " + word.encode()] += stems[word]
        rest[word.encode()] += 0.15 * stems[word]
    ranks = [bytes([b]) for b in range(256)]
    ranks += sorted({c[:2] for c in hanzi}) + sorted(set(hanzi)) + train_merges(dict(rest), n_pieces)
    known = set(ranks)
    ranks += [token for token in dict.fromkeys([*whole, *sorted(tails)]) if token not in known]
    return Vocabulary(tuple(ranks), tuple(phoneme_names()), n_codes)

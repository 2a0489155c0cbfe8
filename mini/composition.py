"""Describes each text token as a sum of shared factors (sounds and letters) of the embedding table.

The factors of a Hanzi are its initial, final and tone, averaged over its readings. A phoneme token has the
same factors. The factors of an English piece are its letters by place, and the phonemes that its letters
stand for, averaged over the words that contain the piece. A row of the trained table is half of the token's
own row plus the rows of its factors. The export writes the sums as plain rows.
"""

from collections import Counter, defaultdict

import torch
from torch import Tensor

from mini.espeak import Espeak
from mini.sentences import SentenceMaker, is_hanzi
from mini.spelling import LetterAligner
from mini.vocabulary import Vocabulary, readings, word_readings

_MAX_LETTERS, _MAX_SOUNDS = 10, 10


class _Factors:
    """Collects the weights of a sparse matrix. Each new factor name gets the next column."""

    def __init__(self) -> None:
        self.columns: dict[str, int] = {}
        self.entries: dict[tuple[int, int], float] = defaultdict(float)

    def add(self, row: int, name: str, weight: float) -> None:
        self.entries[row, self.columns.setdefault(name, len(self.columns))] += weight


def reading_shares(maker: SentenceMaker) -> dict[str, list[tuple[tuple[str, str], float]]]:
    """Returns for each Hanzi its (initial, final) readings and their shares in the words of the word list."""
    counts: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for word, frequency in zip(maker.chinese.words, maker.chinese.frequency, strict=True):
        for char, reading in zip(word, word_readings(word), strict=True):
            if reading[1]:
                counts[char][reading] += float(frequency) ** 0.7
    shares = {}
    for char in maker.hanzi:
        usual = readings(char)
        chars = counts[char] or Counter(dict.fromkeys(usual[:1], 1.0))
        total = sum(chars.values())
        shares[char] = [(reading, n / total) for reading, n in chars.most_common(4)]
    return shares


def _add_syllable(factors: _Factors, row: int, reading: tuple[str, str], weight: float) -> None:
    initial, final = reading
    if initial:
        factors.add(row, f"initial {initial}", weight)
    if final:
        factors.add(row, f"final {final[:-1]}", weight)
        factors.add(row, f"tone {final[-1]}", weight)


def _add_english(factors: _Factors, vocabulary: Vocabulary, maker: SentenceMaker, engine: Espeak) -> None:
    words = [w for w in maker.english.words if "'" not in w]
    frequency = dict(zip(maker.english.words, maker.english.frequency, strict=True))
    lexicon = dict(zip(words, engine.phonemes(words, language="en"), strict=True))
    lexicon = {word: phonemes for word, phonemes in lexicon.items() if 0 < len(phonemes) <= 2 * len(word)}
    aligner = LetterAligner(lexicon)
    sounds: dict[int, defaultdict[tuple[int, str], float]] = defaultdict(lambda: defaultdict(float))
    total: defaultdict[int, float] = defaultdict(float)
    for word, phonemes in lexicon.items():
        spans = aligner.align(word, phonemes)
        weight = float(frequency[word]) ** 0.5
        for text in (" " + word, word):
            ids, char_spans = vocabulary.encode_with_characters(text)
            for token, (start, end) in zip(ids, char_spans, strict=True):
                shift = len(text) - len(word)
                start, end = max(0, start - shift), end - shift
                if end <= start:
                    continue
                total[token] += weight
                for place, sound in enumerate(phonemes[spans[start][0] : spans[end - 1][1]][:_MAX_SOUNDS]):
                    sounds[token][place, sound] += weight
    for token, counts in sounds.items():
        for (place, sound), n in counts.items():
            factors.add(token, f"sound {place} {sound}", n / total[token])
    for token, piece in enumerate(vocabulary.ranks):
        try:
            letters = piece.decode("ascii").strip()
        except UnicodeDecodeError:
            continue
        if letters and all(c.islower() or c == "'" for c in letters):
            factors.add(token, "spaced" if piece.startswith(b" ") else "unspaced", 1.0)
            for place, letter in enumerate(letters[:_MAX_LETTERS]):
                factors.add(token, f"letter {place} {letter}", 1.0)


def compose(vocabulary: Vocabulary, maker: SentenceMaker, engine: Espeak) -> Tensor:
    """Returns the factor matrix, float32 [n_text, n_factors].

    A row holds the weights of the factors (sounds and letters) that make up one text token.
    """
    factors = _Factors()
    shares = reading_shares(maker)
    for token, piece in enumerate(vocabulary.ranks):
        char = piece.decode("utf8", "ignore")
        if len(char) == 1 and is_hanzi(char):
            for reading, share in shares.get(char, []):
                _add_syllable(factors, token, reading, share)
    for name, row in vocabulary.phonemes.items():
        _add_syllable(factors, row, ("", name) if name[-1].isdigit() else (name, ""), 1.0)
    _add_english(factors, vocabulary, maker, engine)
    matrix = torch.zeros(vocabulary.audio_start, len(factors.columns))
    for (row, column), weight in factors.entries.items():
        matrix[row, column] = weight
    return matrix

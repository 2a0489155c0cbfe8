"""Aligns the letters of English words with espeak-ng's phonemes, to know the sounds of a part of a word.

A letter stands for no, one or two phonemes. The probabilities are learned in a few rounds: each round counts
the letters and phonemes on the best alignments.
"""

import math
from collections import Counter, defaultdict

_VOWEL_STARTS = "aeiouAEIOUV@03"
_CHUNKS = (1, 0, 2)


class LetterAligner:
    """Learns from words and their phonemes which phonemes a letter stands for, and then aligns words."""

    def __init__(self, lexicon: dict[str, list[str]], *, rounds: int = 4) -> None:
        self._scores: dict[str, dict[tuple[str, ...], float]] = {}
        for _ in range(rounds):
            counts: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
            for word, phonemes in lexicon.items():
                for letter, (start, end) in zip(word, self.align(word, phonemes), strict=True):
                    counts[letter][tuple(phonemes[start:end])] += 1
            self._scores = {
                letter: {chunk: math.log(n / total) for chunk, n in chunks.items()}
                for letter, chunks in counts.items()
                for total in [sum(chunks.values())]
            }

    def _score(self, letter: str, chunk: tuple[str, ...]) -> float:
        if self._scores:
            return self._scores.get(letter, {}).get(chunk, -9.0 - 2 * len(chunk))
        if not chunk:
            return -1.0
        matches = (chunk[0][0] in _VOWEL_STARTS) == (letter in "aeiouy")
        return (1.0 if matches else -2.0) - 2.0 * (len(chunk) - 1)

    def align(self, word: str, phonemes: list[str]) -> list[tuple[int, int]]:
        """Returns for each letter of `word` the (start, end) of its phonemes, in order and without gaps.

        The last letter gets phonemes that are left over.
        """
        n, m = len(word), len(phonemes)
        best = [[-math.inf] * (m + 1) for _ in range(n + 1)]
        back = [[0] * (m + 1) for _ in range(n + 1)]
        best[0][0] = 0.0
        for i, letter in enumerate(word):
            for j in range(min(m, 2 * i) + 1):
                if best[i][j] == -math.inf:
                    continue
                for size in _CHUNKS:
                    if j + size > m:
                        continue
                    score = best[i][j] + self._score(letter, tuple(phonemes[j : j + size]))
                    if score > best[i + 1][j + size]:
                        best[i + 1][j + size] = score
                        back[i + 1][j + size] = size
        end = max(range(m + 1), key=lambda j: (best[n][j] > -math.inf, j))
        spans = []
        for i in range(n, 0, -1):
            start = end - back[i][end]
            spans.append((start, end))
            end = start
        spans.reverse()
        if spans and spans[-1][1] < m:
            spans[-1] = (spans[-1][0], m)
        return spans

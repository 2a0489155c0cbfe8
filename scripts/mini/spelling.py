"""Which sounds a piece of an English word stands for: letters aligned with espeak-ng's phonemes.

A letter stands for no, one or two phonemes; the chances are learned by a few rounds of best-path counting.
"""

import math
from collections import Counter, defaultdict

_VOWEL_STARTS = "aeiouAEIOUV@03"
_CHUNKS = (1, 0, 2)


class LetterAligner:
    """Learns from (word, phonemes) pairs, then says where each letter's phonemes begin and end."""

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
        """A phoneme span for each letter, in order and without gaps; any rest goes to the last letter."""
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

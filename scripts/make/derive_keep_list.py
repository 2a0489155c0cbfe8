"""Makes configs/G2P_able_1word.json and configs/G2P_all_phonemes.json from pypinyin and jieba's frequencies.

    python scripts/make/derive_keep_list.py [FOLDER]    (default: configs; replaces files that are there)

The first list has the characters that stay text in phoneme mode: the common characters that are nearly always
read in the same way, weighted by the frequency of the words that contain them. The second list
has the phonemes of the readings of all frequent characters. The official lists of the model may replace these
files.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import jieba

from speech_text.phonemes.writer import read_aligned

KNOWN_COUNT = 40  # occurrences in jieba's 60 million words; a rarer character counts as unknown
CERTAIN = 0.985
SANDHI = "一不"  # characters whose tone depends on the next one; the model knows this, but pypinyin does not
NO_TOKEN = "ER5"  # 儿 as an r at the end of a syllable, for which the model has no token


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2] / "configs"
    readings = count_readings()
    keep = sorted(char for char, counts in readings.items() if is_certain(char, counts))
    certain = json.dumps(keep, ensure_ascii=False)
    (folder / "G2P_able_1word.json").write_text(certain + "\n", encoding="utf-8")
    names = phoneme_names(readings)
    numbered = json.dumps({str(number): name for number, name in enumerate(names)}, indent=1)
    (folder / "G2P_all_phonemes.json").write_text(numbered + "\n", encoding="utf-8")
    print(f"{len(keep)} characters of {len(readings)} stay text; {len(names)} phonemes")


def count_readings() -> dict[str, Counter[tuple[str, ...]]]:
    """Counts the readings of each character, weighted by the frequency of the words that contain it.

    Characters with fewer than KNOWN_COUNT occurrences are left out.
    """
    tokenizer = jieba.Tokenizer()
    tokenizer.tmp_dir = tempfile.mkdtemp()
    tokenizer.initialize()
    readings: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for word, count in tokenizer.FREQ.items():
        if count and all("\u4e00" <= char <= "\u9fff" for char in word):
            for char, syllable in zip(word, read_aligned(word), strict=True):
                readings[char][syllable] += count
    return {char: counts for char, counts in readings.items() if counts.total() >= KNOWN_COUNT}


def is_certain(char: str, counts: Counter[tuple[str, ...]]) -> bool:
    best, count = counts.most_common(1)[0]
    return char in SANDHI or (is_common(char) and bool(best) and count >= CERTAIN * counts.total())


def is_common(char: str) -> bool:
    """Returns whether `char` is one of the 3755 characters of the first level of GB 2312."""
    try:
        return b"\xb0\xa1" <= char.encode("gb2312") <= b"\xd7\xf9"
    except UnicodeEncodeError:
        return False


def phoneme_names(readings: dict[str, Counter[tuple[str, ...]]]) -> list[str]:
    parts = {part.upper() for counts in readings.values() for syllable in counts for part in syllable}
    parts.discard(NO_TOKEN)
    return sorted(parts, key=lambda name: (name[-1].isdigit(), name))


if __name__ == "__main__":
    main()

"""Builds the Chinese text normalisation transducers (FSTs) that the package ships, with the published flags.

    python scripts/make/build_fsts.py [FOLDER]        (default: speech_text/assets/fst)

Run this program when the version of WeTextProcessing in pyproject.toml changes. If another version is
installed, the front end builds transducers for it by itself, in a cache of the user.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from speech_text.wetext import SHIPPED_FSTS, build_chinese_fsts


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SHIPPED_FSTS
    build_chinese_fsts(folder)
    for path in sorted(folder.iterdir()):
        print(f"{path.stat().st_size:>9}  {path}")


if __name__ == "__main__":
    main()

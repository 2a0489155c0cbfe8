"""Builds the Chinese text normalisation transducers (FSTs) that the package ships, with the published flags.

    python scripts/make/build_fsts.py [FOLDER]        (default: speech_text/assets/fst)

Run this program when the lowest version of WeTextProcessing in pyproject.toml changes.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path

from tn.chinese.normalizer import Normalizer

_SHIPPED = Path(__file__).resolve().parents[2] / "speech_text" / "assets" / "fst"
_FLAGS = {"remove_erhua": False, "remove_interjections": False}


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else _SHIPPED
    folder.mkdir(parents=True, exist_ok=True)
    Normalizer(cache_dir=str(folder), overwrite_cache=True, full_to_half=True, **_FLAGS)
    manifest = {"WeTextProcessing": version("WeTextProcessing"), **_FLAGS}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

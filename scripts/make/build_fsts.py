"""Builds the Chinese text normalisation transducers (FSTs) that the package ships, with the published flags.

Run this program when the lowest version of WeTextProcessing in pyproject.toml changes.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

from tn.chinese.normalizer import Normalizer

_SHIPPED = Path(__file__).resolve().parents[2] / "speech_text" / "assets" / "fst"
_FLAGS = {"remove_erhua": False, "remove_interjections": False}


def main() -> None:
    Normalizer(cache_dir=str(_SHIPPED), overwrite_cache=True, full_to_half=True, **_FLAGS)
    manifest = {"WeTextProcessing": version("WeTextProcessing"), **_FLAGS}
    (_SHIPPED / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

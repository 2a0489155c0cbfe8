"""The package's two distributions, and the repository they are made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("glm_tts_api", "speech_text")


@dataclass(frozen=True)
class Distributions:
    """What `python -m build` made; the wheel from the unpacked sdist."""

    sdist: Path
    wheel: Path

"""The package's two distributions, and the repository they are made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Distributions:
    """What `python -m build` made; the wheel from the unpacked sdist."""

    sdist: Path
    wheel: Path

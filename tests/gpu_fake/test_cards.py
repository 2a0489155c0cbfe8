"""Each scene (on_*.py) in a process of its own on a fake card, and tests marked gpu that need no numbers."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from tests.gpu_fake.conftest import OnTheFake

NO_NUMBERS = "has_no_memory or stream_of_its_own or spread_over"


@pytest.mark.parametrize(
    ("scene", "card"),
    [
        (["tests/gpu_fake/on_an_h100.py"], {}),
        (["tests/gpu_fake/on_small_cards.py"], {"GIB": 11.6}),
        (["tests/gpu_fake/on_small_cards.py"], {"GIB": 14.6, "ARCH": 75}),
        (["tests/gpu_fake/on_small_cards.py"], {"GIB": 23.6, "DEVICES": 2}),
        (["tests/engine/test_gpu.py", "tests/model/test_placement.py", "-m", "gpu", "-k", NO_NUMBERS], {}),
    ],
    ids=["H100", "12 GB", "T4", "two of 24 GB", "tests marked gpu"],
)
def test_scene(scene: list[str], card: dict[str, Any], on_the_fake: OnTheFake) -> None:
    done = on_the_fake(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *scene, **card)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]

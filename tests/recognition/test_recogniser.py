"""The recogniser's process: it is there while somebody asks, its memory is free afterwards, and neither its
hang nor its death keeps anybody waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glm_tts_api.errors import Unavailable
from glm_tts_api.recognition.recogniser import Recogniser
from tests.api.waiting import wait_until
from tests.recognition.fake_recogniser import COMMAND

SILENCE = np.zeros(2400, np.float32)


def play(folder: Path, lines: str, scenario: Callable[[Recogniser], Awaitable[None]], **options: Any) -> None:
    """Runs `scenario` with a fake recogniser that hears `lines`."""
    (folder / "hears.txt").write_text("\n".join(lines.split()))

    async def run() -> None:
        recogniser = Recogniser(folder, command=COMMAND, **{"look_every_s": 1.0, **options})
        try:
            await scenario(recogniser)
        finally:
            await recogniser.close()

    asyncio.run(asyncio.wait_for(run(), 120))


async def text_heard(recogniser: Recogniser) -> str:
    return (await recogniser.hear(SILENCE, 24000, "")).text


def process_of(folder: Path) -> Path:
    return Path("/proc") / (folder / "pid").read_text()


def test_a_fake_recogniser_that_nobody_asks_ends_and_begins_again_with_the_next_question(
    tmp_path: Path,
) -> None:
    async def scenario(recogniser: Recogniser) -> None:
        assert await text_heard(recogniser) == "one"
        process = process_of(tmp_path)
        await asyncio.to_thread(wait_until, lambda: not process.exists())
        assert await text_heard(recogniser) == "two"

    play(tmp_path, "one two", scenario, idle_s=0.1)


def test_a_fake_recogniser_that_computes_without_an_end_is_ended(tmp_path: Path) -> None:
    async def scenario(recogniser: Recogniser) -> None:
        with pytest.raises(Unavailable):
            await text_heard(recogniser)
        assert "hung" in recogniser.fault

    play(tmp_path, "spin", scenario, most_s=4.0)


def test_a_fake_recogniser_that_always_dies_is_given_up_for_a_time(tmp_path: Path) -> None:
    async def scenario(recogniser: Recogniser) -> None:
        for n_begun in (2, 3, 3):
            with pytest.raises(Unavailable):
                await text_heard(recogniser)
            assert len((tmp_path / "heard").read_text()) == n_begun
        assert "died: fault 3" in recogniser.fault

    play(tmp_path, "die die die no", scenario)

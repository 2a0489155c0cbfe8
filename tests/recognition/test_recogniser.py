"""The recogniser's process is there while somebody asks, and its memory is free afterwards."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np

from glm_tts_api.recognition.recogniser import Recogniser
from tests.api.waiting import wait_until
from tests.recognition.fake_recogniser import COMMAND

SILENCE = np.zeros(2400, np.float32)


def test_a_fake_recogniser_that_nobody_asks_ends_and_begins_again_with_the_next_question(
    tmp_path: Path,
) -> None:
    (tmp_path / "hears.txt").write_text("one\ntwo")

    async def hear() -> None:
        recogniser = Recogniser(tmp_path, command=COMMAND, idle_s=0.1)
        try:
            assert (await recogniser.hear(SILENCE, 24000, "")).text == "one"
            process = Path("/proc") / (tmp_path / "pid").read_text()
            await asyncio.to_thread(wait_until, lambda: not process.exists())
            assert (await recogniser.hear(SILENCE, 24000, "")).text == "two"
        finally:
            await recogniser.close()

    asyncio.run(hear())

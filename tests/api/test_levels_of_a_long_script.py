"""Two speakers of 200 lines are as loud as each other. scripts/test.sh long."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.api.server_process import Server
from tests.api.test_levels_of_a_script import levels_of, voices_apart_db


def test_200_lines_of_two_voices_are_within_a_decibel(process: Callable[..., Server]) -> None:
    server = process("glm_tts_api.api_server:app")
    server.wait_until_all_speak(120)
    levels = levels_of(server, 200, wait_s=1800)
    apart = voices_apart_db(levels)
    print(
        f"{apart:.2f} dB between the voices, {np.ptp(levels):.2f} dB between the loudest and the softest line"
    )
    assert apart < 1

"""Notes of an engine's process on a listener who is slower than it."""

from __future__ import annotations

import numpy as np

from glm_tts_api.contracts import AudioChunk
from glm_tts_api.engine.messages import Message
from glm_tts_api.engine.telling import Listener


def test_more_may_be_made_from_the_moment_at_which_less_than_the_buffer_waits() -> None:
    told: list[Message] = []
    listener = Listener(1, told.append, 1.0, lambda number: None)
    second = AudioChunk(np.zeros(24000, np.float32), 24000, 0, ends_segment=False, speed=None)
    for is_full in (False, True, True):
        assert listener.full == is_full
        listener.chunk_ready(second)
    assert [listener.took(0.5) for _ in range(6)] == [False, False, False, False, True, False]
    assert not listener.full
    assert len(told) == 3

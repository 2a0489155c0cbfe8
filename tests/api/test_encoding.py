"""A whole answer from its chunks: how long it says it is, and how much memory its silence takes."""

from __future__ import annotations

import io
import tracemalloc
from typing import get_args

import numpy as np
import pytest
import soundfile

from glm_tts_api.contracts import AudioChunk, AudioFormat, Recording, SpeechRequest, Voice
from glm_tts_api.speech.encoding import encode_whole
from glm_tts_api.speech.recent import Answer
from tests.recordings import voice

RATE = 24000


def encoded(chunks: list[AudioChunk], audio_format: AudioFormat, speed: float = 1.0) -> Answer:
    anyone = Voice(Recording(np.zeros(8, np.float32), 16000), "", "0")
    return encode_whole(chunks, SpeechRequest("r", "text", anyone, audio_format=audio_format, speed=speed))


@pytest.mark.parametrize("audio_format", get_args(AudioFormat))
def test_minutes_of_silence_are_never_samples_all_at_once(audio_format: AudioFormat) -> None:
    second = AudioChunk(np.zeros(RATE, np.float32), RATE, 0, False, None)
    encoded([second], audio_format)  # libraries load
    tracemalloc.start()
    speech = encoded([second] * 120, audio_format)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert speech.seconds == 120
    kept = len(speech.pcm)  # of the last answers, which stay fetchable
    assert most_bytes < 2.5 * (len(speech.audio) + kept) + 2**20


@pytest.mark.parametrize("audio_format", ["wav", "flac"])
@pytest.mark.parametrize("speed", [0.7, 1.0, 2.0])
def test_the_length_is_right_whatever_the_speeds_of_its_parts(
    audio_format: AudioFormat, speed: float
) -> None:
    first, second, third = np.array_split(voice(3.123), 3)
    speech = encoded(
        [
            AudioChunk(first, RATE, 0),
            AudioChunk(np.zeros(12345, np.float32), RATE, 1, False, None),
            AudioChunk(second, RATE, 1, speed=1.5),
            AudioChunk(third, RATE, 2, speed=1.5),
        ],
        audio_format,
        speed,
    )
    samples, rate = soundfile.read(io.BytesIO(speech.audio))
    parts = (len(first) / speed, 12345, (len(second) + len(third)) / speed / 1.5)
    assert (len(samples), rate) == (sum(map(round, parts)), RATE)
    assert speech.seconds == len(samples) / RATE

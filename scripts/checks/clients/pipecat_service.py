"""Speaks through Pipecat's OpenAI service in a small pipeline. If FILE ends in twilio.wav, it is the pipeline
of a telephone: Pipecat's serializer for Twilio makes mu-law of 8 kHz. The service takes only OpenAI's names.
"""

from __future__ import annotations

import asyncio
import audioop
import base64
import json

from heard import FILE, RATE, TEXT, URL, keep_pcm
from pipecat.frames.frames import EndFrame, Frame, TTSAudioRawFrame, TTSSpeakFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.services.openai.tts import OpenAITTSService

OPTIONS = {"auto_hang_up": False, "resampler_clear_after_secs": None}  # keeps all samples
TELEPHONE = TwilioFrameSerializer("any", params=TwilioFrameSerializer.InputParams(**OPTIONS))
IS_TELEPHONE = FILE.endswith("twilio.wav")


class Listener(FrameProcessor):  # type: ignore[misc] # pipecat is not installed where mypy runs
    """Collects in `pcm` the audio of all frames that pass through the pipeline."""

    def __init__(self) -> None:
        super().__init__()
        self.pcm = b""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            self.pcm += await heard_by_telephone(frame) if IS_TELEPHONE else frame.audio
        await self.push_frame(frame, direction)


async def heard_by_telephone(frame: TTSAudioRawFrame) -> bytes:
    message = await TELEPHONE.serialize(frame)
    return audioop.ulaw2lin(base64.b64decode(json.loads(message)["media"]["payload"]), 2) if message else b""


async def main() -> None:
    voice = OpenAITTSService.Settings(voice="alloy")
    service = OpenAITTSService(api_key="any", base_url=f"{URL}/v1", sample_rate=RATE, settings=voice)
    listener, played = Listener(), 8000 if IS_TELEPHONE else RATE
    task = PipelineTask(Pipeline([service, listener]), params=PipelineParams(audio_out_sample_rate=played))
    await task.queue_frames([TTSSpeakFrame(TEXT), EndFrame()])
    await PipelineRunner(handle_sigint=False).run(task)
    keep_pcm(listener.pcm, played)


asyncio.run(main())

"""Speaks through Pipecat's OpenAI service in a small pipeline.

The service accepts only OpenAI's voice names.
"""

from __future__ import annotations

import asyncio

from heard import RATE, TEXT, URL, keep_pcm
from pipecat.frames.frames import EndFrame, Frame, TTSAudioRawFrame, TTSSpeakFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.openai.tts import OpenAITTSService


class Listener(FrameProcessor):  # type: ignore[misc] # pipecat is not installed where mypy runs
    """Collects in `pcm` the audio of all frames that pass through the pipeline."""

    def __init__(self) -> None:
        super().__init__()
        self.pcm = b""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            self.pcm += frame.audio
        await self.push_frame(frame, direction)


async def main() -> None:
    service = OpenAITTSService(
        api_key="any", base_url=f"{URL}/v1", settings=OpenAITTSService.Settings(voice="alloy")
    )
    listener = Listener()
    task = PipelineTask(Pipeline([service, listener]), params=PipelineParams(audio_out_sample_rate=RATE))
    await task.queue_frames([TTSSpeakFrame(TEXT), EndFrame()])
    await PipelineRunner(handle_sigint=False).run(task)
    keep_pcm(listener.pcm)


asyncio.run(main())

"""Speaks through the client that openapi-python-client generated.

Run as `speak.py URL`, with the generated package `glm_tts_client` in the same folder.
"""

from __future__ import annotations

import base64
import importlib
import io
import pkgutil
import sys

import glm_tts_client as generated
from glm_tts_client import Client
from glm_tts_client.api.operations import concurrency_stats, health
from glm_tts_client.api.speech import tts
from glm_tts_client.api.voices import get_prompt_audio, list_prompts
from glm_tts_client.models import ErrorBody, SpeechAnswer, SpeechForm, SpeechJson, SpeechUpload
from glm_tts_client.types import File


def main(url: str) -> None:
    for module in pkgutil.walk_packages(generated.__path__, f"{generated.__name__}."):
        importlib.import_module(module.name)
    with Client(base_url=url, timeout=120) as client:
        assert health.sync(client=client).status == "healthy"
        voices = [prompt.index for prompt in list_prompts.sync(client=client).prompts]
        assert "exampleA" in voices, voices
        recording = get_prompt_audio.sync("exampleA", client=client)
        assert isinstance(recording, File), recording
        data = recording.payload.read()
        transcript = next(
            p.prompt_text for p in list_prompts.sync(client=client).prompts if p.index == "exampleA"
        )
        upload = SpeechUpload(
            input_text="你好。",
            prompt_text=transcript,
            prompt_audio=File(io.BytesIO(data), file_name="voice", mime_type="audio/wav"),
        )
        for body in (
            SpeechJson(input_text="你好。", index="exampleA"),
            SpeechForm(input_text="你好。", index="exampleA"),
            upload,
        ):
            answer = tts.sync(client=client, body=body)
            assert isinstance(answer, SpeechAnswer), answer
            assert base64.b64decode(answer.audio_base64).startswith(b"RIFF")
            print(f"  {type(body).__name__}: {answer.message}")
        refused = tts.sync(client=client, body=SpeechJson(input_text="你好。", index="nobody"))
        assert isinstance(refused, ErrorBody), refused
        assert refused.code == "unknown_voice"
        assert concurrency_stats.sync(client=client).stats.short_text.total >= 3


if __name__ == "__main__":
    main(sys.argv[1])

"""`glm-tts say`: a text as a file of audio, or as sound."""

from __future__ import annotations

import argparse
import sys
import uuid
from pathlib import Path

from glm_tts_api.commandline.api import Api, Files
from glm_tts_api.commandline.failing import Failed, Misused
from glm_tts_api.commandline.files import read_file, write_file
from glm_tts_api.commandline.playing import play, player_of
from glm_tts_api.commandline.progress import progress_of
from glm_tts_api.commandline.server import Where, server_at
from glm_tts_api.commandline.text import given_text

FORMATS = {".wav": "wav", ".flac": "flac", ".mp3": "mp3", ".aac": "aac", ".pcm": "pcm"}
FORMATS |= {".opus": "opus", ".ogg": "opus"}


def run(arguments: argparse.Namespace) -> int:
    """Raises Failed or StartupError."""
    output: str | None = arguments.output
    fields = {"input_text": given_text(arguments.text, "say"), "response_format": _format(output)}
    options = {"seed": arguments.seed, "speed": arguments.speed, "prompt_text": arguments.prompt_text}
    fields |= {name: str(value) for name, value in options.items() if value is not None}
    files = prompt_of(arguments)
    player = player_of(fields["response_format"]) if arguments.play or output is None else None
    with server_at(Where.of(arguments.url, arguments.key)) as api:
        if files is None:
            fields["index"] = arguments.voice or first_voice(api)
        if output is None and arguments.srt is None:
            assert player is not None
            with api.stream(fields, files) as pieces:
                play(pieces, player)
            return 0
        request_id = uuid.uuid4().hex
        if arguments.srt is not None:
            fields["subtitle"] = "srt"
        with progress_of(api, request_id):
            audio = api.speak(fields, files, request_id=request_id)
        if output is not None:
            _write(output, audio)
        if arguments.srt is not None:
            write_file(arguments.srt, api.read(f"/api/v1/audio/{request_id}/subtitles.srt"))
    if player is not None:
        play([audio], player)
    return 0


def first_voice(api: Api) -> str:
    """The voice that speaks where none is named."""
    voices = api.get("/api/v1/prompts").get("prompts", [])
    if not voices:
        raise Failed("The server has no voice: add one with glm-tts voices add, or send one with --prompt.")
    return str(voices[0]["index"])


def prompt_of(arguments: argparse.Namespace) -> Files | None:
    """The recording that is to speak."""
    if arguments.prompt is None:
        if arguments.prompt_text is not None:
            raise Misused("--prompt-text needs --prompt, the recording that it is the transcript of.")
        return None
    if arguments.prompt_text is None:
        raise Misused("--prompt needs --prompt-text: every word that is said in the recording.")
    if arguments.voice is not None:
        raise Misused("Give either --voice or --prompt.")
    return {"prompt_audio": (arguments.prompt.name, read_file(arguments.prompt))}


def _format(output: str | None) -> str:
    """The format of the file's suffix; WAV for a player and for stdout."""
    if output in (None, "-"):
        return "wav"
    path = Path(str(output))
    if path.suffix.lower() not in FORMATS:
        raise Misused(f"-o {path}: the name must end in one of {', '.join(sorted(FORMATS))}")
    if not path.parent.is_dir():
        raise Misused(f"-o {path}: there is no folder '{path.parent}'.")
    return FORMATS[path.suffix.lower()]


def _write(output: str, data: bytes) -> None:
    if output == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    write_file(Path(output), data)

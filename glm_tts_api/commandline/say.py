"""The command `glm-tts say`: speaks a text into an audio file, or plays it with a player program that is
installed."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, get_args

from glm_tts_api.commandline.api import Api, Files, bar, server_at
from glm_tts_api.commandline.files import Misused, given_text, read_file, write_file
from glm_tts_api.contracts import AudioFormat
from glm_tts_api.errors import Failed
from speech_text.marks import in_mood

_NO_DEVICE = "audio open failed"  # ffplay prints this without a sound device, but ends with exit code 0
_LOOK_S = 0.5  # how often the server is asked for the progress
FORMATS: dict[str, str] = {".ogg": "opus", **{f".{name}": name for name in get_args(AudioFormat)}}
_ANY = tuple(name for name in get_args(AudioFormat) if name not in ("pcm", "mulaw", "alaw"))


def run(arguments: argparse.Namespace) -> int:
    """Speaks a text into a file or plays it. Returns an exit code. Raises Failed or StartupError."""
    output: str | None = arguments.output
    fields = {"input_text": given_text(arguments.text, "say"), "response_format": _format(output)}
    options = {"seed": arguments.seed, "speed": arguments.speed, "prompt_text": arguments.prompt_text}
    options["verify"] = arguments.verify or None
    options |= {"duration": arguments.duration, "fit": arguments.fit, "loudness": arguments.loudness}
    is_whole = arguments.srt or arguments.verify or arguments.duration or arguments.loudness
    fields |= {name: str(value) for name, value in options.items() if value is not None}
    files = prompt_of(arguments)
    player = player_of(fields["response_format"]) if arguments.play or output is None else None
    with server_at(arguments.url, arguments.key) as api:
        if not files:
            fields["index"] = voice_of(arguments, api)
        if output is None and not is_whole:
            assert player is not None
            with api.stream(fields, files) as pieces:
                play(pieces, player)
            return 0
        request_id = uuid.uuid4().hex
        if arguments.srt is not None:
            fields["subtitle"] = "srt"
        with progress_of(api, request_id):
            audio = api.speak(fields, files, request_id)
        if output == "-":
            sys.stdout.buffer.write(audio)
            sys.stdout.buffer.flush()
        elif output is not None:
            write_file(Path(output), audio)
        if arguments.srt is not None:
            write_file(arguments.srt, api.read(f"/api/v1/audio/{request_id}/subtitles.srt"))
    if player is not None:
        play([audio], player)
    return 0


def voice_of(arguments: argparse.Namespace, api: Api) -> str:
    """Returns the name of the registered voice to use: --voice or else the server's first voice, with --mood
    as `voice:mood`. Raises Failed if the server has no voice."""
    voice: str | None = arguments.voice
    if not voice:
        voices = api.get("/api/v1/prompts").get("prompts", [])
        if not voices:
            raise Failed(
                "The server has no voice: add one with glm-tts voices add, or send one with --prompt."
            )
        voice = str(voices[0]["index"])
    return in_mood(voice, arguments.mood) if arguments.mood else voice


def prompt_of(arguments: argparse.Namespace) -> Files:
    """Returns the recording of --prompt as a file for the request; no file without --prompt. Raises Misused
    for arguments that do not fit together."""
    if arguments.prompt is None:
        if arguments.prompt_text is not None:
            raise Misused("--prompt-text needs --prompt, the recording that it is the transcript of.")
        return {}
    if arguments.prompt_text is None:
        raise Misused("--prompt needs --prompt-text: every word that is said in the recording.")
    if arguments.voice is not None or arguments.mood is not None:
        raise Misused("Give either --voice, perhaps with --mood, or --prompt.")
    return {"prompt_audio": (arguments.prompt.name, read_file(arguments.prompt))}


def _format(output: str | None) -> str:
    """Returns the audio format for the suffix of the file `output`; WAV to play it or for stdout ("-").
    Raises Misused for another suffix or a missing folder."""
    if output in (None, "-"):
        return "wav"
    path = Path(str(output))
    if path.suffix.lower() not in FORMATS:
        raise Misused(f"-o {path}: the name must end in one of {', '.join(sorted(FORMATS))}")
    if not path.parent.is_dir():
        raise Misused(f"-o {path}: there is no folder '{path.parent}'.")
    return FORMATS[path.suffix.lower()]


class Player(NamedTuple):
    """A player program with its arguments and the formats that it plays. A program without the argument "-"
    cannot read audio from stdin and gets the name of a file."""

    name: str
    arguments: tuple[str, ...]
    formats: tuple[str, ...]


_PLAYERS = (
    Player("ffplay", ("-nodisp", "-autoexit", "-loglevel", "error", "-i", "-"), _ANY),
    Player("mpv", ("--no-video", "--no-terminal", "-"), _ANY),
    Player("aplay", ("-q", "-"), ("wav",)),
    Player("afplay", (), ("wav", "flac", "mp3", "aac")),  # the player of macOS
)


def player_of(audio_format: str) -> Player:
    """Returns the first installed player for this format. Raises Failed if there is none."""
    fitting = [each for each in _PLAYERS if audio_format in each.formats]
    found = next((each for each in fitting if shutil.which(each.name)), None)
    if found is None:
        names = ", ".join(each.name for each in fitting) or "none knows its sample rate"
        raise Failed(f"No player for {audio_format} is here ({names}): install one, or write a file with -o.")
    return found


def play(audio: Iterable[bytes], player: Player) -> None:
    """Plays the bytes of an audio file while they come, or after all have come if `player` cannot read stdin.
    Returns when all has been played. Raises Failed."""
    if "-" in player.arguments:
        process = _begun(player, subprocess.PIPE)
        try:
            assert process.stdin is not None
            with suppress(BrokenPipeError):  # the player has ended; _end reports why
                process.stdin.writelines(audio)
            _end(player, process)
        finally:
            process.kill()
    else:
        with tempfile.NamedTemporaryFile() as file:
            file.writelines(audio)
            file.flush()
            _end(player, _begun(player, subprocess.DEVNULL, file.name))


def _begun(player: Player, stdin: int, *more: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [player.name, *player.arguments, *more],
        bufsize=0,  # each piece is passed on at once
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def _end(player: Player, process: subprocess.Popen[bytes]) -> None:
    _, said = process.communicate()
    lines = said.decode(errors="replace").strip().splitlines()
    silent = [line for line in lines if _NO_DEVICE in line]
    if process.returncode or silent:
        reason = (silent or lines or ["it does not say why"])[-1]
        raise Failed(f"{player.name} cannot play it: {reason} (-o FILE writes a file)")


@contextmanager
def progress_of(api: Api, request_id: str) -> Iterator[None]:
    """Shows a progress bar inside the `with` block while the server speaks the request `request_id`. The bar
    counts segments; a request with one segment has none."""
    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(api, request_id, over), daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()


def _watch(api: Api, request_id: str, over: threading.Event) -> None:
    shown = None
    while not over.wait(_LOOK_S):
        try:
            active = api.get("/api/v1/stats/concurrency").get("active", [])
        except Failed:
            continue
        found = next((each for each in active if each["request_id"] == request_id), None)
        if found is None or not found["segments"] or found["segments"] == 1:
            continue
        if shown is None:
            shown = bar(" segments", found["segments"])
        shown.update(found["segments_done"] - shown.n)
    if shown is not None:
        shown.close()

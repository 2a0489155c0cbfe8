"""Plays audio on this machine, with a player program that is installed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from glm_tts_api.errors import Failed

_NO_DEVICE = "audio open failed"  # ffplay prints this without a sound device, but ends with exit code 0
_ANY = ("wav", "flac", "mp3", "opus", "aac")


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

"""The command `glm-tts voices`: lists and changes the server's voices, and moves voices to another server."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width
from urllib.parse import quote, urlencode

from glm_tts_api.commandline.api import Api, Fields, say_aside, server_at
from glm_tts_api.commandline.files import Misused, read_file, write_file
from glm_tts_api.errors import Failed, InvalidField
from glm_tts_api.voices.about import NOTES
from glm_tts_api.voices.archive import PackedVoice, pack, unpack
from speech_text.marks import MOOD_SIGN, in_mood

_PROMPTS = "/api/v1/prompts"


def run(arguments: argparse.Namespace) -> int:
    """Runs `glm-tts voices list`, `add`, `check`, `remove`, `export` or `import`. Returns an exit code.
    Raises Failed or StartupError."""
    # Local files are checked first, since it takes some seconds to start a server.
    recording = read_file(arguments.recording) if "recording" in arguments else b""
    voices = _unpacked(arguments.file) if arguments.what == "import" else {}
    trim = {"trim_silence": "true"} if getattr(arguments, "trim_silence", False) else {}
    with server_at(arguments.url, arguments.key) as api:
        match arguments.what:
            case "list":
                _list(api, _notes(arguments))
            case "add":
                transcript = arguments.text or _agreed(api, recording)
                fields = {"index": arguments.name, "prompt_text": transcript, **_notes(arguments)}
                _add(api, recording, fields | trim)
            case "check":
                return _check(api, recording, {"prompt_text": arguments.text or ""} | trim)
            case "remove":
                for name in arguments.names:
                    print(api.delete(f"{_PROMPTS}/{quote(name, safe='')}")["message"])
            case "export":
                _export(api, arguments.file, arguments.names)
            case "import":
                return _import(api, voices)
    return 0


def _unpacked(file: Path) -> dict[str, PackedVoice]:
    """Returns the voices in an exported file. Raises Misused if the file cannot be read or is no such
    file."""
    try:
        return unpack(BytesIO(read_file(file)))
    except InvalidField as fault:
        raise Misused(fault.message) from None


def _notes(arguments: argparse.Namespace) -> dict[str, str]:
    return {note: text for note in NOTES if (text := getattr(arguments, note, None))}


def _list(api: Api, wanted: Mapping[str, str]) -> None:
    rows = [("NAME", "SOURCE", "TRANSCRIPT")]
    for voice in api.get(f"{_PROMPTS}?{urlencode(wanted)}")["prompts"]:
        moods = {in_mood(voice["index"], mood["name"]): mood for mood in voice.get("moods", [])}
        recordings = {voice["index"]: voice, **moods}
        rows += [(name, each["source"], each["prompt_text"]) for name, each in recordings.items()]
    _print_rows(rows)


def _agreed(api: Api, recording: bytes) -> str:
    """Shows the user the words that the server hears in the recording, and returns them if the user confirms
    them. Raises Failed otherwise, or without a terminal."""
    heard = str(_report(api, recording, {})["heard"])
    print(f"Heard: {heard}")
    if not sys.stdin.isatty() or input("Is every word right? [y/N] ").strip().lower() not in ("y", "yes"):
        raise Failed("The voice is not registered: give every word that is said as --text.")
    return heard


def _report(api: Api, recording: bytes, fields: Fields) -> dict[str, Any]:
    return api.post(f"{_PROMPTS}/check", fields, {"prompt_audio": ("recording", recording)})


def _check(api: Api, recording: bytes, fields: Fields) -> int:
    """Prints the server's checks of a recording. Returns the exit code, which is 1 if the recording cannot be
    a voice."""
    report = _report(api, recording, fields)
    rows = [(each["name"], each["status"], each["message"]) for each in report["checks"]]
    rows += [("-", "-", each) for each in report["not_checked"]]
    _print_rows([("CHECK", "STATUS", "FOUND"), *rows])
    return 1 if report["status"] == "error" else 0


def _print_rows(rows: list[tuple[str, str, str]]) -> None:
    shown = [tuple(map(_printable, row)) for row in rows]
    widths = [max(_width(row[column]) for row in shown) for column in range(2)]
    for row in shown:
        cells = [text + " " * (width - _width(text)) for text, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[2]]))


def _printable(text: str) -> str:
    """Returns `text` on one line. Control characters, which a terminal would interpret, are escaped."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _width(text: str) -> int:
    """Returns how many columns `text` takes on a terminal."""
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def _add(api: Api, recording: bytes, fields: Fields) -> None:
    answer = api.post(_PROMPTS, fields, {"prompt_audio": ("recording", recording)})
    for warning in answer.get("warnings", []):
        say_aside(f"WARNING: {warning}")
    print(answer["message"])


def _export(api: Api, file: Path, names: list[str]) -> None:
    data = api.read(f"{_PROMPTS}.zip?{urlencode([('index', name) for name in names])}")
    write_file(file, data)
    voices = unpack(BytesIO(data))
    whole = [name for name in voices if MOOD_SIGN not in name]
    print(f"{'1 voice is' if len(whole) == 1 else f'{len(whole)} voices are'} in {file}: {', '.join(voices)}")


def _import(api: Api, voices: dict[str, PackedVoice]) -> int:
    """Adds the voices to the server, one request for each voice, since a server limits the size of a request.
    Returns the exit code, which is 1 if a voice could not be added."""
    n_failed = 0
    for name, voice in voices.items():
        archive = b"".join(pack([(name, voice)]))
        try:
            (answer,) = api.post(f"{_PROMPTS}/import", {}, {"archive": ("voices.zip", archive)})["prompts"]
            for warning in answer["warnings"]:
                say_aside(f"WARNING: {warning}")
            if answer["result"] == "taken":
                raise Failed(f"Another voice '{name}' is there: glm-tts voices remove {name}, then again.")
            print(answer["message"])
        except Failed as failure:
            n_failed += 1
            say_aside(str(failure))
    return 1 if n_failed else 0

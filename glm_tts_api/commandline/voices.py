"""`glm-tts voices`: the server's voices, and their way to another server."""

from __future__ import annotations

import argparse
from pathlib import Path
from unicodedata import east_asian_width
from urllib.parse import quote

from glm_tts_api.commandline.api import Api, say_aside
from glm_tts_api.commandline.archive import Voice, pack, unpack
from glm_tts_api.commandline.failing import Failed
from glm_tts_api.commandline.files import read_file, write_file
from glm_tts_api.commandline.server import Where, server_at

_PROMPTS = "/api/v1/prompts"
_GAP = "  "


def run(arguments: argparse.Namespace) -> int:
    """Raises Failed or StartupError."""
    # Local files are checked first: a server of this command's own takes some seconds to start.
    recording = read_file(arguments.recording) if "recording" in arguments else b""
    archive = unpack(read_file(arguments.file)) if arguments.what == "import" else {}
    with server_at(Where.of(arguments.url, arguments.key)) as api:
        match arguments.what:
            case "list":
                _list(api)
            case "add":
                voice = Voice(recording, arguments.text, arguments.consent)
                print(_added(api, arguments.name, voice))
            case "check":
                return _check(api, Voice(recording, arguments.text))
            case "remove":
                for name in arguments.names:
                    print(api.delete(_path(name))["message"])
            case "export":
                _export(api, arguments.file, arguments.names)
            case "import":
                return _import(api, archive)
    return 0


def _list(api: Api) -> None:
    found = api.get(_PROMPTS)["prompts"]
    rows = [(each["index"], each["source"], each["prompt_text"]) for each in found]
    _print_rows([("NAME", "SOURCE", "TRANSCRIPT"), *rows])


def _check(api: Api, voice: Voice) -> int:
    """The exit code: 1 if the voice will not do."""
    fields = {"prompt_text": voice.transcript}
    report = api.post(f"{_PROMPTS}/check", fields, {"prompt_audio": ("recording", voice.recording)})
    rows = [(each["name"], each["status"], each["message"]) for each in report["checks"]]
    _print_rows([("CHECK", "STATUS", "FOUND"), *rows])
    return 1 if report["status"] == "error" else 0


def _print_rows(rows: list[tuple[str, str, str]]) -> None:
    widths = [max(_width(row[column]) for row in rows) for column in range(2)]
    for row in rows:
        cells = [text + " " * (width - _width(text)) for text, width in zip(row, widths, strict=False)]
        print(_GAP.join([*cells, row[2]]))


def _width(text: str) -> int:
    """Columns of a terminal."""
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def _added(api: Api, name: str, voice: Voice) -> str:
    """Registers the voice; returns the server's message."""
    fields = {"index": name, "prompt_text": voice.transcript, "consent": voice.consent}
    answer = api.post(_PROMPTS, fields, {"prompt_audio": (name, voice.recording)})
    for warning in answer.get("warnings", []):
        say_aside(f"WARNING: {warning}")
    return str(answer["message"])


def _export(api: Api, file: Path, names: list[str]) -> None:
    known = _known(api)
    if unknown := [name for name in names if name not in known]:
        raise Failed(f"The server has no voice '{unknown[0]}'; it has {', '.join(known) or 'none'}.")
    voices = {}
    for name in names or known:
        voices[name] = Voice(api.read(f"{_path(name)}/audio"), *known[name])
    write_file(file, pack(voices))
    print(
        f"{'1 voice is' if len(voices) == 1 else f'{len(voices)} voices are'} in {file}: {', '.join(voices)}"
    )


def _import(api: Api, voices: dict[str, Voice]) -> int:
    """The exit code: 1 if one of them could not be added. Those that are there already are left alone."""
    known = _known(api)
    n_failed = 0
    for name, voice in voices.items():
        try:
            if name not in known:
                print(_added(api, name, voice))
            elif Voice(api.read(f"{_path(name)}/audio"), *known[name]) == voice:
                print(f"Voice '{name}' is there already.")
            else:
                raise Failed(f"'{name}' is another voice there: glm-tts voices remove {name}, then again.")
        except Failed as failure:
            n_failed += 1
            say_aside(f"Voice '{name}' is not imported: {failure}")
    return 1 if n_failed else 0


def _known(api: Api) -> dict[str, tuple[str, str]]:
    """The transcript and the consent of each voice, by its name."""
    found = api.get(_PROMPTS)["prompts"]
    return {each["index"]: (each["prompt_text"], each.get("consent") or "") for each in found}


def _path(name: str) -> str:
    return f"{_PROMPTS}/{quote(name, safe='')}"

"""Defines the arguments of the commands say, book and voices. The modules of these commands are imported only
when one runs, so that a help text appears at once."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from glm_tts_api.voices.about import ALLOWED

Commands = Any  # the result of add_subparsers, whose type is private in argparse

_SERVER = """\
The server that speaks is that of --url; without it the one that runs in this
folder; where none runs, one is started for the length of the command.
"""
_SAY = """\
Speaks a text. Without -o it is played while it is made.

  glm-tts say "你好，世界。"
  glm-tts say chapter.txt -o chapter.mp3 --voice exampleB
  echo "Hello." | glm-tts say - -o - | aplay
  glm-tts say "Hello." --prompt me.wav --prompt-text "What I say in me.wav."
"""
_BOOK = """\
Speaks a book: an MP3 and subtitles (SRT) for each chapter, each once it is
spoken. Interrupted by Ctrl-C, a kill or a failure, the same command goes on
where it was. FOLDER/.glm-tts keeps what was spoken; with it, --m4b or --preset
takes no second speaking. It can be deleted afterwards.

  glm-tts book book.epub -o book
  glm-tts book book.md -o book --m4b --cast cast.json
      cast.json: {"旁白": "exampleA", "小王": "exampleB"}
"""
_VOICES = """\
Shows and changes the voices of a server.

  glm-tts voices check me.wav --text "What I say in me.wav."
  glm-tts voices add me me.wav --text "What I say in me.wav."
  glm-tts voices export voices.zip
  glm-tts voices import voices.zip --url http://gpu-box:8049
"""


def add_commands(commands: Commands) -> None:
    say = _command(commands, "say", "speak a text: into a file, or aloud", _SAY)
    say.add_argument("text", nargs="?", metavar="TEXT", help="the text, a .txt file, or - for standard input")
    say.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help=".wav, .flac, .mp3, .opus, .ogg, .aac or .pcm; - is a WAV on standard output",
    )
    _add_voice(say)
    say.add_argument("--srt", type=Path, metavar="FILE", help="subtitles of the text as it is written")
    say.add_argument("--play", action="store_true", help="with -o: play it too")
    _add_server(say, "say")
    _add_book(commands)
    _add_voices(commands)


def _add_book(commands: Commands) -> None:
    book = _command(commands, "book", "speak a book into a folder; can be interrupted and repeated", _BOOK)
    book.add_argument(
        "book", type=Path, metavar="BOOK", help=".epub, .md, .txt or .srt (whose times are not kept)"
    )
    book.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FOLDER", help="where the audio is to lie"
    )
    kind = book.add_mutually_exclusive_group()
    kind.add_argument("--m4b", action="store_true", help="one M4B with chapters in place of an MP3 for each")
    kind.add_argument(
        "--preset", choices=["acx"], help="MP3s with the level, the quiet and the rate that ACX asks for"
    )
    book.add_argument(
        "--cast", type=Path, metavar="FILE", help="JSON of names and voices, for lines such as 小王：你好。"
    )
    _add_voice(book)
    _add_server(book, "book")


def _add_voice(command: argparse.ArgumentParser) -> None:
    command.add_argument("--voice", metavar="NAME", help="a voice of the server; default: its first")
    command.add_argument("--mood", metavar="NAME", help="a mood of that voice: another of its recordings")
    command.add_argument(
        "--prompt", type=Path, metavar="FILE", help="a recording that is to speak, 3 to 10 s"
    )
    command.add_argument("--prompt-text", metavar="TEXT", help="every word that is said in it")
    command.add_argument(
        "--verify",
        action="store_true",
        help="have a recogniser of the server hear it; drifts are spoken anew",
    )
    command.add_argument("--seed", type=int, metavar="N", help="the same gives the same audio; default: 42")
    command.add_argument("--speed", type=float, metavar="X", help="0.25 to 4 at the same pitch; default: 1")


def _add_voices(commands: Commands) -> None:
    whats = _command(commands, "voices", "list, add, check, remove, move the voices", _VOICES).add_subparsers(
        dest="what", required=True, metavar="WHAT"
    )
    shown = whats.add_parser("list", help="names, sources and transcripts")
    add = whats.add_parser("add", help="register a recording, 3 to 10 s of clean speech")
    add.add_argument(
        "name", metavar="NAME", help="letters of any script, digits, _ and -; NAME:MOOD is a mood of a voice"
    )
    check = whats.add_parser("check", help="measure a recording that is to be a voice; keeps nothing")
    for takes in (add, check):
        takes.add_argument(
            "recording", type=Path, metavar="RECORDING", help="wav, mp3, flac, ogg, m4a or webm"
        )
        takes.add_argument(
            "--text",
            metavar="TEXT",
            help="every word that is said in it; else what the server hears is shown",
        )
        takes.add_argument(
            "--trim-silence", action="store_true", help="without the silence before and behind the speech"
        )
    for knows in (shown, add):
        knows.add_argument("--language", choices=ALLOWED["language"], help="the language that it speaks")
        knows.add_argument("--gender", choices=ALLOWED["gender"], help="of the voice")
    add.add_argument("--consent", metavar="TEXT", help="who agreed to what; kept and shown with the voice")
    add.add_argument("--description", metavar="TEXT", help="of the voice, in free words")
    remove = whats.add_parser("remove", help="remove voices")
    remove.add_argument("names", nargs="+", metavar="NAME")
    export = whats.add_parser("export", help="write voices into one file, a zip")
    export.add_argument("file", type=Path, metavar="FILE.zip")
    export.add_argument("names", nargs="*", metavar="NAME", help="only these; default: all")
    bring = whats.add_parser("import", help="add the voices of such a file")
    bring.add_argument("file", type=Path, metavar="FILE.zip")
    for what in whats.choices.values():
        _add_server(what, "voices")


def _add_server(command: argparse.ArgumentParser, module: str) -> None:
    command.set_defaults(run=_run(module))
    command.add_argument(
        "--url", metavar="URL", help="the server, as http://HOST:8049; default: GLM_TTS_URL, if it is set"
    )
    command.add_argument(
        "--key", metavar="KEY", help="one of its API_KEYS; default: GLM_TTS_API_KEY, if it is set"
    )


def _command(commands: Commands, name: str, short: str, long: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=short,
        description=long,
        epilog=_SERVER,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser


def _run(name: str) -> Callable[[argparse.Namespace], int]:
    """Returns the function `run` of the module `name`, which is imported when the function is called."""

    def run(arguments: argparse.Namespace) -> int:
        code: int = import_module(f"glm_tts_api.commandline.{name}").run(arguments)
        return code

    return run

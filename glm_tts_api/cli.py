"""The command line, `glm-tts` or `python -m glm_tts_api`.

It works in the folder where it is called. It reads its settings from there (.env, configs/), and a server
writes its files there (run/, data/, api_server.log).

The exit code is 0 if all went well. It is 1 if a server refused or did not answer, or if a file could not be
fetched or written. It is 2 if the arguments, a setting, the checkpoint, the port or the machine do not allow
the command, 3 if a server already runs in this folder, and 130 after Ctrl-C. `serve` ends with uvicorn's exit
code.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

from glm_tts_api import __version__
from glm_tts_api.commandline.files import Misused, given_text
from glm_tts_api.download import command as download
from glm_tts_api.errors import AlreadyRunning, Failed, StartupError
from glm_tts_api.processes import family
from glm_tts_api.service import output
from glm_tts_api.service.port import check_port, holders_of
from glm_tts_api.service.run_folder import RunFolder
from glm_tts_api.settings import Settings
from glm_tts_api.voices.about import ALLOWED
from speech_text import ReadingOptions, TextError

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
_DUB = """\
Speaks the subtitles of a film, each at its time, into one file as long as they
are. Long speech goes on into the silence behind it, then is made faster, 1.6
times at most; film.cues.json says how each subtitle fits. Interrupted, the
same command goes on where it was, as glm-tts book does.

  glm-tts dub film.srt -o film.wav --cast cast.json --stems voices
  ffmpeg -i film.mkv -i film.wav -map 0:v -map 1:a -c:v copy dubbed.mkv
"""
_VOICES = """\
Shows and changes the voices of a server.

  glm-tts voices check me.wav --text "What I say in me.wav."
  glm-tts voices add me me.wav --text "What I say in me.wav."
  glm-tts voices export voices.zip
  glm-tts voices import voices.zip --url http://gpu-box:8049
"""
_SERVE = """\
Checks this folder's settings, then serves in the foreground. Ctrl-C ends it.

Settings are environment variables, or lines of .env in this folder:
  PORT, API_HOST, API_KEYS      where it listens, and to whom
  MODEL_DIR, DEVICE, WORKERS    what speaks, and where
  PRESET                        a file of settings in configs/presets
glm-tts settings prints all of them, docs/settings.md explains them.
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Raises Misused with a message of one line, where argparse would print its usage and exit."""
        raise Misused(f"{self.prog}: {message} ({self.prog} --help)")


def main(argv: list[str] | None = None) -> int:
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal may know only ASCII
    try:
        arguments = _parse(argv)
        run: Callable[[argparse.Namespace], int] = arguments.run
        return run(arguments)
    except (StartupError, Failed) as error:
        output.say(str(error), sys.stderr)
        return (
            3 if isinstance(error, AlreadyRunning) else 2 if isinstance(error, StartupError | Misused) else 1
        )
    except BrokenPipeError:  # the program that reads stdout has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = _Parser(prog="glm-tts", description="GLM-TTS: a text-to-speech server.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_commands(commands)
    serve = _command(commands, "serve", "check, then serve in the foreground; Ctrl-C ends it", _SERVE)
    # For the scripts. --checked says that the caller has already checked the settings. --succeed PID makes
    # the server take over the port of the server with that PID when it is told to.
    serve.add_argument("--checked", action="store_true", help=argparse.SUPPRESS)
    serve.add_argument("--succeed", type=int, help=argparse.SUPPRESS)
    serve.set_defaults(run=_serve)
    check = commands.add_parser("check", help="say what would keep the server from starting, a line each")
    check.add_argument(
        "what", nargs="*", type=_known_check, metavar="WHAT", help=f"only these of {', '.join(_CHECKS)}"
    )
    check.set_defaults(run=_check)
    brings = "bring the official model, about 9 GB, into ckpt/; can be interrupted and repeated"
    fetch = _command(commands, "download", brings, download.__doc__)
    download.add_arguments(fetch)
    fetch.set_defaults(run=download.run)
    read = commands.add_parser("read", help="say what would be spoken for a text, without speaking it")
    read.add_argument(
        "text", nargs="?", metavar="TEXT", help="the text, a .txt file, or - for standard input (a pipe)"
    )
    read.add_argument("--phonemes", action="store_true", help="as with use_phoneme=true")
    read.add_argument(
        "--verbatim", choices=["read", "short", "skip"], help="how much is said of addresses and code"
    )
    read.set_defaults(run=_read)
    settings = commands.add_parser("settings", help="print the effective settings as shell assignments")
    settings.set_defaults(run=_print_settings)
    # For the scripts of a clone.
    for function in ("commands.start", "commands.stop", "commands.status", "restart.restart"):
        commands.add_parser(function.partition(".")[2]).set_defaults(run=_run(f"service.{function}"))
    commands.choices["start"].set_defaults(serve=_serve, checked=False, succeed=None)
    commands.choices["stop"].add_argument("--now", action="store_true")
    if not (sys.argv[1:] if argv is None else argv):
        raise Misused(parser.format_help().rstrip())
    return parser.parse_args(argv)


def _known_check(name: str) -> str:
    """Returns `name` if it is the name of a check, else raises ArgumentTypeError. argparse's `choices` cannot
    be used, because it would refuse an empty list."""
    if name not in _CHECKS:
        raise argparse.ArgumentTypeError(f"'{name}' is none of {', '.join(_CHECKS)}")
    return name


def _serve(arguments: argparse.Namespace) -> int:
    from glm_tts_api.serving import become_server  # imports uvicorn, which other commands do not need

    settings = Settings.load()
    try:
        claim = RunFolder.of(settings).claim(succeeds=arguments.succeed is not None)
    except OSError as error:
        raise StartupError(
            f"RUN_DIR='{settings.run_dir}': cannot be written ({error.strerror}); choose another place"
        ) from None
    os.set_inheritable(claim, True)
    if not arguments.checked:
        try:
            _check_port(settings)
        except StartupError:
            _require(settings, _CHECKS)  # its error names all problems, not only the port's
            raise
    become_server(settings, arguments.succeed, checks=not arguments.checked)


def _check(arguments: argparse.Namespace) -> int:
    settings = Settings.load(warns=not arguments.what)
    if not arguments.what:
        server = RunFolder.of(settings).server()
        if server is not None:
            print(f"A server runs here ({server}); started anew, it would take these settings.")
    _require(settings, arguments.what or _CHECKS)
    return 0


def _require(settings: Settings, checks: Iterable[str]) -> None:
    """Runs the named checks. Raises StartupError with the messages of all that fail, each on its own
    lines."""
    problems: list[str] = []
    for name in checks:
        try:
            _CHECKS[name](settings)
        except StartupError as error:
            problems.append(str(error))
    if problems:
        raise StartupError("\n".join(problems))


def _check_checkpoint(settings: Settings) -> None:
    """Checks the checkpoint, the device that it is to run on, and PyTorch. Prints warnings to stderr. Raises
    StartupError."""
    # These import torch, which other commands do not need.
    from glm_tts_api.model.checkpoint import require_servable
    from glm_tts_api.model.placement import placement_warnings

    require_servable(settings.checkpoint_dir, device=settings.device, dtype=settings.dtype)
    for warning in placement_warnings(settings.device, dtype=settings.dtype):
        print(f"WARNING: {warning}", file=sys.stderr)


def _check_port(settings: Settings) -> None:
    """Raises StartupError if the port cannot be used. A port that is held only by this folder's own server,
    or by processes that outlived that server, can be used."""
    own = {process for server in RunFolder.of(settings).servers() for process in family(server.pid)}
    if not own.issuperset(holders := holders_of(settings.port)) or not holders:
        check_port(settings.api_host, settings.port)


_CHECKS: dict[str, Callable[[Settings], None]] = {"port": _check_port, "checkpoint": _check_checkpoint}


def _read(arguments: argparse.Namespace) -> int:
    """Prints how a text would be spoken, as POST /api/v1/text/normalize answers it: its segments, the changes
    and the warnings. Needs no server. Raises StartupError if the text is refused."""
    text = given_text(arguments.text, "read")
    from glm_tts_api.lexicon import LexiconFile, open_frontend
    from glm_tts_api.model.llm_config import LlmConfig

    settings = Settings.load()
    frontend = open_frontend(
        LexiconFile(settings.configs_dir),
        cache_dir=settings.cache_dir,
        rules=settings.text_rules,
        max_characters=settings.max_text_length,
    )
    with suppress(OSError, ValueError):  # no model is needed to read a text
        config = LlmConfig.from_json(settings.checkpoint_dir / "llm" / "config.json")
        frontend.longest_segment = config.longest_segment
    try:
        reading = frontend.read(text, ReadingOptions(arguments.phonemes, arguments.verbatim))
    except TextError as error:
        raise StartupError(str(error)) from None
    for number, segment in enumerate(reading.segments, start=1):
        print(f"{number}. {segment.spoken} ({segment.seconds:.1f} s)")
    for change in reading.changes:
        print(f"   character {change.start}: {change.written or 'nothing'} -> {change.said or 'nothing'}")
    for warning in reading.warnings:
        print(f"WARNING: {warning}", file=sys.stderr)
    return 0


def _print_settings(_: argparse.Namespace) -> int:
    settings = Settings.load(warns=True)
    for name, value in settings.model_dump().items():
        print(f"{name.upper()}={_shell_value(value)}")
    print(f"CHECKPOINT_DIR={_shell_value(settings.checkpoint_dir)}")
    return 0


def _shell_value(value: Any) -> str:
    if value is None:
        return "''"
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return f"{value:f}".rstrip("0").rstrip(".")  # shells cannot read 1e-05
    if isinstance(value, tuple):
        value = ",".join("=".join(item) if isinstance(item, tuple) else str(item) for item in value)
    return shlex.quote(str(value))


def _add_commands(commands: Any) -> None:
    say = _command(commands, "say", "speak a text: into a file, or aloud", _SAY, _SERVER)
    say.add_argument("text", nargs="?", metavar="TEXT", help="the text, a .txt file, or - for standard input")
    say.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help=".wav, .flac, .mp3, .opus, .ogg, .aac, .pcm, .mulaw or .alaw; - is a WAV on standard output",
    )
    _add_voice(say)
    say.add_argument("--duration", type=float, metavar="S", help="it lasts S seconds")
    say.add_argument("--fit", choices=["pad", "cut"], help="what to do if no natural tempo does that")
    say.add_argument("--loudness", type=float, metavar="LUFS", help="-31 to -14; -16 for podcasts")
    say.add_argument("--srt", type=Path, metavar="FILE", help="subtitles of the text as it is written")
    say.add_argument("--play", action="store_true", help="with -o: play it too")
    _add_server(say, "say")
    _add_book(commands)
    _add_dub(commands)
    _add_voices(commands)


def _add_book(commands: Any) -> None:
    book = _command(
        commands, "book", "speak a book into a folder; can be interrupted and repeated", _BOOK, _SERVER
    )
    book.add_argument(
        "book", type=Path, metavar="BOOK", help=".epub, .md or .txt; .srt, .vtt or .ass without its times"
    )
    book.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FOLDER", help="where the audio is to lie"
    )
    kind = book.add_mutually_exclusive_group()
    kind.add_argument("--m4b", action="store_true", help="one M4B with chapters in place of an MP3 for each")
    kind.add_argument(
        "--preset", choices=["acx"], help="MP3s with the level, the quiet and the rate that ACX asks for"
    )
    _add_cast(book)
    _add_voice(book)
    _add_server(book, "book")
    book.set_defaults(timing=None)


def _add_dub(commands: Any) -> None:
    dub = _command(commands, "dub", "speak a film's subtitles, each at its time", _DUB, _SERVER)
    dub.add_argument("book", type=Path, metavar="SUBTITLES", help=".srt, .vtt or .ass")
    dub.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help=".wav or .flac")
    dub.add_argument("--stems", type=Path, metavar="FOLDER", help="also one file for each speaker, into it")
    _add_cast(dub)
    _add_voice(dub)
    _add_server(dub, "dub")
    dub.set_defaults(m4b=False, preset=None, timing="exact")


def _add_cast(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--cast", type=Path, metavar="FILE", help="JSON of names and voices, for lines such as 小王：你好。"
    )


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


def _add_voices(commands: Any) -> None:
    whats = _command(
        commands, "voices", "list, add, check, remove, move the voices", _VOICES, _SERVER
    ).add_subparsers(dest="what", required=True, metavar="WHAT")
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
    for note, choices in ALLOWED.items():
        told = "the language that it speaks" if note == "language" else "of the voice"
        for knows in (shown, add):
            knows.add_argument(f"--{note}", choices=choices, help=told)
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
    command.set_defaults(run=_run(f"commandline.{module}.run"))
    command.add_argument(
        "--url", metavar="URL", help="the server, as http://HOST:8049; default: GLM_TTS_URL, if it is set"
    )
    command.add_argument(
        "--key", metavar="KEY", help="one of its API_KEYS; default: GLM_TTS_API_KEY, if it is set"
    )


def _command(
    commands: Any, name: str, short: str, long: str | None, epilog: str | None = None
) -> argparse.ArgumentParser:
    """Adds a command. `short` is its line in the list of commands; its own help has `long` and `epilog`."""
    lines = argparse.RawDescriptionHelpFormatter
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=short, description=long, epilog=epilog, formatter_class=lines
    )
    return parser


def _run(name: str) -> Callable[[argparse.Namespace], int]:
    """Returns the function `name`, whose module is imported when the function is called."""
    module, _, function = name.rpartition(".")

    def run(arguments: argparse.Namespace) -> int:
        return int(getattr(import_module(f"glm_tts_api.{module}"), function)(arguments))

    return run

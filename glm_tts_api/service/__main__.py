"""Starts, stops, restarts or shows the server, in the project folder:

    python3 -m glm_tts_api.service start | stop | restart | status | venv

Exit codes: 0 the command worked; 1 it was tried and failed; 2 a setting, the checkpoint, the port or the
machine does not allow it; 3 the server runs already (status: no server runs), or another command is at work.

`venv` needs nothing but the standard library. It makes .venv, whose Python then runs the other commands.
"""

from __future__ import annotations

import argparse
import io
import signal
import sys
from pathlib import Path

from glm_tts_api.errors import AlreadyRunning, Failed, StartupError
from glm_tts_api.service import venv
from glm_tts_api.service.output import say

_NOT_RUNNING = 3


def main() -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):
        # The test sentence is Chinese, and a terminal may know only ASCII.
        sys.stdout.reconfigure(errors="replace")
    arguments = _parse()
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except (Failed, StartupError) as error:
        if str(error):
            say(str(error), sys.stderr)
        return 3 if isinstance(error, AlreadyRunning) else 2 if isinstance(error, StartupError) else 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python3 -m glm_tts_api.service",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    names.add_parser("start", help="serve in the foreground")
    stop = names.add_parser("stop", help="let accepted requests end, then end")
    stop.add_argument("--now", action="store_true", help="answer what is left 503")
    names.add_parser("restart", help="stop, start, verify")
    names.add_parser("status", help="processes, health, lanes")
    packages = names.add_parser("venv", help="make .venv and install what pyproject.toml asks for")
    packages.add_argument("extra", nargs="?", default="", help="of pyproject.toml's optional-dependencies")
    return parser.parse_args()


def _run(arguments: argparse.Namespace) -> int:
    if arguments.command == "venv":
        venv.ensure(Path.cwd(), arguments.extra)
        return 0
    if not venv.exists(Path.cwd()):
        is_stop = arguments.command == "stop"
        where = sys.stdout if is_stop else sys.stderr
        say(f"There is no .venv in {Path.cwd()}: no server was ever started here.", where)
        return 0 if is_stop else _NOT_RUNNING
    from glm_tts_api.service import commands, restart  # need the packages in .venv

    match arguments.command:
        case "start":
            return commands.start()
        case "stop":
            return commands.stop(now=arguments.now)
        case "restart":
            return restart.restart()
    return commands.status()


if __name__ == "__main__":
    sys.exit(main())

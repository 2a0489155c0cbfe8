"""Starts, stops, restarts or shows the server, in the project folder:

    .venv/bin/python -m glm_tts_api.service start | stop | restart | status

Exit codes: 0 the command worked; 1 it was tried and failed; 2 a setting, the checkpoint, the port or the
machine does not allow it; 3 the server runs already (status: no server runs), or another command is at work.
"""

from __future__ import annotations

import argparse
import io
import signal
import sys
from collections.abc import Callable

from glm_tts_api.errors import AlreadyRunning, Failed, StartupError
from glm_tts_api.service import commands
from glm_tts_api.service.output import say
from glm_tts_api.service.restart import restart


def main() -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):
        # The test sentence is Chinese, and a terminal may know only ASCII.
        sys.stdout.reconfigure(errors="replace")
    arguments = _parse()
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        return run(arguments)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except (Failed, StartupError) as error:
        if str(error):
            say(str(error), sys.stderr)
        return 3 if isinstance(error, AlreadyRunning) else 2 if isinstance(error, StartupError) else 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m glm_tts_api.service",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = parser.add_subparsers(required=True, metavar="COMMAND")
    names.add_parser("start", help="serve in the foreground").set_defaults(run=lambda _: commands.start())
    stop = names.add_parser("stop", help="let accepted requests end, then end")
    stop.add_argument("--now", action="store_true", help="answer what is left 503")
    stop.set_defaults(run=lambda given: commands.stop(now=given.now))
    names.add_parser("restart", help="stop, start, verify").set_defaults(run=lambda _: restart())
    names.add_parser("status", help="processes, health, lanes").set_defaults(run=lambda _: commands.status())
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

"""Restarts the server: stops the running one and starts a new one, or starts the new one while the old one
still runs and hands the port over. Then checks that the new server works. A restart that has begun goes on if
its terminal or this process is lost."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from logging.handlers import RotatingFileHandler
from math import ceil
from pathlib import Path
from typing import BinaryIO

import psutil

from glm_tts_api.errors import Failed, StartupError
from glm_tts_api.processes import family
from glm_tts_api.service.commands import (
    MARGIN_S,
    Ending,
    last_lines,
    listens_elsewhere,
    locked,
    require_visible,
    stop_all,
)
from glm_tts_api.service.log_writer import opened
from glm_tts_api.service.memory import gpus, require_room_for_two, wait_for_gpu
from glm_tts_api.service.output import Step, say
from glm_tts_api.service.port import check_port
from glm_tts_api.service.run_folder import RunFolder, Server
from glm_tts_api.service.verify import Verification
from glm_tts_api.settings import VERIFY_TOKEN, Settings

_SHOWN_LINES = 25
_EARLIER_LOGS = 5
_REFUSED = 2  # the exit code of a server that refuses its settings or its checkpoint
_OWN_CODE = ("glm_tts_api", "speech_text", "bench", "mini", "scripts", "tests")


def restart(_: Namespace) -> int:
    """Restarts the server in a child process, which goes on if this process is killed. Returns an exit
    code."""
    settings = Settings.load(warns=True)
    folder = RunFolder.of(settings)
    with locked(folder, needs_room=True) as lock:
        if child := os.fork():
            for number in (signal.SIGINT, signal.SIGHUP):  # a terminal sends them to the child too
                signal.signal(number, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, lambda number, _: os.kill(child, number))
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        opened(settings.log_path).close()
        require_visible(folder, Failed)
        old = folder.server()
        work = Restart(settings, lock)
        if settings.restart_mode == "rolling" and old is not None:
            return work.roll(old)
        return work.replace()


class Restart:
    """One restart of the server. `lock` is the lock file of the run folder. This process and its parent hold
    the lock."""

    def __init__(self, settings: Settings, lock: BinaryIO) -> None:
        self._settings = settings
        self._folder = RunFolder.of(settings)
        self._log = settings.log_path
        self._lock = lock
        self._token = secrets.token_hex(16)

    def replace(self) -> int:
        """Stops the running server if there is one, starts the new server and checks that it works. Returns
        an exit code."""
        settings, checked = self._settings, ["--checked"]
        if self._folder.servers():
            self._check()
        else:  # no server is stopped before the new one does the checks itself
            checked = []
        with self._undone() as started:
            with Step("1/6 Stopping our running server") as step:
                before = gpus()
                for line in before:
                    step.note(line)
                stopped = stop_all(settings, step)
            with Step("2/6 Cleaning temporary files and Python caches") as step:
                self._clean(step)
            with Step("3/6 Freeing GPU memory") as step:
                if before:
                    wait_for_gpu(stopped, step)
                for line in gpus() if before else ["no GPU here: nothing to free"]:
                    step.note(line)
            with Step("4/6 Waiting for the port") as step:
                check_port(settings.api_host, settings.port)
                step.note(f"{settings.port} is free")
            with Step(f"5/6 Starting the server, log: {self._log}") as step:
                started.append(self._start(step, *checked))
            self._verify(started[0], "6/6 Verifying")
            return 0

    def roll(self, old: Server) -> int:
        """Restarts without a gap: starts the new server while the `old` one still runs, checks the new one,
        hands the port over, and waits until the old one has ended. Returns an exit code."""
        with Step("1/4 Looking whether there is room for two servers") as step:
            self._require_two_possible(old, step)
        self._check()
        with self._undone(old) as started:
            with Step(f"2/4 Starting the new server beside PID {old.pid}, log: {self._log}") as step:
                started.append(self._start(step, "--checked", "--succeed", str(old.pid)))
            self._verify(started[0], "3/4 Verifying it, then handing over the port", old)
            with Step("4/4 The old server ends when its clients have left") as step:
                rolling_s = ceil(old.number("rolling_s", self._settings.stop_timeouts[1]))
                Ending([old], step, self._log).end(rolling_s + MARGIN_S, "its clients to leave")
                step.note(f"PID {old.pid} is gone")
        return self._tell_of_answers(old)

    def _require_two_possible(self, old: Server, step: Step) -> None:
        elsewhere = listens_elsewhere(old, self._settings)
        if elsewhere:
            raise StartupError(f"RESTART_MODE=rolling keeps the address. {elsewhere[0]}")
        if not (old.folder / "handover.sock").is_socket():
            raise StartupError(
                f"RESTART_MODE=rolling: the server (PID {old.pid}) has nothing to hand its port over by: is "
                "it still starting, or of an earlier version? Without RESTART_MODE it is stopped first."
            )
        unproven = [server for server in self._folder.servers() if server.is_tried]
        if unproven:
            Ending(unproven, step, self._log).end(MARGIN_S, "what a restart that was killed has left")
        require_room_for_two(family(old.pid), step)

    def _check(self) -> None:
        """Checks the checkpoint and the port, and prints warnings to stderr. Raises StartupError if either
        would keep the server from starting."""
        command = [sys.executable, "-m", "glm_tts_api", "check", "checkpoint", "port"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StartupError(done.stderr.strip())
        sys.stderr.write(done.stderr)

    def _clean(self, step: Step) -> None:
        """Removes this project's compiled Python files whose source was removed (of a changed source, Python
        writes a new one). Rotates the log file. Never touches .venv, weights or voices."""
        for folder in _OWN_CODE:
            for compiled in Path(folder).rglob("__pycache__/*.pyc"):
                source = compiled.parent.with_name(f"{compiled.name.partition('.')[0]}.py")
                if "node_modules" not in compiled.parts and not source.exists():
                    with suppress(OSError):  # the file belongs to another user
                        compiled.unlink()
        if self._log.is_file() and self._log.stat().st_size:
            try:
                RotatingFileHandler(self._log, backupCount=_EARLIER_LOGS, delay=True).doRollover()
                self._log.touch()
            except OSError as error:
                step.note(f"{self._log} goes on: it cannot be renamed ({error.strerror})")

    def _start(self, step: Step, *arguments: str) -> psutil.Popen:
        """Starts the server in a session of its own, with its output in LOG_FILE. Returns its process."""
        command = [sys.executable, "-m", "glm_tts_api", "serve", *arguments]
        own = {**os.environ, VERIFY_TOKEN: self._token}
        with opened(self._log) as log:
            nothing = subprocess.DEVNULL
            server = psutil.Popen(
                command, stdin=nothing, stdout=log, stderr=log, start_new_session=True, env=own
            )
        step.note(f"PID {server.pid}")
        return server

    def _verify(self, server: psutil.Popen, title: str, old: Server | None = None) -> None:
        """Checks `server`, and has it take the port of `old`. From here on only the parent holds the lock, so
        that a restart that is killed holds none. Raises SystemExit with the exit code 2 where `server`
        refused its settings or its checkpoint, and 1 for any other failure."""
        self._lock.close()
        if Verification(self._settings, server, title, self._token).run(old):  # it has said why
            raise SystemExit(_REFUSED if server.poll() == _REFUSED else 1)

    @contextmanager
    def _undone(self, old: Server | None = None) -> Iterator[list[psutil.Popen]]:
        """Yields a list for the servers that the `with` block starts. If the block ends with an exception,
        SIGINT or SIGTERM, these servers are stopped. A lost terminal (SIGHUP) is ignored. `old` is the server
        that a rolling restart replaces; None in any other restart. If the new server has taken the port of
        `old` already, the new server is not stopped."""
        started: list[psutil.Popen] = []
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _leave)
        try:
            yield started
        except BaseException:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            for new in started:
                self._undo(new, old)
            raise

    def _undo(self, new: psutil.Popen, old: Server | None) -> None:
        server = self._folder.server()
        if old and server and server.pid == new.pid:
            say(f"The new server (PID {new.pid}) has the port already. The old one ends by itself.")
            return
        say("\n  | ".join(["", f"Last lines of {self._log}:", *last_lines(self._log, _SHOWN_LINES)]))
        with Step("Stopping the server that did not pass") as step:
            # The server is made from its PID, since it may not have a record in the run folder yet.
            young = Server(new.pid, self._folder.own(new.pid), {})
            Ending([young], step, self._log).end(MARGIN_S, "its end")
        self._folder.clean()
        left = f"the old server (PID {old.pid}) goes on" if old else "the server is stopped"
        say(f"FAILED: the cause stands above, or in the log lines; {left}.")

    def _tell_of_answers(self, old: Server) -> int:
        ended = old.again()
        if "ended" not in ended.facts:
            raise Failed(
                "The old server was killed before it reported its last answers. The new server runs."
            )
        n_ended, n_cut = int(ended.number("ended", 0)), int(ended.number("cut", 0))
        if n_cut:
            raise Failed(
                f"{n_ended} of its answers ended, {n_cut} were cut: they took longer than "
                "LONG_TEXT_TIMEOUT, or it was killed. The new server runs."
            )
        say(f"  {n_ended} of its answers ended, none was cut")
        self._folder.clean()
        return 0


def _leave(number: int, _: object) -> None:
    raise SystemExit(128 + number)

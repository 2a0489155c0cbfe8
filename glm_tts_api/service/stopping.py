"""Stops servers: gives them time to answer accepted requests, then uses stronger signals."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from glm_tts_api.errors import Failed
from glm_tts_api.processes import Process, family
from glm_tts_api.service.output import Step
from glm_tts_api.service.run_folder import Server

MARGIN_S = 15.0  # added to the time to drain, for the last answers and for freeing the model
_KILL_WAIT_S = 15.0


class Ending:
    """Stops `servers`, whose log is `log`, and shows the progress in `step`. `processes` has the servers'
    processes with a description of each, also of those that have ended."""

    def __init__(self, servers: Iterable[Server], step: Step, log: Path) -> None:
        self._pids = [server.pid for server in servers]
        self._step = step
        self._log = log
        self.processes: dict[Process, str] = {}
        self._left()

    def end(self, patience_s: float, what: str) -> None:
        """Sends SIGTERM and waits `patience_s` seconds. Then sends SIGQUIT, which answers the remaining
        requests with 503, and waits 15 seconds; then SIGKILL. Returns as soon as all processes have ended.
        The parameter `what` names the event that is waited for, for the user. Raises Failed if processes are
        left even after SIGKILL."""
        if self._is_over(signal.SIGTERM, patience_s, f"waiting for {what}, {patience_s:g} s at most"):
            return
        self._step.note(f"after {patience_s:g} s: ending now; the requests that are left are answered 503")
        if self._is_over(signal.SIGQUIT, MARGIN_S, "ending"):
            return
        killed = [self.processes[each] for each in self._left()]
        shown = [f"| {line[:300]}" for line in last_lines(self._log, 5)]
        head = f"still there after {MARGIN_S:g} s, ended by SIGKILL:"
        for line in (head, *killed, f"last lines of {self._log}:", *shown):
            self._step.note(line)
        if not self._is_over(signal.SIGKILL, _KILL_WAIT_S, "waiting for killed processes to leave"):
            raise Failed(f"Not even SIGKILL ended: {' '.join(str(each.pid) for each in self._left())}")

    def _is_over(self, number: signal.Signals, limit_s: float, what: str) -> bool:
        """Sends the signal to the servers and waits until all processes are gone. Returns False if some are
        left after `limit_s` seconds. Only SIGKILL is sent to the servers' child processes too, since these
        end with their server unless they hang."""
        self._step.doing(what)
        for process in self._left():
            if number == signal.SIGKILL or process.pid in self._pids:
                _send(process.pid, number)
        deadline = time.monotonic() + limit_s
        while self._left():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def _left(self) -> list[Process]:
        for pid in self._pids:
            self.processes.update((each, each.shown) for each in family(pid) if each not in self.processes)
        return [each for each in self.processes if each.is_alive]


def last_lines(log: Path, n: int) -> list[str]:
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 1000 * n))
            return file.read().decode(errors="replace").splitlines()[-n:]
    except OSError:
        return []


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
    except PermissionError:
        raise Failed(f"PID {pid} belongs to user {Path(f'/proc/{pid}').owner()}: not stopped.") from None

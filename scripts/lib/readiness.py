"""Waits until a server that was started can speak in all its workers, and runs as it was set."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from service_client import Client

from glm_tts_api.settings import Settings

READY_LIMIT_S = 1800  # the official checkpoint from a slow disk
WORKERS_LIMIT_S = 600
JOIN_LIMIT_S = 30
SIGN_OF_LIFE_S = 60  # where there is no terminal whose line can be written over
CAUSE = "The model could not be loaded: "  # as it is logged
CAUSE_LINES = 10
_OVER = "\r\x1b[K"


class Failed(Exception):
    """What does not hold, said to whoever started the server."""


def is_running(pid: int) -> bool:
    """False if the process is gone or a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def say(line: str, stream: TextIO = sys.stdout, end: str = "\n") -> None:
    """Tells the user, on a terminal over a line without an end; one whose terminal is gone is no reason to
    stop."""
    try:
        print(_OVER if stream.isatty() else "", line, sep="", end=end, file=stream, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class Wait:
    """A wait of at most `limit_s`. Says for what, a line for each step: on a terminal one that counts the
    seconds, elsewhere when the step begins."""

    def __init__(self, log: Path, limit_s: float) -> None:
        self._log = log
        self._limit_s = limit_s
        self._begin = self._said = time.monotonic()
        self._step = ""

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begin

    def go_on(self, what: str) -> None:
        """Waits a moment. Raises Failed when the time is over."""
        if self.seconds >= self._limit_s:
            raise Failed(f"After {self._limit_s:g} s still: {what}. {self._last_line()}")
        line = f"  {what}: {self.seconds:.0f} s of at most {self._limit_s:g}"
        if sys.stdout.isatty():
            say(line, end="")
        elif what != self._step:
            self._say(f"  {what} (at most {self._limit_s:g} s)")
        elif time.monotonic() - self._said >= SIGN_OF_LIFE_S:
            self._say(line)
        self._step = what
        time.sleep(0.4)

    def _say(self, line: str) -> None:
        say(line)
        self._said = time.monotonic()

    def _last_line(self) -> str:
        try:
            lines = self._log.read_bytes()[-4000:].decode(errors="replace").split("\n")
        except OSError:
            return ""
        last = next((line for line in reversed(lines) if line.strip()), "nothing yet")
        return f"The log's last line: {last[-160:]}"


def wait_until_ready(client: Client, settings: Settings, pid: int) -> dict[str, Any]:
    """Returns the first healthy /health. Raises Failed if the server ends, cannot load, or takes too long."""
    wait = Wait(settings.path(settings.log_file), READY_LIMIT_S)
    loading = f"loading the model {settings.checkpoint_dir.name} ({_size(settings.checkpoint_dir)})"
    while True:
        answer = client.get("/api/v1/health")
        health = answer.json()
        if answer.status == 200:
            say(f"  ready after {wait.seconds:.0f} s: {model_line(health)}")
            return health
        if health.get("status") == "unhealthy":
            raise Failed(f"{CAUSE}{health.get('cause')}")
        if not is_running(pid):
            raise Failed("The server ended while it started.")
        if not health:
            wait.go_on("starting the server's process")
        elif health.get("model") is None:
            wait.go_on(loading)
        else:
            wait.go_on("the model is loaded; trying it and measuring its speed")


def _size(folder: Path) -> str:
    """The size of all its files."""
    n_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"


def wait_for_workers(client: Client, settings: Settings, log: Path, pid: int) -> dict[str, Any]:
    """Returns the first /stats/concurrency in which every worker can speak. Raises Failed if one never will,
    the server ends, or it takes too long."""
    wait = Wait(log, WORKERS_LIMIT_S)
    n_ready = 0
    while True:
        stats = client.get("/api/v1/stats/concurrency")
        if stats.status == 200:
            workers = stats.json()["per_worker"]
            n_ready = sum(worker["ready"] for worker in workers)
            if any(worker["status"] == "failed" for worker in workers):
                raise Failed(f"{n_ready} of WORKERS={settings.workers} can speak. {cause_in(log)}")
            if n_ready == len(workers) == settings.workers:
                say(f"  workers: {n_ready} of {settings.workers}")
                return stats.json()
        elif stats.status in (401, 403):
            raise Failed(f"The server does not take the key that is set: {stats.why}")
        elif not is_running(pid):
            raise Failed("The server ended while its workers started.")
        wait.go_on(f"workers that can speak: {n_ready} of {settings.workers}")


def hand_over(settings: Settings, pid: int, predecessor: int) -> None:
    """Puts the server `pid` in charge and waits until it answers at the port. Raises Failed, with the
    predecessor in charge again, if it does not."""
    folder = settings.run_folder
    before, after = folder.records()
    client = Client(settings)
    wait = Wait(settings.path(settings.log_file), JOIN_LIMIT_S)
    folder.put_in_charge(pid, after)
    try:
        while client.get("/api/v1/stats/concurrency").json().get("worker", {}).get("pid") != pid:
            if not is_running(pid):
                raise Failed("The server ended when it was to take the port.")
            wait.go_on("it begins to take connections")
    except Failed:
        folder.put_in_charge(predecessor, before)
        raise


def cause_in(log: Path) -> str:
    """Why a worker could not load, which only that worker knows: what the log says last of it, at most its
    first lines."""
    try:
        before, _, said = log.read_text(errors="replace").rpartition(CAUSE)
    except OSError:
        before = said = ""
    if before.rpartition("\n")[2].startswith("{"):  # LOG_FORMAT=json
        said, _ = json.JSONDecoder().raw_decode(f'"{said}')
    lines = said.partition("\nTraceback")[0].splitlines()[:CAUSE_LINES]
    return CAUSE + "\n".join(lines)


def check_config(stats: dict[str, Any], settings: Settings) -> None:
    """Raises Failed if the server does not run with what was set."""
    config = stats["config"]
    wanted = {
        "SHORT_TEXT_CONCURRENCY": (config["concurrency"]["short_text"], settings.short_text_concurrency),
        "LONG_TEXT_CONCURRENCY": (config["concurrency"]["long_text"], settings.long_text_concurrency),
        "TEXT_LENGTH_THRESHOLD": (config["concurrency"]["threshold"], settings.text_length_threshold),
        "SHORT_TEXT_TIMEOUT": (config["timeout"]["short_text"], settings.short_text_timeout),
        "MEDIUM_TEXT_TIMEOUT": (config["timeout"]["medium_text"], settings.medium_text_timeout),
        "LONG_TEXT_TIMEOUT": (config["timeout"]["long_text"], settings.long_text_timeout),
        "WORKERS": (config["workers"], settings.workers),
    }
    wrong = [f"{name}: set {want:g}, runs {runs:g}" for name, (runs, want) in wanted.items() if runs != want]
    if wrong:
        raise Failed(f"The server does not run as set: {'; '.join(wrong)}")
    say("  settings: " + ", ".join(f"{name}={runs:g}" for name, (runs, _) in wanted.items()))


def model_line(health: dict[str, Any]) -> str:
    return f"{health.get('model')} on {health.get('device')}, {health.get('dtype')}"

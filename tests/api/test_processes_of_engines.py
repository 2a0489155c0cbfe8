"""The server with engines in processes of their own: signals end them too, and nothing is left behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.api.server_process import Server
from tests.api.waiting import wait_until


def engine_processes(server: Server) -> list[Path]:
    return [Path(f"/proc/{worker['pid']}") for worker in server.stats()["per_worker"]]


@pytest.mark.long
def test_a_signal_to_the_whole_group_drains_too_and_leaves_no_engine_behind(
    with_engines: Callable[..., Server],
) -> None:
    """As Ctrl-C; the signals of a service manager and of a terminal that goes are the server's alone too."""
    server = with_engines(workers=2)
    engines = engine_processes(server)
    accepted = server.say_together(4, "abcdefgh/abcdefgh")
    wait_until(lambda: server.lane()["total"] == 4)
    for engine in engines:
        os.kill(int(engine.name), signal.SIGTERM)
        os.kill(int(engine.name), signal.SIGHUP)
    os.killpg(server.process.pid, signal.SIGINT)
    assert [future.result().status_code for future in accepted] == [200] * 4
    server.process.wait(30)
    wait_until(lambda: not any(engine.exists() for engine in engines))
    assert "Traceback" not in server.log.read_text()


def test_a_server_that_is_killed_leaves_no_engine_behind(with_engines: Callable[..., Server]) -> None:
    """Also one that computes, and one that is stopped."""
    server = with_engines(workers=2)
    engines = engine_processes(server)
    server.say_together(2, "/".join(["abcdefgh"] * 20))
    wait_until(lambda: server.lane()["active"] == 2)
    os.kill(int(engines[1].name), signal.SIGSTOP)
    server.process.kill()
    server.process.wait(20)
    wait_until(lambda: not any(engine.exists() for engine in engines))


@pytest.mark.long
def test_nohup_outlives_its_terminal(with_engines: Callable[..., Server]) -> None:
    server = with_engines(prefix=("nohup",))
    accepted = server.say_together(2, "abcdefgh")
    wait_until(lambda: server.lane()["total"] == 2)
    os.killpg(server.process.pid, signal.SIGHUP)
    assert [future.result().status_code for future in accepted] == [200, 200]
    assert server.say().status_code == 200
    assert server.scrape()("engine_restarts_total") == 0

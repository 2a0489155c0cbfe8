"""A server that may open no file for a while: it says so, and speaks on once it may."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable

import psutil

from tests.api.server_process import Server


def test_a_server_without_file_handles_says_so_and_speaks_on_with_more(start: Callable[..., Server]) -> None:
    server = start()
    asked = {"input_text": "hello", "index": "exampleB"}
    assert server.client.get("/api/v1/health").status_code == 200
    pid = server.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(os.listdir(f"/proc/{pid}/fd")), before[1]))
    refused = server.client.post("/api/v1/tts", data=asked)
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    assert "ulimit -n" in refused.json()["message"]
    began_s, waiting = sum(psutil.Process(pid).cpu_times()[:2]), server.say_together(3)
    time.sleep(2)
    assert not any(each.done() for each in waiting)
    assert sum(psutil.Process(pid).cpu_times()[:2]) - began_s < 1, "it does not spin"
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    assert {each.result(60).status_code for each in waiting} == {200}
    assert server.client.post("/api/v1/tts", data=asked).status_code == 200

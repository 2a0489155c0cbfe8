"""A little of scripts/checks/torture.sh soak: every dialect is answered, the log has each request once, and
what a server holds does not grow with what it was sent."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

from glm_tts_api.processes import family
from scripts.checks.torture.asking import Ledger
from scripts.checks.torture.inside import hook, told
from scripts.checks.torture.judging import disagreements, told_by_the_log
from scripts.checks.torture.soaking import ask_all
from scripts.checks.torture.speaking import SPEAKING
from tests.api.server_process import REPOSITORY, Server
from tests.api.waiting import wait_until

N_CLIENTS = 2


def test_ever_new_texts_voices_and_lengths_leave_nothing_behind(
    process: Callable[..., Server], tmp_path: Path
) -> None:
    """Measured after clear_cache, so that only what nobody bounds or lets go of is left. With a plan kept for
    each length, each request added two megabytes; without, all twenty add 13 to 19."""
    inside = tmp_path / "inside"
    environ = hook(inside, REPOSITORY, every_s=0.5)
    server = process("glm_tts_api.api_server:app", flow_steps=1, log_format="json", environ=environ)
    server.wait_until_all_speak(120)
    ledger, draw = Ledger(), random.Random(1)
    used_mb = []
    for round_, asks in enumerate((SPEAKING, draw.sample(SPEAKING, len(SPEAKING)))):
        clients = [
            threading.Thread(
                target=ask_all, args=(server, N_CLIENTS * round_ + number, ledger, asks[number::N_CLIENTS])
            )
            for number in range(N_CLIENTS)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        server.client.post("/api/v1/clear_cache").raise_for_status()
        used_mb.append(in_use_mb(inside, server))
    assert ledger.faults == []
    assert len(ledger.expected) == 40
    assert disagreements(ledger.expected, told_by_the_log(server.log)) == []
    assert used_mb[1] - used_mb[0] < 30


def in_use_mb(inside: Path, server: Server) -> float:
    """The memory that the server and its engine have allocated and not freed, by a look that begins now."""
    begin = time.time()
    pids = [each.pid for each in family(server.process.pid)]
    wait_until(lambda: all(told(inside, pid)[-1]["at"] > begin for pid in pids), 30)
    looks = [told(inside, pid)[-1] for pid in pids]
    return sum(float(look["used_mb"] + look["mapped_mb"]) for look in looks)

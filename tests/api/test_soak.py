"""A little of scripts/checks/torture.sh soak: every dialect is answered, the log has each request once, and
what a server holds does not grow with what it was sent."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

from scripts.benchmarks.machine import memory_mb
from scripts.checks.torture.asking import Ledger
from scripts.checks.torture.judging import disagreements, told_by_the_log
from scripts.checks.torture.soaking import ask_all
from scripts.checks.torture.speaking import SPEAKING
from tests.api.server_process import Server

N_CLIENTS = 2


def test_ever_new_texts_voices_and_lengths_leave_nothing_behind(process: Callable[..., Server]) -> None:
    """Measured after clear_cache, so that only what nobody bounds or lets go of is left: 150 requests add
    some 25 MB at most; with a plan kept for each length each added two."""
    server = process("glm_tts_api.api_server:app", flow_steps=1, log_format="json")
    server.wait_until_all_speak(120)
    ledger, draw = Ledger(), random.Random(1)
    held_mb = []
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
        held_mb.append(memory_mb(server.process.pid, "VmRSS"))
    assert ledger.faults == []
    assert len(ledger.expected) == 40
    assert disagreements(ledger.expected, told_by_the_log(server.log)) == []
    assert held_mb[1] - held_mb[0] < 35

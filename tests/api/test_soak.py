"""A little of scripts/benchmarks/soak.py: what a server holds does not grow with what it was sent."""

from __future__ import annotations

import threading
from functools import partial

from scripts.benchmarks.machine import memory_mb
from scripts.benchmarks.soak import Tally, speak
from tests.api.server_process import Server
from tests.api.waiting import wait_until

LONGEST = 24  # characters
N_CLIENTS = 2


def has_ended(tally: Tally, n: int) -> bool:
    return tally.n_done + len(tally.failures) >= n


def test_ever_new_texts_voices_and_lengths_leave_nothing_behind(speaking_server: Server) -> None:
    """Measured after clear_cache, so that only what nobody bounds or lets go of is left: 150 requests add
    some 25 MB at most, with a plan kept for each length they were 130 MB after 60."""
    server = speaking_server
    tally = Tally()
    held_mb = []
    for n_more in (20, 40):
        n_wanted = tally.n_done + n_more
        stop = threading.Event()
        clients = [
            threading.Thread(
                target=speak, args=(str(server.client.base_url), n_wanted + client, tally, stop, LONGEST)
            )
            for client in range(N_CLIENTS)
        ]
        for client in clients:
            client.start()
        wait_until(partial(has_ended, tally, n_wanted), 300)
        stop.set()
        for client in clients:
            client.join()
        server.client.post("/api/v1/clear_cache").raise_for_status()
        held_mb.append(memory_mb(server.process.pid, "VmRSS"))
    assert tally.failures == []
    assert held_mb[1] - held_mb[0] < 70

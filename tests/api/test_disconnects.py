"""Some of bench/disconnects.py: clients that leave at any moment take nothing with them."""

from __future__ import annotations

import pytest

from bench.disconnects import leave_many, open_files, what_is_left
from tests.api.server_process import Server

N_CLIENTS = 6


@pytest.mark.parametrize(
    "speaking_server",
    [1, pytest.param(2, marks=pytest.mark.long)],
    indirect=True,
    ids=["a worker", "two workers"],
)
def test_who_leaves_at_any_moment_leaves_nothing_behind(speaking_server: Server) -> None:
    url = str(speaking_server.client.base_url)
    leave_many(url, count=N_CLIENTS, n_clients=N_CLIENTS, seed=-N_CLIENTS)  # opens what stays open
    assert what_is_left(url, {}) == []
    before = open_files(url)
    leave_many(url, count=40, n_clients=N_CLIENTS, seed=0)
    assert what_is_left(url, before) == []

"""Who has the port that a server wants."""

from __future__ import annotations

import os
import socket

from glm_tts_api.service.port import holders_of


def test_the_holder_of_a_port_is_found_although_its_open_files_change_meanwhile() -> None:
    """Those of this process do: looking at them opens one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert [each.pid for each in holders_of(listener.getsockname()[1])] == [os.getpid()]

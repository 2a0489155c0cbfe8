"""The bundled model says the same by `glm-tts say` as by a server, at the same seed."""

from __future__ import annotations

import os
from pathlib import Path

from tests.api.project_folder import project
from tests.api.server_process import Server
from tests.settings.asking import run


def test_a_server_of_the_command_says_what_any_server_says(speaking_server: Server, tmp_path: Path) -> None:
    root = project(tmp_path / "project", flow_steps=1)
    done = run(root, "say", "你好，世界。", "-o", "a.wav", "--seed", "7", HOME=os.environ.get("HOME", "/"))
    assert done.returncode == 0, done.stderr
    fields = {"input_text": "你好，世界。", "index": "exampleA", "seed": "7", "response_format": "wav"}
    answer = speaking_server.client.post("/api/v1/tts", data=fields, timeout=120)
    assert (root / "a.wav").read_bytes() == answer.content

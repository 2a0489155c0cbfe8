"""Starts Open WebUI's server, and lets it read a message aloud by this server.

The requests are those that the page of Open WebUI sends.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from heard import FILE, TEXT, URL


def ask(address: str, body: dict[str, str] | None = None, token: str = "") -> bytes:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    said = json.dumps(body).encode() if body is not None else None
    with urlopen(Request(address, said, headers), timeout=120) as answer:
        return bytes(answer.read())


def is_there(address: str) -> bool:
    try:
        return bool(ask(f"{address}/health"))
    except (URLError, ConnectionError):
        return False


slim = Path(sysconfig.get_path("purelib"), "requirements-slim.txt")
subprocess.run([sys.executable, "-m", "pip", "install", "-q", "-r", slim], check=True)
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
settings = {
    "AUDIO_TTS_ENGINE": "openai",
    "AUDIO_TTS_OPENAI_API_BASE_URL": f"{URL}/v1",
    "AUDIO_TTS_OPENAI_API_KEY": "any",
    "AUDIO_TTS_MODEL": "glm-tts",
    "AUDIO_TTS_VOICE": "exampleA",
    **{"USE_SLIM_DOCKER": "true", "OFFLINE_MODE": "true", "WEBUI_AUTH": "false", "WEBUI_SECRET_KEY": "any"},
}
with tempfile.TemporaryDirectory() as data:
    program = Path(sys.executable).with_name("open-webui")
    server = subprocess.Popen(
        [program, "serve", "--host", "127.0.0.1", "--port", str(port)],
        env={**os.environ, **settings, "DATA_DIR": data},
        cwd=data,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        while not is_there(address):
            assert server.poll() is None, "Open WebUI does not start."
            time.sleep(1)
        nobody = {"email": "", "password": ""}
        token = json.loads(ask(f"{address}/api/v1/auths/signin", nobody))["token"]
        voices = json.loads(ask(f"{address}/api/v1/audio/voices", token=token))["voices"]
        assert "exampleA" in {voice["id"] for voice in voices}, voices
        body = {"model": "glm-tts", "voice": "exampleA", "input": TEXT}
        Path(FILE).write_bytes(ask(f"{address}/api/v1/audio/speech", body, token))
    finally:
        server.terminate()
        server.wait()

"""The studio as a person has it: real Chromium and Firefox, the real server with the bundled model.

What the person does and sees stands in browser/*.js. Here are the servers, and what is left to Python:
whether each file that was saved can be played, and whether what was copied runs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from speech_text import TextFrontend
from tests.api.project_folder import project
from tests.api.running import running_app
from tests.api.server_process import Server
from tests.api.tone_engine import ToneEngine
from tests.api.waiting import wait_until
from tests.recordings import seconds_of
from tests.studio.browsers import in_browser, missing

REPOSITORY = Path(__file__).parents[2]
PROMPT = REPOSITORY / "glm_tts_api/assets/mini/prompts/exampleB.wav"
KEY = "k3y"
BROWSERS = ("chrome", pytest.param("firefox", marks=pytest.mark.long))

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


@pytest.fixture(scope="module")
def speaking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that speaks with the bundled model."""
    root = tmp_path_factory.mktemp("studio") / "project"
    server = Server(root, "glm_tts_api.api_server:app", flow_steps=1)
    try:
        wait_until(lambda: server.client.get("/api/v1/health").json()["status"] == "healthy", 120)
        yield server
    finally:
        server.end()


@pytest.fixture
def studio(speaking: Server) -> str:
    """Its address. It has the shipped voices alone, whatever a test before left there."""
    for prompt in speaking.client.get("/api/v1/prompts").json()["prompts"]:
        if prompt["source"] == "own":
            speaking.client.delete(f"/api/v1/prompts/{prompt['index']}").raise_for_status()
    return f"http://127.0.0.1:{speaking.port}"


@pytest.fixture(scope="module")
def frontend(tmp_path_factory: pytest.TempPathFactory) -> TextFrontend:
    return TextFrontend(cache_dir=tmp_path_factory.mktemp("cache"))


@contextmanager
def toning(root: Path, engine: ToneEngine, **settings: Any) -> Iterator[str]:
    """The address of one that says everything as a tone."""
    with running_app(project(root / "project", **settings), lambda *_: engine) as server:
        yield server.url


@pytest.fixture
def microphone(tmp_path: Path) -> str:
    """A recording of a shipped voice, as Chromium's microphone takes it."""
    samples, rate = soundfile.read(PROMPT)
    path = tmp_path / "microphone.wav"
    soundfile.write(path, samples, rate, subtype="PCM_16")
    return str(path)


@pytest.mark.parametrize("browser", BROWSERS)
def test_speaking(browser: str, studio: str, tmp_path: Path) -> None:
    in_browser("speaking.js", browser, studio, tmp_path)


@pytest.mark.parametrize("browser", BROWSERS)
def test_a_voice_of_ones_own(browser: str, studio: str, microphone: str, tmp_path: Path) -> None:
    in_browser("voices.js", browser, studio, tmp_path, MICROPHONE=microphone)


def test_takes(studio: str, tmp_path: Path) -> None:
    in_browser("takes.js", "chrome", studio, tmp_path)
    (wav,) = tmp_path.glob("*.wav")
    seconds = soundfile.info(wav).duration
    assert seconds > 0.5
    (flac,) = tmp_path.glob("*.flac")
    assert np.array_equal(soundfile.read(flac)[0], soundfile.read(wav)[0])
    for extension in ("mp3", "opus", "aac"):
        (saved,) = tmp_path.glob(f"*.{extension}")
        assert seconds_of(saved.read_bytes()) == pytest.approx(seconds, abs=0.2)
    (pcm,) = tmp_path.glob("*.pcm")
    assert pcm.read_bytes() == wav.read_bytes()[44:]
    (srt,) = tmp_path.glob("*.srt")
    assert "今天天气很好。" in srt.read_text()
    copied = {"bash": "curl.sh", sys.executable: "package.py", "node": "fetch.mjs"}
    for program, script in copied.items():
        folder = tmp_path / script.partition(".")[0]
        folder.mkdir()
        environ = {"PATH": os.environ["PATH"], "NO_PROXY": "*"}
        subprocess.run([program, tmp_path / script], cwd=folder, env=environ, check=True, timeout=120)
        (made,) = folder.iterdir()
        assert seconds_of(made.read_bytes()) == pytest.approx(seconds, abs=0.2)


def test_trouble(frontend: TextFrontend, tmp_path: Path) -> None:
    """Of a server with a key, one place and no line. Its speech goes on when the person has seen that."""
    engine = ToneEngine(delay_s=600, seconds=2, frontend=frontend)
    engine.is_released = (tmp_path / "go-on").exists
    settings = {"api_keys": KEY, "short_text_concurrency": 1, "queue_max_size": 0, "short_text_timeout": 600}
    with toning(tmp_path, engine, **settings) as url:
        in_browser("trouble.js", "chrome", url, tmp_path, KEY=KEY)


def test_books(tmp_path: Path) -> None:
    engine = ToneEngine(delay_s=600, n_quick=6, seconds=1)
    engine.is_released = (tmp_path / "go-on").exists  # once the person has paused the book
    with toning(tmp_path, engine, api_keys=KEY) as url:
        in_browser("books.js", "chrome", url, tmp_path, KEY=KEY, LANG="C.UTF-8")  # names of files
    transcripts = {asked.text: asked.voice.transcript for asked in engine.requests}
    assert transcripts["春天来了。"] == transcripts["我们走吧。"] == "text of exampleB"
    assert transcripts["江南的春天来得很早。"] == "text of exampleB"  # chosen in the question before the book
    (m4b,) = tmp_path.glob("*.m4b")
    (mp3,) = tmp_path.glob("*.mp3")
    with av.open(m4b) as book:
        assert [chapter["metadata"]["title"] for chapter in book.chapters()] == ["第一章 春江", "第二章 花月"]
    assert seconds_of(mp3.read_bytes()) == pytest.approx(seconds_of(m4b.read_bytes()), abs=0.2)
    (srt,) = tmp_path.glob("*.srt")
    assert "海上明月共潮生" in srt.read_text()
    (mulaw,) = tmp_path.glob("*.mulaw")
    assert len(mulaw.read_bytes()) == 9600  # 1.2 s


def test_for_everybody(studio: str, tmp_path: Path) -> None:
    in_browser("access.js", "chrome", studio, tmp_path)


@pytest.mark.long
def test_twenty_minutes(frontend: TextFrontend, tmp_path: Path) -> None:
    """Of a tone, made faster than it is heard; scripts/checks/test_studio.sh does it with speech."""
    engine = ToneEngine(seconds=5, n_segments=240, segment_s=0.01, frontend=frontend)
    with toning(tmp_path, engine) as url:
        in_browser("long_text.js", "chrome", url, tmp_path, TEXT="hello")


@pytest.mark.long
def test_an_address_that_speaks(tmp_path: Path) -> None:
    """In the browser's own player, whose seek bar works; each of two addresses is spoken once."""
    engine = ToneEngine(seconds=5, n_segments=4, segment_s=0.1)
    with toning(tmp_path, engine) as url:
        in_browser("address.js", "chrome", url, tmp_path)
    assert engine.n_spoken == 2

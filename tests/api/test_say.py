"""`glm-tts say`: the same audio as the server's, in a file, on standard output or by a player."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import httpx
import pytest
import soundfile

from glm_tts_api.engine.state import EngineState
from tests.api.running import Running
from tests.api.waiting import wait_until
from tests.recordings import voice_wav
from tests.settings.asking import Done, run

PLAYER = """#!/bin/bash
/bin/cat > "$HOME/heard.wav"
echo "$0 $*" > "$HOME/played"
"""


@pytest.fixture
def player(tmp_path: Path) -> Path:
    """The folder of a program called aplay, which writes down what it hears."""
    program = tmp_path / "bin" / "aplay"
    program.parent.mkdir()
    program.write_text(PLAYER)
    program.chmod(0o755)
    return program.parent


def say(root: Path, server: Running, *arguments: str, **environment: str) -> Done:
    return run(root, "say", *arguments, GLM_TTS_URL=server.url, **environment)


def test_the_file_is_what_the_server_answers(server: Running, tmp_path: Path) -> None:
    for kind in ("wav", "flac", "mp3", "opus", "ogg", "aac", "pcm"):
        done = say(tmp_path, server, "你好。", "-o", f"a.{kind}", "--seed", "7", "--speed", "1.5")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        audio_format = {"ogg": "opus"}.get(kind, kind)
        asked = server.say("你好。", seed="7", speed="1.5", response_format=audio_format)
        assert (tmp_path / f"a.{kind}").read_bytes() == asked.content


def test_a_voice_and_a_recording_speak(server: Running, tmp_path: Path) -> None:
    assert say(tmp_path, server, "hello", "-o", "a.wav", "--voice", "exampleB").returncode == 0
    (tmp_path / "me.wav").write_bytes(voice_wav(2.0))
    recording = ("--prompt", "me.wav", "--prompt-text", "what I say")
    assert say(tmp_path, server, "hello", "-o", "b.wav", *recording).returncode == 0
    named, sent = server.engine.requests
    assert (named.voice.transcript, sent.voice.transcript) == ("text of exampleB", "what I say")


def test_a_text_file_and_standard_input(
    server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one.txt").write_text("\ufeff从文件来。\n")
    assert say(tmp_path, server, "one.txt", "-o", "a.wav").returncode == 0
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("从管道来。".encode())))
    assert say(tmp_path, server, "-", "-o", "a.wav").returncode == 0
    assert [asked.text.strip() for asked in server.engine.requests] == ["从文件来。", "从管道来。"]


def test_without_a_file_it_is_played_and_a_file_can_be_too(
    server: Running, tmp_path: Path, player: Path
) -> None:
    found = {"PATH": str(player), "HOME": str(tmp_path)}
    assert say(tmp_path, server, "hello", **found).returncode == 0
    assert (tmp_path / "played").read_text().endswith("aplay -q -\n")
    samples, rate = soundfile.read(tmp_path / "heard.wav")
    assert len(samples) == rate * server.engine.seconds
    assert server.engine.requests[-1].streams
    assert say(tmp_path, server, "hello", "-o", "a.wav", "--play", **found).returncode == 0
    assert (tmp_path / "heard.wav").read_bytes() == (tmp_path / "a.wav").read_bytes()
    done = say(tmp_path, server, "hello", "-o", "a.mp3", "--play", **found)
    assert (done.returncode, len(server.engine.requests)) == (1, 2)  # aplay knows no MP3
    assert done.stderr.startswith("No player for mp3 is here (ffplay, mpv, afplay): ")


def test_a_machine_without_a_loudspeaker_is_no_success(server: Running, tmp_path: Path, player: Path) -> None:
    """ffplay ends with 0 there."""
    ffplay = player / "ffplay"
    ffplay.write_text("#!/bin/bash\n/bin/cat > /dev/null\necho 'audio open failed' >&2\necho 'Failed' >&2\n")
    ffplay.chmod(0o755)
    done = say(tmp_path, server, "hello", PATH=str(player), HOME=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == "ffplay cannot play it: audio open failed (-o FILE writes a file)\n"


def test_subtitles_beside_the_same_file(server: Running, tmp_path: Path) -> None:
    for kind in ("wav", "mp3"):
        done = say(tmp_path, server, "你好，World。", "-o", f"a.{kind}", "--srt", "a.srt")
        assert (done.returncode, done.stderr) == (0, "")
        asked = server.say("你好，World。", response_format=kind)
        assert (tmp_path / f"a.{kind}").read_bytes() == asked.content
    assert (tmp_path / "a.srt").read_text() == "1\n00:00:00,000 --> 00:00:01,000\n你好，World。\n\n"


def test_a_process_of_its_own_writes_to_a_pipe_and_loads_no_torch(server: Running, tmp_path: Path) -> None:
    program = (
        "import sys; from glm_tts_api.cli import main\n"
        "code = main(sys.argv[1:]); assert 'torch' not in sys.modules; sys.exit(code)"
    )
    command = [sys.executable, "-c", program, "say", "hello", "-o", "-", "--url", server.url]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == server.say(response_format="wav").content
    assert list(tmp_path.glob("*.wav")) == []


WRONG = [
    (("hello", "-o", "a.xyz"), 2, "-o a.xyz: the name must end in one of .aac, .alaw, .flac, "),
    (("hello", "-o", "no/a.wav"), 2, "-o no/a.wav: there is no folder 'no'."),
    (("missing.txt", "-o", "a.wav"), 2, "There is no file 'missing.txt'."),
    (("missing.md", "-o", "a.wav"), 2, "There is no file 'missing.md'."),
    (("hello", "-o", "a.wav", "--seed", "x"), 2, "glm-tts say: argument --seed: invalid int value: 'x' (glm"),
    (("hello", "--shout"), 2, "glm-tts: unrecognized arguments: --shout (glm-tts --help)"),
    (("  ", "-o", "a.wav"), 2, "There is no text. Give it: glm-tts say "),
    (("hello", "-o", "a.wav", "--prompt", "me.wav"), 2, "--prompt needs --prompt-text: "),
    (("hello", "-o", "a.wav", "--prompt-text", "me"), 2, "--prompt-text needs --prompt, "),
    (("hello", "-o", "a.wav", "--prompt", "no.wav", "--prompt-text", "x"), 2, "'no.wav' cannot be read "),
    (("hello", "-o", "a.wav", "--voice", "nobody"), 1, "There is no voice 'nobody'"),
    (("。。", "-o", "a.wav"), 1, "input_text has nothing in it that can be spoken"),
    (("hello", "-o", "a.wav", "--url", "127.0.0.1:9"), 1, "No server answers at http://127.0.0.1:9 ("),
    (("hello", "-o", "a.wav", "--url", "http://a:b"), 1, "'http://a:b' is no address of a server: "),
    (("hello", "-o", "a.wav", "--url", "ftp://a"), 1, "'ftp://a' is no address of a server: "),
]


def test_what_goes_wrong_is_said_in_a_line(server: Running, tmp_path: Path) -> None:
    for arguments, code, said in WRONG:
        done = say(tmp_path, server, *arguments)
        assert (done.returncode, done.stdout) == (code, ""), arguments
        assert done.stderr.startswith(said)
        assert done.stderr.count("\n") == 1
        assert not (tmp_path / "a.wav").exists()


def test_the_key_of_a_server_and_a_text_that_is_a_book(serve: Callable[..., Running], tmp_path: Path) -> None:
    server = serve(api_keys="s3crét", max_text_length=10)
    done = say(tmp_path, server, "hello", "-o", "a.wav")
    assert (done.returncode, done.stderr.count("GLM_TTS_API_KEY")) == (1, 1)
    assert say(tmp_path, server, "hello", "-o", "a.wav", "--key", "s3crét").returncode == 0
    assert say(tmp_path, server, "hello", "-o", "a.wav", GLM_TTS_API_KEY="s3crét").returncode == 0
    done = say(tmp_path, server, "hello " * 3, "-o", "a.wav", "--key", "s3crét")
    assert (done.returncode, "glm-tts book FILE.txt -o FOLDER" in done.stderr) == (1, True)


def test_a_server_that_loads_is_asked_again(server: Running, tmp_path: Path) -> None:
    server.engine.enter(EngineState("loading"))
    wait_until(lambda: httpx.get(f"{server.url}/api/v1/health", timeout=60).status_code == 503)
    asked_at: list[float] = []

    def sleep(seconds: float) -> None:
        asked_at.append(seconds)
        server.engine.enter(EngineState("ready"))
        wait_until(lambda: httpx.get(f"{server.url}/api/v1/health", timeout=60).status_code == 200)

    with mock.patch("glm_tts_api.commandline.api.sleep", sleep):
        done = say(tmp_path, server, "hello", "-o", "a.wav")
    assert (done.returncode, asked_at) == (0, [5.0])
    assert done.stderr.endswith(" Trying again.\n")

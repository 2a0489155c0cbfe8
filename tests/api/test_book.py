"""`glm-tts book`: a book as files of audio; what was spoken is never spoken again."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from glm_tts_api.errors import BadRequest
from glm_tts_api.longform.folder import JobFolder
from tests.api.project_folder import project
from tests.api.running import Running
from tests.api.server_process import REPOSITORY
from tests.api.tone_engine import ToneEngine
from tests.api.waiting import wait_until
from tests.recordings import seconds_of, voice_wav
from tests.settings.asking import Done, run

BOOK = """\
# 第一章 春天

江南的春天来得很早。

小王：你好，今天去哪儿？

# Chapter 2: A/B?

It was a dark night.

- One thing.
"""
CAST = {"旁白": "exampleA", "小王": "exampleB"}
FILES = {"01 第一章 春天.mp3", "01 第一章 春天.srt", "02 Chapter 2 A B.mp3", "02 Chapter 2 A B.srt"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "b.md").write_text(BOOK)
    (tmp_path / "cast.json").write_text(json.dumps(CAST))
    return tmp_path


def book(root: Path, server: Running, *arguments: str) -> Done:
    return run(root, "book", "b.md", "-o", "out", *arguments, GLM_TTS_URL=server.url)


def written(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_the_command_says_that_the_times_of_subtitles_are_not_kept(server: Running, root: Path) -> None:
    (root / "film.srt").write_text("1\n00:00:01,000 --> 00:00:03,000\n你好。\n")
    done = run(root, "book", "film.srt", "-o", "out", GLM_TTS_URL=server.url)
    assert (done.returncode, "their times are not kept" in done.stderr) == (0, True)


def test_each_chapter_is_a_file_with_subtitles(server: Running, root: Path) -> None:
    done = book(root, server, "--cast", "cast.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["out/01 第一章 春天.mp3", "out/02 Chapter 2 A B.mp3"]
    assert written(root / "out").keys() == FILES
    said = [(asked.text, asked.voice.transcript.split()[-1]) for asked in server.engine.requests]
    assert sorted(said) == sorted(
        [
            ("第一章 春天", "exampleA"),
            ("江南的春天来得很早。", "exampleA"),
            ("你好，今天去哪儿？", "exampleB"),
            ("Chapter 2: A/B?", "exampleA"),
            ("It was a dark night.", "exampleA"),
            ("One thing.", "exampleA"),
        ]
    )
    with av.open(str(root / "out" / "02 Chapter 2 A B.mp3")) as file:
        assert {"title": "Chapter 2: A/B?", "album": "b", "track": "2/2"}.items() <= file.metadata.items()
        assert "trainedAlgorithmicMedia" in file.metadata["comment"]
    subtitles = (root / "out" / "01 第一章 春天.srt").read_text()
    assert [line for line in subtitles.splitlines() if line and line[0] not in "0123456789"] == [
        "第一章 春天",
        "江南的春天来得很早。",
        "你好，今天去哪儿？",
    ]


def test_another_form_of_it_is_not_spoken_again(server: Running, root: Path) -> None:
    assert book(root, server).returncode == 0
    n_asked = len(server.engine.requests)
    done = book(root, server, "--m4b")
    assert (done.returncode, done.stdout) == (0, "out/b.m4b\n")
    with av.open(str(root / "out" / "b.m4b")) as file:
        assert [each["metadata"]["title"] for each in file.chapters()] == ["第一章 春天", "Chapter 2: A/B?"]
        assert {"title": "b", "album": "b", "genre": "Audiobook"}.items() <= file.metadata.items()
    plain = seconds_of((root / "out" / "01 第一章 春天.mp3").read_bytes())
    assert book(root, server, "--preset", "acx").returncode == 0
    with av.open(str(root / "out" / "01 第一章 春天.mp3")) as file:
        (stream,) = file.streams.audio
        assert (stream.rate, stream.bit_rate) == (44100, 192_000)
    assert seconds_of((root / "out" / "01 第一章 春天.mp3").read_bytes()) > plain
    assert len(server.engine.requests) == n_asked


def test_a_recording_speaks_a_book(server: Running, root: Path) -> None:
    (root / "me.wav").write_bytes(voice_wav(2.0))
    done = book(root, server, "--prompt", "me.wav", "--prompt-text", "mine", "--seed", "7")
    assert done.returncode == 0
    assert {asked.voice.transcript for asked in server.engine.requests} == {"mine"}


def job_of(root: Path) -> str:
    id: str = json.loads((root / "out" / ".glm-tts" / "book.json").read_text())["id"]
    return id


@pytest.mark.parametrize(("ends_with", "state"), [(signal.SIGKILL, "running"), (signal.SIGINT, "paused")])
def test_interrupted_it_goes_on_with_the_same_job(
    serve: Callable[..., Running], root: Path, ends_with: signal.Signals, state: str
) -> None:
    """Ctrl-C pauses the job on the server; after a kill the server goes on by itself."""
    engine = ToneEngine(delay_s=600, n_quick=2)
    server = serve(engine)
    command = [sys.executable, "-m", "glm_tts_api", "book", "b.md", "-o", "out", "--url", server.url]
    with server.client() as client:
        ended = subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait_until(lambda: (root / "out" / ".glm-tts" / "book.json").exists())
        path = f"/api/v1/jobs/{job_of(root)}"
        wait_until(lambda: client.get(path).json()["segments_done"] == 2)
        ended.send_signal(ends_with)
        _, said = ended.communicate()
        assert client.get(path).json()["state"] == state
        if state == "paused":
            assert (ended.returncode, said.splitlines()[-1:]) == (
                130,
                [b"Interrupted; the same command goes on from here."],
            )
    engine.release()
    done = book(root, server)
    assert done.returncode == 0
    expected = "2 of 6 segments are there: going on\\.\n"
    if state == "running":  # it may have spoken more, or all, before the command asks
        expected = f"([2-5]{expected[1:]})?"
    assert re.fullmatch(expected, done.stderr)
    goes_on = written(root / "out")
    shutil.rmtree(root / "out")
    assert book(root, server).returncode == 0
    assert written(root / "out") == goes_on


def test_a_server_of_its_own_keeps_what_was_spoken_in_the_folder(root: Path) -> None:
    project(root)
    program = "import sys; from glm_tts_api.commandline import api; api.APP = 'tests.api.tone_app:app'\n"
    program += "from glm_tts_api.cli import main; sys.exit(main(sys.argv[1:]))"
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), "TONE_DELAY_S": "0.3"}
    command = [sys.executable, "-c", program, "book", "b.md", "-o", "out"]
    killed = subprocess.Popen(command, cwd=root, env=environ, stderr=subprocess.DEVNULL)

    def spoken() -> dict[Path, int]:
        files = (root / "out" / ".glm-tts").glob("*/audio/*.flac")
        return {path: path.stat().st_mtime_ns for path in files}

    wait_until(spoken)
    killed.kill()
    killed.wait()
    before = spoken()
    done = subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, " of 6 segments are there: going on.\n" in done.stderr) == (0, True), done.stderr
    assert len(spoken()) == 6
    assert before.items() <= spoken().items()


def test_what_fails_can_be_repeated_with_another_server(
    serve: Callable[..., Running], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glm_tts_api.commandline.book._PATIENCE_S", 0.0)
    broken, whole = serve(ToneEngine(fault=BadRequest("This text is not for me."))), serve()
    done = book(root, broken)
    assert (done.returncode, done.stdout) == (1, "")
    goes_on = "What was spoken stays: the same command goes on from here.\n"
    assert done.stderr == f"This text is not for me. {goes_on}"
    done = run(root, "book", "b.md", "-o", "out", "--url", "127.0.0.1:9")
    assert (done.returncode, done.stderr.startswith("No server answers at http://127.0.0.1:9 (")) == (1, True)
    done = book(root, whole)
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    assert done.stderr.startswith("The server does not have what was spoken of this book: ")
    assert written(root / "out").keys() == FILES


def test_a_folder_holds_one_book_and_one_command_at_a_time(server: Running, root: Path) -> None:
    assert book(root, server).returncode == 0
    before = written(root / "out")
    for arguments, code, said in (
        (("--voice", "exampleB"), 2, "'out' was begun with another --voice: choose another folder"),
        (("--cast", "cast.json"), 2, "'out' was begun with another --cast: "),
        (("--prompt", "b.md"), 2, "--prompt needs --prompt-text: "),
        (("--cast", "b.md"), 1, "cast is no JSON: "),
    ):
        done = book(root, server, *arguments)
        assert (done.returncode, done.stdout, done.stderr.startswith(said)) == (code, "", True)
    with JobFolder(root / "out" / ".glm-tts").locked():
        assert book(root, server).returncode == 1
    assert written(root / "out") == before


def test_what_cannot_become_a_book_is_said_at_once(server: Running, root: Path) -> None:
    (root / "cast.json").write_text(json.dumps({**CAST, "小王": "nobody"}))
    done = book(root, server, "--cast", "cast.json")
    assert (done.returncode, done.stderr.startswith("There is no voice 'nobody'; ")) == (1, True)
    assert list((root / "out").iterdir()) == []
    (root / "out" / ".glm-tts").mkdir()
    (root / "out" / ".glm-tts" / "job.json").write_text("{}")
    done = book(root, server)
    assert (done.returncode, done.stderr.startswith("'out' was begun by an older version: ")) == (2, True)
    (root / "b.pdf").write_bytes(b"%PDF")
    done = run(root, "book", "b.pdf", "-o", "out", "--url", "127.0.0.1:9")
    assert (done.returncode, done.stderr.startswith("A .pdf is no book: ")) == (1, True)
    assert run(root, "book", "missing.md", "-o", "out", GLM_TTS_URL=server.url).returncode == 2
    assert server.engine.requests == []

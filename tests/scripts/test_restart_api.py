"""restart_api.sh, run for real. Each test begins with the server that the one before left running."""

from __future__ import annotations

import signal
import wave
from collections import Counter
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.scripts.own_project import REPOSITORY, Project, end_of, is_alive, kill, wait_until, wav_of

SENTENCE = "我们今天去公园散步，那里的花都开了。"


def n_begun(project: Project) -> int:
    """How many requests have had a place so far: a request may end before anybody has seen it speak."""
    total: int = project.stats()["stats"]["short_text"]["total"]
    return total


def test_it_ends_with_a_spoken_sentence_and_says_what_to_do_next(
    shared_project: Project, tmp_path: Path
) -> None:
    project = shared_project
    outcome = project.run(
        "restart_api.sh",
        MODEL_DIR=str(REPOSITORY / "glm_tts_api/assets/mini"),
        VERIFY_TTS="1",
        SHORT_TEXT_CONCURRENCY="4",
        LONG_TEXT_TIMEOUT="900",
        HOME=str(tmp_path),
    )
    assert outcome.code == 0, outcome.said
    assert list(tmp_path.iterdir()) == []  # neither caches nor the id of a library that reports to its maker
    with wave.open(str(project.root / "out/hello.wav")) as file:
        assert file.getnframes() > 0
    for part in (
        "out/hello.wav",
        "s of speech",
        "RTF",
        "curl -X POST",
        "demonstration model",
        "For the official GLM-TTS",
    ):
        assert part in outcome.said
    command = Path(f"/proc/{project.pid}/cmdline").read_text().replace("\0", " ")
    assert "uvicorn glm_tts_api.api_server:app" in command
    stats = project.stats()
    assert stats["config"]["concurrency"] == {"short_text": 4, "long_text": 5, "threshold": 200}
    assert stats["config"]["timeout"]["long_text"] == 900
    assert [lane["total"] for lane in stats["stats"].values()] == [0, 0]
    assert project.get("/api/v1/health").json()["prompt_cache_count"] == 6


def test_what_can_be_known_before_is_said_before_the_old_server_stops(shared_project: Project) -> None:
    project = shared_project
    pid = project.running()
    wrong = project.run("restart_api.sh", SHORT_TEXT_CONCURRENCY="abc")
    assert wrong.code == 2
    assert wrong.said.strip() == "SHORT_TEXT_CONCURRENCY='abc': must be a whole number from 1 to 1024"
    assert project.pid == pid
    assert project.get("/api/v1/health").status == 200


def test_a_restart_under_load_answers_every_accepted_request_and_cleans_up(
    shared_project: Project, tmp_path: Path
) -> None:
    """With a stand-in for nvidia-smi that lists the old server twice more after it is gone."""
    project = shared_project
    old = project.running()
    path = f"{nvidia_smi(tmp_path, old).parent}:{project.environment()['PATH']}"
    ours = project.root / "scripts/__pycache__/gone.cpython-311.pyc"
    current = project.root / "scripts/__pycache__/bench.cpython-311.pyc"  # its source is older
    (project.root / "scripts/bench.py").touch()
    temporary = project.root / f"run/server-{old}/tmp/upload"
    others = [
        project.root / name
        for name in ("data/__pycache__/x", "ckpt2/__pycache__/x", "data/prompts/a.wav", "run/tmp/not-ours")
    ]
    others.append(project.root / "tests/studio/node_modules/gyp/__pycache__/gone.cpython-311.pyc")
    for file in (ours, current, temporary, *others):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    accepted: list[int] = []
    knocks: Counter[int] = Counter()
    over = Event()

    def speak() -> None:
        reply = project.speak(SENTENCE)
        accepted.append(reply.status if reply.status != 200 or wav_of(reply).startswith(b"RIFF") else -1)

    def knock() -> None:
        while not over.wait(0.1):
            knocks[project.speak().status] += 1

    speakers = [Thread(target=speak) for _ in range(4)]
    n_before = n_begun(project)
    for speaker in speakers:
        speaker.start()
    wait_until(lambda: n_begun(project) == n_before + 4, "four requests under way")
    knocker = Thread(target=knock)
    knocker.start()
    outcome = project.run("restart_api.sh", PATH=path)
    over.set()
    for thread in (*speakers, knocker):
        thread.join()
    assert outcome.code == 0, outcome.said
    assert accepted == [200] * 4
    assert set(knocks) <= {0, 200, 503}  # 0: between the servers, nobody listens
    assert knocks[503] > 0
    assert project.pid != old
    assert not is_alive(old)
    assert "SIGKILL" not in outcome.said
    assert outcome.said.count("GPU 0: 512 MiB of 81559 MiB in use") == 2
    assert (tmp_path / "asked").read_text().count("\n") == 3
    old_log = (project.root / "api_server.log.1").read_text()
    assert f" {old} " in old_log
    assert f" {project.pid} " not in old_log
    assert not ours.exists()
    assert current.exists()
    assert not temporary.exists()
    assert all(file.exists() for file in others)
    assert (project.root / ".venv/bin/python").exists()


def nvidia_smi(folder: Path, holder: int) -> Path:
    program = folder / "nvidia-smi"
    program.write_text(
        "#!/bin/bash\n"
        f"asked={folder}/asked\n"
        "case $1 in\n"
        f'  *apps*) echo >>"$asked"; (($(wc -l <"$asked") > 2)) || printf "1\\n{holder}\\n" ;;\n'
        '  *memory*) echo "0, 512, 81559" ;;\n'
        "  *) echo 0 ;;\n"
        "esac\n"
    )
    program.chmod(0o755)
    return program


def test_a_server_that_does_not_hear_is_killed_and_named(shared_project: Project) -> None:
    project = shared_project
    pid = project.running()
    kill(pid, signal.SIGSTOP)
    outcome = project.run("scripts/stop_api.sh", DRAIN_TIMEOUT="0")
    assert outcome.code == 0
    assert "ended by SIGKILL:\n  PID " + str(pid) in outcome.said
    assert not is_alive(pid)


def test_a_server_that_dies_while_it_starts(shared_project: Project) -> None:
    project = shared_project
    restart = project.begin("restart_api.sh")
    wait_until(lambda: project.pid_file.exists() and b"uvicorn" in command(project), "the new server")
    kill(project.pid)
    outcome = end_of(restart)
    assert outcome.code == 1
    assert "The server ended while it started." in outcome.said
    assert "Last lines of" in outcome.said
    assert project.processes() == []


def command(project: Project) -> bytes:
    try:
        return Path(f"/proc/{project.pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return b""


def test_while_one_restart_works_others_are_refused_and_a_signal_undoes_it(shared_project: Project) -> None:
    project = shared_project
    restart = project.begin("restart_api.sh")
    wait_until(lambda: b"uvicorn" in command(project), "the new server")
    kill(project.pid, signal.SIGSTOP)  # so that the restart stays at work
    others = [project.begin(name) for name in ("start_api.sh", "restart_api.sh", "scripts/stop_api.sh")]
    start, second, stop = (end_of(other) for other in others)
    assert start.code == 3, start.said
    assert f"already running (PID {project.pid}" in start.said
    for outcome in (second, stop):
        assert outcome.code == 3, outcome.said
        assert f"restart (PID {restart.pid}) is at work" in outcome.said
    kill(project.pid, signal.SIGCONT)
    restart.send_signal(signal.SIGTERM)
    outcome = end_of(restart)
    assert outcome.code == 143
    assert "the server is stopped" in outcome.said
    assert project.processes() == []


@pytest.mark.long
def test_time_that_runs_out_is_named_by_its_setting(shared_project: Project) -> None:
    outcome = shared_project.run("restart_api.sh", VERIFY_TTS="1", VERIFY_TIMEOUT="0.1")
    assert outcome.code == 1
    assert "VERIFY_TIMEOUT=0.1" in outcome.said
    assert shared_project.processes() == []

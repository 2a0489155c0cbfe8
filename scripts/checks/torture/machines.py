"""Faults of the machine: no free file handles, a clock that is set back, no name server, no memory."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from glm_tts_api.durable import replace_file
from glm_tts_api.processes import family
from scripts.checks.torture.trying import Trying, trying
from scripts.checks.torture.verdict import Verdict
from scripts.checks.torture.watching import Held
from tests.api.server_process import Server
from tests.api.waiting import wait_until

RESOLVER = ("127.0.0.53", 53)
MOST_CPU_S = 1.0  # CPU time within five seconds
TOO_LITTLE = 200 * 2**20  # bytes of memory; an engine process with the bundled model needs more
_NO_LIMIT = 2**62


def no_handles(verdict: Verdict, folder: Path) -> None:
    """Lowers the server's limit of file handles, so that the server can open no file for a while.

    The server must still answer on open connections. New connections must wait, and must be answered after
    the limit is raised again.
    """
    with trying(verdict, "no file handles", folder) as tried:
        tried.add_voice("a")
        tried.put_word("a")
        tried.expect("speech", tried.speech, 200)
        pid = tried.server.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        n_open = len(os.listdir(f"/proc/{pid}/fd"))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (n_open, before[1]))
        tried.expect("speech on an open connection", tried.speech, 503)
        tried.expect("health on an open connection", lambda: tried.client.get("/api/v1/health"), 200)
        tried.expect(
            "speech of a voice whose file is to be read", lambda: tried.speech(index="exampleB"), 503
        )
        tried.expect("add a voice", lambda: tried.add_voice("c"), 503)
        tried.expect("add a word", lambda: tried.put_word("c"), 503)
        tried.expect("a book", tried.new_book, 503)
        waiting = [threading.Thread(target=tried.server.say) for _ in range(5)]
        for client in waiting:
            client.start()
        began = Held.of(pid).cpu_s
        time.sleep(5)
        tried.check("the server does not spin", holds=Held.of(pid).cpu_s - began < MOST_CPU_S)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        for client in waiting:
            client.join(60)
        tried.check(
            "clients that connected meanwhile are answered",
            holds=not any(map(threading.Thread.is_alive, waiting)),
        )
        tried.expect("speech of that voice", lambda: tried.speech(index="exampleB"), 200)
        tried.expect("the voice that was added", lambda: tried.speech(index="a"), 200)
        tried.expect("the word that was added", lambda: tried.client.get("/api/v1/lexicon/a"), 200)
        tried.expect_service()


def clock_set_back(verdict: Verdict, folder: Path) -> None:
    """Sets the server's clock back by two days with libfaketime while the server makes answers.

    The answers must be whole, and earlier books, links and voices must still work.
    """
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not libraries:
        verdict.note("clock set back", "needs libfaketime (Debian: apt install faketime)", holds=False)
        return
    with tempfile.TemporaryDirectory() as name:
        clock = Path(name) / "clock"
        clock.write_text("+0\n")
        environ = {
            "LD_PRELOAD": str(libraries[0]),
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # as on Linux: setting the clock does not change it
            "TONE_DELAY_S": "1",
        }
        with trying(verdict, "clock set back by two days", folder, environ=environ) as tried:
            book = str(tried.new_book().json()["id"])
            link = tried.client.post(f"/api/v1/jobs/{book}/link").json()["link"]
            tried.add_voice("a")
            answers = tried.server.say_together(3)
            time.sleep(0.3)
            _set(clock, "-2d")
            tried.check(
                "answers in the making are whole", holds=all(each.result(60).is_success for each in answers)
            )
            created = tried.look(tried.new_book().json()["id"])["created_at"]
            tried.check("the server's clock is set back", holds=created < time.time() - 86400)
            tried.wait_for([book], "done")
            tried.expect("an earlier book", lambda: tried.audio_of(book), 200)
            opened = {"link": link, "format": "mp3"}
            tried.expect(
                "an earlier link", lambda: tried.client.get(f"/api/v1/jobs/{book}/audio", params=opened), 200
            )
            tried.expect("change an earlier voice", lambda: tried.change_voice("a"), 200)
            transcript = tried.client.get("/api/v1/prompts/a").json()["prompt"]["prompt_text"]
            tried.check("the change is seen", holds=transcript == "said otherwise")
            _set(clock, "+0")
            tried.expect_service()


def _set(clock: Path, shift: str) -> None:
    """Writes `shift`, such as "-2d", to libfaketime's file at once: half a shift ends the process."""
    replace_file(clock, f"{shift}\n".encode())


def dns_gone(verdict: Verdict, folder: Path) -> None:
    """Lets the machine use a name server that never answers, and checks that the server asks it nothing."""
    with _silent_resolver() as questions, trying(verdict, "DNS gone", folder) as tried:
        tried.expect_service()
        tried.expect("by this machine's name", lambda: _called(tried, socket.gethostname()), 200)
        tried.expect("by a stranger's name", lambda: _called(tried, "stranger.example.org"), 403)
        tried.check("nobody was asked for a name", holds=not questions)


def _called(tried: Trying, host: str) -> httpx.Response:
    return tried.client.get("/api/v1/prompts", headers={"Host": host})


@contextmanager
def _silent_resolver() -> Iterator[list[bytes]]:
    questions: list[bytes] = []
    with tempfile.TemporaryDirectory() as name, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(RESOLVER)
        configuration = Path(name) / "resolv.conf"
        configuration.write_text(f"nameserver {RESOLVER[0]}\n")
        threading.Thread(target=_listen, args=(listener, questions), daemon=True).start()
        subprocess.run(["mount", "--bind", str(configuration), "/etc/resolv.conf"], check=True)
        try:
            yield questions
        finally:
            subprocess.run(["umount", "--lazy", "/etc/resolv.conf"], check=True)


def _listen(listener: socket.socket, questions: list[bytes]) -> None:
    try:
        while True:
            questions.append(listener.recv(2**16))
    except OSError:  # the socket is closed
        return


@contextmanager
def _memory_group(server: Server) -> Iterator[Callable[[int], None]]:
    """Puts all processes of the server into a new cgroup, and ends the server after the block.

    Yields a function that sets its memory limit in bytes.
    """
    root = Path("/sys/fs/cgroup")
    of_v1 = (root / "memory" / "memory.limit_in_bytes").exists()
    group = (root / "memory" if of_v1 else root) / f"torture-{os.getpid()}"
    limit = group / ("memory.limit_in_bytes" if of_v1 else "memory.max")
    group.mkdir()
    try:
        for each in family(server.process.pid):
            (group / "cgroup.procs").write_text(str(each.pid))
        yield lambda n_bytes: _write(limit, n_bytes)
    finally:
        server.end()
        wait_until(lambda: not (group / "cgroup.procs").read_text(), 30)
        group.rmdir()


def _write(limit: Path, n_bytes: int) -> None:
    limit.write_text(str(n_bytes))


def memory_limit(verdict: Verdict, folder: Path) -> None:
    """Sets a memory limit that is too small for the engine process, so that the kernel kills it repeatedly.

    The requests must wait, and must be answered after the limit is lifted.
    """
    server = Server(folder, "glm_tts_api.api_server:app", flow_steps=1, short_text_timeout=600)
    try:
        server.wait_until_all_speak(300)
        tried = Trying(server, verdict, "memory limit of a cgroup")
        with _memory_group(server) as limit:
            limit(TOO_LITTLE)
            engine = server.stats()["per_worker"][0]["pid"]
            os.kill(engine, 9)
            wait_until(lambda: server.stats()["per_worker"][0]["restarts"] >= 2, 300)
            health = tried.client.get("/api/v1/health")
            tried.check(
                f"health says so: {health.json().get('reason', health.text)}",
                holds=health.status_code == 503 and "memory" in health.text.lower(),
            )
            waiting = server.say_together(2)
            limit(_NO_LIMIT)
            server.wait_until_all_speak(400)
            tried.check(
                "requests that came meanwhile are answered",
                holds=all(each.result(300).is_success for each in waiting),
            )
            tried.expect_service()
        tried.end()
    finally:
        server.end()

"""A server as users run it: processes of their own, an app of these tests, a real port."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from tests.api.project_folder import project
from tests.api.waiting import wait_until
from tests.scraping import Scrape

REPOSITORY = Path(__file__).parents[2]


class Server:
    """uvicorn with an app of these tests in its own process group, on a free port. `ulimit`: the
    options of the command that limits it; `prefix`: the command that runs it, by default one for which a
    suite run by nohup or in a shell's background is none."""

    def __init__(
        self,
        root: Path,
        app: str,
        *,
        environ: dict[str, str] | None = None,
        ulimit: str | None = None,
        prefix: tuple[str, ...] = ("env", "--default-signal=HUP,QUIT"),
        **settings: Any,
    ) -> None:
        self.workers = settings.get("workers", 1)
        self.root = project(root, **settings)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.log = root / "log"
        command = [sys.executable, "-m", "glm_tts_api.serving", "uvicorn", app, "--port", str(self.port)]
        if ulimit is not None:
            command = ["bash", "-c", f'ulimit {ulimit} && exec "$@"', "-", *command]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*prefix, *command],
                cwd=root,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), **(environ or {})},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", timeout=30, trust_env=False, verify=False
        )
        try:
            wait_until(lambda: self.n_workers() == self.workers, 60)
        except BaseException:
            self.end()
            raise

    def wait_until_all_speak(self, seconds: float = 60) -> None:
        wait_until(lambda: all(worker["ready"] for worker in self.stats()["per_worker"]), seconds)

    def n_workers(self) -> int:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return len(self.stats()["per_worker"])
        except httpx.TransportError:
            return 0

    def stats(self) -> dict[str, Any]:
        body: dict[str, Any] = self.client.get(
            "/api/v1/stats/concurrency", headers={"Connection": "close"}
        ).json()
        return body

    def peak_bytes(self) -> int:
        """The most memory that the server ever had."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0])

    def lane(self) -> dict[str, int]:
        lane: dict[str, int] = self.stats()["stats"]["short_text"]
        return lane

    def scrape(self) -> Scrape:
        """By whichever worker answers."""
        return Scrape(self.client.get("/metrics", headers={"Connection": "close"}).text)

    def say(self, text: str = "hello") -> httpx.Response:
        with httpx.Client(timeout=600, trust_env=False) as client:
            url = f"{self.client.base_url}/api/v1/tts"
            return client.post(url, data={"input_text": text, "index": "exampleA"})

    def say_together(self, n: int, text: str = "hello") -> list[Future[httpx.Response]]:
        pool = ThreadPoolExecutor(n)
        return [pool.submit(self.say, text) for _ in range(n)]

    def release(self) -> None:
        """Ends the delays of tone_app, and what waits in faulty_engine."""
        (self.root / "go-on").touch()

    def end(self) -> None:
        self.client.close()
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

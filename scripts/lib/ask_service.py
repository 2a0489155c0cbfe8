"""Asks the running server over HTTP: is it ready, is it as it was set, does it speak?

    ask_service.py verify PID    waits for the server whose parent is PID, then checks all three
    ask_service.py status        what the server says of itself

Run in the project folder; the settings tell where the server listens. Goes through no proxy. Exits 0 if all
holds, else 1 with the cause in the last line.
"""

from __future__ import annotations

import io
import json
import secrets
import sys
import time
import urllib.error
import urllib.request
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glm_tts_api.settings import Settings

READY_LIMIT_S = 1800  # the official checkpoint from a slow disk
WORKERS_LIMIT_S = 600
PROGRESS_EVERY_S = 5
SENTENCE = "你好。"
OUTPUT = Path("out/hello.wav")
HOW_TO_GET_THE_OFFICIAL_MODEL = (
    "  NOTE: this is the bundled demonstration model, small and rough.\n"
    "        The official GLM-TTS: bash scripts/download_model.sh, then bash restart_api.sh"
)


class Failed(Exception):
    """What does not hold, said to whoever started the server."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; status 0 if none came, and why in `body`."""

    status: int
    body: bytes
    timed_out: bool = False

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; an empty one if it is something else."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


class Client:
    """The server that `settings` describe, as a client on this machine sees it."""

    def __init__(self, settings: Settings) -> None:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.api_host, settings.api_host)
        self.base_url = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
        self._key = {"X-API-Key": settings.api_keys[0].encode()} if settings.api_keys else {}
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def get(self, path: str) -> Answer:
        return self._send(urllib.request.Request(self.base_url + path, headers=self._key), 10)

    def post_json(self, path: str, body: dict[str, Any], *, token: str, timeout_s: float) -> Answer:
        headers = {"Content-Type": "application/json", "X-Verify-Token": token, **self._key}
        data = json.dumps(body).encode()
        return self._send(urllib.request.Request(self.base_url + path, data, headers), timeout_s)

    def _send(self, request: urllib.request.Request, timeout_s: float) -> Answer:
        try:
            with self._opener.open(request, timeout=timeout_s) as response:
                return Answer(response.status, response.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read())
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            return Answer(0, str(reason).encode(), timed_out=isinstance(reason, TimeoutError))


def is_running(pid: int) -> bool:
    """False if the process is gone or a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


class Progress:
    """Says every few seconds what is waited for."""

    def __init__(self) -> None:
        self._begin = self._said = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begin

    def tell(self, what: str) -> None:
        if time.monotonic() - self._said >= PROGRESS_EVERY_S:
            self._said = time.monotonic()
            print(f"  waiting: {what}, {self.seconds:.0f} s", flush=True)


def wait_until_ready(client: Client, pid: int) -> dict[str, Any]:
    """Returns the first healthy /health. Raises Failed if the server ends, cannot load, or takes too long."""
    progress = Progress()
    while progress.seconds < READY_LIMIT_S:
        answer = client.get("/api/v1/health")
        health = answer.json()
        if answer.status == 200:
            print(f"  ready after {progress.seconds:.0f} s: {_model_line(health)}")
            return health
        if health.get("status") == "unhealthy":
            raise Failed(f"The model could not be loaded: {health.get('cause')}")
        if not is_running(pid):
            raise Failed("The server ended while it started.")
        progress.tell("the model is loading" if health else "the server is starting")
        time.sleep(0.5)
    raise Failed(f"The server was not ready after {READY_LIMIT_S} s.")


def wait_for_workers(client: Client, settings: Settings, pid: int) -> dict[str, Any]:
    """Returns the first /stats/concurrency in which every worker can speak."""
    progress = Progress()
    while progress.seconds < WORKERS_LIMIT_S:
        stats = client.get("/api/v1/stats/concurrency")
        if stats.status == 200:
            workers = stats.json()["per_worker"]
            n_ready = sum(worker["ready"] for worker in workers)
            if n_ready == len(workers) == settings.workers:
                print(f"  workers: {n_ready} of {settings.workers}")
                return stats.json()
            progress.tell(f"{n_ready} of {settings.workers} workers are ready")
        elif not is_running(pid):
            raise Failed("The server ended while its workers started.")
        time.sleep(0.3)
    raise Failed(f"Not all of WORKERS={settings.workers} were ready after {WORKERS_LIMIT_S} s.")


def check_config(stats: dict[str, Any], settings: Settings) -> None:
    """Raises Failed if the server does not run with what was set."""
    config = stats["config"]
    wanted = {
        "SHORT_TEXT_CONCURRENCY": (config["concurrency"]["short_text"], settings.short_text_concurrency),
        "LONG_TEXT_CONCURRENCY": (config["concurrency"]["long_text"], settings.long_text_concurrency),
        "TEXT_LENGTH_THRESHOLD": (config["concurrency"]["threshold"], settings.text_length_threshold),
        "SHORT_TEXT_TIMEOUT": (config["timeout"]["short_text"], settings.short_text_timeout),
        "MEDIUM_TEXT_TIMEOUT": (config["timeout"]["medium_text"], settings.medium_text_timeout),
        "LONG_TEXT_TIMEOUT": (config["timeout"]["long_text"], settings.long_text_timeout),
        "WORKERS": (config["workers"], settings.workers),
    }
    wrong = [f"{name}: set {want:g}, runs {runs:g}" for name, (runs, want) in wanted.items() if runs != want]
    if wrong:
        raise Failed(f"The server does not run as set: {'; '.join(wrong)}")
    print("  settings: " + ", ".join(f"{name}={runs:g}" for name, (runs, _) in wanted.items()))


def speak(client: Client, settings: Settings) -> str:
    """Has one sentence spoken into OUTPUT, counted in no figure. Returns the voice's name."""
    voice = _first_voice(client)
    token_file = settings.path(settings.run_dir) / "verify.token"
    token = secrets.token_hex(16)
    token_file.touch(mode=0o600)
    token_file.write_text(token)
    print(
        f"  speaking {SENTENCE} as {voice} (at most VERIFY_TIMEOUT={settings.verify_timeout:g} s)", flush=True
    )
    begin = time.monotonic()
    try:
        answer = client.post_json(
            "/api/v1/tts",
            {"input_text": SENTENCE, "index": voice, "response_format": "wav"},
            token=token,
            timeout_s=settings.verify_timeout,
        )
    finally:
        token_file.unlink(missing_ok=True)
    seconds = time.monotonic() - begin
    _require_spoken(answer, settings)
    duration_s = _wav_seconds(answer.body)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_bytes(answer.body)
    print(f"  {OUTPUT}: {duration_s:.2f} s of speech in {seconds:.2f} s, RTF {seconds / duration_s:.2f}")
    return voice


def _first_voice(client: Client) -> str:
    """exampleA, or the first voice where that is not registered."""
    listed = client.get("/api/v1/prompts")
    if listed.status != 200:
        raise Failed(f"The voices could not be listed: {_why(listed)}")
    names = [prompt["index"] for prompt in listed.json()["prompts"]]
    if not names:
        raise Failed("There is no voice to speak with: configs/prompt_cache.json names none.")
    return "exampleA" if "exampleA" in names else str(names[0])


def _require_spoken(answer: Answer, settings: Settings) -> None:
    rest = "Everything else holds; VERIFY_TTS=0 skips this sentence."
    if answer.timed_out:
        raise Failed(
            f"The sentence was not done in VERIFY_TIMEOUT={settings.verify_timeout:g} s: allow more. {rest}"
        )
    if answer.status == 408:
        raise Failed(
            f"The sentence was not done in SHORT_TEXT_TIMEOUT={settings.short_text_timeout:g} s, "
            f"the limit of every short text: allow more. {rest}"
        )
    if answer.status != 200:
        raise Failed(f"The sentence was not spoken: {_why(answer)}")


def _why(answer: Answer) -> str:
    message = answer.json().get("message")
    return f"HTTP {answer.status}, {message or answer.body[:200].decode(errors='replace')}"


def _wav_seconds(data: bytes) -> float:
    """The duration of a WAV. Raises Failed if it is none, or holds nothing but silence."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            seconds: float = file.getnframes() / file.getframerate()
            samples = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise Failed(f"The answer is not a WAV file: {error}") from None
    if not any(samples):
        raise Failed("The answer is a WAV file without a sound.")
    return seconds


def _model_line(health: dict[str, Any]) -> str:
    return f"{health.get('model')} on {health.get('device')}, {health.get('dtype')}"


def verify(client: Client, settings: Settings, pid: int) -> None:
    """Readiness, workers, settings, speech; then what to do next."""
    health = wait_until_ready(client, pid)
    for warning in health.get("warnings", []):
        print(f"  WARNING: {warning}")
    check_config(wait_for_workers(client, settings, pid), settings)
    voice = "exampleA"
    if settings.verify_tts:
        voice = speak(client, settings)
    else:
        print("  VERIFY_TTS=0: no sentence is spoken")
    if not is_running(pid):
        raise Failed("The server ended while it was verified.")
    print(f"OK: the server runs on port {settings.port} (PID {pid}). Try it:")
    print(f"  curl -X POST http://localhost:{settings.port}/api/v1/tts \\")
    print(f'    -F "input_text=测试文本" -F "index={voice}" -F "response_format=wav" -o test.wav')
    if health.get("demonstration"):
        print(HOW_TO_GET_THE_OFFICIAL_MODEL)


def status(client: Client, settings: Settings) -> None:
    """Health and lanes. Raises Failed unless the server is healthy."""
    answer = client.get("/api/v1/health")
    health = answer.json()
    if not health:
        raise Failed(f"No answer at {client.base_url}: {answer.body.decode(errors='replace')}")
    stats = client.get("/api/v1/stats/concurrency")
    lines = [f"Health: {health['status']}, up {health['uptime_s']:.0f} s, {_model_line(health)}"]
    lines += [f"WARNING: {warning}" for warning in health.get("warnings", [])]
    lines += _stats_lines(stats.json()) if stats.status == 200 else [f"No figures: {_why(stats)}"]
    if health.get("demonstration"):
        lines.append(HOW_TO_GET_THE_OFFICIAL_MODEL)
    print("\n".join(lines), flush=True)
    if answer.status != 200:
        raise Failed(f"The server is {health['status']}: {health.get('cause') or 'try again shortly'}")


def _stats_lines(stats: dict[str, Any]) -> list[str]:
    n_ready = sum(worker["ready"] for worker in stats["per_worker"])
    return [
        f"Workers: {n_ready} of {stats['config']['workers']} ready",
        *(
            f"{name}: {lane['active']} of {lane['limit']} active, {lane['waiting']} waiting, "
            f"{lane['total']} admitted"
            for name, lane in stats["stats"].items()
        ),
    ]


def main(arguments: list[str]) -> int:
    settings = Settings.load()
    client = Client(settings)
    try:
        match arguments:
            case ["verify", pid]:
                verify(client, settings, int(pid))
            case ["status"]:
                status(client, settings)
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Asks the running server over HTTP: is it ready, is it as it was set, does it speak?

    ask_service.py verify PID    waits for the server whose parent is PID, then checks all three
    ask_service.py status        what the server says of itself

Run in the project folder; the settings tell where the server listens. Exits 0 if all holds, else 1 with the
cause in the last line. How `verify` ended also stands in the log, for those whose terminal is gone by then.
"""

from __future__ import annotations

import io
import os
import secrets
import sys
import time
import wave
from pathlib import Path
from typing import Any, TextIO

from service_client import Answer, Client

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


def is_running(pid: int) -> bool:
    """False if the process is gone or a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def say(line: str, stream: TextIO = sys.stdout) -> None:
    """Tells the user; one whose terminal is gone is no reason to stop."""
    try:
        print(line, file=stream, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class Wait:
    """A wait of at most `limit_s`; says every few seconds for what, and what the log says meanwhile."""

    def __init__(self, log: Path, limit_s: float) -> None:
        self._log = log
        self._limit_s = limit_s
        self._begin = self._said = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begin

    def go_on(self, what: str) -> None:
        """Waits a moment. Raises Failed when the time is over."""
        if self.seconds >= self._limit_s:
            raise Failed(f"After {self._limit_s:g} s still: {what}. {self._last_line()}")
        if time.monotonic() - self._said >= PROGRESS_EVERY_S:
            self._said = time.monotonic()
            say(f"  waiting: {what}, {self.seconds:.0f} s of at most {self._limit_s:g}. {self._last_line()}")
        time.sleep(0.4)

    def _last_line(self) -> str:
        try:
            lines = self._log.read_bytes()[-4000:].decode(errors="replace").split("\n")
        except OSError:
            return ""
        last = next((line for line in reversed(lines) if line.strip()), "nothing yet")
        return f"Log: {last[-160:]}"


def wait_until_ready(client: Client, log: Path, pid: int) -> dict[str, Any]:
    """Returns the first healthy /health. Raises Failed if the server ends, cannot load, or takes too long."""
    wait = Wait(log, READY_LIMIT_S)
    while True:
        answer = client.get("/api/v1/health")
        health = answer.json()
        if answer.status == 200:
            say(f"  ready after {wait.seconds:.0f} s: {_model_line(health)}")
            return health
        if health.get("status") == "unhealthy":
            raise Failed(f"The model could not be loaded: {health.get('cause')}")
        if not is_running(pid):
            raise Failed("The server ended while it started.")
        wait.go_on("the model is loading" if health else "the server is starting")


def wait_for_workers(client: Client, settings: Settings, log: Path, pid: int) -> dict[str, Any]:
    """Returns the first /stats/concurrency in which every worker can speak."""
    wait = Wait(log, WORKERS_LIMIT_S)
    n_ready = 0
    while True:
        stats = client.get("/api/v1/stats/concurrency")
        if stats.status == 200:
            workers = stats.json()["per_worker"]
            n_ready = sum(worker["ready"] for worker in workers)
            if n_ready == len(workers) == settings.workers:
                say(f"  workers: {n_ready} of {settings.workers}")
                return stats.json()
        elif stats.status in (401, 403):
            raise Failed(f"The server does not take the key that is set: {_why(stats)}")
        elif not is_running(pid):
            raise Failed("The server ended while its workers started.")
        wait.go_on(f"{n_ready} of WORKERS={settings.workers} are ready")


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
    say("  settings: " + ", ".join(f"{name}={runs:g}" for name, (runs, _) in wanted.items()))


def speak(client: Client, settings: Settings) -> str:
    """Has one sentence spoken into OUTPUT, counted in no figure. Returns the voice's name."""
    voice = _first_voice(client)
    token_file = settings.path(settings.run_dir) / "verify.token"
    token = secrets.token_hex(16)
    token_file.touch(mode=0o600)
    token_file.write_text(token)
    say(f"  speaking {SENTENCE} as {voice} (at most VERIFY_TIMEOUT={settings.verify_timeout:g} s)")
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
    say(f"  {OUTPUT}: {duration_s:.2f} s of speech in {seconds:.2f} s, RTF {seconds / duration_s:.2f}")
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
    log = settings.path(settings.log_file)
    health = wait_until_ready(client, log, pid)
    for warning in health.get("warnings", []):
        say(f"  WARNING: {warning}")
    check_config(wait_for_workers(client, settings, log, pid), settings)
    voice = "exampleA"
    if settings.verify_tts:
        voice = speak(client, settings)
    else:
        say("  VERIFY_TTS=0: no sentence is spoken")
    if not is_running(pid):
        raise Failed("The server ended while it was verified.")
    say(f"OK: the server runs on port {settings.port} (PID {pid}). Try it:")
    for line in _example(client, settings, voice):
        say(f"  {line}")
    if health.get("demonstration"):
        say(HOW_TO_GET_THE_OFFICIAL_MODEL)


def _example(client: Client, settings: Settings, voice: str) -> list[str]:
    """A command to paste; it names no key, which would stay in the terminal and in the shell's history."""
    speech = f'  -F "input_text=测试文本" -F "index={voice}" -F "response_format=wav" -o test.wav'
    command = f"curl -X POST {client.shown_url}/api/v1/tts \\"
    if not settings.api_keys:
        return [command, speech]
    return ["API_KEY=...   # one of API_KEYS", command, '  -H "Authorization: Bearer $API_KEY" \\', speech]


def _report(settings: Settings, outcome: str) -> None:
    """A line in the log, in its format."""
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    try:
        with settings.path(settings.log_file).open("a") as log:
            log.write(f"{now},000 INFO restart_api.sh [-] {outcome}\n")
    except OSError as error:
        say(f"  {settings.log_file}: {error.strerror}", sys.stderr)


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
    say("\n".join(lines))
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
    sys.stdout.reconfigure(errors="replace")  # the voice's sentence, where a terminal knows ASCII only
    settings = Settings.load()
    client = Client(settings)
    verifies = arguments[:1] == ["verify"]
    try:
        match arguments:
            case ["verify", pid]:
                verify(client, settings, int(pid))
            case ["status"]:
                status(client, settings)
            case _:
                say(__doc__, sys.stderr)
                return 2
    except Failed as failure:
        if verifies:
            _report(settings, f"The check failed: {failure}")
        say(str(failure), sys.stderr)
        return 1
    if verifies:
        _report(settings, f"The server passed its check (PID {arguments[1]}, port {settings.port})")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

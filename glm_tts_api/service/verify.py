"""Asks a server that was started: is it ready, is it as it was set, does it speak?"""

from __future__ import annotations

import io
import os
import secrets
import signal
import sys
import time
import wave
from pathlib import Path
from typing import Any

from glm_tts_api.logs import json_line
from glm_tts_api.service.client import Client
from glm_tts_api.service.output import Failed, Step, say
from glm_tts_api.service.processes import Process
from glm_tts_api.service.run_folder import Server
from glm_tts_api.service.settings import Settings

READY_LIMIT_S = 1800.0  # the official checkpoint from a slow disk
JOIN_LIMIT_S = 30.0
SENTENCE = "你好。"
OUTPUT = Path("out/hello.wav")  # in the project folder, where all this runs
DEMONSTRATION = (
    "  NOTE: this is the bundled demonstration model, small and rough.\n"
    "        The official GLM-TTS: bash scripts/download_model.sh, then bash restart_api.sh"
)
_LOOK_EVERY_S = 0.4
_CONFIG = {
    "SHORT_TEXT_CONCURRENCY": ("concurrency", "short_text"),
    "LONG_TEXT_CONCURRENCY": ("concurrency", "long_text"),
    "TEXT_LENGTH_THRESHOLD": ("concurrency", "threshold"),
    "SHORT_TEXT_TIMEOUT": ("timeout", "short_text"),
    "MEDIUM_TEXT_TIMEOUT": ("timeout", "medium_text"),
    "LONG_TEXT_TIMEOUT": ("timeout", "long_text"),
}


class Verification:
    """Checks the server `started`, for the person who started it. The methods raise Failed with the check
    that did not pass."""

    def __init__(self, settings: Settings, started: Process, title: str) -> None:
        self._settings = settings
        self._started = started
        self._title = title

    def run(self, predecessor: Server | None = None) -> int:
        """Checks the server, over its private socket if it has a predecessor, and then gives it that one's
        port. Returns an exit code. The log also says how it ended, for a person whose terminal is gone."""
        try:
            with Step(self._title) as step:
                private = self._settings.folder.own(self._started.pid) / "private.sock"
                client = self._settings.client(private if predecessor else None)
                health = self._wait_until_ready(client, step)
                voice = self._speak(client, step) if self._settings["VERIFY_TTS"] == "1" else "exampleA"
                self._require_running("was verified")
                if predecessor:
                    self._hand_over(predecessor, step)
        except Failed as failure:
            self._report(f"The check failed: {failure}")
            say(str(failure), sys.stderr)
            return 1
        self._report(f"The server passed its check (PID {self._started.pid}, port {self._settings['PORT']})")
        self._say_what_next(health, voice)
        return 0

    def _hand_over(self, predecessor: Server, step: Step) -> None:
        """The predecessor knows nothing of its successor until then."""
        step.note(f"handing over port {self._settings['PORT']} of PID {predecessor.pid}")
        os.kill(self._started.pid, signal.SIGUSR1)
        begin = step.seconds
        while (server := self._settings.folder.server()) is None or server.pid != self._started.pid:
            self._require_running("took the port")
            self._wait(step, "it takes the port", begin + JOIN_LIMIT_S)

    def _require_running(self, when: str) -> None:
        if not self._started.is_alive:
            raise Failed(f"The server ended while it {when}.")

    def _wait(self, step: Step, what: str, limit_s: float) -> None:
        """Waits a moment. Raises Failed when the step takes longer than `limit_s`."""
        if step.seconds > limit_s:
            raise Failed(f"After {limit_s:.0f} s still: {what}.")
        step.doing(f"{what} (at most {limit_s:.0f} s)")
        time.sleep(_LOOK_EVERY_S)

    def _wait_until_ready(self, client: Client, step: Step) -> dict[str, Any]:
        """Returns the first healthy /health with which every engine can speak."""
        checkpoint = self._settings.path("CHECKPOINT_DIR")
        while True:
            answer = client.get("/api/v1/health")
            health = answer.json()
            if health.get("status") == "unhealthy":
                raise Failed(f"The model could not be loaded: {health.get('cause')}")
            self._require_running("started")
            if answer.status == 200:
                what = self._whether_all_are_ready(client, step)
            elif health.get("model"):
                what = "the model is loaded; trying it and measuring its speed"
            elif health:
                what = f"loading the model {checkpoint.name} ({_size(checkpoint)})"
            else:
                what = "starting the server's process"
            if what is None:
                step.note(f"ready after {step.seconds:.0f} s: {model_line(health)}")
                for warning in health.get("warnings", []):
                    step.note(f"WARNING: {warning}")
                return health
            self._wait(step, what, READY_LIMIT_S)

    def _whether_all_are_ready(self, client: Client, step: Step) -> str | None:
        """None if all engines are ready and run with their settings; else a sentence about the missing
        part."""
        stats = client.get("/api/v1/stats/concurrency")
        if stats.status != 200:
            raise Failed(f"The server does not tell its figures: {stats.why}")
        workers, config = stats.json()["per_worker"], stats.json()["config"]
        runs = {name: config[part][key] for name, (part, key) in _CONFIG.items()}
        runs["WORKERS"] = config["workers"]
        for name, value in runs.items():
            if value != float(self._settings[name]):
                raise Failed(f"The server does not run as set: {name}={value:g}, not {self._settings[name]}")
        n_ready = sum(worker["ready"] for worker in workers)
        if any(worker["status"] == "failed" for worker in workers):
            raise Failed(
                f"{n_ready} of WORKERS={runs['WORKERS']} can speak; the log says why the others cannot."
            )
        if n_ready < runs["WORKERS"]:
            return f"engines that can speak: {n_ready} of {runs['WORKERS']}"
        step.note("settings: " + ", ".join(f"{name}={value:g}" for name, value in runs.items()))
        return None

    def _speak(self, client: Client, step: Step) -> str:
        """Has one sentence spoken, which no figure counts. Returns the voice's name."""
        voice, limit_s = _first_voice(client), self._settings["VERIFY_TIMEOUT"]
        step.doing(f"speaking {SENTENCE} as {voice} (at most VERIFY_TIMEOUT={limit_s} s)")
        token_file = self._settings.folder.path / "verify.token"
        token = secrets.token_hex(16)
        token_file.touch(mode=0o600)
        token_file.write_text(token)
        begin = step.seconds
        try:
            body = {"input_text": SENTENCE, "index": voice, "response_format": "wav"}
            answer = client.post_json("/api/v1/tts", body, {"X-Verify-Token": token}, float(limit_s))
        finally:
            token_file.unlink(missing_ok=True)
        if answer.timed_out or answer.status == 408:
            name = "VERIFY_TIMEOUT" if answer.timed_out else "SHORT_TEXT_TIMEOUT"
            raise Failed(
                f"The sentence was not done in {name}={self._settings[name]} s: allow more. Everything else "
                "holds; VERIFY_TTS=0 skips this sentence."
            )
        if answer.status != 200:
            raise Failed(f"The sentence was not spoken: {answer.why}")
        seconds, spoken_s = step.seconds - begin, _wav_seconds(answer.body)
        speed = f"{spoken_s:.2f} s of speech in {seconds:.2f} s, RTF {seconds / spoken_s:.2f}"
        step.note(f"{_kept(answer.body)}: {speed}")
        return voice

    def _say_what_next(self, health: dict[str, Any], voice: str) -> None:
        say(f"OK: the server runs on port {self._settings['PORT']} (PID {self._started.pid}). Try it:")
        has_keys = bool(self._settings["API_KEYS"])  # none is shown: it would stay in the shell's history
        lines = ["API_KEY=...   # one of API_KEYS"] if has_keys else []
        lines += [f"curl -X POST {self._settings.client().shown_url}/api/v1/tts \\"]
        lines += ['  -H "Authorization: Bearer $API_KEY" \\'] if has_keys else []
        lines += [f'  -F "input_text=测试文本" -F "index={voice}" -F "response_format=wav" -o test.wav']
        for line in lines:
            say(f"  {line}")
        if health.get("demonstration"):
            say(DEMONSTRATION)

    def _report(self, outcome: str) -> None:
        """A line in the log, in its format."""
        line = f"{time.strftime('%Y-%m-%d %H:%M:%S')},000 INFO restart_api.sh [-] {outcome}"
        if self._settings["LOG_FORMAT"] == "json":
            line = json_line("restart_api.sh", outcome)
        try:
            with self._settings.path("LOG_FILE").open("a") as log:
                log.write(f"{line}\n")
        except OSError as error:
            say(f"  {self._settings['LOG_FILE']}: {error.strerror}")


def model_line(health: dict[str, Any]) -> str:
    return f"{health.get('model')} on {health.get('device')}, {health.get('dtype')}"


def last_lines(log: Path, n: int) -> list[str]:
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 1000 * n))
            return file.read().decode(errors="replace").splitlines()[-n:]
    except OSError:
        return []


def _size(folder: Path) -> str:
    """The size of all its files."""
    n_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"


def _first_voice(client: Client) -> str:
    """exampleA, or the first voice where that is not registered."""
    listed = client.get("/api/v1/prompts")
    if listed.status != 200:
        raise Failed(f"The voices could not be listed: {listed.why}")
    names = [str(prompt["index"]) for prompt in listed.json()["prompts"]]
    if not names:
        raise Failed("There is no voice to speak with: configs/prompt_cache.json names none.")
    return "exampleA" if "exampleA" in names else names[0]


def _wav_seconds(data: bytes) -> float:
    """The duration of a WAV. Raises Failed if it is none, or holds nothing but silence."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            n_frames, rate = file.getnframes(), file.getframerate()
            samples = file.readframes(n_frames)
    except (wave.Error, EOFError) as error:
        raise Failed(f"The answer is not a WAV file: {error}") from None
    if not any(samples):
        raise Failed("The answer is a WAV file without a sound.")
    return float(n_frames / rate)


def _kept(wav: bytes) -> str:
    """Where the sentence can be heard; a server that speaks is none the worse for a full or closed folder."""
    try:
        OUTPUT.parent.mkdir(parents=True, exist_ok=True)
        OUTPUT.write_bytes(wav)
    except OSError as error:
        return f"{OUTPUT} cannot be written ({error.strerror})"
    return str(OUTPUT)

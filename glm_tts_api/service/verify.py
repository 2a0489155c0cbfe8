"""Checks a server that was just started: whether it is ready, runs with its settings, and speaks."""

from __future__ import annotations

import io
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import soundfile
from psutil import Process

from glm_tts_api.errors import Failed
from glm_tts_api.logs import json_line
from glm_tts_api.processes import is_alive
from glm_tts_api.service.client import Client, required
from glm_tts_api.service.output import Step, say
from glm_tts_api.service.run_folder import RunFolder, Server
from glm_tts_api.settings import Settings

READY_LIMIT_S = 1800.0  # enough to load the official checkpoint from a slow disk
JOIN_LIMIT_S = 30.0
SENTENCE = "你好。"
OUTPUT = Path("out/hello.wav")  # in the project folder, which is the working directory
_LOOK_EVERY_S = 0.4


class Verification:
    """Checks the server process `started` and tells the user the outcome. `title` is the title of the step on
    the screen. `token` is the value of VERIFY_TOKEN in the server's environment. Private methods raise Failed
    with a message about the check that did not pass."""

    def __init__(self, settings: Settings, started: Process, title: str, token: str) -> None:
        self._settings = settings
        self._folder = RunFolder.of(settings)
        self._started = started
        self._title, self._token = title, token

    def run(self, predecessor: Server | None = None) -> int:
        """Checks the server. If `predecessor` is given, the checks use the new server's private socket, and
        after them the new server takes the port of `predecessor`. Returns the exit code 0, or 1 if a check
        did not pass. The outcome is written to the log too, in case the user's terminal is gone."""
        try:
            with Step(self._title) as step:
                private = self._folder.own(self._started.pid) / "private.sock"
                client = self._client(private if predecessor else None)
                health = self._wait_until_ready(client, step)
                voice = self._speak(client, step) if self._settings.verify_tts else "exampleA"
                self._require_running("was verified")
                if predecessor:
                    self._hand_over(predecessor, step)
        except Failed as failure:
            self._report(f"The check failed: {failure}")
            say(str(failure), sys.stderr)
            return 1
        self._report(f"The server passed its check (PID {self._started.pid}, port {self._settings.port})")
        self._say_what_next(health, voice)
        return 0

    def _client(self, private: Path | None = None) -> Client:
        return Client(self._settings.api_host, self._settings.port, self._settings.key, private)

    def _hand_over(self, predecessor: Server, step: Step) -> None:
        """Tells the new server to take the port of `predecessor`, and waits until the new server has it.
        Raises Failed if that takes longer than 30 seconds or the new server ends."""
        step.note(f"handing over port {self._settings.port} of PID {predecessor.pid}")
        os.kill(self._started.pid, signal.SIGUSR1)
        begin = step.seconds
        while (server := self._folder.server()) is None or server.pid != self._started.pid:
            self._require_running("took the port")
            self._wait(step, "it takes the port", begin + JOIN_LIMIT_S)

    def _require_running(self, when: str) -> None:
        if not is_alive(self._started):
            raise Failed(f"The server ended while it {when}.")

    def _wait(self, step: Step, what: str, limit_s: float) -> None:
        """Sleeps for 0.4 s and shows the user `what`, the event that is waited for. Raises Failed instead if
        the step has already taken longer than `limit_s` seconds."""
        if step.seconds > limit_s:
            raise Failed(f"After {limit_s:.0f} s still: {what}.")
        step.doing(f"{what} (at most {limit_s:.0f} s)")
        time.sleep(_LOOK_EVERY_S)

    def _wait_until_ready(self, client: Client, step: Step) -> dict[str, Any]:
        """Waits until every engine can speak. Then returns the body of the server's /health. Raises Failed if
        the model cannot be loaded, the server ends, or the wait is longer than 30 minutes."""
        checkpoint = self._settings.checkpoint_dir
        while True:
            health = client.health()
            if health.get("status") == "unhealthy":
                raise Failed(f"The model could not be loaded: {health.get('cause')}")
            self._require_running("started")
            if health.get("status") in ("healthy", "idle"):
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
        """Returns None if all engines are ready and the server runs with its settings; else a sentence about
        the missing part. Raises Failed if a setting differs or an engine failed."""
        answer = client.ask("/api/v1/stats/concurrency")
        stats = required(answer, "The server does not report its figures").json()
        workers, config = stats["per_worker"], stats["config"]
        seconds, at_once = config["timeout"], config["concurrency"]
        threshold = at_once.pop("threshold")
        runs = {
            **{f"{lane.upper()}_CONCURRENCY": places for lane, places in at_once.items()},
            "TEXT_LENGTH_THRESHOLD": threshold,
            **{f"{name.upper()}_TIMEOUT": most_s for name, most_s in seconds.items()},
            "WORKERS": config["workers"],
        }
        for name, value in runs.items():
            if value != (wanted := getattr(self._settings, name.lower())):
                raise Failed(f"The server does not run as set: {name}={value:g}, not {wanted:g}")
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
        """Has the server speak a test sentence, which is not counted in the metrics, and writes it to
        out/hello.wav. Returns the name of the voice. Raises Failed if the sentence is not spoken in time or
        at all."""
        voice, limit_s = _first_voice(client), self._settings.verify_timeout
        step.doing(f"speaking {SENTENCE} as {voice} (at most VERIFY_TIMEOUT={limit_s:g} s)")
        begin = step.seconds
        try:
            body = {"input_text": SENTENCE, "index": voice, "response_format": "wav"}
            headers = {"X-Verify-Token": self._token}
            answer = client.ask("/api/v1/tts", "POST", limit_s, json=body, headers=headers)
        except Failed as failure:
            if isinstance(failure.__cause__, httpx.TimeoutException):
                raise _too_slow("VERIFY_TIMEOUT", limit_s) from None
            raise
        if answer.status_code == 408:
            raise _too_slow("SHORT_TEXT_TIMEOUT", self._settings.short_text_timeout)
        required(answer, "The sentence was not spoken")
        seconds, spoken_s = step.seconds - begin, _wav_seconds(answer.content)
        speed = f"{spoken_s:.2f} s of speech in {seconds:.2f} s, RTF {seconds / spoken_s:.2f}"
        step.note(f"{_kept(answer.content)}: {speed}")
        return voice

    def _say_what_next(self, health: dict[str, Any], voice: str) -> None:
        say(f"OK: the server runs on port {self._settings.port} (PID {self._started.pid}). Try it:")
        has_keys = bool(self._settings.key)  # a shown key would stay in the shell's history
        lines = ["API_KEY=...   # one of API_KEYS"] if has_keys else []
        lines += [f"curl -X POST {self._client().shown_url}/api/v1/tts \\"]
        lines += ['  -H "Authorization: Bearer $API_KEY" \\'] if has_keys else []
        lines += [f'  -F "input_text=测试文本" -F "index={voice}" -F "response_format=wav" -o test.wav']
        for line in lines:
            say(f"  {line}")
        say_notice(health)

    def _report(self, outcome: str) -> None:
        """Writes the outcome into the log file as a line in the log's format."""
        line = f"{time.strftime('%Y-%m-%d %H:%M:%S')},000 INFO restart_api.sh [-] {outcome}"
        if self._settings.log_format == "json":
            line = json_line("restart_api.sh", outcome)
        try:
            with self._settings.log_path.open("a") as log:
                log.write(f"{line}\n")
        except OSError as error:
            say(f"  {self._settings.log_path}: {error.strerror}")


def model_line(health: dict[str, Any]) -> str:
    return f"{health.get('model')} on {health.get('device')}, {health.get('dtype')}"


def say_notice(health: dict[str, Any]) -> None:
    """Prints what the server notes about its model, if it is the demonstration model."""
    if health.get("notice"):
        say(f"  NOTE: {health['notice']}")


def _too_slow(name: str, most_s: float) -> Failed:
    return Failed(
        f"The sentence was not done in {name}={most_s:g} s: allow more. Everything else holds; VERIFY_TTS=0 "
        "skips this sentence."
    )


def _size(folder: Path) -> str:
    """Returns the total size of the files in `folder` for the user, in GB or MB."""
    n_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"


def _first_voice(client: Client) -> str:
    """Returns exampleA, or the first registered voice if exampleA is not registered. Raises Failed if there
    is none."""
    listed = required(client.ask("/api/v1/prompts"), "The voices could not be listed")
    names = [str(prompt["index"]) for prompt in listed.json()["prompts"]]
    if not names:
        raise Failed("There is no voice to speak with: configs/prompt_cache.json names none.")
    return "exampleA" if "exampleA" in names else names[0]


def _wav_seconds(data: bytes) -> float:
    """Returns the duration of a WAV file in seconds. Raises Failed if `data` is no WAV file, or all its
    samples are zero."""
    try:
        samples, rate = soundfile.read(io.BytesIO(data))
    except soundfile.LibsndfileError as error:
        raise Failed(f"The answer is not a WAV file: {error}") from None
    if not samples.any():
        raise Failed("The answer is a WAV file without a sound.")
    return len(samples) / float(rate)


def _kept(wav: bytes) -> str:
    """Writes the test sentence to OUTPUT and returns its path for the user. If the file cannot be written,
    returns a sentence about that; the check passes all the same."""
    try:
        OUTPUT.parent.mkdir(parents=True, exist_ok=True)
        OUTPUT.write_bytes(wav)
    except OSError as error:
        return f"{OUTPUT} cannot be written ({error.strerror})"
    return str(OUTPUT)

"""Asks the running server over HTTP: is it ready, is it as it was set, does it speak?

    ask_service.py verify PID      waits for the server whose parent is PID, then checks all three
    ask_service.py take-over PID   the same of one that has no port; then it gets that of the server in charge
    ask_service.py status          what the server says of itself
    ask_service.py service PID     prints a number by which `answers` knows the server PID
    ask_service.py answers NUMBER  tells what became of the last answers of that server, which is gone; it had
                                   them when another took its port

Run in the project folder; the settings tell where the server listens. Exits 0 if all holds, else 1 with the
cause in the last line. How a check ended also stands in the log, for those whose terminal is gone by then.
"""

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

from readiness import (
    Failed,
    check_config,
    hand_over,
    is_running,
    model_line,
    say,
    wait_for_workers,
    wait_until_ready,
)
from service_client import Answer, Client

from glm_tts_api.logs import json_line
from glm_tts_api.settings import Settings

SENTENCE = "你好。"
OUTPUT = Path("out/hello.wav")
HOW_TO_GET_THE_OFFICIAL_MODEL = (
    "  NOTE: this is the bundled demonstration model, small and rough.\n"
    "        The official GLM-TTS: bash scripts/download_model.sh, then bash restart_api.sh"
)


def speak(client: Client, settings: Settings) -> str:
    """Has one sentence spoken, counted in no figure. Returns the voice's name."""
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
    rtf = seconds / duration_s
    say(f"  {_kept(answer.body)}: {duration_s:.2f} s of speech in {seconds:.2f} s, RTF {rtf:.2f}")
    return voice


def _kept(wav: bytes) -> str:
    """Where the sentence can be heard; a server that speaks is none the worse for a full or closed folder."""
    try:
        OUTPUT.parent.mkdir(parents=True, exist_ok=True)
        OUTPUT.write_bytes(wav)
    except OSError as error:
        return f"{OUTPUT} cannot be written ({error.strerror})"
    return str(OUTPUT)


def _first_voice(client: Client) -> str:
    """exampleA, or the first voice where that is not registered."""
    listed = client.get("/api/v1/prompts")
    if listed.status != 200:
        raise Failed(f"The voices could not be listed: {listed.why}")
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
        raise Failed(f"The sentence was not spoken: {answer.why}")


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


def verify(client: Client, settings: Settings, pid: int) -> None:
    """Checks the server, then says what to do next."""
    _say_what_next(client, settings, pid, *_check(client, settings, pid))


def take_over(client: Client, settings: Settings, pid: int) -> None:
    """Checks the server over its private socket; then it has the port, and the other is told to end. Until
    then the other knows nothing of it."""
    found = _check(client, settings, pid)
    predecessor = settings.run_folder.server()
    if predecessor is None:
        raise Failed("The server that has the port ended meanwhile.")
    say(f"  handing over port {settings.port} of PID {predecessor.pid}")
    hand_over(settings, pid, predecessor.pid)
    os.kill(predecessor.pid, signal.SIGTERM)
    _say_what_next(Client(settings), settings, pid, *found)


def _check(client: Client, settings: Settings, pid: int) -> tuple[dict[str, Any], str]:
    """Readiness, workers, settings, speech. Returns the health and the voice that spoke."""
    log = settings.path(settings.log_file)
    health = wait_until_ready(client, settings, pid)
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
    return health, voice


def _say_what_next(client: Client, settings: Settings, pid: int, health: dict[str, Any], voice: str) -> None:
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
    line = f"{time.strftime('%Y-%m-%d %H:%M:%S')},000 INFO restart_api.sh [-] {outcome}"
    if settings.log_format == "json":
        line = json_line("restart_api.sh", outcome)
    try:
        with settings.path(settings.log_file).open("a") as log:
            log.write(f"{line}\n")
    except OSError as error:
        say(f"  {settings.log_file}: {error.strerror}", sys.stderr)


def status(client: Client, settings: Settings) -> None:
    """Health and lanes. Raises Failed unless the server is healthy."""
    answer = client.get("/api/v1/health")
    health = answer.json()
    if not health:
        raise Failed(f"No answer at {client.base_url}: {answer.body.decode(errors='replace')}")
    stats = client.get("/api/v1/stats/concurrency")
    lines = [f"Health: {health['status']}, up {health['uptime_s']:.0f} s, {model_line(health)}"]
    lines += [f"WARNING: {warning}" for warning in health.get("warnings", [])]
    lines += _stats_lines(stats.json()) if stats.status == 200 else [f"No figures: {stats.why}"]
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


def tell_of_answers(settings: Settings) -> None:
    """Raises Failed if the server that ended has cut some. It tells nothing where it was killed."""
    try:
        told = (settings.run_folder.generation / "answers").read_text()
    except OSError:
        raise Failed(
            "The old server was killed before its last answers had ended. The new one runs."
        ) from None
    n_ended, n_cut = map(int, told.split())
    if n_cut:
        raise Failed(
            f"{n_ended} of its answers ended, {n_cut} were cut: they took longer than ROLLING_TIMEOUT. "
            "The new server runs."
        )
    say(f"  {n_ended} of its answers ended, none was cut")


def main(arguments: list[str]) -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # the voice's sentence, where a terminal knows ASCII only
    settings = Settings.load()
    client = Client(settings)
    verifies = arguments[:1] in (["verify"], ["take-over"])
    try:
        match arguments:
            case ["verify", pid]:
                verify(client, settings, int(pid))
            case ["take-over", pid]:
                private = settings.run_folder.generation / "worker-0.sock"
                take_over(Client(settings, private), settings, int(pid))
            case ["status"]:
                status(client, settings)
            case ["answers"]:
                tell_of_answers(settings)
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

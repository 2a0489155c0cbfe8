"""Requests other than speech that a client of the soak test makes.

The requests create, use and delete voices, words of the lexicon and books (jobs), and send GET requests to
all routes.
"""

from __future__ import annotations

import time
from urllib.parse import quote

import httpx

from scripts.checks.torture.asking import Asking, UnwantedAnswerError
from scripts.checks.torture.sayings import new_text, new_voice
from scripts.checks.torture.speaking import LONGEST

READ = (
    "/", "/docs", "/openapi.json", "/metrics", "/health", "/api/v1/health", "/api/v1/health/live",
    "/api/v1/stats/concurrency", "/api/v1/prompts", "/api/v1/prompts/exampleA",
    "/api/v1/prompts/exampleB/audio", "/api/v1/lexicon", "/api/v1/text/readings?word=重庆", "/api/v1/jobs",
    "/v1/models", "/v1/models/glm-tts", "/v1/audio/models", "/v1/audio/voices", "/v1/audio/voice_consents",
    "/v1/voices", "/v2/voices", "/v1/voices/exampleA", "/speakers", "/api/paas/v4/voice/list",
)  # fmt: skip
_BOOK_S = 1800  # long, since a book is spoken only while requests leave the server free


def read(client: Asking) -> None:
    client.call("GET", client.draw.choice(READ))


def read_all(client: Asking) -> None:
    """Sends a GET request to each route of READ once, so that the server loads what a first request loads."""
    for path in READ:
        client.call("GET", path)


def normalized(client: Asking) -> None:
    client.call("POST", "/api/v1/text/normalize", json={"input_text": new_text(client.draw, 150)})


def voice(client: Asking) -> None:
    """Checks, adds, changes and deletes a voice, and speaks with the voice before and after the change."""
    name = client.own_name
    path = f"/api/v1/prompts/{name}"
    fields = {"index": name, "prompt_text": new_text(client.draw, LONGEST), "consent": "her own"}
    recording = {"prompt_audio": ("a.wav", new_voice(client.draw))}
    client.call("POST", "/api/v1/prompts/check", data=fields, files=recording)
    client.call("POST", "/api/v1/prompts", data=fields, files=recording, status=201)
    _say(client, name)
    client.call("PUT", path, data={"prompt_text": new_text(client.draw, LONGEST)})
    client.call("PUT", path, files={"prompt_audio": ("b.wav", new_voice(client.draw))})
    _say(client, name)
    client.call("DELETE", path)
    client.call("GET", path, status=404)


def openai_voice(client: Asking) -> None:
    name = client.own_name
    fields = {"name": name, "prompt_text": new_text(client.draw, LONGEST), "consent": "any"}
    recording = {"audio_sample": ("a.wav", new_voice(client.draw))}
    client.call("POST", "/v1/audio/voices", data=fields, files=recording)
    _say(client, name)
    client.call("DELETE", f"/v1/audio/voices/{name}")


def zhipu_voice(client: Asking) -> None:
    file = {"file": ("a.wav", new_voice(client.draw))}
    purpose = {"purpose": "voice-clone-input"}
    file_id = client.call("POST", "/api/paas/v4/files", data=purpose, files=file).json()["id"]
    cloning = {
        "voice_name": client.own_name,
        "file_id": file_id,
        "text": new_text(client.draw, LONGEST),
        "input": new_text(client.draw, LONGEST),
    }
    cloned = client.speech("POST", "/api/paas/v4/voice/clone", json=cloning).json()["voice"]
    client.call("POST", "/api/paas/v4/voice/delete", json={"voice": cloned})


def _say(client: Asking, name: str) -> None:
    fields = {"input_text": new_text(client.draw, LONGEST), "index": name, "response_format": "wav"}
    client.speech("POST", "/api/v1/tts", data=fields)


def word(client: Asking) -> None:
    """Adds a word to the lexicon, then reads, replaces and deletes the word."""
    path = f"/api/v1/lexicon/{quote(client.own_name)}"
    client.call("PUT", path, json={"replacement": "这个词"})
    client.call("GET", path)
    client.call("PUT", path, json={"replacement": "那个词"})
    client.call("DELETE", path)
    client.call("GET", path, status=404)


def book(client: Asking) -> None:
    """Lets the server speak a book of two chapters, fetches the book's files and deletes the book."""
    text = "\n\n".join(f"# {n}\n\n{new_text(client.draw, LONGEST)}" for n in range(2))
    id = client.call("POST", "/api/v1/jobs", json={"input_text": text, "index": "exampleA"}, status=202)
    path = f"/api/v1/jobs/{id.json()['id']}"
    if client.draw.random() < 0.3:
        _pause(client, path)
    _wait_for(client, path, "done")
    audio = {"format": client.draw.choice(("mp3", "wav", "flac", "opus", "m4b"))}
    client.call("GET", f"{path}/audio", params=audio)
    client.call("GET", f"{path}/subtitles.{client.draw.choice(('srt', 'vtt'))}")
    client.call("GET", f"{path}/chapters.json")
    client.call("POST", f"{path}/link")
    client.call("DELETE", path)


def _pause(client: Asking, path: str) -> None:
    """Pauses and resumes the job at `path`.

    A job that is already done cannot be paused, which is no fault.
    """
    if client.http.post(f"{path}/pause").status_code == httpx.codes.OK:
        client.call("POST", f"{path}/resume")


def abandoned_book(client: Asking) -> None:
    """Starts a book, and cancels and deletes the book while it is spoken."""
    text = "\n\n".join(new_text(client.draw, LONGEST) for _ in range(3))
    id = client.call("POST", "/api/v1/jobs", json={"input_text": text, "index": "exampleB"}, status=202)
    path = f"/api/v1/jobs/{id.json()['id']}"
    client.http.post(f"{path}/cancel")
    client.call("DELETE", path)


def _wait_for(client: Asking, path: str, state: str) -> None:
    give_up = time.monotonic() + _BOOK_S
    while (job := client.call("GET", path).json())["state"] != state:
        if job["state"] == "failed" or time.monotonic() > give_up:
            raise UnwantedAnswerError(f"a book is {job['state']}: {job}")
        time.sleep(1)


CHANGING = (
    *(read, read, read, read, normalized, normalized, voice, openai_voice, zhipu_voice, word, word),
    *(book, abandoned_book),
)

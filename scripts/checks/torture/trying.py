"""Sends requests to a server that suffers a fault, and checks that each answer is as expected and clear."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from scripts.checks.torture.verdict import Verdict
from tests.api.server_process import Server
from tests.api.waiting import wait_until
from tests.recordings import voice_wav

Answer = Callable[[], httpx.Response]
TONES = "tests.api.tone_app:app"
BOOK = "\n\n".join(f"第{number}段说的是江南的春天和那里的人们。" for number in range(6))
RECORDING = voice_wav(2.0)
SAID_BY_ERRORS = 20  # characters that an error's message must have at least


class Trying:
    """Collects the answers of one server during one `fault`.

    `end` writes one line about them to `verdict`.
    """

    def __init__(self, server: Server, verdict: Verdict, fault: str) -> None:
        self.server, self.client = server, server.client
        self._verdict, self._fault = verdict, fault
        self._wrong: list[str] = []
        self._seen: list[str] = []

    def expect(self, what: str, answer: Answer, *statuses: int) -> httpx.Response | None:
        """Sends a request, and records a fault named `what` if its answer is not as expected.

        The answer must have one of `statuses`. An error must have a code and a message. Returns the answer,
        or None if the connection failed.
        """
        try:
            got = answer()
        except httpx.HTTPError as error:
            self._wrong.append(f"{what}: {type(error).__name__}")
            return None
        seen = f"{what} {got.status_code}"
        if got.status_code not in statuses or (got.is_error and not _is_clear(got)):
            self._wrong.append(f"{seen}: {got.text[:200]}")
        self._seen.append(seen)
        return got

    def expect_service(self) -> None:
        """Checks that speech works, and that a voice, a word and a book can be added and deleted."""
        self.expect("speech", self.speech, 200)
        self.expect("health", lambda: self.client.get("/api/v1/health"), 200)
        self.expect("add a voice", lambda: self.add_voice("after"), 201)
        self.delete("voice", "/api/v1/prompts/after")
        self.expect("add a word", lambda: self.put_word("after"), 200)
        self.delete("word", "/api/v1/lexicon/after")
        book = self.expect("a book", self.new_book, 202)
        if book is not None and book.is_success:
            self.delete("book", f"/api/v1/jobs/{book.json()['id']}")

    def check(self, what: str, *, holds: bool) -> None:
        self._seen.append(f"{what}: {'yes' if holds else 'no'}")
        if not holds:
            self._wrong.append(f"not true: {what}")

    def end(self) -> None:
        seen = "; ".join(self._wrong) or f"{len(self._seen)} answers as they should be"
        self._verdict.note(self._fault, seen, holds=not self._wrong)
        self._verdict.figures[self._fault] = self._seen

    # -- requests

    def speech(self, text: str = "hello", **fields: Any) -> httpx.Response:
        asked = {"input_text": text, "index": "exampleA", "response_format": "wav", **fields}
        return self.client.post("/api/v1/tts", data=asked)

    def spoken_as(self, recording: bytes) -> httpx.Response:
        asked = {"input_text": "hello", "prompt_text": "said", "response_format": "wav"}
        return self.client.post("/api/v1/tts", data=asked, files={"prompt_audio": ("a.wav", recording)})

    def add_voice(self, index: str) -> httpx.Response:
        files = {"prompt_audio": ("a.wav", RECORDING)}
        return self.client.post("/api/v1/prompts", data={"index": index, "prompt_text": "said"}, files=files)

    def put_word(self, word: str) -> httpx.Response:
        return self.client.put(f"/api/v1/lexicon/{word}", json={"replacement": "said so"})

    def new_book(self) -> httpx.Response:
        return self.client.post("/api/v1/jobs", json={"input_text": BOOK, "index": "exampleA"})

    def change_voice(self, index: str) -> httpx.Response:
        return self.client.put(f"/api/v1/prompts/{index}", json={"prompt_text": "said otherwise"})

    def audio_of(self, book: str) -> httpx.Response:
        return self.client.get(f"/api/v1/jobs/{book}/audio", params={"format": "mp3"})

    def look(self, book: str) -> dict[str, Any]:
        seen: dict[str, Any] = self.client.get(f"/api/v1/jobs/{book}").json()
        return seen

    def wait_for(self, books: Collection[str], state: str) -> None:
        wait_until(lambda: {self.look(book)["state"] for book in books} == {state}, 120)

    def delete(self, what: str, path: str) -> None:
        self.expect(f"delete a {what}", lambda: self.client.delete(path), 200)
        self.expect(f"the {what} is gone", lambda: self.client.get(path), 404)


def _is_clear(answer: httpx.Response) -> bool:
    """Returns whether an error's JSON body has a code, and a message that is long enough to be clear."""
    try:
        body = answer.json()
    except ValueError:
        return False
    return len(body.get("message", "")) >= SAID_BY_ERRORS and bool(body.get("code"))


@contextmanager
def trying(verdict: Verdict, fault: str, folder: Path, **options: Any) -> Iterator[Trying]:
    """Starts a server in `folder`, which must not exist yet, and yields a Trying for it.

    The server speaks tones instead of using the model. After the block the server is ended.
    """
    server = Server(folder, TONES, **options)
    try:
        tried = Trying(server, verdict, fault)
        yield tried
        tried.end()
    finally:
        server.end()

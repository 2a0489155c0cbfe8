"""Causes faults of the machine, such as a full disk, under a running server.

During a fault each answer must have the expected status and a clear message. After the fault the server must
work as before.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx

from scripts.checks.torture.disks import Disk, disk, read_only
from scripts.checks.torture.machines import clock_set_back, dns_gone, memory_limit, no_handles
from scripts.checks.torture.trying import Trying, trying
from scripts.checks.torture.verdict import Verdict
from tests.api.waiting import wait_until
from tests.recordings import voice_wav

SLOWLY = {"TONE_DELAY_S": "0.2"}


def run() -> Verdict:
    verdict = Verdict("faults")
    if os.geteuid() != 0:
        verdict.note("faults", "need root: disks, name servers and limits of one's own", holds=False)
        return verdict
    faults: tuple[Callable[[Verdict, Path], None], ...] = (
        *(full_disk, read_only_folders, full_tmp, no_handles, clock_set_back, dns_gone, memory_limit),
    )
    with tempfile.TemporaryDirectory() as name:
        for fault in faults:
            try:
                fault(verdict, Path(name) / fault.__name__)
            except (AssertionError, OSError, httpx.HTTPError) as error:
                verdict.note(fault.__name__, f"{type(error).__name__}: {error}"[:500], holds=False)
    verdict.end()
    return verdict


def full_disk(verdict: Verdict, _: Path) -> None:
    """Fills the disk that holds the voices, words, books and the log, and checks the server's answers.

    Speech must still work, changes must be refused with status 507, and deletions must work.
    """
    with disk(12) as own, trying(verdict, "full disk", own.path / "server", environ=SLOWLY) as tried:
        for name in ("a", "b"):
            tried.add_voice(name)
            tried.put_word(name)
        books = [str(tried.new_book().json()["id"]) for _ in range(2)]
        tried.wait_for(books, "done")
        own.fill()
        tried.expect("speech", tried.speech, 200)
        tried.expect("speech of a recording", lambda: tried.spoken_as(voice_wav(20.0)), 200)
        tried.expect("add a voice", lambda: tried.add_voice("c"), 507)
        tried.expect("change a voice", lambda: tried.change_voice("a"), 507)
        tried.expect("add a word", lambda: tried.put_word("c"), 507)
        tried.expect("a book", tried.new_book, 507)
        tried.expect("a book's audio", lambda: tried.audio_of(books[0]), 507)
        tried.expect("health", lambda: tried.client.get("/api/v1/health"), 200)
        for what, path in (("word", "lexicon/a"), ("voice", "prompts/a"), ("book", f"jobs/{books[1]}")):
            own.fill()
            tried.delete(what, f"/api/v1/{path}")
        own.empty()
        tried.expect("a book's audio", lambda: tried.audio_of(books[0]), 200)
        _book_that_meets_it(tried, own)
        tried.expect_service()


def _book_that_meets_it(tried: Trying, own: Disk) -> None:
    """Checks that a book pauses when the disk is full, names the reason, and finishes after it is resumed."""
    book = str(tried.new_book().json()["id"])
    wait_until(lambda: tried.look(book)["segments_done"] > 0)
    own.fill()
    tried.wait_for([book], "paused")
    tried.check("the paused book says why", holds="make room" in tried.look(book)["message"])
    own.empty()
    tried.expect("resume", lambda: tried.client.post(f"/api/v1/jobs/{book}/resume"), 200)
    tried.wait_for([book], "done")


def read_only_folders(verdict: Verdict, folder: Path) -> None:
    with trying(verdict, "read-only folders", folder) as tried:
        tried.add_voice("a")
        tried.put_word("a")
        book = str(tried.new_book().json()["id"])
        tried.wait_for([book], "done")
        with read_only(folder / "data", folder / "configs"):
            tried.expect("speech", tried.speech, 200)
            tried.expect("speech of a voice", lambda: tried.speech(index="a"), 200)
            tried.expect("add a voice", lambda: tried.add_voice("c"), 503)
            tried.expect("change a voice", lambda: tried.change_voice("a"), 503)
            tried.expect("add a word", lambda: tried.put_word("c"), 503)
            tried.expect("a book", tried.new_book, 503)
            tried.expect("a book's audio", lambda: tried.audio_of(book), 503)
            for path in ("lexicon/a", "prompts/a", f"jobs/{book}"):
                tried.expect("delete", partial(tried.client.delete, f"/api/v1/{path}"), 503)
            tried.expect("subtitles", lambda: tried.client.get(f"/api/v1/jobs/{book}/subtitles.srt"), 200)
        tried.expect("a book's audio", lambda: tried.audio_of(book), 200)
        tried.expect_service()


def full_tmp(verdict: Verdict, folder: Path) -> None:
    """Fills the disk of TMPDIR, where the server stores uploads that are too large for memory.

    Speech of a large recording must be refused with status 503, and other requests must work.
    """
    recording = voice_wav(25.0, 96000)
    with disk(20) as own:
        environ = {"TMPDIR": str(own.path)}
        with trying(verdict, "full TMPDIR", folder, environ=environ) as tried:
            tried.expect("speech of a large recording", lambda: tried.spoken_as(recording), 200)
            own.fill()
            tried.expect("speech", tried.speech, 200)
            tried.expect("speech of a large recording", lambda: tried.spoken_as(recording), 503)
            tried.expect("speech of a small one", lambda: tried.spoken_as(voice_wav(2.0)), 200)
            tried.expect_service()
            own.empty()
            tried.expect("speech of a large recording", lambda: tried.spoken_as(recording), 200)

"""Kills a process with SIGKILL while it writes, many times, and checks that acknowledged writes last."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import soundfile

from glm_tts_api.errors import ServiceError
from glm_tts_api.longform.folder import JobFolder
from scripts.checks.torture.verdict import Verdict
from scripts.checks.torture.writer import lexicon_of, store_of
from tests.voices.shelf import make_configs

ROOT = Path(__file__).resolve().parents[3]
LONGEST_S = 0.25


class Writer:
    """A process that writes voices, words, books and log lines in child processes, which are killed.

    `acknowledged` maps each kind of thing to a dictionary of names and their last acknowledged contents.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.acknowledged: dict[str, dict[str, Any]] = {
            room: {} for room in ("voice", "word", "book", "line")
        }
        self._decode = json.JSONDecoder().raw_decode
        self.n_changes: Counter[str] = Counter()
        reading, self._log = os.pipe()
        self.log = folder / "log"
        logging = [sys.executable, "-m", "glm_tts_api.service.log_writer", str(self.log)]
        self._logger = subprocess.Popen(logging, cwd=ROOT, stdin=reading)
        os.close(reading)
        command = [sys.executable, "-m", "scripts.checks.torture.writer", str(folder), str(self._log)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[self._log]
        )

    def write_and_be_killed(self, seed: int, after_s: float) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{seed}\n".encode())
        self._process.stdin.flush()
        for room, name, content in self._said():
            if room == "begun":
                pid = int(name)
                threading.Timer(after_s, os.kill, (pid, signal.SIGKILL)).start()
            elif room == "ended":
                if int(name) != signal.SIGKILL:
                    raise RuntimeError(f"a writer ended by itself: {name}")
                return
            else:
                self.n_changes[room] += 1
                self.acknowledged[room][name] = content

    def _said(self) -> Any:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            text, end = line.decode(), 0
            while end < len(text.rstrip()):  # a kill may cut a line's end, so that two messages share a line
                said, end = self._decode(text, end)
                yield said
        raise RuntimeError("the writing process has ended")

    def end(self) -> None:
        """Ends the writing process, and returns when the log's writer has written all lines to the file."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)
        os.close(self._log)
        self._logger.wait(60)


def run(n_kills: int, *, seed: int = 0) -> Verdict:
    verdict, draw = Verdict("kills"), random.Random(seed)
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_configs(folder)
        writer = Writer(folder)
        for number in range(n_kills):
            writer.write_and_be_killed(number, draw.uniform(0, LONGEST_S))
            faults += _voices(writer) + _words(writer) + _books(writer)
        writer.end()
        faults += _lines(writer)
    verdict.note("kill -9", n_kills)
    verdict.note("acknowledged changes", dict(writer.n_changes), holds=len(writer.n_changes) == 4)
    verdict.note_faults("acknowledged changes that were lost, or things that are not whole", faults, n_kills)
    verdict.end()
    return verdict


def _voices(writer: Writer) -> list[str]:
    """Returns the faults of the stored voices: damaged files, and differences from the acknowledged voices.

    The change during which the writer was killed may or may not be stored. `writer.acknowledged` is then set
    to the stored voices, since the next child begins with them.
    """
    store = store_of(writer.folder)
    faults = list(store.warnings)
    known = writer.acknowledged["voice"]
    there: dict[str, Any] = {}
    for voice in store.list_voices():
        if voice.source != "own":
            continue
        there[voice.index] = step = int(voice.transcript)
        seconds = store.get(voice.index).recording.seconds
        if seconds != pytest.approx(1.0 + step / 10):
            faults.append(f"{voice.index} of step {step} lasts {seconds} s")
    faults += _differences("voice", known, there)
    return faults


def _words(writer: Writer) -> list[str]:
    lexicon = lexicon_of(writer.folder)
    there = {word: entry.replacement for word, entry in lexicon.current().entries.items()}
    return [*lexicon.warnings, *_differences("word", writer.acknowledged["word"], there)]


def _differences(room: str, known: dict[str, Any], there: dict[str, Any]) -> list[str]:
    """Returns the differences between the acknowledged contents `known` and the stored contents `there`.

    One difference alone is allowed (the change during which the writer was killed), and gives an empty list.
    `known` is then set to `there`. `room` names the kind of thing in the messages.
    """
    others = [name for name in known.keys() | there.keys() if known.get(name) != there.get(name)]
    faults = [
        f"{room} {name}: {known.get(name)!r} was acknowledged, {there.get(name)!r} is there"
        for name in others
    ]
    known.clear()
    known.update(there)
    return faults if len(faults) > 1 else []


def _books(writer: Writer) -> list[str]:
    """Returns the faults of the stored books.

    An acknowledged book must be there with all acknowledged units, and an acknowledged deletion must have
    removed the book. A unit is a piece of the book that is spoken and stored at once.
    """
    faults = []
    known = writer.acknowledged["book"]
    for name, lengths in known.items():
        folder = JobFolder(writer.folder / name)
        if lengths is None:
            faults += [f"{name} was deleted"] if folder.is_job else []
            continue
        try:
            made = folder.made(folder.read().n_units)
        except (OSError, ServiceError) as error:
            is_deleted = name == list(known)[-1] and not folder.is_job  # the kill came while it was deleted
            faults += [] if is_deleted else [f"{name}: {error}"]
            continue
        faults += [
            f"{name}: unit {n} is gone" for n, length in enumerate(lengths) if made.speech[n] != length
        ]
        faults += [f"{name}: {path}" for path in folder.path.glob("audio/*.flac") if not _is_whole(path)]
    known.clear()
    return faults


def _is_whole(path: Path) -> bool:
    samples, _ = soundfile.read(io.BytesIO(path.read_bytes()))
    return len(samples) == int(path.name.split("-")[1])


def _lines(writer: Writer) -> list[str]:
    lines = [line.partition(" ") for line in writer.log.read_text().splitlines()]
    cut = [name for name, _, rest in lines if len(rest) != int(name.partition("-")[2]) % 300]
    missing = writer.acknowledged["line"].keys() - {name for name, _, _ in lines}
    return [f"line {name} is cut" for name in cut] + [f"line {name} is missing" for name in sorted(missing)]

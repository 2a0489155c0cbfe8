"""What clients ask of a simulated server, and what happens to its processes, disk and clock, by chance."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glm_tts_api.contracts import Recording, SamplingOptions, SpeechRequest, Voice
from glm_tts_api.longform.shelf import Look
from tests.simulation.clients import Call
from tests.simulation.judge import WrongError
from tests.simulation.processes import POISON

if TYPE_CHECKING:
    from tests.simulation.world import World

KEYS = ("first-key-of-the-server", "second-key-with-places", "third-key-with-limits")
VOICE = Voice(Recording(np.zeros(1, np.float32), 8000), "text of exampleA", "")
_WORDS = (
    "river",
    "was",
    "wide",
    "and",
    "the",
    "old",
    "boat",
    "went",
    "slowly",
    "down",
    "to",
    "a",
    "town",
    "of",
    "red",
)
_MOST_OPEN, _MOST_JOBS = 50, 6
# What a server may answer with a status of 500 or more, and a probe of its health too.
_MAY_REFUSE = ("storage_full", "loading", "unhealthy", "draining", "queue_full", "unavailable")
_DAY_S = 86400.0


class Deeds:
    """The clients and the faults from outside. `n_open` is the number of requests without an answer."""

    def __init__(self, world: World) -> None:
        self.world, self.chance = world, world.chance
        self._open = set[asyncio.Task[Any]]()
        self._n_calls = 0

    @property
    def n_open(self) -> int:
        return len(self._open)

    async def do_without_pause(self, seconds: float) -> None:
        """Lets clients take all places for so many seconds, beside a job."""
        until = self.world.now + seconds
        self._job()

        async def ask(n_chars: int) -> None:
            while self.world.now < until:
                call = await self._speak(self._text(n_chars), verify=False, streams=False)
                await asyncio.sleep(20.0 if call.status == 503 else self.chance.random() * 0.1)

        settings = self.world.settings
        for _ in range(self.world.n_engines):
            for n_chars, n in ((190, settings.short_text_concurrency), (300, settings.long_text_concurrency)):
                for _ in range(n + 1):
                    self._start(ask(n_chars))
        await self.world.until(lambda: not self.n_open, seconds + 600, "has answered all requests")

    async def do(self, seconds: float) -> None:
        """Does things by chance for so many seconds."""
        world, chance = self.world, self.chance
        until, between_s = world.now + seconds, chance.choice([1.0, 4.0, 15.0])
        deeds: list[Callable[[], None]] = (
            [self._speech] * 12 + [self._crowd, self._question] + [self._job] * 2
        )
        deeds += [self._change] * 4
        if world.is_hostile:
            deeds += [self._signal] * 2 + [self._disk, self._damage, self._clock]
        while world.now < until:
            await asyncio.sleep(chance.expovariate(1 / between_s))
            world.raise_errors()
            if self.n_open < _MOST_OPEN:
                chance.choice(deeds)()

    async def require_answers(self) -> None:
        """Requires that a calm server answers some requests, one after the other."""
        for verify in (False, True, False):
            for _ in range(5):  # an engine that was unloaded loads for a part of the time-out
                call = await self._speak(self._text(30), verify=verify, streams=self.chance.random() < 0.5)
                if call.status == 200:
                    break
            if call.status != 200:
                raise WrongError(f"a calm server answers {call.status}: {bytes(call.body[:300])!r}")

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._open.add(task)

        def ended(task: asyncio.Task[Any]) -> None:
            self._open.discard(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                self.world.errors.append(error)

        task.add_done_callback(ended)

    def _text(self, n_chars: int) -> str:
        words = [self.chance.choice(_WORDS)]
        while sum(map(len, words)) + len(words) < n_chars:
            words.append(self.chance.choice(_WORDS))
        return " ".join(words).capitalize() + "."

    def _key(self) -> str:
        return self.chance.choice(KEYS) if self.world.has_keys else ""

    # -- speech

    def _speech(self) -> None:
        chance = self.chance
        how: dict[str, Any] = {"key": self._key()}
        if chance.random() < 0.15:
            how["leaves_s"] = chance.expovariate(1 / 5.0)
        if chance.random() < 0.1:
            how["pace_s"] = chance.choice([1.0, 10.0, 40.0])
        text = self._text(chance.choice([20, 45, 120, 190, 300]))
        if self.world.is_hostile and chance.random() < 0.05:
            text = f"{POISON} {text}"
        self._start(self._speak(text, verify=chance.random() < 0.2, streams=chance.random() < 0.5, **how))

    def _crowd(self) -> None:
        for _ in range(self.chance.randint(3, 9)):
            self._speech()

    async def _speak(
        self, text: str, *, verify: bool, streams: bool, key: str | None = None, **how: Any
    ) -> Call:
        world, seed = self.world, self.chance.randint(0, 3)
        asked = SpeechRequest(
            "", text, VOICE, SamplingOptions(seed=seed), audio_format="pcm", verify=verify, streams=streams
        )
        fields = {"input_text": text, "index": "exampleA", "response_format": "pcm", "seed": seed}
        fields |= {"verify": verify, "stream": streams}
        call = Call("POST", "/api/v1/tts", fields, self._first_key() if key is None else key, **how)
        self._n_calls = number = self._n_calls + 1
        world.note(f"request {number}: {len(text)} characters, {verify=} {streams=} {how}")
        call.health_before, n_gave_up = world.parts.speech.status, world.reached["recogniser.gave up"]
        await call.run(world.app)
        call.health_after = world.parts.speech.status
        call.is_unheard = world.reached["recogniser.gave up"] > n_gave_up
        world.note(f"request {number}: {call.status} {call.code} {len(call.body)} bytes")
        world.judge.answer(call, asked)
        return call

    def _first_key(self) -> str:
        return KEYS[0] if self.world.has_keys else ""

    def _question(self) -> None:
        paths = ["/api/v1/health", "/api/v1/stats/concurrency", "/api/v1/jobs", "/metrics"]
        self._start(self._ask("GET", self.chance.choice(paths)))

    async def _ask(self, method: str, path: str, **fields: Any) -> Call:
        call = Call(method, path, fields, self._first_key())
        await call.run(self.world.app)
        self.world.note(f"{method} {path} {call.status} {call.code}")
        self.world.reach(f"{method} {call.status} {call.code}")
        is_refused = call.code in _MAY_REFUSE or path == "/api/v1/health"
        is_wrong = (call.status >= 500 and not is_refused) or call.error is not None
        if is_wrong and not self.world.stopped_since(call.begun_at):
            raise WrongError(f"{method} {path}: {call.status} {bytes(call.body[:300])!r} {call.error!r}")
        return call

    # -- jobs

    def _job(self) -> None:
        chance = self.chance
        if len(self._looks()) >= _MOST_JOBS:
            return
        paragraphs = [self._text(chance.randint(20, 90)) for _ in range(chance.randint(1, 6))]
        if self.world.is_hostile and chance.random() < 0.25:
            paragraphs[chance.randrange(len(paragraphs))] = f"{POISON} here."
        fields = {"index": "exampleA", "seed": chance.randint(0, 3), "verify": chance.random() < 0.3}
        self._start(self._ask("POST", "/api/v1/jobs", input_text="\n\n".join(paragraphs), **fields))

    def _looks(self) -> list[Look]:
        return sorted(self.world.parts.jobs._shelf.looks, key=lambda look: look.job.id)

    def _change(self) -> None:
        if looks := self._looks():
            path = f"/api/v1/jobs/{self.chance.choice(looks).job.id}"
            ways = {
                "pause": ("POST", f"{path}/pause"),
                "resume": ("POST", f"{path}/resume"),
                "resume again": ("POST", f"{path}/resume"),
                "cancel": ("POST", f"{path}/cancel"),
                "delete": ("DELETE", path),
                "look": ("GET", path),
                "audio": ("GET", f"{path}/audio?format=pcm"),
            }
            deed = self.chance.choice([*ways])
            self.world.judge.asked(path.rpartition("/")[2], deed)
            self._start(self._ask(*ways[deed]))

    # -- faults from outside

    def _signal(self) -> None:
        if lives := self.world.lives:
            process = self.chance.choice(lives)
            number = self.chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV])
            self.world.note(f"{number.name} to {process.name} {process.pid}")
            process.send_signal(number)
            if number == signal.SIGSTOP and self.chance.random() < 0.5:
                self.world.loop.call_later(
                    self.chance.uniform(1.0, 200.0), process.send_signal, signal.SIGCONT
                )

    def _disk(self) -> None:
        self.world.disk_is_full = not self.world.disk_is_full
        self.world.note(f"the disk is {'full' if self.world.disk_is_full else 'not full any more'}")

    def _damage(self) -> None:
        """Somebody changes the files of a job."""
        looks = [look for look in self._looks() if look.task is None]
        if not looks:
            return
        look = self.chance.choice(looks)
        audio: Path = look.folder.path / "audio"
        files = sorted(audio.glob("*.flac"))
        deed = self.chance.choice(["strange file", "strange file", "cut", "removed", "no folder"])
        if deed == "strange file" and audio.is_dir():
            (audio / "000099-800-0.flac").write_bytes(b"")
        elif deed == "no folder":
            shutil.rmtree(audio, ignore_errors=True)
        elif files and deed == "cut":
            (file := self.chance.choice(files)).write_bytes(file.read_bytes()[:20])
        elif files:
            self.chance.choice(files).unlink()
        self.world.note(f"a file of job {look.job.id[:8]}: {deed}")
        self.world.reach(f"damage.{deed}")
        self.world.judge.damaged.add(look.job.id)
        self._start(self._ask("GET", f"/api/v1/jobs/{look.job.id}/audio?format=pcm"))

    def _clock(self) -> None:
        days = self.chance.choice([-2, 31, 31])
        self.world.loop.wall_offset += days * _DAY_S
        self.world.note(f"the clock is set by {days} days")

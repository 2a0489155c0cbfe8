"""The requests of clients, and what happens to a server's processes, disk and clock, all by chance. The
clients call the app as uvicorn does, in virtual time. Some read slowly, and some leave."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from glm_tts_api.contracts import SpeechRequest
from glm_tts_api.longform.shelf import Look
from tests.simulation.processes import POISON, asked_of
from tests.simulation.virtual import WrongError

if TYPE_CHECKING:
    from tests.simulation.server_world import World

KEYS = {  # with their limits
    "first-key-of-the-server": "",
    "second-key-with-places": "places = 1\n",
    "third-key-with-limits": "requests_a_minute = 20\n",
}
_WORDS = ["river", "wide", "and", "the", "old", "boat", "went", "slowly", "to", "a", "town", "of", "red"]
_MOST_OPEN, _MOST_JOBS, _MOST_OPEN_JOBS = 50, 15, 5
_NEVER_S = 1e6


@dataclass(eq=False)
class Call:
    """A request and what its client saw. `asked` says what it speaks. `pace_s` is the client's pause after
    each piece of the answer; the client leaves after `leaves_s`. `ends` counts how often the answer ended.
    `is_unheard` says that the recogniser hung meanwhile, died twice, or was given up."""

    method: str
    path: str
    fields: dict[str, Any] = field(default_factory=dict)
    key: str = next(iter(KEYS))
    asked: SpeechRequest | None = field(default=None, repr=False)
    pace_s: float = 0.0
    leaves_s: float = _NEVER_S
    begun_at = took_s = 0.0
    status = ends = 0
    body = b""
    has_left = was_healthy = is_unheard = False
    error: BaseException | None = None

    @property
    def code(self) -> str:
        """The code of an error's body; empty for any other answer."""
        return str(json.loads(bytes(self.body)).get("code", "")) if self.status >= 400 else ""

    async def run(self, world: World) -> None:
        left, body = asyncio.Event(), json.dumps(self.fields).encode() if self.fields else b""
        unread, speech = [{"type": "http.request", "body": body}], world.parts.speech

        async def receive() -> dict[str, Any]:
            if not unread:
                await left.wait()
            return unread.pop() if unread else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if not left.is_set():
                self.status = message.get("status", self.status)
                self.body += message.get("body", b"")
                self.ends += message["type"] == "http.response.body" and not message.get("more_body", False)
                if self.pace_s and message.get("more_body"):
                    await asyncio.sleep(self.pace_s)

        n_given_up = world.n_given_up - (speech.recogniser._n_faults > 2)
        self.begun_at, is_healthy_before = world.loop.now, speech.status == "healthy"
        leaving = world.loop.call_later(self.leaves_s, left.set)
        try:
            await world.app(self._scope(world, body), receive, send)  # type: ignore[arg-type]
        except Exception as error:  # uvicorn cuts the connection
            self.error = error
        leaving.cancel()
        self.took_s, self.has_left = world.loop.now - self.begun_at, left.is_set()
        self.was_healthy = is_healthy_before and speech.status == "healthy"
        self.is_unheard = world.n_given_up > n_given_up

    def _scope(self, world: World, body: bytes) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        headers = [(b"host", b"localhost"), (b"content-length", str(len(body)).encode())]
        headers += [(b"content-type", b"application/json")] if body else []
        headers += [(b"authorization", f"Bearer {self.key}".encode())] if world.has_keys else []
        scope: dict[str, Any] = {"type": "http", "http_version": "1.1", "method": self.method, "path": path}
        scope |= {"query_string": query.encode(), "client": ("127.0.0.1", 40000), "state": {}}
        return {**scope, "headers": headers}


class Deeds:
    """The clients and the faults from outside. `open` has the requests without an answer."""

    def __init__(self, world: World) -> None:
        self.world, self.chance = world, world.chance
        self.open = set[asyncio.Task[Any]]()
        self._n_calls = 0

    async def do(self, seconds: float) -> None:
        """Does things by chance for so many seconds, mostly some kinds of them."""
        world, chance = self.world, self.chance
        until, between_s = world.loop.now + seconds, chance.choice([1.0, 4.0, 15.0])
        deeds = [(self._speech, 12), (self._question, 1), (self._job, 2), (self._change, 4)]
        if world.is_hostile:
            deeds += [(self._hurt, 2), (self._fill_disk, 1), (self._damage, 2), (self._set_clock, 1)]
        weights = [weight * chance.choice([0.1, 1.0, 1.0, 5.0]) for _, weight in deeds]
        while world.loop.now < until:
            await asyncio.sleep(chance.expovariate(1 / between_s))
            if len(self.open) < _MOST_OPEN:
                chance.choices(deeds, weights)[0][0]()

    async def do_without_pause(self, seconds: float) -> None:
        """Lets clients take all places for so many seconds, beside a job."""
        until, settings = self.world.loop.now + seconds, self.world.settings
        self._job()

        async def ask(n_chars: int) -> None:
            while self.world.loop.now < until:
                call = await self._speak(self._text(n_chars), verify=False, streams=False)
                await asyncio.sleep(20.0 if call.status != 200 else self.chance.random() * 0.1)

        for n_chars, n in ((190, settings.short_text_concurrency), (300, settings.long_text_concurrency)):
            for _ in range((n + 1) * self.world.n_engines):
                self._start(ask(n_chars))
        await self.world.until(lambda: not self.open, seconds + 600, "has answered all requests")

    def while_down(self) -> None:
        """Does what happens to the files while no server runs: somebody changes them, or a newer version has
        worked on them."""
        self.world.full_until = 0.0
        self.world.judge.while_down()
        for look in self.world.judge.looks:
            if self.chance.random() < 0.3:
                self._damage_one(look)
            elif self.chance.random() < 0.2 and look.job.state not in ("done", "cancelled"):
                options, kind = look.job.options, self.chance.choice(["sampling", "reading"])
                options = options | {kind: options[kind] | {"of_a_newer_version": True}}
                look.folder.write(msgspec.structs.replace(look.job, options=options))

    async def require_answers(self) -> None:
        """Requires that a calm server answers some requests, one after the other."""
        for verify in (False, True, False):
            for tries in range(15):  # an engine that was unloaded loads for a part of the time-out
                call = await self._speak(self._text(30), verify=verify, streams=self.chance.random() < 0.5)
                if call.status == 200:
                    break
                if tries > 3:  # a job's text may still end engines, which are given up for 300 s then
                    await asyncio.sleep(100.0)
            else:
                raise WrongError(f"a calm server answers {call.status}: {bytes(call.body[:300])!r}")

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        self.open.add(task := self.world.start(work))
        task.add_done_callback(self.open.discard)

    def _text(self, n_chars: int) -> str:
        words = [self.chance.choice(_WORDS)]
        while sum(map(len, words)) + len(words) < n_chars:
            words.append(self.chance.choice(_WORDS))
        return " ".join(words).capitalize() + "."

    # -- requests

    def _speech(self) -> None:
        """A client asks for speech, or a crowd does."""
        chance = self.chance
        for _ in range(chance.choice([1] * 12 + [3, 9])):
            how: dict[str, Any] = {"key": chance.choice([*KEYS])}
            if chance.random() < 0.15:
                how["leaves_s"] = chance.expovariate(1 / 5.0)
            if chance.random() < 0.2:
                how["pace_s"] = chance.choice([1.0, 10.0, 40.0])
            text = self._text(chance.choice([20, 45, 120, 190, 300]))
            if self.world.is_hostile and chance.random() < 0.08:
                text = f"{POISON} {text}"
            self._start(self._speak(text, verify=chance.random() < 0.2, streams=chance.random() < 0.5, **how))

    async def _speak(self, text: str, *, verify: bool, streams: bool, **how: Any) -> Call:
        seed = self.chance.randint(0, 3)
        fields = {"input_text": text, "index": "exampleA", "response_format": "pcm", "seed": seed}
        fields |= {"verify": verify, "stream": streams}
        asked = asked_of(text, seed, verify=verify, streams=streams)
        return await self._ask(Call("POST", "/api/v1/tts", fields, asked=asked, **how))

    async def _ask(self, call: Call) -> Call:
        """Sends a request, waits for its answer and has it judged."""
        world = self.world
        self._n_calls = number = self._n_calls + 1
        world.note(f"request {number}: {call}")
        await call.run(world)
        status = f"{call.method} {call.status} {call.code or 'whole' if call.ends else 'cut'}"
        world.note(f"request {number}: {status}, {len(call.body)} bytes", reaches=status)
        world.judge.answer(call)
        return call

    def _question(self) -> None:
        paths = ["/api/v1/health", "/api/v1/stats/concurrency", "/api/v1/jobs", "/metrics"]
        self._start(self._ask(Call("GET", self.chance.choice(paths))))

    def _job(self) -> None:
        chance = self.chance
        if len(self.world.judge.looks) < _MOST_JOBS and len(self.world.judge.open_jobs()) < _MOST_OPEN_JOBS:
            paragraphs = [self._text(chance.randint(20, 90)) for _ in range(chance.randint(1, 6))]
            if self.world.is_hostile and chance.random() < 0.25:
                paragraphs[chance.randrange(len(paragraphs))] = f"{POISON} here."
            fields = {"index": "exampleA", "seed": chance.randint(0, 3), "verify": chance.random() < 0.5}
            fields["input_text"] = "\n\n".join(paragraphs)
            self._start(self._ask(Call("POST", "/api/v1/jobs", fields)))

    def _change(self) -> None:
        """A client looks at a job or changes it, often more than once."""
        if looks := self.world.judge.looks:
            self._start(self._change_job(self.chance.choice(looks).job.id))

    async def _change_job(self, id: str) -> None:
        path = f"/api/v1/jobs/{id}"
        ways = [("POST", f"{path}/{to}") for to in ("pause", "pause", "resume", "resume", "cancel")]
        ways += [("DELETE", path), ("GET", path), ("GET", f"{path}/audio?format=pcm")]
        for _ in range(self.chance.choice([1, 1, 2, 4])):
            method, path = self.chance.choice(ways)
            deed = "delete" if method == "DELETE" else path
            self.world.judge.asked(id, deed)
            await self._ask(Call(method, path))
            self.world.judge.asked(id, deed)
            await asyncio.sleep(self.chance.choice([0.0, 1.0, 3.0]))

    # -- faults from outside

    def _hurt(self) -> None:
        """A person sends a signal to a process."""
        if lives := self.world.lives:
            signals = ["SIGKILL", "SIGKILL", "SIGSTOP", "SIGSTOP for a while", "SIGSEGV"]
            self.chance.choice(lives).fail(self.chance.choice(signals))

    def _fill_disk(self) -> None:
        self.world.note("the disk is full")
        self.world.full_until = self.world.loop.now + self.chance.choice([3.0, 30.0, 100.0])

    def _damage(self) -> None:
        """Somebody changes the files of a job, and asks for its audio."""
        if looks := [look for look in self.world.judge.looks if look.task is None]:
            self._damage_one(look := self.chance.choice(looks))
            self._start(self._ask(Call("GET", f"/api/v1/jobs/{look.job.id}/audio?format=pcm")))

    def _damage_one(self, look: Look) -> None:
        audio = look.folder.path / "audio"
        files = sorted(audio.glob("*.flac"))
        deed = self.chance.choice(["strange file", "cut", "removed", "no folder"])
        if deed == "strange file" and audio.is_dir():
            (audio / "000099-800-0.flac").write_bytes(b"")
        elif deed == "no folder":
            shutil.rmtree(audio, ignore_errors=True)
        elif files and deed == "cut":
            (file := self.chance.choice(files)).write_bytes(file.read_bytes()[:20])
        elif files:
            self.chance.choice(files).unlink()
        self.world.note(f"a file of job {look.job.id[:8]}: {deed}", reaches=f"damage.{deed}")
        self.world.judge.damaged.add(look.job.id)

    def _set_clock(self) -> None:
        days = self.chance.choice([-2, 31, 31])
        self.world.loop.wall_offset += days * 86400.0
        self.world.note(f"the clock is set by {days} days")

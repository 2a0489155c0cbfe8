"""Judges a history: whether each request ended as it may, whether everything came back, and whether anybody
waited for nothing."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import soundfile

from glm_tts_api.contracts import SamplingOptions, SpeechRequest
from glm_tts_api.longform.job import Unit
from glm_tts_api.longform.shelf import Look
from tests.simulation.clients import Call
from tests.simulation.processes import EngineProcess
from tests.simulation.spoken import best_of, encoded, segments_of, takes_of

if TYPE_CHECKING:
    from tests.simulation.world import World

_FREE_PLACE_S = 45.0  # the longest wait while a ready engine has a free place
_PROGRESS_S = 1500.0  # of a job while an engine is ready: five deaths cost 300 s, and so does a turn
_LOAD_S = 1000.0  # the longest load of a process, which may hang
_GRACE_S = 15.0  # after a deadline: the client's error may come so much later
_UNHEARD_S = 200.0  # the longest wait for a recogniser that hangs
_EARLY_SEGMENTS = 5  # an answer of so many segments may be refused before its deadline


class WrongError(Exception):
    """The history shows a fault of the server."""


class Judge:
    """`damaged` has the ids of jobs whose files somebody has changed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.damaged = set[str]()
        self._waits_since: dict[tuple[str, int], float] = {}
        self._jobs: dict[str, tuple[tuple[Any, ...], float]] = {}
        self._deeds: dict[str, set[str]] = {}  # what was asked of a job since it was last seen
        self._expected: dict[tuple[str, int, bool], bytes] = {}

    # -- answers

    def answer(self, call: Call, asked: SpeechRequest) -> None:
        """Judges the end of a request for speech."""
        if call.has_left:
            return
        took_s, timeout_s = call.ended_at - call.begun_at, self.world.timeout_of(asked.text)
        self.world.reach(f"answer.{call.status}.{call.code or ('whole' if call.is_whole else 'cut')}")
        is_late = took_s >= timeout_s - 0.1
        if not call.pace_s:
            self.world.wait("answer after its time-out", took_s - timeout_s)
            if took_s > timeout_s + _GRACE_S + _UNHEARD_S * asked.verify:
                raise WrongError(f"a request took {took_s:.0f} s; its time-out is {timeout_s:g} s")
        if call.ends > 1:
            raise WrongError(f"an answer ended {call.ends} times")
        if call.is_whole:
            self._require_audio(call, asked)
        elif call.status == 200:
            self._require_beginning(call, asked, is_late)
        elif not self._may_be_refused(call, asked, is_late):
            raise WrongError(
                f"status {call.status} after {took_s:.1f} s of {timeout_s:g} s, health {call.health_before}, "
                f"{call.health_after}: {bytes(call.body[:300])!r} {call.error!r}"
            )

    def _may_be_refused(self, call: Call, asked: SpeechRequest, is_late: bool) -> bool:
        match call.code:
            case "deadline_passed":
                return is_late or len(segments_of(asked.text)) >= _EARLY_SEGMENTS
            case "fatal_text":
                return self.world.deaths_at[asked.text] >= 3
            case "loading" | "unhealthy":
                return is_late or not call.health_before == call.health_after == "healthy"
            case "draining":
                return self.world.stopped_since(call.begun_at)
            case _:
                return call.code in ("queue_full", "rate_limited")

    def _require_audio(self, call: Call, asked: SpeechRequest) -> None:
        is_repaired = asked.verify and not asked.streams
        key = asked.text, asked.sampling.seed, is_repaired
        if key not in self._expected:
            takes = [*takes_of(asked)]
            self._expected[key] = encoded(
                [best_of(each) if is_repaired else each[0] for each in takes], asked
            )
        if call.body == self._expected[key]:
            return
        of_takes = product(*takes_of(asked)) if is_repaired and call.is_unheard else ()
        if any(call.body == encoded([*each], asked) for each in of_takes):
            return
        raise WrongError(
            f"an answer of {len(call.body)} bytes is not that of the undisturbed run: {asked.text!r}"
        )

    def _require_beginning(self, call: Call, asked: SpeechRequest, is_late: bool) -> None:
        is_well = call.health_before == call.health_after == "healthy"
        may_be_cut = is_late or not is_well or self.world.stopped_since(call.begun_at)
        if not may_be_cut and self.world.deaths_at[asked.text] < 3:
            raise WrongError(f"an answer was cut after {call.ended_at - call.begun_at:.1f} s: {call.error!r}")
        if not encoded([takes[0] for takes in takes_of(asked)], asked).startswith(call.body):
            raise WrongError("the beginning of an answer that was cut is not that of the undisturbed run")

    # -- while time passes

    def look(self) -> None:
        """Judges the state of the server at this moment; is called every few seconds."""
        now, speech = self.world.now, self.world.parts.speech
        for lane in speech.admission.lanes.values():
            for number, engine in enumerate(speech.engines.each):
                key, counts = (lane.name, number), lane.counts[number]
                is_free = counts["active"] < speech.admission.limit_on(number, lane.name)
                may = any(speech.admission.may_hold(turn.client) for turn in lane.waiting)
                if not (may and is_free and engine.state.status == "ready"):
                    self._waits_since.pop(key, None)
                    continue
                waited_s = now - self._waits_since.setdefault(key, now)
                self.world.wait("free place", waited_s)
                if waited_s > _FREE_PLACE_S:
                    raise WrongError(
                        f"{len(lane.waiting)} requests wait in the {lane.name} lane for {waited_s:.0f} s; "
                        f"engine {number} is ready and has {counts['active']} of them"
                    )
        for process in self.world.lives:
            if isinstance(process, EngineProcess) and not process.is_ready:
                self.world.wait("load", now - process.began_at)
                if now - process.began_at > _LOAD_S:
                    raise WrongError(f"a process loads since {now - process.began_at:.0f} s and is not ended")
        self._look_at_jobs(now)
        self.world.reach(f"health.{speech.status}")
        for engine in speech.engines.each:
            self.world.reach(f"engine.{engine.state.status}")

    def asked(self, id: str, deed: str) -> None:
        """Notes what a client asks of a job."""
        self._deeds.setdefault(id, set()).add(deed)

    def _look_at_jobs(self, now: float) -> None:
        speech = self.world.parts.speech
        looks: dict[str, Look] = {look.job.id: look for look in self.world.parts.jobs._shelf.looks}
        for id in {*self._jobs} - {*looks}:
            if "delete" not in self._deeds.get(id, ()) and not self._jobs[id][0][-1]:
                raise WrongError(f"a job that was {self._jobs[id][0][0]} is gone, and nobody has deleted it")
            del self._jobs[id]
        n_open = sum(look.state in ("queued", "running") for look in looks.values())
        for id, look in looks.items():
            self.world.reach(f"job.{look.state}")
            made = look.made
            seen = look.state, made.n_units, look.job.n_units, made.n_samples, look.job.expires_at
            before, since = self._jobs.get(id, ((look.state,), now))
            is_resumed = before[0] in ("paused", "done", "cancelled") and look.state in ("queued", "running")
            if is_resumed and not {"resume", "resume again"} & self._deeds.get(id, set()):
                raise WrongError(f"a job that was {before[0]} is {look.state}, and nobody has resumed it")
            is_worked_at = look.state in ("queued", "running") and not look.runs_elsewhere
            # A job makes progress only while an engine speaks, and in turn with the other jobs.
            if before != seen or not is_worked_at or speech.status != "healthy":
                self._jobs[id] = seen, now
                continue
            self.world.wait("job", now - since)
            if now - since > _PROGRESS_S * max(1, n_open):
                raise WrongError(f"a job is {look.state} with {seen[1:3]} pieces for {now - since:.0f} s")

    # -- at rest

    def jobs(self) -> None:
        """Judges the jobs, all of which are at rest."""
        for look in self.world.parts.jobs._shelf.looks:
            self.world.note(f"job {look.job.id[:8]}: {look.state} {look.made.n_units} of {look.job.n_units}")
            if look.state == "done" and look.job.id not in self.damaged:
                for unit in look.folder.units():
                    if unit.block >= 0:  # else it is a segment of an answer that was late
                        self._require_unit(look, unit)
            elif look.state == "failed" and not look.job.message:
                raise WrongError("a job has failed and does not say why")

    def _require_unit(self, look: Look, unit: Unit) -> None:
        from tests.simulation.deeds import VOICE

        asked = SpeechRequest("", unit.text, VOICE, SamplingOptions(seed=unit.seed), audio_format="pcm")
        files = [*(look.folder.path / "audio").glob(f"{unit.index:06d}-*.flac")]
        if len(files) != 1:
            raise WrongError(f"a piece of a job that is done has {len(files)} files")
        spoken = soundfile.read(files[0], dtype="int16")[0].tobytes()
        takes = [*takes_of(asked)]
        choices = product(*takes) if look.job.options.get("verify") else [[each[0] for each in takes]]
        if not any(spoken == encoded([*each], asked) for each in choices):
            raise WrongError(f"a piece of a job is not that of the undisturbed run: {unit.text!r}")

    def rest(self) -> None:
        """Judges a server that has nothing to do: it holds nothing."""
        parts = self.world.parts
        speech = parts.speech
        held: dict[str, int] = {
            "active requests": len(speech.active),
            "unanswered requests": len(parts.in_flight.tasks),
            "spare places": sum(map(abs, speech.spare._taken)) + len(speech.spare._permits),
            "waiting for spare places": sum(not each.done() for each in speech.spare._queue),
            "places of keys": speech.admission._held.total(),
            "a reserved engine": speech.engines._reserved is not None,
            "a suspect's turn": speech.engines._one_suspect.locked(),
            "the recogniser's turn": speech.recogniser._turn.locked(),
        }
        for admission in (speech.admission, speech.verification, parts.beside):
            for lane in admission.lanes.values():
                held[f"places of a lane, {lane.name}"] = sum(abs(counts["active"]) for counts in lane.counts)
                held[f"waiting in a lane, {lane.name}"] = len(lane.waiting)
        for engine in speech.engines.each:
            held["streams of an engine"] = engine.n_streams
            held["questions to an engine"] = len(engine._questions)
        for process in self.world.lives:
            held[f"requests in {process.name} {process.pid}"] = len(process.spoken())
        engines = sum(isinstance(each, EngineProcess) for each in self.world.lives)
        held["engines too many"] = max(0, engines - len(speech.engines.each))
        held["recognisers too many"] = max(0, len(self.world.lives) - engines - 1)
        held["half-written files"] = len([*self.world.root.rglob("*.new")])
        if any(held.values()):
            raise WrongError(f"at rest the server holds { {what: n for what, n in held.items() if n} }")

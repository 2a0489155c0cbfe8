"""Judges a history: whether each request ended as it may, whether everything came back, whether anybody
waited for nothing, and whether anything was done that nobody asked for."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import soundfile

from glm_tts_api.contracts import SpeechRequest
from glm_tts_api.engine import messages
from glm_tts_api.longform.job import Unit
from glm_tts_api.longform.shelf import Look
from tests.simulation.processes import EngineProcess, asked_of, best_of, encoded, segments_of, takes_of

if TYPE_CHECKING:
    from tests.simulation.deeds import Call
    from tests.simulation.world import World

_FREE_PLACE_S = 45.0  # the longest wait while a ready engine has a free place
_PROGRESS_S = 1500.0  # of a job while an engine is ready: five deaths cost 300 s, and so does a turn
_LOAD_S = 1000.0  # the longest load of a process, which may hang
_GRACE_S = 15.0  # after a deadline: the client's error may come so much later
_LEFT_S = 10.0  # after the client has left; a call in a thread may take some seconds
_UNHEARD_S = 200.0  # the longest wait for a recogniser that hangs
_ANSWER_S = 60.0  # for all but speech
_EARLY_SEGMENTS = 5  # an answer of so many segments may be refused before its deadline
# The errors that a server, or a probe of its health, may answer with a status of 500 or more.
_MAY_REFUSE = ("storage_full", "loading", "unhealthy", "draining", "queue_full", "unavailable")
_RESUMED_S = 5.0  # from a resume until the job is seen to go on
_AT_WORK = ("queued", "running")


class WrongError(Exception):
    """The history shows a fault of the server."""


class Judge:
    """`damaged` has the ids of jobs whose files somebody has changed, and `renewed` those of jobs on which a
    newer version has worked."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.damaged, self.renewed = set[str](), set[str]()
        self._waits_since: dict[tuple[str, int], float] = {}
        self._jobs: dict[str, tuple[tuple[Any, ...], float]] = {}
        self._asked_at: dict[tuple[str, str], float] = {}  # when a change of a job was asked for last
        self._expected: dict[tuple[str, int, bool], bytes] = {}
        self._units: dict[tuple[str, int], tuple[str, int]] = {}  # of jobs, by text and seed

    @property
    def looks(self) -> list[Look]:
        """The server's jobs, in an order that each run of a seed has."""
        return sorted(self.world.parts.jobs._shelf.looks, key=lambda look: look.job.id)

    def open_jobs(self) -> list[Look]:
        return [look for look in self.looks if look.state in _AT_WORK]

    # -- answers

    def answer(self, call: Call) -> None:
        """Judges the end of a request."""
        is_stopped = self.world.stopped_since(call.begun_at)
        if call.has_left:
            if call.took_s > call.leaves_s + _LEFT_S and not call.pace_s:
                raise WrongError(
                    f"a request goes on {call.took_s - call.leaves_s:.0f} s after its client left"
                )
        elif call.asked is not None:
            self._speech(call, call.asked, is_stopped=is_stopped)
        else:
            may_refuse = call.code in _MAY_REFUSE or call.path == "/api/v1/health" or is_stopped
            id = call.path.partition("/jobs/")[2][:32]
            is_gone = (id, "delete") in self._asked_at or (id and id not in self._jobs) or self._expires(id)
            is_cut = not (call.ends or (call.status == 200 and (is_gone or id in self.damaged)))
            is_fault = call.status >= 500 or is_cut or (call.status == 404 and not is_gone)
            if call.took_s > _ANSWER_S or (is_fault and not may_refuse):
                raise WrongError(
                    f"{call.method} {call.path} is answered after {call.took_s:.0f} s: {call.status} "
                    f"{bytes(call.body[:300])!r} {call.error!r}"
                )
            self._look_at_jobs()

    def _speech(self, call: Call, asked: SpeechRequest, *, is_stopped: bool) -> None:
        timeout_s = self.world.settings.admission.measure(len(asked.text)).timeout_s
        is_late = call.took_s >= timeout_s - 0.1
        if not call.pace_s:
            self.world.wait("answer after its time-out", call.took_s - timeout_s)
            if call.took_s > timeout_s + _GRACE_S + _UNHEARD_S * asked.verify:
                raise WrongError(f"a request took {call.took_s:.0f} s; its time-out is {timeout_s:g} s")
        if call.ends > 1:
            raise WrongError(f"an answer ended {call.ends} times")
        is_fatal = self.world.deaths_at[asked.text] >= 3
        if call.status == 200 and call.ends:
            self._require_audio(call, asked)
        elif call.status == 200:
            if not (is_late or is_stopped or is_fatal) and call.was_healthy:
                raise WrongError(f"an answer was cut after {call.took_s:.1f} s: {call.error!r}")
            if not encoded([takes[0] for takes in takes_of(asked)], asked).startswith(call.body):
                raise WrongError("the beginning of a cut answer is not that of the undisturbed run")
        elif not {
            "deadline_passed": is_late or len(segments_of(asked.text)) >= _EARLY_SEGMENTS,
            "fatal_text": is_fatal,
            "loading": is_late or not call.was_healthy,
            "unhealthy": is_late or not call.was_healthy,
            "draining": is_stopped,
        }.get(call.code, call.code in ("queue_full", "rate_limited")):
            raise WrongError(
                f"status {call.status} after {call.took_s:.1f} s of {timeout_s:g} s, "
                f"healthy: {call.was_healthy}: {bytes(call.body[:300])!r} {call.error!r}"
            )

    def _require_audio(self, call: Call, asked: SpeechRequest) -> None:
        is_repaired = asked.verify and not asked.streams
        key = asked.text, asked.sampling.seed, is_repaired
        if key not in self._expected:
            takes = [best_of(each) if is_repaired else each[0] for each in takes_of(asked)]
            self._expected[key] = encoded(takes, asked)
        if call.body != self._expected[key]:
            of_takes = product(*takes_of(asked)) if is_repaired and call.is_unheard else ()
            if not any(call.body == encoded([*each], asked) for each in of_takes):
                raise WrongError(f"an answer is not that of the undisturbed run: {asked.text!r}")

    # -- while time passes

    def look(self) -> None:
        """Judges the state of the server at this moment; is called every few seconds."""
        now, speech = self.world.loop.now, self.world.parts.speech
        for lane in speech.admission.lanes.values():
            may = any(speech.admission.may_hold(turn.client) for turn in lane.waiting)
            for number, engine in enumerate(speech.engines.each):
                key, active = (lane.name, number), lane.counts[number]["active"]
                is_free = active < speech.admission.limit_on(number, lane.name)
                if not (may and is_free and engine.state.status == "ready"):
                    self._waits_since.pop(key, None)
                    continue
                waited_s = now - self._waits_since.setdefault(key, now)
                self.world.wait("free place", waited_s)
                if waited_s > _FREE_PLACE_S:
                    raise WrongError(
                        f"{len(lane.waiting)} requests wait in the {lane.name} lane for {waited_s:.0f} s; "
                        f"engine {number} is ready and has {active} of them"
                    )
        for process in self.world.lives:
            if isinstance(process, EngineProcess) and not process.is_ready:
                self.world.wait("load", now - process.began_at)
                if now - process.began_at > _LOAD_S:
                    raise WrongError(f"a process loads since {now - process.began_at:.0f} s and is not ended")
        self._look_at_jobs()
        self.world.reached[f"health.{speech.status}"] += 1
        for engine in speech.engines.each:
            self.world.reached[f"engine.{engine.state.status}"] += 1

    def while_down(self) -> None:
        """Notes that the server has ended. It forgets a pause that a full disk lacks."""
        self._jobs = {id: (("unknown", *seen[1:]), since) for id, (seen, since) in self._jobs.items()}

    def asked(self, id: str, deed: str) -> None:
        """Notes what a client asks of a job; is called before and after that."""
        self._asked_at[id, deed.rpartition("/")[2]] = self.world.loop.now

    def _expires(self, id: str) -> bool:
        return id in self._jobs and self._jobs[id][0][-1] > 0

    def _look_at_jobs(self) -> None:
        looks = {each.job.id: each for each in self.looks}
        for id in {*self._jobs} - {*looks}:
            if (id, "delete") not in self._asked_at and not self._expires(id):
                raise WrongError(f"a job that was {self._jobs[id][0][0]} is gone, and nobody has deleted it")
            del self._jobs[id]
        for look in looks.values():
            if not look.changing.locked():
                self.world.reached[f"job.{look.state}"] += 1
                self._look_at_job(look)

    def _look_at_job(self, look: Look) -> None:
        now, id, made = self.world.loop.now, look.job.id, look.made
        seen = look.state, made.n_units, look.job.n_units, made.n_samples, look.job.expires_at
        before, since = self._jobs.get(id, (("", 0, 0), now))
        if before[0] in ("paused", "done", "cancelled") and look.state in _AT_WORK:
            if self._asked_at.get((id, "resume"), 0.0) < since - _RESUMED_S:
                raise WrongError(f"a job that was {before[0]} is {look.state}, and nobody has resumed it")
        elif look.state == "failed":
            self._require_reason(look)
        if look.job.n_units and not before[2]:
            self._units |= {(unit.text, unit.seed): (id, unit.index) for unit in look.folder.units()}
        # A job makes progress only while an engine speaks, and in turn with the other jobs.
        is_worked_at = look.state in _AT_WORK and not look.runs_elsewhere
        if before != seen or not is_worked_at or self.world.parts.speech.status != "healthy":
            since = now
        self._jobs[id] = seen, since
        self.world.wait("job", now - since)
        if now - since > _PROGRESS_S * max(1, len(self.open_jobs())):
            raise WrongError(f"a job is {look.state} with {seen[1:3]} pieces for {now - since:.0f} s")

    def _require_reason(self, look: Look) -> None:
        if not look.job.message:
            raise WrongError("a job has failed and does not say why")
        if "damaged" in look.job.message and look.job.id not in self.damaged:
            raise WrongError(f"nobody has damaged a job, and it has failed: {look.job.message}")

    def speaks(self, message: messages.Speak, *, to_ready: bool) -> None:
        """Judges what the server asks of an engine, which can only speak if it is ready."""
        if not to_ready:
            raise WrongError("a request is sent to an engine that has not loaded its model")
        id, unit = self._units.get((message.asked.text, message.asked.sampling.seed), ("", 0))
        look = self.world.parts.jobs._shelf._known.get(id)
        if look is not None and id not in self.damaged and look.made.speech[unit] >= 0:
            raise WrongError(f"a piece of a job that is on the disk is spoken again: {message.asked.text!r}")

    # -- at rest

    def jobs(self) -> None:
        """Judges the jobs, all of which are at rest."""
        for look in self.looks:
            self.world.note(f"job {look.job.id[:8]}: {look.state} {look.made.n_units} of {look.job.n_units}")
            if look.state == "done" and look.job.id not in self.damaged:
                for unit in look.folder.units():
                    if unit.block >= 0:  # else it is a segment of an answer that was late
                        self._require_unit(look, unit)

    def _require_unit(self, look: Look, unit: Unit) -> None:
        files = [*(look.folder.path / "audio").glob(f"{unit.index:06d}-*.flac")]
        if len(files) != 1:
            raise WrongError(f"a piece of a job that is done has {len(files)} files")
        asked = asked_of(unit.text, unit.seed)
        spoken, takes = soundfile.read(files[0], dtype="int16")[0].tobytes(), [*takes_of(asked)]
        choices = product(*takes) if look.job.options.get("verify") else [[each[0] for each in takes]]
        if not any(spoken == encoded([*each], asked) for each in choices):
            raise WrongError(f"a piece of a job is not that of the undisturbed run: {unit.text!r}")

    def rest(self) -> None:
        """Judges a server that has nothing to do: it holds nothing."""
        parts, lives = self.world.parts, self.world.lives
        speech = parts.speech
        held: dict[str, int] = {
            "active requests": len(speech.active),
            "unanswered requests": len(parts.in_flight.tasks),
            "spare places": sum(map(abs, speech.background._taken)) + len(speech.background._permits),
            "waiting for spare places": sum(not each.done() for each in speech.background._queue),
            "places of keys": speech.admission._held.total(),
            "a reserved engine": speech.engines._reserved is not None,
            "a suspect's turn": speech.engines._one_suspect.locked(),
            "the recogniser's turn": speech.recogniser._turn.locked(),
            "streams of engines": sum(engine.n_streams for engine in speech.engines.each),
            "questions to engines": sum(len(engine._questions) for engine in speech.engines.each),
            "requests in processes": sum(len(process.spoken()) for process in lives),
            "half-written files": len([*self.world.root.rglob("*.new")]),
        }
        for admission in (speech.admission, speech.verification, parts.background_admission):
            for lane in admission.lanes.values():
                held[f"places of a lane, {lane.name}"] = sum(abs(counts["active"]) for counts in lane.counts)
                held[f"waiting in a lane, {lane.name}"] = len(lane.waiting)
        engines = sum(isinstance(each, EngineProcess) for each in lives)
        held["engines too many"] = max(0, engines - len(speech.engines.each))
        held["recognisers too many"] = max(0, len(lives) - engines - 1)
        if any(held.values()):
            raise WrongError(f"at rest the server holds { {what: n for what, n in held.items() if n} }")

"""Judges a history: whether each request ended as it may, whether everything came back, whether anybody
waited for nothing, and whether anything was done that nobody asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import soundfile

from glm_tts_api.contracts import Float32, SpeechRequest
from glm_tts_api.engine import messages
from glm_tts_api.longform.job import Unit
from glm_tts_api.longform.shelf import Look
from tests.simulation.processes import EngineProcess, asked_of, best_of, encoded, segments_of, takes_of
from tests.simulation.virtual import require

if TYPE_CHECKING:
    from tests.simulation.deeds import Call
    from tests.simulation.server_world import World

_FREE_PLACE_S = 45.0  # the longest wait while a ready engine has a free place
_PROGRESS_S = 1500.0  # of a job while an engine is ready: five deaths cost 300 s, and so does a turn
_UNABLE_S = 60.0  # the longest time in which a server is called healthy while no engine can speak
_LOAD_S = 1100.0  # the longest load of a process, which may hang: 900 s, looked at once a minute at night
_GRACE_S = 15.0  # after a deadline: the client's error may come so much later
_LEFT_S = 10.0  # after the client has left; a call in a thread may take some seconds
_UNHEARD_S = 200.0  # the longest wait for a recogniser that hangs
_ANSWER_S = 60.0  # for all but speech
_EARLY_SEGMENTS = 5  # an answer of so many segments may be refused before its deadline
# The errors that a server, or a probe of its health, may answer with a status of 500 or more.
_MAY_REFUSE = ("storage_full", "loading", "unhealthy", "draining", "queue_full", "unavailable")
_RESUMED_S = 5.0  # from a resume until the job is seen to go on
_AT_WORK = ("queued", "running")


def _is_one_of(takes: Iterable[Sequence[Float32]], audio: bytes, asked: SpeechRequest) -> bool:
    """Says whether the audio has one of its `takes` for each segment."""
    return any(audio == encoded(each, asked) for each in product(*takes))


class Judge:
    """`damaged` has the ids of jobs whose files somebody has changed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.damaged = set[str]()
        self._unable_since = world.loop.now
        self._waits_since: dict[tuple[str, int], float] = {}
        self._jobs: dict[str, tuple[tuple[Any, ...], float]] = {}
        self._asked_at: dict[tuple[str, str], float] = {}  # when a change of a job was asked for last
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
            late_s = call.took_s - call.leaves_s
            require(late_s <= _LEFT_S or call.pace_s, f"it goes on {late_s:.0f} s after its client left")
        elif call.asked is not None:
            self._speech(call, call.asked, is_stopped=is_stopped)
        else:
            may_refuse = call.code in _MAY_REFUSE or call.path == "/api/v1/health" or is_stopped
            id = call.path.partition("/jobs/")[2][:32]
            is_gone = (id, "delete") in self._asked_at or (id and id not in self._jobs) or self._expires(id)
            is_cut = not (call.ends or (call.status == 200 and (is_gone or id in self.damaged)))
            is_fault = call.status >= 500 or is_cut or (call.status == 404 and not is_gone)
            require(
                call.took_s <= _ANSWER_S and (may_refuse or not is_fault),
                f"{call.method} {call.path} is answered after {call.took_s:.0f} s: {call.status} "
                f"{bytes(call.body[:300])!r} {call.error!r}",
            )
            self._look_at_jobs()

    def _speech(self, call: Call, asked: SpeechRequest, *, is_stopped: bool) -> None:
        timeout_s = self.world.settings.admission.measure(len(asked.text)).timeout_s
        took = f"{call.took_s:.1f} s of {timeout_s:g} s"
        is_late = call.took_s >= timeout_s - 0.1
        if not call.pace_s:
            self.world.wait("answer after its time-out", call.took_s - timeout_s)
            require(call.took_s <= timeout_s + _GRACE_S + _UNHEARD_S * asked.verify, f"a request took {took}")
        require(call.ends <= 1, f"an answer ended {call.ends} times")
        is_fatal = sum(each.died_at >= call.begun_at for each in self.world.processes) >= 3
        if call.status == 200 and call.ends:
            require(self._is_undisturbed(call, asked), f"not the undisturbed answer: {asked.text!r}")
        elif call.status == 200:
            may_cut = is_late or is_stopped or is_fatal or not call.was_healthy
            require(may_cut, f"an answer was cut after {took}: {call.error!r}")
            undisturbed = encoded([takes[0] for takes in takes_of(asked.text, asked.sampling.seed)], asked)
            require(undisturbed.startswith(call.body), "a cut answer is not the beginning of the undisturbed")
        else:
            may_refuse = {
                "deadline_passed": is_late or len(segments_of(asked.text)) >= _EARLY_SEGMENTS,
                "fatal_text": is_fatal,
                **dict.fromkeys(("loading", "unhealthy"), is_late or not call.was_healthy),
                "draining": is_stopped,
            }.get(call.code, call.code in ("queue_full", "rate_limited"))
            said = f"healthy: {call.was_healthy}: {bytes(call.body[:300])!r} {call.error!r}"
            require(may_refuse, f"status {call.status} after {took}, {said}")

    def _is_undisturbed(self, call: Call, asked: SpeechRequest) -> bool:
        """Says whether an answer is that of a run without faults. If the recogniser was given up meanwhile, a
        whole answer may have any take of each segment."""
        takes = [*takes_of(asked.text, asked.sampling.seed)]
        is_repaired = asked.verify and not asked.streams
        best = [[best_of(each) if is_repaired else each[0]] for each in takes]
        return _is_one_of(takes if is_repaired and call.is_unheard else best, call.body, asked)

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
                require(
                    waited_s <= _FREE_PLACE_S,
                    f"{len(lane.waiting)} requests wait in the {lane.name} lane for {waited_s:.0f} s; "
                    f"engine {number} is ready and has {active} of them",
                )
        for process in self.world.lives:
            if isinstance(process, EngineProcess) and not process.is_ready:
                loads_s = now - process.began_at
                self.world.wait("load", loads_s)
                require(loads_s <= _LOAD_S, f"a process loads since {loads_s:.0f} s and is not ended")
        if speech.status != "healthy" or any(each.can_speak for each in self.world.lives):
            self._unable_since = now
        require(now - self._unable_since <= _UNABLE_S, "a server is healthy, and no engine can speak")
        self._look_at_jobs()
        self.world.reached[f"health.{speech.status}"] += 1
        for engine in speech.engines.each:
            self.world.reached[f"engine.{engine.state.status}"] += 1

    def while_down(self) -> None:
        """Notes that the server has ended. It forgets a pause that a full disk lacks."""
        self._jobs = {id: (("unknown", *it[1:]), self.world.loop.now) for id, (it, _) in self._jobs.items()}

    def asked(self, id: str, deed: str) -> None:
        """Notes what a client asks of a job; is called before and after that."""
        self._asked_at[id, deed.rpartition("/")[2]] = self.world.loop.now

    def _expires(self, id: str) -> bool:
        return id in self._jobs and self._jobs[id][0][-1] > 0

    def _look_at_jobs(self) -> None:
        looks = {each.job.id: each for each in self.looks}
        for id in {*self._jobs} - {*looks}:
            (state, *_), since = self._jobs[id]
            may_be_unread = state == "unknown" and self.world.loop.now < since + _ANSWER_S
            if may_be_unread and self.world.parts.jobs._shelf.folder(id).is_job:
                continue
            may_go = (id, "delete") in self._asked_at or self._expires(id)
            require(may_go, f"a job that was {state} is gone, and nobody has deleted it")
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
            is_resumed = self._asked_at.get((id, "resume"), 0.0) >= since - _RESUMED_S
            require(is_resumed, f"a job that was {before[0]} is {look.state}, and nobody has resumed it")
        elif look.state == "failed":
            said = look.job.message
            require(said, "a job has failed and does not say why")
            require("damaged" not in said or id in self.damaged, f"nobody has damaged a job: {said}")
        if look.job.n_units and not before[2]:
            self._units |= {(unit.text, unit.seed): (id, unit.index) for unit in look.folder.units()}
        # A job makes progress only while an engine speaks, and in turn with the other jobs.
        is_worked_at = look.state in _AT_WORK and not look.runs_elsewhere
        if before != seen or not is_worked_at or self.world.parts.speech.status != "healthy":
            since = now
        self._jobs[id] = seen, since
        self.world.wait("job", now - since)
        is_in_time = now - since <= _PROGRESS_S * max(1, len(self.open_jobs()))
        require(is_in_time, f"a job is {look.state} with {seen[1:3]} pieces for {now - since:.0f} s")

    def sent(self, message: object, to_ready: bool) -> None:
        """Judges what the server asks of an engine, which can only speak if it is ready."""
        if not isinstance(message, messages.Speak):
            return
        require(to_ready, "a request is sent to an engine that has not loaded its model")
        text, seed = message.request.text, message.request.sampling.seed
        id, unit = self._units.get((text, seed), ("", 0))
        look = self.world.parts.jobs._shelf._known.get(id)
        is_there = look is not None and id not in self.damaged and look.made.speech[unit] >= 0
        require(not is_there, f"a piece of a job that is on the disk is spoken again: {text!r}")

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
        require(len(files) == 1, f"a piece of a job that is done has {len(files)} files")
        spoken, takes = soundfile.read(files[0], dtype="int16")[0].tobytes(), takes_of(unit.text, unit.seed)
        may_be = [each if look.job.options.get("verify") else each[:1] for each in takes]
        is_undisturbed = _is_one_of(may_be, spoken, asked_of(unit.text, unit.seed))
        require(is_undisturbed, f"a piece of a job is not that of the undisturbed run: {unit.text!r}")

    def rest(self) -> None:
        """Judges a server that has nothing to do: it holds nothing."""
        parts, lives = self.world.parts, self.world.lives
        speech = parts.speech
        engines = sum(isinstance(each, EngineProcess) for each in lives)
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
            "requests in processes": sum(len(process.spoken) for process in lives),
            "half-written files": len([*self.world.root.rglob("*.new")]),
            "engines too many": max(0, engines - len(speech.engines.each)),
            "recognisers too many": max(0, len(lives) - engines - 1),
        }
        for admission in (speech.admission, speech.verification, parts.background_admission):
            for lane in admission.lanes.values():
                held[f"places of a lane, {lane.name}"] = sum(abs(counts["active"]) for counts in lane.counts)
                held[f"waiting in a lane, {lane.name}"] = len(lane.waiting)
        held = {what: n for what, n in held.items() if n}
        require(not held, f"at rest the server holds {held}")

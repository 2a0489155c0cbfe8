"""Looks after one worker: tells the others how far it is, and ends the process when nothing will ever come of
it again, so that whoever looks after it (uvicorn's parent, systemd, a cluster) starts another."""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import sys
import threading
import traceback
from typing import NoReturn

from glm_tts_api.api.app_state import AppState
from glm_tts_api.engine.state import LOADING
from glm_tts_api.settings import Settings
from glm_tts_api.stats.shared import Phase, WorkerRecord

logger = logging.getLogger(__name__)

# "Internal software error" of sysexits.h. uvicorn's parent starts such a worker again; at 3 it would end.
EXIT_LOST = 70
_LOOK_EVERY_S = 0.1
_LAST_ANSWER_S = 0.5  # for the last answers' way out of the process
_STDERR = 2
_PHASES: dict[str, Phase] = {
    "loading": "loading",
    "ready": "ready",
    "idle": "ready",
    "reloading": "ready",
    "stalled": "stalled",
    "failed": "failed",
    "lost": "failed",
}


async def watch(state: AppState, record: WorkerRecord, settings: Settings) -> None:
    """Unloads a model that is not used. Goes on until it is cancelled, or ends the process. A step of
    the model that takes longer than WATCHDOG_S will not end any more; nor will what holds up this loop for as
    long, which may hold the interpreter with it: then there is nothing left but a C thread of faulthandler's,
    whose exit code is 1."""
    engine = state.speech.engine
    status = engine.state.status
    engine.before_hold = faulthandler.cancel_dump_traceback_later
    try:
        while status != "lost":
            record.tell(_PHASES[status])
            if status in LOADING:  # a load may hold the interpreter for long
                faulthandler.cancel_dump_traceback_later()
            else:
                faulthandler.dump_traceback_later(settings.watchdog_s, exit=True, file=_STDERR)
            if status == "stalled" and engine.in_a_step_for(settings.watchdog_s):
                record.count_watchdog_exit()
                logger.critical("A step does not end; every thread is here:\n%s", _stacks())
                engine.give_up(engine.state.cause or "a step of the model has not ended")
            if settings.idle_unload_s and engine.idle_for(settings.idle_unload_s):
                await engine.unload(settings.idle_unload_s)
            await asyncio.sleep(_LOOK_EVERY_S)
            before, status = status, engine.state.status
            _say_change(before, status, engine.state.cause)
    finally:
        faulthandler.cancel_dump_traceback_later()
    record.tell("failed")
    await state.in_flight.drain(settings.drain_timeout)
    await asyncio.sleep(_LAST_ANSWER_S)
    _end(engine.state.cause)


def _say_change(before: str, now: str, cause: str | None) -> None:
    """A stall and its end are said."""
    if now == "stalled" != before:
        logger.error("Nothing new is begun: %s", cause)
    elif before == "stalled" and now == "ready":
        logger.warning("The step has ended; requests are taken again")


def _stacks() -> str:
    """What each thread does, the outermost call first."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return "\n".join(
        f"Thread {names.get(ident, ident)}:\n{''.join(traceback.format_stack(frame)).rstrip()}"
        for ident, frame in sys._current_frames().items()
    )


def _end(cause: str | None) -> NoReturn:
    logger.critical("Ending with exit code %d: %s", EXIT_LOST, cause)
    logging.shutdown()
    os._exit(EXIT_LOST)  # threads that wait for a lost device would hold up any other end

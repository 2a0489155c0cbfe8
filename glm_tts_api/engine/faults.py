"""When a fault is more than a request's: the device is gone, or a stage does nothing any more but fail.

Knows errors; knows nothing of who is told.
"""

from __future__ import annotations

import logging
import threading

import torch

from glm_tts_api.errors import InternalFault, OutOfMemory, ServiceError
from glm_tts_api.logs import without_text

logger = logging.getLogger(__name__)
_TIMES = 3


class EngineLost(Exception):
    """Nothing can be spoken any more in this process; the cause in one sentence."""


class NobodyListens(Exception):
    """The request was left: what is under way for it is to end."""


def device_lost(error: BaseException) -> EngineLost | None:
    """What an error of the device comes to. After most of them (an illegal access, a device that fell off the
    bus) each later call fails as well, until a new process begins; memory that ran out is none of them."""
    if not isinstance(error, torch.AcceleratorError) or "out of memory" in str(error):
        return None
    return _lost("the device failed", error)


def as_service_error(
    error: BaseException, request_id: str, *, done: str, may_quote: bool = False
) -> ServiceError:
    """What the client is told of a fault, which goes to the log. `done`: what was done with its text;
    `may_quote`: by something that knows the text, and may have put it into the error."""
    if isinstance(error, ServiceError):
        return error
    logged = without_text(error) if may_quote else error
    logger.error("A request failed while it was %s", done, exc_info=logged, extra={"request_id": request_id})
    if isinstance(error, torch.OutOfMemoryError):
        return OutOfMemory("The GPU has no memory left for this text: try again later, or send a shorter one")
    return InternalFault(f"Something went wrong while this text was {done}; the server's log has the details")


class FaultWatch:
    """Looks at one stage's faults as they come, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: tuple[type[BaseException], str] | None = None
        self._n_same = 0

    def succeeded(self) -> None:
        """The stage did its work once."""
        with self._lock:
            self._last = None

    def failed(self, error: BaseException) -> EngineLost | None:
        """Whether the stage is lost with this fault: by the device, or as the same one for the third time
        with nothing else between. Memory that runs out, again and again, is load."""
        if isinstance(error, torch.OutOfMemoryError | ServiceError):
            return None
        fault = type(error), str(error)
        with self._lock:
            self._n_same = self._n_same + 1 if fault == self._last else 1
            self._last = fault
            again = self._n_same >= _TIMES
        return device_lost(error) or (_lost(f"the same fault {_TIMES} times", error) if again else None)


def _lost(what: str, error: BaseException) -> EngineLost:
    """A sentence of the error's first line: those below it are about debugging."""
    lost = EngineLost(f"{what}: {type(error).__name__}: {str(error).partition(chr(10))[0]}")
    lost.__cause__ = error
    return lost

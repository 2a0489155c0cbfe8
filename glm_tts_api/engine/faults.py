"""When a fault is more than a request's: the device is gone, or a stage does nothing any more but fail.

Knows errors; does not know their receiver. PyTorch is imported where one of its errors is looked for, so that
an engine's process hears its first messages before that second of work.
"""

from __future__ import annotations

import logging
import re
import threading
from typing import Final

from glm_tts_api.errors import InternalFault, OutOfMemory, ServiceError, StartupError
from glm_tts_api.logs import without_text

logger = logging.getLogger(__name__)
_TIMES = 3
# cuBLAS and cuDNN report the device's faults in plain RuntimeErrors. Their other refusals concern the shapes.
_LIBRARY_LOST: Final = re.compile(r"CU(BLAS|DNN)_STATUS_(EXECUTION_FAILED|INTERNAL_ERROR|MAPPING_ERROR)")
_NO_MEMORY: Final = re.compile(
    r"out of memory|CU(BLAS|DNN)_STATUS_\w*ALLOC\w*_FAILED|CUBLAS_STATUS_NOT_INITIALIZED.*cublas\w*Create"
)
# Memory that runs out during a capture may surface as its end (pytorch/pytorch#187795).
_CAPTURE_ENDED: Final = re.compile(r"error during capture|StreamCaptureInvalidated")


class EngineLost(Exception):
    """This process can speak nothing any more; the message has the cause in one sentence."""


class NobodyListens(Exception):
    """The listener has left: the request's work is to end."""


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether a device had no memory left, for PyTorch or for a library that it calls."""
    import torch

    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and _NO_MEMORY.search(str(error)) is not None
    )


def device_lost(error: BaseException) -> EngineLost | None:
    """The loss of the device that an error stands for, or None. After most of the device's errors (an illegal
    access, a device that fell off the bus) each later call fails as well, until a new process begins; running
    out of memory is no such error."""
    import torch

    if ran_out_of_memory(error) or not isinstance(error, RuntimeError):
        return None
    if isinstance(error, torch.AcceleratorError) or _LIBRARY_LOST.search(str(error)):
        return _lost("the device failed", error)
    return None


def why_not_loaded(error: BaseException) -> str:
    """A sentence of what ended a load, for the operator."""
    if isinstance(error, StartupError | EngineLost):
        return str(error)
    if ran_out_of_memory(error) or (isinstance(error, RuntimeError) and _CAPTURE_ENDED.search(str(error))):
        return (
            f"The memory ran out while the model was loaded ({_first_line(error)}): end what else holds it,"
            " or set SHORT_TEXT_CONCURRENCY and LONG_TEXT_CONCURRENCY to fewer requests"
        )
    return f"{type(error).__name__}: {error}"


def as_service_error(
    error: BaseException, request_id: str, *, done: str, may_quote: bool = False
) -> ServiceError:
    """The error that the client gets for a fault; the fault itself goes to the log. `done`: the step at which
    the text was; `may_quote`: that step knows the text and may have put it into the error."""
    if isinstance(error, ServiceError):
        return error
    logged = without_text(error) if may_quote else error
    logger.error("A request failed while it was %s", done, exc_info=logged, extra={"request_id": request_id})
    if ran_out_of_memory(error):
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
        if isinstance(error, ServiceError) or ran_out_of_memory(error):
            return None
        fault = type(error), str(error)
        with self._lock:
            self._n_same = self._n_same + 1 if fault == self._last else 1
            self._last = fault
            again = self._n_same >= _TIMES
        return device_lost(error) or (_lost(f"the same fault {_TIMES} times", error) if again else None)


def _lost(what: str, error: BaseException) -> EngineLost:
    """A sentence of the error's first line: those below it are about debugging."""
    lost = EngineLost(f"{what}: {type(error).__name__}: {_first_line(error)}")
    lost.__cause__ = error
    return lost


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]

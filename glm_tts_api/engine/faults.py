"""Decides whether a fault ends only its request or the whole engine. A fault ends the engine if the device
has failed, or if a stage fails again and again.

This module knows errors; this module does not know the code that receives the errors. PyTorch is imported
only inside the functions that look for its errors. So an engine's process can receive its first messages
before that import, which takes a second.
"""

from __future__ import annotations

import logging
import re
import threading
from typing import Final

from glm_tts_api.errors import InternalFault, OutOfMemory, ServiceError, StartupError, of_text
from glm_tts_api.logs import without_text
from speech_text import TextError

logger = logging.getLogger(__name__)
_TIMES = 3  # a stage is lost when the same fault comes three times in a row
# cuBLAS and cuDNN report a failed device as a plain RuntimeError with one of these codes. Their other codes
# concern the shapes of the inputs.
_LIBRARY_LOST: Final = re.compile(r"CU(BLAS|DNN)_STATUS_(EXECUTION_FAILED|INTERNAL_ERROR|MAPPING_ERROR)")
_NO_MEMORY: Final = re.compile(
    r"out of memory|CU(BLAS|DNN)_STATUS_\w*ALLOC\w*_FAILED|CUBLAS_STATUS_NOT_INITIALIZED.*cublas\w*Create"
)
# Where memory runs out during the capture of a CUDA graph, the error may only say that the capture ended
# (pytorch/pytorch#187795).
_CAPTURE_ENDED: Final = re.compile(r"error during capture|StreamCaptureInvalidated")


class EngineLost(Exception):
    """This process cannot speak any more. The message is the cause in one sentence."""


class NobodyListens(Exception):
    """The client of a request has left, so the work for the request must end."""


def ran_out_of_memory(error: BaseException) -> bool:
    """Returns whether the error says that a device has no memory left, for PyTorch or for a library that
    PyTorch calls."""
    import torch

    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and _NO_MEMORY.search(str(error)) is not None
    )


def device_lost(error: BaseException) -> EngineLost | None:
    """Returns an EngineLost if the error says that the device has failed, and None otherwise. After most
    errors of a device (an illegal memory access, a GPU that no longer answers) each later call fails too,
    until a new process begins. A lack of memory is not such an error."""
    import torch

    if ran_out_of_memory(error) or not isinstance(error, RuntimeError):
        return None
    if isinstance(error, torch.AcceleratorError) or _LIBRARY_LOST.search(str(error)):
        return _lost("the device failed", error)
    return None


def why_not_loaded(error: BaseException) -> str:
    """Returns the reason why a load failed, as a sentence for the operator."""
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
    """Returns the error that the client gets for a fault, and writes the fault itself to the log. The result
    is OutOfMemory if a device has no memory left, else InternalFault. A ServiceError is returned as it is, a
    TextError as `of_text` has it; neither is logged. `done` says what was being done with the text ("spoken",
    for example). `may_quote` says that the error may contain the text, which is then removed before the fault
    is logged."""
    if isinstance(error, TextError):
        return of_text(error)
    if isinstance(error, ServiceError):
        return error
    logged = without_text(error) if may_quote else error
    logger.error("A request failed while it was %s", done, exc_info=logged, extra={"request_id": request_id})
    if ran_out_of_memory(error):
        return OutOfMemory("The GPU has no memory left for this text: try again later, or send a shorter one")
    return InternalFault(
        f"A fault of the server ended this request while its text was {done}; the log has the details "
        "under the request_id"
    )


class FaultWatch:
    """Counts the faults of one stage, and tells when the stage is lost. Any thread may call it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: tuple[type[BaseException], str] | None = None
        self._n_same = 0

    def succeeded(self) -> None:
        """Notes that the stage has done its work once. The count of equal faults starts again."""
        with self._lock:
            self._last = None

    def failed(self, error: BaseException) -> EngineLost | None:
        """Counts a fault. Returns an EngineLost if the stage is lost: the device has failed, or the same
        fault has come three times with no success and no other fault between. A ServiceError is not counted,
        because it belongs to one request. A lack of memory is not counted, because it comes from too many
        requests at once."""
        if isinstance(error, ServiceError) or ran_out_of_memory(error):
            return None
        fault = type(error), str(error)
        with self._lock:
            self._n_same = self._n_same + 1 if fault == self._last else 1
            self._last = fault
            again = self._n_same >= _TIMES
        return device_lost(error) or (_lost(f"the same fault {_TIMES} times", error) if again else None)


def _lost(what: str, error: BaseException) -> EngineLost:
    """Makes an EngineLost whose message is `what` and the first line of the error. The lines after the first
    one are about debugging."""
    lost = EngineLost(f"{what}: {type(error).__name__}: {_first_line(error)}")
    lost.__cause__ = error
    return lost


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]

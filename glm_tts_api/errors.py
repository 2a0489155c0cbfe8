"""The tree of errors. The message of each says what is wrong and what to do. `code` is the error's stable
name, by default that of its class (queue_full), and `retry_after_s` is set if a client should try again.
Knows no HTTP: each API has its own statuses and bodies for the errors (api/dialects.py). No client ever sees
a StartupError or Failed.
"""

from __future__ import annotations

import re

from speech_text import TextError
from speech_text import quote as quote

# An absolute path of two parts or more. A path in quotes may hold blanks.
_PATH = re.compile(r"""(?P<quote>['"])(?:/[^/'"\n]+){2,}|(?<![\w./:])(?:/[^\s/'"<>:;,()]+){2,}/?""")
_CAPITAL = re.compile("(?<!^)(?=[A-Z])")


def without_paths(text: str) -> str:
    """Returns the text with each absolute path of two parts or more cut down to `…/` and its last part, for
    readers who must not learn the machine's folders."""
    return _PATH.sub(lambda found: f"{found['quote'] or ''}…/{found[0].rstrip('/').rpartition('/')[2]}", text)


class ServiceError(Exception):
    """An error that a client may see. `message` is a sentence that says what to do. `param` is the name of
    the request's field at fault. `retry_after_s` is after how many seconds a client should try again;
    None if it should not."""

    code = "internal"
    retry_after_s: float | None = None

    def __init_subclass__(cls) -> None:
        if "code" not in vars(cls):
            cls.code = _CAPITAL.sub("_", cls.__name__).lower()

    def __init__(self, message: str, param: str | None = None, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        if retry_after_s is not None:
            self.retry_after_s = retry_after_s


class BadRequest(ServiceError): ...


class InvalidField(BadRequest): ...


class NothingToSay(BadRequest): ...


class PromptRejected(BadRequest): ...


class MalformedPronunciation(BadRequest): ...


class Unauthorized(ServiceError): ...


class Forbidden(ServiceError): ...


class WrongKey(Forbidden):
    """The API key is wrong. /api/v1 answers 403, but OpenAI's clients expect 401."""

    code = "forbidden"


class NotFound(ServiceError): ...


class UnknownVoice(NotFound): ...


class UnknownMood(UnknownVoice): ...


class UnknownWord(NotFound): ...


class UnknownJob(NotFound): ...


class RecordingMissing(NotFound): ...


class MethodNotAllowed(ServiceError): ...


class DeadlineExceeded(ServiceError):
    """The request was not done within its time limit. `job` is the id of the job that keeps the finished part
    of its answer; it is empty if there is no such job."""

    code = "deadline_passed"
    job = ""


class VoiceExists(ServiceError): ...


class VoiceChanged(ServiceError): ...


class JobRefuses(ServiceError):
    """The job's state does not allow the change that was asked for."""


class JobRuns(JobRefuses):
    """Another server or program works on the job now, and holds its folder."""

    retry_after_s = 2


class TextTooLong(ServiceError): ...


class BodyTooLarge(ServiceError): ...


class StorageFull(ServiceError): ...


class NotAudio(ServiceError): ...


class RangeNotSatisfiable(ServiceError):
    """The request's Range names no byte of the answer, which has `n_bytes` bytes."""

    def __init__(self, n_bytes: int) -> None:
        super().__init__(f"The Range names no byte of this answer: ask for some of bytes 0 to {n_bytes - 1}.")
        self.n_bytes = n_bytes


class UnparsableBody(ServiceError): ...


class InternalFault(ServiceError):
    code = "internal"

    def __init__(
        self,
        message: str = "A fault of the server; its log has the details under the request_id.",
    ) -> None:
        super().__init__(message)


class FatalText(ServiceError):
    """Engines died again and again while they spoke this text, the last one while it spoke nothing else."""


class Unavailable(ServiceError): ...


class QueueFull(Unavailable):
    retry_after_s = 5


class RateLimited(ServiceError): ...


class Draining(Unavailable):
    retry_after_s = 5


class Loading(Unavailable):
    retry_after_s = 5


class ReplicaLost(Unavailable):
    retry_after_s = 1


class OutOfMemory(Unavailable): ...


class Unhealthy(Unavailable): ...


class ClientGone(Exception):
    """The client has left, or does not read its answer."""


class StartupError(Exception):
    """The server cannot start; the message is for the person who starts it."""


class CheckpointError(StartupError): ...


class AlreadyRunning(StartupError): ...


class Failed(Exception):
    """A command was tried and did not work. It ends with exit code 1."""


def of_text(error: TextError) -> ServiceError:
    """Returns the error that a client gets for a text that cannot be read."""
    kinds = (NothingToSay, TextTooLong, MalformedPronunciation)
    return next((kind for kind in kinds if kind.code == error.code), InvalidField)(str(error))

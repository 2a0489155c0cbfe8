"""The tree of errors. The message of each says what is wrong and what to do. `code` is the error's stable
name, and `retry_after_s` is set if a client should try again. Knows no HTTP: each API has its own statuses
and bodies for the errors (api/dialects.py). No client ever sees a StartupError or Failed.
"""

from __future__ import annotations

import re

from speech_text import TextError
from speech_text import quote as quote

# An absolute path of two parts or more. A path in quotes may hold blanks.
_PATH = re.compile(r"""(?P<quote>['"])(?:/[^/'"\n]+){2,}|(?<![\w./:])(?:/[^\s/'"<>:;,()]+){2,}/?""")


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

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param


class BadRequest(ServiceError):
    code = "bad_request"


class InvalidField(BadRequest):
    code = "invalid_field"


class NothingToSay(BadRequest):
    code = "nothing_to_say"


class PromptRejected(BadRequest):
    code = "prompt_rejected"


class MalformedPronunciation(BadRequest):
    code = "malformed_pronunciation"


class Unauthorized(ServiceError):
    code = "unauthorized"


class Forbidden(ServiceError):
    code = "forbidden"


class WrongKey(Forbidden):
    """The API key is wrong. /api/v1 answers 403, but OpenAI's clients expect 401."""


class NotFound(ServiceError):
    code = "not_found"


class UnknownVoice(NotFound):
    code = "unknown_voice"


class UnknownMood(UnknownVoice):
    code = "unknown_mood"


class UnknownWord(NotFound):
    code = "unknown_word"


class UnknownJob(NotFound):
    code = "unknown_job"


class RecordingMissing(NotFound):
    code = "recording_missing"


class MethodNotAllowed(ServiceError):
    code = "method_not_allowed"


class DeadlineExceeded(ServiceError):
    """The request was not done within its time limit. `job` is the id of the job that keeps the finished part
    of its answer; it is empty if there is no such job."""

    code = "deadline_passed"
    job = ""


class VoiceExists(ServiceError):
    code = "voice_exists"


class VoiceChanged(ServiceError):
    code = "voice_changed"


class JobRefuses(ServiceError):
    """The job's state does not allow the change that was asked for."""

    code = "job_refuses"


class JobRuns(JobRefuses):
    """Another server or program works on the job now, and holds its folder."""

    code = "job_runs"
    retry_after_s = 2


class TextTooLong(ServiceError):
    code = "text_too_long"


class BodyTooLarge(ServiceError):
    code = "body_too_large"


class StorageFull(ServiceError):
    code = "storage_full"


class NotAudio(ServiceError):
    code = "not_audio"


class RangeNotSatisfiable(ServiceError):
    """The request's Range names no byte of the answer, which has `n_bytes` bytes."""

    code = "range_not_satisfiable"

    def __init__(self, n_bytes: int) -> None:
        super().__init__(f"The Range names no byte of this answer: ask for some of bytes 0 to {n_bytes - 1}.")
        self.n_bytes = n_bytes


class UnparsableBody(ServiceError):
    code = "unparsable_body"


class InternalFault(ServiceError):
    def __init__(
        self,
        message: str = "A fault of the server; its log has the details under the request_id.",
    ) -> None:
        super().__init__(message)


class FatalText(ServiceError):
    """Engines died again and again while they spoke this text, the last one while it spoke nothing else."""

    code = "fatal_text"


class Unavailable(ServiceError):
    code = "unavailable"


class QueueFull(Unavailable):
    code = "queue_full"
    retry_after_s: float | None = 5

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        if retry_after_s is not None:
            self.retry_after_s = retry_after_s


class RateLimited(ServiceError):
    code = "rate_limited"

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Draining(Unavailable):
    code = "draining"
    retry_after_s = 5


class Loading(Unavailable):
    code = "loading"
    retry_after_s = 5


class ReplicaLost(Unavailable):
    code = "replica_lost"
    retry_after_s = 1


class OutOfMemory(Unavailable):
    code = "out_of_memory"


class Unhealthy(Unavailable):
    code = "unhealthy"


class ClientGone(Exception):
    """The client has left, or does not read its answer."""


class StartupError(Exception):
    """The server cannot start; the message is for the person who starts it."""


class CheckpointError(StartupError):
    pass


class AlreadyRunning(StartupError):
    pass


class Failed(Exception):
    """A command was tried and did not work. It ends with exit code 1."""


_OF_TEXTS: dict[str, type[ServiceError]] = {
    "nothing_to_say": NothingToSay,
    "text_too_long": TextTooLong,
    "malformed_pronunciation": MalformedPronunciation,
}


def of_text(error: TextError) -> ServiceError:
    """Returns the error that a client gets for a text that cannot be read."""
    return _OF_TEXTS.get(error.code, InvalidField)(str(error))

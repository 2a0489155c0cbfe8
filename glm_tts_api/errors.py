"""One tree of errors: what is wrong, in a sentence that says what to do, under a name that stays (`code`),
and whether to come back. Knows no HTTP: each API has its own statuses and bodies (api/v1/errors.py,
api/openai/errors.py).

ServiceError
├── BadRequest                  bad_request
│   ├── InvalidField            invalid_field
│   ├── NothingToSay            nothing_to_say
│   ├── PromptRejected          prompt_rejected
│   └── MalformedPronunciation  malformed_pronunciation
├── Unauthorized                unauthorized
├── Forbidden                   forbidden
│   └── WrongKey                forbidden
├── NotFound                    not_found
│   ├── UnknownVoice            unknown_voice
│   ├── UnknownWord             unknown_word
│   ├── UnknownJob              unknown_job
│   └── RecordingMissing        recording_missing
├── MethodNotAllowed            method_not_allowed
├── DeadlineExceeded            deadline_passed
├── VoiceExists                 voice_exists
├── VoiceChanged                voice_changed
├── JobRefuses                  job_refuses
│   └── JobRuns                 job_runs     (come back)
├── RateLimited                 rate_limited     (come back)
├── TextTooLong                 text_too_long
├── BodyTooLarge                body_too_large
├── StorageFull                 storage_full
├── NotAudio                    not_audio
├── RangeNotSatisfiable         range_not_satisfiable
├── UnparsableBody              unparsable_body
├── InternalFault               internal
└── Unavailable                 unavailable
    ├── QueueFull               queue_full   (come back)
    ├── Draining                draining     (come back)
    ├── Loading                 loading      (come back)
    ├── ReplicaLost             replica_lost (come back)
    ├── OutOfMemory             out_of_memory
    └── Unhealthy               unhealthy
ClientGone                      there is nobody to answer
StartupError                    a message for the person who starts the server; no client ever sees it
├── AlreadyRunning              another server holds the run folder
└── CheckpointError             what is missing or broken in the checkpoint, and how to get it
"""

from __future__ import annotations

import re

MAX_QUOTED_CHARS = 80
# Two parts and more; in quotes with whatever is between them.
_PATH = re.compile(r"""(?P<quote>['"])(?:/[^/'"\n]+){2,}|(?<![\w./:])(?:/[^\s/'"<>:;,()]+){2,}/?""")


def quote(text: str, max_chars: int = MAX_QUOTED_CHARS) -> str:
    """The user's text as an error may repeat it: one line, at most 80 characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= max_chars else flat[: max_chars - 1] + "…"


def without_paths(text: str) -> str:
    """The sentence with each absolute path cut down to its last part, for readers that must not learn the
    machine's folders."""
    return _PATH.sub(lambda found: f"{found['quote'] or ''}…/{found[0].rstrip('/').rpartition('/')[2]}", text)


class ServiceError(Exception):
    """An error that a client may see: one sentence that says what to do. `param`: the field at fault."""

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
    """The contract of /api/v1 has 403 for it, OpenAI's clients want 401."""


class NotFound(ServiceError):
    code = "not_found"


class UnknownVoice(NotFound):
    code = "unknown_voice"


class UnknownWord(NotFound):
    code = "unknown_word"


class UnknownJob(NotFound):
    code = "unknown_job"


class RecordingMissing(NotFound):
    code = "recording_missing"


class MethodNotAllowed(ServiceError):
    code = "method_not_allowed"


class DeadlineExceeded(ServiceError):
    """`job`: the id of the job that what was made is kept as; empty where it is not."""

    code = "deadline_passed"
    job = ""


class VoiceExists(ServiceError):
    code = "voice_exists"


class VoiceChanged(ServiceError):
    code = "voice_changed"


class JobRefuses(ServiceError):
    """The job's state does not allow this."""

    code = "job_refuses"


class JobRuns(JobRefuses):
    """Somebody else holds its folder."""

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
    """`n_bytes`: how many there are."""

    code = "range_not_satisfiable"

    def __init__(self, n_bytes: int) -> None:
        super().__init__(f"The Range names no byte of this answer, which has {n_bytes}.")
        self.n_bytes = n_bytes


class UnparsableBody(ServiceError):
    code = "unparsable_body"


class InternalFault(ServiceError):
    def __init__(
        self,
        message: str = "Something went wrong in the server; its log has the details under this request_id.",
    ) -> None:
        super().__init__(message)


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
    """The client has left, or takes nothing of the answer."""


class StartupError(Exception):
    """The server cannot start; the message is for the person who starts it."""


class CheckpointError(StartupError):
    pass


class AlreadyRunning(StartupError):
    pass

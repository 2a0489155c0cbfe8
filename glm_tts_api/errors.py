"""One tree of errors. Each knows its HTTP status, its code and whether a client should come back.

ServiceError
├── BadRequest            400  bad_request
│   ├── InvalidField      400  invalid_field
│   ├── NothingToSay      400  nothing_to_say
│   ├── PromptRejected    400  prompt_rejected
│   └── MalformedPronunciation 400 malformed_pronunciation
├── Unauthorized          401  unauthorized
├── Forbidden             403  forbidden
├── UnknownVoice          404  unknown_voice
├── RecordingMissing      404  recording_missing
├── NotFound              404  not_found
├── MethodNotAllowed      405  method_not_allowed
├── DeadlineExceeded        408  deadline_passed
├── VoiceExists           409  voice_exists
├── VoiceChanged          412  voice_changed
├── TextTooLong           413  text_too_long
├── BodyTooLarge          413  body_too_large
├── NotAudio              415  not_audio
├── UnparsableBody        422  unparsable_body
├── InternalFault         500  internal
└── Unavailable           503
    ├── QueueFull         503  queue_full   (Retry-After)
    ├── Draining          503  draining     (Retry-After)
    ├── Loading           503  loading      (Retry-After)
    └── Unhealthy         503  unhealthy
StartupError                   a message for the person who starts the server; never crosses HTTP
├── AlreadyRunning             another server holds the run folder
└── CheckpointError            what is missing or broken in the checkpoint, and how to get it
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
    """The sentence with each absolute path cut down to its last part, for who need not know the machine."""
    return _PATH.sub(lambda found: f"{found['quote'] or ''}…/{found[0].rstrip('/').rpartition('/')[2]}", text)


class ServiceError(Exception):
    """An error that a client may see: one sentence that says what to do."""

    status = 500
    code = "internal"
    retry_after_s: int | None = None

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadRequest(ServiceError):
    status, code = 400, "bad_request"


class InvalidField(BadRequest):
    code = "invalid_field"


class NothingToSay(BadRequest):
    code = "nothing_to_say"


class PromptRejected(BadRequest):
    code = "prompt_rejected"


class MalformedPronunciation(BadRequest):
    code = "malformed_pronunciation"


class Unauthorized(ServiceError):
    status, code = 401, "unauthorized"


class Forbidden(ServiceError):
    status, code = 403, "forbidden"


class NotFound(ServiceError):
    status, code = 404, "not_found"


class UnknownVoice(NotFound):
    code = "unknown_voice"


class RecordingMissing(NotFound):
    code = "recording_missing"


class MethodNotAllowed(ServiceError):
    status, code = 405, "method_not_allowed"


class DeadlineExceeded(ServiceError):
    status, code = 408, "deadline_passed"


class VoiceExists(ServiceError):
    status, code = 409, "voice_exists"


class VoiceChanged(ServiceError):
    status, code = 412, "voice_changed"


class TextTooLong(ServiceError):
    status, code = 413, "text_too_long"


class BodyTooLarge(ServiceError):
    status, code = 413, "body_too_large"


class NotAudio(ServiceError):
    status, code = 415, "not_audio"


class UnparsableBody(ServiceError):
    status, code = 422, "unparsable_body"


class InternalFault(ServiceError):
    pass


class Unavailable(ServiceError):
    status, code = 503, "unavailable"


class QueueFull(Unavailable):
    code = "queue_full"
    retry_after_s = 5


class Draining(Unavailable):
    code = "draining"
    retry_after_s = 5


class Loading(Unavailable):
    code = "loading"
    retry_after_s = 5


class Unhealthy(Unavailable):
    code = "unhealthy"


class StartupError(Exception):
    """What keeps the server from starting, said to the person who starts it."""


class CheckpointError(StartupError):
    pass


class AlreadyRunning(StartupError):
    pass

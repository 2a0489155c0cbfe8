"""Reads a request's body (a form, a form with files, or JSON) into fields and files.

FastAPI's own form parsing is not used. Its errors have another shape than this server's, and it decodes bytes
that are not percent-encoded as Latin-1, so Chinese text from `curl -d` would become gibberish.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
import os
import re
import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeVar, cast
from urllib.parse import parse_qsl

from fastapi import Request
from pydantic import BaseModel, ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from glm_tts_api.errors import BodyTooLarge, InvalidField, Unavailable, UnparsableBody, quote
from glm_tts_api.http.voice_fields import voice_field
from glm_tts_api.validation import allowed_values, did_you_mean

logger = logging.getLogger(__name__)
ModelT = TypeVar("ModelT", bound=BaseModel)
_KEPT_WHEN_EMPTY = "input_text"  # kept although empty: it is refused as blank, not as missing
PROMPT_AUDIO = "prompt_audio"  # the usual file field of /api/v1
FORM_WITH_FILES = "multipart/form-data"
_MAX_FIELDS = 1000
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{1,200}")
_MAX_WARNINGS = 10
_MAX_NAME_CHARS = 40
_LOGGABLE = re.compile(r"[A-Za-z0-9_.\[\]-]{1,40}")  # a field's name; anything else may be the user's text
_IN_MEMORY = 2**20  # bytes; Starlette's form parser has the same limit
_BLOCK = 2**20  # characters decoded at once, a multiple of 4; other threads run between two blocks
_DATA_URI = re.compile(r"data:[^,]{0,200};base64,", re.IGNORECASE)
_MAX_VALUES = 10_000  # of a JSON text; they take up to fifty times its memory
_MAX_DEPTH = 32  # levels of lists and objects inside each other
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.S)


def parse_json(text: str) -> Any:
    """Returns the value of the JSON `text`. A lone surrogate, which a JSON escape can write but no encoding
    can hold, becomes U+FFFD. Raises ValueError if `text` is no JSON, and UnparsableBody if it has too many
    values or is nested too deep."""
    if not _has_few_values(text):
        raise UnparsableBody(f"The JSON has more than {_MAX_VALUES} values.")
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    return _whole_text(value, _MAX_DEPTH)


def _has_few_values(text: str) -> bool:
    """Returns whether the JSON `text` has at most `_MAX_VALUES` values. A comma, `[` or `{` outside of
    strings stands before each value but the first."""
    if _n_signs(text) <= _MAX_VALUES:
        return True
    n_quotes = text.count('"') - text.count('\\"')  # a name and a string for each value have four
    if n_quotes > 4 * _MAX_VALUES:
        return False
    return _n_signs(_STRING.sub("", text)) <= _MAX_VALUES


def _n_signs(text: str) -> int:
    return sum(map(text.count, ",[{"))


def _whole_text(value: Any, depth: int) -> Any:
    """Returns `value` with U+FFFD for each lone surrogate. Raises UnparsableBody if lists and objects are
    nested deeper than `depth`."""
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if not isinstance(value, (dict, list)):
        return value
    if not depth:
        raise UnparsableBody(f"The JSON is nested deeper than {_MAX_DEPTH} levels.")
    if isinstance(value, dict):
        return {_whole_text(name, 1): _whole_text(item, depth - 1) for name, item in value.items()}
    return [_whole_text(item, depth - 1) for item in value]


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file. A file over 1 MB is kept on the disk, and is removed at the end of the request."""

    filename: str
    file: BinaryIO

    def read(self, n_bytes: int = -1) -> bytes:
        """Returns the first `n_bytes` bytes of the file; -1 returns all of them. Blocking."""
        self.file.seek(0)
        return self.file.read(n_bytes)

    def size(self) -> int:
        """Returns the file's size in bytes. Blocking."""
        return self.file.seek(0, os.SEEK_END)


def decoded_upload(name: str, value: Any) -> Upload:
    """Decodes `value`, the content of the field `name`: a file as base64 or as a data URI. Blocking. Raises
    InvalidField for anything else (a URL or a path is never opened), Unavailable if the disk is full."""
    text = "".join(value.split()) if isinstance(value, str) else ""
    head = _DATA_URI.match(text)
    start = head.end() if head else 0
    file = cast(BinaryIO, tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115  (stays open with the request)
    try:
        for at in range(start, len(text), _BLOCK):
            file.write(base64.b64decode(text[at : at + _BLOCK], validate=True))
        if not file.tell():
            raise ValueError("no bytes")
    except (binascii.Error, ValueError):
        file.close()
        raise InvalidField(
            f"{name} must be the recording itself, as base64 or as data:audio/wav;base64,...; "
            "the server opens no address and no path.",
            name,
        ) from None
    except OSError as error:
        file.close()
        raise no_room(error) from None
    return Upload(name, file)


def no_room(error: OSError) -> Unavailable:
    logger.error("An upload cannot be kept in %s: %s", tempfile.gettempdir(), error)
    return Unavailable("The server has no room for uploads now. Try again later.")


@dataclass(frozen=True, slots=True)
class Body:
    """The fields and uploaded files of a request, by name. Empty fields are left out, except `input_text`."""

    fields: Mapping[str, Any]
    uploads: dict[str, Upload]

    def parse(
        self, model: type[ModelT], *, files: Collection[str] = (PROMPT_AUDIO,), voice: str = ""
    ) -> tuple[ModelT, list[str]]:
        """Validates the fields as `model`. Returns the model and the warnings: a sentence for each sent name
        that is neither a field of `model` nor in `files`. Such names are also logged. Raises InvalidField for
        a field that was sent as a file, else for the first invalid field.

        A speech request names its voice in the field `voice`. InvalidField is then raised also for an unknown
        field that chooses a voice, and for any file if `files` is empty."""
        known = (*model.model_fields, *files)
        if voice:
            self.require_no_voice(known, advice := f"Name a registered voice in {voice}")
            if not files and self.uploads:
                raise self._unread_voice(next(iter(self.uploads)), known, advice)
        for name in model.model_fields:
            if name in self.uploads:
                raise InvalidField(f"{name} must be text, not a file.")
        warnings = self._warnings(known)
        try:
            return model.model_validate(self.fields), warnings
        except ValidationError as error:
            raise _invalid(model, error, warnings) from None

    def require_no_voice(self, known: tuple[str, ...], advice: str) -> None:
        """Raises InvalidField, with `advice` in its message, if a field outside `known` chooses a voice."""
        name = voice_field({**self.fields, **self.uploads}, known)
        if name is not None:
            raise self._unread_voice(name, known, advice)

    def file(self, name: str = PROMPT_AUDIO) -> Upload | None:
        """Returns the uploaded file `name`; None if it was not sent. Raises InvalidField if it is text."""
        if name in self.fields:
            raise InvalidField(f"{name} must be a file, as curl sends with -F {name}=@recording.wav.")
        return self.uploads.get(name)

    def needed_file(self, name: str, noun: str) -> Upload:
        """Returns the uploaded file `name`. If there is none, raises InvalidField, which calls it `noun`."""
        upload = self.file(name)
        if upload is None:
            raise InvalidField(f"{name} is missing: {noun}, as a file.")
        return upload

    def _unread_voice(self, name: str, known: tuple[str, ...], advice: str) -> InvalidField:
        """Makes the error for the field `name`, which chooses a voice but is not read by this route."""
        shown = quote(name, _MAX_NAME_CHARS)
        meant = did_you_mean(shown, known)
        so = f"{meant} Without" if meant else ", and without"
        message = (
            f"'{shown}' is not read here{so} it another voice would speak. {advice} (POST /api/v1/prompts "
            "registers a recording as one), or send the recording with its transcript: prompt_audio and "
            "prompt_text to /api/v1/tts, ref_audio and ref_text to /v1/audio/speech."
        )
        return InvalidField(" ".join([message, *self._warnings((*known, name))[:1]]), name)

    def _warnings(self, known: tuple[str, ...]) -> list[str]:
        unknown = [name for name in (*self.fields, *self.uploads) if name not in known]
        if not unknown:
            return []
        listed, n_more = unknown[:_MAX_WARNINGS], len(unknown) - _MAX_WARNINGS
        loggable = (name if _LOGGABLE.fullmatch(name) else "?" for name in listed)
        logger.info("ignored fields that are not ours: %s", ", ".join(loggable))
        more = [f"{n_more} more fields were ignored."] if n_more > 0 else []
        shown = [quote(name, _MAX_NAME_CHARS) for name in listed]
        ignored = "is not a field here and was ignored"
        return [*(f"'{name}' {ignored}{did_you_mean(name, known) or '.'}" for name in shown), *more]


def media_type_of(headers: Headers) -> str:
    """Returns the media type of a body in small letters, without its parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def is_json(media_type: str) -> bool:
    return re.fullmatch(r"application/(?:.+\+)?json", media_type) is not None


async def read_body(request: Request, max_text_bytes: int, *, recording: str = "") -> Body:
    """Reads the request's body as its Content-Type says. If the field `recording` holds a file as base64, it
    becomes an upload. Raises UnparsableBody, InvalidField, and BodyTooLarge if the text without the files has
    more than `max_text_bytes` (a middleware limits the whole body)."""
    media_type = media_type_of(request.headers)
    if media_type == FORM_WITH_FILES:
        body = await _read_multipart(request, max_text_bytes)
    else:
        data = b"".join([piece async for piece in request.stream()])  # request.body() would keep the bytes
        body = Body({}, {})
        if data:
            body = await asyncio.to_thread(_reader_of(media_type), data)
        if len(data) - len(str(body.fields.get(recording, ""))) > max_text_bytes:
            raise text_too_large(max_text_bytes)
    if recording not in body.fields:
        return body
    return await asyncio.to_thread(_with_recording, request, body, recording)


def _reader_of(media_type: str) -> Callable[[bytes], Body]:
    """Returns the function that reads a body of this type without files. Raises UnparsableBody."""
    if media_type == "application/x-www-form-urlencoded":
        return _read_form
    if is_json(media_type):
        return read_json
    raise UnparsableBody(
        "Send the body as multipart/form-data, application/x-www-form-urlencoded or application/json."
    )


def _with_recording(request: Request, body: Body, name: str) -> Body:
    """Decodes the base64 in the body's field `name`. Returns the body with the decoded file as an upload in
    place of the field. Blocking. Raises InvalidField, and Unavailable if the disk is full."""
    upload = decoded_upload(name, body.fields[name])
    parts: FormData = getattr(request.state, "form", FormData())
    request.state.form = FormData([*parts.multi_items(), (name, UploadFile(upload.file))])  # closed later
    fields = {other: value for other, value in body.fields.items() if other != name}
    return Body(fields, {**body.uploads, name: upload})


def read_query(request: Request) -> Body:
    """Returns the fields of the request's query string. Raises UnparsableBody."""
    return _read_form(request.scope["query_string"])


class _FormParser(MultiPartParser):
    """Parses a multipart form. Raises BodyTooLarge if its text has more than `max_part_size` bytes in
    total."""

    _n_bytes = 0  # of text, so far

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._current_part.file is None:
            self._n_bytes += end - start
            if self._n_bytes > self.max_part_size:
                raise text_too_large(self.max_part_size)
        super().on_part_data(data, start, end)


def text_too_large(max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"The request's text is larger than {max_bytes / 2**20:.3g} MB; only files may be: send it in parts."
    )


async def _read_multipart(request: Request, max_text_bytes: int) -> Body:
    headers = _multipart_headers(request)
    try:
        form = await _FormParser(headers, request.stream(), max_part_size=max_text_bytes).parse()
    except (MultiPartException, FormParserError) as error:
        raise UnparsableBody(f"The multipart body cannot be parsed: {quote(str(error))}") from None
    except OSError as error:
        raise no_room(error) from None
    request.state.form = form  # closed when the request has its answer
    fields: dict[str, Any] = {}
    uploads: dict[str, Upload] = {}
    try:
        for each, value in form.multi_items():
            name = each.encode("latin-1").decode()
            if not isinstance(value, UploadFile):
                fields[name] = value.encode("latin-1").decode()
            elif value.filename:
                uploads[name] = Upload(value.filename, value.file)
    except UnicodeError:
        raise UnparsableBody("The form's text is not UTF-8.") from None
    return Body(_sent(fields), uploads)


def _multipart_headers(request: Request) -> Headers:
    """Makes the Content-Type header for the parser, with the request's boundary. The charset is Latin-1,
    which keeps every byte of the text, so that it can be decoded as UTF-8 later. Raises UnparsableBody."""
    _, options = parse_options_header(request.headers["content-type"])
    boundary = options.get(b"boundary", b"").decode("latin-1")
    if not _BOUNDARY.fullmatch(boundary):
        raise UnparsableBody("The multipart body cannot be parsed: its Content-Type has no valid boundary.")
    return Headers({"content-type": f'multipart/form-data; charset=latin-1; boundary="{boundary}"'})


def _read_form(data: bytes) -> Body:
    if data.count(b"&") >= _MAX_FIELDS:
        raise UnparsableBody(f"The form has more than {_MAX_FIELDS} fields.")
    try:
        pairs = parse_qsl(data.decode(), keep_blank_values=True, errors="strict")
    except ValueError:  # also UnicodeDecodeError
        raise UnparsableBody("The form cannot be parsed; is it percent-encoded UTF-8?") from None
    return Body(_sent(dict(pairs)), {})


def read_json(data: bytes) -> Body:
    """Parses a JSON object into fields. Raises UnparsableBody; InvalidField if the JSON is no object."""
    try:
        value = parse_json(data.decode("utf-8-sig", "surrogatepass"))
    except ValueError:
        raise UnparsableBody("The body is not valid JSON in UTF-8.") from None
    if not isinstance(value, dict):
        raise InvalidField("The JSON body must be an object of fields.")
    if len(value) > _MAX_FIELDS:
        raise UnparsableBody(f"The JSON has more than {_MAX_FIELDS} fields.")
    return Body(_sent(value), {})


def _sent(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in fields.items() if value not in ("", None) or name == _KEPT_WHEN_EMPTY
    }


def _invalid(model: type[BaseModel], error: ValidationError, warnings: list[str]) -> InvalidField:
    details = error.errors()[0]
    name = str(details["loc"][0])
    if details["type"] == "missing":
        return InvalidField(" ".join([f"{name} is missing.", *warnings[:2]]), name)  # perhaps misspelt
    allowed = allowed_values(model.model_fields[name])
    return InvalidField(f"{name} must be {allowed}, not '{quote(str(details['input']))}'.", name)

"""A request's body as fields, whether it came as a form, as a form with files, or as JSON.

The framework's own form parsing is not used: it answers in another shape than ours, takes text that is not
UTF-8 for Latin-1, and so reads what `curl -d` sends of Chinese as gibberish.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncGenerator, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from fastapi import Request
from pydantic import BaseModel, ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from glm_tts_api.errors import BodyTooLarge, InvalidField, UnparsableBody, quote
from glm_tts_api.http.uploads import Upload, decoded_upload, no_room
from glm_tts_api.http.voice_fields import voice_field
from glm_tts_api.validation import allowed_values, did_you_mean

logger = logging.getLogger(__name__)
ModelT = TypeVar("ModelT", bound=BaseModel)
_KEPT_WHEN_EMPTY = "input_text"  # so that its message can say blank rather than missing
PROMPT_AUDIO = "prompt_audio"  # the one file that a form of our own API may bring
_MAX_FIELDS = 1000
_MAX_DEPTH = 32  # of JSON; ours is flat
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{1,200}")
_MAX_WARNINGS = 10
_MAX_NAME_CHARS = 40
_LOGGABLE = re.compile(r"[A-Za-z0-9_.\[\]-]{1,40}")  # a field's name; anything else may be the user's text


@dataclass(frozen=True, slots=True)
class Body:
    """Fields and files of a request, by name. An empty field counts as not sent."""

    fields: Mapping[str, Any]
    uploads: Mapping[str, Upload]

    def parse(
        self, model: type[ModelT], *, files: Collection[str] = (PROMPT_AUDIO,)
    ) -> tuple[ModelT, list[str]]:
        """The fields as `model`, and a sentence for each name that is none of its fields and none of `files`;
        the log has those names too. Raises InvalidField with a sentence for the first field that does not
        hold."""
        for name in model.model_fields:
            if name in self.uploads:
                raise InvalidField(f"{name} must be text, not a file.")
        warnings = self._warnings((*model.model_fields, *files))
        try:
            return model.model_validate(self.fields), warnings
        except ValidationError as error:
            raise _invalid(model, error, warnings) from None

    def parse_speech(
        self, model: type[ModelT], *, voice: str, files: Collection[str] = ()
    ) -> tuple[ModelT, list[str]]:
        """As `parse`, for a request that is spoken by the voice in the field `voice`. Raises InvalidField too
        for a field that chooses the voice in another way, and for a file where none is taken."""
        known, advice = (*model.model_fields, *files), f"Name a registered voice in {voice}"
        self.require_no_voice(known, advice)
        if not files and self.uploads:
            raise self._unread_voice(next(iter(self.uploads)), known, advice)
        return self.parse(model, files=files)

    def require_no_voice(self, known: tuple[str, ...], advice: str) -> None:
        """Raises InvalidField if a field that is none of the `known` ones asks for a voice."""
        name = voice_field({**self.fields, **self.uploads}, known)
        if name is not None:
            raise self._unread_voice(name, known, advice)

    def without(self, name: str) -> Body:
        """The same body without the upload of that name."""
        return Body(self.fields, {other: it for other, it in self.uploads.items() if other != name})

    def file(self, name: str = PROMPT_AUDIO) -> Upload | None:
        """The recording that came by that name. Raises InvalidField if text was sent for it."""
        if name in self.fields:
            raise InvalidField(f"{name} must be a file, as curl sends with -F {name}=@recording.wav.")
        return self.uploads.get(name)

    def needed_file(self, name: str, noun: str) -> Upload:
        """As `file`. Raises InvalidField too if none came."""
        upload = self.file(name)
        if upload is None:
            raise InvalidField(f"{name} is missing: {noun}, as a file.")
        return upload

    def _unread_voice(self, name: str, known: tuple[str, ...], advice: str) -> InvalidField:
        """Names the first other field that is not read, too."""
        shown = quote(name, _MAX_NAME_CHARS)
        meant = did_you_mean(shown, known)
        so = f"{meant} Without" if meant else ", and without"
        return InvalidField(
            " ".join(
                [
                    f"'{shown}' is not read here{so} it another voice would speak. {advice} (POST "
                    "/api/v1/prompts registers a recording as one), or send the recording with its "
                    "transcript: prompt_audio and prompt_text to /api/v1/tts, ref_audio and ref_text to "
                    "/v1/audio/speech.",
                    *self._warnings((*known, name))[:1],
                ]
            ),
            name,
        )

    def _warnings(self, known: tuple[str, ...]) -> list[str]:
        unknown = [name for name in (*self.fields, *self.uploads) if name not in known]
        if not unknown:
            return []
        listed, n_more = unknown[:_MAX_WARNINGS], len(unknown) - _MAX_WARNINGS
        logger.info(
            "ignored fields that are not ours: %s",
            ", ".join(name if _LOGGABLE.fullmatch(name) else "?" for name in listed),
        )
        return [
            *(_unknown_field(name, known) for name in listed),
            *([f"{n_more} more fields were ignored."] if n_more > 0 else []),
        ]


async def read_body(request: Request, max_text_bytes: int, *, recording: str = "") -> Body:
    """Reads the body by its Content-Type. `recording`: a field that may hold a file as base64, which becomes
    an upload. Raises UnparsableBody, or BodyTooLarge for more than `max_text_bytes` beside the files (the
    middleware bounds the size of the whole)."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        body = await _read_multipart(request, max_text_bytes)
    else:
        data = b"".join([piece async for piece in request.stream()])  # request.body() would keep it
        body = await _parsed(data, media_type)
        if len(data) - len(str(body.fields.get(recording, ""))) > max_text_bytes:
            raise text_too_large(max_text_bytes)
    if recording not in body.fields:
        return body
    return await asyncio.to_thread(_with_recording, request, body, recording)


async def _parsed(data: bytes, media_type: str) -> Body:
    if not data:
        return Body({}, {})
    if media_type == "application/x-www-form-urlencoded":
        return await asyncio.to_thread(_read_form, data)
    if media_type == "application/json" or media_type.endswith("+json"):
        return await asyncio.to_thread(read_json, data)
    raise UnparsableBody(
        "Send the body as multipart/form-data, application/x-www-form-urlencoded or application/json."
    )


def _with_recording(request: Request, body: Body, name: str) -> Body:
    """The body with what its field `name` holds among the uploads. Blocking. Raises InvalidField."""
    upload = decoded_upload(name, body.fields[name])
    parts: FormData = getattr(request.state, "form", FormData())
    request.state.form = FormData([*parts.multi_items(), (name, UploadFile(upload.file))])  # closed like them
    fields = {other: value for other, value in body.fields.items() if other != name}
    return Body(fields, {**body.uploads, name: upload})


def read_query(request: Request) -> Body:
    """The fields of a request's address. Raises UnparsableBody."""
    return _read_form(request.scope["query_string"])


class _FormParser(MultiPartParser):
    """Bounds the form's text as a whole."""

    def __init__(self, headers: Headers, stream: AsyncGenerator[bytes, None], max_text_bytes: int) -> None:
        super().__init__(headers, stream, max_part_size=max_text_bytes)
        self._text_left = max_text_bytes

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._current_part.file is None:
            self._text_left -= end - start
            if self._text_left < 0:
                raise text_too_large(self.max_part_size)
        super().on_part_data(data, start, end)


def text_too_large(max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"The request's text is larger than {max_bytes / 2**20:.3g} MB; only files may be.")


async def _read_multipart(request: Request, max_text_bytes: int) -> Body:
    try:
        form = await _FormParser(_multipart_headers(request), request.stream(), max_text_bytes).parse()
    except (MultiPartException, FormParserError) as error:
        raise UnparsableBody(f"The multipart body cannot be parsed: {quote(str(error))}") from None
    except OSError as error:
        raise no_room(error) from None
    request.state.form = form  # closed when the request has its answer
    fields: dict[str, Any] = {}
    uploads: dict[str, Upload] = {}
    for name, value in form.multi_items():
        if not isinstance(value, UploadFile):
            fields[_utf8(name)] = _utf8(value)
        elif value.filename:
            uploads[_utf8(name)] = Upload(value.filename, value.file)
    return Body(_sent(fields), uploads)


def _multipart_headers(request: Request) -> Headers:
    """The header that the parser needs, which holds the boundary. Latin-1 keeps every byte of the text as it
    came, so that the text can be checked for UTF-8 afterwards."""
    _, options = parse_options_header(request.headers["content-type"])
    boundary = options.get(b"boundary", b"").decode("latin-1")
    if not _BOUNDARY.fullmatch(boundary):
        raise UnparsableBody("The multipart body cannot be parsed: its Content-Type names no fit boundary.")
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
    """The fields of a JSON object. Raises UnparsableBody, or InvalidField where it is no object."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise UnparsableBody("The body is not valid JSON in UTF-8.") from None
    if not isinstance(value, dict):
        raise InvalidField("The JSON body must be an object of fields.")
    if len(value) > _MAX_FIELDS:
        raise UnparsableBody(f"The JSON has more than {_MAX_FIELDS} fields.")
    if _is_deeper(value, _MAX_DEPTH):
        raise UnparsableBody(f"The JSON is nested deeper than {_MAX_DEPTH} levels.")
    return Body(_sent(whole_text(value)), {})


def _is_deeper(value: Any, depth: int) -> bool:
    """Whether lists and objects lie in each other more than `depth` deep. No recursion: it is the user's."""
    level = [value]
    for _ in range(depth):
        level = [
            item
            for outer in level
            for item in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(item, (dict, list))
        ]
        if not level:
            return False
    return True


def _sent(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in fields.items() if value not in ("", None) or name == _KEPT_WHEN_EMPTY
    }


def _utf8(text: str) -> str:
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        raise UnparsableBody("The form's text is not UTF-8.") from None


def whole_text(value: Any) -> Any:
    """A JSON value whose texts have lost their lone surrogates: an escape can write one, and no encoding can
    hold it."""
    if isinstance(value, str) and value.isascii():
        return value
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {whole_text(name): whole_text(item) for name, item in value.items()}
    return [whole_text(item) for item in value] if isinstance(value, list) else value


def _unknown_field(name: str, known: tuple[str, ...]) -> str:
    shown = quote(name, _MAX_NAME_CHARS)
    return f"'{shown}' is not a field here and was ignored{did_you_mean(shown, known) or '.'}"


def _invalid(model: type[BaseModel], error: ValidationError, warnings: list[str]) -> InvalidField:
    details = error.errors()[0]
    name = str(details["loc"][0])
    if details["type"] == "missing":
        return InvalidField(" ".join([f"{name} is missing.", *warnings[:2]]), name)  # what came in its place?
    allowed = allowed_values(model.model_fields[name])
    return InvalidField(f"{name} must be {allowed}, not '{quote(str(details['input']))}'.", name)

"""/api/v1/prompts: lists, shows, adds, checks, changes and deletes the registered voices."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote as url_quote

from fastapi import Header, Query, Request, Response

from glm_tts_api.api.access import WriterRequired, writer_refusal
from glm_tts_api.api.app_state import AppState, AppStateDep
from glm_tts_api.api.background import doubts_of, findings_in, misfit_of, needed_transcript, register, text_in
from glm_tts_api.api.dialects import OWN
from glm_tts_api.api.openapi import body_docs, error_docs, ranged_docs, recording_docs
from glm_tts_api.api.v1 import prompt_schemas
from glm_tts_api.api.v1.schemas import Done
from glm_tts_api.errors import InvalidField, quote
from glm_tts_api.http.body import Body, read_body
from glm_tts_api.http.ranges import ranged
from glm_tts_api.speech.clients import may_use, require_voice
from glm_tts_api.voices.about import NOTES, composed
from glm_tts_api.voices.check import STATUSES, Finding, check_language, language_of, voice_to_check
from glm_tts_api.voices.index import VoiceInfo
from speech_text.marks import MOOD_SIGN, in_mood

_NEW_EXAMPLE = {
    "index": "my_voice",
    "prompt_text": "录音里说的每一个字。",
    "prompt_audio_path": "my_voice.wav",
}
_EXAMPLE = {"prompt_text": "录音里说的每一个字。", "prompt_audio_path": "my_voice.wav"}
IfMatch = Annotated[
    str | None,
    Header(description="The ETag of the voice to change. If it has another one now, the answer is 412."),
]
_UNKNOWN = error_docs(404, 422)
_WRITE = error_docs(400, 413, 415, 422, 503, 507)

router = OWN.router("/api/v1/prompts", 401, 403, 500, tag="voices")


@router.get("", response_model=prompt_schemas.PromptList, responses=error_docs(400, 422))
async def list_prompts(
    request: Request,
    state: AppStateDep,
    query: Annotated[prompt_schemas.PromptQuery, Query()],
) -> dict[str, Any]:
    """Lists the registered voices that the key may use and that language, gender and search select. Also says
    whether the client may change voices."""
    listed = await state.pools.files.run(state.voices.list_voices)
    shown = (_shown(voice) for voice in listed if may_use(request.state.client, voice.index))
    voices = [voice for voice in shown if query.selects(voice)]
    return {"count": len(voices), "prompts": voices, "writable": writer_refusal(request, state) is None}


@router.get("/{index}", response_model=prompt_schemas.PromptAnswer, responses=_UNKNOWN)
async def get_prompt(index: str, request: Request, response: Response, state: AppStateDep) -> dict[str, Any]:
    """Shows a voice. A later PUT or DELETE with its ETag in If-Match is refused if the voice has changed by
    then. If the voice's recording is gone, the answer is a 404 with code recording_missing, and a PUT with a
    new recording repairs the voice."""
    require_voice(request.state.client, index)
    voice = await state.pools.files.run(state.voices.info, index)
    return _answer(f"Voice '{index}'.", voice, response)


@router.get(
    "/{index}/audio",
    response_class=Response,
    responses={
        **ranged_docs(recording_docs("The recording as it was given, or its sound alone as FLAC or WAV.")),
        **_UNKNOWN,
    },
)
async def get_prompt_audio(index: str, request: Request, state: AppStateDep) -> Response:
    """The recording of a voice as it was uploaded. If the upload was larger than its samples, only its sound
    is kept, as FLAC or WAV. The model gets exactly the same samples."""
    require_voice(request.state.client, index)
    data, container = await state.pools.files.run(state.voices.audio, index)
    media_type = container.media_type if container else "application/octet-stream"
    etag = await state.pools.files.run(lambda: hashlib.sha256(data).hexdigest()[:32])
    return await ranged(request, data, media_type=media_type, etag=etag)


@router.post(
    "",
    status_code=201,
    response_model=prompt_schemas.PromptAnswer,
    openapi_extra=body_docs(prompt_schemas.NewPromptFields, name="NewPrompt", example=_NEW_EXAMPLE),
    responses={**_WRITE, **error_docs(409)},
    dependencies=[WriterRequired],
)
async def add_prompt(request: Request, response: Response, state: AppStateDep) -> dict[str, Any]:
    """Registers a voice with its name, its recording (prompt_audio or prompt_audio_path) and the transcript.
    With mood, adds another recording to a voice that is registered already."""
    body = await read_body(request, state.config.max_text_bytes)
    fields, warnings = body.parse(prompt_schemas.NewPromptFields)
    read = _needed_recording(body, fields.prompt_audio_path, state)
    transcript = await needed_transcript(request, state, read, fields.prompt_text)
    name = fields.index if fields.mood is None else in_mood(fields.index, fields.mood)

    def add() -> tuple[VoiceInfo, list[str]]:
        trim = fields.trim_silence
        voice = state.voices.add(name, transcript, read(), fields.about, trim_silence=trim)
        return voice, doubts_of(state.voices, voice.index)

    voice, doubts = await register(request, state, transcript, add)
    doubts += await misfit_of(voice.index, state)
    return _answer(f"Voice '{voice.index}' is registered.", voice, response, [*warnings, *doubts])


@router.post(
    "/check",
    response_model=prompt_schemas.PromptReport,
    openapi_extra=body_docs(prompt_schemas.CheckedPromptFields, name="CheckedPrompt", example=_EXAMPLE),
    responses=_WRITE,
    dependencies=[WriterRequired],
)
async def check_prompt(request: Request, state: AppStateDep) -> dict[str, Any]:
    """Checks a recording that is to be a voice, and whether it says its transcript. Keeps nothing. A
    recogniser (ASR_MODEL_DIR) hears the recording; without prompt_text, the answer has the words that it
    heard. Only a client that may add voices may use this."""
    body = await read_body(request, state.config.max_text_bytes)
    fields, warnings = body.parse(prompt_schemas.CheckedPromptFields)
    read = _needed_recording(body, fields.prompt_audio_path, state)
    given = state.voices.check_transcript(fields.prompt_text) if fields.prompt_text else ""
    limits, trim = state.voices.limits, fields.trim_silence
    decode = partial(voice_to_check, transcript=given, limits=limits, trim_silence=trim)
    voice = await register(request, state, given, lambda: decode(read()))
    if isinstance(voice, Finding):
        found, not_checked = [voice, *([check_language(given)] if given else [])], list[str]()
    else:
        heard = None if given else await text_in(voice.recording, state)
        found, not_checked = await findings_in(request, state, voice, heard)
    n_warnings, n_errors = (sum(each.status == status for each in found) for status in ("warning", "error"))
    left_out = f"; {_counted(len(not_checked), 'check')} did not run" if not_checked else ""
    return {
        "message": f"{_counted(n_errors, 'error')}, {_counted(n_warnings, 'warning')}{left_out}.",
        "status": max((each.status for each in found), key=STATUSES.index),
        "checks": [asdict(each) for each in found],
        "not_checked": not_checked,
        "heard": next((each.measured["heard"] for each in found if each.name == "words"), None),
        "warnings": warnings,
    }


@router.put(
    "/{index}",
    response_model=prompt_schemas.PromptAnswer,
    openapi_extra=body_docs(prompt_schemas.ChangedPromptFields, name="ChangedPrompt", example=_EXAMPLE),
    responses={**_WRITE, **_UNKNOWN, **error_docs(412)},
    dependencies=[WriterRequired],
)
async def change_prompt(
    index: str, request: Request, response: Response, state: AppStateDep, if_match: IfMatch = None
) -> dict[str, Any]:
    """Changes the transcript, the recording or the notes of a voice, or several of them. configs/ is never
    written: a changed shipped voice is a copy in PROMPTS_DIR, which hides the shipped voice until it is
    deleted."""
    body = await read_body(request, state.config.max_text_bytes)
    fields, warnings = body.parse(prompt_schemas.ChangedPromptFields)
    if fields.index is not None and composed(fields.index) != composed(index):
        raise InvalidField(
            f"A voice is not renamed: POST its recording and transcript as '{quote(fields.index)}' and "
            "DELETE this one, or leave index out."
        )
    given, trim = fields.prompt_text, fields.trim_silence
    transcript = None if given is None else state.voices.check_transcript(given)
    read = _recording(body, fields.prompt_audio_path, state)
    if transcript is None and read is None and not fields.about and not trim:
        raise InvalidField(
            "Send what is to change: prompt_text, prompt_audio, prompt_audio_path, trim_silence, "
            f"{', '.join(NOTES)}."
        )

    def change() -> tuple[VoiceInfo, list[str]]:
        data = None if read is None else read()
        voice = state.voices.replace(
            index, transcript, data, fields.about, trim_silence=trim, only_if=_versions(if_match)
        )
        return voice, doubts_of(state.voices, index)

    voice, doubts = await register(request, state, transcript or "", change)
    if transcript is not None or read is not None or trim:
        doubts += await misfit_of(index, state)
    return _answer(f"Voice '{index}' is changed.", voice, response, [*warnings, *doubts])


@router.delete(
    "/{index}",
    response_model=Done,
    responses={**_UNKNOWN, **error_docs(412, 503)},
    dependencies=[WriterRequired],
)
async def delete_prompt(index: str, state: AppStateDep, if_match: IfMatch = None) -> dict[str, Any]:
    """Deletes a voice that was added over the API, or the changed copy of a shipped voice. A shipped voice
    itself cannot be deleted here (403): it is removed from configs/prompt_cache.json by hand."""
    await state.pools.files.run(state.voices.remove, index, only_if=_versions(if_match))
    return {"message": f"Voice '{index}' is deleted."}


def _answer(
    message: str, voice: VoiceInfo, response: Response, warnings: Sequence[str] = ()
) -> dict[str, Any]:
    response.headers["ETag"] = f'"{voice.version}"'
    return {"message": message, "prompt": _shown(voice), "warnings": warnings}


def _versions(if_match: str | None) -> set[str] | None:
    """Returns the versions of a voice that the header If-Match names; None if it allows any version."""
    if if_match is None or if_match.strip() == "*":
        return None
    return {tag.strip().removeprefix("W/").strip('"') for tag in if_match.split(",")}


def _shown(voice: VoiceInfo) -> dict[str, Any]:
    return {
        "index": voice.index,
        **_recorded(voice),
        **{note: voice.about.get(note) for note in NOTES},
        "language": voice.about.get("language") or language_of(voice.transcript),
        "moods": [{"name": mood.index.partition(MOOD_SIGN)[2], **_recorded(mood)} for mood in voice.moods],
    }


def _recorded(voice: VoiceInfo) -> dict[str, str | None]:
    return {
        "prompt_text": voice.transcript,
        "source": voice.source,
        "audio_url": f"/api/v1/prompts/{url_quote(voice.index)}/audio",
        "consent": voice.about.get("consent"),
    }


def _counted(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def _needed_recording(body: Body, path: str | None, state: AppState) -> Callable[[], bytes]:
    read = _recording(body, path, state)
    if read is None:
        raise InvalidField("Send the recording as prompt_audio, or name it with prompt_audio_path.")
    return read


def _recording(body: Body, path: str | None, state: AppState) -> Callable[[], bytes] | None:
    """Returns a function that reads the recording in `body`, or the file `path`; the function blocks. Returns
    None if there is neither. Raises InvalidField if there are both."""
    upload = body.file()
    if upload is not None and path is not None:
        raise InvalidField("Send either prompt_audio or prompt_audio_path, not both.")
    if path is not None:
        return partial(state.voices.read_recording, path)
    return None if upload is None else upload.read

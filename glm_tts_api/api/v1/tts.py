"""/api/v1/tts: speaks the text of a form, of a JSON body or of a query string."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Sequence
from typing import Any, get_args

from fastapi import Request, Response

from glm_tts_api.api.app_state import AppState, AppStateDep
from glm_tts_api.api.dialects import OWN
from glm_tts_api.api.heard import misspoken, subtitles, times_body
from glm_tts_api.api.openapi import BINARY, body_docs, error_docs, query_docs
from glm_tts_api.api.speech_request import logged_speech, read_speech, speech_of, uploaded_voice
from glm_tts_api.api.speech_response import answer_speech, headers_alone, speak
from glm_tts_api.api.v1.lexicon import own_lexicon
from glm_tts_api.api.v1.schemas import OF_WHOLE_ANSWERS, SpeechAnswer, SpeechFields
from glm_tts_api.api.v1.text import marked_text
from glm_tts_api.audio.encode import media_type
from glm_tts_api.contracts import SAMPLE_RATE, AudioFormat, UploadedVoice, Voice
from glm_tts_api.errors import InvalidField
from glm_tts_api.http.body import PROMPT_AUDIO, Body, read_body, read_query
from glm_tts_api.recognition.recogniser import listed
from glm_tts_api.speech.recent import Answer
from glm_tts_api.speech.request_log import RequestLog
from speech_text import ReadingOptions
from speech_text.marks import in_mood

_TOKEN_HEADER = "x-verify-token"
_BASE64_BLOCK = 3 * 2**20  # a multiple of 3; short enough for other threads to get their turn
_EXAMPLE = {"input_text": "你好，欢迎使用语音合成服务。", "index": "exampleA", "response_format": "wav"}

_HEADERS = {
    "X-Request-Id": "Names the request in the server's log.",
    "X-Sample-Rate": "Audio answers: Hz.",
    "X-Audio-Seconds": "Whole audio answers: how long the speech lasts.",
    "X-Generation-Time": "Whole audio answers: seconds from admission to the finished audio.",
    "X-Finish-Reason": "Whole audio answers: stop, repaired or length, as finish_reason in JSON.",
    "X-Verified": "Whole audio answers, with verify: the worst verdict, ok, inconclusive or drift.",
    "X-Warnings": "Audio answers: as warnings in JSON, in ASCII with backslash escapes.",
}
_SPOKEN = {
    "model": SpeechAnswer,
    "description": "JSON with the WAV inside, or the audio itself, as response_format says.",
    "content": {media_type(audio_format, SAMPLE_RATE): BINARY for audio_format in get_args(AudioFormat)},
    "headers": {name: {"description": it, "schema": {"type": "string"}} for name, it in _HEADERS.items()},
}

router = OWN.router("/api/v1", 401, 403, 500, tag="speech")


@router.get(
    "/tts",
    name="tts_from_address",
    summary="Speak, told by an address",
    description="Speaks as POST /tts does, with the fields in the query string, for a browser's address bar "
    "and for\nprograms that can only open a URL. Unless the URL says otherwise, the answer is mp3 and is "
    "sent while it\nis made.",
    openapi_extra=query_docs(SpeechFields, without=("prompt_text",)),
    responses={200: _SPOKEN, **error_docs(400, 404, 408, 422, 503)},
)
@router.post(
    "/tts",
    summary="Speak",
    openapi_extra=body_docs(SpeechFields, name="Speech", example=_EXAMPLE),
    responses={200: _SPOKEN, **error_docs(400, 404, 408, 413, 415, 422, 503)},
)
async def tts(request: Request, state: AppStateDep) -> Response:
    """Says input_text in a registered voice (index), or in the voice of a recording (prompt_audio,
    prompt_text). With stream=true, the audio is sent while it is made."""
    with logged_speech(request, state, OWN) as log:
        if request.method == "POST":
            body = await read_body(request, state.config.max_text_bytes)
        else:
            raw = read_query(request).fields
            is_whole = raw.get("response_format") == "json" or not raw.keys().isdisjoint(OF_WHOLE_ANSWERS)
            body = Body({"response_format": "mp3", "stream": not is_whole, **raw}, {})
        fields, warnings = await read_speech(request, state, OWN, SpeechFields, body, files=(PROMPT_AUDIO,))
        _require_whole(fields)
        voice = await asked_voice(body, fields, state, state.voices.get)
        text, more = await marked_text(fields, state)
        lexicon = (
            await state.pools.files.run(own_lexicon, fields.lexicon, state.lexicon) if fields.lexicon else ()
        )
        speech = await speech_of(
            request,
            state,
            text,
            voice,
            verify=fields.verify,
            sampling=fields.options,
            sample_rate=fields.sample_rate,
            use_cache=fields.use_cache,
            reading=ReadingOptions(fields.use_phoneme, fields.verbatim, lexicon),
            streams=fields.stream,
            audio_format="wav" if fields.response_format == "json" else fields.response_format,
            speed=fields.speed,
            timestamps="word" if fields.subtitle or fields.fit == "cut" else fields.timestamps,
            duration_s=fields.duration,
            fit=fields.fit,
            loudness=fields.loudness,
            warnings=[*warnings, *more],
        )
        token, given = state.config.verify_token, request.headers.get(_TOKEN_HEADER, "")
        if token and secrets.compare_digest(given.encode(), token.encode()):
            log.metrics = None  # the test sentence of the restart that started this server
        if fields.response_format != "json":
            return await answer_speech(request, state, speech)
        if request.method == "HEAD":
            return headers_alone(request, state, speech, "application/json")
        answer = await speak(request, state, speech)
        made = await state.pools.encode.run(_json_with_audio, answer, log, fields, speech.warnings)
        return Response(made, media_type="application/json")


def _require_whole(fields: SpeechFields) -> None:
    """Raises InvalidField for fields that need a whole answer where a stream is asked for, and for others
    that do not go together."""
    if fields.stream and fields.response_format == "json":
        raise InvalidField("stream=true needs an audio format: response_format=wav, for example, not json.")
    for name in OF_WHOLE_ANSWERS:
        if fields.stream and getattr(fields, name) is not None:
            raise InvalidField(f"{name} needs the whole answer: leave out stream=true.", name)
    if fields.duration is not None and fields.speed != 1.0:
        raise InvalidField("Send either duration or speed: duration finds the speed.", "duration")
    if fields.duration is None and fields.fit is not None:
        raise InvalidField("fit needs duration: it says what to do if no natural tempo gives it.", "fit")


async def asked_voice(
    body: Body, fields: SpeechFields, state: AppState, find: Callable[[str], Voice]
) -> Voice | UploadedVoice:
    """Returns the voice that the request names, as `find` finds it, or the voice of the recording in the
    request. Raises InvalidField, and the errors for an unknown voice or a bad recording."""
    upload = body.file()
    if fields.index is not None:
        if upload or fields.prompt_text:
            raise InvalidField("Send either index, or prompt_audio with prompt_text, not both.")
        name = fields.index if fields.mood is None else in_mood(fields.index, fields.mood)
        return await state.pools.files.run(find, name)
    if fields.mood is not None:
        raise InvalidField("mood needs index: a recording in the request has no moods.", "mood")
    if upload is None and fields.prompt_text is None:
        raise InvalidField("Send index (a registered voice), or prompt_audio with prompt_text.")
    if upload is None:
        raise InvalidField("prompt_text needs prompt_audio, the recording that it is the transcript of.")
    return await uploaded_voice(upload, fields.prompt_text, state, names=(PROMPT_AUDIO, "prompt_text"))


def _json_with_audio(answer: Answer, log: RequestLog, sent: SpeechFields, warnings: Sequence[str]) -> bytes:
    """Makes the JSON of SpeechAnswer. The base64 audio is put in without a JSON encoder, because an encoder
    would check each character and keep every other thread waiting. Blocking; runs on a pool thread."""
    n_segments, generation_s = log.timings.segments, log.timings.generation_s
    fields: dict[str, Any] = {
        "success": True,
        "message": f"{answer.seconds:.2f} s of speech in {n_segments} segment{'s'[: n_segments != 1]}.",
        "sample_rate": answer.sample_rate,
        "generation_time": round(generation_s, 2),
        "error": None,
        "request_id": log.request_id,
        "audio_seconds": round(answer.seconds, 3),
        "segments": n_segments,
        "finish_reason": log.timings.finish_reason,
        "resampled": log.timings.resampled,
        "rtf": round(generation_s / answer.seconds, 3) if answer.seconds else 0.0,
        "warnings": [*warnings, *misspoken(log.timings)],
    }
    if sent.timestamps:
        fields["timestamps"] = [times_body(segment, sent.timestamps) for segment in answer.times]
    if sent.subtitle:
        fields["subtitle"] = subtitles(answer.times, sent.subtitle)
    if log.timings.verified:
        fields["verified"] = listed(log.timings.verified)
    wav = answer.audio
    blocks = (wav[at : at + _BASE64_BLOCK] for at in range(0, len(wav), _BASE64_BLOCK))
    audio = b"".join(base64.b64encode(block) for block in blocks)
    return json.dumps(fields).encode()[:-1] + b', "audio_base64": "' + audio + b'"}'

"""The parts of a speech request that all routes share: its log, the limits of its text, and its voices
(registered voices by their names or aliases, and a recording in the request)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, get_args

from fastapi import Request
from starlette.requests import ClientDisconnect, HTTPConnection

from glm_tts_api import errors
from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.dialects import Dialect
from glm_tts_api.api.heard import is_verified
from glm_tts_api.audio.containers import HEAD_BYTES
from glm_tts_api.audio.decode import require_audio
from glm_tts_api.contracts import SAMPLE_RATE, SampleRate, SpeechRequest, UploadedVoice, Voice
from glm_tts_api.errors import quote
from glm_tts_api.http.body import Body, ModelT, Upload, read_body
from glm_tts_api.speech.request_log import RequestLog, recorded_outcome
from speech_text.marks import MOOD_SIGN, in_mood, voices_in

_MOST_VOICES = 32  # in one text; their samples are in memory while the request waits


@contextmanager
def logged_speech(request: HTTPConnection, state: AppState, dialect: Dialect) -> Iterator[RequestLog]:
    """Makes the log of a speech request and puts it into the request's state, with the dialect. Records in
    the log how the `with` block ends, for example with an error. The middleware writes the log when the
    answer has been sent. Raises ClientGone if the client disconnects while its body arrives."""
    log = RequestLog(request.state.request_id, dialect.name, state.speech.metrics_of[0], request.state.client)
    request.state.log, request.state.dialect = log, dialect
    with recorded_outcome(log):
        try:
            yield log
        except ClientDisconnect:  # while the body was still arriving
            raise errors.ClientGone from None


async def read_speech(
    request: Request,
    state: AppState,
    dialect: Dialect,
    model: type[ModelT],
    body: Body | None = None,
    *,
    files: Collection[str] = (),
) -> tuple[ModelT, list[str]]:
    """Reads the request's body, unless `body` is given, and its fields as `model`. Notes the text's length in
    the request's log. Returns the fields and the warnings, as Body.parse does. Raises also the errors
    of `require_text`."""
    body = body or await read_body(request, state.config.max_text_bytes)
    fields, warnings = body.parse(model, files=files, voice=dialect.voice)
    text = getattr(fields, dialect.text)
    request.state.log.length = state.speech.admission.config.measure(len(text))
    require_text(text, state.config.max_text_length, field=dialect.text)
    return fields, warnings


def require_text(text: str, most: int, *, field: str) -> None:
    """Raises TextTooLong if the text has more than `most` characters, NothingToSay if it is blank. The error
    names `field`, in which the text was sent."""
    if len(text) > most:
        raise errors.TextTooLong(
            f"{field} has {len(text)} characters; at most {most} are possible (MAX_TEXT_LENGTH): "
            "send it in parts, or as a job (POST /api/v1/jobs), which takes a whole book.",
            field,
        )
    if not text.strip():
        raise errors.NothingToSay(f"{field} is blank: send the text to speak.", field)


async def speech_of(
    request: HTTPConnection,
    state: AppState,
    text: str,
    voice: str | Voice | UploadedVoice,
    *,
    verify: bool = False,
    sample_rate: int = SAMPLE_RATE,
    **options: Any,
) -> SpeechRequest:
    """Makes the SpeechRequest of a request to any API, which is to say `text` in `voice`, the voice itself or
    its name. Adds the voices that marks such as [[voice ann]] name in the text, the client, and verify=true
    from the URL. The audio has `sample_rate` Hz; it is resampled unless a vocoder has this rate. `options`
    are further fields of SpeechRequest. Raises UnknownVoice, and InvalidField if the
    request is to be verified and the server has no recogniser."""
    own = await state.pools.files.run(named_voice, voice, state) if isinstance(voice, str) else voice
    others = dict[str, Voice]()
    if "[[" in text:  # it may have marks
        others = await state.pools.files.run(lambda: named_voices(voices_in(text), state, own))
    has_vocoder = sample_rate in get_args(SampleRate)
    return SpeechRequest(
        request.state.request_id,
        text,
        own,
        sample_rate=sample_rate if has_vocoder else SAMPLE_RATE,
        output_rate=None if has_vocoder else sample_rate,
        others=others,
        verify=is_verified(request, state, verify),
        client=request.state.client.name,
        **options,
    )


def named_voices(
    names: Iterable[str], state: AppState, own: Voice | UploadedVoice | None
) -> dict[str, Voice]:
    """Returns the voice of each name in `names`; names that are empty or only `:` are left out. A name like
    `:glad` means the voice `own` in that mood. Blocking. Raises UnknownVoice, UnknownMood, and
    MalformedPronunciation for more than 32 voices."""
    wanted = dict.fromkeys(name for name in names if name.strip(MOOD_SIGN))
    if len(wanted) > _MOST_VOICES:
        raise errors.MalformedPronunciation(
            f"The text calls for {len(wanted)} voices, at most {_MOST_VOICES} may speak: send it in parts."
        )
    return {
        name: _mood_of(own, name[1:], state) if name.startswith(MOOD_SIGN) else named_voice(name, state)
        for name in wanted
    }


def named_voice(name: str, state: AppState) -> Voice:
    """Returns the registered voice `name`. If there is none, returns the voice for which `name` is an alias.
    A name may include a mood (`ann:glad`). Blocking. Raises UnknownVoice and UnknownMood."""
    aliases, voices = state.config.voice_aliases, state.voices
    try:
        return voices.get(name)
    except errors.UnknownMood:
        raise
    except errors.UnknownVoice:
        voice, sign, mood = name.partition(MOOD_SIGN)
        if voice not in aliases:
            raise
        return voices.get(in_mood(aliases[voice], mood) if sign else aliases[voice])


def _mood_of(own: Voice | UploadedVoice | None, mood: str, state: AppState) -> Voice:
    """Returns the request's own voice `own` in the given mood. Blocking. Raises UnknownMood, also if `own` is
    a recording in the request, which has no moods."""
    if not isinstance(own, Voice) or own.name is None:
        raise errors.UnknownMood(
            f"The recording that came with the request has no mood '{quote(mood)}': register it as a voice, "
            "with a recording for each mood.",
            "mood",
        )
    return state.voices.get(in_mood(own.name, mood))


async def uploaded_voice(
    upload: Upload, transcript: str | None, state: AppState, *, names: tuple[str, str]
) -> UploadedVoice:
    """Makes a voice of a recording that came with a request and its transcript. `names` are the names of the
    two fields in which these came, for error messages. Raises InvalidField, TextTooLong, NotAudio."""
    audio, text = names
    if transcript is None or not transcript.strip():
        raise errors.InvalidField(f"{audio} needs {text}, its exact transcript.", text)
    transcript = state.voices.check_transcript(transcript, field=text)
    require_audio(await state.pools.files.run(upload.read, HEAD_BYTES))
    return UploadedVoice(upload.read, transcript)

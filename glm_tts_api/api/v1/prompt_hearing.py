"""Checks whether a recording that is to be a voice says its transcript. A recogniser hears the recording; if
there is none, or it is not sure, an engine judges."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from fastapi import Request

from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.registering import beside_speech, register
from glm_tts_api.audio.decode import decode_audio
from glm_tts_api.contracts import Recording, Voice
from glm_tts_api.errors import InvalidField, PromptRejected, ServiceError, Unavailable, quote
from glm_tts_api.recognition.messages import Heard
from glm_tts_api.voices.check import Finding, check_recording, check_transcript_fit, words_heard

_MOST_SHOWN = 500  # characters


async def findings_in(request: Request, state: AppState, voice: Voice, heard: str | None) -> list[Finding]:
    """Checks the sound of a recording that is to be a voice, and whether it says its transcript. Returns all
    findings. `heard` are the words that a recogniser heard in a recording without a transcript. Raises
    InvalidField if there is neither a transcript nor heard words."""
    transcript = voice.transcript or heard
    if not transcript:
        raise InvalidField("prompt_text is missing: send the recording's exact transcript.", "prompt_text")
    async with beside_speech(request, state, transcript):
        found = await state.pools.beside.run(check_recording, voice.recording, transcript)
        found += await words_in(voice, state) if voice.transcript else [words_heard(transcript, None)]
    return found


async def words_in(voice: Voice, state: AppState) -> list[Finding]:
    """Checks whether the recording says its transcript, and returns the findings. If no recogniser works, or
    if the recogniser is not sure, an engine judges too. The list is empty if neither a recogniser nor an
    engine can judge."""
    found = list[Finding]()
    heard = await _heard(voice.recording, state, voice.transcript)
    if heard is not None:
        found.append(words_heard(heard.text, heard.verdict))
    if heard is None or heard.verdict == "inconclusive":
        with suppress(PromptRejected):
            gain = await state.speech.engines.judge(voice)
            found += [] if gain is None else [check_transcript_fit(gain)]
    return found


async def misfit_of(index: str, state: AppState) -> list[str]:
    """Returns a sentence for each reason why the transcript of the registered voice `index` does not seem to
    fit its recording. The list is empty if the voice can no longer be read."""
    try:
        voice = await state.pools.files.run(state.voices.get, index)
    except ServiceError:  # another writer changed it meanwhile
        return []
    return [each.message for each in await words_in(voice, state) if each.status != "ok"]


async def heard_in(recording: Recording, state: AppState) -> str | None:
    """Returns the words that a recogniser hears in a recording without a transcript. Returns None if there is
    no recogniser that works."""
    heard = await _heard(recording, state, None)
    return None if heard is None else heard.text


async def _heard(recording: Recording, state: AppState, said: str | None) -> Heard | None:
    if not state.speech.recogniser.is_there:
        return None
    try:
        return await state.speech.recogniser.hear(recording.samples, recording.sample_rate, said)
    except Unavailable:
        return None


async def needed_transcript(
    request: Request, state: AppState, read: Callable[[], bytes], transcript: str | None
) -> str:
    """Checks and returns the transcript that was sent. If it is None, raises InvalidField, with the words
    that a recogniser hears in the recording if there is a recogniser. `read` returns the recording's file."""
    if transcript is not None:
        return state.voices.check_transcript(transcript)
    heard = None
    if state.speech.recogniser.is_there:
        recording = await register(request, state, "", lambda: decode_audio(read(), state.voices.limits))
        heard = await heard_in(recording, state)
    if not heard:
        raise InvalidField("prompt_text is missing: the recording's exact transcript.", "prompt_text")
    raise InvalidField(
        f"prompt_text is missing. A recogniser heard '{quote(heard, _MOST_SHOWN)}': send that as "
        "prompt_text, corrected where it is wrong.",
        "prompt_text",
    )

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
from glm_tts_api.recognition.recogniser import Heard
from glm_tts_api.voices.check import Finding, check_recording, check_transcript_fit, words_heard

_MOST_SHOWN = 500  # characters


async def findings_in(
    request: Request, state: AppState, voice: Voice, heard: str | None
) -> tuple[list[Finding], list[str]]:
    """Checks the sound of a recording that is to be a voice, and whether it says its transcript. Returns all
    findings, and two sentences for each check that did not run. `heard` are the words that a recogniser heard
    in a recording without a transcript. Raises InvalidField if there is neither a transcript nor heard
    words."""
    transcript = voice.transcript or heard
    if not transcript:
        raise InvalidField("prompt_text is missing: send the recording's exact transcript.", "prompt_text")
    async with beside_speech(request, state, transcript):
        found = await state.pools.beside.run(check_recording, voice.recording, transcript)
        if not voice.transcript:
            return [*found, words_heard(transcript, None)], []
        of_words, not_checked = await words_in(voice, state)
        return [*found, *of_words], not_checked


async def words_in(voice: Voice, state: AppState) -> tuple[list[Finding], list[str]]:
    """Checks whether the recording says its transcript. Returns the findings, and two sentences for each
    check that did not run. If no recogniser works, or if the recogniser is not sure, an engine judges too."""
    found, not_checked = list[Finding](), list[str]()
    try:
        heard = await _heard(voice.recording, state, voice.transcript)
        found.append(words_heard(heard.text, heard.verdict))
        is_sure = heard.verdict != "inconclusive"
    except Unavailable as cause:
        not_checked.append(f"The check 'words' did not run. {cause.message}")
        is_sure = False
    if not is_sure:
        try:
            found.append(check_transcript_fit(await state.speech.engines.judge(voice)))
        except (PromptRejected, Unavailable) as cause:
            not_checked.append(f"The check 'transcript' did not run. {cause.message}")
    return found, not_checked


async def misfit_of(index: str, state: AppState) -> list[str]:
    """Returns a sentence for each reason why the transcript of the registered voice `index` does not seem to
    fit its recording. The list is empty if the voice can no longer be read."""
    try:
        voice = await state.pools.files.run(state.voices.get, index)
    except ServiceError:  # another writer changed it meanwhile
        return []
    found, _ = await words_in(voice, state)
    return [each.message for each in found if each.status != "ok"]


async def heard_in(recording: Recording, state: AppState) -> str | None:
    """Returns the words that a recogniser hears in a recording without a transcript. Returns None if there is
    no recogniser that works."""
    with suppress(Unavailable):
        return (await _heard(recording, state, None)).text
    return None


async def _heard(recording: Recording, state: AppState, said: str | None) -> Heard:
    if not state.speech.recogniser.is_there:
        raise Unavailable("The server has no recogniser of speech (ASR_MODEL_DIR).")
    return await state.speech.recogniser.hear(recording.samples, recording.sample_rate, said)


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

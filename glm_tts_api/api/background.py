"""Work that is not speech, for every API: adding, changing and checking voices, and encoding audio again. It
has limits of its own (`AppState.background_admission`), so that no speech request waits for it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import BinaryIO, TypeVar

from fastapi import Request

from glm_tts_api.api.app_state import AppState
from glm_tts_api.audio.decode import decode_audio
from glm_tts_api.audio.encode import from_pcm16, open_encoder
from glm_tts_api.contracts import AudioFormat, Recording, Voice
from glm_tts_api.errors import ClientGone, InvalidField, ServiceError, Unavailable, quote
from glm_tts_api.http.middleware import cancelled_on_disconnect
from glm_tts_api.recognition.recogniser import Transcript
from glm_tts_api.voices.check import Finding, check_recording, words_heard
from glm_tts_api.voices.store import VoiceStore

ResultT = TypeVar("ResultT")
_PIECE_BYTES = 2**20  # of samples; they are encoded in some 0.1 s
_CHARACTERS_A_SECOND = 5  # of speech, roughly: encoding is admitted as a text of this length would be
_MOST_SHOWN = 500  # characters of what a recogniser heard


async def register(
    request: Request, state: AppState, transcript: str, change: Callable[[], ResultT]
) -> ResultT:
    """Runs `change` in a thread, within `background_work`, and returns its result. `change` reads the
    recording itself, so that a waiting request stays small. Raises also the errors of `change`."""
    async with background_work(request, state, len(transcript)):
        return await state.pools.background.run(change)


@asynccontextmanager
async def background_work(request: Request, state: AppState, n_chars: int) -> AsyncIterator[None]:
    """Waits for a permit for work that is not speech, and keeps it while the context lasts. `n_chars`, the
    length of the text, decides whether the work counts as short or long. Raises QueueFull and
    DeadlineExceeded."""
    length = (admission := state.background_admission).config.measure(n_chars)
    async with admission.admit(length, arrived_at=request.state.arrived_at, client=request.state.client):
        yield


def doubts_of(voices: VoiceStore, index: str) -> list[str]:
    """Returns a sentence for each doubtful point of the voice `index`, which was just written. The list is
    empty if the voice can no longer be read. Blocking."""
    try:
        voice = voices.get(index)
    except ServiceError:  # another writer changed it meanwhile
        return []
    found = check_recording(voice.recording, voice.transcript)
    return [each.message for each in found if each.status != "ok"]


async def encoded_anew(
    request: Request,
    state: AppState,
    pcm: BinaryIO,
    n_samples: int,
    sample_rate: int,
    audio_format: AudioFormat,
) -> bytes:
    """Encodes samples as `audio_format`, within `background_work`, and returns the file. `pcm` is a file with
    `n_samples` samples of 16 bit at `sample_rate` Hz. Raises also ClientGone."""

    left = threading.Event()  # set if nobody waits for the file any more

    def encode() -> bytes:
        encoder = open_encoder(audio_format, sample_rate, n_samples=n_samples)
        pcm.seek(0)
        pieces = []
        while data := pcm.read(_PIECE_BYTES):
            if left.is_set():
                raise ClientGone
            pieces.append(encoder.push(from_pcm16(data)))
        return b"".join([*pieces, encoder.finish()])

    admitted = background_work(request, state, _CHARACTERS_A_SECOND * n_samples // sample_rate)
    async with cancelled_on_disconnect(request.receive), admitted:
        try:
            return await state.pools.background.run(encode)
        finally:
            left.set()


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
    async with background_work(request, state, len(transcript)):
        found = await state.pools.background.run(check_recording, voice.recording, transcript)
        if not voice.transcript:
            return [*found, words_heard(transcript, None)], []
        try:
            return [*found, await _words_in(voice, state)], []
        except Unavailable as cause:
            return found, [f"The check 'words' did not run. {cause.message}"]


async def _words_in(voice: Voice, state: AppState) -> Finding:
    """Returns whether a recogniser hears the transcript in the recording. Raises Unavailable."""
    heard = await _heard(voice.recording, state, voice.transcript)
    return words_heard(heard.text, heard.verdict)


async def misfit_of(index: str, state: AppState) -> list[str]:
    """Returns a sentence that says what is heard instead, if a recogniser hears other words in the registered
    voice `index` than its transcript has. Otherwise the list is empty; also without a recogniser, and if the
    voice can no longer be read."""
    with suppress(ServiceError):  # also where another writer changed it meanwhile
        words = await _words_in(await state.pools.files.run(state.voices.get, index), state)
        return [] if words.status == "ok" else [words.message]
    return []


async def text_in(recording: Recording, state: AppState) -> str | None:
    """Returns the words that a recogniser hears in a recording without a transcript. Returns None if there is
    no recogniser that works."""
    with suppress(Unavailable):
        return (await _heard(recording, state, None)).text
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
        heard = await text_in(recording, state)
    hint = ": the recording's exact transcript."
    if heard:
        hint = f". A recogniser heard '{quote(heard, _MOST_SHOWN)}': send that as prompt_text, corrected "
        hint += "where it is wrong."
    raise InvalidField(f"prompt_text is missing{hint}", "prompt_text")


async def _heard(recording: Recording, state: AppState, said: str | None) -> Transcript:
    if not state.speech.recogniser.is_there:
        raise Unavailable("The server has no recogniser of speech (ASR_MODEL_DIR).")
    return await state.speech.recogniser.hear(recording.samples, recording.sample_rate, said)

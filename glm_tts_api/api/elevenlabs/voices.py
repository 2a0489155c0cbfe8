"""Lists and searches the voices for ElevenLabs' clients."""

from __future__ import annotations

from fastapi import APIRouter

from glm_tts_api.api.access import XiKeyRequired
from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.dependencies import AppStateDep
from glm_tts_api.api.elevenlabs.schemas import (
    ElevenLabsError,
    ElevenLabsPage,
    ElevenLabsVoice,
    ElevenLabsVoices,
)
from glm_tts_api.api.openapi import error_docs
from glm_tts_api.voices.index import VoiceInfo

router = APIRouter(
    tags=["ElevenLabs"],
    dependencies=[XiKeyRequired],
    responses=error_docs(401, 403, 500, model=ElevenLabsError),
)
_ASKED_FOR = error_docs(400, 404, 422, model=ElevenLabsError)


@router.get("/v1/voices")
async def elevenlabs_voices(state: AppStateDep) -> ElevenLabsVoices:
    """Lists every registered voice. The id of a voice is its name."""
    return ElevenLabsVoices(voices=await _voices(state))


@router.get("/v2/voices", responses=_ASKED_FOR)
async def elevenlabs_search(state: AppStateDep, search: str = "") -> ElevenLabsPage:
    """Lists the voices that have `search` in their names, in any case, all on one page."""
    found = [voice for voice in await _voices(state) if search.casefold() in voice.name.casefold()]
    return ElevenLabsPage(voices=found, total_count=len(found))


@router.get("/v1/voices/{voice_id}", responses=_ASKED_FOR)
async def elevenlabs_voice(voice_id: str, state: AppStateDep) -> ElevenLabsVoice:
    """Shows one voice. Its id is its name."""
    return _shown(await state.pools.files.run(state.voices.info, voice_id))


async def _voices(state: AppState) -> list[ElevenLabsVoice]:
    return [_shown(voice) for voice in await state.pools.files.run(state.voices.list_voices)]


def _shown(voice: VoiceInfo) -> ElevenLabsVoice:
    return ElevenLabsVoice(
        voice_id=voice.index,
        name=voice.index,
        category="premade" if voice.source == "shipped" else "cloned",
    )

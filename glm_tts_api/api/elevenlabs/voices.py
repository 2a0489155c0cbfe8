"""Which voices there are, as ElevenLabs' clients ask."""

from __future__ import annotations

from fastapi import APIRouter

from glm_tts_api.api.access import XiKeyRequired
from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.dependencies import AppStateDep
from glm_tts_api.api.elevenlabs.schemas import ElevenLabsPage, ElevenLabsVoice, ElevenLabsVoices
from glm_tts_api.voices.store import VoiceInfo

router = APIRouter(include_in_schema=False, dependencies=[XiKeyRequired])


@router.get("/v1/voices")
async def elevenlabs_voices(state: AppStateDep) -> ElevenLabsVoices:
    """Every registered voice; its id is its name."""
    return ElevenLabsVoices(voices=await _voices(state))


@router.get("/v2/voices")
async def elevenlabs_search(state: AppStateDep, search: str = "") -> ElevenLabsPage:
    """The voices with `search` in their names, all on one page."""
    found = [voice for voice in await _voices(state) if search.casefold() in voice.name.casefold()]
    return ElevenLabsPage(voices=found, total_count=len(found))


@router.get("/v1/voices/{voice_id}")
async def elevenlabs_voice(voice_id: str, state: AppStateDep) -> ElevenLabsVoice:
    """One voice."""
    return _shown(await state.pools.files.run(state.voices.info, voice_id))


async def _voices(state: AppState) -> list[ElevenLabsVoice]:
    return [_shown(voice) for voice in await state.pools.files.run(state.voices.list_voices)]


def _shown(voice: VoiceInfo) -> ElevenLabsVoice:
    return ElevenLabsVoice(
        voice_id=voice.index,
        name=voice.index,
        category="premade" if voice.source == "shipped" else "cloned",
    )

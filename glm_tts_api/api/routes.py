"""The routers of every API, in the order in which their paths are matched."""

from __future__ import annotations

from copy import copy

from fastapi import APIRouter
from fastapi.routing import APIRoute

from glm_tts_api.api.compatible import gpt_sovits, kokoro, speaches
from glm_tts_api.api.elevenlabs import speech as elevenlabs_speech
from glm_tts_api.api.elevenlabs import voices as elevenlabs_voices
from glm_tts_api.api.openai import custom_voices, speech, speech_socket
from glm_tts_api.api.openai import voices as openai_voices
from glm_tts_api.api.v1 import (
    audio,
    jobs,
    lexicon,
    metrics,
    ops,
    prompt_archive,
    prompts,
    text,
    tts,
)
from glm_tts_api.api.zhipu import speech as zhipu_speech
from glm_tts_api.api.zhipu import voices as zhipu_voices

ROUTERS = (
    tts.router,
    audio.router,
    speech.router,
    speech_socket.router,
    openai_voices.router,
    custom_voices.router,
    speaches.router,
    gpt_sovits.router,
    kokoro.router,
    zhipu_speech.router,
    zhipu_voices.router,
    elevenlabs_speech.router,
    elevenlabs_voices.router,
    prompts.router,
    prompt_archive.router,
    jobs.router,
    jobs.audio_router,
    text.router,
    lexicon.router,
    ops.ops_router,
    ops.health_router,
    metrics.router,
)
FILES_IN_JSON = (speech.PATH, jobs.PATH)  # where JSON may hold a recording, or a book


def heads(router: APIRouter) -> list[APIRoute]:
    """Returns a HEAD route for each route of the router that answers GET. /openapi.json does not list the
    HEAD routes."""
    heads = []
    for route in router.routes:
        if isinstance(route, APIRoute) and route.methods == {"GET"}:
            head = copy(route)
            head.methods, head.include_in_schema = {"HEAD"}, False
            heads.append(head)
    return heads


for _router in ROUTERS:
    _router.routes.extend(heads(_router))

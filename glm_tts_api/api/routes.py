"""The routers of every API, in the order in which their paths are matched."""

from __future__ import annotations

from copy import copy

from fastapi import APIRouter
from fastapi.routing import APIRoute

from glm_tts_api.api.compatible import elevenlabs, gpt_sovits, kokoro, zhipu
from glm_tts_api.api.openai import speech, speech_socket
from glm_tts_api.api.openai import voices as openai_voices
from glm_tts_api.api.v1 import audio, job_files, jobs, lexicon, ops, prompt_archive, prompts, text, tts

ROUTERS = (
    tts.router,
    audio.router,
    speech.router,
    speech_socket.router,
    openai_voices.router,
    openai_voices.custom_router,
    openai_voices.health_router,
    gpt_sovits.router,
    kokoro.router,
    zhipu.router,
    zhipu.voices_router,
    elevenlabs.router,
    elevenlabs.voices_router,
    prompts.router,
    prompt_archive.router,
    jobs.router,
    job_files.audio_router,
    text.router,
    lexicon.router,
    ops.ops_router,
    ops.health_router,
    ops.metrics_router,
)
FILES_IN_JSON = (speech.PATH, job_files.PATH)  # where JSON may hold a recording, or a book


def heads(router: APIRouter) -> list[APIRoute]:
    """Returns a HEAD route for each GET route of the router. /openapi.json does not list these."""
    heads = []
    for route in router.routes:
        if isinstance(route, APIRoute) and route.methods == {"GET"}:
            head = copy(route)
            head.methods, head.include_in_schema = {"HEAD"}, False
            heads.append(head)
    return heads


for _router in ROUTERS:
    _router.routes.extend(heads(_router))

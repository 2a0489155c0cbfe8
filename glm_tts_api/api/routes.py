"""The routers of every API, in the order in which their paths are matched."""

from __future__ import annotations

from copy import copy

from fastapi import APIRouter
from fastapi.routing import APIRoute

from glm_tts_api.api.compatible.elevenlabs import ELEVENLABS
from glm_tts_api.api.compatible.gpt_sovits import GPT_SOVITS
from glm_tts_api.api.compatible.kokoro import KOKORO
from glm_tts_api.api.compatible.zhipu import ZHIPU
from glm_tts_api.api.dialects import OWN
from glm_tts_api.api.openai import OPENAI
from glm_tts_api.api.openai.speaker import SOCKET
from glm_tts_api.api.v1 import audio, job_files, jobs, lexicon, ops, prompt_archive, prompts, text, tts
from glm_tts_api.stats.metrics import APIS

DIALECTS = (OPENAI, SOCKET, GPT_SOVITS, KOKORO, ZHIPU, ELEVENLABS)
ROUTERS = (
    tts.router,
    audio.router,
    *(router for dialect in DIALECTS for router in dialect.routers),
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
# Where JSON may hold a recording, or a book.
FILES_IN_JSON = (*(path for dialect in DIALECTS for path in dialect.files_in_json), job_files.PATH)
APIS.extend(dict.fromkeys(dialect.name for dialect in (OWN, *DIALECTS)))


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

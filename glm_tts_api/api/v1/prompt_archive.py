"""Exports voices as one ZIP file, and imports the voices of such a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated, Any
from urllib.parse import quote as url_quote

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from glm_tts_api.api.access import WriterRequired
from glm_tts_api.api.app_state import AppStateDep
from glm_tts_api.api.background import doubts_of, register
from glm_tts_api.api.dialects import OWN
from glm_tts_api.api.fields import Answer, Fields, described
from glm_tts_api.api.openapi import BINARY, error_docs, form_docs
from glm_tts_api.api.v1.schemas import Warnings
from glm_tts_api.http.body import read_body
from glm_tts_api.speech.clients import may_use, require_voice
from glm_tts_api.voices.archive import Result, bring, pack, read_each, recordings_of, unpack

_ARCHIVE = "archive"
_ZIP = "application/zip"
_MOST_TIMES = 4  # an unpacked file may have this many times the bytes of the largest upload
_SAID: dict[Result, str] = {
    "added": "Voice '{}' is registered.",
    "there": "Voice '{}' is there already.",
    "taken": "Voice '{}' is not imported: another voice there has this name. DELETE it, then import again.",
}

router = OWN.router("/api/v1", 401, 403, 500, tag="voices")


class ImportFields(Fields):
    """The upload has no fields, only the file."""


class ImportedVoice(BaseModel):
    """A voice of the file, or a mood of a voice, and whether it was added."""

    index: str = described("The name of the voice.", "my_voice")
    result: Result = described(
        "added: the voice is new here. there: the same voice was here already. taken: another voice here has "
        "this name, and stays.",
        "added",
    )
    message: str = Field(examples=["Voice 'my_voice' is registered."])
    warnings: list[str] = described(
        "Doubtful points of the recording or the transcript.",
        ["Speech at -47 dBFS: very quiet. Record closer to the microphone, or turn it up."],
        default=[],
    )


class ImportAnswer(Answer):
    """The result for each voice of the file."""

    message: str = Field(examples=["1 added, 0 there already, 0 not imported."])
    prompts: list[ImportedVoice]
    warnings: Warnings


@router.get(
    "/prompts.zip",
    response_class=Response,
    responses={200: {"description": "The file.", "content": {_ZIP: BINARY}}, **error_docs(404, 422)},
)
async def export_prompts(
    request: Request,
    state: AppStateDep,
    index: Annotated[
        list[str] | None,
        Query(description="Export only these voices, with their moods.", examples=[["my_voice"]]),
    ] = None,
) -> Response:
    """Exports the voices that the key may use as one ZIP file: recordings, transcripts, moods and notes."""
    client, names = request.state.client, index or []
    for name in names:
        require_voice(client, name)
    found = await state.pools.files.run(recordings_of, state.voices, names)
    recordings = [voice for voice in found if may_use(client, voice.index)]
    name = url_quote(f"{names[0] if len(names) == 1 else 'voices'}.zip", safe="")
    headers = {"Content-Disposition": f"attachment; filename=\"voices.zip\"; filename*=UTF-8''{name}"}
    if request.method == "HEAD":
        return Response(headers=headers, media_type=_ZIP)
    blocks = pack(read_each(state.voices, recordings))

    async def sent() -> AsyncIterator[bytes]:
        while (block := await state.pools.files.run(next, blocks, None)) is not None:
            yield block

    return StreamingResponse(sent(), headers=headers, media_type=_ZIP)


@router.post(
    "/prompts/import",
    response_model=ImportAnswer,
    openapi_extra=form_docs(
        ImportFields,
        name="PromptsUpload",
        file=_ARCHIVE,
        described={**BINARY["schema"], "description": "A file of GET /api/v1/prompts.zip."},
    ),
    responses=error_docs(400, 413, 415, 422, 503, 507),
    dependencies=[WriterRequired],
)
async def import_prompts(request: Request, state: AppStateDep) -> dict[str, Any]:
    """Adds the voices of a file that GET /prompts.zip has exported. A file with a fault is refused as a
    whole. A registered voice with the same name as a voice of the file stays as it is."""
    body = await read_body(request, state.config.max_text_bytes)
    _, warnings = body.parse(ImportFields, files=(_ARCHIVE,))
    upload = body.needed_file(_ARCHIVE, "what GET /api/v1/prompts.zip answers")
    most_bytes = _MOST_TIMES * state.config.max_upload_bytes

    def change() -> list[dict[str, Any]]:
        return [
            {
                "index": name,
                "result": result,
                "message": _SAID[result].format(name),
                "warnings": doubts_of(state.voices, name) if result == "added" else [],
            }
            for name, result in bring(state.voices, unpack(upload.file, most_bytes)).items()
        ]

    voices = await register(request, state, "", change)
    n_of = Counter(voice["result"] for voice in voices)
    message = f"{n_of['added']} added, {n_of['there']} there already, {n_of['taken']} not imported."
    return {"message": message, "prompts": voices, "warnings": warnings}

"""GET /api/v1/jobs/{id}/verified: what a recogniser heard in a job."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from glm_tts_api.api.access import KeyRequired, WriterRequired
from glm_tts_api.api.dependencies import AppStateDep
from glm_tts_api.api.openapi import error_docs
from glm_tts_api.api.v1.jobs import PATH, Id, find_job
from glm_tts_api.api.verified import VerifiedSegment
from glm_tts_api.contracts import Verdict
from glm_tts_api.recognition.verdicts import told

router = APIRouter(
    prefix=PATH,
    tags=["books"],
    dependencies=[KeyRequired, WriterRequired],
    responses=error_docs(401, 403, 500),
)


class JobVerdicts(BaseModel):
    """A recogniser's verdicts on the segments of a job so far. `segment` is a segment's number in the job."""

    success: Literal[True] = True
    count: dict[Verdict, int] = Field(
        description="The number of segments with each verdict.",
        examples=[{"ok": 78, "inconclusive": 1, "drift": 0}],
    )
    doubtful: list[VerifiedSegment] = Field(description="The segments whose verdict is not ok.")


@router.get("/{id}/verified", response_model=JobVerdicts, responses=error_docs(404, 422))
async def get_job_verdicts(id: Id, request: Request, state: AppStateDep) -> dict[str, Any]:
    """The verdicts of a job with verify=true: how many segments have each verdict, and each segment that is
    not ok, with its text and the words that were heard."""
    look = await find_job(id, request, state)
    return told(await state.pools.files.run(look.folder.verdicts))

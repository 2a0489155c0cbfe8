"""How a route gets at the running server's parts."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from glm_tts_api.web.service import Service


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


ServiceDep = Annotated[Service, Depends(_service)]

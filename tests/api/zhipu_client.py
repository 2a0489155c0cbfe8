"""Zhipu's own package, as a client of a server of these tests."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
from zai import ZhipuAiClient

from tests.api.running import Running


def sdk(server: Running, key: str = "any", **options: Any) -> ZhipuAiClient:
    http = httpx.Client(trust_env=False, headers=options.pop("headers", None))
    return ZhipuAiClient(base_url=f"{server.url}/api/paas/v4/", api_key=key, http_client=http, **options)


def samples(pcm: bytes) -> Any:
    return np.frombuffer(pcm, "<i2")

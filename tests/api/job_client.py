"""Requests of tests for the jobs of a server."""

from __future__ import annotations

from typing import Any

import httpx

from tests.api.waiting import wait_until

TEXT = "\n\n".join(f"第{number}段说的是江南的春天和那里的人们。" for number in range(6))
N_UNITS = 6


def begin(client: httpx.Client, **fields: Any) -> str:
    answer = client.post("/api/v1/jobs", json={"input_text": TEXT, "index": "exampleA", **fields})
    assert answer.status_code == 202, answer.text
    assert answer.json()["state"] == "queued"
    return str(answer.json()["id"])


def look(client: httpx.Client, id: str) -> dict[str, Any]:
    job: dict[str, Any] = client.get(f"/api/v1/jobs/{id}").raise_for_status().json()
    return job


def wait_for(client: httpx.Client, id: str, state: str) -> dict[str, Any]:
    wait_until(lambda: look(client, id)["state"] == state)
    return look(client, id)


def audio(client: httpx.Client, id: str, book_format: str = "wav", **headers: str) -> httpx.Response:
    return client.get(f"/api/v1/jobs/{id}/audio", params={"format": book_format}, headers=headers)

"""/api/v1/lexicon, and a request's own lexicon."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from glm_tts_api.lexicon import LexiconFile, open_frontend
from tests.api.project_folder import project
from tests.api.running import Running, running_app
from tests.api.tone_engine import ToneEngine
from tests.api.waiting import wait_until

LEXICON = "/api/v1/lexicon"
READING = {"reading": "chong2 qing4"}


def test_a_word_is_added_changed_shown_and_deleted(server: Running) -> None:
    with server.client() as client:
        assert client.get(LEXICON).json()["entries"] == []
        added = client.put(f"{LEXICON}/重庆", json=READING)
        assert (added.status_code, added.json()["entry"]["word"]) == (200, "重庆")
        client.put(f"{LEXICON}/重庆", data={"replacement": "山城", "context": "火锅"})
        client.put(f"{LEXICON}/TCP/IP", json={"replacement": "T C P I P"})
        assert client.get(LEXICON).json()["count"] == 2
        shown = client.get(f"{LEXICON}/重庆").json()["entry"]
        assert shown == {"word": "重庆", "reading": None, "replacement": "山城", "context": "火锅"}
        assert client.delete(f"{LEXICON}/TCP/IP").status_code == 200
        gone = client.get(f"{LEXICON}/TCP/IP")
        assert (gone.status_code, gone.json()["code"]) == (404, "unknown_word")
        assert client.delete(f"{LEXICON}/TCP/IP").status_code == 404
    (line,) = (server.root / "configs" / "lexicon.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {"word": "重庆", "replacement": "山城", "context": "火锅"}


@pytest.mark.parametrize(
    ("fields", "code", "names"),
    [
        ({"reading": "chong9"}, "malformed_pronunciation", "chong9"),
        ({}, "invalid_field", "either reading"),
        ({"replacement": " "}, "invalid_field", "replacement"),
    ],
)
def test_what_is_no_entry_is_refused(server: Running, fields: dict[str, str], code: str, names: str) -> None:
    with server.client() as client:
        answer = client.put(f"{LEXICON}/重庆", json=fields)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert names in answer.json()["message"]


def test_writes_follow_the_rules_of_voices(server: Running, serve: Callable[..., Running]) -> None:
    with server.client(headers={"Origin": "https://elsewhere.example"}) as client:
        assert client.put(f"{LEXICON}/重庆", json=READING).status_code == 403
        assert client.delete(f"{LEXICON}/重庆").status_code == 403
    with serve(api_keys="secret").client() as client:
        assert client.get(LEXICON).status_code == 401
        headers = {"X-API-Key": "secret"}
        assert client.put(f"{LEXICON}/重庆", json=READING, headers=headers).status_code == 200


def test_a_request_may_bring_entries_of_its_own(server: Running) -> None:
    own = [{"word": "重庆", **READING}]
    assert server.say("重庆", lexicon=json.dumps(own)).status_code == 200
    assert server.engine.requests[0].reading.lexicon[0].reading == "chong2 qing4"
    for sent, code in (
        ("no json", "invalid_field"),
        ('{"word": "重庆"}', "invalid_field"),
        ('[{"word": "重庆"}]', "invalid_field"),
        ('[{"word": "重庆", "reading": "chong9"}]', "malformed_pronunciation"),
    ):
        answer = server.say("重庆", lexicon=sent)
        assert (answer.status_code, answer.json()["code"]) == (400, code), sent
    assert len(server.engine.requests) == 1


def test_a_change_is_heard_from_every_server_of_a_folder_within_a_second(tmp_path: Path) -> None:
    """Whichever of them was told, and whatever it has read before. A busy machine has ten."""
    root = project(tmp_path / "project")

    def reader() -> ToneEngine:
        files = LexiconFile(root / "configs")
        return ToneEngine(frontend=open_frontend(files, cache_dir=tmp_path / "cache"))

    def says(client: httpx.Client) -> str:
        text: str = client.post("/api/v1/text/normalize", json={"input_text": "重庆"}).json()["text"]
        return text

    with ExitStack() as stack:
        servers = [stack.enter_context(running_app(root, lambda *_: reader())) for _ in range(2)]
        clients = [stack.enter_context(server.client()) for server in servers]
        assert {says(client) for client in clients} == {"重庆。"}
        for told, said in zip(clients, ("山城", "雾都"), strict=True):
            assert told.put(f"{LEXICON}/重庆", json={"replacement": said}).status_code == 200
            for client in clients:
                wait_until(lambda client=client, said=said: says(client) == f"{said}。", 10)  # type: ignore[misc]
        assert clients[0].delete(f"{LEXICON}/重庆").status_code == 200
        for client in clients:
            wait_until(lambda client=client: says(client) == "重庆。", 10)  # type: ignore[misc]

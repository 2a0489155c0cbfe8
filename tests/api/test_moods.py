"""Moods of a voice wherever a voice is named: our API, marks, OpenAI's dialect, the socket, jobs, books."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from tests.api.running import Running
from tests.api.waiting import wait_until
from tests.recordings import voice_wav
from tests.settings.asking import run

SPEECH = "/v1/audio/speech"


@pytest.fixture
def moody(server: Running) -> Running:
    """`me` speaks plainly, glad or sad."""
    with server.client() as client:
        for mood, seconds in (("", 2.0), ("glad", 2.2), ("sad", 2.4)):
            added = add(client, "me", seconds, **({"mood": mood} if mood else {}))
            assert added.status_code == 201, added.text
    return server


def add(client: httpx.Client, index: str, seconds: float = 2.0, **fields: str) -> httpx.Response:
    data = {"index": index, "prompt_text": f"{index} {fields.get('mood', '')} words", **fields}
    return client.post("/api/v1/prompts", data=data, files={"prompt_audio": ("a.wav", voice_wav(seconds))})


def speakers(server: Running) -> tuple[str, dict[str, str]]:
    """The voice of the last request, and those that its marks call for."""
    asked = server.engine.requests[-1]
    return str(getattr(asked.voice, "name", None)), {key: str(it.name) for key, it in asked.others.items()}


def test_moods_are_listed_heard_changed_and_deleted(moody: Running) -> None:
    with moody.client() as client:
        listed = {each["index"]: each for each in client.get("/api/v1/prompts").json()["prompts"]}
        assert [mood["name"] for mood in listed["me"]["moods"]] == ["glad", "sad"]
        assert listed["exampleA"]["moods"] == []
        glad = listed["me"]["moods"][0]
        assert (glad["prompt_text"], glad["source"]) == ("me glad words", "own")
        assert client.get(glad["audio_url"]).content == voice_wav(2.2)
        changed = client.put("/api/v1/prompts/me:glad", json={"prompt_text": "new words"})
        assert changed.json()["prompt"]["prompt_text"] == "new words"
        assert add(client, "me", mood="glad").status_code == 409
        assert add(client, "me:calm").status_code == 201
        assert add(client, "nobody", mood="glad").json()["code"] == "unknown_voice"
        assert add(client, "me", mood="very glad").status_code == 400
        assert client.delete("/api/v1/prompts/me:glad").status_code == 200
        for answer in (
            client.get("/api/v1/prompts/me"),
            client.put("/api/v1/prompts/me", json={"prompt_text": "other words"}),
        ):
            assert [mood["name"] for mood in answer.json()["prompt"]["moods"]] == ["calm", "sad"]
        assert client.get("/v1/audio/voices?legacy=true").json()["voices"] == ["exampleA", "exampleB", "me"]


def test_the_field_and_the_name_choose_a_mood(moody: Running) -> None:
    assert moody.say(index="me").status_code == 200
    assert speakers(moody) == ("me", {})
    for fields in (
        {"index": "me", "mood": "glad"},
        {"index": "me:glad"},
        {"index": "me:sad", "mood": "glad"},
    ):
        assert moody.say(**fields).status_code == 200
        assert speakers(moody) == ("me:glad", {})
    refused = moody.say(index="me", mood="angry")
    assert (refused.status_code, refused.json()["code"]) == (404, "unknown_mood")
    assert refused.json()["message"] == "Voice 'me' has no mood 'angry'; it has glad and sad."
    with moody.client() as client:
        data = {"input_text": "hello", "prompt_text": "words", "mood": "glad"}
        uploaded = client.post("/api/v1/tts", data=data, files={"prompt_audio": ("a.wav", voice_wav(2.0))})
        assert uploaded.status_code == 400
        assert client.get("/api/v1/tts", params={"input_text": "hi", "index": "me", "mood": "sad"}).content
    assert speakers(moody) == ("me:sad", {})


def test_marks_choose_moods(moody: Running) -> None:
    text = "One. [[mood glad]] Two. [[mood]] Three. [[voice exampleA]] Four. [[voice me]][[mood sad]] Five."
    assert moody.say(text, index="me").status_code == 200
    assert speakers(moody) == (
        "me",
        {":glad": "me:glad", "exampleA": "exampleA", "me": "me", "me:sad": "me:sad"},
    )
    assert moody.say("[[mood sad]] One.", index="me:glad").status_code == 200
    assert speakers(moody) == ("me:glad", {":sad": "me:sad"})
    refused = moody.say("[[mood angry]] One.", index="me")
    assert refused.json()["message"] == "Voice 'me' has no mood 'angry'; it has glad and sad."
    with moody.client() as client:
        data = {"input_text": "[[mood glad]] One.", "prompt_text": "words"}
        uploaded = client.post("/api/v1/tts", data=data, files={"prompt_audio": ("a.wav", voice_wav(2.0))})
        assert "no mood 'glad'" in uploaded.json()["message"]


def test_openais_instructions_choose_a_mood_that_they_name(moody: Running) -> None:
    def say(voice: str, instructions: str) -> tuple[str, str]:
        with moody.client() as client:
            answer = client.post(SPEECH, json={"input": "Hi.", "voice": voice, "instructions": instructions})
        assert answer.status_code == 200, answer.text
        return speakers(moody)[0], answer.headers.get("X-Warnings", "")

    assert say("me", "Speak in a GLAD tone!") == ("me:glad", "")
    assert say("me:sad", "Speak in a glad tone.")[0] == "me:sad"
    for voice, instructions, warning in (
        ("me", "Be gladiator-like.", "they name none of the moods that voice 'me' has: glad, sad."),
        ("me", "Not sad, but glad.", "they name several of the moods that voice 'me' has: glad, sad."),
        ("exampleA", "Be glad.", "voice 'exampleA' has no moods, and nothing else changes how it speaks."),
    ):
        assert say(voice, instructions) == (voice, f"'instructions' was ignored: {warning}")


def test_a_mood_holds_in_the_socket_until_the_turn_ends(moody: Running) -> None:
    sentences = (
        "This is the first sentence of all. ",
        "[[mood glad]]This is the second sentence. ",
        "And this is the third sentence. ",
        "[[mood]]This is the fourth sentence. ",
        "[[voice me]][[mood sad]]This is the fifth sentence. ",
        "This one here is the sixth sentence. ",
        "[[voice]]This is the seventh sentence.",
    )
    url = moody.url.replace("http", "ws") + "/v1/audio/speech/stream"
    with connect(url, proxy=None) as socket:
        socket.send(json.dumps({"type": "start", "voice": "exampleA"}))
        socket.send(json.dumps({"type": "text", "text": "[[mood glad]] Exampla has no moods at all."}))
        socket.send(json.dumps({"type": "flush"}))
        assert "Voice 'exampleA' has no mood 'glad'" in str(until(socket, "error"))
        until(socket, "flushed")
        socket.send(json.dumps({"type": "start", "voice": "me"}))
        socket.send(json.dumps({"type": "text", "text": "".join(sentences)}))
        socket.send(json.dumps({"type": "end"}))
        until(socket, "done")
    said = [(str(getattr(asked.voice, "name", "")), sorted(asked.others)) for asked in moody.engine.requests]
    assert said == [
        ("me", []),
        ("me", [":glad"]),
        ("me:glad", []),
        ("me", [":glad"]),
        ("me", ["me", "me:sad"]),
        ("me:sad", []),
        ("me", [":sad"]),
    ]


def until(socket: Any, kind: str) -> dict[str, Any]:
    while True:
        message = socket.recv()
        if isinstance(message, str):
            told: dict[str, Any] = json.loads(message)
            if told["type"] == kind:
                return told


def test_jobs_speak_in_moods(moody: Running) -> None:
    book = "第一段在这里。\n\n[[mood sad]]第二段在这里。\n\n小王：[[mood sad]]第三段。\n\n第四段在这里。"
    fields = {"input_text": book, "index": "me", "mood": "glad", "cast": json.dumps({"小王": "me:glad"})}
    with moody.client() as client:
        job = client.post("/api/v1/jobs", data=fields).json()
        wait_until(lambda: client.get(f"/api/v1/jobs/{job['id']}").json()["state"] == "done")
        refused = client.post("/api/v1/jobs", data={**fields, "input_text": "[[mood angry]]好的。"})
        assert refused.json()["code"] == "unknown_mood"
    said = [
        (asked.text, getattr(asked.voice, "name", ""), sorted(asked.others))
        for asked in moody.engine.requests
    ]
    assert sorted(said) == sorted(
        [
            ("第一段在这里。", "me:glad", []),
            ("[[mood sad]]第二段在这里。", "me:glad", [":sad"]),
            ("[[mood sad]]第三段。", "me:glad", [":sad"]),
            ("[[voice :sad]]第四段在这里。", "me:glad", [":sad"]),
        ]
    )


def test_the_list_is_filtered_by_notes(moody: Running) -> None:
    with moody.client() as client:
        notes = {"language": "zh", "gender": "female", "description": "Warm and slow."}
        noted = client.put("/api/v1/prompts/me", json=notes).json()["prompt"]
        assert {name: noted[name] for name in notes} == notes

        def found(**query: str) -> list[str]:
            return [each["index"] for each in client.get("/api/v1/prompts", params=query).json()["prompts"]]

        assert found(gender="female") == found(search="WARM") == found(search="glad") == ["me"]
        assert found(language="zh") == ["me"]
        assert found(language="en") == ["exampleA", "exampleB"]
        assert client.get("/api/v1/prompts", params={"gender": "robot"}).status_code == 400
        cleared = client.put(
            "/api/v1/prompts/me", json={"language": "none", "gender": "none", "description": " "}
        )
        prompt = cleared.json()["prompt"]
        assert (prompt["language"], prompt["gender"], prompt["description"]) == ("en", None, None)


def test_the_command_line_takes_moods(moody: Running, tmp_path: Path) -> None:
    done = run(
        tmp_path, "say", "Hello.", "-o", "a.wav", "--voice", "me", "--mood", "glad", "--url", moody.url
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert speakers(moody) == ("me:glad", {})
    done = run(
        tmp_path, "say", "Hello.", "-o", "a.wav", "--voice", "me", "--mood", "angry", "--url", moody.url
    )
    assert (done.returncode, done.stderr) == (1, "Voice 'me' has no mood 'angry'; it has glad and sad.\n")

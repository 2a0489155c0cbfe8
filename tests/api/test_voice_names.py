"""The voice of a request, wherever one is named: in any script, by the names of other services' voices, in a
mood, by marks in the text; in our API, each dialect, the socket and jobs."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.api.dialects import KOKORO, OPENAI, OURS, SAY, SOVITS, TEXT, ZHIPU, asked
from tests.api.running import Running
from tests.api.socket_client import heard, kinds, talking, tell, write
from tests.api.waiting import wait_until
from tests.recordings import voice_wav

Serve = Callable[..., Running]
NAMED = {path: said for path, said in SAY.items() if "exampleA" not in path}  # the voice is in the body
PROMPTS = "/api/v1/prompts"


def add(client: httpx.Client, index: str, seconds: float = 2.0, **fields: str) -> httpx.Response:
    data = {"index": index, "prompt_text": f"{index} {fields.get('mood', '')} words", **fields}
    return client.post(PROMPTS, data=data, files={"prompt_audio": ("a.wav", voice_wav(seconds))})


def voices(server: Running) -> list[tuple[str, list[str]]]:
    """Of each request: the voice, and those that its marks call for."""
    return [
        (str(getattr(request.voice, "name", None)), sorted(request.others))
        for request in server.engine.requests
    ]


@pytest.mark.parametrize("name", ["我的音色", "Ännchen", "हिन्दी", "音" * 64])
def test_a_voice_in_any_script(server: Running, name: str) -> None:
    """By that name, in both ways in which programs spell it."""
    apart = unicodedata.normalize("NFD", name)
    with server.client() as client:
        added = add(client, apart)
        assert (added.status_code, added.json()["prompt"]["index"]) == (201, name)
        assert client.get(added.json()["prompt"]["audio_url"]).content == voice_wav(2.0)
        assert {"id": name, "name": name} in client.get("/v1/audio/voices").json()["voices"]
        assert client.get(f"/v1/voices/{quote(name)}").json()["category"] == "cloned"
        for path, said in NAMED.items():
            field = "character" if path == SOVITS else list(said)[1]
            body = {TEXT[path]: f"[[voice {name}]]hello", field: apart}
            assert client.post(path, json=body).status_code == 200, path
            request = asked(server)
            assert unicodedata.normalize("NFC", request["voice"]) == name, path
            assert request["others"] == {name: name}, path
        assert add(client, name).status_code == 409
        files = [path.name for path in (server.root / "data/prompts").rglob("*") if path.is_file()]
        assert all(file.isascii() for file in files)
        assert client.delete(f"{PROMPTS}/{quote(apart)}").status_code == 200
        assert client.get(f"{PROMPTS}/{quote(name)}").status_code == 404


def test_aliases_hold_in_every_dialect(serve: Serve) -> None:
    """VOICE_ALIASES, and the names of OpenAI, Zhipu and Kokoro that it leaves as they are."""
    server = serve(voice_aliases="am_adam=exampleB,tongtong=exampleB,me=exampleB")
    names = {"am_adam": "B", "tongtong": "B", "me": "B", "jam": "A"}
    with server.client() as client:
        for name, voice in names.items():
            for path in (OPENAI, ZHIPU, SOVITS, KOKORO):
                field = list(SAY[path])[1]
                body = {**SAY[path], field: f"{name}.wav" if path == SOVITS else name}
                assert client.post(path, json=body).status_code == 200, (path, name)
                assert asked(server)["voice"] == f"example{voice}"
        assert client.post(OPENAI, json={"input": "hi", "voice": "you"}).status_code == 400


def test_marks_are_looked_up_before_anything_is_made(server: Running) -> None:
    """A text calls for 32 voices at most: their samples lie in memory while it waits. Of 33 none is looked
    for."""
    with server.client() as client:
        for path, said in SAY.items():
            unknown = client.post(path, json={**said, TEXT[path]: "你好。[[voice nobody]]再见。"})
            many = "".join(f"[[voice v{number}]]好。" for number in range(33))
            refused = client.post(path, json={**said, TEXT[path]: many})
            assert (unknown.status_code in (400, 404), "'nobody'" in unknown.text) == (True, True), path
            assert refused.status_code == 400, path
            assert "33 voices" in refused.text
            assert "at most 32" in refused.text
    assert server.engine.requests == []


def test_text_in_pieces_goes_on_in_the_voice_of_a_mark_until_the_turn_ends(server: Running) -> None:
    with talking(server.url) as client:
        write(client, "今天的天气真的很好。[[voice exampleB]]我们一起去公园走走吧。你觉得这样怎么样？")
        tell(client, "flush")
        messages, _ = heard(client, "flushed")
        assert kinds(messages).count("segment.start") == 3
        write(client, "今天的天气真的很好。")
        tell(client, "flush")
        heard(client, "flushed")
        write(client, "今天的天气真的很好。[[voice nobody]]我们一起去公园走走吧。")
        tell(client, "end")
        messages, _ = heard(client, "done")
    assert [one["code"] for one in messages if one["type"] == "error"] == ["unknown_voice"]
    a, b = "exampleA", "exampleB"
    assert voices(server) == [(a, []), (a, [b]), (b, []), (a, []), (a, [])]


@pytest.fixture
def moody(server: Running) -> Running:
    """`me` speaks plainly, glad or sad."""
    with server.client() as client:
        for mood, seconds in (("", 2.0), ("glad", 2.2), ("sad", 2.4)):
            assert add(client, "me", seconds, **({"mood": mood} if mood else {})).status_code == 201
    return server


MARKED = "One. [[mood glad]] Two. [[mood]] Three. [[voice exampleA]] Four. [[voice me]][[mood sad]] Five."


@pytest.mark.parametrize(
    ("fields", "voice", "others"),
    [
        ({}, "me", {}),
        ({"mood": "glad"}, "me:glad", {}),
        ({"index": "me:sad", "mood": "glad"}, "me:glad", {}),
        ({"input_text": "[[mood sad]] One.", "index": "me:glad"}, "me:glad", {":sad": "me:sad"}),
        (
            {"input_text": MARKED},
            "me",
            {":glad": "me:glad", "exampleA": "exampleA", "me": "me", "me:sad": "me:sad"},
        ),
    ],
)
def test_the_field_the_name_and_marks_choose_a_mood(
    moody: Running, fields: dict[str, str], voice: str, others: dict[str, str]
) -> None:
    with moody.client() as client:
        assert client.post(OURS, json={"input_text": "hello", "index": "me", **fields}).status_code == 200
    request = asked(moody)
    assert (request["voice"], request.get("others", {})) == (voice, others)


def test_a_mood_that_a_voice_lacks_is_refused_with_those_that_it_has(moody: Running) -> None:
    recording = {"prompt_audio": ("a.wav", voice_wav(2.0))}
    with moody.client() as client:
        for fields in ({"mood": "angry"}, {"input_text": "[[mood angry]] One."}):
            refused = client.post(OURS, json={"input_text": "hello", "index": "me", **fields})
            assert (refused.status_code, refused.json()["code"]) == (404, "unknown_mood")
            assert refused.json()["message"] == "Voice 'me' has no mood 'angry'; it has glad and sad."
        for fields in ({"mood": "glad"}, {"input_text": "[[mood glad]] One."}):
            data = {"input_text": "hello", "prompt_text": "words", **fields}
            assert client.post(OURS, data=data, files=recording).status_code in (400, 404)
    assert moody.engine.requests == []


def test_openais_instructions_choose_a_mood_that_they_name(moody: Running) -> None:
    with moody.client() as client:
        for voice, instructions, spoke, warning in (
            ("me", "Speak in a GLAD tone!", "me:glad", ""),
            ("me", "Be gladiator-like.", "me", "they name none"),
            ("me", "Not sad, but glad.", "me", "they name several"),
        ):
            answer = client.post(OPENAI, json={"input": "Hi.", "voice": voice, "instructions": instructions})
            assert (answer.status_code, asked(moody)["voice"]) == (200, spoke), instructions
            told = answer.headers.get("X-Warnings", "").removeprefix("'instructions' was ignored: ")
            assert told == (warning and f"{warning} of the moods that voice 'me' has: glad, sad.")


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
    with talking(moody.url) as client:
        tell(client, "start", voice="exampleA")
        tell(client, "text", text="[[mood glad]] Exampla has no moods at all.")
        tell(client, "flush")
        assert "Voice 'exampleA' has no mood 'glad'" in str(heard(client, "error")[0][-1])
        heard(client, "flushed")
        tell(client, "start", voice="me")
        tell(client, "text", text="".join(sentences))
        tell(client, "end")
        heard(client, "done")
    spoke = ["me", "me", "me:glad", "me", "me", "me:sad", "me"]
    others = [[], [":glad"], [], [":glad"], ["me", "me:sad"], [], [":sad"]]
    assert voices(moody) == list(zip(spoke, others, strict=True))


def test_jobs_speak_in_moods(moody: Running) -> None:
    book = "第一段在这里。\n\n[[mood sad]]第二段在这里。\n\n小王：[[mood sad]]第三段。\n\n第四段在这里。"
    fields: dict[str, Any] = {
        "input_text": book,
        "index": "me",
        "mood": "glad",
        "cast": '{"小王": "me:glad"}',
    }
    with moody.client() as client:
        job = client.post("/api/v1/jobs", data=fields).json()
        wait_until(lambda: client.get(f"/api/v1/jobs/{job['id']}").json()["state"] == "done")
        refused = client.post("/api/v1/jobs", data={**fields, "input_text": "[[mood angry]]好的。"})
        assert refused.json()["code"] == "unknown_mood"
    said = zip([request.text for request in moody.engine.requests], voices(moody), strict=True)
    assert dict(said) == {
        "第一段在这里。": ("me:glad", []),
        "[[mood sad]]第二段在这里。": ("me:glad", [":sad"]),
        "[[mood sad]]第三段。": ("me:glad", [":sad"]),
        "[[voice :sad]]第四段在这里。": ("me:glad", [":sad"]),
    }

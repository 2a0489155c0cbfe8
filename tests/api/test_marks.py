"""Marks in a text, by whichever API it comes: voices are looked up before anything is made."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.running import Running
from tests.api.socket_client import heard, kinds, talking, tell, write

SPEECH = {
    "/api/v1/tts": {"index": "exampleA", "response_format": "wav"},
    "/v1/audio/speech": {"voice": "exampleA"},
    "/tts": {"ref_audio_path": "exampleA.wav"},
    "/api/paas/v4/audio/speech": {"voice": "exampleA"},
}
TEXT = {"/api/v1/tts": "input_text", "/tts": "text"}


def say(server: Running, path: str, text: str) -> Any:
    with server.client() as client:
        return client.post(path, json={TEXT.get(path, "input"): text, **SPEECH[path]})


@pytest.mark.parametrize("path", SPEECH)
def test_a_voice_that_a_mark_calls_for_is_handed_on(server: Running, path: str) -> None:
    assert say(server, path, "你好。[[voice exampleB]]再见。").status_code == 200
    (asked,) = server.engine.requests
    assert asked.voice.transcript == "text of exampleA"
    assert {name: voice.transcript for name, voice in asked.others.items()} == {
        "exampleB": "text of exampleB"
    }


def test_an_unknown_voice_is_refused_before_anything_is_made(server: Running) -> None:
    text = "你好。[[voice nobody]]再见。"
    answers = {path: say(server, path, text) for path in SPEECH}
    assert answers["/api/v1/tts"].status_code == 404
    assert all("'nobody'" in answer.text and answer.status_code in (400, 404) for answer in answers.values())
    assert server.engine.requests == []


@pytest.mark.parametrize("path", SPEECH)
def test_more_voices_than_a_text_may_call_for_are_refused(server: Running, path: str) -> None:
    """Their samples lie in memory while the text waits. None of these is even looked for."""
    answer = say(server, path, "".join(f"[[voice v{number}]]好。" for number in range(33)))
    assert answer.status_code == 400
    assert "33 voices" in answer.text
    assert "at most 32" in answer.text


def test_text_in_pieces_goes_on_in_the_voice_of_a_mark(server: Running) -> None:
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
    voices = [(one.voice.transcript, *one.others) for one in server.engine.requests]
    a, b = "text of exampleA", "text of exampleB"
    assert voices == [(a,), (a, "exampleB"), (b,), (a,), (a,)]


def test_a_long_message_is_cut_where_its_sentences_end(server: Running) -> None:
    sentence = "今天的天气真的很好" * 55 + "。"
    marked = "[[voice exampleB]]" + sentence
    with talking(server.url) as client:
        tell(client, "text", text=3 * sentence + marked + sentence + "好")
        tell(client, "end")
        heard(client, "done")
    said = [(asked.text, next(iter(asked.others), "")) for asked in server.engine.requests]
    assert said == [*3 * [(sentence, "")], (marked, "exampleB"), (sentence, ""), ("好", "")]


def test_ssml_is_said_as_the_marks_that_it_means(server: Running) -> None:
    ssml = "<speak>你好<break time='1s'/><voice name='exampleB'>再<emphasis>见</emphasis></voice></speak>"
    answer = server.say(ssml, input_type="ssml")
    assert answer.status_code == 200
    assert "<emphasis>" in answer.json()["warnings"][0]
    (asked,) = server.engine.requests
    assert asked.text == "你好[[pause 1]][[voice exampleB]]再见[[voice]]"
    assert list(asked.others) == ["exampleB"]
    broken = server.say("<speak>你好", input_type="ssml")
    assert (broken.status_code, broken.json()["code"]) == (400, "invalid_field")
    assert "line 1, column" in broken.json()["message"]

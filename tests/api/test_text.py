"""POST /api/v1/text/normalize shows what POST /tts says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from speech_text import TextFrontend
from tests.api.project_folder import project
from tests.api.running import Running, running_app
from tests.api.tone_engine import ToneEngine

CONFIGS = Path(__file__).parents[2] / "configs"
TEXT = "/api/v1/text/normalize"
READINGS = "/api/v1/text/readings"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that reads as the real one does, and speaks tones."""
    root = tmp_path_factory.mktemp("reader")
    frontend = TextFrontend(cache_dir=root / "cache")
    with running_app(project(root / "project"), lambda *_: ToneEngine(frontend=frontend)) as server:
        yield server


def test_it_shows_words_segments_and_changes(reader: Running) -> None:
    with reader.client() as client:
        answer = client.post(TEXT, json={"input_text": "预计3-5天送到😀。" * 8}).json()
    assert answer["success"] is True
    assert answer["text"] == "预计三到五天送到。" * 8
    assert [segment["text"] for segment in answer["segments"]] == ["预计三到五天送到。" * 4] * 2
    assert answer["changes"][0] == {"written": "3-5", "said": "三到五", "start": 2, "rule": "span"}
    assert len(answer["changes"]) == 16
    assert answer["warnings"] == ["Not read: 😀"]
    assert answer["seconds"] == pytest.approx(sum(one["seconds"] for one in answer["segments"]), abs=0.02)


def test_phonemes_are_shown_as_the_model_is_given_them(reader: Running) -> None:
    with reader.client() as client:
        fields = {"input_text": "银行", "use_phoneme": "true"}
        (segment,) = client.post(TEXT, data=fields).json()["segments"]
    assert (segment["text"], segment["phonemes"]) == ("银行。", "银<|H|><|ANG2|>。")


def test_the_lexicon_of_a_request_is_shown(reader: Running) -> None:
    fields = {"input_text": "重庆", "lexicon": [{"word": "重庆", "reading": "chong2 qing4"}]}
    with reader.client() as client:
        (segment,) = client.post(TEXT, json=fields).json()["segments"]
    assert segment["phonemes"] == "<|CH|><|ONG2|><|Q|><|ING4|>。"


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [("  ", 400, "nothing_to_say"), ("。。。", 400, "nothing_to_say"), ("长" * 20001, 413, "text_too_long")],
)
def test_what_cannot_be_said_is_refused_as_there(reader: Running, text: str, status: int, code: str) -> None:
    with reader.client() as client:
        answer = client.post(TEXT, json={"input_text": text})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_key_is_asked_for_where_there_are_keys(serve: Callable[..., Running]) -> None:
    with serve(api_keys="secret").client() as client:
        assert client.post(TEXT, json={"input_text": "你好"}).status_code == 401


def test_the_readings_of_a_word_are_offered_and_each_is_one_that_a_mark_takes(reader: Running) -> None:
    with reader.client() as client:
        body = client.get(READINGS, params={"word": "银行的女儿嗯A😀"}).json()
        readings = {each["character"]: each["readings"] for each in body["characters"]}
        marks = "".join(f"[[{char}|{one}]]" for char, known in readings.items() for one in known)
        assert client.post(TEXT, json={"input_text": marks}).status_code == 200
    assert (readings["银"], readings["行"][:2]) == (["yin2"], ["hang2", "xing2"])
    assert (readings["的"][0], readings["女"][0]) == ("de5", "nv3")
    assert readings["A"] == readings["😀"] == []


@pytest.mark.parametrize("word", ["", "长" * 51])
def test_readings_are_of_a_word(server: Running, word: str) -> None:
    with server.client() as client:
        answer = client.get(READINGS, params={"word": word})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_field")

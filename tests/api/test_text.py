"""How a text will be read (POST /api/v1/text/normalize), the readings of a word, and the lexicon of all texts
and of one."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from speech_text import TextFrontend
from tests.api.project_folder import project
from tests.api.running import running_app
from tests.api.tone_engine import ToneEngine

TEXT, READINGS = "/api/v1/text/normalize", "/api/v1/text/readings"
READING = {"reading": "chong2 qing4"}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Of a server that reads as the real one does, and speaks tones."""
    root = tmp_path_factory.mktemp("reader")
    frontend = TextFrontend(cache_dir=root / "cache")
    voices = project(root / "project") / "configs" / "prompt_cache.json"
    voices.write_text(voices.read_text().replace("text of exampleA", "你好。"))
    with (
        running_app(root / "project", lambda *_: ToneEngine(frontend=frontend)) as server,
        server.client() as client,
    ):
        yield client


def test_it_shows_words_segments_changes_and_phonemes(reader: httpx.Client) -> None:
    answer = reader.post(TEXT, json={"input_text": "预计3-5天送到😀。" * 8}).json()
    assert [segment["text"] for segment in answer["segments"]] == ["预计三到五天送到。" * 4] * 2
    assert answer["changes"][0] == {"written": "3-5", "said": "三到五", "start": 2, "rule": "span"}
    assert (len(answer["changes"]), answer["warnings"]) == (16, ["Not read: 😀"])
    fields = {"input_text": "重庆", "lexicon": [{"word": "重庆", **READING}]}
    (segment,) = reader.post(TEXT, json=fields).json()["segments"]
    assert segment["phonemes"] == "<|CH|><|ONG2|><|Q|><|ING4|>。"


def test_the_readings_of_a_word_are_offered_and_each_is_one_that_a_mark_takes(reader: httpx.Client) -> None:
    body = reader.get(READINGS, params={"word": "银行的女儿嗯A😀"}).json()
    readings = {each["character"]: each["readings"] for each in body["characters"]}
    marks = "".join(f"[[{char}|{one}]]" for char, known in readings.items() for one in known)
    assert reader.post(TEXT, json={"input_text": marks}).status_code == 200
    assert (readings["银"], readings["行"][:2]) == (["yin2"], ["hang2", "xing2"])
    assert (readings["的"][0], readings["女"][0], readings["A"], readings["😀"]) == ("de5", "nv3", [], [])
    for word in ("", "长" * 51):
        assert reader.get(READINGS, params={"word": word}).status_code == 400


def test_figures_without_a_word_are_shown_in_the_language_of_the_voice(reader: httpx.Client) -> None:
    fields = [{"input_text": "38°C", **voice} for voice in ({"index": None}, {"index": "exampleA"})]
    answers = [reader.post(TEXT, json=each) for each in fields]
    assert [answer.json()["text"] for answer in answers] == [
        "thirty eight degrees celsius.",
        "三十八摄氏度。",
    ]
    assert reader.post(TEXT, json={"input_text": "38°C", "index": "nobody"}).status_code == 404

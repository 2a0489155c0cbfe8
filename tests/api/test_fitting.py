"""Answers that last as long and are as loud as their requests ask."""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from tests.api.running import Running
from tests.api.tone_engine import ToneEngine
from tests.api.waiting import wait_until

Serve = Callable[..., Running]
SAY: dict[str, Any] = {"input_text": "Hello. Hello again.", "index": "exampleA", "response_format": "wav"}


def spoken(server: Running, **fields: Any) -> tuple[npt.NDArray[np.float32], dict[str, str]]:
    """The samples at 24 kHz, and the headers."""
    answer = server.say(**SAY, **fields)
    assert answer.status_code == 200, answer.text
    return soundfile.read(io.BytesIO(answer.content), dtype="float32")[0], dict(answer.headers)


def ends_of_the_last(server: Running) -> Any:
    """When the segments of the last answer end, by the figures, which have it soon after its client."""
    wait_until(lambda: not server.figures()["active"])
    return server.figures()["recent"][-1]["ends"]


@pytest.fixture
def server(serve: Serve) -> Running:
    return serve(ToneEngine(seconds=1.0, n_segments=2, n_chunks=3))


@pytest.mark.parametrize("part", [0.65, 0.8, 1.0, 1.2, 1.4])
def test_an_answer_lasts_as_long_as_it_is_asked_to(server: Running, part: float) -> None:
    pcm, headers = spoken(server, duration=2.0 * part)
    assert abs(len(pcm) / 24000 - 2.0 * part) < 0.001
    assert float(headers["x-audio-seconds"]) == pytest.approx(2.0 * part, abs=0.001)
    assert np.abs(pcm[-2400:]).max() > 0.01, "it is no silence that fills it up"
    assert ends_of_the_last(server) == pytest.approx([part, 2.0 * part], abs=0.001)


def test_a_take_that_is_far_off_is_drawn_again_with_the_next_seeds(server: Running) -> None:
    first, headers = spoken(server, duration=2.7, seed=7)
    assert [request.sampling.seed for request in server.engine.requests] == [7, 8, 9]
    assert "3 takes" in headers["x-warnings"]
    assert np.array_equal(first, spoken(server, duration=2.7, seed=7)[0])
    server.engine.requests.clear()
    assert "x-warnings" not in spoken(server, duration=2.1)[1]
    assert len(server.engine.requests) == 1


@pytest.mark.parametrize(
    ("seconds", "fit", "ends"),
    [(4.0, "pad", [1.0, 2.0]), (0.9, "cut", [0.625, 0.9]), (0.625, "cut", [0.625])],
)
def test_what_no_natural_tempo_does_is_refused_or_padded_or_cut(
    server: Running, seconds: float, fit: str, ends: list[float]
) -> None:
    for refused in (dict[str, Any](), {"fit": "cut" if fit == "pad" else "pad"}):
        answer = server.say(**SAY, duration=seconds, **refused)
        assert answer.status_code == 400
        assert "In 1.25 to 2.86 s it sounds natural" in answer.json()["message"]
        assert f"fit={fit}" in answer.json()["message"]
    pcm, _ = spoken(server, duration=seconds, fit=fit, loudness=-16)
    assert abs(len(pcm) / 24000 - seconds) < 0.001
    last = int(np.flatnonzero(np.abs(pcm) > 0.001)[-1]) / 24000
    assert last == pytest.approx(ends[-1], abs=0.05)
    assert ends_of_the_last(server) == ends


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"duration": 2, "stream": True}, "leave out stream=true"),
        ({"loudness": -16, "stream": True}, "leave out stream=true"),
        ({"duration": 2, "speed": 1.5}, "either duration or speed"),
        ({"fit": "pad"}, "fit needs duration"),
        ({"duration": 0}, "duration must be a number from 0.1 to 600"),
        ({"loudness": 3}, "loudness must be a number from -31 to -14"),
    ],
)
def test_fields_that_do_not_go_together_are_refused(
    server: Running, fields: dict[str, Any], said: str
) -> None:
    answer = server.say(**SAY, **fields)
    assert (answer.status_code, said in answer.json()["message"]) == (400, True), answer.text


def test_an_address_that_asks_for_a_length_gets_a_whole_answer(server: Running) -> None:
    with server.client() as client:
        answer = client.get("/api/v1/tts", params=SAY | {"duration": "2.5"})
    assert float(answer.headers["x-audio-seconds"]) == pytest.approx(2.5, abs=0.001)


@pytest.mark.parametrize("loudness", [-16, -23])
def test_an_answer_is_as_loud_as_it_is_asked_to_be(server: Running, tmp_path: Path, loudness: int) -> None:
    pcm, _ = spoken(server, loudness=loudness, duration=2.5)
    assert len(pcm) == 60000
    soundfile.write(file := tmp_path / "a.wav", pcm, 24000)
    command = ["ffmpeg", "-hide_banner", "-i", str(file), "-af", "ebur128", "-f", "null", "-"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert float(re.findall(r"I:\s+(-?[\d.]+) LUFS", told)[-1]) == pytest.approx(loudness, abs=0.5)

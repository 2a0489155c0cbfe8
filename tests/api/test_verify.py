"""verify=true over HTTP, with a fake recogniser, which hears what each test writes down."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile

from glm_tts_api.cli import main
from tests.api.dialects import ELEVENLABS, KOKORO, OPENAI, OURS, SAY, SOVITS, ZHIPU
from tests.api.dialects import TEXT as TEXT_OF
from tests.api.job_client import N_UNITS, begin, look, wait_for
from tests.api.running import Running
from tests.api.socket_client import heard, talking, tell
from tests.api.tone_engine import ToneEngine
from tests.api.waiting import wait_until
from tests.recognition.hearing import hears

Serve = Callable[..., Running]
Hearing = Callable[..., Running]
TEXT, OTHER, NEAR = "我们今天出去玩。", "桌上有七个红苹果。", "我们有七个苹果。"  # without a dictionary


@pytest.fixture
def hearing(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Hearing:
    """Starts a server whose fake recogniser hears these lines, one after the other."""

    def start(*lines: str, engine: ToneEngine | None = None, **options: Any) -> Running:
        engines = [] if engine is None else [engine]
        return serve(*engines, prepare=hears(monkeypatch, *lines, **options), asr_model_dir="asr")

    return start


def seeds(wav: bytes, n_segments: int) -> list[int]:
    """The seed of each tone, of which its pitch has what is left by 200."""
    pcm, rate = soundfile.read(io.BytesIO(wav))
    pitches = []
    for tone in np.array_split(pcm, n_segments):
        spectrum = np.abs(np.fft.rfft(tone, 10 * rate))  # bins of 0.1 Hz
        pitches.append(round(float(np.argmax(spectrum)) / 10) - 200)
    return pitches


def test_a_segment_in_which_a_fake_recogniser_hears_other_words_is_spoken_anew(hearing: Hearing) -> None:
    engine = ToneEngine(n_segments=3)
    server = hearing("=", OTHER, "=", "=", engine=engine)
    answer = server.say(TEXT, verify="true", seed=42).json()
    told = [(one["segment"], one["verdict"], one["respoken"]) for one in answer["verified"]]
    assert told == [(0, "ok", 0), (1, "ok", 1), (2, "ok", 0)]
    assert answer["verified"][1]["said"] == answer["verified"][1]["heard"] == TEXT
    first, again, last = seeds(base64.b64decode(answer["audio_base64"]), 3)
    assert (first, last) == (42, 42)
    assert again == engine.requests[1].sampling.seed % 200 != 42
    metrics = httpx.get(f"{server.url}/metrics", timeout=60).text
    assert 'segments_verified_total{verdict="ok",worker="0"} 3' in metrics
    assert 'segments_respoken_total{worker="0"} 1' in metrics


def test_the_best_of_three_takes_is_kept_and_the_drift_is_said_by_a_fake_recogniser(hearing: Hearing) -> None:
    engine = ToneEngine()
    server = hearing(OTHER, NEAR, OTHER, engine=engine)
    answer = server.say(TEXT, verify="true", response_format="wav")
    assert answer.headers["x-verified"] == "drift"
    warning = answer.headers["x-warnings"].encode().decode("unicode_escape")
    assert f"'{TEXT}' was heard as '{NEAR}'" in warning
    assert seeds(answer.content, 1) == [engine.requests[1].sampling.seed % 200]
    assert len({asked.sampling.seed for asked in engine.requests}) == 3


def test_a_fake_recogniser_that_is_not_sure_or_dies_twice_makes_nothing_but_the_verdict_fail(
    hearing: Hearing,
) -> None:
    engine = ToneEngine(n_segments=3)
    server = hearing(f"?{OTHER}", "die", "die", "=", engine=engine)
    found = server.say(TEXT, verify="true").json()["verified"]
    assert [(one["verdict"], one["heard"]) for one in found] == [
        ("inconclusive", OTHER),
        ("inconclusive", ""),
        ("ok", TEXT),
    ]
    assert len(engine.requests) == 1


def test_the_same_request_gives_the_same_audio_though_a_fake_recogniser_drifts_or_dies(
    hearing: Hearing,
) -> None:
    server = hearing(OTHER, "=", "die", OTHER, "=")
    first, second = (server.say(TEXT, verify="true", response_format="wav") for _ in range(2))
    assert first.headers["x-verified"] == second.headers["x-verified"] == "ok"
    assert first.content == second.content != server.say(TEXT, response_format="wav").content


def test_a_fake_recogniser_that_hangs_costs_one_verdict_and_health_says_so(hearing: Hearing) -> None:
    server = hearing("stop", "=", "stop")

    def warnings() -> str:
        return " ".join(httpx.get(f"{server.url}/api/v1/health").json()["warnings"])

    verdicts, told = [], []
    for _ in range(2):
        verdicts.append(server.say(TEXT, verify="true", response_format="wav").headers["x-verified"])
        told.append("The recogniser of speech hung" in warnings())
    assert (verdicts, told) == (["inconclusive", "ok"], [True, False])
    with server.client() as client:
        streamed = client.post(SOVITS, json=body(SOVITS, verify=True, streaming_mode=1))
        report = client.get(f"/api/v1/audio/{streamed.headers['x-request-id']}/verified").json()
    assert [each["verdict"] for each in report["verified"]] == ["inconclusive"]


def test_a_job_goes_on_while_all_pieces_of_another_wait_for_a_fake_recogniser(hearing: Hearing) -> None:
    server = hearing("=", "=", "stop", look_every_s=600)
    with server.client() as client:
        verified = begin(client, verify=True)
        wait_until(lambda: look(client, verified)["segments_done"] == 2, 120)
        wait_for(client, begin(client), "done")
        assert look(client, verified)["segments_done"] == 2
        os.kill(int((server.root / "asr" / "pid").read_text()), signal.SIGKILL)
        wait_until(lambda: look(client, verified)["state"] == "done", 120)
        found = client.get(f"/api/v1/jobs/{verified}/verified").json()
    assert found["count"] == {"ok": N_UNITS, "inconclusive": 0, "drift": 0}


WHOLE: dict[str, dict[str, Any]] = {
    OURS: {"response_format": "wav"},
    **{OPENAI: {"stream": False}, ZHIPU: {}, ELEVENLABS: {}, SOVITS: {}, KOKORO: {"stream": False}},
}


def body(path: str, **more: Any) -> dict[str, Any]:
    return {**SAY[path], TEXT_OF[path]: TEXT, **more}


def test_each_dialect_s_whole_answer_says_what_a_fake_recogniser_hears(hearing: Hearing) -> None:
    server = hearing(*["=", f"?{OTHER}"] * len(WHOLE))
    with server.client() as client:
        for path, whole in WHOLE.items():
            by_field = client.post(path, json=body(path, **whole, verify=True))
            by_address = client.post(f"{path}?verify=true", json=body(path, **whole))
            for answer, verdict in ((by_field, "ok"), (by_address, "inconclusive")):
                captions = path.startswith("/dev/") and answer.json()["verified"][0]["verdict"]
                assert (captions or answer.headers["x-verified"]) == verdict, path
                assert "is not a field" not in answer.headers.get("x-warnings", "")


def test_each_dialect_s_stream_is_reported_on(hearing: Hearing) -> None:
    server = hearing(OTHER, OTHER, OTHER, OTHER)
    with server.client() as client:
        done = client.post(OPENAI, json=body(OPENAI, stream_format="sse", verify=True)).text.split("\n\n")[-2]
        assert len(server.engine.requests) == 1, "nothing is taken back"
        events = client.post(f"{ZHIPU}?verify=true", json=body(ZHIPU, stream=True))
        last = json.loads(events.text.split("\n\n")[-3].removeprefix("data: "))["choices"][0]
        lines = client.post(f"{KOKORO}?verify=true", json=body(KOKORO, stream=True))
        samples = client.get(SOVITS, params={"text": TEXT, "character": "exampleA", "verify": "true"})
        told = client.get(f"/api/v1/audio/{samples.headers['x-request-id']}/verified").json()
        plain = client.post(SOVITS, json=body(SOVITS)).headers["x-request-id"]
        assert client.get(f"/api/v1/audio/{plain}/verified").status_code == 404
    openais = json.loads(done.removeprefix("data: "))
    for report in (openais, last, json.loads(lines.text.splitlines()[-1]), told):
        assert [(each["verdict"], each["heard"]) for each in report["verified"]] == [("drift", OTHER)]


def test_the_end_of_a_socket_s_segment_says_what_a_fake_recogniser_hears(hearing: Hearing) -> None:
    server = hearing(OTHER)
    with talking(server.url) as client:
        tell(client, "start", voice="exampleA", verify=True)
        tell(client, "text", text=TEXT)
        tell(client, "flush")
        told, _ = heard(client, "flushed")
    (end,) = (message for message in told if message["type"] == "segment.end")
    assert [(one["verdict"], one["heard"]) for one in end["verified"]] == [("drift", OTHER)]


def test_a_job_says_in_which_pieces_a_fake_recogniser_hears_other_words(hearing: Hearing) -> None:
    server = hearing(*["="] * (N_UNITS - 1), OTHER, OTHER, OTHER)
    with server.client() as client:
        id = begin(client, verify=True)
        wait_for(client, id, "done")
        found = client.get(f"/api/v1/jobs/{id}/verified").json()
        plain = begin(client)
        assert client.get(f"/api/v1/jobs/{plain}/verified").json()["count"]["ok"] == 0
    assert found["count"] == {"ok": N_UNITS - 1, "inconclusive": 0, "drift": 1}
    (doubtful,) = found["doubtful"]
    assert (doubtful["heard"], doubtful["respoken"]) == (OTHER, 2)


def test_the_command_says_what_a_fake_recogniser_hears(
    hearing: Hearing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = hearing(OTHER, OTHER, OTHER)
    file = tmp_path / "a.wav"
    assert main(["say", TEXT, "--verify", "-o", str(file), "--url", server.url, "--voice", "exampleA"]) == 0
    assert file.stat().st_size > 1000
    assert f"VERIFIED: drift. Segment 0 (drift): '{TEXT}' was heard as '{OTHER}'." in capsys.readouterr().err


def test_a_book_s_command_keeps_and_counts_what_a_fake_recogniser_hears(
    hearing: Hearing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = hearing(*["="] * 2, *[OTHER] * 3)
    (tmp_path / "b.txt").write_text(f"{TEXT}\n\n{TEXT}\n\n{TEXT}\n")
    book = ["book", str(tmp_path / "b.txt"), "-o", str(tmp_path / "b"), "--url", server.url]
    assert main([*book, "--verify"]) == 0
    assert "VERIFIED: 2 ok, 0 inconclusive, 1 drift" in capsys.readouterr().err
    told = json.loads((tmp_path / "b" / "verified.json").read_text())
    assert told["count"] == {"ok": 2, "inconclusive": 0, "drift": 1}
    (doubtful,) = told["doubtful"]
    assert (doubtful["said"], doubtful["heard"], doubtful["respoken"]) == (TEXT, OTHER, 2)
    assert main(book) != 0
    assert "begun with another --verify" in capsys.readouterr().err

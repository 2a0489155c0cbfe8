"""A film's subtitles are spoken at their times: a job with timing=exact, and `glm-tts dub`."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
import srt

from glm_tts_api.contracts import SpeechRequest
from tests.api.job_client import audio, begin, wait_for
from tests.api.project_folder import project
from tests.api.running import Running, running_app
from tests.api.tone_engine import ToneEngine
from tests.recordings import seconds_of
from tests.settings.asking import run

N_CUES = 40
PER_CHARACTER_S = 0.08
TEXTS = (
    "春天来了，\n我们去看花。",
    "Ann: Where is the key?",
    "好",
    "I left it on the table, under the book.",
)


class Talker(ToneEngine):
    """Its tones are as long as their texts."""

    def _seconds_of(self, asked: SpeechRequest) -> float:
        return PER_CHARACTER_S * len(asked.text)


def clock(seconds: float) -> str:
    return str(srt.timedelta_to_srt_timestamp(timedelta(seconds=seconds)))


def film() -> str:
    """Forty subtitles in two languages. Some are long enough for their texts, some may borrow the silence
    behind, and some are too short whatever is done."""
    text, at = "", 0.7
    for number in range(N_CUES):
        lasts = (0.5, 1.0, 2.0, 3.3)[number * 7 % 4]
        text += f"{number + 1}\n{clock(at)} --> {clock(at + lasts)}\n{TEXTS[number % 4]}\n\n"
        at += lasts + (0.08, 0.4, 1.3)[number % 3]
    return text


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    root = project(tmp_path_factory.mktemp("server"), workers=1)
    with running_app(root, lambda _, number: Talker()) as server:
        yield server


def dub(client: httpx.Client, text: str, name: str = "film.srt", **fields: Any) -> str:
    data = {"index": "exampleA", "timing": "exact", **fields}
    answer = client.post("/api/v1/jobs", data=data, files={"file": (name, text.encode())})
    assert (answer.status_code, answer.json().get("warnings")) == (202, []), answer.text
    wait_for(client, answer.json()["id"], "done")
    return str(answer.json()["id"])


def cues(client: httpx.Client, id: str) -> list[dict[str, Any]]:
    answer = client.get(f"/api/v1/jobs/{id}/cues").raise_for_status().json()
    assert answer["count"] == len(answer["cues"])
    return list(answer["cues"])


def stretches(wav: bytes) -> list[tuple[float, float]]:
    """When sound begins and ends, in seconds: 5 ms frames with sound, 20 ms without end it."""
    pcm, rate = soundfile.read(io.BytesIO(wav))
    frame = rate // 200
    loud = np.abs(pcm[: len(pcm) // frame * frame]).reshape(-1, frame).max(axis=1) > 0.01
    found = list[list[int]]()
    for at in map(int, np.flatnonzero(loud)):
        if found and at - found[-1][1] < 4:
            found[-1][1] = at + 1
        else:
            found.append([at, at + 1])
    return [(begin / 200, end / 200) for begin, end in found]


def test_forty_subtitles_begin_at_their_times_and_never_overlap(client: httpx.Client, tmp_path: Path) -> None:
    id, wanted = dub(client, film()), list(srt.parse(film()))
    wav = audio(client, id).raise_for_status().content
    heard = stretches(wav)
    starts = [cue.start.total_seconds() for cue in wanted]
    assert [begin for begin, _ in heard] == pytest.approx(starts, abs=0.04)
    assert all(end <= after for (_, end), after in zip(heard, starts[1:], strict=False))
    (tmp_path / "film.wav").write_bytes(wav)
    probe = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", "film.wav"]
    seconds = float(subprocess.check_output(probe, cwd=tmp_path))
    assert seconds == pytest.approx(heard[-1][1], abs=0.02)
    flac = audio(client, id, "flac").raise_for_status().content
    assert seconds_of(flac) == pytest.approx(seconds)
    shown = list(srt.parse(client.get(f"/api/v1/jobs/{id}/subtitles.srt").text))
    assert (shown[2].start, shown[2].content.split()) == (wanted[2].start, ["好"])


def test_the_report_says_how_each_subtitle_fits(client: httpx.Client) -> None:
    text = "".join(
        f"{number}\n{clock(start)} --> {clock(end)}\n{'好' * length}。\n\n"
        for number, start, end, length in (
            (1, 1, 3, 19),
            (2, 4, 5, 14),
            (3, 6, 7, 15),
            (4, 7, 8, 24),
            (5, 8, 9, 3),
            (6, 9, 9, 5),
            (7, 9, 9, 4),
        )
    )
    rows = cues(client, dub(client, text))
    assert [row["number"] for row in rows] == [1, 2, 3, 4, 5, 6, 7]
    natural = [1.6, 1.2, 1.28, 2.0, 0.32, 0.48, 0.4]
    assert [row["natural_s"] for row in rows] == pytest.approx(natural, abs=0.01)
    assert [row["tempo"] for row in rows] == pytest.approx([1, 1, 1.28, 1.6, 1, 1, 1], abs=0.01)
    assert [row["borrowed_s"] for row in rows] == pytest.approx([0, 0.2, 0, 0, 0, 0.48, 0.4], abs=0.01)
    assert [row["cut_s"] for row in rows] == pytest.approx([0, 0, 0, 0.25, 0, 0, 0], abs=0.01)
    assert [row["late_s"] for row in rows] == pytest.approx([0, 0, 0, 0, 0, 0, 0.48], abs=0.01)


def test_subtitles_that_overlap_are_mixed_and_a_stem_has_one_speaker(client: httpx.Client) -> None:
    text = "WEBVTT\n\n00:01.000 --> 00:04.000\n<v Ann>Good morning to all of you.\n\n"
    text += "00:02.000 --> 00:05.000\n<v 小王>大家早上好，请进来坐下说话。\n"
    id = dub(client, text, "film.vtt")
    path = f"/api/v1/jobs/{id}/audio"
    stems = {
        name: client.get(path, params={"format": "wav", "speaker": name}).raise_for_status().content
        for name in ("Ann", "小王")
    }
    assert [stretches(stem)[0][0] for stem in stems.values()] == pytest.approx([1, 2], abs=0.04)
    ann, wang = (soundfile.read(io.BytesIO(stem))[0] for stem in stems.values())
    both = soundfile.read(io.BytesIO(audio(client, id).content))[0]
    assert len(ann) == len(wang) == len(both)
    assert 0.5 < np.sqrt(np.mean(both**2) / np.mean((ann + wang) ** 2)) < 1.1
    assert [row["speaker"] for row in cues(client, id)] == ["Ann", "小王"]
    assert client.get(path, params={"speaker": "Ann", "loudness": -16}).status_code == 400


def test_exact_times_need_subtitles(client: httpx.Client) -> None:
    data = {"index": "exampleA", "timing": "exact"}
    answer = client.post("/api/v1/jobs", data=data, files={"file": ("film.txt", b"hi")})
    assert (answer.status_code, "timing=exact needs subtitles" in answer.text) == (400, True)


def test_without_it_the_answer_says_that_times_are_not_kept(client: httpx.Client) -> None:
    files = {"file": ("film.srt", film().encode())}
    answer = client.post("/api/v1/jobs", data={"index": "exampleA"}, files=files)
    assert [("timing=exact" in each) for each in answer.json()["warnings"]] == [True]
    plain = begin(client)
    wait_for(client, plain, "done")
    assert client.get(f"/api/v1/jobs/{plain}/cues").status_code == 400
    assert client.get(f"/api/v1/jobs/{plain}/audio?speaker=Ann").status_code == 400


def test_the_command_writes_a_film_its_stems_and_a_report(server: Running, tmp_path: Path) -> None:
    (tmp_path / "film.srt").write_text(film())
    (tmp_path / "cast.json").write_text(json.dumps({"Ann": "exampleB"}))
    given = ("dub", "film.srt", "-o", "film.flac", "--cast", "cast.json", "--stems", "voices")
    done = run(tmp_path, *given, GLM_TTS_URL=server.url)
    assert (done.returncode, "40 subtitles" in done.stderr) == (0, True), done.stderr
    assert done.stdout.splitlines() == ["film.flac", "voices/narrator.flac", "voices/Ann.flac"]
    assert all((tmp_path / line).stat().st_size > 1000 for line in done.stdout.splitlines())
    rows = json.loads((tmp_path / "film.cues.json").read_text())
    assert [row["speaker"] for row in rows] == ["", "Ann", "", ""] * 10
    n_asked = len(server.engine.requests)
    assert run(tmp_path, *given, GLM_TTS_URL=server.url).returncode == 0
    assert len(server.engine.requests) == n_asked
    assert run(tmp_path, "dub", "film.srt", "-o", "film.mp3", GLM_TTS_URL=server.url).returncode == 2


def test_the_command_says_which_times_are_not_kept_and_no_stem_takes_anothers_place(
    server: Running, tmp_path: Path
) -> None:
    none, one = ("00:01.000 --> 00:01.000\n", "00:05.000 --> 00:07.000\n")
    film = f"WEBVTT\n\n{none}<v A/B>one\n\n{none}<v 小王>二\n\n{one}<v A:B>three\n<v a:b>four\n"
    (tmp_path / "film.vtt").write_text(film)
    done = run(tmp_path, "dub", "film.vtt", "-o", "film.wav", "--stems", "voices", GLM_TTS_URL=server.url)
    assert "The times of 2 are not kept" in done.stderr, done.stderr
    assert done.stdout.splitlines()[1:] == [
        f"voices/{name}.wav" for name in ("A B", "小王", "A B 2", "a b 3")
    ]

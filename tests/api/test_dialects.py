"""Each dialect: what it makes of a body, and what all of them share; over a real port. tests/frozen has whole
answers and errors, scripts/checks/test_clients.sh runs the client programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, get_args
from urllib.parse import quote

import openai
import pytest
from zai.core import APIStatusError

from glm_tts_api.api.compatible.elevenlabs import OutputFormat
from glm_tts_api.engine.state import EngineState
from glm_tts_api.errors import OutOfMemory
from speech_text import LexiconEntry
from tests.api import zhipu_client
from tests.api.dialects import ELEVENLABS, KOKORO, OPENAI, OURS, SAY, SOVITS, ZHIPU, asked
from tests.api.running import Running
from tests.api.server_process import Server
from tests.api.tone_engine import ToneEngine
from tests.recordings import voice_wav

Serve = Callable[..., Running]
HELLO = {"text": "hello", "voice": "exampleA"}
STREAMED = {"streams": True}
MP3: dict[str, Any] = {"audio_format": "mp3", **STREAMED}
ALL_OF_OURS = {
    **{"seed": 7, "speed": 2, "sample_rate": 32000, "use_cache": False, "use_phoneme": True},
    **{"sample_method": "topk", "sampling": 5, "beam_size": 2, "verbatim": "skip", "timestamps": "word"},
    **{"response_format": "FLAC", "lexicon": '[{"word": "重庆", "reading": "chong2 qing4"}]'},
}
BODIES: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {
    OURS: [
        ({"seed": None, "prompt_text": None}, {}),
        ({"sample_rate": 16000}, {"output_rate": 16000}),
        ({"response_format": "mulaw", "stream": True}, {"audio_format": "mulaw", **STREAMED}),
        (
            ALL_OF_OURS,
            {
                **{"seed": 7, "speed": 2.0, "sample_rate": 32000, "use_cache": False, "use_phoneme": True},
                **{"method": "topk", "top_k": 5, "beam_size": 2, "verbatim": "skip", "timestamps": "word"},
                **{"audio_format": "flac", "lexicon": [LexiconEntry("重庆", "chong2 qing4")]},
            },
        ),
        (
            {"input_text": "<speak>你<break time='1s'/><voice name='exampleB'>好</voice></speak>"}
            | {"input_type": "ssml"},
            {"text": "你[[pause 1]][[voice exampleB]]好[[voice]]", "others": {"exampleB": "exampleB"}},
        ),
    ],
    OPENAI: [
        (dict.fromkeys(("voice", "model", "instructions", "response_format", "speed")), MP3),
        ({"voice": {"id": "exampleB"}, "lang_code": "z"}, {**MP3, "voice": "exampleB"}),
        ({"response_format": "G711_ulaw"}, {"audio_format": "mulaw", **STREAMED}),
        ({"response_format": "g711_alaw"}, {"audio_format": "alaw", **STREAMED}),
        ({"speed": 2, "seed": 7, "timestamps": "word"}, {**MP3, "speed": 2, "seed": 7, "timestamps": "word"}),
    ],
    ZHIPU: [
        ({"voice": None}, {"audio_format": "pcm"}),
        ({"response_format": "wav", "volume": 0.5, "speed": 2}, {"volume": 0.5, "speed": 2.0}),
        ({"stream": True, "encode_format": "hex"}, {"audio_format": "pcm", **STREAMED}),
    ],
    SOVITS: [
        *(({"ref_audio_path": path}, {}) for path in ("./refs/exampleA.wav", "C:\\refs\\exampleA.mp3")),
        ({"ref_audio_path": "exampleA", "prompt_text": "x", "text_lang": "zh"}, {}),
        ({"character": "exampleA"}, {"audio_format": "pcm", **STREAMED}),
        (
            {"ref_audio_path": None, "character": "exampleB"},
            {"voice": "exampleB", "audio_format": "pcm"} | STREAMED,
        ),
        *(({"media_type": "raw", "streaming_mode": no}, {"audio_format": "pcm"}) for no in (0, "false")),
        *(({"streaming_mode": yes, "seed": -1}, STREAMED) for yes in (1, 2, 3, "true")),
    ],
    ELEVENLABS: [
        (
            {"voice_settings": {"speed": 2.0, "style": None}, "seed": 7, "model_id": "eleven_v3"},
            {"audio_format": "mp3", "output_rate": 44100, "kbits": 128, "speed": 2.0, "seed": 7},
        ),
    ],
    KOKORO: [
        ({}, {**MP3, "timestamps": "word"}),
        ({"return_timestamps": False, "stream": False, "response_format": "wav"}, {}),
    ],
}


@pytest.mark.parametrize(("method", "path"), [*(("POST", path) for path in BODIES), ("GET", SOVITS)])
def test_this_body_is_this_request(server: Running, method: str, path: str) -> None:
    """Not the answers, which tests/frozen has."""
    with server.client() as client:
        for more, request in BODIES[path]:
            body = {name: value for name, value in {**SAY[path], **more}.items() if value is not None}
            if method == "POST":
                answer = client.post(path, json={**SAY[path], **more})
            else:
                answer = client.get(path, params=body)
            assert answer.status_code == 200, answer.text
            assert (more, asked(server)) == (more, {**HELLO, **request})


def test_an_address_and_each_form_are_the_same_request(server: Running) -> None:
    """A browser's address bar and Legado play what an address answers."""
    fields = {**SAY[OURS], "input_text": "你好", "seed": "7", "sample_rate": "32000", "stream": "false"}
    fields |= {"response_format": "wav"}
    charset = {"Content-Type": "multipart/form-data; boundary=x; charset=utf-8"}
    part = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    form = "".join(part.format(*field) for field in fields.items()) + "--x--\r\n"
    plain = {"Content-Type": "application/x-www-form-urlencoded"}
    with server.client() as client:
        answers = [
            client.get(OURS, params=fields),
            client.post(OURS, json=fields),
            client.post(OURS, data=fields),
            client.post(OURS, files={name: (None, value) for name, value in fields.items()}),
            client.post(OURS, content="&".join(map("=".join, fields.items())).encode(), headers=plain),
            client.post(OURS, content=form.encode(), headers=charset),
            client.post(OURS, data={**fields, "prompt_text": ""}, files={"prompt_audio": ("", b"")}),
        ]
        requests = [asked(server)]
        client.get(OURS, params=SAY[OURS])
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
    assert requests == [{**HELLO, "text": "你好", "seed": 7, "sample_rate": 32000}]
    assert asked(server) == {**HELLO, **MP3}, "what an address says unless it is told otherwise"


def test_an_address_may_hold_a_long_text(start: Callable[..., Server]) -> None:
    answer = start().client.get(f"{OURS}?input_text={quote('好' * 6000)}&index=exampleA")
    assert answer.status_code == 200


def test_each_of_elevenlabs_formats_is_what_its_name_says(serve: Serve) -> None:
    server = serve(ToneEngine(seconds=2.0))
    n_bytes = {}
    with server.client() as client:
        for name in get_args(OutputFormat):
            answer = client.post(ELEVENLABS, params={"output_format": name}, json=SAY[ELEVENLABS])
            kind, rate, *kbits = name.replace("ulaw", "mulaw").split("_")
            found = asked(server)
            assert found.get("audio_format", "wav") == kind
            vocoder = 32000 if rate == "32000" else 24000
            assert found.get("output_rate", vocoder) == int(rate) == int(answer.headers["X-Sample-Rate"])
            assert found.get("sample_rate", 24000) == vocoder
            assert found.get("kbits") == (int(kbits[0]) if kbits else None)
            n_bytes[name] = len(answer.content)
            exact = {"pcm": 0, "wav": 44, "mulaw": -16000, "alaw": -16000}.get(kind)
            assert exact is None or 0 <= n_bytes[name] - exact - 4 * int(rate) < 200
    assert n_bytes["mp3_44100_192"] * 8 / 2000 == pytest.approx(192, rel=0.05)
    assert n_bytes["opus_48000_192"] > 2 * n_bytes["opus_48000_32"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (OURS, {"response_format": "pcm", "stream": True}),
        (OPENAI, {"response_format": "pcm"}),
        (OPENAI, {"response_format": "pcm", "stream_format": "sse"}),
        (ZHIPU, {"stream": True}),
        (SOVITS, {"media_type": "raw", "streaming_mode": 1}),
        (f"{ELEVENLABS}/stream", {}),
        (KOKORO, {}),
    ],
)
def test_a_stream_is_heard_while_it_is_made(serve: Serve, path: str, body: dict[str, Any]) -> None:
    server = serve(ToneEngine(n_segments=3, segment_s=600))
    said = {**SAY[path.removesuffix("/stream")], **body}
    params = {"output_format": "pcm_24000"} if path.endswith("/stream") else {}
    with server.client() as client, client.stream("POST", path, json=said, params=params) as answer:
        pieces = answer.iter_raw()
        first = next(pieces)
        assert server.lane()["active"] == 1
        server.engine.release()
        whole = first + b"".join(pieces)
    if answer.headers["Content-Type"].startswith("audio/pcm"):
        assert len(whole) == 3 * 24000
    server.wait_for_lane(active=0, completed=1)


@contextmanager
def full(serve: Serve) -> Iterator[Running]:
    """A server whose one place is taken, and whose line has none."""
    server = serve(ToneEngine(delay_s=600), short_text_concurrency=1, queue_max_size=0)
    with ThreadPoolExecutor(1) as pool:
        holder = pool.submit(server.say)
        server.wait_for_lane(active=1)
        yield server
        server.engine.release()
        assert holder.result().status_code == 200


def test_a_full_line_and_a_server_that_loads_say_when_to_come_back(serve: Serve) -> None:
    """In each dialect's status."""
    loading = serve(ToneEngine(state=EngineState("loading")))
    statuses = {}
    with full(serve) as server, server.client() as client, loading.client() as early:
        for path, said in SAY.items():
            answers = [client.post(path, json=said), early.post(path, json=said)]
            assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers), path
            statuses[path] = answers[0].status_code, answers[1].status_code
        shown = client.post(ELEVENLABS, json=SAY[ELEVENLABS]).json()
        assert early.get("/health").status_code == 503, "where wyoming_openai looks for a server"
    assert shown["detail"]["status"] == "queue_full"
    assert statuses == {
        **dict.fromkeys((OURS, SOVITS, KOKORO), (503, 503)),
        **dict.fromkeys((OPENAI, ZHIPU, ELEVENLABS), (429, 503)),
    }


def test_a_key_opens_each_dialect_in_its_header(serve: Serve) -> None:
    with serve(api_keys="s3cret").client() as client:
        for path, said in SAY.items():
            header = "xi-api-key" if path == ELEVENLABS else "Authorization"
            right = {header: "s3cret" if path == ELEVENLABS else "Bearer s3cret"}
            refused = client.post(path, json=said)
            assert refused.status_code == 401, path
            assert client.post(path, json=said, headers=right).status_code == 200, path
        assert "xi-api-key" in client.post(ELEVENLABS, json={}).json()["detail"]["message"]
        assert client.get(f"{OURS}?input_text=a&index=exampleA").status_code == 401
        for path in ("/v1/models/a", "/v1/audio/models", "/v1/audio/voices"):
            assert client.get(path).status_code == 200, "anybody may read these"


def test_no_file_is_opened_for_the_path_of_gpt_sovits(server: Running) -> None:
    outside = server.root / "outside.wav"
    outside.write_bytes(voice_wav(3.0))
    with server.client() as client:
        for path in (str(outside), "../outside.wav", "/etc/passwd", "prompts/exampleA.wav/..", "..", "/"):
            answer = client.post(SOVITS, json={"text": "hello", "ref_audio_path": path})
            assert (answer.status_code, "There is no voice" in answer.text) == (400, True), path


def sdk(server: Running, **options: Any) -> openai.OpenAI:
    http = openai.DefaultHttpxClient(trust_env=False)
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", http_client=http, **options)


def speak(client: openai.OpenAI) -> bytes:
    return client.audio.speech.create(model="tts-1", voice="alloy", input="hello").content


def test_the_packages_try_no_work_again_that_was_begun(serve: Serve) -> None:
    """They would try a 408, a 500 and a 503 again."""
    server = serve(ToneEngine(delay_s=30), short_text_timeout=0.3)
    with sdk(server) as client, zhipu_client.sdk(server) as zhipu:
        with pytest.raises(openai.APIStatusError) as refused:
            speak(client)
        assert refused.value.status_code == 408
        with pytest.raises(APIStatusError):
            zhipu.audio.speech(model="glm-tts", input="hello")
        for fault in (RuntimeError("broken"), OutOfMemory("The GPU has no memory left for this text")):
            server.engine.fault = fault
            with pytest.raises(openai.InternalServerError):
                speak(client)
    assert server.lane()["total"] == 4


def test_twenty_clients_on_four_places_all_speak(serve: Serve) -> None:
    """By the package's own two retries, at the times that the server gave them."""
    server = serve(ToneEngine(delay_s=0.3), short_text_concurrency=4, queue_max_size=2)
    assert server.say().status_code == 200  # the pace is known
    with sdk(server) as client, ThreadPoolExecutor(20) as pool:
        assert all(pool.map(speak, [client] * 20))
    lane = server.lane()
    assert lane["completed"] == 21
    assert lane["rejected"] > 0
